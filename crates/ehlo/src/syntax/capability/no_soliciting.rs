//! The parameter of NO-SOLICITING, RFC 3865.

use super::EhloParams;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};

/// Solicitation class keywords, RFC 3865 §2: the classes of mail that a server does not accept, for
/// example `net.example:ADV`.
///
/// ```
/// use ehlo::syntax::capability::SolicitationKeywords;
///
/// let keywords = SolicitationKeywords::new("net.example:ADV,org.example:ADV:ADLT").unwrap();
/// assert_eq!(keywords.iter().count(), 2);
/// assert!(SolicitationKeywords::new("1st").is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SolicitationKeywords<'a>(&'a str);

impl<'a> SolicitationKeywords<'a> {
    /// No keywords: the server supports the extension and refuses no class.
    pub const NONE: Self = Self("");

    /// `Solicitation-keywords = word 0*("," word)`, at most 1000 bytes,
    /// `word = ALPHA 0*(wordchar)`, `wordchar = ("." / "-" / "_" / ":" / ALPHA / DIGIT)`.
    pub fn new(keywords: &'a str) -> Option<Self> {
        let named =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        let is_word = |word: &[u8]| {
            word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().all(named)
        };
        let mut words = keywords.as_bytes().split(|&byte| byte == b',');
        (keywords.len() <= 1000 && words.all(is_word)).then_some(Self(keywords))
    }

    /// The first word as keywords; no keywords if the word does not follow the grammar.
    pub(super) fn parse(parameters: EhloParams<'a>) -> Self {
        parameters.iter().next().and_then(Self::new).unwrap_or(Self::NONE)
    }

    /// The keywords in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(',').filter(|word| !word.is_empty())
    }
}

impl<'a> TryFrom<&'a str> for SolicitationKeywords<'a> {
    type Error = SyntaxError;

    fn try_from(keywords: &'a str) -> Result<Self, SyntaxError> {
        Self::new(keywords).ok_or(SyntaxError { kind: SyntaxErrorKind::ParameterValue, offset: 0 })
    }
}

impl AsRef<str> for SolicitationKeywords<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl core::fmt::Display for SolicitationKeywords<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.0)
    }
}

/// A space before the keywords, if there are any.
impl Encode for SolicitationKeywords<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if !self.0.is_empty() {
            writer.put_byte(b' ');
            writer.put(self.0.as_bytes());
        }
    }
}
