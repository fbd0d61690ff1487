//! The name that a client greets with.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::cmp::Ordering;
use core::net::{IpAddr, Ipv4Addr};

use ehlo::HeloName;
use ehlo::identity::HeloNameError;
use ehlo::syntax::path::ClientName;

use crate::text::{checked, owned_text};

/// An owned [`HeloName`]: a name that a client may greet with, RFC 5321 §4.1.4.
///
/// ```
/// use ehlo::identity::HeloNameError;
/// use ehlo_owned::HeloNameBuf;
///
/// let name: HeloNameBuf = "mail.example.com".parse()?;
/// assert_eq!(name.as_helo_name().to_string(), "mail.example.com");
/// assert_eq!("localhost".parse::<HeloNameBuf>(), Err(HeloNameError::ThisHost));
/// assert!(HeloNameBuf::for_server("localhost", [127, 0, 0, 1].into()).is_ok());
/// # Ok::<(), HeloNameError>(())
/// ```
#[derive(Clone)]
pub struct HeloNameBuf(Box<str>);

impl HeloNameBuf {
    /// A name for the server at this address: [`HeloName::for_server`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn for_server(name: &str, server: IpAddr) -> Result<Self, HeloNameError> {
        HeloName::for_server(name, server).map(Self::from)
    }

    /// The name.
    pub fn as_helo_name(&self) -> HeloName<'_> {
        // The name was checked for its server; a server on this host takes every name that another takes.
        let server = IpAddr::V4(Ipv4Addr::LOCALHOST);
        checked(HeloName::for_server(&self.0, server).ok())
    }

    /// The name as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(feature = "serde")]
    fn read(text: &str) -> Result<Self, HeloNameError> {
        text.parse()
    }
}

owned_text!(HeloNameBuf, as_helo_name -> HeloName, HeloNameError);

impl From<&HeloName<'_>> for HeloNameBuf {
    fn from(name: &HeloName<'_>) -> Self {
        Self(name.to_string().into())
    }
}

impl PartialOrd for HeloNameBuf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Domains without regard to ASCII case, then address literals.
impl Ord for HeloNameBuf {
    fn cmp(&self, other: &Self) -> Ordering {
        use ClientName::{AddressLiteral, Domain};

        let (name, other_name) = (self.as_helo_name(), other.as_helo_name());
        match (name.client_name(), other_name.client_name()) {
            (Domain(name), Domain(other)) => name.cmp(&other),
            (AddressLiteral(name), AddressLiteral(other)) => name.cmp(&other),
            (Domain(_), _) | (AddressLiteral(_), ClientName::Irregular(_)) => Ordering::Less,
            (_, Domain(_)) | (ClientName::Irregular(_), AddressLiteral(_)) => Ordering::Greater,
            (ClientName::Irregular(_), ClientName::Irregular(_)) => self.0.cmp(&other.0),
        }
    }
}
