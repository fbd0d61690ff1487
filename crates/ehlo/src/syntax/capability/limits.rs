//! The parameters of LIMITS, RFC 9422.

use super::EhloParams;
use super::words::number;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::grammar::as_str;

/// The limits that a server announces, RFC 9422 §3.
///
/// ```
/// use ehlo::Capability;
/// use ehlo::syntax::capability::Limits;
///
/// let limits = Limits::NONE.with_rcpt_max(20);
/// assert_eq!(Capability::parse(b"LIMITS RCPTMAX=20 MAILMAX=0"), Capability::Limits(limits));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    /// Zero if the server announced no such limit.
    rcpt_max: u32,
    mail_max: u32,
    rcpt_domain_max: u32,
    /// The line, for limits that have no name here.
    listed: EhloParams<'a>,
}

impl<'a> Limits<'a> {
    /// No limits.
    pub const NONE: Self =
        Self { rcpt_max: 0, mail_max: 0, rcpt_domain_max: 0, listed: EhloParams::NONE };

    /// `limits-param = limit-name-value 0*[SP limit-name-value]`
    pub(super) fn parse(parameters: EhloParams<'a>) -> Option<Self> {
        let mut limits = Self { listed: parameters, ..Self::NONE };
        // A line without a limit that a client can use counts as malformed.
        let mut any = false;
        for word in parameters.words() {
            // RFC 9422 §3: a client ignores all limits of a line with a basic syntax error, ...
            let (name, value) = limit(word)?;
            // ... and a limit whose value has a syntax error.
            match (limits.slot(name), value.and_then(limit_value)) {
                (Some(slot), Some(value)) => (*slot, any) = (value, true),
                (Some(_), None) => {}
                (None, _) => any = true,
            }
        }
        any.then_some(limits)
    }

    /// RCPT commands of one transaction.
    pub const fn rcpt_max(&self) -> Option<u32> {
        announced(self.rcpt_max)
    }

    /// MAIL commands of one session.
    pub const fn mail_max(&self) -> Option<u32> {
        announced(self.mail_max)
    }

    /// Different domains of the recipients of one session.
    pub const fn rcpt_domain_max(&self) -> Option<u32> {
        announced(self.rcpt_domain_max)
    }

    /// Sets a limit on the RCPT commands of one transaction. Zero removes it; a limit above 999,999
    /// cannot be announced and becomes 999,999.
    #[must_use]
    pub const fn with_rcpt_max(self, limit: u32) -> Self {
        Self { rcpt_max: at_most_six_digits(limit), ..self }
    }

    /// Sets a limit on the MAIL commands of one session, as above.
    #[must_use]
    pub const fn with_mail_max(self, limit: u32) -> Self {
        Self { mail_max: at_most_six_digits(limit), ..self }
    }

    /// Sets a limit on the domains of the recipients of one session, as above.
    #[must_use]
    pub const fn with_rcpt_domain_max(self, limit: u32) -> Self {
        Self { rcpt_domain_max: at_most_six_digits(limit), ..self }
    }

    /// Limits that RFC 9422 does not define: their names, and their values if they have one.
    pub fn unknown(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.listed.words().filter_map(|word| {
            let (name, value) = limit(word)?;
            let unknown = Self::NONE.clone().slot(name).is_none();
            unknown.then(|| (as_str(name), value.map(as_str)))
        })
    }

    /// RCPTMAX, MAILMAX and RCPTDOMAINMAX; zero for a limit that was not announced.
    pub(super) const fn numbers(&self) -> (u32, u32, u32) {
        (self.rcpt_max, self.mail_max, self.rcpt_domain_max)
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut u32> {
        if name.eq_ignore_ascii_case(b"RCPTMAX") {
            Some(&mut self.rcpt_max)
        } else if name.eq_ignore_ascii_case(b"MAILMAX") {
            Some(&mut self.mail_max)
        } else if name.eq_ignore_ascii_case(b"RCPTDOMAINMAX") {
            Some(&mut self.rcpt_domain_max)
        } else {
            None
        }
    }
}

/// Compares the limits; their order does not matter.
impl PartialEq for Limits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers() && self.unknown().eq(other.unknown())
    }
}

impl Eq for Limits<'_> {}

impl core::hash::Hash for Limits<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.numbers().hash(state);
        self.unknown().for_each(|limit| limit.hash(state));
    }
}

/// A space before each limit.
impl Encode for Limits<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        let known = [
            (" RCPTMAX=", self.rcpt_max),
            (" MAILMAX=", self.mail_max),
            (" RCPTDOMAINMAX=", self.rcpt_domain_max),
        ];
        for (name, limit) in known {
            if limit > 0 {
                writer.put(name.as_bytes());
                writer.put_number(u64::from(limit));
            }
        }
        for (name, value) in self.unknown() {
            writer.put_byte(b' ');
            writer.put(name.as_bytes());
            if let Some(value) = value {
                writer.put_byte(b'=');
                writer.put(value.as_bytes());
            }
        }
    }
}

/// RCPTMAX, MAILMAX and RCPTDOMAINMAX, zero where there is no limit: twenty bits have room for the six
/// digits of RFC 9422 §3.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn new((rcpt_max, mail_max, rcpt_domain_max): (u32, u32, u32)) -> Self {
        Self(rcpt_max as u64 | (mail_max as u64) << 20 | (rcpt_domain_max as u64) << 40)
    }

    pub(super) const fn is_some(self) -> bool {
        self.0 > 0
    }

    #[allow(clippy::cast_possible_truncation)] // twenty bits
    pub(super) const fn get(self) -> (u32, u32, u32) {
        let Self(bits) = self;
        let twenty = (1 << 20) - 1;
        ((bits & twenty) as u32, (bits >> 20 & twenty) as u32, (bits >> 40) as u32)
    }
}

impl core::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

/// `limit-name-value = limit-name ["=" limit-value]`,
/// `limit-name = 1*(ALPHA / DIGIT / "-" / "_")`, `limit-value = 1*(%x21-3A / %x3C-7E)`
fn limit(word: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut parts = word.splitn(2, |&byte| byte == b'=');
    let (name, value) = (parts.next()?, parts.next());
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let right = !name.is_empty()
        && name.iter().all(named)
        && value.is_none_or(|value| !value.is_empty() && !value.contains(&b';'));
    right.then_some((name, value))
}

/// `%x31-39 0*5DIGIT`
fn limit_value(digits: &[u8]) -> Option<u32> {
    if digits.len() > 6 || digits.first() == Some(&b'0') {
        return None;
    }
    number(digits).and_then(|number| u32::try_from(number).ok())
}

const fn announced(limit: u32) -> Option<u32> {
    if limit > 0 { Some(limit) } else { None }
}

const fn at_most_six_digits(limit: u32) -> u32 {
    if limit > 999_999 { 999_999 } else { limit }
}
