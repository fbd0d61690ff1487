//! What a trusted client says by XCLIENT and XFORWARD of the client for which it speaks, as Postfix
//! documents them.

use std::net::IpAddr;

use ehlo::syntax::command::{Attribute, AttributeName, Attributes};
use serde_json::{Map, Value};

/// What XCLIENT changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) address: StatedAddress,
    pub(crate) port: Option<u16>,
    /// As whom the client has authenticated.
    pub(crate) user: Option<String>,
}

/// What XCLIENT says of the client's address.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum StatedAddress {
    /// Nothing: it stays as it is.
    #[default]
    Same,
    /// It cannot be told.
    Unavailable,
    Known(IpAddr),
}

impl Stated {
    /// `None` if an address or a port is not one.
    pub(crate) fn new(attributes: &Attributes<'_>) -> Option<Self> {
        let mut stated = Self::default();
        for attribute in attributes {
            let value = Some(text(&attribute)).filter(|_| !attribute.is_unavailable());
            match (attribute.name(), value) {
                (AttributeName::Addr, None) => stated.address = StatedAddress::Unavailable,
                (AttributeName::Addr, Some(value)) => {
                    stated.address = StatedAddress::Known(address(&value)?);
                }
                (AttributeName::Port, Some(value)) => stated.port = Some(value.parse().ok()?),
                (AttributeName::Login, Some(value)) => stated.user = Some(value),
                // The next EHLO tells the protocol and the name of the client, the DNS its reverse
                // name; the address to which it has connected changes nothing.
                _ => {}
            }
        }
        Some(stated)
    }
}

/// The attributes for the log.
pub(crate) fn object(attributes: &Attributes<'_>) -> Value {
    let pair = |attribute: Attribute<'_>| {
        (attribute.name().as_str().to_ascii_lowercase(), text(&attribute).into())
    };
    Value::Object(attributes.iter().map(pair).collect::<Map<_, _>>())
}

fn address(text: &str) -> Option<IpAddr> {
    match text.split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ipv6:") => {
            rest.parse().ok().map(IpAddr::V6)
        }
        _ => text.parse().ok().map(IpAddr::V4),
    }
}

fn text(attribute: &Attribute<'_>) -> String {
    let bytes: Vec<_> = attribute.value().decoded().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
