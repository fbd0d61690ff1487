//! How the input of a property is taken apart.

/// The first octets of an input, which choose, zero where there are none; and the rest of it.
pub(super) fn choices<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let (head, rest) = input.split_at(N.min(input.len()));
    let mut chosen = [0; N];
    chosen[..head.len()].copy_from_slice(head);
    (chosen, rest)
}

/// `octets` cut after the first so many, after so many more, and then every so many; 0 cuts
/// nothing.
pub(super) fn pieces(octets: &[u8], [first, second, others]: [u8; 3]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = octets;
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
