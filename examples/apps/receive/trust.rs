//! What a trusted peer says of the client it speaks for: a header of the PROXY protocol in front of
//! the session, and XCLIENT and XFORWARD within it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ehlo::syntax::command::{Attribute, AttributeName, Attributes};
use ppp::{HeaderResult, PartialResult as _, v1, v2};
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Takes the header of the PROXY protocol, version 1 or 2, off the front of the stream, and returns
/// the client's address as it says; none where there is no header, or none with an address.
///
/// # Errors
///
/// Those of the stream, and `InvalidData` for a header that is malformed: the protocol wants the
/// connection closed.
pub(crate) async fn proxied(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut front = [0; HEADER];
    // A header comes in one piece, or nearly so.
    for _ in 0..MOMENTS {
        // What is only looked at stays for the handshake of TLS, or the machine.
        let length = stream.peek(&mut front).await?;
        let front = &front[..length];
        let begins = |signature: &[u8]| {
            front.iter().zip(signature).all(|(octet, expected)| octet == expected)
        };
        if front.is_empty()
            || !(begins(v1::PROTOCOL_PREFIX.as_bytes()) || begins(v2::PROTOCOL_PREFIX))
        {
            return Ok(None);
        }
        let header = HeaderResult::parse(front);
        let (length, client) = match &header {
            HeaderResult::V1(Ok(header)) => (header.header.len(), in_text(header.addresses)),
            HeaderResult::V2(Ok(header)) => (header.len(), in_binary(header)),
            // Of a whole line nothing can be missing.
            HeaderResult::V1(Err(_)) if front.contains(&b'\n') => break,
            _ if header.is_complete() => break,
            _ => {
                sleep(MOMENT).await;
                continue;
            }
        };
        let mut taken = vec![0; length];
        stream.read_exact(&mut taken).await?;
        return Ok(client);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a malformed PROXY header"))
}

fn in_text(addresses: v1::Addresses) -> Option<SocketAddr> {
    match addresses {
        v1::Addresses::Tcp4(ip) => Some((ip.source_address, ip.source_port).into()),
        v1::Addresses::Tcp6(ip) => Some((ip.source_address, ip.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

fn in_binary(header: &v2::Header<'_>) -> Option<SocketAddr> {
    match header.addresses {
        // The proxy speaks for itself, as when it looks whether this server lives.
        _ if header.command == v2::Command::Local => None,
        v2::Addresses::IPv4(ip) => Some((ip.source_address, ip.source_port).into()),
        v2::Addresses::IPv6(ip) => Some((ip.source_address, ip.source_port).into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    }
}

/// What XCLIENT changes, as Postfix documents it.
#[derive(Default)]
pub(crate) struct Stated {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
}

impl Stated {
    /// None if an address or a port is not one.
    pub(crate) fn new(attributes: &Attributes<'_>) -> Option<Self> {
        let mut stated = Self::default();
        for attribute in attributes.iter().filter(|attribute| !attribute.is_unavailable()) {
            let value = text(&attribute);
            match attribute.name() {
                AttributeName::Addr => stated.address = Some(address(&value)?),
                AttributeName::Port => stated.port = Some(value.parse().ok()?),
                AttributeName::Login => stated.user = Some(value),
                // The protocol and the name of the greeting are learnt from the next EHLO, the
                // reverse name from the DNS; where the client has connected to changes nothing.
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
    let octets: Vec<_> = attribute.value().decoded().collect();
    String::from_utf8_lossy(&octets).into_owned()
}

/// Octets that a header may have: version 1 has 107 at most, version 2 as many in practice.
const HEADER: usize = 1024;
/// How long to wait for more of a header, and how often.
const MOMENT: Duration = Duration::from_millis(10);
const MOMENTS: usize = 300;
