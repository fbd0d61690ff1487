//! Assertions that hold for any value.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};

use ehlo::Encode;

/// The encoded bytes of a value; asserts that it reports their number, and writes no more than
/// fits.
pub(super) fn wire(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    assert_eq!(value.encode(&mut out), Ok(out.len()));
    if let Some(short) = out.len().checked_sub(1) {
        let error = value.encode(&mut vec![0; short]).expect_err("one byte is missing");
        assert_eq!(error.needed, out.len());
    }
    out
}

/// Asserts that these bytes can smuggle nothing.
pub(super) fn assert_no_control(bytes: &[u8]) {
    assert!(!bytes.iter().any(u8::is_ascii_control), "{}", bytes.escape_ascii());
}

/// Asserts that this is one line, which can smuggle nothing.
pub(super) fn assert_one_line(bytes: &[u8]) {
    let line = bytes.strip_suffix(b"\r\n").expect("a line ends with CRLF");
    assert_no_control(line);
}

pub(super) fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}
