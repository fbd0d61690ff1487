//! The name with which a client greets.

use core::net::IpAddr;

use super::{NameSyntax, syntax};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::grammar::{as_str, split};
use crate::syntax::limits;
use crate::syntax::path::{AddressLiteral, ClientName, Host};

/// A name that a client may greet with: a fully qualified name in A-labels, or an address literal for a
/// host without a name, RFC 5321 §2.3.5 and §4.1.4. It is never `localhost` to another host.
///
/// ```
/// use ehlo::{HeloName, identity::{HeloNameError, NameSyntax}};
///
/// assert_eq!(HeloName::new("client.example")?.to_string(), "client.example");
/// assert_eq!(HeloName::new("localhost"), Err(HeloNameError::ThisHost));
/// let bare = HeloNameError::Syntax(NameSyntax::NotFullyQualified);
/// assert_eq!(HeloName::new("client"), Err(bare));
/// assert!(HeloName::for_server("localhost", "127.0.0.1".parse()?).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeloName<'a>(ClientName<'a>);

impl<'a> HeloName<'a> {
    /// The longest name in bytes: the room that [`OwnHost::helo_name`] needs.
    pub const MAX_LEN: usize = limits::DOMAIN;

    /// A name for any server: a domain, or an address literal in its brackets.
    ///
    /// # Errors
    ///
    /// [`HeloNameError`].
    pub fn new(name: &'a str) -> Result<Self, HeloNameError> {
        Self::checked(name, false)
    }

    /// A name for the server at this address. A server on this host, which has a loopback address, also
    /// accepts `localhost`, other names without a dot, and loopback literals.
    ///
    /// # Errors
    ///
    /// [`HeloNameError`].
    pub fn for_server(name: &'a str, server: IpAddr) -> Result<Self, HeloNameError> {
        Self::checked(name, server.to_canonical().is_loopback())
    }

    /// The name as the argument of EHLO, HELO and LHLO.
    pub const fn client_name(self) -> ClientName<'a> {
        self.0
    }

    fn checked(name: &'a str, is_local: bool) -> Result<Self, HeloNameError> {
        let claimed =
            ClientName::any(name).map_err(|_| HeloNameError::Syntax(NameSyntax::Invalid))?;
        match NameSyntax::of(claimed) {
            _ if is_this_host(name) && !is_local => Err(HeloNameError::ThisHost),
            NameSyntax::NotFullyQualified if is_local => Ok(Self(claimed)),
            syntax if syntax.is_valid() => Ok(Self(claimed)),
            syntax => Err(HeloNameError::Syntax(syntax)),
        }
    }
}

/// See [`HeloName::new`].
impl<'a> TryFrom<&'a str> for HeloName<'a> {
    type Error = HeloNameError;

    fn try_from(name: &'a str) -> Result<Self, HeloNameError> {
        Self::new(name)
    }
}

impl<'a> From<HeloName<'a>> for ClientName<'a> {
    fn from(name: HeloName<'a>) -> Self {
        name.0
    }
}

impl core::fmt::Display for HeloName<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}

impl Encode for HeloName<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.0.write_to(writer);
    }
}

/// The facts about a client's host, from which it finds a name to greet with.
///
/// ```
/// use ehlo::{HeloName, identity::OwnHost};
///
/// let mut out = [0; HeloName::MAX_LEN];
/// let server = "192.0.2.25".parse()?;
/// let mut own = OwnHost { host: "client", domain: Some("example.org"), address: None };
/// assert_eq!(own.helo_name(server, &mut out)?.to_string(), "client.example.org");
///
/// own = OwnHost { host: "localhost", domain: None, address: Some("192.0.2.1".parse()?) };
/// assert_eq!(own.helo_name(server, &mut out)?.to_string(), "[192.0.2.1]");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnHost<'a> {
    /// The host's name, fully qualified or not.
    pub host: &'a str,
    /// The domain to add to a name without a dot.
    pub domain: Option<&'a str>,
    /// The local address of the connection.
    pub address: Option<IpAddr>,
}

impl OwnHost<'_> {
    /// The name to greet the server at this address with: the host's name if it is fully qualified,
    /// else the host's name with the domain behind it, else the address as a literal. The first of
    /// these that is a valid [`HeloName`] is written to the front of `out`. A name below
    /// `localdomain`, the default of many systems, comes after the literal, because the DNS does
    /// not know it.
    ///
    /// RFC 5321 §4.1.4: a client "MUST, if possible, ensure that the domain parameter to the EHLO
    /// command is a primary host name", and where it has none "an address literal SHOULD be
    /// substituted".
    ///
    /// # Errors
    ///
    /// [`HeloNameError`] for the host's name.
    pub fn helo_name<'o>(
        &self,
        server: IpAddr,
        out: &'o mut [u8; HeloName::MAX_LEN],
    ) -> Result<HeloName<'o>, HeloNameError> {
        let forms: &[Form] = if is_nowhere(self.host) {
            &[Form::Literal, Form::Host]
        } else if self.host.contains('.') || is_this_host(self.host) {
            &[Form::Host, Form::Literal]
        } else {
            &Form::ALL
        };
        let mut length = 0;
        for form in forms {
            let mut writer = Writer::new(out);
            self.write(*form, &mut writer);
            length = writer.finish().unwrap_or_default();
            if HeloName::for_server(as_str(split(out, length).0), server).is_ok() {
                break;
            }
            length = 0;
        }
        if length == 0 {
            let syntax = HeloNameError::Syntax(NameSyntax::Invalid);
            return Err(HeloName::for_server(self.host, server).err().unwrap_or(syntax));
        }
        HeloName::for_server(as_str(split(out, length).0), server)
    }

    fn write(&self, form: Form, writer: &mut Writer<'_>) {
        match (form, self.domain, self.address) {
            (Form::InDomain, Some(domain), _) => {
                writer.put(self.host.as_bytes());
                writer.put(b".");
                writer.put(domain.as_bytes());
            }
            (Form::Host, ..) => writer.put(self.host.as_bytes()),
            (Form::Literal, _, Some(address)) => {
                AddressLiteral::from(address.to_canonical()).write_to(writer);
            }
            // A missing domain or address gives no name.
            (Form::InDomain | Form::Literal, ..) => {}
        }
    }
}

/// The forms of a host's name.
#[derive(Clone, Copy)]
enum Form {
    InDomain,
    Host,
    Literal,
}

impl Form {
    const ALL: [Self; 3] = [Self::InDomain, Self::Host, Self::Literal];
}

/// The reason why a client must not greet with a name.
///
/// ```
/// use ehlo::{HeloName, identity::HeloNameError};
///
/// let error = HeloName::new("[127.0.0.1]").unwrap_err();
/// assert_eq!(error, HeloNameError::ThisHost);
/// assert_eq!(error.to_string(), "every other host takes the name for itself");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeloNameError {
    /// The text is not a name, or not a name to greet with.
    Syntax(NameSyntax),
    /// `localhost`, a loopback address or the unspecified one, for a server on another host.
    ThisHost,
}

impl core::fmt::Display for HeloNameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Syntax(syntax) => syntax.text(),
            Self::ThisHost => "every other host takes the name for itself",
        })
    }
}

impl core::error::Error for HeloNameError {}

fn is_nowhere(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next();
    last.is_some_and(|last| last.eq_ignore_ascii_case("localdomain"))
}

fn is_this_host(name: &str) -> bool {
    Host::new(name).is_ok_and(syntax::is_loopback)
}
