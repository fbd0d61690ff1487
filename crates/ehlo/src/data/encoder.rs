//! An encoder of mail data: from the bytes of a message to those on the wire.

use core::slice;

use super::newlines::{Before, Step};
use super::search::short_line;
use super::{NewlineError, NewlineErrorKind, Newlines};
use crate::syntax::encode::BufferTooSmall;

/// Writes a message as mail data: stuffs dots, and writes the end.
///
/// ```
/// use ehlo::data::{DataEncoder, Newlines};
///
/// let mut encoder = DataEncoder::new(Newlines::Reject);
/// let mut out = [0; 32];
/// let mut written = encoder.encode(b"one\r\n.two", &mut out)?.written;
/// written += encoder.finish(&mut out[written..]).unwrap();
/// assert_eq!(&out[..written], b"one\r\n..two\r\n.\r\n");
/// # Ok::<(), ehlo::data::NewlineError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataEncoder {
    /// The number of bytes of content taken; after an error, the place of the error.
    offset: u64,
    before: Before,
    newlines: Newlines,
    error: Option<NewlineErrorKind>,
    /// Dots are stuffed, and one ends the message.
    dots: bool,
}

impl DataEncoder {
    /// The least room in bytes with which [`encode`](Self::encode) always makes progress.
    pub const MIN_ROOM: usize = 2;

    /// The room in bytes that [`finish`](Self::finish) needs at most: CRLF "." CRLF.
    pub const MAX_END: usize = 5;

    /// An encoder at the start of a message.
    ///
    /// `newlines` is the policy for the content. Under [`Newlines::Reject`] only CRLF ends a line
    /// on the wire. Under [`Newlines::RejectAroundDot`] no dot could look like the end to a lenient
    /// server; a dot at the start of a line is doubled and so harmless. [`Newlines::Normalise`]
    /// makes every CR and LF a CRLF. With [`Newlines::Keep`] the content can smuggle commands past
    /// a lenient server.
    pub const fn new(newlines: Newlines) -> Self {
        Self { offset: 0, before: Before::Start, newlines, error: None, dots: true }
    }

    /// An encoder of content whose length determines its end, RFC 3030: it adds no dots.
    pub(crate) const fn without_dots(newlines: Newlines) -> Self {
        Self { dots: false, ..Self::new(newlines) }
    }

    /// The length of the encoded `content`, the bytes after those consumed so far, and the encoder
    /// after it.
    pub(crate) fn measure(&self, mut content: &[u8]) -> Result<(u64, Self), NewlineError> {
        let mut encoder = *self;
        let mut length = 0;
        let mut out = [0; 512];
        while !content.is_empty() {
            let progress = encoder.encode(content, &mut out)?;
            length += progress.written as u64;
            content = content.get(progress.consumed..).unwrap_or_default();
        }
        Ok((length, encoder))
    }

    /// Writes as much of `content`, the bytes after those consumed so far, as fits in `out`.
    ///
    /// Call it again with the rest of the content until all is consumed. With
    /// [`MIN_ROOM`](Self::MIN_ROOM) bytes of room and content left it always makes progress.
    ///
    /// # Errors
    ///
    /// [`NewlineError`] if the policy refuses the content. The content of `out` is then
    /// unspecified, and every later call returns the same error: the message cannot be completed.
    /// Close the connection to abandon it.
    pub fn encode(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, NewlineError> {
        self.check()?;
        let mut consumed = 0;
        let mut out = Room { out, written: 0 };
        loop {
            let rest = content.get(consumed..).unwrap_or_default();
            // A shortcut for content whose lines are all a single dot.
            if let (Before::Start, [b'.', b'\r', b'\n', ..], 4.., true) =
                (self.before, rest, out.left(), self.dots)
            {
                out.put(b"..\r\n");
                consumed += 3;
                continue;
            }
            if let Some(line) = self.dotted_line(rest).filter(|line| line.len() < out.left()) {
                out.put(b".");
                out.put(line);
                consumed += line.len();
                continue;
            }
            let fits = rest.get(..out.left()).unwrap_or(rest);
            let (passed, next) = self.newlines.pass(self.before, fits);
            out.put(fits.get(..passed).unwrap_or_default());
            consumed += passed;
            self.before = next;
            let Some(byte) = rest.get(passed) else {
                break;
            };
            if passed > 0 && (next, *byte) == (Before::Start, b'.') {
                continue;
            }
            // The bytes written before or instead of this one; whether it is consumed; and the
            // state before the next byte.
            let (wire, takes, next): (&[u8], _, _) = match self.newlines.step(next, *byte) {
                Step::Pass(next) => (slice::from_ref(byte), 1, next),
                // RFC 5321 §4.5.2: "If it is a period, one additional period is inserted at the
                // beginning of the line."
                Step::Dot => (b".", usize::from(!self.dots), Before::Text),
                Step::CompleteCr => (b"\n", 0, Before::Start),
                Step::ReplaceLf => (b"\r\n", 1, Before::Start),
                Step::Error { kind, back } => {
                    self.error = Some(kind);
                    self.offset = self.offset.wrapping_add(consumed as u64).wrapping_sub(back);
                    break;
                }
            };
            if out.left() < wire.len() {
                break;
            }
            out.put(wire);
            consumed += takes;
            self.before = next;
        }
        self.check()?;
        self.offset = self.offset.wrapping_add(consumed as u64);
        Ok(Progress { consumed, written: out.written })
    }

    /// Writes the end of the data, after a CRLF if the content does not end in one, and returns the
    /// number of bytes written. The encoder is then at the start of the next message.
    ///
    /// # Errors
    ///
    /// [`FinishError::BufferTooSmall`] when the end does not fit in `out`: nothing was written, so
    /// call it again with more room. [`FinishError::Newline`] when the policy refuses the end of
    /// the content, or [`encode`](Self::encode) failed before.
    pub fn finish(&mut self, out: &mut [u8]) -> Result<usize, FinishError> {
        self.check()?;
        let dot: &[u8] = if self.dots { b".\r\n" } else { b"" };
        let end: &[u8] = match (self.before, self.newlines) {
            // RFC 5321 §4.1.1.4: "An extra <CRLF> MUST NOT be added, as that would cause an empty
            // line to be added to the message."
            (Before::Start, _) => b"",
            (Before::Cr, Newlines::Reject) => {
                self.error = Some(NewlineErrorKind::BareCr);
                self.offset = self.offset.wrapping_sub(1);
                b""
            }
            (Before::CrDot | Before::LfDot | Before::NulDot, _) => {
                self.error = Some(self.before.kind());
                self.offset = self.offset.wrapping_sub(2);
                b""
            }
            (Before::Cr, Newlines::Normalise) => b"\n",
            _ => b"\r\n",
        };
        self.check()?;
        let needed = end.len() + dot.len();
        if out.len() < needed {
            return Err(BufferTooSmall { needed }.into());
        }
        let mut out = Room { out, written: 0 };
        out.put(end);
        out.put(dot);
        *self = Self { dots: self.dots, ..Self::new(self.newlines) };
        Ok(needed)
    }

    /// A short line that begins with a dot: a shortcut for content in which every line does.
    fn dotted_line<'c>(&self, content: &'c [u8]) -> Option<&'c [u8]> {
        match (self.before, content) {
            (Before::Start, [b'.', ..]) if self.dots => short_line(content),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), NewlineError> {
        match self.error {
            Some(kind) => Err(NewlineError { kind, offset: self.offset }),
            None => Ok(()),
        }
    }
}

/// The result of one call to [`DataEncoder::encode`]: the bytes taken and written.
///
/// ```
/// use ehlo::data::{DataEncoder, Newlines, Progress};
///
/// let progress = DataEncoder::new(Newlines::Reject).encode(b".text", &mut [0; 4])?;
/// assert_eq!(progress, Progress { consumed: 3, written: 4 });
/// # Ok::<(), ehlo::data::NewlineError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of bytes taken from the front of the content.
    pub consumed: usize,
    /// The number of bytes written to the front of the output.
    pub written: usize,
}

/// The reason why the end of the data was not written.
///
/// ```
/// use ehlo::data::{DataEncoder, FinishError, Newlines};
/// use ehlo::syntax::BufferTooSmall;
///
/// let error = DataEncoder::new(Newlines::Reject).finish(&mut []).unwrap_err();
/// assert_eq!(error, FinishError::BufferTooSmall(BufferTooSmall { needed: 3 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinishError {
    /// The end does not fit in the output.
    BufferTooSmall(BufferTooSmall),
    /// The policy refuses the content.
    Newline(NewlineError),
}

impl From<BufferTooSmall> for FinishError {
    fn from(error: BufferTooSmall) -> Self {
        Self::BufferTooSmall(error)
    }
}

impl From<NewlineError> for FinishError {
    fn from(error: NewlineError) -> Self {
        Self::Newline(error)
    }
}

impl core::fmt::Display for FinishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::BufferTooSmall(error) => error.fmt(f),
            Self::Newline(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FinishError {}

/// The caller's slice and the number of bytes written to it.
struct Room<'o> {
    out: &'o mut [u8],
    written: usize,
}

impl Room<'_> {
    const fn left(&self) -> usize {
        self.out.len().saturating_sub(self.written)
    }

    /// Writes `bytes`, for which there must be room.
    fn put(&mut self, bytes: &[u8]) {
        let rest = self.out.get_mut(self.written..).unwrap_or_default();
        if let Some(room) = rest.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.written += bytes.len();
        }
    }
}
