//! Times: BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865), RRVS (RFC 7293).

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::{opt, value};
use nom::sequence::{preceded, separated_pair};

use super::KIND;
use crate::grammar::{Fault, IResult, digits, literal, octet, run, split, whole, wire_text};
use crate::{Encode, SyntaxError, SyntaxErrorKind, Writer};

/// A moment: `date-time` of RFC 3339 §5.6, for instance `2027-01-01T00:00:00Z`.
///
/// The text is kept. Two are equal when their texts are, without regard to case.
///
/// ```
/// use ehlo::DateTime;
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
    /// `ParameterValue`, with the offset in `text`: no `date-time`, or a day, hour, minute, second
    /// or offset that there is not. Second 60 is a leap second, wherever it stands.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| {
            date_time(input).map(|(rest, fields)| (rest, fields.0))
        })
    }

    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds and without the fraction.
    pub fn unix_seconds(&self) -> i64 {
        date_time(self.0).map_or(0, |(_, (_, fields))| fields.unix_seconds())
    }

    /// Whether its offset from UTC is zero.
    pub fn is_utc(&self) -> bool {
        date_time(self.0).is_ok_and(|(_, (_, fields))| fields.offset_minutes == 0)
    }

    /// Whether it has a fraction of a second.
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

/// The numbers of a `date-time`.
#[derive(Clone, Copy)]
struct Fields {
    year: u32,
    month: u32,
    day: u32,
    seconds: u32,
    has_fraction: bool,
    offset_minutes: i32,
}

impl Fields {
    /// RFC 3339 §5.7.
    fn is_in_range(&self) -> bool {
        let is_leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            1..=12 => DAYS[self.month as usize & 15] + u32::from(self.month == 2 && is_leap),
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }

    /// Days are counted from 0000-03-01, so that the leap day is the last of its year.
    fn unix_seconds(&self) -> i64 {
        let (year, month) = if self.month > 2 {
            (i64::from(self.year), i64::from(self.month) - 3)
        } else {
            (i64::from(self.year) - 1, i64::from(self.month) + 9)
        };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let day = 365 * year + leap_days + (153 * month + 2) / 5 + i64::from(self.day) - 1;
        (day - DAYS_TO_1970) * 86_400 + i64::from(self.seconds)
            - i64::from(self.offset_minutes) * 60
    }
}

/// The days of each month in a year that is no leap year.
static DAYS: [u32; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// `date-time = full-date "T" full-time`, RFC 3339 §5.6, in either case.
fn date_time(input: &[u8]) -> IResult<'_, (DateTime<'_>, Fields)> {
    let Some((stamp, rest)) = input.split_first_chunk::<19>() else {
        return Fault::error(input, KIND);
    };
    let [
        y3,
        y2,
        y1,
        y0,
        b'-',
        m1,
        m0,
        b'-',
        d1,
        d0,
        b'T' | b't',
        h1,
        h0,
        b':',
        n1,
        n0,
        b':',
        s1,
        s0,
    ] = *stamp
    else {
        return Fault::error(input, KIND);
    };
    let digits = [y3, y2, y1, y0, m1, m0, d1, d0, h1, h0, n1, n0, s1, s0];
    if digits.iter().fold(false, |other, digit| other | (digit.wrapping_sub(b'0') > 9)) {
        return Fault::error(input, KIND);
    }
    let two = |tens: u8, ones: u8| u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
    let (year, month, day) = (two(y3, y2) * 100 + two(y1, y0), two(m1, m0), two(d1, d0));
    let (hour, minute, second) = (two(h1, h0), two(n1, n0), two(s1, s0));
    // RFC 3339 §5.7: 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
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
                separated_pair(hours, octet(b':', KIND), minutes).parse(rest)?;
            let minutes = i32::try_from(hours * 60 + minutes).unwrap_or_default();
            (rest, if *sign == b'-' { -minutes } else { minutes })
        }
        _ => return Fault::error(rest, KIND),
    };
    let seconds = hour * 3600 + minute * 60 + second;
    let fields = Fields { year, month, day, seconds, has_fraction, offset_minutes };
    if !fields.is_in_range() {
        return Fault::error(input, KIND);
    }
    Ok((rest, (DateTime(split(input, input.len().saturating_sub(rest.len())).0), fields)))
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

static DIGIT: crate::grammar::Class = {
    let mut class = [false; 256];
    let mut octet = b'0';
    while octet <= b'9' {
        class[octet as usize] = true;
        octet += 1;
    }
    class
};

/// `hold-until-param = "HOLDUNTIL=" future-release-date-time`, its value: RFC 4865 §4, in UTC.
pub(super) fn hold_until(input: &[u8]) -> IResult<'_, DateTime<'_>> {
    let (rest, (moment, fields)) = date_time(input)?;
    if fields.offset_minutes == 0 { Ok((rest, moment)) } else { Fault::error(input, KIND) }
}

/// HOLDFOR=: seconds before a message is released, 1 to 999 999 999, RFC 4865 §4.
///
/// ```
/// use ehlo::HoldInterval;
///
/// assert_eq!(HoldInterval::new(86_400)?.seconds(), 86_400);
/// assert!(HoldInterval::new(0).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldInterval(u32);

impl HoldInterval {
    /// An interval of this many seconds.
    ///
    /// # Errors
    ///
    /// `ParameterValue` out of range.
    pub const fn new(seconds: u32) -> Result<Self, SyntaxError> {
        if matches!(seconds, 1..=999_999_999) { Ok(Self(seconds)) } else { Err(OUT_OF_RANGE) }
    }

    /// The seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl Encode for HoldInterval {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put_number(u64::from(self.0));
    }
}

/// `future-release-integer = %x31-39 *8DIGIT`.
pub(super) fn hold_for(input: &[u8]) -> IResult<'_, HoldInterval> {
    if input.first() == Some(&b'0') {
        return Fault::error(input, KIND);
    }
    let (rest, seconds) = digits(input, 9, KIND)?;
    Ok((rest, HoldInterval(nine_digits(seconds))))
}

/// BY=: when a message must be delivered, and what else, RFC 2852 §4.
///
/// ```
/// use ehlo::{ByMode, By};
///
/// let by = By::new(-10, ByMode::Notify, false)?;
/// assert_eq!(by.seconds(), -10);
/// assert!(By::new(0, ByMode::Return, false).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct By {
    seconds: i32,
    mode: ByMode,
    trace: bool,
}

/// What happens when the time of BY= is up, RFC 2852 §4.
///
/// ```
/// use ehlo::{ByMode, By};
///
/// assert_eq!(By::new(120, ByMode::Return, true)?.mode(), ByMode::Return);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByMode {
    /// `N`: notify the sender and go on.
    Notify,
    /// `R`: return the message.
    Return,
}

impl By {
    /// Within `seconds` from now; `trace` asks for notification of each relay.
    ///
    /// # Errors
    ///
    /// `ParameterValue` out of ±999 999 999, and for zero or less with [`ByMode::Return`].
    pub const fn new(seconds: i32, mode: ByMode, trace: bool) -> Result<Self, SyntaxError> {
        // RFC 2852 §4: "a negative or zero value is not allowed with a by-mode of "R"".
        let is_late = matches!(mode, ByMode::Return) && seconds <= 0;
        if is_late || !matches!(seconds, -999_999_999..=999_999_999) {
            return Err(OUT_OF_RANGE);
        }
        Ok(Self { seconds, mode, trace })
    }

    /// Seconds left, from the moment of the command; negative when they are over.
    pub const fn seconds(self) -> i32 {
        self.seconds
    }

    /// What happens then.
    pub const fn mode(self) -> ByMode {
        self.mode
    }

    /// Whether each relay is to notify the sender.
    pub const fn trace(self) -> bool {
        self.trace
    }
}

impl Encode for By {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.seconds < 0 {
            writer.put(b"-");
        }
        writer.put_number(u64::from(self.seconds.unsigned_abs()));
        writer.put(match self.mode {
            ByMode::Notify => b";N",
            ByMode::Return => b";R",
        });
        if self.trace {
            writer.put(b"T");
        }
    }
}

/// `by-value = by-time";"by-mode[by-trace]`, `by-time = ["-" / "+"]1*9digit`,
/// `by-mode = "N" / "R"`, `by-trace = "T"`.
pub(super) fn deliver_by(input: &[u8]) -> IResult<'_, By> {
    let (is_negative, number) = match input.split_first() {
        Some((sign @ (b'-' | b'+'), number)) => (*sign == b'-', number),
        _ => (false, input),
    };
    let (rest, seconds) = digits(number, 9, KIND)?;
    let mode = alt((
        value(ByMode::Notify, literal(b"N", KIND)),
        value(ByMode::Return, literal(b"R", KIND)),
    ));
    let (rest, mode) = preceded(octet(b';', KIND), mode).parse(rest)?;
    let (rest, trace) = opt(literal(b"T", KIND)).parse(rest)?;
    let seconds = i32::try_from(nine_digits(seconds)).unwrap_or_default();
    let seconds = if is_negative { -seconds } else { seconds };
    match By::new(seconds, mode, trace.is_some()) {
        Ok(by) => Ok((rest, by)),
        Err(_) => Fault::error(input, KIND),
    }
}

/// RRVS=: since when the recipient must have been the same, RFC 7293 §3.1.
///
/// ```
/// use ehlo::{DateTime, Rrvs, RrvsAction};
///
/// let rrvs = Rrvs::new(DateTime::new("2014-04-03T23:01:00Z")?, Some(RrvsAction::Continue))?;
/// assert_eq!(rrvs.since().as_str(), "2014-04-03T23:01:00Z");
/// assert!(Rrvs::new(DateTime::new("2014-04-03T23:01:00.5Z")?, None).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rrvs<'a> {
    since: DateTime<'a>,
    action: Option<RrvsAction>,
}

/// What to do when the next hop does not offer RRVS, RFC 7293 §3.1.
///
/// ```
/// use ehlo::{DateTime, Rrvs, RrvsAction};
///
/// // Absent, it is `Reject`.
/// let rrvs = Rrvs::new(DateTime::new("2014-04-03T23:01:00Z")?, None)?;
/// assert_eq!(rrvs.action().unwrap_or(RrvsAction::Reject), RrvsAction::Reject);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RrvsAction {
    /// `C`: relay all the same.
    Continue,
    /// `R`: refuse.
    Reject,
}

impl<'a> Rrvs<'a> {
    /// Valid since this moment.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when the moment has a fraction.
    pub fn new(since: DateTime<'a>, action: Option<RrvsAction>) -> Result<Self, SyntaxError> {
        // RFC 7293 §3.1 has no fraction of a second.
        if since.has_fraction() { Err(OUT_OF_RANGE) } else { Ok(Self { since, action }) }
    }

    /// The moment.
    pub const fn since(self) -> DateTime<'a> {
        self.since
    }

    /// What to do when the next hop cannot tell.
    pub const fn action(self) -> Option<RrvsAction> {
        self.action
    }
}

impl Encode for Rrvs<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.since.write_to(writer);
        match self.action {
            Some(RrvsAction::Continue) => writer.put(b";C"),
            Some(RrvsAction::Reject) => writer.put(b";R"),
            None => {}
        }
    }
}

/// `rrvs-param = "RRVS=" date-time [ ";" ( "C" / "R" ) ]`, its value.
pub(super) fn rrvs(input: &[u8]) -> IResult<'_, Rrvs<'_>> {
    let (rest, (since, fields)) = date_time(input)?;
    // RFC 7293 §3.1 has no fraction of a second.
    if fields.has_fraction {
        return Fault::error(input, KIND);
    }
    let action = alt((
        value(RrvsAction::Continue, literal(b";C", KIND)),
        value(RrvsAction::Reject, literal(b";R", KIND)),
    ));
    let (rest, action) = opt(action).parse(rest)?;
    Ok((rest, Rrvs { since, action }))
}

/// The number of nine digits or fewer, which always fits.
pub(super) fn nine_digits(number: Option<u64>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

const OUT_OF_RANGE: SyntaxError = SyntaxError { kind: SyntaxErrorKind::ParameterValue, offset: 0 };

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

    #[test]
    fn hold_until_is_in_utc() {
        assert!(hold_until(b"2027-01-01T00:00:00+00:00").is_ok());
        assert!(hold_until(b"2027-01-01T00:00:00+01:00").is_err());
    }
}
