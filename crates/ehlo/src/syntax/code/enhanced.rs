//! Enhanced status codes (RFC 3463) and the registry of their meanings (RFC 5248).

use super::{ParseCodeError, Severity};
use crate::syntax::encode::{Encode, Writer};

/// An enhanced status code, RFC 3463: `class "." subject "." detail`, for instance 5.1.1.
///
/// ```
/// use ehlo::syntax::code::EnhancedCode;
///
/// let code = EnhancedCode::new(5, 7, 606).unwrap();
/// assert_eq!((code.class(), code.subject(), code.detail()), (5, 7, 606));
/// assert_eq!(EnhancedCode::new(3, 0, 0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// The code of these numbers: class 2, 4 or 5, the others up to 999.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Option<Self> {
        if matches!(class, 2 | 4 | 5) && subject <= 999 && detail <= 999 {
            Some(Self { class, subject, detail })
        } else {
            None
        }
    }

    /// The code of this crate's own constants, which are known to be right.
    pub(crate) const fn known(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// The code that a reply's text begins with, and the text after it and one space; the text may
    /// go on with other lines.
    ///
    /// RFC 2034 §4: `status-code ::= class "." subject "." detail`, followed by a space; RFC 3463
    /// §2 allows no leading zeros.
    #[inline]
    pub(crate) fn leading(text: &[u8]) -> Option<(Self, &[u8])> {
        let [class @ (b'2' | b'4' | b'5'), b'.', rest @ ..] = text else { return None };
        let (subject, rest) = status_number(rest)?;
        let (b'.', rest) = rest.split_first()? else { return None };
        let (detail, rest) = status_number(rest)?;
        let rest = match rest {
            [] | [b'\r' | b'\n', ..] => rest,
            [b' ', rest @ ..] => rest,
            _ => return None,
        };
        Some((Self { class: class - b'0', subject, detail }, rest))
    }

    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub const fn class(self) -> u8 {
        self.class
    }

    /// The subject of the failure or success, 0 to 999.
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The detail within the subject, 0 to 999.
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// The code without its class.
    pub const fn status(self) -> EnhancedStatus {
        EnhancedStatus { subject: self.subject, detail: self.detail }
    }

    /// Returns `true` if the code may stand in a reply of this severity, RFC 2034 §4.
    pub const fn fits(self, severity: Severity) -> bool {
        matches!(
            (self.class, severity),
            (2, Severity::PositiveCompletion)
                | (4, Severity::TransientNegative)
                | (5, Severity::PermanentNegative)
        )
    }
}

/// `class "." subject "." detail`, and nothing else.
///
/// ```
/// use ehlo::syntax::code::EnhancedCode;
///
/// assert_eq!("5.7.10".parse::<EnhancedCode>()?, EnhancedCode::new(5, 7, 10).unwrap());
/// assert!("5.07.1".parse::<EnhancedCode>().is_err());
/// # Ok::<(), ehlo::syntax::code::ParseCodeError>(())
/// ```
impl core::str::FromStr for EnhancedCode {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        match Self::leading(text.as_bytes()) {
            Some((code, [])) if !text.ends_with(' ') => Ok(code),
            _ => Err(ParseCodeError(())),
        }
    }
}

impl core::fmt::Debug for EnhancedCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Encode for EnhancedCode {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if let (Some(subject), Some(detail)) = (one_digit(self.subject), one_digit(self.detail)) {
            return writer.put(&[b'0' + self.class, b'.', subject, b'.', detail]);
        }
        writer.put_number(u64::from(self.class));
        writer.put_byte(b'.');
        writer.put_number(u64::from(self.subject));
        writer.put_byte(b'.');
        writer.put_number(u64::from(self.detail));
    }

    fn encoded_len(&self) -> usize {
        3 + digit_count(self.subject) + digit_count(self.detail)
    }
}

/// A number of one digit as it is written.
const fn one_digit(number: u16) -> Option<u8> {
    if number < 10 { Some(b'0' + number.to_le_bytes()[0]) } else { None }
}

/// The number of digits of a number up to 999.
const fn digit_count(number: u16) -> usize {
    match number {
        0..10 => 1,
        10..100 => 2,
        _ => 3,
    }
}

/// An enhanced status code without its class, as the registry of RFC 5248 lists them: `X.1.1`.
///
/// ```
/// use ehlo::syntax::code::{EnhancedCode, EnhancedStatus};
///
/// const FULL: EnhancedCode = EnhancedStatus::MAILBOX_FULL.transient();
/// assert_eq!((FULL.class(), FULL.subject(), FULL.detail()), (4, 2, 2));
/// assert_eq!(FULL.status().meaning(), Some("the mailbox is full, RFC 3463"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    subject: u16,
    detail: u16,
}

impl EnhancedStatus {
    /// `2.y.z`, for a reply 2yz.
    pub const fn success(self) -> EnhancedCode {
        EnhancedCode::known(2, self.subject, self.detail)
    }

    /// `4.y.z`, for a reply 4yz.
    pub const fn transient(self) -> EnhancedCode {
        EnhancedCode::known(4, self.subject, self.detail)
    }

    /// `5.y.z`, for a reply 5yz.
    pub const fn permanent(self) -> EnhancedCode {
        EnhancedCode::known(5, self.subject, self.detail)
    }

    /// The code of the class that fits this severity, RFC 2034 §4; `None` for a reply 3yz.
    pub const fn of_severity(self, severity: Severity) -> Option<EnhancedCode> {
        match severity {
            Severity::PositiveCompletion => Some(self.success()),
            Severity::PositiveIntermediate => None,
            Severity::TransientNegative => Some(self.transient()),
            Severity::PermanentNegative => Some(self.permanent()),
        }
    }

    /// The status of this subject with the detail 0, RFC 3463 §3. A reader that does not know a
    /// detail takes it for this one.
    #[must_use]
    pub const fn general(self) -> Self {
        Self { detail: 0, ..self }
    }
}

impl core::fmt::Debug for EnhancedStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "X.{}.{}", self.subject, self.detail)
    }
}

macro_rules! statuses {
    ($($subject:literal . $detail:literal $name:ident $meaning:literal;)*) => {
        impl EnhancedStatus {
            $(#[doc = concat!("`X.", $subject, ".", $detail, "`: ", $meaning, ".")]
            pub const $name: Self = Self { subject: $subject, detail: $detail };)*

            /// Every status of the registry, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The meaning of a status of the registry.
            pub const fn meaning(self) -> Option<&'static str> {
                match (self.subject, self.detail) {
                    $(($subject, $detail) => Some($meaning),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    0 . 0 OTHER "nothing but the class is known, RFC 3463";
    1 . 0 OTHER_ADDRESS "something about the address, RFC 3463";
    1 . 1 BAD_DESTINATION_MAILBOX "no such mailbox, RFC 3463";
    1 . 2 BAD_DESTINATION_SYSTEM "no such system, or it takes no mail, RFC 3463";
    1 . 3 BAD_DESTINATION_SYNTAX "syntax error in the recipient's address, RFC 3463";
    1 . 4 AMBIGUOUS_DESTINATION "the recipient's address matches more than one mailbox, RFC 3463";
    1 . 5 DESTINATION_VALID "the recipient's address is valid, RFC 3463";
    1 . 6 MAILBOX_HAS_MOVED "the mailbox has moved and left no address, RFC 3463";
    1 . 7 BAD_SENDER_SYNTAX "syntax error in the sender's address, RFC 3463";
    1 . 8 BAD_SENDER_SYSTEM "the sender's system does not exist or takes no mail, RFC 3463";
    1 . 9 RELAYED_TO_NON_COMPLIANT_MAILER "relayed to a system that cannot report on the delivery, RFC 3886";
    1 . 10 RECIPIENT_NULL_MX "the recipient's domain has a null MX, RFC 7505";
    2 . 0 OTHER_MAILBOX "something about the mailbox, RFC 3463";
    2 . 1 MAILBOX_DISABLED "the mailbox takes no messages, RFC 3463";
    2 . 2 MAILBOX_FULL "the mailbox is full, RFC 3463";
    2 . 3 MESSAGE_EXCEEDS_MAILBOX_LIMIT "the message is longer than the mailbox may take, RFC 3463";
    2 . 4 MAILING_LIST_EXPANSION "the mailing list cannot be expanded, RFC 3463";
    3 . 0 OTHER_SYSTEM "something about the mail system, RFC 3463";
    3 . 1 SYSTEM_FULL "the mail system has no room, RFC 3463";
    3 . 2 SYSTEM_ACCEPTS_NO_MESSAGES "the system accepts no messages from the network, RFC 3463";
    3 . 3 SYSTEM_LACKS_FEATURE "the system lacks a feature that was asked for, RFC 3463";
    3 . 4 MESSAGE_TOO_BIG "the message is too big for the system, RFC 3463";
    3 . 5 SYSTEM_MISCONFIGURED "the system is not configured correctly, RFC 3463";
    3 . 6 PRIORITY_CHANGED "the priority that was asked for was changed, RFC 6710";
    4 . 0 OTHER_NETWORK "something about the network or the route, RFC 3463";
    4 . 1 NO_ANSWER "no answer from the host, RFC 3463";
    4 . 2 BAD_CONNECTION "the connection broke, RFC 3463";
    4 . 3 DIRECTORY_FAILURE "a directory such as the DNS does not answer, RFC 3463";
    4 . 4 UNABLE_TO_ROUTE "no route to the host, RFC 3463";
    4 . 5 CONGESTION "the mail system is congested, RFC 3463";
    4 . 6 ROUTING_LOOP "the message goes round in a loop, RFC 3463";
    4 . 7 DELIVERY_TIME_EXPIRED "the time for the delivery is over, RFC 3463";
    5 . 0 OTHER_PROTOCOL "something about the protocol, RFC 3463";
    5 . 1 INVALID_COMMAND "a command out of sequence, or one that is not supported, RFC 3463";
    5 . 2 SYNTAX_ERROR "a command that cannot be interpreted, RFC 3463";
    5 . 3 TOO_MANY_RECIPIENTS "too many recipients for one transaction, RFC 3463";
    5 . 4 INVALID_ARGUMENTS "arguments out of range, or of a feature that is not known, RFC 3463";
    5 . 5 WRONG_PROTOCOL_VERSION "a version of the protocol that is not supported, RFC 3463";
    5 . 6 AUTHENTICATION_LINE_TOO_LONG "a line of an authentication exchange is too long, RFC 4954";
    6 . 0 OTHER_CONTENT "something about the content, RFC 3463";
    6 . 1 MEDIA_NOT_SUPPORTED "the kind of content is not supported, RFC 3463";
    6 . 2 CONVERSION_PROHIBITED "the content must be converted and must not be, RFC 3463";
    6 . 3 CONVERSION_NOT_SUPPORTED "the content must be converted and cannot be, RFC 3463";
    6 . 4 CONVERSION_WITH_LOSS "the content was converted with a loss, RFC 3463";
    6 . 5 CONVERSION_FAILED "the conversion of the content failed, RFC 3463";
    6 . 6 CONTENT_NOT_AVAILABLE "the content cannot be fetched, RFC 4468";
    6 . 7 NON_ASCII_ADDRESS_NOT_PERMITTED "an address beyond ASCII is not permitted, RFC 6531";
    6 . 8 UTF8_REPLY_REQUIRED "the reply needs UTF-8, which the client does not permit, RFC 6531";
    6 . 9 UTF8_HEADER_NOT_TRANSFERABLE "a header in UTF-8 cannot go to a recipient, RFC 6531";
    6 . 10 UTF8_REPLY_REQUIRED_DEPRECATED "the same as X.6.8, deprecated, RFC 6531";
    7 . 0 OTHER_SECURITY "something about security or policy, RFC 3463";
    7 . 1 NOT_AUTHORISED "the sender may not send to the recipient, RFC 3463";
    7 . 2 EXPANSION_PROHIBITED "the sender may not send to the mailing list, RFC 3463";
    7 . 3 SECURITY_CONVERSION_IMPOSSIBLE "a conversion between security protocols is needed and not possible, RFC 3463";
    7 . 4 SECURITY_FEATURES_NOT_SUPPORTED "a security feature is not supported, RFC 3463";
    7 . 5 CRYPTOGRAPHIC_FAILURE "the message cannot be decrypted or verified, RFC 3463";
    7 . 6 ALGORITHM_NOT_SUPPORTED "the cryptographic algorithm is not supported, RFC 3463";
    7 . 7 INTEGRITY_FAILURE "the message was changed on its way, RFC 3463";
    7 . 8 CREDENTIALS_INVALID "the authentication credentials are invalid, RFC 4954";
    7 . 9 MECHANISM_TOO_WEAK "the authentication mechanism is too weak, RFC 4954";
    7 . 10 ENCRYPTION_NEEDED "encryption is needed, RFC 5248";
    7 . 11 ENCRYPTION_REQUIRED_FOR_MECHANISM "the authentication mechanism requires encryption, RFC 4954";
    7 . 12 PASSWORD_TRANSITION_NEEDED "a password transition is needed, RFC 4954";
    7 . 13 ACCOUNT_DISABLED "the user's account is disabled, RFC 5248";
    7 . 14 TRUST_RELATIONSHIP_REQUIRED "the two servers need a trust relationship, RFC 5248";
    7 . 15 PRIORITY_TOO_LOW "the priority is too low, RFC 6710";
    7 . 16 MESSAGE_TOO_BIG_FOR_PRIORITY "the message is too big for its priority, RFC 6710";
    7 . 17 MAILBOX_OWNER_CHANGED "the mailbox has another owner now, RFC 7293";
    7 . 18 DOMAIN_OWNER_CHANGED "the domain has another owner now, RFC 7293";
    7 . 19 RRVS_TEST_INCOMPLETE "whether the owner has changed cannot be found out, RFC 7293";
    7 . 20 NO_PASSING_DKIM_SIGNATURE "no DKIM signature passes, RFC 7372";
    7 . 21 NO_ACCEPTABLE_DKIM_SIGNATURE "no DKIM signature that passes is acceptable, RFC 7372";
    7 . 22 NO_AUTHOR_MATCHED_DKIM_SIGNATURE "no DKIM signature that passes is the author's, RFC 7372";
    7 . 23 SPF_FAILED "SPF fails, RFC 7372";
    7 . 24 SPF_ERROR "SPF cannot be evaluated, RFC 7372";
    7 . 25 REVERSE_DNS_FAILED "the reverse DNS of the client does not agree, RFC 7372";
    7 . 26 MULTIPLE_AUTHENTICATION_CHECKS_FAILED "more than one authentication check failed, RFC 7372";
    7 . 27 SENDER_NULL_MX "the sender's domain has a null MX, RFC 7505";
    7 . 28 MAIL_FLOOD "an unusual number of similar messages, in the IANA registry alone";
    7 . 29 ARC_FAILED "ARC does not validate, RFC 8617";
    7 . 30 REQUIRETLS_REQUIRED "REQUIRETLS support is required, RFC 8689";
}

/// `1*3digit`; a zero ends it, so that there are no leading zeros.
#[inline]
fn status_number(text: &[u8]) -> Option<(u16, &[u8])> {
    let (&first, mut rest) = text.split_first()?;
    let mut number = digit(first)?;
    if number > 0 {
        for _ in 0..2 {
            let [byte, after @ ..] = rest else { break };
            let Some(digit) = digit(*byte) else { break };
            number = number * 10 + digit;
            rest = after;
        }
    }
    Some((number, rest))
}

#[inline]
const fn digit(byte: u8) -> Option<u16> {
    if byte.is_ascii_digit() { Some((byte - b'0') as u16) } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by a panic
mod tests {
    extern crate std;

    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn leading_code_ends_with_a_space_or_the_text() {
        let leading = |text: &'static str| {
            let (code, rest) = EnhancedCode::leading(text.as_bytes())?;
            Some((code.to_string(), String::from_utf8(rest.to_vec()).unwrap()))
        };
        let some = |code: &str, rest: &str| Some((code.to_string(), rest.to_string()));
        assert_eq!(leading("5.7.606 go away"), some("5.7.606", "go away"));
        assert_eq!(leading("2.0.0"), some("2.0.0", ""));
        assert_eq!(leading("4.999.999  x"), some("4.999.999", " x"));
        let others = [
            "",
            "5",
            "5.",
            "5.1",
            "5.1.",
            "5.1.1x",
            "5.1.1.1",
            "3.1.1 a",
            "5.01.1 a",
            "5.1.00 a",
            "5.1000.1 a",
            "5.1.1000 a",
            "5 1.1 a",
            "2address.org",
            "5.1.1\ta",
            "5..1 a",
        ];
        assert_eq!(others.map(leading), others.map(|_| None));
    }
}
