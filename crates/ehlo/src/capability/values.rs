//! The values that the parameters of single EHLO keywords have.

use super::EhloParams;
use crate::sasl::{Mechanisms, SaslMechanism};
use crate::{Encode, SyntaxError, SyntaxErrorKind, Writer};

/// The keyword of an EHLO line. RFC 5321 §4.1.1.1:
/// `ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`.
///
/// Two are equal when they differ in case only.
///
/// ```
/// use ehlo::EhloKeyword;
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
    /// [`SyntaxErrorKind::Parameter`] at the first octet that no keyword has.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let wrong =
            |(at, octet): (usize, u8)| !octet.is_ascii_alphanumeric() && (octet != b'-' || at == 0);
        match text.bytes().enumerate().position(wrong) {
            None if !text.is_empty() => Ok(Self(text.as_bytes())),
            place => Err(SyntaxError {
                kind: SyntaxErrorKind::Parameter,
                offset: place.unwrap_or_default(),
            }),
        }
    }

    /// The same for what is known to be one.
    pub(super) const fn known(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The keyword as it was written.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl PartialEq for EhloKeyword<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for EhloKeyword<'_> {}

impl core::fmt::Debug for EhloKeyword<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parameters of AUTH: names of SASL mechanisms, RFC 4954 §3.
///
/// Two are equal when they list the same names in the same order, in any case.
///
/// ```
/// use ehlo::{Capability, SaslMechanism};
///
/// let Capability::Auth(offered) = Capability::parse(b"AUTH PLAIN X-OWN") else { panic!() };
/// assert!(offered.iter().eq(["PLAIN", "X-OWN"]));
/// assert!(offered.known().contains(SaslMechanism::Plain));
/// ```
#[derive(Clone, Copy)]
pub struct AuthMechanisms<'a>(Names<'a>);

#[derive(Clone, Copy)]
enum Names<'a> {
    Listed(EhloParams<'a>),
    Known(Mechanisms),
}

impl<'a> AuthMechanisms<'a> {
    /// The words of a line.
    pub const fn listed(words: EhloParams<'a>) -> Self {
        Self(Names::Listed(words))
    }

    /// These mechanisms, in the order of their set.
    pub const fn of(mechanisms: Mechanisms) -> Self {
        Self(Names::Known(mechanisms))
    }

    /// The names in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (listed, known) = match self.0 {
            Names::Listed(words) => (words, Mechanisms::NONE),
            Names::Known(mechanisms) => (EhloParams::NONE, mechanisms),
        };
        listed.iter().chain(known.iter().map(|mechanism| -> &'a str { mechanism.name() }))
    }

    /// Those that this crate has a name for.
    pub fn known(&self) -> Mechanisms {
        match self.0 {
            Names::Known(mechanisms) => mechanisms,
            Names::Listed(words) => {
                let known = words.words().filter_map(SaslMechanism::from_name);
                known.fold(Mechanisms::NONE, Mechanisms::with)
            }
        }
    }

    /// The names, with `first` before the first of them and spaces before the others.
    pub(super) fn write(&self, first: u8, writer: &mut Writer<'_>) {
        let mut separator = first;
        for name in self.iter() {
            writer.put_octet(core::mem::replace(&mut separator, b' '));
            writer.put(name.as_bytes());
        }
        if separator == b'=' {
            writer.put_octet(separator);
        }
    }
}

impl PartialEq for AuthMechanisms<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mut names, mut others) = (self.iter(), other.iter());
        loop {
            match (names.next(), others.next()) {
                (Some(name), Some(other)) if name.eq_ignore_ascii_case(other) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl Eq for AuthMechanisms<'_> {}

impl core::fmt::Debug for AuthMechanisms<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The parameter of DELIVERBY, RFC 2852 §2: `deliverby-param = min-by-time *( ","
/// extension-token )`.
///
/// ```
/// use ehlo::{Capability, DeliverBy};
///
/// let minimum = Capability::DeliverBy(DeliverBy::new(Some(240)));
/// assert_eq!(Capability::parse(b"DELIVERBY 240"), minimum);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverBy<'a> {
    minimum: Option<u32>,
    /// What stands behind the first comma.
    tokens: &'a [u8],
}

impl<'a> DeliverBy<'a> {
    /// The smallest by-time that the server takes with the mode "return", in seconds up to
    /// 999,999,999.
    pub const fn new(minimum: Option<u32>) -> Self {
        let minimum = match minimum {
            Some(seconds) if seconds > 999_999_999 => Some(999_999_999),
            other => other,
        };
        Self { minimum, tokens: &[] }
    }

    /// `min-by-time = [1*9DIGIT]`
    pub(super) fn parse(parameters: EhloParams<'a>) -> Self {
        let word = parameters.words().next().unwrap_or_default();
        let mut parts = word.splitn(2, |&octet| octet == b',');
        let digits = parts.next().filter(|digits| digits.len() <= 9);
        let minimum = digits.and_then(super::number).and_then(|number| u32::try_from(number).ok());
        Self { minimum, tokens: parts.next().unwrap_or_default() }
    }

    /// The smallest by-time that the server takes with the mode "return", in seconds.
    pub const fn minimum(&self) -> Option<u32> {
        self.minimum
    }

    /// Extensions of the extension: none is defined.
    pub fn tokens(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let tokens = self.tokens.split(|&octet| octet == b',').filter(|token| !token.is_empty());
        tokens.map(|token| core::str::from_utf8(token).unwrap_or_default())
    }
}

/// A space before the parameter, if there is any.
impl Encode for DeliverBy<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.minimum.is_some() || !self.tokens.is_empty() {
            writer.put_octet(b' ');
        }
        if let Some(minimum) = self.minimum {
            writer.put_number(u64::from(minimum));
        }
        if !self.tokens.is_empty() {
            writer.put_octet(b',');
            writer.put(self.tokens);
        }
    }
}

/// The parameters of FUTURERELEASE, RFC 4865 §3.
///
/// ```
/// use ehlo::{Capability, Encode};
///
/// let line = b"FUTURERELEASE 604800 2026-12-31T23:59:59Z";
/// let Capability::FutureRelease(until) = Capability::parse(line) else { panic!() };
/// assert_eq!(until.interval(), 604_800);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutureRelease {
    interval: u32,
    until: ReleaseTime,
}

impl FutureRelease {
    /// The longest wait in seconds, 1 to 999,999,999, and the latest time.
    pub const fn new(interval: u32, until: ReleaseTime) -> Option<Self> {
        if matches!(interval, 1..=999_999_999) { Some(Self { interval, until }) } else { None }
    }

    /// `max-future-release-interval SP max-future-release-date-time`
    pub(super) fn parse(parameters: EhloParams<'_>) -> Option<Self> {
        let mut words = parameters.words();
        // `future-release-integer = %x31-39 *8DIGIT`
        let digits =
            words.next().filter(|digits| digits.len() <= 9 && digits.first() != Some(&b'0'))?;
        let interval = super::number(digits).and_then(|number| u32::try_from(number).ok())?;
        Self::new(interval, ReleaseTime::parse(words.next()?)?)
    }

    /// The longest wait in seconds, for HOLDFOR.
    pub const fn interval(&self) -> u32 {
        self.interval
    }

    /// The latest time, for HOLDUNTIL.
    pub const fn until(&self) -> ReleaseTime {
        self.until
    }
}

/// A space before each parameter.
impl Encode for FutureRelease {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put_octet(b' ');
        writer.put_number(u64::from(self.interval));
        writer.put_octet(b' ');
        self.until.write_to(writer);
    }
}

/// A time in UTC to the second, as RFC 4865 has it: RFC 3339's `date-time` that ends with `Z`.
///
/// ```
/// use ehlo::ReleaseTime;
///
/// assert!(ReleaseTime::new((2026, 12, 31), (23, 59, 60)).is_some());
/// assert!(ReleaseTime::new((2026, 2, 29), (0, 0, 0)).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl ReleaseTime {
    /// The time of this year, month and day, and this hour, minute and second; a leap second is
    /// one.
    pub const fn new(
        (year, month, day): (u16, u8, u8),
        (hour, minute, second): (u8, u8, u8),
    ) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + leap as u8,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if year <= 9999 && day >= 1 && day <= days && hour <= 23 && minute <= 59 && second <= 60 {
            Some(Self { year, month, day, hour, minute, second })
        } else {
            None
        }
    }

    /// The year, month and day.
    pub const fn date(&self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// The hour, minute and second.
    pub const fn time(&self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// `YYYY-MM-DDThh:mm:ss[.fraction]Z`; the fraction is dropped.
    fn parse(word: &[u8]) -> Option<Self> {
        let (head, tail) = word.split_at_checked(19)?;
        let &[
            y1,
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b'T' | b't',
            h1,
            h2,
            b':',
            i1,
            i2,
            b':',
            s1,
            s2,
        ] = head
        else {
            return None;
        };
        let fraction = match tail {
            [b'Z' | b'z'] => {
                return Self::of([y1, y2, y3, y4], [m1, m2, d1, d2, h1, h2, i1, i2, s1, s2]);
            }
            [b'.', digits @ .., b'Z' | b'z'] => digits,
            _ => return None,
        };
        if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Self::of([y1, y2, y3, y4], [m1, m2, d1, d2, h1, h2, i1, i2, s1, s2])
    }

    fn of(year: [u8; 4], [m1, m2, d1, d2, h1, h2, i1, i2, s1, s2]: [u8; 10]) -> Option<Self> {
        let two = |tens: u8, ones: u8| {
            super::number(&[tens, ones]).and_then(|number| u8::try_from(number).ok())
        };
        let year = super::number(&year).and_then(|year| u16::try_from(year).ok())?;
        Self::new((year, two(m1, m2)?, two(d1, d2)?), (two(h1, h2)?, two(i1, i2)?, two(s1, s2)?))
    }
}

impl Encode for ReleaseTime {
    fn write_to(&self, writer: &mut Writer<'_>) {
        let year = self.year;
        writer.put(&[b'0' + (year / 1000 % 10) as u8, b'0' + (year / 100 % 10) as u8]);
        let mut two = |number: u16, after: u8| {
            let digit = |number: u16| b'0' + (number % 10) as u8;
            writer.put(&[digit(number / 10), digit(number), after]);
        };
        two(year, b'-');
        two(u16::from(self.month), b'-');
        two(u16::from(self.day), b'T');
        two(u16::from(self.hour), b':');
        two(u16::from(self.minute), b':');
        two(u16::from(self.second), b'Z');
    }
}

/// A priority assignment profile, RFC 6710 §3 and §9.2.
///
/// ```
/// use ehlo::{Capability, PriorityProfile};
///
/// let mixer = Capability::MtPriority(Some(PriorityProfile::MIXER));
/// assert_eq!(Capability::parse(b"MT-PRIORITY mixer"), mixer);
/// ```
#[derive(Clone, Copy)]
pub struct PriorityProfile<'a>(&'a str);

impl<'a> PriorityProfile<'a> {
    /// RFC 6710 appendix B.
    pub const MIXER: Self = Self("MIXER");
    /// RFC 6710 appendix A.
    pub const STANAG4406: Self = Self("STANAG4406");
    /// RFC 6710 appendix C.
    pub const NSEP: Self = Self("NSEP");

    /// `priority-profile = 1*20(ALPHA / DIGIT / "-" / "_" / ".")`
    pub fn new(name: &'a str) -> Option<Self> {
        let named =
            |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
        (matches!(name.len(), 1..=20) && name.bytes().all(named)).then_some(Self(name))
    }

    pub(super) fn parse(parameters: EhloParams<'a>) -> Option<Self> {
        parameters.iter().next().and_then(Self::new)
    }

    /// The name as it was written.
    pub const fn name(&self) -> &'a str {
        self.0
    }
}

impl PartialEq for PriorityProfile<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for PriorityProfile<'_> {}

impl core::fmt::Debug for PriorityProfile<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

/// Solicitation class keywords, RFC 3865 §2: what a server does not want, as `net.example:ADV`.
///
/// ```
/// use ehlo::SolicitationKeywords;
///
/// let keywords = SolicitationKeywords::new("net.example:ADV,org.example:ADV:ADLT").unwrap();
/// assert_eq!(keywords.iter().count(), 2);
/// assert!(SolicitationKeywords::new("1st").is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SolicitationKeywords<'a>(&'a str);

impl<'a> SolicitationKeywords<'a> {
    /// None: the server takes part, and says nothing.
    pub const NONE: Self = Self("");

    /// `Solicitation-keywords = word 0*("," word)`, at most 1000 octets,
    /// `word = ALPHA 0*("." / "-" / "_" / ":" / ALPHA / DIGIT)`.
    pub fn new(keywords: &'a str) -> Option<Self> {
        let named = |octet: &u8| {
            octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b':')
        };
        let is_word = |word: &str| {
            word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
                && word.as_bytes().iter().all(named)
        };
        (keywords.len() <= 1000 && keywords.split(',').all(is_word)).then_some(Self(keywords))
    }

    /// None, if they are not of the grammar.
    pub(super) fn parse(parameters: EhloParams<'a>) -> Self {
        parameters.iter().next().and_then(Self::new).unwrap_or(Self::NONE)
    }

    /// The keywords in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(',').filter(|word| !word.is_empty())
    }
}

/// A space before the keywords, if there are any.
impl Encode for SolicitationKeywords<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if !self.0.is_empty() {
            writer.put_octet(b' ');
            writer.put(self.0.as_bytes());
        }
    }
}
