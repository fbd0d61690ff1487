//! Enhanced status codes (RFC 3463) and the registry of their meanings (RFC 5248).

use super::Severity;
use crate::encode::{Encode, Writer};

/// An enhanced status code, RFC 3463: `class "." subject "." detail`, for instance 5.1.1.
///
/// ```
/// use ehlo::EnhancedCode;
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

    /// The code that a reply's text begins with, and the text after it and one space.
    ///
    /// RFC 2034 §4: `status-code = class "." subject "." detail`, followed by a space; RFC 3463
    /// §2 allows no leading zeros.
    pub(crate) fn leading(text: &[u8]) -> Option<(Self, &[u8])> {
        let [class @ (b'2' | b'4' | b'5'), b'.', rest @ ..] = text else { return None };
        let (subject, rest) = status_number(rest)?;
        let (b'.', rest) = rest.split_first()? else { return None };
        let (detail, rest) = status_number(rest)?;
        let rest = match rest {
            [] => rest,
            [b' ', rest @ ..] => rest,
            _ => return None,
        };
        Some((Self { class: class - b'0', subject, detail }, rest))
    }

    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub const fn class(self) -> u8 {
        self.class
    }

    /// What the failure or success is about, 0 to 999.
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The detail within the subject, 0 to 999.
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// Whether the code may stand in a reply of this severity, RFC 2034 §4.
    pub const fn fits(self, severity: Severity) -> bool {
        matches!(
            (self.class, severity),
            (2, Severity::PositiveCompletion)
                | (4, Severity::TransientNegative)
                | (5, Severity::PermanentNegative)
        )
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
        writer.put_number(u64::from(self.class));
        writer.put_octet(b'.');
        writer.put_number(u64::from(self.subject));
        writer.put_octet(b'.');
        writer.put_number(u64::from(self.detail));
    }
}

/// `1*3digit` without leading zeros.
fn status_number(text: &[u8]) -> Option<(u16, &[u8])> {
    let digit = |place: usize| text.get(place).filter(|octet| octet.is_ascii_digit());
    let mut number = u16::from(digit(0)? - b'0');
    let mut length = 1;
    while let (1 | 2, Some(octet)) = (length, digit(length)) {
        if number == 0 {
            return None;
        }
        number = number * 10 + u16::from(octet - b'0');
        length += 1;
    }
    Some((number, text.get(length..)?))
}
