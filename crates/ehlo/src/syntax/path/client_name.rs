//! The argument of EHLO, HELO and LHLO, RFC 5321 §4.1.1.1.

use super::domain::{domain, host};
use super::{AddressLiteral, Domain, Host};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    Fault, IResult, PRINTABLE, is_end, of_byte, run, split, try_from_str, whole, wire_text,
};
use crate::syntax::policy::Policy;

/// The name of a client in its greeting: `Domain / address-literal`, RFC 5321 §4.1.1.1; US-ASCII
/// only (RFC 6531 §3.7.1).
///
/// ```
/// use ehlo::syntax::path::ClientName;
///
/// assert!(matches!(ClientName::new("mail.example.org")?, ClientName::Domain(_)));
/// assert!(matches!(ClientName::new("[192.0.2.1]")?, ClientName::AddressLiteral(_)));
/// assert!(ClientName::new("my host").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "HELO")]
#[doc(alias = "greeting name")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientName<'a> {
    /// A name.
    Domain(Domain<'a>),
    /// The address of a client that has no name.
    AddressLiteral(AddressLiteral<'a>),
    /// Text that is neither, read only under [`Policy::any_client_name`]; the application judges
    /// it.
    Irregular(Text<'a>),
}

impl<'a> ClientName<'a> {
    /// The client name of this text, a domain or an address literal in brackets.
    ///
    /// # Errors
    ///
    /// `Domain`, `DomainTooLong`, `AddressLiteral` or `NonAscii`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let name = |input| host(input, &Policy::STRICT).map(|(rest, host)| (rest, host.into()));
        whole(text.as_bytes(), SyntaxErrorKind::Domain, name)
    }

    /// The client name of any text that can stand in a line, for [`HeloCheck`](crate::HeloCheck) to
    /// judge; a domain may have U-labels. Spaces around it are ignored.
    ///
    /// # Errors
    ///
    /// `MissingArgument`, `Control`, `NonAscii` or `LineTooLong`, with the offset in `text`.
    pub fn any(text: &'a str) -> Result<Self, SyntaxError> {
        if let Ok(domain) = Domain::new(text) {
            return Ok(Self::Domain(domain));
        }
        let any = Policy { any_client_name: true, ..Policy::STRICT };
        let name = |input| client_name(input, &any);
        whole(text.trim_matches(' ').as_bytes(), SyntaxErrorKind::Argument, name)
    }
}

try_from_str!(ClientName);

impl<'a> From<Host<'a>> for ClientName<'a> {
    fn from(host: Host<'a>) -> Self {
        match host {
            Host::Domain(domain) => Self::Domain(domain),
            Host::AddressLiteral(literal) => Self::AddressLiteral(literal),
        }
    }
}

impl core::fmt::Display for ClientName<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Domain(domain) => core::fmt::Display::fmt(domain, f),
            Self::AddressLiteral(literal) => core::fmt::Display::fmt(literal, f),
            Self::Irregular(text) => core::fmt::Display::fmt(text, f),
        }
    }
}

impl Encode for ClientName<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Domain(domain) => domain.write_to(writer),
            Self::AddressLiteral(literal) => literal.write_to(writer),
            Self::Irregular(text) => text.write_to(writer),
        }
    }
}

/// A run of printable US-ASCII and spaces that neither begins nor ends with a space.
///
/// One to 500 bytes, so that a verb and the text fit in a command line (RFC 5321 §4.5.3.1.4). It
/// has no control bytes, so no CR, LF or NUL.
///
/// ```
/// use ehlo::syntax::path::Text;
///
/// assert_eq!(Text::new("Hello, World")?.as_str(), "Hello, World");
/// assert!(Text::new("Hello\r\nRSET").is_err());
/// assert!(Text::new("").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text.
    ///
    /// # Errors
    ///
    /// `MissingArgument`, `Argument`, `Control`, `NonAscii` or `LineTooLong`, with the offset in
    /// `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let bytes = text.as_bytes();
        if bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ') {
            return Err(SyntaxError { kind: SyntaxErrorKind::Argument, offset: 0 });
        }
        whole(bytes, SyntaxErrorKind::Argument, text_of)
    }
}

wire_text!(Text);

/// The rest of a line up to a byte that is not text, without the spaces around it.
pub(crate) fn text_of(input: &[u8]) -> IResult<'_, Text<'_>> {
    let (text, rest) = split(input, run(input, &PRINTABLE));
    let text = text.trim_ascii();
    if text.is_empty() {
        return Fault::error(input, SyntaxErrorKind::MissingArgument);
    }
    if text.len() > MAX_TEXT {
        return Fault::error(split(input, MAX_TEXT).1, SyntaxErrorKind::LineTooLong);
    }
    Ok((rest, Text(text)))
}

/// `( Domain / address-literal )` of EHLO and LHLO, up to the end of the line.
#[inline]
pub(crate) fn client_name<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ClientName<'i>> {
    match host(input, &ascii(policy)) {
        Ok((rest, host)) if is_end(rest) => Ok((rest, host.into())),
        result => irregular(input, policy, result.map(|(rest, _)| (rest, ()))),
    }
}

/// `helo = "HELO" SP Domain CRLF`, up to the end of the line.
pub(crate) fn helo_name<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, ClientName<'i>> {
    if policy.any_client_name {
        return client_name(input, policy);
    }
    match domain(input, &ascii(policy)) {
        Ok((rest, domain)) if is_end(rest) => Ok((rest, ClientName::Domain(domain))),
        result => irregular(input, policy, result.map(|(rest, _)| (rest, ()))),
    }
}

#[cold]
fn irregular<'i>(
    input: &'i [u8],
    policy: &Policy,
    result: IResult<'i, ()>,
) -> IResult<'i, ClientName<'i>> {
    if policy.any_client_name {
        let (rest, text) = text_of(input)?;
        // Only the spaces around the name were irregular.
        return match host(text.0, &ascii(policy)) {
            Ok(([], host)) => Ok((rest, host.into())),
            _ => Ok((rest, ClientName::Irregular(text))),
        };
    }
    match result {
        Ok((rest, ())) => Fault::error(rest, of_byte(rest, SyntaxErrorKind::Domain)),
        Err(nom::Err::Error(Fault { rest, kind: SyntaxErrorKind::NeedsSmtpUtf8 })) => {
            Fault::error(rest, SyntaxErrorKind::NonAscii)
        }
        Err(error) => Err(error),
    }
}

/// RFC 6531 §3.7.1: the argument of EHLO is in US-ASCII under every offer. The application judges a
/// dot at its end.
const fn ascii(policy: &Policy) -> Policy {
    Policy { smtputf8: false, trailing_dot: false, ..*policy }
}

/// The longest argument of a line of 512 bytes, which also holds a verb, a space and the CRLF.
const MAX_TEXT: usize = 505;
