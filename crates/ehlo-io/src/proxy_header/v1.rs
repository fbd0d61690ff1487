//! Version 1: a line of text.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

use super::error::ProxyHeaderError;
use super::proxied::Proxied;

pub(super) const SIGNATURE: &[u8] = b"PROXY ";
/// `PROXY UNKNOWN`, CRLF.
pub(super) const SHORTEST: usize = 15;
/// Bytes of the longest line with its CRLF.
pub(super) const LONGEST: usize = 107;

/// Bytes that certainly still belong to the line; 0 when it is whole.
pub(super) fn needed(line: &[u8]) -> Result<usize, ProxyHeaderError> {
    let (before, last) = match line {
        [before @ .., last] => (before, *last),
        [] => return Ok(SHORTEST),
    };
    match (before.last(), last) {
        (Some(b'\r'), b'\n') => Ok(0),
        (Some(b'\r'), _) | (_, b'\n') => Err(ProxyHeaderError::LineEnd),
        _ if line.len() >= LONGEST => Err(ProxyHeaderError::TooLong),
        (_, b'\r') => Ok(1),
        _ => Ok(SHORTEST.saturating_sub(line.len()).max(2).min(LONGEST - line.len())),
    }
}

/// What a whole line says.
pub(super) fn parse(line: &[u8]) -> Result<Proxied, ProxyHeaderError> {
    let line = line.strip_suffix(b"\r\n").ok_or(ProxyHeaderError::LineEnd)?;
    let fields = line.strip_prefix(SIGNATURE).ok_or(ProxyHeaderError::Signature)?;
    // What stands behind UNKNOWN is to be ignored.
    if let Some(b"" | [b' ', ..]) = fields.strip_prefix(b"UNKNOWN") {
        return Ok(Proxied::Unknown);
    }
    let fields = core::str::from_utf8(fields).map_err(|_| ProxyHeaderError::Fields)?;
    let mut fields = fields.split(' ');
    let mut field = || fields.next().ok_or(ProxyHeaderError::Fields);
    let (protocol, from, to) = (field()?, field()?, field()?);
    let (from_port, to_port) = (field()?, field()?);
    if fields.next().is_some() {
        return Err(ProxyHeaderError::Fields);
    }
    let (from, to): (IpAddr, IpAddr) = match protocol {
        "TCP4" => (address::<Ipv4Addr>(from)?.into(), address::<Ipv4Addr>(to)?.into()),
        "TCP6" => (address::<Ipv6Addr>(from)?.into(), address::<Ipv6Addr>(to)?.into()),
        _ => return Err(ProxyHeaderError::Fields),
    };
    Ok(Proxied::Client {
        source: SocketAddr::new(from, port(from_port)?),
        destination: SocketAddr::new(to, port(to_port)?),
    })
}

fn address<A: FromStr>(text: &str) -> Result<A, ProxyHeaderError> {
    text.parse().map_err(|_| ProxyHeaderError::Address)
}

/// A decimal number without a sign and without leading zeros.
fn port(text: &str) -> Result<u16, ProxyHeaderError> {
    let is_plain = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    let port = Some(text).filter(|_| is_plain).and_then(|text| text.parse().ok());
    port.ok_or(ProxyHeaderError::Port)
}
