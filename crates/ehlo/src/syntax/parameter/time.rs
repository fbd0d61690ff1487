//! Times: BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865), RRVS (RFC 7293).

use super::KIND;
use super::date_time::{DateTime, date_time};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{Fault, IResult, digits, display, of_byte};

/// `hold-until-param = "HOLDUNTIL=" future-release-date-time`, its value: RFC 4865 §4, in UTC.
pub(super) fn hold_until(input: &[u8]) -> IResult<'_, DateTime<'_>> {
    let (rest, (moment, fields)) = date_time(input)?;
    if fields.offset_minutes == 0 { Ok((rest, moment)) } else { Fault::error(input, KIND) }
}

/// HOLDFOR=: seconds before a message is released, 1 to 999,999,999, RFC 4865 §4.
///
/// ```
/// use ehlo::syntax::parameter::HoldInterval;
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

impl core::fmt::Display for HoldInterval {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
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

/// BY=: the time by which a message must be delivered, and the action after it, RFC 2852 §4.
///
/// ```
/// use ehlo::syntax::parameter::{By, ByMode};
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

/// The action when the time of BY= is up, RFC 2852 §4.
///
/// ```
/// use ehlo::syntax::parameter::{By, ByMode};
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
    /// Within `seconds` from now; `trace` asks for a notification from each relay.
    ///
    /// # Errors
    ///
    /// `ParameterValue` out of ±999,999,999, and for zero or less with [`ByMode::Return`].
    pub const fn new(seconds: i32, mode: ByMode, trace: bool) -> Result<Self, SyntaxError> {
        // RFC 2852 §4: "a negative or zero value is not allowed with a by-mode of "R"".
        let is_late = matches!(mode, ByMode::Return) && seconds <= 0;
        if is_late || !matches!(seconds, -999_999_999..=999_999_999) {
            return Err(OUT_OF_RANGE);
        }
        Ok(Self { seconds, mode, trace })
    }

    /// The seconds left, from the moment of the command; negative when the time is up.
    pub const fn seconds(self) -> i32 {
        self.seconds
    }

    /// The action when the time is up.
    pub const fn mode(self) -> ByMode {
        self.mode
    }

    /// Returns `true` if each relay notifies the sender.
    pub const fn trace(self) -> bool {
        self.trace
    }
}

impl core::fmt::Display for By {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
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
    let (mode, rest) = match rest {
        [b';', b'N' | b'n', rest @ ..] => (ByMode::Notify, rest),
        [b';', b'R' | b'r', rest @ ..] => (ByMode::Return, rest),
        [b';', rest @ ..] | rest => return Fault::error(rest, of_byte(rest, KIND)),
    };
    let (trace, rest) = match rest {
        [b'T' | b't', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let seconds = i32::try_from(nine_digits(seconds)).unwrap_or_default();
    let seconds = if is_negative { -seconds } else { seconds };
    match By::new(seconds, mode, trace) {
        Ok(by) => Ok((rest, by)),
        Err(_) => Fault::error(input, KIND),
    }
}

/// RRVS=: the time since which the owner of the mailbox must have been the same, RFC 7293 §3.1.
///
/// ```
/// use ehlo::syntax::parameter::{DateTime, Rrvs, RrvsAction};
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

/// The action when the next hop does not offer RRVS, RFC 7293 §3.1.
///
/// ```
/// use ehlo::syntax::parameter::{DateTime, Rrvs, RrvsAction};
///
/// // Absent, it is `Reject`.
/// let rrvs = Rrvs::new(DateTime::new("2014-04-03T23:01:00Z")?, None)?;
/// assert_eq!(rrvs.action().unwrap_or(RrvsAction::Reject), RrvsAction::Reject);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RrvsAction {
    /// `C`: relay without RRVS.
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

    /// The action when the next hop does not offer RRVS.
    pub const fn action(self) -> Option<RrvsAction> {
        self.action
    }
}

impl core::fmt::Display for Rrvs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
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
    let (action, rest) = match rest {
        [b';', b'C' | b'c', rest @ ..] => (Some(RrvsAction::Continue), rest),
        [b';', b'R' | b'r', rest @ ..] => (Some(RrvsAction::Reject), rest),
        rest => (None, rest),
    };
    Ok((rest, Rrvs { since, action }))
}

/// The number of nine digits or fewer, which always fits in a `u32`.
pub(super) fn nine_digits(number: Option<u64>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

const OUT_OF_RANGE: SyntaxError = SyntaxError { kind: SyntaxErrorKind::ParameterValue, offset: 0 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_until_is_in_utc() {
        assert!(hold_until(b"2027-01-01T00:00:00+00:00").is_ok());
        assert!(hold_until(b"2027-01-01T00:00:00+01:00").is_err());
    }
}
