//! A reply. RFC 5321 §4.2.

use crate::syntax::code::{Code, EnhancedCode, Severity};
use crate::syntax::encode::{BufferTooSmall, Encode, Writer};
use crate::syntax::error::{Parsed, SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::text::{TEXTSTRING, clean, put_text, text_run};
use crate::syntax::limits;
use crate::syntax::policy::Policy;
use core::fmt::{self, Write as _};

use super::{Lines, ReplyFrame, ReplyLimits};

/// A reply: a code, perhaps an enhanced status code, and lines of text. RFC 5321 §4.2.
///
/// A reply is either parsed, and then a view of the peer's bytes, or built from a code and a text.
/// Two replies are equal when they have the same form on the wire.
///
/// The text of a built reply cannot do harm: LF, CRLF or CR begin a new line of the reply, a line that
/// would exceed 512 bytes continues on the next, and every other byte that a text may not have is
/// written as a question mark.
///
/// ```
/// use ehlo::{Code, Encode, Parsed, Policy, Reply};
/// use ehlo::syntax::code::EnhancedCode;
///
/// let full = EnhancedCode::new(4, 2, 2).unwrap();
/// let reply = Reply::enhanced(Code::INSUFFICIENT_STORAGE, full, "No room\nTry later");
/// let mut out = [0; 64];
/// let written = reply.encode(&mut out)?;
/// assert_eq!(&out[..written], b"452-4.2.2 No room\r\n452 4.2.2 Try later\r\n");
///
/// let parsed = Reply::parse(&out[..written], &Policy::STRICT)?;
/// assert_eq!(parsed, Parsed::Complete { value: reply, consumed: written });
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    code: Code,
    /// A code that was given separately from the text.
    enhanced: Option<EnhancedCode>,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    /// A whole reply as it was received, which [`ReplyFrame`] found to be one.
    Wire(&'a [u8]),
    /// The text of the application.
    Given { domain: Option<&'a str>, text: &'a str },
}

impl<'a> Reply<'a> {
    /// A reply with this code and text.
    ///
    /// If the text begins with an enhanced status code, the reply has that code.
    pub const fn new(code: Code, text: &'a str) -> Self {
        Self { code, enhanced: None, source: Source::Given { domain: None, text } }
    }

    /// A reply with these codes and this text; see
    /// [`with_enhanced_code`](Self::with_enhanced_code).
    pub const fn enhanced(code: Code, enhanced: EnhancedCode, text: &'a str) -> Self {
        Self::new(code, text).with_enhanced_code(enhanced)
    }

    /// Sets an enhanced status code, which is written in front of every line. A code whose class is not
    /// that of the reply is ignored.
    #[must_use]
    pub const fn with_enhanced_code(self, enhanced: EnhancedCode) -> Self {
        // RFC 2034 §4: the class of the status code must be the first digit of the reply code.
        if enhanced.fits(self.code.severity()) {
            Self { enhanced: Some(enhanced), ..self }
        } else {
            self
        }
    }

    /// Sets the name of the host as the first word, as 220, 221, 421 and the 250 to EHLO need it (RFC
    /// 5321 §4.2). It has no effect on a parsed reply.
    #[must_use]
    pub const fn with_domain(self, domain: &'a str) -> Self {
        match self.source {
            Source::Given { text, .. } => {
                Self { source: Source::Given { domain: Some(domain), text }, ..self }
            }
            Source::Wire(_) => self,
        }
    }

    /// The reply at the front of `input`, with the limits of [`ReplyLimits::DEFAULT`].
    ///
    /// [`ReplyFrame`] does the same for input that arrives in pieces.
    ///
    /// # Errors
    ///
    /// Those of [`ReplyFrame::advance`].
    #[inline]
    pub fn parse(input: &'a [u8], policy: &Policy) -> Result<Parsed<Self>, SyntaxError> {
        Self::parse_within(input, &ReplyLimits::DEFAULT, policy)
    }

    /// The same with other limits.
    ///
    /// # Errors
    ///
    /// Those of [`ReplyFrame::advance`].
    #[inline]
    pub fn parse_within(
        input: &'a [u8],
        limits: &ReplyLimits,
        policy: &Policy,
    ) -> Result<Parsed<Self>, SyntaxError> {
        let mut frame = ReplyFrame::new();
        let length = frame.advance(input, limits, policy)?;
        Ok(match length.and_then(|length| input.get(..length)) {
            Some(bytes) => Parsed::Complete { value: Self::framed(bytes), consumed: bytes.len() },
            None => Parsed::Incomplete,
        })
    }

    /// The reply in these bytes, which a [`ReplyFrame`] must have found to be one.
    #[inline]
    pub(crate) fn framed(bytes: &'a [u8]) -> Self {
        let code = bytes.first_chunk().and_then(|digits| Code::from_digits(*digits));
        // Every frame begins with a code.
        let code = code.unwrap_or(Code::SYNTAX_ERROR);
        Self { code, enhanced: None, source: Source::Wire(bytes) }
    }

    /// The code.
    #[inline]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The meaning of the first digit of the code.
    #[inline]
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The enhanced status code: the one that was set, or the one in front of the first line. `None`
    /// if its class is not that of the reply. RFC 2034 §4.
    #[inline]
    pub fn enhanced_code(&self) -> Option<EnhancedCode> {
        if self.enhanced.is_some() {
            return self.enhanced;
        }
        let text = match self.source {
            Source::Wire(bytes) => bytes.get(4..)?,
            Source::Given { domain: None, text } => text.as_bytes(),
            Source::Given { domain: Some(_), .. } => return None,
        };
        let (code, _) = EnhancedCode::leading(text)?;
        Some(code).filter(|code| code.fits(self.severity()))
    }

    /// The name of the host: the one of [`with_domain`](Self::with_domain), or else the first word of
    /// the text. Only 220, 221, 421 and the 250 to EHLO have one there, RFC 5321 §4.2.
    pub fn domain(&self) -> Option<&'a str> {
        if let Source::Given { domain: Some(domain), .. } = self.source {
            return Some(domain);
        }
        let word = self.text().split(|&byte| byte == b' ').next()?;
        core::str::from_utf8(word).ok().filter(|word| !word.is_empty())
    }

    /// The lines of the text, each without the code, the enhanced status code and the CRLF.
    ///
    /// A line of a parsed reply is as the peer wrote it. A line of a built reply lacks the word of
    /// [`with_domain`](Self::with_domain), and may hold bytes that are written as question marks.
    #[inline]
    pub fn lines(&self) -> Lines<'a> {
        match self.source {
            Source::Wire(bytes) => Lines::wire(bytes, self.enhanced_code()),
            Source::Given { domain, text } => {
                let code = self.enhanced_code();
                let prefix = code.map_or(0, |code| code.encoded_len().saturating_add(1));
                let host = domain.map_or(0, |domain| domain.len().saturating_add(1));
                let strip = if self.enhanced.is_some() { None } else { code };
                Lines::given(text.as_bytes(), strip, prefix, host)
            }
        }
    }

    /// The first line of the text.
    pub fn text(&self) -> &'a [u8] {
        self.lines().next().unwrap_or_default()
    }

    /// The first line of the text, if it is UTF-8.
    pub fn text_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.text()).ok()
    }

    /// The bytes of a parsed reply, with all codes and CRLFs; `None` for a built reply.
    pub const fn as_bytes(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Wire(bytes) => Some(bytes),
            Source::Given { .. } => None,
        }
    }

    /// Writes the reply to the front of `out`, as [`Encode::encode`] does, and leaves its enhanced
    /// status code out unless `enhanced` is true.
    ///
    /// RFC 2034 §4: the greeting and the replies to EHLO and HELO never have one.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when the reply does not fit; the content of `out` is then unspecified.
    pub fn encode_with(&self, out: &mut [u8], enhanced: bool) -> Result<usize, BufferTooSmall> {
        let mut writer = Writer::new(out);
        self.write(&mut writer, enhanced, false);
        writer.finish()
    }

    /// Appends the reply to `writer`; `more` marks its last line as one that others follow.
    pub(crate) fn write(&self, writer: &mut Writer<'_>, enhanced: bool, more: bool) {
        if let Some(text) = self.plain_text() {
            put_code(self.code, more, writer);
            if let Some(code) = self.enhanced.filter(|_| enhanced) {
                code.write_to(writer);
                writer.put_byte(b' ');
            }
            writer.put(text);
            return writer.put(b"\r\n");
        }
        let code = if enhanced { self.enhanced_code() } else { None };
        let mut host = self.host();
        let mut lines = self.lines().peekable();
        while let Some(line) = lines.next() {
            put_code(self.code, more || lines.peek().is_some(), writer);
            if let Some(code) = code {
                code.write_to(writer);
                writer.put_byte(b' ');
            }
            if let Some(host) = host.take() {
                host.bytes().for_each(|byte| writer.put_byte(clean_word(byte)));
                if !line.is_empty() {
                    writer.put_byte(b' ');
                }
            }
            put_text(line, writer);
            writer.put(b"\r\n");
        }
    }

    /// The text of a built reply that is one line and is sent unchanged: the common case of
    /// servers.
    fn plain_text(&self) -> Option<&'a [u8]> {
        let Source::Given { domain: None, text } = self.source else { return None };
        let text = text.as_bytes();
        // Only a text that begins with a digit may begin with an enhanced status code.
        let is_whole = self.enhanced.is_some() || !matches!(text, [b'0'..=b'9', ..]);
        let is_plain =
            is_whole && text.len() <= PLAIN_TEXT && text_run(text, &TEXTSTRING) == text.len();
        is_plain.then_some(text)
    }

    /// The word before the text of the first line.
    const fn host(&self) -> Option<&'a str> {
        match self.source {
            Source::Given { domain, .. } => domain,
            Source::Wire(_) => None,
        }
    }

    /// The bytes of the first line, or of another one, as they will be sent.
    fn written(&self, host: Option<&'a str>, line: &'a [u8]) -> impl Iterator<Item = u8> {
        let built = matches!(self.source, Source::Given { .. });
        let space = if host.is_some() && !line.is_empty() { " " } else { "" };
        let word = host.unwrap_or_default().bytes().map(clean_word).chain(space.bytes());
        word.chain(line.iter().map(move |&byte| if built { clean(byte) } else { byte }))
    }
}

/// A reply of one line, as a person writes it: a code, and perhaps a space and a text, without a CRLF.
///
/// ```
/// use ehlo::{Code, Encode, Reply};
///
/// let reply = Reply::try_from("523 5.7.10 Encryption Needed")?;
/// assert_eq!(reply.code(), Code::ENCRYPTION_NEEDED);
/// assert_eq!(reply.enhanced_code().map(|code| code.detail()), Some(10));
/// assert_eq!(reply.text_str(), Some("Encryption Needed"));
/// let error = Reply::try_from("250 ok\r\n").unwrap_err();
/// assert_eq!(error.offset, 6);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
impl<'a> TryFrom<&'a str> for Reply<'a> {
    type Error = SyntaxError;

    /// # Errors
    ///
    /// [`SyntaxErrorKind::ReplyCode`], or [`SyntaxErrorKind::ReplyText`] at the first byte that no
    /// text may have: the text is sent exactly as given.
    fn try_from(line: &'a str) -> Result<Self, SyntaxError> {
        let fault = |kind, offset| Err(SyntaxError { kind, offset });
        let Some((code, rest)) = line.split_at_checked(3) else {
            return fault(SyntaxErrorKind::ReplyCode, line.len().min(3));
        };
        let Ok(code) = code.parse() else {
            let is_digit = |(place, byte): (usize, u8)| match place {
                0 => matches!(byte, b'2'..=b'5'),
                _ => byte.is_ascii_digit(),
            };
            let place = code.bytes().enumerate().position(|place| !is_digit(place));
            return fault(SyntaxErrorKind::ReplyCode, place.unwrap_or_default());
        };
        let text = match rest.strip_prefix(' ') {
            Some(text) => text,
            None if rest.is_empty() => rest,
            None => return fault(SyntaxErrorKind::ReplyCode, 3),
        };
        match text_run(text.as_bytes(), &TEXTSTRING) {
            run if run == text.len() => Ok(Self::new(code, text)),
            run => fault(SyntaxErrorKind::ReplyText, run.saturating_add(4)),
        }
    }
}

impl Encode for Reply<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.write(writer, true, false);
    }
}

impl PartialEq for Reply<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.code != other.code || self.enhanced_code() != other.enhanced_code() {
            return false;
        }
        let (mut host, mut other_host) = (self.host(), other.host());
        let (mut lines, mut other_lines) = (self.lines(), other.lines());
        loop {
            match (lines.next(), other_lines.next()) {
                (Some(line), Some(other_line)) => {
                    let written = self.written(host.take(), line);
                    if !written.eq(other.written(other_host.take(), other_line)) {
                        return false;
                    }
                }
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl Eq for Reply<'_> {}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

/// The codes and the lines on one line, with ` / ` between the lines. Text in UTF-8 is shown
/// unchanged. Backslashes, control characters, characters that are invisible or reverse the
/// direction of text, and bytes that are not UTF-8 are escaped, so that a terminal or a log can
/// show the reply safely.
impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(code) = self.enhanced_code() {
            write!(f, " {code}")?;
        }
        let mut host = self.host();
        let mut separator = " ";
        for line in self.lines() {
            f.write_str(core::mem::replace(&mut separator, " / "))?;
            if let Source::Wire(_) = self.source {
                show(line, f)?;
                continue;
            }
            // It is ASCII, as it will be written.
            for byte in self.written(host.take(), line) {
                show(&[byte], f)?;
            }
        }
        Ok(())
    }
}

/// Prints the text of a peer.
fn show(text: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '\0'..' ' | '\x7f' => write!(f, "\\x{:02x}", u32::from(character))?,
                _ if is_hidden(character) => write!(f, "\\u{{{:x}}}", u32::from(character))?,
                _ => f.write_char(character)?,
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Returns `true` if a character above ASCII is invisible, ends a line, or changes the direction of
/// those around it; the joiners U+200C and U+200D are parts of words and of emoji.
const fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The code at the front of a line, and whether another line follows.
pub(crate) fn put_code(code: Code, more: bool, writer: &mut Writer<'_>) {
    let [a, b, c] = code.digits();
    writer.put(&[a, b, c, if more { b'-' } else { b' ' }]);
}

/// A byte of a word as it is written.
const fn clean_word(byte: u8) -> u8 {
    match byte {
        b' ' | b'\t' => b'?',
        _ => clean(byte),
    }
}
/// The most bytes of text that fit a line with any codes: `250-5.999.999 ` and the CRLF are 16.
const PLAIN_TEXT: usize = limits::REPLY_LINE - 16;
