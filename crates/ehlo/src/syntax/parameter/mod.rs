//! The parameters of MAIL and RCPT, RFC 5321 §4.1.1.11, typed by their extensions' RFCs.

mod date_time;
mod dsn;
mod known;
mod list;
mod orcpt;
mod other;
mod time;
mod word;
mod xtext;

pub use date_time::DateTime;
pub use dsn::{Envid, Notify, Ret};
pub use list::Parameters;
pub use orcpt::Orcpt;
pub use other::OtherParameter;
pub use time::{By, ByMode, HoldInterval, Rrvs, RrvsAction};
pub use word::{Body, Mtrk, Priority, Solicit, TransId};
pub use xtext::{AuthIdentity, DecodedXtext, Xtext, XtextMailbox};

pub(crate) use known::{Place, allowance};
pub(crate) use list::parameters;
pub(crate) use xtext::encoded as xtext;

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::extension::Extension;
use crate::syntax::grammar::{Fault, IResult, display, is_word_end, of_octet, scan, split};
use known::Known;

const KIND: SyntaxErrorKind = SyntaxErrorKind::ParameterValue;

/// One parameter: `esmtp-param = esmtp-keyword ["=" esmtp-value]`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::Extension;
/// use ehlo::syntax::parameter::{Parameter, Priority};
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
            Self::HoldFor(_) | Self::HoldUntil(_) => seen | list::HOLD,
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

/// What follows the keyword of a known parameter and its "=".
///
/// The length of the keyword is a constant in each arm of a `match`, so that a processor that
/// guesses the arm right goes on without waiting for the keyword.
macro_rules! value_of {
    ($known:ident, $input:expr) => {{
        const LENGTH: usize = Known::$known.keyword().len();
        match $input.get(LENGTH..) {
            Some([b'=', value @ ..]) => Ok(value),
            rest => {
                let rest = rest.unwrap_or_default();
                Err(nom::Err::Error(Fault { rest, kind: of_octet(rest, KIND) }))
            }
        }
    }};
}

/// What follows the keyword of a known parameter that has no value.
macro_rules! behind {
    ($known:ident, $input:expr) => {{
        const LENGTH: usize = Known::$known.keyword().len();
        $input.get(LENGTH..).unwrap_or_default()
    }};
}

/// `esmtp-param = esmtp-keyword ["=" esmtp-value]` that is known to be right.
fn esmtp_param(input: &[u8]) -> IResult<'_, Parameter<'_>> {
    macro_rules! valued {
        ($known:ident, $rule:path) => {{
            let (rest, value) = $rule(value_of!($known, input)?)?;
            (rest, Parameter::$known(value))
        }};
    }
    let Some(known) = known::identify(input) else {
        let (rest, keyword) = other::esmtp_keyword(input)?;
        let (rest, value) = other_value(rest, true)?;
        return Ok((rest, Parameter::Other(OtherParameter::known(keyword, value))));
    };
    Ok(match known {
        Known::Size => valued!(Size, word::size),
        Known::Body => valued!(Body, word::body),
        Known::SmtpUtf8 => (behind!(SmtpUtf8, input), Parameter::SmtpUtf8),
        Known::Ret => valued!(Ret, dsn::ret),
        Known::Envid => valued!(Envid, dsn::envid),
        Known::Auth => valued!(Auth, xtext::auth_identity),
        Known::By => valued!(By, time::deliver_by),
        Known::HoldFor => valued!(HoldFor, time::hold_for),
        Known::HoldUntil => valued!(HoldUntil, time::hold_until),
        Known::MtPriority => valued!(MtPriority, word::priority),
        Known::RequireTls => (behind!(RequireTls, input), Parameter::RequireTls),
        Known::Solicit => valued!(Solicit, word::solicit),
        Known::Mtrk => valued!(Mtrk, word::mtrk),
        Known::TransId => valued!(TransId, word::trans_id),
        Known::ConPerm => (behind!(ConPerm, input), Parameter::ConPerm),
        Known::Submitter => valued!(Submitter, xtext::xtext_mailbox),
        Known::AltAddress => valued!(AltAddress, xtext::xtext_mailbox),
        Known::Prdr => (behind!(Prdr, input), Parameter::Prdr),
        Known::Notify => valued!(Notify, dsn::notify),
        Known::Orcpt => {
            let (rest, value) = orcpt::orcpt(value_of!(Orcpt, input)?, true)?;
            (rest, Parameter::Orcpt(value))
        }
        Known::Rrvs => valued!(Rrvs, time::rrvs),
        Known::ConNeg => (behind!(ConNeg, input), Parameter::ConNeg),
    })
}

/// `esmtp-param`, each value by the grammar of its RFC: what follows it, and in `adds` what it adds
/// to a set of parameters seen. Whether it goes up to a space or the end of the line, the caller
/// asks.
#[inline]
fn check_param<'i>(
    input: &'i [u8],
    utf8: bool,
    adds: &mut u32,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    let word = scan::word(input);
    // No known keyword is a single octet: the most parameters that a line has room for.
    if word & 0xFF00 == u64::from(b' ') << 8 && input.first().is_some_and(u8::is_ascii_alphanumeric)
    {
        *adds = list::UNKNOWN;
        return Ok(split(input, 1).1);
    }
    let Some(known) = known::starting(input, word) else {
        return check_other(input, utf8, adds);
    };
    macro_rules! valued {
        ($known:ident, $rule:expr) => {{
            const LENGTH: usize = Known::$known.keyword().len();
            match input.split_at_checked(LENGTH + 1) {
                Some(([.., b'='], value)) => $rule(value)?.0,
                _ => return check_longer(input, utf8, adds),
            }
        }};
    }
    macro_rules! bare {
        ($known:ident) => {{
            const LENGTH: usize = Known::$known.keyword().len();
            match input.get(LENGTH..) {
                Some(rest) if is_word_end(rest) => rest,
                _ => return check_longer(input, utf8, adds),
            }
        }};
    }
    *adds = known.bit();
    let rest = match known {
        Known::Size => valued!(Size, word::size),
        Known::Body => {
            let mut body = Body::SevenBit;
            let rest = valued!(Body, |value| word::body(value).inspect(|(_, value)| body = *value));
            if body == Body::BinaryMime {
                *adds |= list::BINARY;
            }
            rest
        }
        Known::SmtpUtf8 => bare!(SmtpUtf8),
        Known::Ret => valued!(Ret, dsn::ret),
        Known::Envid => valued!(Envid, dsn::envid),
        Known::Auth => valued!(Auth, xtext::auth_identity),
        Known::By => valued!(By, time::deliver_by),
        Known::HoldFor => {
            *adds |= list::HOLD;
            valued!(HoldFor, time::hold_for)
        }
        Known::HoldUntil => {
            *adds |= list::HOLD;
            valued!(HoldUntil, time::hold_until)
        }
        Known::MtPriority => valued!(MtPriority, word::priority),
        Known::RequireTls => bare!(RequireTls),
        Known::Solicit => valued!(Solicit, word::solicit),
        Known::Mtrk => valued!(Mtrk, word::mtrk),
        Known::TransId => valued!(TransId, word::trans_id),
        Known::ConPerm => bare!(ConPerm),
        Known::Submitter => valued!(Submitter, xtext::xtext_mailbox),
        Known::AltAddress => valued!(AltAddress, xtext::xtext_mailbox),
        Known::Prdr => bare!(Prdr),
        Known::Notify => valued!(Notify, dsn::notify),
        Known::Orcpt => {
            let mut is_ascii = true;
            let rest = valued!(Orcpt, |value| orcpt::orcpt(value, utf8)
                .inspect(|(_, orcpt)| is_ascii = orcpt.is_ascii()));
            if !is_ascii {
                *adds |= list::UTF8;
            }
            rest
        }
        Known::Rrvs => valued!(Rrvs, time::rrvs),
        Known::ConNeg => bare!(ConNeg),
    };
    Ok(rest)
}

/// The same where something else stands behind a known keyword than does belong there: its first
/// octets may be those of a longer one.
#[cold]
fn check_longer<'i>(
    input: &'i [u8],
    utf8: bool,
    adds: &mut u32,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    let Some(known) = known::identify(input) else {
        return check_other(input, utf8, adds);
    };
    let rest = split(input, known.keyword().len()).1;
    Err(nom::Err::Error(Fault { rest, kind: of_octet(rest, KIND) }))
}

/// The same of an unknown parameter.
#[inline(never)]
fn check_other<'i>(
    input: &'i [u8],
    utf8: bool,
    adds: &mut u32,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    *adds = list::UNKNOWN;
    let (after, _) = other::esmtp_keyword(input)?;
    if is_word_end(after) {
        return Ok(after);
    }
    check_other_value(after, utf8, adds)
}

/// What stands behind its keyword.
#[inline(never)]
fn check_other_value<'i>(
    after: &'i [u8],
    utf8: bool,
    adds: &mut u32,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    let (rest, value) = other_value(after, utf8)?;
    if !is_word_end(rest) {
        let kind = if value.is_some() { KIND } else { SyntaxErrorKind::Parameter };
        return Err(nom::Err::Error(Fault { rest, kind: of_octet(rest, kind) }));
    }
    *adds |= utf8_bit(after, rest);
    Ok(rest)
}

/// Whether what stands before `rest` has UTF-8 in it.
fn utf8_bit(text: &[u8], rest: &[u8]) -> u32 {
    let text = split(text, text.len().saturating_sub(rest.len())).0;
    if text.is_ascii() { 0 } else { list::UTF8 }
}

/// `["=" esmtp-value]` of an unknown parameter.
fn other_value(input: &[u8], utf8: bool) -> IResult<'_, Option<&[u8]>> {
    match input {
        [b'=', text @ ..] => other::esmtp_value(text, utf8).map(|(rest, v)| (rest, Some(v))),
        _ => Ok((input, None)),
    }
}
