//! Reply codes, RFC 5321 §4.2.

use crate::syntax::encode::{Encode, Writer};

/// The meaning of the first digit of a reply code, RFC 5321 §4.2.1.
///
/// ```
/// use ehlo::Code;
/// use ehlo::syntax::code::Severity;
///
/// assert_eq!(Code::START_MAIL_INPUT.severity(), Severity::PositiveIntermediate);
/// assert!(Severity::PositiveCompletion.is_positive());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 2yz: done.
    PositiveCompletion,
    /// 3yz: the command was accepted, more is needed.
    PositiveIntermediate,
    /// 4yz: refused for now; the same command may succeed later.
    TransientNegative,
    /// 5yz: refused; the client should not repeat the same command.
    PermanentNegative,
}

impl Severity {
    /// 2yz or 3yz.
    pub const fn is_positive(self) -> bool {
        matches!(self, Self::PositiveCompletion | Self::PositiveIntermediate)
    }
}

/// A reply code: three digits, the first from 2 to 5, RFC 5321 §4.2.
///
/// The grammar allows a second digit up to 5 only. A client must act on the first digit of a code
/// that it does not know (§4.3.2), so this type takes every second and third digit.
///
/// ```
/// use ehlo::Code;
/// use ehlo::syntax::code::Severity;
///
/// assert_eq!(Code::new(250), Some(Code::OK));
/// assert_eq!(Code::new(450).map(Code::severity), Some(Severity::TransientNegative));
/// assert_eq!(Code::new(199), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The code of this number, 200 to 599.
    pub const fn new(number: u16) -> Option<Self> {
        if matches!(number, 200..=599) { Some(Self(number)) } else { None }
    }

    /// The code of these three bytes, which are digits.
    pub(crate) const fn from_digits([a, b, c]: [u8; 3]) -> Option<Self> {
        let sum = a as u16 * 100 + b as u16 * 10 + c as u16;
        Self::new(sum.wrapping_sub(b'0' as u16 * 111))
    }

    /// The number as three ASCII digits.
    pub(crate) const fn digits(self) -> [u8; 3] {
        // Each term is a remainder of ten, or at most five.
        #[allow(clippy::cast_possible_truncation)]
        [b'0' + (self.0 / 100) as u8, b'0' + (self.0 / 10 % 10) as u8, b'0' + (self.0 % 10) as u8]
    }

    /// The number, 200 to 599.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The meaning of the first digit.
    pub const fn severity(self) -> Severity {
        match self.0 / 100 {
            2 => Severity::PositiveCompletion,
            3 => Severity::PositiveIntermediate,
            4 => Severity::TransientNegative,
            _ => Severity::PermanentNegative,
        }
    }

    /// 2yz or 3yz.
    pub const fn is_positive(self) -> bool {
        self.severity().is_positive()
    }
}

macro_rules! codes {
    ($($number:literal $name:ident $meaning:literal;)*) => {
        impl Code {
            $(#[doc = concat!("`", $number, "`: ", $meaning, ".")]
            pub const $name: Self = Self($number);)*

            /// The meaning of a code that an RFC defines.
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($meaning),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    211 SYSTEM_STATUS "system status";
    214 HELP_MESSAGE "help message";
    220 SERVICE_READY "service ready";
    221 SERVICE_CLOSING "service closing transmission channel";
    235 AUTHENTICATION_SUCCEEDED "authentication succeeded, RFC 4954";
    250 OK "requested action completed";
    251 WILL_FORWARD "user not local, will forward";
    252 CANNOT_VERIFY "cannot verify the user, but will accept the message";
    253 PENDING_MESSAGES_STARTED "pending messages started, RFC 1985";
    334 AUTHENTICATION_CONTINUES "server challenge, RFC 4954";
    354 START_MAIL_INPUT "start mail input, end with CRLF . CRLF";
    355 TRANSACTION_OFFSET "byte offset of the transaction, RFC 1845";
    421 SERVICE_NOT_AVAILABLE "service not available, closing transmission channel";
    422 PASSWORD_TRANSITION "a password transition is needed, in the registry of RFC 5248";
    430 INVALID_COMMAND "invalid command, in the registry of RFC 5248";
    432 PASSWORD_TRANSITION_NEEDED "a password transition is needed, RFC 4954";
    450 MAILBOX_BUSY "mailbox unavailable now";
    451 LOCAL_ERROR "local error in processing";
    452 INSUFFICIENT_STORAGE "insufficient system storage, or too many recipients";
    453 NO_MAIL "you have no mail, RFC 2645";
    454 TEMPORARY_FAILURE "temporary failure of TLS or authentication, RFC 3207 and 4954";
    455 CANNOT_ACCOMMODATE_PARAMETERS "unable to accommodate parameters now";
    458 UNABLE_TO_QUEUE "unable to queue messages for the node, RFC 1985";
    459 NODE_NOT_ALLOWED "node not allowed, RFC 1985";
    500 SYNTAX_ERROR "syntax error, command unrecognised or line too long";
    501 ARGUMENT_SYNTAX_ERROR "syntax error in parameters or arguments";
    502 COMMAND_NOT_IMPLEMENTED "command not implemented";
    503 BAD_SEQUENCE "bad sequence of commands";
    504 PARAMETER_NOT_IMPLEMENTED "command parameter not implemented";
    521 HOST_ACCEPTS_NO_MAIL "host does not accept mail, RFC 7504";
    523 ENCRYPTION_NEEDED "encryption needed, RFC 5248";
    524 ENCRYPTION_REQUIRED_FOR_MECHANISM "encryption required for the mechanism, RFC 5248";
    525 ACCOUNT_DISABLED "user account disabled, RFC 5248";
    530 AUTHENTICATION_REQUIRED "authentication required, or STARTTLS first, RFC 4954 and 3207";
    533 NOT_AUTHORISED "delivery not authorised, in the registry of RFC 5248";
    534 MECHANISM_TOO_WEAK "authentication mechanism is too weak, RFC 4954";
    535 CREDENTIALS_INVALID "authentication credentials invalid, RFC 4954";
    538 MECHANISM_REQUIRES_ENCRYPTION "encryption required for the mechanism, RFC 4954";
    550 MAILBOX_UNAVAILABLE "mailbox unavailable, or refused by policy";
    551 NOT_LOCAL "user not local, try another path";
    552 EXCEEDED_STORAGE "exceeded storage allocation";
    553 MAILBOX_NAME_NOT_ALLOWED "mailbox name not allowed";
    554 TRANSACTION_FAILED "transaction failed, or no SMTP service here";
    555 PARAMETERS_NOT_RECOGNISED "MAIL or RCPT parameters not recognised";
    556 DOMAIN_ACCEPTS_NO_MAIL "domain does not accept mail, RFC 7504";
}

/// Three digits, and nothing else.
///
/// ```
/// use ehlo::Code;
///
/// assert_eq!("250".parse(), Ok(Code::OK));
/// assert!("199".parse::<Code>().is_err() && "2500".parse::<Code>().is_err());
/// ```
impl core::str::FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        let digits = <[u8; 3]>::try_from(text.as_bytes()).map_err(|_| ParseCodeError(()))?;
        let code = Some(digits).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        code.and_then(Self::from_digits).ok_or(ParseCodeError(()))
    }
}

/// A text that is neither a reply code nor an enhanced status code.
///
/// ```
/// use ehlo::Code;
///
/// let error = "25O".parse::<Code>().unwrap_err();
/// assert_eq!(error.to_string(), "not a code");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCodeError(pub(super) ());

impl core::fmt::Display for ParseCodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a code")
    }
}

impl core::error::Error for ParseCodeError {}

impl From<Code> for u16 {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl core::fmt::Debug for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Encode for Code {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put_number(u64::from(self.0));
    }
}
