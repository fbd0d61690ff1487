//! A decoder of mail data: from the bytes on the wire to those of the message.

// A peer can make every byte a separate piece; then the cost is that of returning a piece.
#![allow(clippy::inline_always)]

use super::newlines::{Before, Step};
use super::search::short_line;
use super::{NewlineError, NewlineErrorKind, Newlines};

/// Finds the end of mail data and removes the dots that were stuffed into it.
///
/// It copies nothing: it returns slices of the input, each as long as possible. Joined, they are
/// the message, however the input was cut.
///
/// ```
/// use ehlo::data::{Content, DataDecoder, Newlines};
///
/// let input = b"Subject: dots\r\n\r\n..\r\n.\r\nQUIT\r\n";
/// let mut decoder = DataDecoder::new(Newlines::Reject);
/// let mut message = Vec::new();
/// let mut at = 0;
/// let end = loop {
///     let decoded = decoder.decode(&input[at..]);
///     at += decoded.consumed;
///     match decoded.content {
///         Content::Data(data) => message.extend_from_slice(data),
///         Content::NeedInput => unreachable!("the input has an end"),
///         Content::End(end) => break end,
///     }
/// };
/// assert_eq!(end, Ok(()));
/// assert_eq!(message, b"Subject: dots\r\n\r\n.\r\n");
/// assert_eq!(&input[at..], b"QUIT\r\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataDecoder {
    /// The number of bytes consumed; after an error, the place of the error.
    offset: u64,
    state: State,
    newlines: Newlines,
    error: Option<NewlineErrorKind>,
    /// Bytes that a line may have; `None` for no limit.
    line_limit: Option<core::num::NonZeroU16>,
    /// Bytes of the current line so far, never over the limit.
    line: u16,
}

impl DataDecoder {
    /// A decoder at the start of mail data, directly after the 354.
    pub const fn new(newlines: Newlines) -> Self {
        Self {
            offset: 0,
            state: State::Line(Before::Start),
            newlines,
            error: None,
            line_limit: None,
            line: 0,
        }
    }

    /// The same decoder with a limit on the bytes of a line: its CRLF counts, a dot that is
    /// removed does not. A longer line is an error, [`NewlineErrorKind::LineTooLong`].
    ///
    /// [`TEXT_LINE`](crate::syntax::limits::TEXT_LINE) is the least that RFC 5321 §4.5.3.1.6 allows. `None`
    /// and zero mean no limit, as does [`DataDecoder::new`].
    #[must_use]
    pub const fn with_line_limit(mut self, bytes: Option<u16>) -> Self {
        self.line_limit = match bytes {
            Some(bytes) => core::num::NonZeroU16::new(bytes),
            None => None,
        };
        self
    }

    /// Takes the front of `input`, the bytes after those consumed so far.
    ///
    /// Call it again with the rest of the input until it returns [`Content::NeedInput`] or
    /// [`Content::End`]. A byte that may be part of the end is consumed and withheld; if it is
    /// data, a later call returns it, and that call may consume nothing.
    ///
    /// After an error the decoder skips the rest, and the end reports the error. After the end the
    /// decoder is at the start of the next message.
    #[inline]
    pub fn decode<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        match input {
            [] => Decoded { consumed: 0, content: Content::NeedInput },
            [byte] => match self.single(*byte, input) {
                Some(content) => Decoded { consumed: 1, content },
                None => self.piece::<true>(input),
            },
            _ => self.line_or_piece(input),
        }
    }

    /// Takes `input`, a single byte, if it is data, withheld, or the end: a shortcut for bytes that come
    /// one by one.
    #[inline]
    fn single<'i>(&mut self, byte: u8, input: &'i [u8]) -> Option<Content<'i>> {
        if self.error.is_some() || self.line_limit.is_some() {
            return None;
        }
        let content;
        (self.state, content) = match (self.state.withhold(byte), self.state) {
            (Some(state), _) => (state, Content::NeedInput),
            (None, State::DotCr) if byte == b'\n' => return Some(self.end()),
            (None, State::Line(before)) => match self.newlines.step(before, byte) {
                Step::Pass(next) => (State::Line(next), Content::Data(input)),
                _ => return None,
            },
            _ => return None,
        };
        self.offset = self.offset.wrapping_add(1);
        Some(content)
    }

    /// A decoder in the middle of a message, after `offset` bytes of it. `before` is the state
    /// before the next byte, `line` the number of bytes of the current line so far.
    pub(crate) const fn resumed(
        newlines: Newlines,
        offset: u64,
        before: Before,
        line: u16,
    ) -> Self {
        Self { offset, state: State::Line(before), line, ..Self::new(newlines) }
    }

    /// The state before the next byte, and the number of bytes of the current line so far.
    pub(crate) const fn place(&self) -> (Before, u16) {
        match self.state {
            State::Line(before) => (before, self.line),
            State::Dot | State::DotCr => (Before::Text, self.line),
        }
    }

    /// The error that was found, if any; the decoder skips the bytes behind it.
    pub(crate) fn error(&self) -> Option<NewlineError> {
        self.error.map(|kind| NewlineError { kind, offset: self.offset })
    }

    /// Takes the front of `input`, which is not empty: content whose length determines its end, RFC
    /// 3030 §2. The policy is that of [`decode`](Self::decode), but a dot is an ordinary byte and
    /// ends nothing.
    pub(crate) fn content<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        self.piece::<false>(input)
    }

    /// Ends content whose length determines its end: first with the LF that a last CR lacks, if
    /// any, then with the verdict. The decoder is then at the start of the next message.
    pub(crate) fn end_of_content(&mut self) -> Content<'static> {
        let (before, _) = self.place();
        match (before, self.newlines) {
            _ if self.error.is_some() => {}
            (Before::Cr, Newlines::Normalise) => {
                let limit = self.line_limit;
                if limit.and_then(|limit| self.count_lines(limit, b"\n", true)).is_none() {
                    self.state = State::Line(Before::Start);
                    return Content::Data(b"\n");
                }
                self.error = Some(NewlineErrorKind::LineTooLong);
            }
            (Before::Cr, Newlines::Reject) => {
                self.error = Some(before.kind());
                self.offset = self.offset.wrapping_sub(1);
            }
            (Before::CrDot | Before::LfDot | Before::NulDot, _) => {
                self.error = Some(before.kind());
                self.offset = self.offset.wrapping_sub(2);
            }
            _ => {}
        }
        self.end()
    }

    /// The verdict at the end. The decoder is then at the start of the next message.
    fn end(&mut self) -> Content<'static> {
        let error = self.error();
        self.offset = 0;
        self.state = State::Line(Before::Start);
        self.error = None;
        self.line = 0;
        Content::End(error.map_or(Ok(()), Err))
    }

    /// Takes the front of an input that is not empty: a short line between two removed dots, or any
    /// other piece. It is a shortcut for content in which every line has a dot.
    fn line_or_piece<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        let Some(line) = self.dotted_line(input) else { return self.piece::<true>(input) };
        let consumed = line.len() + 1;
        self.offset = self.offset.wrapping_add(consumed as u64);
        Decoded { consumed, content: Content::Data(line) }
    }

    /// A short line between two removed dots.
    fn dotted_line<'i>(&self, input: &'i [u8]) -> Option<&'i [u8]> {
        if self.state != State::Dot || self.error.is_some() || self.line_limit.is_some() {
            return None;
        }
        let line = short_line(input).filter(|line| line.len() > 2)?;
        (input.get(line.len()) == Some(&b'.')).then_some(line)
    }

    /// Takes the front of an input that is not empty.
    #[inline(never)]
    fn piece<'i, const DOTS: bool>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        let mut consumed = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let offset = self.offset;
            let skipping = self.error.is_some();
            let newlines = if skipping { Newlines::Keep } else { self.newlines };
            let after_cr = self.state == State::Line(Before::Cr);
            let Piece { start, mut data, taken, then } = self.scan::<DOTS>(newlines, rest);
            consumed += taken;
            if !skipping {
                self.offset = offset.wrapping_add(taken as u64);
                let limit = self.line_limit;
                if let Some(quota) = limit.and_then(|limit| self.count_lines(limit, data, after_cr))
                {
                    self.error = Some(NewlineErrorKind::LineTooLong);
                    self.offset = offset.wrapping_add(start.wrapping_add(quota) as u64);
                    data = data.get(..quota).unwrap_or_default();
                } else if let Then::Error { kind, back } = then {
                    self.error = Some(kind);
                    self.offset = self.offset.wrapping_sub(1 + back);
                }
                if !data.is_empty() {
                    return Decoded { consumed, content: Content::Data(data) };
                }
            }
            if let Then::End = then {
                return Decoded { consumed, content: self.end() };
            }
            if consumed == input.len() {
                return Decoded { consumed, content: Content::NeedInput };
            }
        }
    }

    /// Takes the front of `input` up to the first byte that is not simply data.
    #[inline(always)]
    fn scan<'i, const DOTS: bool>(&mut self, newlines: Newlines, input: &'i [u8]) -> Piece<'i> {
        let mut at = 0;
        let (start, mut before) = loop {
            let Some(&byte) = input.get(at) else {
                return Piece::nothing(at, Then::More);
            };
            if DOTS {
                if let Some(state) = self.state.withhold(byte) {
                    self.state = state;
                    at += 1;
                    continue;
                }
            }
            match (self.state, byte) {
                // RFC 5321 §4.5.2: "If the line is composed of a single period, it is treated as
                // the end of mail indicator."
                (State::DotCr, b'\n') => return Piece::nothing(at + 1, Then::End),
                // RFC 5321 §4.5.2: "If the first character is a period and there are other
                // characters on the line, the first character is deleted."
                (State::Dot, b'\n' | 0) if newlines == Newlines::RejectAroundDot => {
                    self.state = State::Line(Before::Text);
                    let kind =
                        if byte == 0 { NewlineErrorKind::Nul } else { NewlineErrorKind::BareLf };
                    return Piece::nothing(at + 1, Then::Error { kind, back: 0 });
                }
                (State::Dot, _) => break (at, Before::Text),
                (State::DotCr, _) => match newlines {
                    Newlines::Reject | Newlines::RejectAroundDot => {
                        self.state = State::Line(Before::unpaired(byte));
                        let kind = NewlineErrorKind::BareCr;
                        return Piece::nothing(at + 1, Then::Error { kind, back: 1 });
                    }
                    // The CR is bare: return it with the LF.
                    Newlines::Normalise => {
                        self.state = State::Line(Before::Text);
                        let start = at.wrapping_sub(1);
                        return Piece { start, data: b"\r\n", taken: at, then: Then::More };
                    }
                    Newlines::Keep => {
                        self.state = State::Line(Before::Cr);
                        match at.checked_sub(1) {
                            Some(cr) => break (cr, Before::Cr),
                            None => return Piece::withheld(b"\r"),
                        }
                    }
                },
                (State::Line(before), _) => break (at, before),
            }
        };
        loop {
            let rest = input.get(at..).unwrap_or_default();
            // Alone, LF and NUL need a step.
            if !matches!(rest, [b'\n' | 0, ..]) && before != Before::Cr {
                let passed;
                (passed, before) = newlines.pass(before, rest);
                at += passed;
            }
            let data = input.get(start..at).unwrap_or_default();
            let Some(&byte) = input.get(at) else {
                self.state = State::Line(before);
                return Piece { start, data, taken: at, then: Then::More };
            };
            match newlines.step(before, byte) {
                Step::Pass(next) => {
                    before = next;
                    at += 1;
                }
                Step::Dot if !DOTS => {
                    before = Before::Text;
                    at += 1;
                }
                Step::Dot => {
                    self.state = State::Dot;
                    return Piece { start, data, taken: at + 1, then: Then::More };
                }
                Step::CompleteCr if data.is_empty() => {
                    self.state = State::Line(Before::Text);
                    return Piece::withheld(b"\n");
                }
                Step::ReplaceLf if data.is_empty() => {
                    self.state = State::Line(Before::Text);
                    let lfs = rest.iter().take(CRLFS.len() / 2).take_while(|lf| **lf == b'\n');
                    let lfs = lfs.count();
                    let data = CRLFS.get(..2 * lfs).unwrap_or_default();
                    return Piece { start, data, taken: at + lfs, then: Then::More };
                }
                Step::CompleteCr | Step::ReplaceLf => {
                    self.state = State::Line(before);
                    return Piece { start, data, taken: at, then: Then::More };
                }
                Step::Error { kind, back } => {
                    self.state = State::Line(Before::unpaired(byte));
                    return Piece { start, data, taken: at + 1, then: Then::Error { kind, back } };
                }
            }
        }
    }

    /// Counts the bytes of the lines in `data`; if a line is over the limit, returns the bytes that fit.
    #[inline(never)]
    fn count_lines(
        &mut self,
        limit: core::num::NonZeroU16,
        data: &[u8],
        after_cr: bool,
    ) -> Option<usize> {
        let limit = usize::from(limit.get());
        let mut before = usize::from(self.line);
        let mut start = 0;
        // A line that begins at `start` may go on for `room` bytes. The last CRLF within them begins the
        // line that is looked at next, so that there is one search for as many bytes as a line may have.
        loop {
            let room = limit - before.min(limit);
            let rest = data.get(start..).unwrap_or_default();
            let window = rest.get(..room).unwrap_or(rest);
            match last_line_end(window, after_cr && start == 0) {
                Some(end) => (start, before) = (start + end, 0),
                None if rest.len() <= room => {
                    // It is not over the limit, which is a u16.
                    self.line = u16::try_from(before + rest.len()).unwrap_or(u16::MAX);
                    return None;
                }
                None => return Some(start + room),
            }
        }
    }
}

/// The place behind the last CRLF in `data`; its CR may stand before `data`.
fn last_line_end(data: &[u8], after_cr: bool) -> Option<usize> {
    let mut searched = data;
    loop {
        let lf = memchr::memrchr(b'\n', searched)?;
        searched = data.get(..lf)?;
        let is_end = searched.last().map_or(after_cr, |before| *before == b'\r');
        if is_end {
            return Some(lf + 1);
        }
    }
}

/// The result of one call to [`DataDecoder::decode`] or
/// [`ChunkDecoder::take`](crate::data::ChunkDecoder::take): the bytes taken and their meaning.
///
/// ```
/// use ehlo::data::{Content, DataDecoder, Decoded, Newlines};
///
/// let decoded = DataDecoder::new(Newlines::Reject).decode(b".\r\nNOOP\r\n");
/// assert_eq!(decoded, Decoded { consumed: 3, content: Content::End(Ok(())) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'i> {
    /// The number of bytes taken from the front of the input.
    pub consumed: usize,
    /// Their meaning.
    pub content: Content<'i>,
}

/// A piece of the message, or its end.
///
/// ```
/// use ehlo::data::{Content, DataDecoder, Newlines};
///
/// let decoded = DataDecoder::new(Newlines::Reject).decode(b"text");
/// assert_eq!(decoded.content, Content::Data(b"text"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'i> {
    /// The whole input is consumed, and the end has not come.
    NeedInput,
    /// The next bytes of the message, at least one.
    Data(&'i [u8]),
    /// The end of the data is consumed. After an error, refuse the message.
    End(Result<(), NewlineError>),
}

/// The state of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// After these bytes; all data was returned.
    Line(Before),
    /// After a dot at the start of a line, withheld.
    Dot,
    /// After a dot at the start of a line and a CR, both withheld.
    DotCr,
}

impl State {
    /// The state after a byte that may be part of the end.
    #[inline]
    const fn withhold(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Line(Before::Start), b'.') => Some(Self::Dot),
            (Self::Dot, b'\r') => Some(Self::DotCr),
            _ => None,
        }
    }
}

/// The result of [`DataDecoder::scan`].
struct Piece<'i> {
    /// The start of `data` in the input; one byte before the input wraps around.
    start: usize,
    data: &'i [u8],
    taken: usize,
    then: Then,
}

impl Piece<'_> {
    const fn nothing(taken: usize, then: Then) -> Self {
        Self { start: 0, data: &[], taken, then }
    }

    /// Data of an earlier input, or data that is not on the wire.
    const fn withheld(data: &'static [u8]) -> Self {
        Self { start: 0, data, taken: 0, then: Then::More }
    }
}

/// Replaces a run of bare LFs.
static CRLFS: &[u8] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

/// The item behind the data of a [`Piece`].
#[derive(Clone, Copy)]
enum Then {
    More,
    End,
    /// The byte `back` bytes before the last one taken is an error.
    Error {
        kind: NewlineErrorKind,
        back: u64,
    },
}
