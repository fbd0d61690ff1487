//! Base64, RFC 4648 §4, four digits at a time.

/// The digits of one to three octets, with their padding.
pub(crate) fn encoded(octets: &[u8]) -> [u8; 4] {
    let bits = [16, 8, 0]
        .iter()
        .zip(octets)
        .fold(0, |bits, (shift, octet)| bits | u32::from(*octet) << shift);
    let mut digits = [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift) as usize & 63]);
    digits.iter_mut().skip(octets.len().saturating_add(1)).for_each(|digit| *digit = b'=');
    digits
}

/// The one to three octets of four digits, and how many they are; bits that are left over before
/// the padding are dropped.
pub(crate) fn decoded(digits: &[u8]) -> ([u8; 3], usize) {
    let padding = digits.iter().filter(|&&digit| digit == b'=').count();
    let bits =
        digits.iter().fold(0, |bits, &digit| bits << 6 | u32::from(VALUE[usize::from(digit)] & 63));
    let [_, octets @ ..] = bits.to_be_bytes();
    (octets, 3_usize.saturating_sub(padding))
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of a digit, 255 for what is none.
pub(super) static VALUE: [u8; 256] = {
    let mut values = [255; 256];
    let mut value: u8 = 0;
    while value < 64 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};
