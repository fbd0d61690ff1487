//! The split of a property's input into choices and bytes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ehlo::Policy;

/// The first bytes of an input, which choose, padded with zeros; and the rest of it.
pub(super) fn choices<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let (head, rest) = input.split_at(N.min(input.len()));
    let mut chosen = [0; N];
    chosen[..head.len()].copy_from_slice(head);
    (chosen, rest)
}

/// `bytes` cut after `first` bytes, after `second` more, and then after every `others`; 0 means no
/// cut.
pub(super) fn pieces(bytes: &[u8], [first, second, others]: [u8; 3]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for length in [first, second] {
        let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    match others {
        0 => pieces.push(rest),
        _ => pieces.extend(rest.chunks(usize::from(others))),
    }
    pieces
}

/// A policy with the leniencies that the input chooses.
pub(super) fn any_policy(input: &[u8]) -> Policy {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let bits = hasher.finish();
    let bit = |place: u32| bits >> place & 1 != 0;
    Policy::STRICT
        .with_smtputf8(bit(0))
        .with_space_after_colon(bit(1))
        .with_extra_white_space(bit(2))
        .with_missing_brackets(bit(3))
        .with_doubled_brackets(bit(4))
        .with_missing_domain(bit(5))
        .with_any_dots(bit(6))
        .with_any_length(bit(7))
        .with_trailing_dot(bit(8))
        .with_underscore_in_domain(bit(9))
        .with_any_client_name(bit(10))
        .with_brackets_in_vrfy(bit(11))
}
