//! The parameters of FUTURERELEASE, RFC 4865.

use core::num::NonZeroU32;

use super::EhloParams;
use super::words::number;
use crate::syntax::encode::{Encode, Writer};

/// The parameters of FUTURERELEASE, RFC 4865 §3.
///
/// ```
/// use ehlo::{Capability, Encode};
///
/// let line = b"FUTURERELEASE 604800 2026-12-31T23:59:59Z";
/// let Capability::FutureRelease(until) = Capability::parse(line) else { panic!() };
/// assert_eq!(until.interval(), 604_800);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FutureRelease {
    interval: NonZeroU32,
    until: ReleaseTime,
}

impl FutureRelease {
    /// The longest wait in seconds, 1 to 999,999,999, and the latest time.
    pub const fn new(interval: u32, until: ReleaseTime) -> Option<Self> {
        match NonZeroU32::new(interval) {
            Some(interval) if interval.get() <= 999_999_999 => Some(Self { interval, until }),
            _ => None,
        }
    }

    /// `max-future-release-interval SP max-future-release-date-time`
    pub(super) fn parse(parameters: EhloParams<'_>) -> Option<Self> {
        let mut words = parameters.words();
        // `future-release-integer = %x31-39 *8DIGIT`
        let digits =
            words.next().filter(|digits| digits.len() <= 9 && digits.first() != Some(&b'0'))?;
        let interval = number(digits).and_then(|number| u32::try_from(number).ok())?;
        Self::new(interval, ReleaseTime::parse(words.next()?)?)
    }

    /// The shorter wait and the earlier time of the two.
    pub(super) fn intersection(self, other: Self) -> Self {
        Self { interval: self.interval.min(other.interval), until: self.until.min(other.until) }
    }

    /// The longest wait in seconds, for HOLDFOR.
    pub const fn interval(&self) -> u32 {
        self.interval.get()
    }

    /// The latest time, for HOLDUNTIL.
    pub const fn until(&self) -> ReleaseTime {
        self.until
    }
}

/// A space before each parameter.
impl Encode for FutureRelease {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put_byte(b' ');
        writer.put_number(u64::from(self.interval.get()));
        writer.put_byte(b' ');
        self.until.write_to(writer);
    }
}

/// A time in UTC to the second, as RFC 4865 has it: RFC 3339's `date-time` that ends with `Z`.
///
/// ```
/// use ehlo::syntax::capability::ReleaseTime;
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
    /// A time of this year, month and day, and this hour, minute and second, which may be a leap second.
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
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        let (year, rest) = field(word, 4, b'-')?;
        let (month, rest) = field(rest, 2, b'-')?;
        let (day, rest) = field(rest, 2, b'T')?;
        let (hour, rest) = field(rest, 2, b':')?;
        let (minute, rest) = field(rest, 2, b':')?;
        let (second, fraction) = rest.split_at_checked(2)?;
        // `time-secfrac = "." 1*DIGIT`; RFC 4865 has `Z` alone for the offset.
        let digits = match fraction {
            [b'Z' | b'z'] => b"0".as_slice(),
            [b'.', digits @ .., b'Z' | b'z'] => digits,
            _ => return None,
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let second = number(second)?;
        let two = |number: u64| u8::try_from(number).ok();
        let year = u16::try_from(year).ok()?;
        Self::new((year, two(month)?, two(day)?), (two(hour)?, two(minute)?, two(second)?))
    }
}

impl Encode for ReleaseTime {
    fn write_to(&self, writer: &mut Writer<'_>) {
        let digit = |number: u16| b"0123456789"[usize::from(number % 10)];
        let mut two = |number: u16, after: &[u8]| {
            writer.put(&[digit(number / 10), digit(number)]);
            writer.put(after);
        };
        two(self.year / 100, b"");
        two(self.year, b"-");
        two(u16::from(self.month), b"-");
        two(u16::from(self.day), b"T");
        two(u16::from(self.hour), b":");
        two(u16::from(self.minute), b":");
        two(u16::from(self.second), b"Z");
    }
}

/// A number of `digits` digits, and the bytes after the byte `behind` that ends it.
fn field(text: &[u8], digits: usize, behind: u8) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let (byte, rest) = rest.split_first()?;
    Some((number(digits).filter(|_| byte.eq_ignore_ascii_case(&behind))?, rest))
}
