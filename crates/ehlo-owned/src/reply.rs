//! A reply that owns its text.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::reply::ReplyLimits;
use ehlo::{Code, Encode, Parsed, Reply, SyntaxError};

use crate::text::{READ, checked};

/// An owned [`Reply`], RFC 5321 §4.2: the bytes of a reply that was received, or those of one that was
/// built.
///
/// A built reply with more than 65,534 lines, or with a host name of more than 65,000 bytes, which no
/// client takes, keeps its code and its enhanced status code alone.
///
/// ```
/// use ehlo::{Code, Reply};
/// use ehlo_owned::ReplyBuf;
///
/// let queued: ReplyBuf = "250 2.0.0 queued as 42".parse()?;
/// assert_eq!((queued.code(), queued.text().as_ref()), (Code::OK, "queued as 42"));
/// assert_eq!(queued.to_string(), "250 2.0.0 queued as 42");
///
/// let full = ReplyBuf::from(Reply::new(Code::INSUFFICIENT_STORAGE, "No room\nTry later"));
/// assert_eq!(full.lines().collect::<Vec<_>>(), ["No room", "Try later"]);
/// assert_eq!(full.as_bytes(), b"452-No room\r\n452 Try later\r\n");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct ReplyBuf(Box<[u8]>);

impl ReplyBuf {
    /// A reply of these codes and of lines of text: what serde reads.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::ReplyText`] for a line with a CR, LF or NUL, `offset` being the number of the
    /// line; [`SyntaxErrorKind::ReplyCode`] for an enhanced status code whose class is not that of the
    /// code, RFC 2034 §4; those of a line or a reply that is too long.
    pub fn from_lines<L: AsRef<str>>(
        code: Code,
        enhanced_code: Option<EnhancedCode>,
        lines: impl IntoIterator<Item = L>,
    ) -> Result<Self, SyntaxError> {
        if enhanced_code.is_some_and(|enhanced| !enhanced.fits(code.severity())) {
            return Err(SyntaxError { kind: SyntaxErrorKind::ReplyCode, offset: 0 });
        }
        let mut bytes = Vec::new();
        let mut last = 0;
        for (offset, line) in lines.into_iter().enumerate() {
            let line = line.as_ref().as_bytes();
            if line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(SyntaxError { kind: SyntaxErrorKind::ReplyText, offset });
            }
            last = bytes.len();
            put_line(code, enhanced_code, line, &mut bytes);
        }
        if bytes.is_empty() {
            put_line(code, enhanced_code, b"", &mut bytes);
        }
        if let Some(separator) = bytes.get_mut(last + 3) {
            *separator = b' ';
        }
        whole(&bytes)?;
        Ok(Self(bytes.into()))
    }

    /// The reply.
    pub fn as_reply(&self) -> Reply<'_> {
        checked(whole(&self.0).ok())
    }

    /// The bytes on the wire, with all codes and CRLFs.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.as_reply().code()
    }

    /// The enhanced status code.
    pub fn enhanced_code(&self) -> Option<EnhancedCode> {
        self.as_reply().enhanced_code()
    }

    /// The lines of the text without the codes; bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.as_reply().lines().map(String::from_utf8_lossy)
    }

    /// The first line of the text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_reply().text())
    }
}

impl From<&Reply<'_>> for ReplyBuf {
    fn from(reply: &Reply<'_>) -> Self {
        if let Some(bytes) = reply.as_bytes() {
            return Self(bytes.into());
        }
        let mut bytes = vec![0; reply.encoded_len()];
        let is_whole = reply.encode(&mut bytes).is_ok() && whole(&bytes).is_ok();
        if !is_whole {
            bytes = Vec::new();
            put_line(reply.code(), reply.enhanced_code(), b"", &mut bytes);
            if let Some(separator) = bytes.get_mut(3) {
                *separator = b' ';
            }
        }
        Self(bytes.into())
    }
}

impl From<Reply<'_>> for ReplyBuf {
    fn from(reply: Reply<'_>) -> Self {
        Self::from(&reply)
    }
}

impl<'a> From<&'a ReplyBuf> for Reply<'a> {
    fn from(reply: &'a ReplyBuf) -> Self {
        reply.as_reply()
    }
}

/// One line without its CRLF, as [`Reply::try_from`].
impl FromStr for ReplyBuf {
    type Err = SyntaxError;

    fn from_str(line: &str) -> Result<Self, SyntaxError> {
        Reply::try_from(line).map(Self::from)
    }
}

/// One line without its CRLF, as [`Reply::try_from`].
impl TryFrom<&str> for ReplyBuf {
    type Error = SyntaxError;

    fn try_from(line: &str) -> Result<Self, SyntaxError> {
        line.parse()
    }
}

impl AsRef<[u8]> for ReplyBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for ReplyBuf {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.as_reply() == other.as_reply()
    }
}

impl Eq for ReplyBuf {}

impl PartialEq<Reply<'_>> for ReplyBuf {
    fn eq(&self, other: &Reply<'_>) -> bool {
        self.as_reply() == *other
    }
}

impl PartialOrd for ReplyBuf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By code, enhanced status code and lines.
impl Ord for ReplyBuf {
    fn cmp(&self, other: &Self) -> Ordering {
        let (reply, other) = (self.as_reply(), other.as_reply());
        let codes = (reply.code(), reply.enhanced_code());
        codes
            .cmp(&(other.code(), other.enhanced_code()))
            .then_with(|| reply.lines().cmp(other.lines()))
    }
}

impl Hash for ReplyBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let reply = self.as_reply();
        (reply.code(), reply.enhanced_code()).hash(state);
        reply.lines().for_each(|line| line.hash(state));
    }
}

/// As of [`Reply`]: on one line, fit for a log.
impl fmt::Display for ReplyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_reply().fmt(f)
    }
}

impl fmt::Debug for ReplyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_reply(), f)
    }
}

/// A line that others follow.
fn put_line(code: Code, enhanced_code: Option<EnhancedCode>, line: &[u8], bytes: &mut Vec<u8>) {
    let mut put = |part: &dyn Encode, separator| {
        let mut out = [0; 16];
        let length = part.encode(&mut out).unwrap_or_default();
        bytes.extend_from_slice(out.get(..length).unwrap_or_default());
        bytes.push(separator);
    };
    put(&code, b'-');
    if let Some(code) = &enhanced_code {
        put(code, b' ');
    }
    bytes.extend_from_slice(line);
    bytes.extend_from_slice(b"\r\n");
}

/// The reply that these bytes are.
fn whole(bytes: &[u8]) -> Result<Reply<'_>, SyntaxError> {
    match Reply::parse_within(bytes, &ANY_SIZE, &READ)? {
        Parsed::Complete { value, consumed } if consumed == bytes.len() => Ok(value),
        _ => Err(SyntaxError { kind: SyntaxErrorKind::ReplyText, offset: bytes.len() }),
    }
}

const ANY_SIZE: ReplyLimits = ReplyLimits { line: u16::MAX, lines: u16::MAX, bytes: u32::MAX };
