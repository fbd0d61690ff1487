//! Errors in a line: the kind, the place, and the reply that fits.

use crate::syntax::code::{Code, EnhancedCode};

/// The result of parsing the front of an input. Too little input is a value, never an error.
///
/// ```
/// use ehlo::{Command, Parsed, Policy};
///
/// let parsed = Command::parse(b"QUIT\r\nmore", &Policy::STRICT)?;
/// assert_eq!(parsed, Parsed::Complete { value: Command::Quit, consumed: 6 });
/// assert_eq!(Command::parse(b"QUI", &Policy::STRICT)?, Parsed::Incomplete);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// A whole value.
    Complete {
        /// The value.
        value: T,
        /// The number of bytes of the input that the value took.
        consumed: usize,
    },
    /// The input ends before the value does.
    Incomplete,
}

/// A byte of the input that the grammar does not allow.
///
/// ```
/// use ehlo::{Code, Command, Policy};
/// use ehlo::syntax::SyntaxErrorKind;
///
/// let error = Command::parse(b"RCPT TO:<a@b_c>\r\n", &Policy::STRICT).unwrap_err();
/// assert_eq!((error.kind, error.offset), (SyntaxErrorKind::Domain, 12));
/// assert_eq!(error.code(), Code::ARGUMENT_SYNTAX_ERROR);
/// assert_eq!(error.to_string(), "syntax error in domain at byte 12");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SyntaxError {
    /// The kind of the error.
    pub kind: SyntaxErrorKind,
    /// The offset of the byte in the line.
    pub offset: usize,
}

impl SyntaxError {
    /// The code that a server answers.
    pub const fn code(self) -> Code {
        self.kind.reply().0
    }

    /// The enhanced status code that a server answers.
    pub const fn enhanced_code(self) -> EnhancedCode {
        self.kind.reply().1
    }
}

impl SyntaxError {
    /// The error with the bytes at its place in `line`, for a person to read. `line` must be the
    /// line that was parsed.
    ///
    /// Lines of an authentication exchange are not shown.
    ///
    /// ```
    /// use ehlo::{Command, Policy};
    ///
    /// let line = b"RCPT TO:<a@b_c>";
    /// let error = Command::parse_line(line, &Policy::STRICT).unwrap_err();
    /// assert_eq!(
    ///     error.in_line(line).to_string(),
    ///     "syntax error in domain at byte 12, before \"_c>\""
    /// );
    /// ```
    pub const fn in_line(self, line: &[u8]) -> SyntaxErrorInLine<'_> {
        SyntaxErrorInLine { error: self, line }
    }
}

/// A [`SyntaxError`] with the line that it was found in: see [`SyntaxError::in_line`].
///
/// ```
/// use ehlo::Reply;
///
/// let error = Reply::try_from("2x0 ok").unwrap_err();
/// assert_eq!(error.in_line(b"2x0 ok").to_string(), "no reply code at byte 1, before \"x0 ok\"");
/// let error = Reply::try_from("25").unwrap_err();
/// assert_eq!(error.in_line(b"25").to_string(), "no reply code at byte 2, at the end of the line");
/// ```
#[derive(Clone, Copy)]
pub struct SyntaxErrorInLine<'l> {
    error: SyntaxError,
    line: &'l [u8],
}

impl core::fmt::Display for SyntaxErrorInLine<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.error, f)?;
        let is_secret =
            matches!(
                self.error.kind,
                SyntaxErrorKind::Base64
                    | SyntaxErrorKind::SaslMessage
                    | SyntaxErrorKind::AuthLineTooLong
                    | SyntaxErrorKind::Mechanism
            ) || self.line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH"));
        if is_secret {
            return Ok(());
        }
        let Some(rest) = self.line.get(self.error.offset..).filter(|rest| !rest.is_empty()) else {
            return f.write_str(", at the end of the line");
        };
        let (shown, more) = match rest.split_at_checked(SHOWN) {
            Some((shown, [_, ..])) => (shown, "…"),
            _ => (rest, ""),
        };
        write!(f, ", before \"{}{more}\"", shown.escape_ascii())
    }
}

impl core::fmt::Debug for SyntaxErrorInLine<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// Bytes of a line that are shown.
const SHOWN: usize = 24;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident $code:ident $class:literal.$subject:literal.$detail:literal $text:literal;)*) => {
        /// The kind of a [`SyntaxError`].
        ///
        /// ```
        /// use ehlo::Code;
        /// use ehlo::syntax::SyntaxErrorKind;
        ///
        /// let (code, enhanced_code) = SyntaxErrorKind::UnknownVerb.reply();
        /// assert_eq!((code, enhanced_code.to_string()), (Code::SYNTAX_ERROR, "5.5.2".to_owned()));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SyntaxErrorKind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl SyntaxErrorKind {
            /// The code and the enhanced status code that a server answers.
            pub const fn reply(self) -> (Code, EnhancedCode) {
                match self {
                    $(Self::$name => (Code::$code, EnhancedCode::known($class, $subject, $detail)),)*
                }
            }

            /// A description, fit for the text of a reply.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// A verb that no RFC defines, or no verb at all. RFC 5321 §4.2.4.
    UnknownVerb SYNTAX_ERROR 5 . 5 . 2 "command unrecognised";
    /// A verb that this crate knows and never performs: SEND, SOML, SAML and others of RFC 821.
    ObsoleteVerb COMMAND_NOT_IMPLEMENTED 5 . 5 . 1 "command not implemented";
    /// A line longer than its limit. RFC 5321 §4.5.3.1.4.
    LineTooLong SYNTAX_ERROR 5 . 5 . 2 "line too long";
    /// CR without LF. RFC 5321 §2.3.8.
    BareCr SYNTAX_ERROR 5 . 5 . 2 "bare CR in line";
    /// LF without CR. RFC 5321 §2.3.8.
    BareLf SYNTAX_ERROR 5 . 5 . 2 "bare LF in line";
    /// A control byte, NUL among them. RFC 5321 §4.1.2.
    Control ARGUMENT_SYNTAX_ERROR 5 . 5 . 2 "control character in line";
    /// A byte above 127 without SMTPUTF8, or invalid UTF-8 with it. RFC 5321 §2.4.
    NonAscii SYNTAX_ERROR 5 . 5 . 2 "invalid character";
    /// A mailbox that needs SMTPUTF8 where it is not in force. RFC 6531 §3.5.
    NeedsSmtpUtf8 MAILBOX_NAME_NOT_ALLOWED 5 . 6 . 7 "address needs SMTPUTF8";
    /// An argument is missing.
    MissingArgument ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "argument missing";
    /// An argument where no argument is allowed. RFC 5321 §4.1.1.
    UnexpectedArgument ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "no argument allowed";
    /// An argument of the wrong form.
    Argument ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "syntax error in argument";
    /// A path outside the grammar. RFC 5321 §4.1.2.
    Path ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "syntax error in path";
    /// A path over 256 bytes. RFC 5321 §4.5.3.1.3.
    PathTooLong ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "path too long";
    /// A local part outside the grammar. RFC 5321 §4.1.2.
    LocalPart ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "syntax error in local part";
    /// A local part over 64 bytes. RFC 5321 §4.5.3.1.1.
    LocalPartTooLong ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "local part too long";
    /// A domain outside the grammar. RFC 5321 §4.1.2.
    Domain ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "syntax error in domain";
    /// A domain over 255 bytes, or a label over 63. RFC 5321 §4.5.3.1.2.
    DomainTooLong ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "domain too long";
    /// An address literal outside the grammar. RFC 5321 §4.1.3.
    AddressLiteral ARGUMENT_SYNTAX_ERROR 5 . 1 . 3 "syntax error in address literal";
    /// A parameter outside the grammar. RFC 5321 §4.1.2.
    Parameter ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "syntax error in parameter";
    /// A value that the parameter's RFC does not allow.
    ParameterValue ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "bad parameter value";
    /// A parameter given twice.
    DuplicateParameter ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "duplicate parameter";
    /// A parameter of RCPT on MAIL, or the reverse. RFC 5321 §4.1.1.11.
    MisplacedParameter PARAMETERS_NOT_RECOGNISED 5 . 5 . 4 "parameter not allowed here";
    /// A word that is not the name of a SASL mechanism. RFC 4954 §4.
    Mechanism PARAMETER_NOT_IMPLEMENTED 5 . 5 . 4 "no such mechanism";
    /// Text that is not base64. RFC 4954 §4.
    Base64 ARGUMENT_SYNTAX_ERROR 5 . 5 . 2 "cannot decode base64";
    /// A chunk size that is not a number, or is over 2^64. RFC 3030 §2.
    ChunkSize ARGUMENT_SYNTAX_ERROR 5 . 5 . 4 "bad chunk size";
    /// A line that does not begin with a reply code. RFC 5321 §4.2.
    ReplyCode SYNTAX_ERROR 5 . 5 . 2 "no reply code";
    /// A reply whose lines have different codes. RFC 5321 §4.2.1.
    ReplyCodeChanges SYNTAX_ERROR 5 . 5 . 2 "reply code changes between lines";
    /// A byte that the text of a reply cannot have. RFC 5321 §4.2.
    ReplyText SYNTAX_ERROR 5 . 5 . 2 "bad byte in reply text";
    /// A reply of more lines or bytes than the limit.
    ReplyTooLong SYNTAX_ERROR 5 . 5 . 2 "reply too long";
    /// A line of a SASL exchange over 12,288 bytes. RFC 4954 §4.
    AuthLineTooLong SYNTAX_ERROR 5 . 5 . 6 "authentication exchange line too long";
    /// A reverse-path that needs SMTPUTF8 where it is not in force. RFC 6531 §3.5.
    SenderNeedsSmtpUtf8 MAILBOX_UNAVAILABLE 5 . 6 . 7 "sender address needs SMTPUTF8";
    /// A message outside the grammar of the SASL mechanism. RFC 4422 §3.
    SaslMessage ARGUMENT_SYNTAX_ERROR 5 . 5 . 2 "cannot understand the SASL message";
}

impl core::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} at byte {}", self.kind.text(), self.offset)
    }
}

impl core::error::Error for SyntaxError {}

impl core::fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.text())
    }
}
