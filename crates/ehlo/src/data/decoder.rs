//! From the octets of the wire to those of the message.

// Where a peer makes every octet a piece of its own, handing a piece over is what it costs.
#![allow(clippy::inline_always)]

use super::newlines::{Before, Step};
use super::search::{short_line, until_lf};
use super::{NewlineError, NewlineErrorKind, Newlines};

/// Finds the end of mail data and removes the dots that were stuffed into it.
///
/// It copies nothing: what it hands out are slices of the input, as long as they can be. Joined,
/// they are the message, whatever the pieces in which the input came.
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
    /// Octets consumed; once there is an error, where it is.
    offset: u64,
    state: State,
    newlines: Newlines,
    error: Option<NewlineErrorKind>,
    /// Octets that a line may have; none when there is no limit.
    line_limit: Option<core::num::NonZeroU16>,
    /// Octets of the current line so far, never over the limit.
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

    /// The same decoder with a limit on the octets of a line: its CRLF counts, a dot that is
    /// removed does not. A longer line is an error, [`NewlineErrorKind::LineTooLong`].
    ///
    /// [`TEXT_LINE`](crate::syntax::limits::TEXT_LINE) is the least that RFC 5321 §4.5.3.1.6 allows. `None`
    /// and zero mean no limit, as does [`DataDecoder::new`].
    #[must_use]
    pub const fn with_line_limit(mut self, octets: Option<u16>) -> Self {
        self.line_limit = match octets {
            Some(octets) => core::num::NonZeroU16::new(octets),
            None => None,
        };
        self
    }

    /// Takes the front of `input`, which follows what was consumed so far.
    ///
    /// Call it again with the rest of the input until it says [`Content::NeedInput`] or
    /// [`Content::End`]. An octet that may yet turn out to be part of the end is consumed and
    /// withheld; should it be data after all, a later call hands it out, and that call may consume
    /// nothing.
    ///
    /// After an error the rest is skipped, and the end reports it. After the end the decoder stands
    /// at the start again.
    #[inline]
    pub fn decode<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        match input {
            [] => Decoded { consumed: 0, content: Content::NeedInput },
            [octet] => match self.single(*octet, input) {
                Some(content) => Decoded { consumed: 1, content },
                None => self.piece::<true>(input),
            },
            _ => self.line_or_piece(input),
        }
    }

    /// Takes `input`, which is a single octet, if it is passed or withheld, or the end: a way around
    /// all else where they come one by one.
    #[inline]
    fn single<'i>(&mut self, octet: u8, input: &'i [u8]) -> Option<Content<'i>> {
        if self.error.is_some() || self.line_limit.is_some() {
            return None;
        }
        let content;
        (self.state, content) = match (self.state.withhold(octet), self.state) {
            (Some(state), _) => (state, Content::NeedInput),
            (None, State::DotCr) if octet == b'\n' => return Some(self.end()),
            (None, State::Line(before)) => match self.newlines.step(before, octet) {
                Step::Pass(next) => (State::Line(next), Content::Data(input)),
                _ => return None,
            },
            _ => return None,
        };
        self.offset = self.offset.wrapping_add(1);
        Some(content)
    }

    /// A decoder in the middle of a message: `offset` bytes of it were taken, `before` and `line`
    /// bytes of the current line among them.
    pub(crate) const fn resumed(
        newlines: Newlines,
        offset: u64,
        before: Before,
        line: u16,
    ) -> Self {
        Self { offset, state: State::Line(before), line, ..Self::new(newlines) }
    }

    /// What stands before the next byte, and the bytes of the current line so far.
    pub(crate) const fn place(&self) -> (Before, u16) {
        match self.state {
            State::Line(before) => (before, self.line),
            State::Dot | State::DotCr => (Before::Text, self.line),
        }
    }

    /// The error that was found, if any; what follows it is skipped.
    pub(crate) fn error(&self) -> Option<NewlineError> {
        self.error.map(|kind| NewlineError { kind, offset: self.offset })
    }

    /// Takes the front of `input`, which is not empty: content whose end is known by its length, RFC
    /// 3030 §2. It is under the same policy as what [`decode`](Self::decode) takes, but a dot is a
    /// byte like any other, and none ends it.
    pub(crate) fn content<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        self.piece::<false>(input)
    }

    /// What the end of the content, known by its length, adds to it: the LF that a last CR lacks, and
    /// then the verdict. The decoder stands at the start again.
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

    /// What the end says. The decoder stands at the start again.
    fn end(&mut self) -> Content<'static> {
        let error = self.error();
        self.offset = 0;
        self.state = State::Line(Before::Start);
        self.error = None;
        self.line = 0;
        Content::End(error.map_or(Ok(()), Err))
    }

    /// Takes the front of an input that has one: a short line between two dots that are removed, or
    /// anything. Where every line has a dot, this is a way around all else.
    fn line_or_piece<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        let Some(line) = self.dotted_line(input) else { return self.piece::<true>(input) };
        let consumed = line.len() + 1;
        self.offset = self.offset.wrapping_add(consumed as u64);
        Decoded { consumed, content: Content::Data(line) }
    }

    /// A short line between two dots that are removed.
    fn dotted_line<'i>(&self, input: &'i [u8]) -> Option<&'i [u8]> {
        if self.state != State::Dot || self.error.is_some() || self.line_limit.is_some() {
            return None;
        }
        let line = short_line(input).filter(|line| line.len() > 2)?;
        (input.get(line.len()) == Some(&b'.')).then_some(line)
    }

    /// Takes the front of an input that has one.
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

    /// Takes the front of `input` up to the first octet that is not simply data.
    #[inline(always)]
    fn scan<'i, const DOTS: bool>(&mut self, newlines: Newlines, input: &'i [u8]) -> Piece<'i> {
        let mut at = 0;
        let (start, mut before) = loop {
            let Some(&octet) = input.get(at) else {
                return Piece::nothing(at, Then::More);
            };
            if DOTS {
                if let Some(state) = self.state.withhold(octet) {
                    self.state = state;
                    at += 1;
                    continue;
                }
            }
            match (self.state, octet) {
                // RFC 5321 §4.5.2: "If the line is composed of a single period, it is treated as
                // the end of mail indicator."
                (State::DotCr, b'\n') => return Piece::nothing(at + 1, Then::End),
                // RFC 5321 §4.5.2: "If the first character is a period and there are other
                // characters on the line, the first character is deleted."
                (State::Dot, b'\n' | 0) if newlines == Newlines::RejectAroundDot => {
                    self.state = State::Line(Before::Text);
                    let kind =
                        if octet == 0 { NewlineErrorKind::Nul } else { NewlineErrorKind::BareLf };
                    return Piece::nothing(at + 1, Then::Error { kind, back: 0 });
                }
                (State::Dot, _) => break (at, Before::Text),
                (State::DotCr, _) => match newlines {
                    Newlines::Reject | Newlines::RejectAroundDot => {
                        self.state = State::Line(Before::unpaired(octet));
                        let kind = NewlineErrorKind::BareCr;
                        return Piece::nothing(at + 1, Then::Error { kind, back: 1 });
                    }
                    // The CR is bare: the LF may be handed out with it.
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
            // Alone, these pass in no case.
            if !matches!(rest, [b'\n' | 0, ..]) && before != Before::Cr {
                let passed;
                (passed, before) = newlines.pass(before, rest);
                at += passed;
            }
            let data = input.get(start..at).unwrap_or_default();
            let Some(&octet) = input.get(at) else {
                self.state = State::Line(before);
                return Piece { start, data, taken: at, then: Then::More };
            };
            match newlines.step(before, octet) {
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
                    self.state = State::Line(Before::unpaired(octet));
                    return Piece { start, data, taken: at + 1, then: Then::Error { kind, back } };
                }
            }
        }
    }

    /// Counts the octets of the lines in `data`; the number of them that fit if one line is over
    /// the limit.
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
        let mut at = 0;
        while let Some(rest) = data.get(at..) {
            let lf = at + until_lf(rest);
            if lf == data.len() {
                break;
            }
            at = lf + 1;
            let is_end = match lf.checked_sub(1) {
                Some(cr) => data.get(cr) == Some(&b'\r'),
                None => after_cr,
            };
            if is_end {
                if before + (lf + 1 - start) > limit {
                    return Some(start + (limit - before));
                }
                before = 0;
                start = lf + 1;
            }
        }
        let line = before + (data.len() - start);
        match u16::try_from(line) {
            Ok(octets) if line <= limit => {
                self.line = octets;
                None
            }
            _ => Some(start + (limit - before)),
        }
    }
}

/// What one call to [`DataDecoder::decode`] or [`ChunkDecoder::take`](crate::data::ChunkDecoder::take)
/// took from the input, and what it was.
///
/// ```
/// use ehlo::data::{Content, DataDecoder, Decoded, Newlines};
///
/// let decoded = DataDecoder::new(Newlines::Reject).decode(b".\r\nNOOP\r\n");
/// assert_eq!(decoded, Decoded { consumed: 3, content: Content::End(Ok(())) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'i> {
    /// Octets taken from the front of the input.
    pub consumed: usize,
    /// What they were.
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
    /// The next octets of the message, one at least.
    Data(&'i [u8]),
    /// The end of the data is consumed. After an error the message is to be refused.
    End(Result<(), NewlineError>),
}

/// Where the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// After this; all of it was handed out.
    Line(Before),
    /// After a dot at the start of a line, withheld.
    Dot,
    /// After a dot at the start of a line and a CR, both withheld.
    DotCr,
}

impl State {
    /// The state after an octet that may be part of the end.
    #[inline]
    const fn withhold(self, octet: u8) -> Option<Self> {
        match (self, octet) {
            (Self::Line(Before::Start), b'.') => Some(Self::Dot),
            (Self::Dot, b'\r') => Some(Self::DotCr),
            _ => None,
        }
    }
}

/// What [`DataDecoder::scan`] found.
struct Piece<'i> {
    /// Where `data` starts in the input; the octet before that wraps around.
    start: usize,
    data: &'i [u8],
    taken: usize,
    then: Then,
}

impl Piece<'_> {
    const fn nothing(taken: usize, then: Then) -> Self {
        Self { start: 0, data: &[], taken, then }
    }

    /// Data of an earlier input, or none of the wire.
    const fn withheld(data: &'static [u8]) -> Self {
        Self { start: 0, data, taken: 0, then: Then::More }
    }
}

/// What takes the place of a run of bare LF.
static CRLFS: &[u8] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

/// What follows the data of a [`Piece`].
#[derive(Clone, Copy)]
enum Then {
    More,
    End,
    /// The octet `back` octets before the last one taken is an error.
    Error {
        kind: NewlineErrorKind,
        back: u64,
    },
}
