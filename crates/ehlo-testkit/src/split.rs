//! The ways to cut a run of bytes into pieces.
//!
//! ```
//! use ehlo_testkit::split::{cuts, pieces};
//!
//! let all: Vec<Vec<&[u8]>> = cuts(3).iter().map(|cut| pieces(b"abc", cut)).collect();
//! assert!(all.contains(&vec![&b"abc"[..]]) && all.contains(&vec![&b"a"[..], b"bc"]));
//! assert!(all.iter().all(|pieces| pieces.concat() == b"abc"));
//! ```

/// The cuts of a run of `length` bytes: whole, byte by byte, at every place in two, and in three if
/// it is short.
pub fn cuts(length: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![], (1..length).collect()];
    all.extend((1..length).map(|at| vec![at]));
    if length <= SHORT {
        for first in 1..length {
            all.extend((first + 1..length).map(|second| vec![first, second]));
        }
    }
    all
}

/// The pieces of `bytes` between the places in `cuts`.
pub fn pieces<'o>(bytes: &'o [u8], cuts: &[usize]) -> Vec<&'o [u8]> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

/// Calls `check` with `input` whole, at every split in two, byte by byte, and at every split in
/// three if it is short.
pub fn every_split(input: &[u8], mut check: impl FnMut(&[&[u8]])) {
    check(&[input]);
    check(&input.chunks(1).collect::<Vec<_>>());
    for second in 0..=input.len() {
        let (head, tail) = input.split_at(second);
        check(&[head, tail]);
        if input.len() <= 40 {
            for third in 0..=tail.len() {
                check(&[head, &tail[..third], &tail[third..]]);
            }
        }
    }
}

const SHORT: usize = 100;
