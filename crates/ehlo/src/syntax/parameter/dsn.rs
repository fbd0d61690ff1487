//! The values of RFC 3461: RET, NOTIFY, ENVID.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::value;

use super::KIND;
use super::xtext::{Xtext, encoded1};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{
    Fault, IResult, after_literal, display, literal, of_byte, split, whole,
};

/// RET=: how much of the message a failure notification returns, RFC 3461 §4.3.
///
/// ```
/// use ehlo::syntax::parameter::{Parameter, Parameters, Ret};
///
/// let parameters = [Parameter::Ret(Ret::Hdrs)];
/// assert_eq!(Parameters::mail(&parameters)?.to_string(), "RET=HDRS");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header section only.
    Hdrs,
}

impl core::fmt::Display for Ret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
    }
}

impl Encode for Ret {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(match self {
            Self::Full => b"FULL",
            Self::Hdrs => b"HDRS",
        });
    }
}

/// `"FULL" / "HDRS"`.
pub(super) fn ret(input: &[u8]) -> IResult<'_, Ret> {
    alt((value(Ret::Full, literal(b"FULL", KIND)), value(Ret::Hdrs, literal(b"HDRS", KIND))))
        .parse(input)
}

/// NOTIFY=: the set of events of which the sender wants notifications, RFC 3461 §4.1.
///
/// The empty set is `NEVER`.
///
/// ```
/// use ehlo::syntax::parameter::Notify;
///
/// let notify = Notify::SUCCESS | Notify::DELAY;
/// assert!(notify.contains(Notify::DELAY));
/// assert!(!notify.contains(Notify::FAILURE));
/// assert_eq!(Notify::NEVER | Notify::FAILURE, Notify::FAILURE);
/// ```
#[doc(alias = "DSN")]
#[doc(alias = "delivery status notification")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Notify(u8);

impl Notify {
    /// No notification at all.
    pub const NEVER: Self = Self(0);
    /// Delivery.
    pub const SUCCESS: Self = Self(1);
    /// Failure of delivery.
    pub const FAILURE: Self = Self(2);
    /// Delay of delivery.
    pub const DELAY: Self = Self(4);

    /// Returns `true` if every event of `other` is in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        let names =
            [(Self::SUCCESS, "SUCCESS"), (Self::FAILURE, "FAILURE"), (Self::DELAY, "DELAY")];
        let never = (self == Self::NEVER).then_some("NEVER");
        never.into_iter().chain(
            names.into_iter().filter(move |(event, _)| self.contains(*event)).map(|(_, name)| name),
        )
    }
}

impl core::ops::BitOr for Notify {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::fmt::Debug for Notify {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl core::fmt::Display for Notify {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<64>(self, f)
    }
}

impl Encode for Notify {
    fn write_to(&self, writer: &mut Writer<'_>) {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                writer.put(b",");
            }
            writer.put(name.as_bytes());
        }
    }
}

/// `notify-esmtp-value = "NEVER" / 1#notify-list-element`,
/// `notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"`.
///
/// This rule refuses the null elements that RFC 822's list rule allows.
pub(super) fn notify(input: &[u8]) -> IResult<'_, Notify> {
    if let Some(rest) = after_literal(input, b"NEVER") {
        return Ok((rest, Notify::NEVER));
    }
    let mut events = Notify::NEVER;
    let mut rest = input;
    loop {
        let Some((after, event)) = notify_list_element(rest) else {
            return Fault::error(rest, of_byte(rest, KIND));
        };
        events = events | event;
        match after {
            [b',', next @ ..] => rest = next,
            _ => return Ok((after, events)),
        }
    }
}

/// `notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"`.
#[inline]
fn notify_list_element(input: &[u8]) -> Option<(&[u8], Notify)> {
    match input.first()? {
        b'S' | b's' => Some((after_literal(input, b"SUCCESS")?, Notify::SUCCESS)),
        b'F' | b'f' => Some((after_literal(input, b"FAILURE")?, Notify::FAILURE)),
        _ => Some((after_literal(input, b"DELAY")?, Notify::DELAY)),
    }
}

/// ENVID=: a name for the envelope, returned in notifications, RFC 3461 §4.4.
///
/// One to 100 characters of xtext.
///
/// ```
/// use ehlo::syntax::parameter::Envid;
///
/// assert_eq!(Envid::new("QQ 314159")?, Envid::from_encoded("QQ+20314159")?);
/// assert!(Envid::new("").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "DSN")]
#[doc(alias = "envelope id")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Envid<'a>(Xtext<'a>);

impl<'a> Envid<'a> {
    /// The identifier `plain`.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when `plain` is empty, too long once encoded, or holds a control byte.
    pub fn new(plain: &'a str) -> Result<Self, SyntaxError> {
        let xtext = Xtext::new(plain)?;
        if (1..=MAX_ENVID).contains(&xtext.wire_len()) {
            Ok(Self(xtext))
        } else {
            Err(SyntaxError { kind: KIND, offset: plain.len() })
        }
    }

    /// The identifier whose xtext is `text`.
    ///
    /// # Errors
    ///
    /// `ParameterValue`.
    pub fn from_encoded(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, envid)
    }

    /// The text as it travels.
    pub const fn xtext(&self) -> Xtext<'a> {
        self.0
    }
}

impl Encode for Envid<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.0.write_to(writer);
    }
}

/// `envid-parameter = "ENVID=" xtext`, its value.
pub(super) fn envid(input: &[u8]) -> IResult<'_, Envid<'_>> {
    let (rest, xtext) = encoded1(input)?;
    // RFC 3461 §4.4: at most 100 characters.
    if xtext.wire_len() > MAX_ENVID {
        return Fault::error(split(input, MAX_ENVID).1, KIND);
    }
    Ok((rest, Envid(xtext)))
}

const MAX_ENVID: usize = 100;
