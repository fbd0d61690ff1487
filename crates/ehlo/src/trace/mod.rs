//! Trace information, RFC 5321 §4.4: the header fields that a server puts in front of the mail data
//! it has accepted. No byte of a peer can add a line to them.
//!
//! [`Encode`] writes each with its CRLF. Write the [`separator`] between the last of them and the
//! content, so that the content cannot continue the last field.

mod received;
mod results;
mod separator;
mod timestamp;

pub use received::{Atom, Protocol, ReceivedField};
pub use results::AuthenticationResults;
pub use separator::{SEPARATOR_MAX, separator};
pub use timestamp::Timestamp;

use core::net::IpAddr;

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::path::AddressLiteral;
use crate::syntax::path::reverse_path::ReversePath;

/// `Return-Path:`, which the last server puts before all other fields: §4.4, "Return-path-line".
///
/// ```
/// use ehlo::{Encode, ReversePath, trace::ReturnPath};
///
/// let mut out = [0; 64];
/// let written = ReturnPath(ReversePath::new("a@example.org")?).encode(&mut out)?;
/// assert_eq!(&out[..written], b"Return-Path: <a@example.org>\r\n");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReturnPath<'a>(
    /// The reverse-path of the transaction.
    pub ReversePath<'a>,
);

impl Encode for ReturnPath<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        // `Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>`
        writer.put(b"Return-Path: ");
        self.0.write_to(writer);
        writer.put(b"\r\n");
    }
}

/// `FWS` that begins a new line of the field.
const FOLD: &[u8] = b"\r\n\t";

fn put_literal(address: IpAddr, writer: &mut Writer<'_>) {
    AddressLiteral::from(address.to_canonical()).write_to(writer);
}

/// Text within a comment, RFC 5322 §3.2.2: a character that `ctext` lacks is quoted, or becomes a
/// question mark.
fn put_ctext(text: &[u8], writer: &mut Writer<'_>) {
    for byte in text {
        match byte {
            b'(' | b')' | b'\\' => writer.put(&[b'\\', *byte]),
            b' '..=b'~' => writer.put_byte(*byte),
            _ => writer.put_byte(b'?'),
        }
    }
}
