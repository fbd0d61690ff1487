//! Version 2: binary.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::error::ProxyHeaderError;
use super::proxied::Proxied;

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes before the addresses: signature, version and command, family and transport, length.
pub(super) const FIXED: usize = 16;
/// The same and the longest addresses that are read: two of IPv6 with their ports.
pub(super) const KEPT: usize = FIXED + 36;

/// Bytes that still belong to the header, of which `kept` are its first and `skipped` came behind them;
/// 0 when it is whole.
pub(super) fn needed(kept: &[u8], skipped: usize) -> Result<usize, ProxyHeaderError> {
    if let Some(command) = kept.get(12) {
        if command >> 4 != 2 {
            return Err(ProxyHeaderError::Version);
        }
        if command & 15 > PROXY {
            return Err(ProxyHeaderError::Command);
        }
        // The family is ignored where the proxy speaks for itself.
        if let Some(family) = kept.get(13).filter(|_| command & 15 == PROXY) {
            if family >> 4 > UNIX || family & 15 > DATAGRAM {
                return Err(ProxyHeaderError::Family);
            }
        }
    }
    let Some((fixed, _)) = kept.split_first_chunk::<FIXED>() else {
        return Ok(FIXED - kept.len());
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if command & 15 == PROXY && length < addresses(family) {
        return Err(ProxyHeaderError::Length);
    }
    Ok((FIXED + length).saturating_sub(kept.len() + skipped))
}

/// What a whole header says.
pub(super) fn parse(kept: &[u8]) -> Result<Proxied, ProxyHeaderError> {
    let (fixed, rest) = kept.split_first_chunk::<FIXED>().ok_or(ProxyHeaderError::Length)?;
    let [.., command, family, _, _] = *fixed;
    if command & 15 != PROXY {
        return Ok(Proxied::Local);
    }
    let ends = match family >> 4 {
        _ if family & 15 == UNSPECIFIED => None,
        IPV4 => ends::<4, Ipv4Addr>(rest),
        IPV6 => ends::<16, Ipv6Addr>(rest),
        _ => return Ok(Proxied::Unknown),
    };
    match ends {
        Some((source, destination)) => Ok(Proxied::Client { source, destination }),
        None if family & 15 == UNSPECIFIED => Ok(Proxied::Unknown),
        None => Err(ProxyHeaderError::Length),
    }
}

/// Two addresses, and then their ports.
fn ends<const N: usize, A: From<[u8; N]> + Into<IpAddr>>(
    rest: &[u8],
) -> Option<(SocketAddr, SocketAddr)> {
    let (from, rest) = rest.split_first_chunk::<N>()?;
    let (to, rest) = rest.split_first_chunk::<N>()?;
    let ([a, b, c, d], _) = rest.split_first_chunk()?;
    let end = |ip: [u8; N], port| SocketAddr::new(A::from(ip).into(), u16::from_be_bytes(port));
    Some((end(*from, [*a, *b]), end(*to, [*c, *d])))
}

/// Bytes of the addresses of a family.
const fn addresses(family: u8) -> usize {
    match family >> 4 {
        IPV4 => 12,
        IPV6 => 36,
        UNIX => 216,
        _ => 0,
    }
}

/// A command; LOCAL is 0.
const PROXY: u8 = 1;
const IPV4: u8 = 1;
const IPV6: u8 = 2;
const UNIX: u8 = 3;
const UNSPECIFIED: u8 = 0;
const DATAGRAM: u8 = 2;
