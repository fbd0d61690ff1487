//! The policies for CR, LF and NUL that are not line ends, in both directions.

#![allow(clippy::needless_bitwise_bool)]
// A lazy operator is a branch, and a branch prevents vector instructions.
// Several places call `step`, and each needs it inlined.
#![allow(clippy::inline_always)]

use super::search::{STRIDE, plain, strides};
use crate::syntax::code::{Code, EnhancedCode};

/// The policy for a CR without LF, an LF without CR, and NUL in mail data.
///
/// RFC 5321 §2.3.8: "Conforming implementations MUST NOT recognize or generate any other character
/// or character sequence as a line terminator" than CRLF. Servers that accepted others saw the end
/// of a message where the sender saw no end, and executed the bytes behind it. Under each of these
/// policies the end of the data is CRLF "." CRLF; they differ in the other bytes that they accept.
///
/// ```
/// use ehlo::data::{Content, DataDecoder, Newlines};
///
/// let input = b"one\ntwo\r\n.\r\n";
/// let mut decoder = DataDecoder::new(Newlines::Normalise);
/// let mut message = Vec::new();
/// let mut at = 0;
/// loop {
///     let decoded = decoder.decode(&input[at..]);
///     at += decoded.consumed;
///     match decoded.content {
///         Content::Data(data) => message.extend_from_slice(data),
///         Content::NeedInput | Content::End(_) => break,
///     }
/// }
/// assert_eq!(message, b"one\r\ntwo\r\n");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Newlines {
    /// Any of them is an error.
    #[default]
    Reject,
    /// Only a dot that another server could take for the end of the data is an error: CR, LF, NUL or the
    /// start of the data is directly before it, CR, LF or NUL directly after it, and it is not a line
    /// between CRLFs. Anything else passes unchanged.
    RejectAroundDot,
    /// A bare CR and a bare LF each become CRLF. NUL passes unchanged.
    ///
    /// A dot after a bare CR or LF does not begin a line on the wire, so the decoder keeps it; in the
    /// output of the encoder it begins one, and is doubled.
    Normalise,
    /// All of them pass unchanged.
    Keep,
}

impl Newlines {
    /// The meaning of the next byte after `before`.
    #[inline(always)]
    pub(super) fn step(self, before: Before, byte: u8) -> Step {
        use NewlineErrorKind::{BareCr, BareLf, Nul};

        match (before, byte, self) {
            (Before::Cr, b'\n', _) => Step::Pass(Before::Start),
            (Before::Start, b'.', _) => Step::Dot,
            (Before::CrDot | Before::LfDot | Before::NulDot, b'\r' | b'\n' | 0, _) => {
                Step::Error { kind: before.kind(), back: 2 }
            }
            (Before::Cr, _, Self::Reject) => Step::Error { kind: BareCr, back: 1 },
            (Before::Cr, _, Self::Normalise) => Step::CompleteCr,
            (_, b'\n', Self::Reject) => Step::Error { kind: BareLf, back: 0 },
            (_, b'\n', Self::Normalise) => Step::ReplaceLf,
            (_, 0, Self::Reject) => Step::Error { kind: Nul, back: 0 },
            (Before::Cr, b'.', Self::RejectAroundDot) => Step::Pass(Before::CrDot),
            (Before::Lf, b'.', Self::RejectAroundDot) => Step::Pass(Before::LfDot),
            (Before::Nul, b'.', Self::RejectAroundDot) => Step::Pass(Before::NulDot),
            _ => Step::Pass(Before::unpaired(byte)),
        }
    }

    /// The number of bytes at the front of `input` that pass unchanged after `before`, and the
    /// state before the byte that follows them, which needs a [step](Self::step).
    ///
    /// The wide search begins after a line without a dot: where every line has a dot, it finds
    /// nothing.
    #[inline]
    pub(super) fn pass(self, mut before: Before, input: &[u8]) -> (usize, Before) {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let plain = match (before, rest) {
                (Before::Cr, _) | (Before::Start | Before::Lf | Before::Nul, [b'.', ..]) => 0,
                _ => plain(rest, STRIDE),
            };
            if plain > 0 {
                at += plain;
                before = Before::Text;
            }
            if plain < STRIDE {
                match (before, rest.get(plain..)) {
                    (
                        Before::Text | Before::Start | Before::Lf | Before::Nul,
                        Some([b'\r', b'\n', next, ..]),
                    ) => {
                        at += 2;
                        before = Before::Start;
                        if *next == b'.' {
                            return (at, before);
                        }
                    }
                    _ => return (at, before),
                }
            }
            let last = input.get(at - 1..).unwrap_or_default();
            let strides = self.strides(last);
            if strides > 0 {
                at += strides;
                before = Before::pair(last.get(..=strides).unwrap_or_default());
            }
        }
    }

    /// The number of bytes after the first of `input`, in multiples of [`STRIDE`], that need no step.
    fn strides(self, input: &[u8]) -> usize {
        match self {
            Self::Reject => strides(input, |before, byte, after| {
                is_bare(before, byte) | (byte == 0) | is_before_dot(byte, after)
            }),
            Self::RejectAroundDot => {
                strides(input, |_, byte, after| (byte <= b'\r') & (after == b'.'))
            }
            Self::Normalise => strides(input, |before, byte, after| {
                is_bare(before, byte) | is_before_dot(byte, after)
            }),
            Self::Keep => strides(input, |_, byte, after| is_before_dot(byte, after)),
        }
    }
}

/// A CR, LF, NUL or line in mail data that the policy of a decoder or encoder refuses.
///
/// ```
/// use ehlo::data::{DataEncoder, NewlineErrorKind, Newlines};
///
/// let error = DataEncoder::new(Newlines::Reject).encode(b"a\nb", &mut [0; 16]).unwrap_err();
/// assert_eq!((error.kind, error.offset), (NewlineErrorKind::BareLf, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewlineError {
    /// The kind of the error.
    pub kind: NewlineErrorKind,
    /// The place, in bytes from the start of the input of the decoder or encoder.
    pub offset: u64,
}

impl NewlineError {
    /// The code that a server answers after the end of the data.
    pub const fn code(self) -> Code {
        self.kind.reply().0
    }

    /// The enhanced status code that a server answers after the end of the data.
    pub const fn enhanced_code(self) -> EnhancedCode {
        self.kind.reply().1
    }
}

impl core::fmt::Display for NewlineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} at byte {} of the data", self.kind.text(), self.offset)
    }
}

impl core::error::Error for NewlineError {}

/// The kind of a [`NewlineError`].
///
/// ```
/// assert_eq!(ehlo::data::NewlineErrorKind::BareLf.text(), "bare LF");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NewlineErrorKind {
    /// CR without LF. RFC 5321 §2.3.8.
    BareCr,
    /// LF without CR. RFC 5321 §2.3.8.
    BareLf,
    /// NUL. RFC 5322 §2.2 and §3.5 allow it in no message.
    Nul,
    /// A line over the limit of [`with_line_limit`](crate::data::DataDecoder::with_line_limit).
    /// RFC 5321 §4.5.3.1.6.
    LineTooLong,
}

impl NewlineErrorKind {
    /// The code and the enhanced status code that a server answers after the end of the data.
    pub const fn reply(self) -> (Code, EnhancedCode) {
        let code = match self {
            // RFC 5321 §4.5.3.1.9: "500 Line too long."
            Self::LineTooLong => Code::SYNTAX_ERROR,
            _ => Code::MAILBOX_UNAVAILABLE,
        };
        (code, EnhancedCode::known(5, 5, 2))
    }

    /// A description, fit for the text of a reply.
    pub const fn text(self) -> &'static str {
        match self {
            Self::BareCr => "bare CR",
            Self::BareLf => "bare LF",
            Self::Nul => "NUL",
            Self::LineTooLong => "line too long",
        }
    }
}

/// The description: [`text`](Self::text).
impl core::fmt::Display for NewlineErrorKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.text())
    }
}

/// The byte or bytes directly before the next byte of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    // This order makes the sets that the code tests for into ranges.
    /// A byte that does not affect the byte behind it.
    Text,
    /// The start of the data, or CRLF.
    Start,
    /// A bare LF.
    Lf,
    /// A NUL.
    Nul,
    /// A CR: the next byte says whether it is bare.
    Cr,
    /// A dot behind a bare CR: under [`Newlines::RejectAroundDot`] the next byte says whether that
    /// is an error.
    CrDot,
    /// A dot behind a bare LF, likewise.
    LfDot,
    /// A dot behind a NUL, likewise.
    NulDot,
}

impl Before {
    /// The state before the next byte when `byte` is the last one and completes no CRLF.
    pub(super) const fn unpaired(byte: u8) -> Self {
        match byte {
            b'\r' => Self::Cr,
            b'\n' => Self::Lf,
            0 => Self::Nul,
            _ => Self::Text,
        }
    }

    /// The error that this state is, if it is one.
    pub(super) const fn kind(self) -> NewlineErrorKind {
        match self {
            Self::Cr | Self::CrDot => NewlineErrorKind::BareCr,
            Self::Nul | Self::NulDot => NewlineErrorKind::Nul,
            Self::Start | Self::Text | Self::Lf | Self::LfDot => NewlineErrorKind::BareLf,
        }
    }

    /// The state before the next byte when `bytes`, two or more, hold no byte that needs a policy,
    /// except perhaps the last of them.
    #[inline]
    pub(super) fn pair(bytes: &[u8]) -> Self {
        match bytes {
            [.., b'\r', b'\n'] => Self::Start,
            [.., byte] => Self::unpaired(*byte),
            [] => Self::Text,
        }
    }
}

/// The meaning of a byte of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A byte to pass on, and the state before the next one.
    Pass(Before),
    /// A dot at the start of a line.
    Dot,
    /// A byte after a bare CR: LF goes between them, and then the byte has its step.
    CompleteCr,
    /// A bare LF: CRLF takes its place.
    ReplaceLf,
    /// A byte which shows that the one `back` bytes before it is an error.
    Error {
        /// The kind of the error.
        kind: NewlineErrorKind,
        /// The distance to the byte in error, backwards.
        back: u64,
    },
}

/// Returns `true` if `before` is a bare CR or `byte` a bare LF.
const fn is_bare(before: u8, byte: u8) -> bool {
    (before == b'\r') ^ (byte == b'\n')
}

/// Returns `true` if `byte` is an LF and `after` a dot.
const fn is_before_dot(byte: u8, after: u8) -> bool {
    (byte == b'\n') & (after == b'.')
}
