//! Base64, RFC 4648 §4, four digits at a time.
//!
//! The crate `base64` does this too, but with checks of bounds that the optimiser cannot show to
//! hold, and then nothing that calls it can be proved not to panic.

/// The digits of one to three octets, with their padding.
pub(super) fn encoded(octets: &[u8]) -> [u8; 4] {
    let bits = [16, 8, 0]
        .iter()
        .zip(octets)
        .fold(0, |bits, (shift, octet)| bits | u32::from(*octet) << shift);
    let mut digits = [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift) as usize & 63]);
    digits.iter_mut().skip(octets.len().saturating_add(1)).for_each(|digit| *digit = b'=');
    digits
}

/// The one to three octets of four digits, and how many they are. Bits that are left over before
/// the padding are dropped.
pub(super) fn decoded(digits: &[u8]) -> ([u8; 3], usize) {
    let padding = digits.iter().rev().take_while(|&&digit| digit == b'=').count();
    let bits = digits.iter().fold(0, |bits, &digit| bits << 6 | u32::from(sextet(digit)));
    let [_, octets @ ..] = bits.to_be_bytes();
    (octets, 3_usize.saturating_sub(padding))
}

/// The six bits that a digit stands for.
pub(super) const fn sextet(digit: u8) -> u8 {
    match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
