//! The two runs that almost every command has, eight octets at a time in one machine word.
//!
//! A word holds the octets in the order of the input, the first in its lowest bits. A set of its
//! octets is a word of the same shape in which the highest bit of each member is set.

/// The length of the `Dot-string` at the front of `input`: all that consists of letters, digits,
/// hyphens and dots. 0 when there is none, or a dot stands where none may.
#[inline]
pub(crate) fn dot_string(input: &[u8]) -> usize {
    let mut words = Words::of(input);
    // The start counts as a dot.
    let mut carry = FIRST;
    loop {
        let word = words.next();
        let (dot, stop) = (equal(word, b'.'), not_ldh_or_dot(word));
        let bad = ((dot << 8) | carry) & (dot | stop);
        if bad & up_to_first(stop) != 0 {
            return 0;
        }
        if stop != 0 {
            return words.at(stop);
        }
        carry = dot >> 56;
        words.advance();
    }
}

/// The length of the `Domain` at the front of `input`: all that consists of letters, digits,
/// hyphens and dots. 0 when there is none, or a dot or hyphen stands where none may.
#[inline]
pub(crate) fn domain(input: &[u8]) -> usize {
    let mut words = Words::of(input);
    let mut dot_carry = FIRST;
    let mut hyphen_carry = 0;
    loop {
        let word = words.next();
        let (dot, hyphen) = (equal(word, b'.'), equal(word, b'-'));
        let stop = not_ldh_or_dot(word);
        let after_dot = (dot << 8) | dot_carry;
        let after_hyphen = (hyphen << 8) | hyphen_carry;
        let bad = ((dot | stop) & (after_dot | after_hyphen)) | (hyphen & after_dot);
        if bad & up_to_first(stop) != 0 {
            return 0;
        }
        if stop != 0 {
            return words.at(stop);
        }
        dot_carry = dot >> 56;
        hyphen_carry = hyphen >> 56;
        words.advance();
    }
}

/// The length of the run of `xchar` at the front of `input`: `VCHAR` but `+` and `=`.
#[inline]
pub(crate) fn xchars(input: &[u8]) -> usize {
    let mut words = Words::of(input);
    loop {
        let word = words.next();
        let low = word & !HIGH;
        let visible = (low + spread(0x80 - 33)) & !(low + spread(0x80 - 127)) & !word;
        let stop = (!visible & HIGH) | equal(word, b'+') | equal(word, b'=');
        if stop != 0 {
            return words.at(stop);
        }
        words.advance();
    }
}

/// The first eight octets of `input` up to a control octet, a space or `=`, zeros behind them, and
/// the number of octets. What a keyword is, the caller finds by comparing.
#[inline]
pub(crate) fn keyword(input: &[u8]) -> (u64, usize) {
    let word = Words::of(input).next();
    let low = word & !HIGH;
    let stop = (!((low + spread(0x80 - 33)) | word) & HIGH) | equal(word, b'=');
    let length = first(stop);
    let octets = if stop == 0 { u64::MAX } else { up_to_first(stop) >> 8 };
    (word & octets, length)
}

/// The words of an input one after the other; zeros, which are in no run, behind its end.
struct Words<'i> {
    input: &'i [u8],
    rest: &'i [u8],
}

impl<'i> Words<'i> {
    #[inline]
    fn of(input: &'i [u8]) -> Self {
        Self { input, rest: input }
    }

    #[inline]
    fn next(&self) -> u64 {
        match self.rest.first_chunk::<8>() {
            Some(octets) => u64::from_le_bytes(*octets),
            None => self.last(),
        }
    }

    /// The last word had no member of the set that was looked for, so it was whole.
    #[inline]
    fn advance(&mut self) {
        self.rest = self.rest.get(8..).unwrap_or_default();
    }

    /// The place in the input of the first member of `set`, a set of the last word.
    #[inline]
    fn at(&self, set: u64) -> usize {
        self.input.len() - self.rest.len() + first(set)
    }

    /// The word of the fewer than eight octets that are left.
    fn last(&self) -> u64 {
        match self.input.last_chunk::<8>() {
            // The shift is 8 to 64 in two parts.
            Some(octets) => u64::from_le_bytes(*octets) >> 1 >> (63 - 8 * self.rest.len()),
            None => self.rest.iter().rev().fold(0, |word, octet| (word << 8) | u64::from(*octet)),
        }
    }
}

/// The octets of a word but letters, digits, hyphens and dots.
#[inline]
fn not_ldh_or_dot(word: u64) -> u64 {
    let low = word & !HIGH;
    let lower = low | spread(0x20);
    let letter = (lower + spread(0x80 - b'a')) & !(lower + spread(0x80 - b'z' - 1));
    let digit = (low + spread(0x80 - b'0')) & !(low + spread(0x80 - b'9' - 1));
    HIGH & !((letter | digit | equal(word, b'.') | equal(word, b'-')) & !word)
}

/// The octets of a word that equal `octet` but for their highest bits.
#[inline]
fn equal(word: u64, octet: u8) -> u64 {
    let low = (word & !HIGH) ^ spread(octet);
    HIGH & !(low + spread(0x7F))
}

/// A word of eight equal octets.
const fn spread(octet: u8) -> u64 {
    octet as u64 * 0x0101_0101_0101_0101
}

/// All bits up to the first member of a set, that one included; all there are when it is empty.
#[inline]
fn up_to_first(set: u64) -> u64 {
    set ^ set.wrapping_sub(1)
}

/// How many octets stand before the first member of a set.
#[inline]
fn first(set: u64) -> usize {
    // At most 8.
    (set.trailing_zeros() / 8) as usize
}

/// The highest bit of each octet.
const HIGH: u64 = spread(0x80);
/// The set of the first octet alone.
const FIRST: u64 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same as [`domain`], octet by octet.
    fn naive_domain(input: &[u8]) -> usize {
        let is_part = |o: &u8| o.is_ascii_alphanumeric() || b".-".contains(o);
        let length = input.iter().take_while(|o| is_part(o)).count();
        let is_label =
            |label: &[u8]| !label.is_empty() && !label.starts_with(b"-") && !label.ends_with(b"-");
        let is_domain = input[..length].split(|o| *o == b'.').all(is_label);
        if is_domain { length } else { 0 }
    }

    /// The same as [`dot_string`], octet by octet.
    fn naive_dot_string(input: &[u8]) -> usize {
        let is_part = |o: &u8| o.is_ascii_alphanumeric() || b".-".contains(o);
        let length = input.iter().take_while(|o| is_part(o)).count();
        let is_dot_string = input[..length].split(|o| *o == b'.').all(|atom| !atom.is_empty());
        if is_dot_string { length } else { 0 }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn runs_are_those_of_the_naive_scan(input in "[a-zA-Z09.\\-/:@\\[`{\0-\u{ff}]{0,24}|[a-z.-]{0,24}>?") {
            let octets = input.as_bytes();
            prop_assert_eq!(domain(octets), naive_domain(octets));
            prop_assert_eq!(dot_string(octets), naive_dot_string(octets));
            let is_xchar = |o: &&u8| matches!(**o, 33..=126) && !b"+=".contains(*o);
            prop_assert_eq!(xchars(octets), octets.iter().take_while(is_xchar).count());
        }
    }

    #[test]
    fn every_octet_at_every_place() {
        for place in 0..10 {
            for octet in 0..=u8::MAX {
                let mut input = [b'a'; 20];
                input[place] = octet;
                assert_eq!(domain(&input), naive_domain(&input), "{octet} at {place}");
                assert_eq!(dot_string(&input), naive_dot_string(&input), "{octet} at {place}");
                let is_xchar = matches!(octet, 33..=126) && octet != b'+' && octet != b'=';
                assert_eq!(xchars(&input), if is_xchar { 20 } else { place });
            }
        }
    }
}
