//! The parts of every EHLO line: a keyword, and words.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::iter::FusedIterator;

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::text::{PRINTABLE, text_run};

/// Returns `true` if a byte may be part of a word: `ehlo-param = 1*(%d33-126)`. A tab or a no-break
/// space, which some servers write between words, may not.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~')
}

/// The keyword of an EHLO line. RFC 5321 §4.1.1.1:
/// `ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`.
///
/// Two keywords are equal when they differ in case only.
///
/// ```
/// use ehlo::syntax::capability::EhloKeyword;
///
/// assert_eq!(EhloKeyword::new("X-EXPS")?, EhloKeyword::new("x-exps")?);
/// assert!(EhloKeyword::new("X_PIPE").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct EhloKeyword<'a>(&'a [u8]);

impl<'a> EhloKeyword<'a> {
    /// A keyword.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Parameter`] at the first byte that a keyword cannot have.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let wrong =
            |(at, byte): (usize, u8)| !byte.is_ascii_alphanumeric() && (byte != b'-' || at == 0);
        match text.bytes().enumerate().position(wrong) {
            None if !text.is_empty() => Ok(Self(text.as_bytes())),
            place => Err(SyntaxError {
                kind: SyntaxErrorKind::Parameter,
                offset: place.unwrap_or_default(),
            }),
        }
    }

    /// As [`new`](Self::new), for arbitrary bytes.
    pub(super) fn checked(bytes: &'a [u8]) -> Option<Self> {
        core::str::from_utf8(bytes).ok().and_then(|text| Self::new(text).ok())
    }

    /// The keyword as it was written.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl<'a> TryFrom<&'a str> for EhloKeyword<'a> {
    type Error = SyntaxError;

    fn try_from(text: &'a str) -> Result<Self, SyntaxError> {
        Self::new(text)
    }
}

impl AsRef<str> for EhloKeyword<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EhloKeyword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Hash for EhloKeyword<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_in_any_case(self.0, state);
    }
}

impl PartialEq for EhloKeyword<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for EhloKeyword<'_> {}

impl fmt::Debug for EhloKeyword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parameters of an EHLO line: words with spaces between them. RFC 5321 §4.1.1.1:
/// `ehlo-line = ehlo-keyword *( SP ehlo-param )`, `ehlo-param = 1*(%d33-126)`.
///
/// In a received line several spaces, tabs and other bytes that a word cannot have count as one space.
/// Two values are equal when their words are.
///
/// ```
/// use ehlo::syntax::capability::EhloParams;
///
/// let words = EhloParams::new("imap  imap://mail.example")?;
/// assert!(words.iter().eq(["imap", "imap://mail.example"]));
/// assert!(EhloParams::new("im\r\nap").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct EhloParams<'a>(&'a [u8]);

impl<'a> EhloParams<'a> {
    /// No parameters.
    pub const NONE: Self = Self(&[]);

    /// The words of `text`.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Parameter`] at the first byte that is not printable ASCII.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let offset = text_run(text.as_bytes(), &PRINTABLE);
        if offset == text.len() {
            Ok(Self(text.as_bytes()))
        } else {
            Err(SyntaxError { kind: SyntaxErrorKind::Parameter, offset })
        }
    }

    /// The words of a received line.
    pub(super) const fn received(line: &'a [u8]) -> Self {
        Self(line)
    }

    /// The words in turn.
    pub const fn iter(&self) -> EhloWords<'a> {
        EhloWords(self.0)
    }

    /// The words in turn, as bytes.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.split(|byte| !is_word(byte))
    }

    /// The parts of the text between bytes that end a word.
    #[inline]
    pub(super) fn split<F: Fn(u8) -> bool + Clone>(
        &self,
        is_end: F,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, F> {
        self.0.split(move |&byte| is_end(byte)).filter(|word| !word.is_empty())
    }

    /// The first word; empty if there are no words.
    #[inline]
    pub(super) fn first(&self) -> &'a [u8] {
        let mut rest = self.0;
        while let [byte, after @ ..] = rest {
            if is_word(*byte) {
                break;
            }
            rest = after;
        }
        let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Returns `true` if there are no words.
    pub fn is_empty(&self) -> bool {
        self.first().is_empty()
    }
}

/// The words of [`EhloParams`] in turn.
///
/// ```
/// use ehlo::syntax::capability::EhloParams;
///
/// let mut count = 0;
/// for word in EhloParams::new("NAME ADDR")? {
///     count += word.len();
/// }
/// assert_eq!(count, 8);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EhloWords<'a>(&'a [u8]);

impl<'a> Iterator for EhloWords<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let start = self.0.iter().position(|&byte| is_word(byte))?;
        let word = self.0.get(start..)?;
        let end = word.iter().position(|&byte| !is_word(byte)).unwrap_or(word.len());
        let (word, rest) = word.split_at_checked(end)?;
        self.0 = rest;
        Some(core::str::from_utf8(word).unwrap_or_default())
    }
}

impl FusedIterator for EhloWords<'_> {}

impl<'a> IntoIterator for EhloParams<'a> {
    type Item = &'a str;
    type IntoIter = EhloWords<'a>;

    fn into_iter(self) -> EhloWords<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &EhloParams<'a> {
    type Item = &'a str;
    type IntoIter = EhloWords<'a>;

    fn into_iter(self) -> EhloWords<'a> {
        self.iter()
    }
}

impl<'a> TryFrom<&'a str> for EhloParams<'a> {
    type Error = SyntaxError;

    fn try_from(text: &'a str) -> Result<Self, SyntaxError> {
        Self::new(text)
    }
}

/// The words with a space between them.
impl fmt::Display for EhloParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        put_words(self.iter(), f)
    }
}

impl Hash for EhloParams<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().for_each(|word| word.hash(state));
    }
}

impl PartialEq for EhloParams<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.words().eq(other.words())
    }
}

impl Eq for EhloParams<'_> {}

impl fmt::Debug for EhloParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A space before each word.
impl Encode for EhloParams<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        for word in self.words() {
            writer.put_byte(b' ');
            writer.put(word);
        }
    }
}

/// Writes words with a space between them.
pub(super) fn put_words(
    words: impl Iterator<Item = impl AsRef<str>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut separator = "";
    for word in words {
        f.write_str(core::mem::replace(&mut separator, " "))?;
        f.write_str(word.as_ref())?;
    }
    Ok(())
}

/// Hashes a name, with the same result in any case.
pub(super) fn hash_in_any_case<H: Hasher>(name: &[u8], state: &mut H) {
    for byte in name {
        state.write_u8(byte.to_ascii_lowercase());
    }
    state.write_u8(0xFF);
}

/// `1*DIGIT`, if it is below 2^64.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    // Nineteen digits always fit.
    let (most, rest) = digits.split_at_checked(19).unwrap_or((digits, &[]));
    let mut number = 0_u64;
    for &byte in most {
        number = number * 10 + digit(byte)?;
    }
    rest.iter().try_fold(number, |number, &byte| number.checked_mul(10)?.checked_add(digit(byte)?))
}

fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(u64::from(digit))
}
