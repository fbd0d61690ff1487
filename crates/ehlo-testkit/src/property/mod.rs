//! Properties: each takes any octets, and panics when something is not as it must be.
//!
//! They are the bodies of the fuzz targets, and `cargo test` runs them on the seeds and on what
//! proptest finds. Where a property chooses (a policy, a configuration, where to cut), the first
//! octets of its input choose, and the rest is what is judged.

mod capability;
mod client;
mod command;
mod data;
mod delivery;
mod identity;
mod operation;
mod parameter;
mod path;
mod reply;
mod sasl;
mod server;
mod session;

pub use capability::capability;
pub use client::client;
pub use command::command;
pub use data::{data_decoder, data_encoder};
pub use delivery::delivery;
pub use identity::identity;
pub use parameter::parameters;
pub use path::path;
pub use reply::reply;
pub use sasl::sasl;
pub use server::server;
pub use session::session;

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};

use ehlo::Encode;

/// A property: it panics when it does not hold of the octets.
pub type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target.
pub const ALL: &[(&str, Property)] = &[
    ("command", command),
    ("path", path),
    ("parameters", parameters),
    ("reply", reply),
    ("capability", capability),
    ("data_decoder", data_decoder),
    ("data_encoder", data_encoder),
    ("sasl", sasl),
    ("server", server),
    ("client", client),
    ("session", session),
    ("delivery", delivery),
    ("identity", identity),
];

/// The first octets of an input, which choose, zero where there are none; and the rest of it.
fn choices<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let (head, rest) = input.split_at(N.min(input.len()));
    let mut chosen = [0; N];
    chosen[..head.len()].copy_from_slice(head);
    (chosen, rest)
}

/// `octets` cut after the first so many, after so many more, and then every so many; 0 cuts
/// nothing.
fn pieces(octets: &[u8], [first, second, others]: [u8; 3]) -> Vec<&[u8]> {
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

/// The octets of a value, which says how many they are, and writes none of them where they do not
/// fit.
fn wire(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    assert_eq!(value.encode(&mut out), Ok(out.len()));
    if let Some(short) = out.len().checked_sub(1) {
        let error = value.encode(&mut vec![0; short]).expect_err("one octet is missing");
        assert_eq!(error.needed, out.len());
    }
    out
}

/// Asserts that nothing can be smuggled in these octets.
fn assert_no_control(octets: &[u8]) {
    assert!(!octets.iter().any(u8::is_ascii_control), "{}", octets.escape_ascii());
}

/// Asserts that this is one line, and that nothing can be smuggled in it.
fn assert_one_line(octets: &[u8]) {
    let line = octets.strip_suffix(b"\r\n").expect("a line ends with CRLF");
    assert_no_control(line);
}

fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}
