//! Generic names, which a provider gives to each of its addresses.

use core::net::IpAddr;

use crate::syntax::grammar::{hex_digit, split};
use crate::syntax::path::Domain;

/// Returns `true` if a name looks as if it was made from the address, or says that it is one of
/// many: a guess.
///
/// Three bytes of an IPv4 address or four groups of an IPv6 address in a row, in either order; the
/// address, or the lower half of an IPv6 address, in hexadecimal; or one of [`WORDS`] below the last
/// two labels.
pub(super) fn is_generic(name: Domain<'_>, peer: IpAddr) -> bool {
    let name = name.as_bytes();
    let has_address = match peer {
        IpAddr::V4(address) => {
            let bits = u64::from(u32::from_be_bytes(address.octets()));
            has_row::<3>(name, 10, &address.octets().map(u16::from)) || has_hex(name, bits, 8)
        }
        IpAddr::V6(address) => {
            let groups = address.segments();
            let [.., a, b, c, d] = groups.map(u64::from);
            let bits = (a << 48) | (b << 32) | (c << 16) | d;
            has_row::<4>(name, 16, &groups) || has_hex(name, bits, 16)
        }
    };
    has_address || has_word(name)
}

/// Returns `true` if `N` of the parts of an address, not all of them zero, stand next to each
/// other, in either order.
fn has_row<const N: usize>(name: &[u8], radix: u32, parts: &[u16]) -> bool {
    let mut row = [None; N];
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    name.split(|byte| !is_digit(byte)).any(|word| {
        let mut moved = number(word, radix);
        for place in row.iter_mut().rev() {
            core::mem::swap(place, &mut moved);
        }
        parts.windows(N).any(|parts| {
            let forwards = parts.iter().copied().map(Some);
            let is_zero = parts.iter().all(|part| *part == 0);
            !is_zero && (forwards.clone().eq(row) || forwards.rev().eq(row))
        })
    })
}

/// A part of an address: at most three decimal or four hexadecimal digits.
fn number(word: &[u8], radix: u32) -> Option<u16> {
    let is_number = matches!((radix, word.len()), (10, 1..=3) | (16, 1..=4));
    let digit = |byte: &u8| u32::from(hex_digit(*byte).unwrap_or(0));
    let value = word.iter().take(4).fold(0, |value, byte| value * radix + digit(byte));
    u16::try_from(value).ok().filter(|_| is_number)
}

/// Returns `true` if the last `digits` hexadecimal digits of `bits` stand in a row, in either
/// order; dots and hyphens may be between them.
fn has_hex(name: &[u8], bits: u64, digits: u32) -> bool {
    let unused = 64 - 4 * digits;
    let mask = u64::MAX >> unused;
    let backwards = (0..digits).fold(0, |all, at| (all << 4) | ((bits >> (4 * at)) & 15));
    let (mut row, mut count) = (0_u64, 0_u32);
    name.iter().any(|byte| {
        match hex_digit(*byte) {
            Some(digit) => (row, count) = (((row << 4) | u64::from(digit)) & mask, count + 1),
            None if matches!(byte, b'.' | b'-') => {}
            None => count = 0,
        }
        count >= digits && (row == bits || row == backwards)
    })
}

fn has_word(name: &[u8]) -> bool {
    let mut dots = name.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
    let Some((end, _)) = dots.nth(1) else { return false };
    let words = split(name, end).0.split(|byte| !byte.is_ascii_alphabetic());
    words.into_iter().any(|word| WORDS.iter().any(|other| word.eq_ignore_ascii_case(other)))
}

const WORDS: [&[u8]; 14] = [
    b"adsl",
    b"broadband",
    b"cable",
    b"dhcp",
    b"dial",
    b"dialin",
    b"dialup",
    b"dsl",
    b"dyn",
    b"dynamic",
    b"pool",
    b"ppp",
    b"pppoe",
    b"vdsl",
];

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use super::*;

    fn is_generic_name(name: &str, peer: &str) -> bool {
        is_generic(Domain::new(name).unwrap(), peer.parse().unwrap())
    }

    #[test]
    fn names_made_of_the_address_are_generic() {
        for name in [
            "192-0-2-17.isp.example",
            "17.2.0.192.isp.example",
            "host17-2-0.isp.example",
            "ip192.000.002.017.isp.example",
            "c0000211.isp.example",
            "x1120000c.isp.example",
        ] {
            assert!(is_generic_name(name, "192.0.2.17"), "{name}");
        }
        for name in [
            "2001-db8-0-5-0-0-0-17.isp.example",
            "7.1.0.0.0.0.0.0.0.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.isp.example",
            "0005000000000017.isp.example",
        ] {
            assert!(!is_generic_name(name, "2001:db8::18"), "{name}");
        }
        for name in ["2001-db8-0-5.isp.example", "0000000000000017.isp.example"] {
            assert!(is_generic_name(name, "2001:db8:0:5::17"), "{name}");
        }
    }

    #[test]
    fn names_of_pools_are_generic() {
        for name in ["pool3.isp.example", "a-dyn-b.isp.example", "x.Dynamic.isp.example"] {
            assert!(is_generic_name(name, "192.0.2.17"), "{name}");
        }
    }

    #[test]
    fn names_of_hosts_are_not_generic() {
        for name in [
            "mx.example",
            "mx2-17.example.org",
            "mail.pool.example",
            "out17.dynamics.example.org",
            "a.example",
            "mail-192.example.org",
        ] {
            assert!(!is_generic_name(name, "192.0.2.17"), "{name}");
            assert!(!is_generic_name(name, "2001:db8::17"), "{name}");
        }
    }
}
