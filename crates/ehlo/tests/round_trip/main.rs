//! Values of every type, built as their RFCs let them be built: what is written is read back as the
//! same, and no part of it as another.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod command;
mod parameter;
mod path;

use ehlo::{Encode, Policy};

/// What a server reads that has offered SMTPUTF8.
const UTF8: Policy = Policy { smtputf8: true, ..Policy::STRICT };

fn wire(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    assert_eq!(value.encode(&mut out), Ok(out.len()));
    out
}

fn text(value: &impl Encode) -> String {
    String::from_utf8(wire(value)).unwrap()
}
