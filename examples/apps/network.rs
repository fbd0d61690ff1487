//! Networks of IP addresses, as `--trust` takes them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network, as `10.0.0.0/8` or `2001:db8::/32`. An address without a prefix length is a network of
/// one address.
///
/// IPv4 addresses that are mapped into IPv6 (RFC 4291 §2.5.5.2) are IPv4 addresses, on both sides of a
/// comparison.
///
/// ```
/// use ehlo_apps::network::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(network.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!network.contains("11.0.0.0".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address. All bits behind the prefix are 0.
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` belongs to this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4()
            && (bits(address) ^ bits(self.first)) & !host_mask(self.first, self.prefix) == 0
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, prefix: width(first) }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_| format!("{address:?} is not an IP address"))?;
        let Some(prefix) = prefix else { return Ok(address.into()) };
        let most = width(address);
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most);
        let prefix = prefix.ok_or_else(|| format!("a prefix length is a number up to {most}"))?;
        let host = bits(address) & host_mask(address, prefix);
        if host != 0 {
            return Err(format!("{address} has bits set behind the first {prefix}"));
        }
        // RFC 4291 §2.5.5.2: 96 bits stand in front of an IPv4 address that is mapped into IPv6.
        Ok(match (address.to_canonical(), address, prefix.checked_sub(MAPPED)) {
            (first @ IpAddr::V4(_), IpAddr::V6(_), Some(prefix)) => Self { first, prefix },
            _ => Self { first: address, prefix },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// The network whose connections count together: an IPv4 address, or 64 bits of an IPv6 address, which
/// is what one customer has (RFC 6177 §2).
pub fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// The number of bits of an address.
const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits() as u128,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The bits behind a prefix of this length.
fn host_mask(address: IpAddr, prefix: u8) -> u128 {
    let host = u32::from(width(address) - prefix);
    u128::MAX.checked_shr(128 - host).unwrap_or_default()
}

/// Bits in front of an IPv4 address that is mapped into IPv6.
const MAPPED: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network: Network = network.parse().expect("a network");
        network.contains(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "255.0.0.1", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
        ] {
            assert!(contains(network, inside), "{inside} in {network}");
            assert!(!contains(network, outside), "{outside} not in {network}");
        }
    }

    #[test]
    fn a_mapped_address_is_an_ipv4_address_on_both_sides() {
        for network in ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104", "127.0.0.0/8"] {
            for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
                assert!(contains(network, address), "{address} in {network}");
            }
            assert!(!contains(network, "::1"), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "/", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1/8", "::/129", "host"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_counts_by_its_first_64_bits() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(customer(address("2001:db8::1")), customer(address("2001:db8::2:0:0:1")));
        assert_ne!(customer(address("2001:db8::1")), customer(address("2001:db8:0:1::1")));
        assert_ne!(customer(address("192.0.2.1")), customer(address("192.0.2.2")));
        assert_eq!(customer(address("192.0.2.1")), customer(address("::ffff:192.0.2.1")));
    }
}
