//! The parameters of MAIL and RCPT, RFC 5321 §4.1.1.11, typed by their extensions' RFCs.

mod dsn;
mod known;
mod list;
mod orcpt;
mod time;
mod word;
mod xtext;

pub use dsn::{Envid, Notify, Ret};
pub use list::Parameters;
pub use orcpt::Orcpt;
pub use time::{By, ByMode, DateTime, HoldInterval, Rrvs, RrvsAction};
pub use word::{Body, Mtrk, OtherParameter, Priority, Solicit, TransId};
pub use xtext::{AuthIdentity, DecodedXtext, Xtext, XtextMailbox};

pub(crate) use known::{Place, allowance};
pub(crate) use list::parameters;
pub(crate) use xtext::encoded as xtext;

use crate::grammar::{Fault, IResult, display, is_word_end, of_octet, split};
use crate::{Encode, Extension, SyntaxErrorKind, Writer};
use known::Known;

const KIND: SyntaxErrorKind = SyntaxErrorKind::ParameterValue;

/// One parameter: `esmtp-param = esmtp-keyword ["=" esmtp-value]`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::{Extension, Parameter, Priority};
///
/// let parameter = Parameter::MtPriority(Priority::new(-3)?);
/// assert_eq!(parameter.to_string(), "MT-PRIORITY=-3");
/// assert_eq!(parameter.extension(), Some(Extension::MtPriority));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Parameter<'a> {
    /// MAIL: octets of the message, RFC 1870; more than [`u64::MAX`] reads as that.
    Size(u64),
    /// MAIL: the kind of content, RFC 6152 and RFC 3030.
    Body(Body),
    /// MAIL: addresses and headers may be in UTF-8, RFC 6531.
    SmtpUtf8,
    /// MAIL: how much of the message a notification returns, RFC 3461.
    Ret(Ret),
    /// MAIL: a name for the envelope, RFC 3461.
    Envid(Envid<'a>),
    /// MAIL: the submitter, RFC 4954 §5.
    Auth(AuthIdentity<'a>),
    /// MAIL: deliver by a time, RFC 2852.
    By(By),
    /// MAIL: release after this long, RFC 4865.
    HoldFor(HoldInterval),
    /// MAIL: release at this moment, in UTC, RFC 4865.
    HoldUntil(DateTime<'a>),
    /// MAIL: the priority, RFC 6710.
    MtPriority(Priority),
    /// MAIL: relay over verified TLS only, RFC 8689.
    RequireTls,
    /// MAIL: what it solicits, RFC 3865.
    Solicit(Solicit<'a>),
    /// MAIL: tracking, RFC 3885.
    Mtrk(Mtrk<'a>),
    /// MAIL: the name of a transaction to take up again, RFC 1845.
    TransId(TransId<'a>),
    /// MAIL: content may be converted, RFC 4141.
    ConPerm,
    /// MAIL: the responsible submitter, RFC 4405.
    Submitter(XtextMailbox<'a>),
    /// MAIL and RCPT: an address in US-ASCII in place of one in UTF-8, RFC 5336; obsolete.
    AltAddress(XtextMailbox<'a>),
    /// MAIL: a reply for each recipient after the data, Exim; not registered.
    Prdr,
    /// RCPT: the events to be notified of, RFC 3461.
    Notify(Notify),
    /// RCPT: the original recipient, RFC 3461.
    Orcpt(Orcpt<'a>),
    /// RCPT: valid since, RFC 7293.
    Rrvs(Rrvs<'a>),
    /// RCPT: tell what content the recipient can take, RFC 4141.
    ConNeg,
    /// Any other.
    Other(OtherParameter<'a>),
}

impl<'a> Parameter<'a> {
    /// The keyword, in upper case; that of an unknown parameter as it was written.
    pub fn keyword(&self) -> &'a str {
        match self.known() {
            Ok(known) => known.keyword(),
            Err(other) => other.keyword(),
        }
    }

    /// The extension that licenses it; `None` for an unknown one.
    pub fn extension(&self) -> Option<Extension> {
        match self {
            Self::Body(Body::BinaryMime) => Some(Extension::BinaryMime),
            _ => self.known().ok().map(Known::extension),
        }
    }

    /// Octets that it adds to the 512 of a command line, RFC 5321 §4.1.1.11; 0 for an unknown one.
    pub fn allowance(&self) -> usize {
        self.known().map_or(0, Known::allowance)
    }

    fn known(&self) -> Result<Known, OtherParameter<'a>> {
        Ok(match self {
            Self::Size(_) => Known::Size,
            Self::Body(_) => Known::Body,
            Self::SmtpUtf8 => Known::SmtpUtf8,
            Self::Ret(_) => Known::Ret,
            Self::Envid(_) => Known::Envid,
            Self::Auth(_) => Known::Auth,
            Self::By(_) => Known::By,
            Self::HoldFor(_) => Known::HoldFor,
            Self::HoldUntil(_) => Known::HoldUntil,
            Self::MtPriority(_) => Known::MtPriority,
            Self::RequireTls => Known::RequireTls,
            Self::Solicit(_) => Known::Solicit,
            Self::Mtrk(_) => Known::Mtrk,
            Self::TransId(_) => Known::TransId,
            Self::ConPerm => Known::ConPerm,
            Self::Submitter(_) => Known::Submitter,
            Self::AltAddress(_) => Known::AltAddress,
            Self::Prdr => Known::Prdr,
            Self::Notify(_) => Known::Notify,
            Self::Orcpt(_) => Known::Orcpt,
            Self::Rrvs(_) => Known::Rrvs,
            Self::ConNeg => Known::ConNeg,
            Self::Other(other) => return Err(*other),
        })
    }

    /// What it adds to a set of parameters seen.
    fn seen(&self) -> u32 {
        let seen = self.known().map_or(list::UNKNOWN, Known::bit);
        match self {
            Self::Body(Body::BinaryMime) => seen | list::BINARY,
            Self::Orcpt(orcpt) if !orcpt.is_ascii() => seen | list::UTF8,
            Self::Other(other) if !other.is_ascii() => seen | list::UTF8,
            _ => seen,
        }
    }
}

impl core::fmt::Display for Parameter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<1024>(self, f)
    }
}

impl Encode for Parameter<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if let Self::Other(other) = self {
            return other.write_to(writer);
        }
        writer.put(self.keyword().as_bytes());
        match self {
            Self::Size(octets) => {
                writer.put(b"=");
                writer.put_number(*octets);
            }
            Self::Body(value) => assign(value, writer),
            Self::Ret(value) => assign(value, writer),
            Self::Envid(value) => assign(value, writer),
            Self::Auth(value) => assign(value, writer),
            Self::By(value) => assign(value, writer),
            Self::HoldFor(value) => assign(value, writer),
            Self::HoldUntil(value) => assign(value, writer),
            Self::MtPriority(value) => assign(value, writer),
            Self::Solicit(value) => assign(value, writer),
            Self::Mtrk(value) => assign(value, writer),
            Self::TransId(value) => assign(value, writer),
            Self::Submitter(value) | Self::AltAddress(value) => assign(value, writer),
            Self::Notify(value) => assign(value, writer),
            Self::Orcpt(value) => assign(value, writer),
            Self::Rrvs(value) => assign(value, writer),
            Self::SmtpUtf8
            | Self::RequireTls
            | Self::ConPerm
            | Self::Prdr
            | Self::ConNeg
            | Self::Other(_) => {}
        }
    }
}

/// `"=" esmtp-value`.
fn assign(value: &impl Encode, writer: &mut Writer<'_>) {
    writer.put(b"=");
    value.write_to(writer);
}

/// `esmtp-param = esmtp-keyword ["=" esmtp-value]` that is known to be right.
fn esmtp_param(input: &[u8]) -> IResult<'_, Parameter<'_>> {
    let Some((known, rest)) = known::identify(input) else {
        let (rest, keyword) = word::esmtp_keyword(input)?;
        let (rest, value) = other_value(rest, true)?;
        return Ok((rest, Parameter::Other(OtherParameter::known(keyword, value))));
    };
    let text = split(rest, 1).1;
    Ok(match known {
        Known::Size => word::size(text).map(|(rest, v)| (rest, Parameter::Size(v)))?,
        Known::Body => word::body(text).map(|(rest, v)| (rest, Parameter::Body(v)))?,
        Known::SmtpUtf8 => (rest, Parameter::SmtpUtf8),
        Known::Ret => dsn::ret(text).map(|(rest, v)| (rest, Parameter::Ret(v)))?,
        Known::Envid => dsn::envid(text).map(|(rest, v)| (rest, Parameter::Envid(v)))?,
        Known::Auth => xtext::auth_identity(text).map(|(rest, v)| (rest, Parameter::Auth(v)))?,
        Known::By => time::deliver_by(text).map(|(rest, v)| (rest, Parameter::By(v)))?,
        Known::HoldFor => time::hold_for(text).map(|(rest, v)| (rest, Parameter::HoldFor(v)))?,
        Known::HoldUntil => {
            time::hold_until(text).map(|(rest, v)| (rest, Parameter::HoldUntil(v)))?
        }
        Known::MtPriority => {
            word::priority(text).map(|(rest, v)| (rest, Parameter::MtPriority(v)))?
        }
        Known::RequireTls => (rest, Parameter::RequireTls),
        Known::Solicit => word::solicit(text).map(|(rest, v)| (rest, Parameter::Solicit(v)))?,
        Known::Mtrk => word::mtrk(text).map(|(rest, v)| (rest, Parameter::Mtrk(v)))?,
        Known::TransId => word::trans_id(text).map(|(rest, v)| (rest, Parameter::TransId(v)))?,
        Known::ConPerm => (rest, Parameter::ConPerm),
        Known::Submitter => {
            xtext::xtext_mailbox(text).map(|(rest, v)| (rest, Parameter::Submitter(v)))?
        }
        Known::AltAddress => {
            xtext::xtext_mailbox(text).map(|(rest, v)| (rest, Parameter::AltAddress(v)))?
        }
        Known::Prdr => (rest, Parameter::Prdr),
        Known::Notify => dsn::notify(text).map(|(rest, v)| (rest, Parameter::Notify(v)))?,
        Known::Orcpt => orcpt::orcpt(text, true).map(|(rest, v)| (rest, Parameter::Orcpt(v)))?,
        Known::Rrvs => time::rrvs(text).map(|(rest, v)| (rest, Parameter::Rrvs(v)))?,
        Known::ConNeg => (rest, Parameter::ConNeg),
    })
}

/// `esmtp-param` up to a space or the end of the line, each value by the grammar of its RFC; gives
/// what it adds to a set of parameters seen.
#[inline]
fn check_param(input: &[u8], utf8: bool) -> IResult<'_, u32> {
    let Some((known, after)) = known::identify(input) else {
        return check_other(input, utf8);
    };
    let (rest, flags) = check_value(known, after, utf8)?;
    if !is_word_end(rest) {
        return Fault::error(rest, of_octet(rest, KIND));
    }
    Ok((rest, known.bit() | flags))
}

/// The same of an unknown parameter.
fn check_other(input: &[u8], utf8: bool) -> IResult<'_, u32> {
    let (after, _) = word::esmtp_keyword(input)?;
    let (rest, value) = other_value(after, utf8)?;
    if !is_word_end(rest) {
        let kind = if value.is_some() { KIND } else { SyntaxErrorKind::Parameter };
        return Fault::error(rest, of_octet(rest, kind));
    }
    Ok((rest, list::UNKNOWN | utf8_bit(after, rest)))
}

/// Whether what stands before `rest` has UTF-8 in it.
fn utf8_bit(text: &[u8], rest: &[u8]) -> u32 {
    let text = split(text, text.len().saturating_sub(rest.len())).0;
    if text.is_ascii() { 0 } else { list::UTF8 }
}

/// `["=" esmtp-value]` of a known parameter; gives what the value adds to a set of parameters seen.
#[inline]
fn check_value(known: Known, input: &[u8], utf8: bool) -> IResult<'_, u32> {
    let text = || match input {
        [b'=', text @ ..] => Ok(text),
        _ => Err(nom::Err::Error(Fault { rest: input, kind: of_octet(input, KIND) })),
    };
    let rest = match known {
        Known::Size => word::size(text()?)?.0,
        Known::Body => {
            let (rest, body) = word::body(text()?)?;
            return Ok((rest, if body == Body::BinaryMime { list::BINARY } else { 0 }));
        }
        Known::Ret => dsn::ret(text()?)?.0,
        Known::Envid => dsn::envid(text()?)?.0,
        Known::Auth => xtext::auth_identity(text()?)?.0,
        Known::By => time::deliver_by(text()?)?.0,
        Known::HoldFor => time::hold_for(text()?)?.0,
        Known::HoldUntil => time::hold_until(text()?)?.0,
        Known::MtPriority => word::priority(text()?)?.0,
        Known::Solicit => word::solicit(text()?)?.0,
        Known::Mtrk => word::mtrk(text()?)?.0,
        Known::TransId => word::trans_id(text()?)?.0,
        Known::Submitter | Known::AltAddress => xtext::xtext_mailbox(text()?)?.0,
        Known::Notify => dsn::notify(text()?)?.0,
        Known::Orcpt => {
            let (rest, orcpt) = orcpt::orcpt(text()?, utf8)?;
            return Ok((rest, if orcpt.is_ascii() { 0 } else { list::UTF8 }));
        }
        Known::Rrvs => time::rrvs(text()?)?.0,
        Known::SmtpUtf8 | Known::RequireTls | Known::ConPerm | Known::Prdr | Known::ConNeg => input,
    };
    Ok((rest, 0))
}

/// `["=" esmtp-value]` of an unknown parameter.
fn other_value(input: &[u8], utf8: bool) -> IResult<'_, Option<&[u8]>> {
    match input {
        [b'=', text @ ..] => word::esmtp_value(text, utf8).map(|(rest, v)| (rest, Some(v))),
        _ => Ok((input, None)),
    }
}
