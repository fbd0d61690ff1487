//! A-labels, RFC 5890 §2.3.2.1: names of other scripts in the form of the DNS.

use core::num::NonZero;

use crate::syntax::limits;
use crate::syntax::path::is_disallowed;

/// Returns `true` if a label is an A-label, or does not begin like one.
///
/// `xn--` must be followed by the Punycode of a label that is not in US-ASCII, neither begins nor
/// ends with a hyphen, and has no character of a block that no U-label has. The check does not use
/// the tables of RFC 5892, nor the normal form.
pub(super) fn is_a_label(label: &[u8]) -> bool {
    let Some((prefix, punycode)) = label.split_first_chunk::<4>() else { return true };
    if !prefix.eq_ignore_ascii_case(b"xn--") {
        return true;
    }
    let Some(decoded) = Decoded::of(punycode) else { return false };
    let characters = decoded.characters();
    characters.iter().any(|character| !character.is_ascii())
        && characters.first() != Some(&'-')
        && characters.last() != Some(&'-')
        && !characters.iter().any(|character| is_disallowed(*character))
}

/// A U-label: no longer than its A-label.
struct Decoded {
    characters: [char; limits::LABEL],
    count: usize,
}

impl Decoded {
    /// The decoding procedure of RFC 3492 §6.2.
    fn of(punycode: &[u8]) -> Option<Self> {
        let mut decoded = Self { characters: ['\0'; limits::LABEL], count: 0 };
        // RFC 3492 §6.2: "consume all code points before the last delimiter (if there is one) and
        // copy them to output", and "if more than zero code points were consumed then consume one
        // more". A delimiter in front stays, and is no digit.
        let delimiter = punycode.iter().rposition(|byte| *byte == b'-').filter(|at| *at > 0);
        let (basic, mut digits) = match delimiter.and_then(|at| punycode.split_at_checked(at)) {
            Some((basic, rest)) => (basic, rest.get(1..)?),
            None => (&[][..], punycode),
        };
        for byte in basic {
            decoded.insert(decoded.count, char::from(byte.to_ascii_lowercase()))?;
        }
        let (mut code, mut at, mut bias) = (INITIAL_N, 0_u32, INITIAL_BIAS);
        let mut is_first = true;
        while !digits.is_empty() {
            let delta = delta(&mut digits, bias)?;
            let count = NonZero::new(u32::try_from(decoded.count + 1).ok()?)?;
            bias = adapt(delta, count, is_first);
            is_first = false;
            at = at.checked_add(delta)?;
            code = code.checked_add(at / count)?;
            at %= count;
            decoded.insert(usize::try_from(at).ok()?, char::from_u32(code)?)?;
            at += 1;
        }
        Some(decoded)
    }

    fn characters(&self) -> &[char] {
        self.characters.get(..self.count).unwrap_or_default()
    }

    /// Moves the characters from `at` on by one place.
    fn insert(&mut self, at: usize, character: char) -> Option<()> {
        let mut moved = character;
        for place in self.characters.get_mut(at..=self.count)? {
            core::mem::swap(place, &mut moved);
        }
        self.count += 1;
        Some(())
    }
}

/// The next generalised variable-length integer, RFC 3492 §3.3.
fn delta(digits: &mut &[u8], bias: u32) -> Option<u32> {
    let (mut delta, mut weight, mut k) = (0_u32, 1_u32, BASE);
    loop {
        let (digit, rest) = digits.split_first()?;
        *digits = rest;
        let digit = u32::from(match digit {
            b'a'..=b'z' => digit - b'a',
            b'A'..=b'Z' => digit - b'A',
            b'0'..=b'9' => digit - b'0' + 26,
            _ => return None,
        });
        delta = delta.checked_add(digit.checked_mul(weight)?)?;
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if digit < threshold {
            return Some(delta);
        }
        weight = weight.checked_mul(BASE - threshold)?;
        k += BASE;
    }
}

/// The bias adaptation of RFC 3492 §6.1.
fn adapt(delta: u32, count: NonZero<u32>, is_first: bool) -> u32 {
    let mut delta = delta / if is_first { DAMP } else { 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

// The parameters of RFC 3492 §5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    extern crate std;

    use super::*;
    use std::string::String;

    #[test]
    fn punycode_of_the_rfc_and_of_real_names_is_decoded() {
        // The samples of RFC 3492 §7.1 that have no capital letter, and names that are in use.
        for (punycode, expected) in [
            ("mnchen-3ya", "münchen"),
            ("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"),
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("4dbcagdahymbxekheh6e0a7fei0b", "למההםפשוטלאמדבריםעברית"),
            ("n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa", "なぜみんな日本語を話してくれないのか"),
            ("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски"),
            ("p1ai", "рф"),
            ("fiqs8s", "中国"),
        ] {
            let decoded: String =
                Decoded::of(punycode.as_bytes()).unwrap().characters().iter().collect();
            assert_eq!(decoded, expected, "{punycode}");
        }
    }

    #[test]
    fn what_is_no_a_label_is_told() {
        for label in
            ["xn--mnchen-3ya", "XN--MNCHEN-3YA", "xn--p1ai", "example", "xn-", "xn", "ab--c"]
        {
            assert!(is_a_label(label.as_bytes()), "{label}");
        }
        for label in [
            "xn--",            // nothing
            "xn--abc-",        // US-ASCII alone
            "xn--abc",         // the last integer does not end
            "xn--99999999999", // over 2^32
            "xn--a-ecp.",      // a byte that is no digit
            "xn--ls8h",        // an emoji
            // RFC 3492 §6.2: a delimiter with nothing before it is no delimiter, and no digit.
            "xn---abc",
            "xn---mnchen3ya",
            "xn---p1ai",
            "XN---FIQS8S",
            "xn----",
            "xn---",
        ] {
            assert!(!is_a_label(label.as_bytes()), "{label}");
        }
    }
}
