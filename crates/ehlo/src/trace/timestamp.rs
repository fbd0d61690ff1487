//! `date-time`, RFC 5322 §3.3.

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::parameter::DateTime;

/// A moment, and the offset from UTC of the place that writes it: `date-time`, RFC 5322 §3.3.
///
/// The years are 1900 to 9999, as in that grammar.
///
/// ```
/// use ehlo::trace::Timestamp;
///
/// let moment = Timestamp::utc(951_782_400).unwrap();
/// assert_eq!(moment.to_string(), "Tue, 29 Feb 2000 00:00:00 +0000");
/// let there = Timestamp::new(951_782_400, -150).unwrap();
/// assert_eq!(there.to_string(), "Mon, 28 Feb 2000 21:30:00 -0230");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_seconds: i64,
    offset_minutes: i16,
}

impl Timestamp {
    /// The moment at a number of seconds after 1970-01-01T00:00:00Z, without leap seconds, at an offset
    /// from UTC in minutes.
    ///
    /// `None` if the offset is a day or more, or if the local year is not between 1900 and 9999.
    pub const fn new(unix_seconds: i64, offset_minutes: i16) -> Option<Self> {
        if offset_minutes.unsigned_abs() >= 24 * 60 {
            return None;
        }
        match unix_seconds.checked_add(offset_minutes as i64 * 60) {
            Some(FIRST..=LAST) => Some(Self { unix_seconds, offset_minutes }),
            _ => None,
        }
    }

    /// The same at an offset of zero.
    pub const fn utc(unix_seconds: i64) -> Option<Self> {
        Self::new(unix_seconds, 0)
    }

    /// The moment of a `date-time` of RFC 3339, in UTC; `None` before 1900.
    ///
    /// ```
    /// use ehlo::syntax::parameter::DateTime;
    /// use ehlo::trace::Timestamp;
    ///
    /// let moment = Timestamp::of(DateTime::new("2026-11-21T12:00:00+01:00")?).unwrap();
    /// assert_eq!(moment.to_string(), "Sat, 21 Nov 2026 11:00:00 +0000");
    /// # Ok::<(), ehlo::SyntaxError>(())
    /// ```
    pub fn of(moment: DateTime<'_>) -> Option<Self> {
        Self::utc(moment.unix_seconds())
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix_seconds(self) -> i64 {
        self.unix_seconds
    }

    /// The minutes by which the local clock is ahead of UTC.
    pub const fn offset_minutes(self) -> i16 {
        self.offset_minutes
    }
}

impl Encode for Timestamp {
    /// `date-time = [ day-of-week "," ] date time …`, RFC 5322 §3.3: 31 bytes.
    fn write_to(&self, writer: &mut Writer<'_>) {
        let local = self.unix_seconds.saturating_add(i64::from(self.offset_minutes) * 60);
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let date = Date::of(day);
        // 1 January 1970 was a Thursday.
        let weekday = three(b"ThuFriSatSunMonTueWed", day.rem_euclid(7));
        writer.put(weekday);
        writer.put(b", ");
        put_two(date.day, writer);
        writer.put_byte(b' ');
        writer.put(three(b"MarAprMayJunJulAugSepOctNovDecJanFeb", date.month));
        writer.put_byte(b' ');
        put_two(date.year / 100, writer);
        put_two(date.year % 100, writer);
        writer.put_byte(b' ');
        put_two(second / 3600, writer);
        writer.put_byte(b':');
        put_two(second / 60 % 60, writer);
        writer.put_byte(b':');
        put_two(second % 60, writer);
        // `zone = (FWS ( "+" / "-" ) 4DIGIT) …`
        writer.put(if self.offset_minutes < 0 { b" -" } else { b" +" });
        let offset = i64::from(self.offset_minutes.unsigned_abs());
        put_two(offset / 60, writer);
        put_two(offset % 60, writer);
    }
}

impl core::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::syntax::grammar::display::<32>(self, f)
    }
}

/// A date; months are counted from March, so that the leap day is the last of its year.
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The date that many days after 1970-01-01.
    fn of(day: i64) -> Self {
        // From 0000-03-01, in eras of 400 years of the calendar.
        let day = day + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        Self { year: year + 400 * era + i64::from(month >= 10), month, day }
    }
}

/// The three letters at index `at` of a row of names.
fn three(names: &'static [u8], at: i64) -> &'static [u8] {
    let start = usize::try_from(at * 3).unwrap_or_default();
    names.get(start..start + 3).unwrap_or_default()
}

/// A number below 100 in two digits.
fn put_two(number: i64, writer: &mut Writer<'_>) {
    // Both are below ten.
    let digit = |value: i64| b'0' + u8::try_from(value % 10).unwrap_or_default();
    writer.put(&[digit(number / 10), digit(number)]);
}

const DAY: i64 = 86_400;

/// 1900-01-01T00:00:00.
const FIRST: i64 = -2_208_988_800;
/// 9999-12-31T23:59:59.
const LAST: i64 = 253_402_300_799;

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString as _;

    #[test]
    fn known_moments_are_written_as_a_calendar_has_them() {
        for (seconds, offset, expected) in [
            (0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (951_782_400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_709_251_199, 0, "Thu, 29 Feb 2024 23:59:59 +0000"),
            (1_735_689_599, 60, "Wed, 01 Jan 2025 00:59:59 +0100"),
            (4_107_542_400, -1, "Sun, 28 Feb 2100 23:59:00 -0001"),
            (FIRST, 0, "Mon, 01 Jan 1900 00:00:00 +0000"),
            (LAST, 0, "Fri, 31 Dec 9999 23:59:59 +0000"),
            (LAST + 1439 * 60, -1439, "Fri, 31 Dec 9999 23:59:59 -2359"),
        ] {
            assert_eq!(Timestamp::new(seconds, offset).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn every_day_follows_the_day_before() {
        let mut last = (1899, 12, 31);
        for day in FIRST / DAY..=LAST / DAY {
            let Date { year, month, day } = Date::of(day);
            let month = (month + 2) % 12 + 1;
            let (last_year, last_month, last_day) = last;
            let is_leap = last_year % 4 == 0 && (last_year % 100 != 0 || last_year % 400 == 0);
            let days = [31, 28 + i64::from(is_leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let next = if last_day < days[usize::try_from(last_month - 1).unwrap()] {
                (last_year, last_month, last_day + 1)
            } else if last_month < 12 {
                (last_year, last_month + 1, 1)
            } else {
                (last_year + 1, 1, 1)
            };
            last = (year, month, day);
            assert_eq!(last, next);
        }
    }

    #[test]
    fn what_the_grammar_cannot_say_is_none() {
        for (seconds, offset) in
            [(FIRST - 1, 0), (LAST + 1, 0), (LAST, 1), (0, 1440), (i64::MAX, 1)]
        {
            assert_eq!(Timestamp::new(seconds, offset), None);
        }
    }
}
