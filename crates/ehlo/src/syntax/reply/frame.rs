//! A parser that finds the end of a reply and examines each byte once.

use crate::syntax::code::Code;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Fault;
use crate::syntax::grammar::text::{ANY_TEXT, PRINTABLE, TEXTSTRING, after_text};
use crate::syntax::policy::Policy;

/// The size of a reply that a client accepts.
///
/// ```
/// use ehlo::syntax::reply::ReplyLimits;
///
/// assert_eq!(ReplyLimits::default().line, 4096);
/// assert_eq!(ReplyLimits::STRICT.line, 512);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// The longest line in bytes, with its code and CRLF.
    pub line: u16,
    /// The most lines of one reply.
    pub lines: u16,
    /// The longest reply in bytes.
    pub bytes: u32,
}

impl ReplyLimits {
    /// Lines of 4096 bytes, 1000 lines, 64 KiB: more than real servers send.
    pub const DEFAULT: Self = Self { line: 4096, lines: 1000, bytes: 64 * 1024 };

    /// As [`DEFAULT`](Self::DEFAULT), with lines of 512 bytes, the most that RFC 5321 §4.5.3.1.5 lets a
    /// server send.
    pub const STRICT: Self = Self { line: 512, ..Self::DEFAULT };
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The state of a reply that arrives in pieces: how far it was examined, and with what result.
///
/// ```
/// use ehlo::Policy;
/// use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
///
/// let (limits, policy) = (ReplyLimits::default(), Policy::STRICT);
/// let mut frame = ReplyFrame::new();
/// assert_eq!(frame.advance(b"250-mx.exam", &limits, &policy)?, None);
/// assert_eq!(frame.advance(b"250-mx.example\r\n250 DSN\r\n221 ", &limits, &policy)?, Some(25));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyFrame {
    /// The offset of the next line.
    line: u32,
    /// The number of bytes examined and valid: up to the next line, or further.
    looked: u32,
    /// The number of whole lines before it.
    lines: u16,
    /// The three digits of the first line, the first of them lowest.
    digits: u32,
    stage: Stage,
}

/// The next part of a [`ReplyFrame`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The code at the beginning of a line.
    #[default]
    Code,
    /// No part: the reply is whole.
    Complete,
    /// The text of a line that is not the last.
    Text,
    /// The text of the last line.
    LastText,
}

impl ReplyFrame {
    /// A frame at the beginning of a reply.
    pub const fn new() -> Self {
        Self { line: 0, looked: 0, lines: 0, digits: 0, stage: Stage::Code }
    }

    /// Examines what was added to `input` since the last call.
    ///
    /// `input` always holds all unread bytes, from the first byte of the reply on; bytes behind the
    /// reply are not examined. `Some(length)` means that a whole reply of `length` bytes is at the
    /// front of `input`; the result stays the same until the caller starts a new frame. `None` asks
    /// for more input.
    ///
    /// # Errors
    ///
    /// A [`SyntaxError`] whose offset counts from the first byte of the reply, and the same error on
    /// each further call: no code, lines with different codes, bare CR or LF, a byte that a text cannot
    /// have, or a limit exceeded. RFC 5321 §4.2.
    #[inline]
    pub fn advance(
        &mut self,
        input: &[u8],
        limits: &ReplyLimits,
        policy: &Policy,
    ) -> Result<Option<usize>, SyntaxError> {
        if !self.goes_on(input, limits) {
            return self.advance_lines(input, limits, policy);
        }
        Ok(None)
    }

    /// Returns `true` if `input` is the earlier input and one more byte of the text of the same
    /// line: a short cut for replies that arrive byte by byte.
    #[inline]
    fn goes_on(&mut self, input: &[u8], limits: &ReplyLimits) -> bool {
        let Some((last, before)) = input.split_last() else { return false };
        // A line begins within an input, so the sum fits in a usize.
        let most = (self.line as usize + usize::from(limits.line)).min(limits.bytes as usize);
        let goes_on = matches!(self.stage, Stage::Text | Stage::LastText)
            && before.len() == self.looked as usize
            && PRINTABLE[usize::from(*last)]
            // The CRLF must have room.
            && input.len() + 2 <= most;
        if goes_on {
            self.looked += 1;
        }
        goes_on
    }

    fn advance_lines(
        &mut self,
        input: &[u8],
        limits: &ReplyLimits,
        policy: &Policy,
    ) -> Result<Option<usize>, SyntaxError> {
        let class = if policy.any_reply_text { &ANY_TEXT } else { &TEXTSTRING };
        // An error leaves the frame as it was, so the next call returns the same error.
        let mut frame = *self;
        let mut rest = input.get(self.line as usize..).unwrap_or_default();
        while frame.stage != Stage::Complete {
            match frame.reply_line(rest, limits, class) {
                Ok(Some(after)) => rest = after,
                Ok(None) => {
                    *self = frame;
                    return Ok(None);
                }
                Err(fault) => return Err(fault.locate(input)),
            }
        }
        *self = frame;
        Ok(Some(frame.line as usize))
    }

    /// The code; `None` until the first three bytes are there.
    pub fn code(&self) -> Option<Code> {
        let [digits @ .., _] = self.digits.to_le_bytes();
        Code::from_digits(digits)
    }

    /// Whole lines examined so far.
    pub const fn lines(&self) -> u16 {
        self.lines
    }

    /// The input behind the line at the front of `rest`; `None` if the line has no end yet.
    ///
    /// `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF`
    #[inline]
    fn reply_line<'i>(
        &mut self,
        rest: &'i [u8],
        limits: &ReplyLimits,
        class: &[bool; 256],
    ) -> Result<Option<&'i [u8]>, Fault<'i>> {
        if self.stage == Stage::Code {
            // Without room for another line, waiting for its code would never end.
            if limits.bytes.saturating_sub(self.line) < SHORTEST_LINE {
                return fault(rest, 0, TOO_LONG);
            }
            if !self.head(rest)? {
                return Ok(None);
            }
        }
        let looked = (self.looked - self.line) as usize;
        let text_end = after_text(rest.get(looked..).unwrap_or_default(), class);
        let end = rest.len() - text_end.len();
        let most = limits.bytes.saturating_sub(self.line).min(limits.line.into());
        // The CRLF must have room, too.
        if end + 2 > most as usize {
            let long = most == u32::from(limits.line);
            let kind = if long { SyntaxErrorKind::LineTooLong } else { TOO_LONG };
            return fault(rest, most.saturating_sub(1) as usize, kind);
        }
        // Below the limits, which have the same number of bits.
        #[allow(clippy::cast_possible_truncation)]
        {
            self.looked = self.line + end as u32;
        }
        let after = match text_end {
            [b'\r', b'\n', after @ ..] => after,
            [] | [b'\r'] => return Ok(None),
            [b'\r', ..] => return fault(rest, end, SyntaxErrorKind::BareCr),
            [b'\n', ..] => return fault(rest, end, SyntaxErrorKind::BareLf),
            _ => return fault(rest, end, SyntaxErrorKind::ReplyText),
        };
        self.looked += 2;
        self.line = self.looked;
        self.lines = self.lines.wrapping_add(1);
        self.stage = match self.stage {
            Stage::LastText => Stage::Complete,
            _ if self.lines >= limits.lines => return fault(rest, end, TOO_LONG),
            _ => Stage::Code,
        };
        Ok(Some(after))
    }

    /// Reads the code at the beginning of a line and the byte behind it; `false` if they are
    /// incomplete.
    #[inline]
    fn head<'i>(&mut self, line: &'i [u8]) -> Result<bool, Fault<'i>> {
        let Some(head) = line.first_chunk() else {
            return reply_code(line).map(|()| false);
        };
        let head = u32::from_le_bytes(*head);
        let (digits, separator) = (head & 0x00FF_FFFF, head >> 24);
        if self.lines == 0 || digits != self.digits {
            reply_code(line)?;
            // RFC 5321 §4.2.1: "In a multiline reply, the reply code on each of the lines MUST be
            // the same."
            if self.lines > 0 {
                return fault(line, 0, SyntaxErrorKind::ReplyCodeChanges);
            }
            self.digits = digits;
        }
        let length;
        (self.stage, length) = match separator.to_le_bytes()[0] {
            b'-' => (Stage::Text, 4),
            b' ' => (Stage::LastText, 4),
            // RFC 5321 §4.2: a client must process a code alone, even without a space.
            b'\r' => (Stage::LastText, 3),
            _ => return fault(line, 3, SyntaxErrorKind::ReplyCode),
        };
        self.looked += length;
        Ok(true)
    }
}

/// Whether the first bytes of a line are a code, or may become one.
///
/// `Reply-code = %x32-35 %x30-35 %x30-39`, except that the second digit may be any.
fn reply_code(line: &[u8]) -> Result<(), Fault<'_>> {
    let digit = |(place, byte): (usize, &u8)| match place {
        0 => matches!(byte, b'2'..=b'5'),
        _ => byte.is_ascii_digit(),
    };
    match line.iter().take(3).enumerate().position(|place| !digit(place)) {
        Some(place) => fault(line, place, SyntaxErrorKind::ReplyCode),
        None => Ok(()),
    }
}

#[cold]
fn fault<T>(line: &[u8], place: usize, kind: SyntaxErrorKind) -> Result<T, Fault<'_>> {
    Err(Fault { rest: line.get(place..).unwrap_or_default(), kind })
}

/// A code and its CRLF.
const SHORTEST_LINE: u32 = 5;

const TOO_LONG: SyntaxErrorKind = SyntaxErrorKind::ReplyTooLong;

const _: () = assert!(ReplyLimits::STRICT.line as usize == crate::syntax::limits::REPLY_LINE);
const _: () = assert!(size_of::<ReplyFrame>() <= 16);
