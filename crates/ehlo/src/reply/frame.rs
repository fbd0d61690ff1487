//! Where a reply ends, found without looking at an octet twice.

use super::text::{ANY_TEXT, TEXTSTRING, text_run};
use crate::{Code, Policy, SyntaxError, SyntaxErrorKind};

/// How much of a reply a client reads before it gives up.
///
/// ```
/// use ehlo::ReplyLimits;
///
/// assert_eq!(ReplyLimits::default().line, 4096);
/// assert_eq!(ReplyLimits::STRICT.line, 512);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Octets of one line with its code and CRLF.
    pub line: u16,
    /// Lines of one reply.
    pub lines: u16,
    /// Octets of one reply.
    pub octets: u32,
}

impl ReplyLimits {
    /// What a client should be able to take: lines of 4096 octets, 1000 lines, 64 KiB.
    pub const DEFAULT: Self = Self { line: 4096, lines: 1000, octets: 64 * 1024 };

    /// The same with lines of 512 octets, all that RFC 5321 §4.5.3.1.5 lets a server send.
    pub const STRICT: Self = Self { line: 512, ..Self::DEFAULT };
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A reply that may still be on its way: how much of it was looked at, and what that said.
///
/// ```
/// use ehlo::{Policy, ReplyFrame, ReplyLimits};
///
/// let (limits, policy) = (ReplyLimits::default(), Policy::STRICT);
/// let mut frame = ReplyFrame::new();
/// assert_eq!(frame.advance(b"250-mx.exam", &limits, &policy)?, None);
/// assert_eq!(frame.advance(b"250-mx.example\r\n250 DSN\r\n221 ", &limits, &policy)?, Some(25));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyFrame {
    /// Where the line begins that comes next.
    line: u32,
    /// Octets of it that were looked at and are in order.
    looked: u16,
    /// Whole lines before it.
    lines: u16,
    /// The three digits of the first line.
    digits: [u8; 3],
    stage: Stage,
}

/// What comes next in a [`ReplyFrame`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The code at the beginning of a line.
    #[default]
    Code,
    /// The text of a line that is not the last.
    Text,
    /// The text of the last line.
    LastText,
    /// Nothing: the reply is whole.
    Complete,
}

impl ReplyFrame {
    /// A frame of which nothing was looked at.
    pub const fn new() -> Self {
        Self { line: 0, looked: 0, lines: 0, digits: [0; 3], stage: Stage::Code }
    }

    /// Looks at what was added to `input` since the last call.
    ///
    /// `input` is always all that is unread, from the first octet of the reply on; what follows
    /// the reply is not looked at. `Some(length)` says that a whole reply of so many octets is at
    /// its front, and says so again until a new frame takes the place of this one; `None` asks
    /// for more input.
    ///
    /// # Errors
    ///
    /// A [`SyntaxError`] whose offset counts from the first octet of the reply, the same again on
    /// the next call: no code, lines whose codes differ, bare CR or LF, an octet that no text
    /// has, or a limit exceeded. RFC 5321 §4.2.
    pub fn advance(
        &mut self,
        input: &[u8],
        limits: &ReplyLimits,
        policy: &Policy,
    ) -> Result<Option<usize>, SyntaxError> {
        let class = if policy.any_reply_text { &ANY_TEXT } else { &TEXTSTRING };
        while self.stage != Stage::Complete {
            let line = input.get(self.line as usize..).unwrap_or_default();
            if self.stage == Stage::Code {
                let Some(head) = line.first_chunk() else {
                    return self.partial_code(line).map(|()| None);
                };
                self.head(*head)?;
            }
            let looked = usize::from(self.looked);
            let text = line.get(looked..).unwrap_or_default();
            let run = text_run(text, class);
            let end = looked.saturating_add(run);
            let most = limits.octets.saturating_sub(self.line).min(limits.line.into());
            // The CRLF must have room, too.
            if end.saturating_add(2) > most as usize {
                let long = most == limits.line.into();
                let kind = if long { SyntaxErrorKind::LineTooLong } else { TOO_LONG };
                return Err(self.error(kind, most.saturating_sub(1) as usize));
            }
            // The limit has no more bits.
            self.looked = u16::try_from(end).unwrap_or(u16::MAX);
            let kind = match text.get(run..).unwrap_or_default() {
                [b'\r', b'\n', ..] => {
                    self.end_line(limits.lines)?;
                    continue;
                }
                [] | [b'\r'] => return Ok(None),
                [b'\r', ..] => SyntaxErrorKind::BareCr,
                [b'\n', ..] => SyntaxErrorKind::BareLf,
                _ => SyntaxErrorKind::ReplyText,
            };
            return Err(self.error(kind, end));
        }
        Ok(Some(self.line as usize))
    }

    /// The code, once a line began with it.
    pub fn code(&self) -> Option<Code> {
        Code::from_digits(self.digits)
    }

    /// Whole lines looked at so far.
    pub const fn lines(&self) -> u16 {
        self.lines
    }

    /// The code and what follows it, at the beginning of a line.
    ///
    /// `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF`
    #[inline]
    fn head(&mut self, [a, b, c, separator]: [u8; 4]) -> Result<(), SyntaxError> {
        let digits = [a, b, c];
        if self.lines == 0 || digits != self.digits {
            self.partial_code(&digits)?;
            // RFC 5321 §4.2.1: "every line ... must begin with the same reply code".
            if self.lines > 0 {
                return Err(self.error(SyntaxErrorKind::ReplyCodeChanges, 0));
            }
            self.digits = digits;
        }
        (self.stage, self.looked) = match separator {
            b' ' => (Stage::LastText, 4),
            b'-' => (Stage::Text, 4),
            // RFC 5321 §4.2: a client is to process the code alone, without a space, too.
            b'\r' => (Stage::LastText, 3),
            _ => return Err(self.error(SyntaxErrorKind::ReplyCode, 3)),
        };
        Ok(())
    }

    /// Whether the first octets of a line may become a code.
    ///
    /// `Reply-code = %x32-35 %x30-35 %x30-39`, where the second digit may be any.
    fn partial_code(&self, octets: &[u8]) -> Result<(), SyntaxError> {
        let wrong = octets.iter().enumerate().position(|(place, octet)| match place {
            0 => !matches!(octet, b'2'..=b'5'),
            _ => !octet.is_ascii_digit(),
        });
        wrong.map_or(Ok(()), |place| Err(self.error(SyntaxErrorKind::ReplyCode, place)))
    }

    /// A line ended; its CRLF was not yet counted. `most` is how many there may be.
    #[inline]
    fn end_line(&mut self, most: u16) -> Result<(), SyntaxError> {
        let lines = self.lines.saturating_add(1);
        let last = self.stage == Stage::LastText;
        if lines > most || (lines == most && !last) {
            return Err(self.error(TOO_LONG, usize::from(self.looked)));
        }
        self.lines = lines;
        self.line = self.line.saturating_add(u32::from(self.looked)).saturating_add(2);
        self.stage = if last { Stage::Complete } else { Stage::Code };
        Ok(())
    }

    /// An error at a place of the line.
    #[cold]
    fn error(&self, kind: SyntaxErrorKind, place: usize) -> SyntaxError {
        SyntaxError { kind, offset: (self.line as usize).saturating_add(place) }
    }
}

const TOO_LONG: SyntaxErrorKind = SyntaxErrorKind::ReplyTooLong;

const _: () = assert!(ReplyLimits::STRICT.line as usize == crate::limits::REPLY_LINE);
const _: () = assert!(size_of::<ReplyFrame>() <= 16);
