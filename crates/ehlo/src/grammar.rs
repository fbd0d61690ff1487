//! Byte classes and the ABNF atoms that the other files share.
//!
//! The leaves are functions of our own, `fn(&[u8]) -> IResult<T>`; nom combines them.

use crate::{SyntaxError, SyntaxErrorKind};

/// The result of a rule: what is left, and the value.
pub(crate) type IResult<'i, T> = nom::IResult<&'i [u8], T, Fault<'i>>;

/// Where a rule failed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'i> {
    /// What was left of the line there.
    pub(crate) rest: &'i [u8],
    /// What is wrong.
    pub(crate) kind: SyntaxErrorKind,
}

impl<'i> Fault<'i> {
    /// The same as a recoverable error of nom: another alternative may be tried.
    pub(crate) fn error<T>(rest: &'i [u8], kind: SyntaxErrorKind) -> IResult<'i, T> {
        Err(nom::Err::Error(Self { rest, kind }))
    }

    /// The fault as an error with an offset from the start of `line`.
    pub(crate) fn locate(self, line: &[u8]) -> SyntaxError {
        SyntaxError { kind: self.kind, offset: line.len().saturating_sub(self.rest.len()) }
    }
}

impl<'i> nom::error::ParseError<&'i [u8]> for Fault<'i> {
    fn from_error_kind(rest: &'i [u8], _: nom::error::ErrorKind) -> Self {
        Self { rest, kind: SyntaxErrorKind::Argument }
    }

    fn append(_: &'i [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}
