//! The parameters of one command: `Mail-parameters` and `Rcpt-parameters`, RFC 5321 §4.1.2.

// As in `command/parse.rs`.
#![allow(clippy::inline_always)]

use super::marks::{BINARY, HOLD, UNKNOWN, UTF8};
use super::place::Place;
use super::table::{Known, Parameter};
use super::word::Body;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::extension::Extension;
use crate::syntax::grammar::{
    Fault, IResult, after_space, is_end, of_byte, skip_white_space, split,
};
use crate::syntax::policy::Policy;

/// `esmtp-param *(SP esmtp-param)`: as received, each checked once, or given by the caller.
///
/// No known parameter appears in it twice.
///
/// ```
/// use ehlo::syntax::parameter::{Body, Parameter, Parameters};
///
/// let list = [Parameter::Size(1000), Parameter::Body(Body::EightBitMime)];
/// let parameters = Parameters::mail(&list)?;
/// assert_eq!(parameters.size(), Some(1000));
/// assert_eq!(parameters.to_string(), "SIZE=1000 BODY=8BITMIME");
/// assert!(Parameters::rcpt(&list).is_err());
/// assert!(Parameters::mail(&[Parameter::Prdr, Parameter::Prdr]).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "ESMTP parameters")]
#[derive(Clone, Copy)]
pub struct Parameters<'a>(Source<'a>);

/// The place of the parameters, and the set of those seen there.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    /// Valid, each with the white space in front.
    Wire {
        text: &'a [u8],
        seen: u32,
    },
    List {
        list: &'a [Parameter<'a>],
        seen: u32,
    },
}

impl<'a> Parameters<'a> {
    /// No parameters.
    pub const NONE: Self = Self(Source::Wire { text: &[], seen: 0 });

    /// These parameters, for a command that is chosen later.
    ///
    /// # Errors
    ///
    /// `DuplicateParameter` when a known parameter appears twice, or HOLDFOR beside HOLDUNTIL;
    /// `offset` is the index in `list`.
    pub fn new(list: &'a [Parameter<'a>]) -> Result<Self, SyntaxError> {
        Self::placed(list, Place::Both)
    }

    /// These parameters, for MAIL.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and `MisplacedParameter` for a parameter of RCPT.
    pub fn mail(list: &'a [Parameter<'a>]) -> Result<Self, SyntaxError> {
        Self::placed(list, Place::Mail)
    }

    /// These parameters, for RCPT.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and `MisplacedParameter` for a parameter of MAIL.
    pub fn rcpt(list: &'a [Parameter<'a>]) -> Result<Self, SyntaxError> {
        Self::placed(list, Place::Rcpt)
    }

    fn placed(list: &'a [Parameter<'a>], place: Place) -> Result<Self, SyntaxError> {
        let mut set = Set::new(place);
        for (offset, parameter) in list.iter().enumerate() {
            set.add(parameter.seen()).map_err(|kind| SyntaxError { kind, offset })?;
        }
        Ok(Self(Source::List { list, seen: set.seen }))
    }

    /// The parameters in their order.
    pub fn iter(&self) -> ParametersIter<'a> {
        ParametersIter(self.0)
    }

    const fn seen(&self) -> u32 {
        match self.0 {
            Source::Wire { seen, .. } | Source::List { seen, .. } => seen,
        }
    }

    /// Returns `true` if the list is empty.
    pub const fn is_empty(&self) -> bool {
        self.seen() == 0
    }

    /// SIZE=, bytes of the message; RFC 1870.
    pub fn size(&self) -> Option<u64> {
        self.find(Known::Size, |parameter| match parameter {
            Parameter::Size(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// BODY=; RFC 6152 and RFC 3030.
    pub fn body(&self) -> Option<Body> {
        self.find(Known::Body, |parameter| match parameter {
            Parameter::Body(body) => Some(body),
            _ => None,
        })
    }

    /// Returns `true` if SMTPUTF8 is among them; RFC 6531.
    pub const fn smtputf8(&self) -> bool {
        self.seen() & Known::SmtpUtf8.bit() != 0
    }

    /// Returns `true` if REQUIRETLS is among them; RFC 8689.
    pub const fn requiretls(&self) -> bool {
        self.seen() & Known::RequireTls.bit() != 0
    }

    /// The extensions that the known parameters among them need.
    pub fn extensions(&self) -> impl Iterator<Item = Extension> + use<> {
        let seen = self.seen();
        let binary = (seen & BINARY != 0).then_some(Extension::BinaryMime);
        Known::ALL
            .iter()
            .filter(move |known| seen & known.bit() != 0)
            .filter(move |known| binary.is_none() || **known != Known::Body)
            .map(|known| known.extension())
            .chain(binary)
    }

    /// The first parameter that this crate does not know.
    pub fn unknown(&self) -> Option<Parameter<'a>> {
        if self.seen() & UNKNOWN == 0 {
            return None;
        }
        self.iter().find(|parameter| matches!(parameter, Parameter::Other(_)))
    }

    /// The number of bytes that they add to the 512 of the command line, RFC 5321 §4.1.1.11.
    pub fn allowance(&self) -> usize {
        let known = Known::ALL.iter().filter(|known| self.seen() & known.bit() != 0);
        known.map(|known| known.allowance()).sum()
    }

    /// Returns `true` if a value among them is in UTF-8.
    pub(crate) const fn has_utf8(&self) -> bool {
        self.seen() & UTF8 != 0
    }

    fn find<T>(&self, known: Known, pick: impl Fn(Parameter<'a>) -> Option<T>) -> Option<T> {
        if self.seen() & known.bit() == 0 {
            return None;
        }
        self.iter().find_map(pick)
    }
}

impl Default for Parameters<'_> {
    fn default() -> Self {
        Self::NONE
    }
}

impl PartialEq for Parameters<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.seen() == other.seen() && self.iter().eq(other.iter())
    }
}

impl Eq for Parameters<'_> {}

impl core::hash::Hash for Parameters<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.iter().for_each(|parameter| parameter.hash(state));
    }
}

impl core::fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl core::fmt::Display for Parameters<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (i, parameter) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            core::fmt::Display::fmt(&parameter, f)?;
        }
        Ok(())
    }
}

impl Encode for Parameters<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        for (i, parameter) in self.iter().enumerate() {
            if i > 0 {
                writer.put(b" ");
            }
            parameter.write_to(writer);
        }
    }
}

impl<'a> IntoIterator for Parameters<'a> {
    type Item = Parameter<'a>;
    type IntoIter = ParametersIter<'a>;

    fn into_iter(self) -> ParametersIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Parameters<'a> {
    type Item = Parameter<'a>;
    type IntoIter = ParametersIter<'a>;

    fn into_iter(self) -> ParametersIter<'a> {
        self.iter()
    }
}

/// The parameters of a command, one by one: see [`Parameters::iter`].
///
/// ```
/// use ehlo::syntax::parameter::{Parameter, Parameters};
///
/// let list = [Parameter::Size(1000), Parameter::RequireTls];
/// let keywords: Vec<_> = Parameters::mail(&list)?.into_iter().map(|one| one.keyword()).collect();
/// assert_eq!(keywords, ["SIZE", "REQUIRETLS"]);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ParametersIter<'a>(Source<'a>);

impl<'a> Iterator for ParametersIter<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        match &mut self.0 {
            Source::List { list, .. } => {
                let (first, rest) = list.split_first()?;
                *list = rest;
                Some(*first)
            }
            Source::Wire { text, .. } => {
                let (rest, parameter) = Parameter::read(skip_white_space(text)).ok()?;
                *text = rest;
                Some(parameter)
            }
        }
    }
}

/// `*(SP esmtp-param)`, each with the space in front: the text behind a path.
#[inline(always)]
pub(crate) fn parameters<'i>(
    input: &'i [u8],
    place: Place,
    policy: &Policy,
) -> IResult<'i, Parameters<'i>> {
    if is_end(input) {
        return Ok((input, Parameters::NONE));
    }
    let (rest, seen) = check_params(input, place, policy)?;
    let text = split(input, input.len().saturating_sub(rest.len())).0;
    Ok((rest, Parameters(Source::Wire { text, seen })))
}

/// `*(SP esmtp-param)` up to the end of the line; returns the set of those seen.
fn check_params<'i>(input: &'i [u8], place: Place, policy: &Policy) -> IResult<'i, u32> {
    let mut text = match input {
        [b' ', text @ ..] => text,
        _ => match after_space(input, policy) {
            Some(text) => text,
            None => return Fault::error(input, of_byte(input, SyntaxErrorKind::Parameter)),
        },
    };
    let mut set = Set::new(place);
    loop {
        let (after, adds) = Parameter::check(text, policy)?;
        if let Err(kind) = set.add(adds) {
            return Fault::error(text, kind);
        }
        match after {
            [b' ', next @ ..] => text = next,
            [] | [b'\r', ..] => return Ok((after, set.seen)),
            _ => match after_space(after, policy) {
                Some(next) => text = next,
                // It was white space without a parameter.
                None if adds == 0 => text = after,
                None => {
                    return Fault::error(after, of_byte(after, SyntaxErrorKind::ParameterValue));
                }
            },
        }
    }
}

/// The set of the parameters seen in a command, and of those that may not follow.
struct Set {
    seen: u32,
    closed: u32,
    place: Place,
}

impl Set {
    fn new(place: Place) -> Self {
        // RFC 5321 §4.1.1.11 lets each extension say which command its parameters belong to.
        Self { seen: 0, closed: others(place), place }
    }

    /// Adds one parameter.
    #[inline]
    fn add(&mut self, more: u32) -> Result<(), SyntaxErrorKind> {
        if more & self.closed != 0 {
            let is_misplaced = more & others(self.place) != 0;
            return Err(if is_misplaced {
                SyntaxErrorKind::MisplacedParameter
            } else {
                SyntaxErrorKind::DuplicateParameter
            });
        }
        self.closed |= more & ONCE;
        self.seen |= more;
        Ok(())
    }
}

/// The parameters that do not belong to this command.
const fn others(place: Place) -> u32 {
    match place {
        Place::Mail => OF_RCPT_ALONE,
        Place::Rcpt => OF_MAIL_ALONE,
        Place::Both => 0,
    }
}

const OF_MAIL_ALONE: u32 = of(Place::Mail);
const OF_RCPT_ALONE: u32 = of(Place::Rcpt);

const fn of(place: Place) -> u32 {
    let mut of = 0;
    let mut i = 0;
    while i < Known::ALL.len() {
        if Known::ALL[i].place() as u8 == place as u8 {
            of |= Known::ALL[i].bit();
        }
        i += 1;
    }
    of
}

/// The number of bytes by which the parameters of the offered extensions may lengthen a line, RFC 5321
/// §4.5.3.1.4: the larger number of MAIL's and RCPT's.
pub(crate) fn allowance(is_offered: impl Fn(Extension) -> bool) -> usize {
    let of = |other: Place| {
        let offered = Known::ALL.iter().filter(|known| is_offered(known.extension()));
        offered.filter(|known| known.place() != other).map(|known| known.allowance()).sum::<usize>()
    };
    of(Place::Rcpt).max(of(Place::Mail))
}

/// The number of bytes that all parameters of MAIL, or all of RCPT, add to a line: the larger one.
pub(crate) const MAX_ALLOWANCE: usize = {
    let (mut mail, mut rcpt) = (0, 0);
    let mut i = 0;
    while i < Known::ALL.len() {
        let known = Known::ALL[i];
        mail += if matches!(known.place(), Place::Rcpt) { 0 } else { known.allowance() };
        rcpt += if matches!(known.place(), Place::Mail) { 0 } else { known.allowance() };
        i += 1;
    }
    if mail > rcpt { mail } else { rcpt }
};

/// The bits that may be set once: every known parameter, and one of those that exclude each other.
const ONCE: u32 = ((1 << Known::ALL.len()) - 1) | HOLD;
