//! `date-time`, RFC 3339 §5.6.

use nom::Parser as _;
use nom::sequence::separated_pair;

use super::KIND;
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{Fault, IResult, byte, run, split, whole, wire_text};

/// A moment: `date-time` of RFC 3339 §5.6, for instance `2027-01-01T00:00:00Z`.
///
/// The text is kept. Two values are equal when their texts are, in any case.
///
/// ```
/// use ehlo::syntax::parameter::DateTime;
///
/// let moment = DateTime::new("1970-01-02T01:00:00.5+01:00")?;
/// assert_eq!(moment.unix_seconds(), 86_400);
/// assert!(DateTime::new("2026-02-29T00:00:00Z").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct DateTime<'a>(&'a [u8]);

impl<'a> DateTime<'a> {
    /// The moment of this text.
    ///
    /// # Errors
    ///
    /// `ParameterValue`, with the offset in `text`: not a `date-time`, or a day, hour, minute,
    /// second or offset that does not exist. Second 60 is a leap second in every minute.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| {
            date_time(input).map(|(rest, fields)| (rest, fields.0))
        })
    }

    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds and without the fraction.
    pub fn unix_seconds(&self) -> i64 {
        date_time(self.0).map_or(0, |(_, (_, fields))| fields.unix_seconds())
    }

    /// Returns `true` if its offset from UTC is zero.
    pub fn is_utc(&self) -> bool {
        date_time(self.0).is_ok_and(|(_, (_, fields))| fields.offset_minutes == 0)
    }

    /// Returns `true` if it has a fraction of a second.
    pub fn has_fraction(&self) -> bool {
        self.0.contains(&b'.')
    }
}

wire_text!(DateTime);

impl PartialEq for DateTime<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for DateTime<'_> {}

impl core::hash::Hash for DateTime<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.unix_seconds().hash(state);
    }
}

/// The fields of a `date-time`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    /// `full-date "T" partial-time` without the fraction, in range.
    stamp: &'a [u8; 19],
    pub(super) has_fraction: bool,
    pub(super) offset_minutes: i32,
}

impl Fields<'_> {
    /// Days are counted from 0000-03-01, so that the leap day is the last of its year.
    fn unix_seconds(&self) -> i64 {
        let [y3, y2, y1, y0, _, m1, m0, _, d1, d0, _, h1, h0, _, n1, n0, _, s1, s0] = *self.stamp;
        let [year, month, day] = [two(y3, y2) * 100 + two(y1, y0), two(m1, m0), two(d1, d0)];
        let [hour, minute, second] = [two(h1, h0), two(n1, n0), two(s1, s0)];
        let (year, month) = if month > 2 {
            (i64::from(year), i64::from(month) - 3)
        } else {
            (i64::from(year) - 1, i64::from(month) + 9)
        };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let day = 365 * year + leap_days + (153 * month + 2) / 5 + i64::from(day) - 1;
        (day - DAYS_TO_1970) * 86_400 + i64::from(hour * 3600 + minute * 60 + second)
            - i64::from(self.offset_minutes) * 60
    }
}

/// The days of each month in a year that is not a leap year.
static DAYS: [u32; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// `date-time = full-date "T" full-time`, RFC 3339 §5.6, in either case.
#[inline]
pub(super) fn date_time(input: &[u8]) -> IResult<'_, (DateTime<'_>, Fields<'_>)> {
    let Some((stamp, rest)) = input.split_first_chunk::<19>() else {
        return Fault::error(input, KIND);
    };
    if !is_stamp(stamp) {
        return Fault::error(input, KIND);
    }
    let has_fraction = rest.first() == Some(&b'.');
    let rest = match rest {
        // `time-secfrac = "." 1*DIGIT`
        [b'.', fraction @ ..] => {
            let (taken, after) = split(fraction, run(fraction, &DIGIT));
            if taken.is_empty() {
                return Fault::error(fraction, KIND);
            }
            after
        }
        rest => rest,
    };
    // `time-offset = "Z" / time-numoffset`, `time-numoffset = ("+" / "-") time-hour ":" time-minute`
    let (rest, offset_minutes) = match rest.split_first() {
        Some((b'Z' | b'z', rest)) => (rest, 0),
        Some((sign @ (b'+' | b'-'), rest)) => {
            let hours = |i| number::<2>(i, 23);
            let minutes = |i| number::<2>(i, 59);
            let (rest, (hours, minutes)) =
                separated_pair(hours, byte(b':', KIND), minutes).parse(rest)?;
            let minutes = i32::try_from(hours * 60 + minutes).unwrap_or_default();
            (rest, if *sign == b'-' { -minutes } else { minutes })
        }
        _ => return Fault::error(rest, KIND),
    };
    let fields = Fields { stamp, has_fraction, offset_minutes };
    Ok((rest, (DateTime(split(input, input.len().saturating_sub(rest.len())).0), fields)))
}

/// Whether the bytes are digits and separators in the places of `full-date "T" partial-time`, and
/// every number is in the range of RFC 3339 §5.7.
#[inline]
fn is_stamp(stamp: &[u8; 19]) -> bool {
    let (Some(head), Some(tail)) = (stamp.first_chunk(), stamp.last_chunk()) else {
        return false;
    };
    // The highest value of each byte, whatever stands beside it.
    let head =
        excess(head, b"0000-00-00T00:00", &[9, 9, 9, 9, 0, 1, 9, 0, 3, 9, 32, 2, 9, 0, 5, 9]);
    let tail =
        excess(tail, b"0-00-00T00:00:00", &[9, 0, 1, 9, 0, 3, 9, 32, 2, 9, 0, 5, 9, 0, 6, 9]);
    if head | tail != 0 {
        return false;
    }
    let [y3, y2, y1, y0, _, m1, m0, _, d1, d0, t, h1, h0, _, _, _, _, s1, s0] = *stamp;
    // §5.7: 60 is a leap second.
    let is_time = matches!(t, b'T' | b't') && (h1 < b'2' || h0 < b'4') && (s1 < b'6' || s0 == b'0');
    let (month, day) = (two(m1, m0), two(d1, d0));
    // Every valid month has at least 28 days.
    let is_date = (1..=12).contains(&month) && day >= 1;
    is_time && is_date && (day <= 28 || day <= days(two(y3, y2), two(y1, y0), month))
}

/// The days of a month in a year of this century and this number in it.
fn days(century: u32, year: u32, month: u32) -> u32 {
    let is_leap = if year == 0 { century % 4 == 0 } else { year % 4 == 0 };
    DAYS[month as usize & 15] + u32::from(month == 2 && is_leap)
}

/// The number of two digits.
#[inline]
fn two(tens: u8, ones: u8) -> u32 {
    u32::from(tens - b'0') * 10 + u32::from(ones - b'0')
}

/// The excess of each byte over the range of its place, which starts at `first` and has `most`
/// values above it; a byte below `first` wraps to a large value. There is no branch, so that the
/// compiler compares all bytes at once.
#[inline]
fn excess(bytes: &[u8; 16], first: &[u8; 16], most: &[u8; 16]) -> u128 {
    let mut excess = [0; 16];
    for (((excess, byte), first), most) in excess.iter_mut().zip(bytes).zip(first).zip(most) {
        *excess = byte.wrapping_sub(*first).saturating_sub(*most);
    }
    u128::from_le_bytes(excess)
}

/// `N DIGIT`, at most `max`.
fn number<const N: usize>(input: &[u8], max: u32) -> IResult<'_, u32> {
    let Some((digits, rest)) = input.split_first_chunk::<N>() else {
        return Fault::error(input, KIND);
    };
    let mut number = 0_u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Fault::error(input, KIND);
        }
        // At most four digits.
        number = number * 10 + u32::from(digit - b'0');
    }
    if number > max { Fault::error(input, KIND) } else { Ok((rest, number)) }
}

static DIGIT: crate::syntax::grammar::Class = {
    let mut class = [false; 256];
    let mut byte = b'0';
    while byte <= b'9' {
        class[byte as usize] = true;
        byte += 1;
    }
    class
};

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use super::*;

    #[test]
    fn unix_seconds_of_known_moments() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2000-03-01T00:00:00-01:30", 951_874_200),
            ("1969-12-31T23:59:59z", -1),
            ("9999-12-31t23:59:60Z", 253_402_300_800),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
        ] {
            assert_eq!(DateTime::new(text).unwrap().unix_seconds(), seconds, "{text}");
        }
    }

    #[test]
    fn moments_that_are_none() {
        for text in [
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01 00:00:00Z",
            "2026-1-1T00:00:00Z",
        ] {
            assert!(DateTime::new(text).is_err(), "{text}");
        }
    }
}
