//! Mail data.

use super::DATA;
use super::line::lines;

/// Mail data on the wire and as content, RFC 5321 §4.5.2.
///
/// ```
/// use ehlo_testkit::vectors::{DataVector, data};
///
/// let Some(DataVector::Decode { input, decoded, .. }) = data().next() else {
///     panic!("the first one is to be decoded");
/// };
/// assert_eq!(input, b"test\r\n.\r\n");
/// assert_eq!(decoded.expect("it ends").body, b"test\r\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataVector {
    /// Bytes behind a 354, to decode.
    Decode {
        /// The permanent name of the vector.
        id: String,
        /// The bytes on the wire.
        input: Vec<u8>,
        /// The decoded content; `None` if it does not end.
        decoded: Option<Decoding>,
        /// A CR or an LF in it is bare.
        has_bare_cr_or_lf: bool,
    },
    /// A message, to encode.
    Encode {
        /// The permanent name of the vector.
        id: String,
        /// The content.
        content: Vec<u8>,
        /// The bytes on the wire, with the dot at the end; `None` if the content is refused,
        /// because a CR or an LF in it is bare.
        output: Option<Vec<u8>>,
    },
}

/// The result up to the final dot.
///
/// ```
/// use ehlo_testkit::vectors::{DataVector, data};
///
/// let has_rest = |vector: DataVector| match vector {
///     DataVector::Decode { decoded, .. } => decoded.is_some_and(|decoded| !decoded.unread.is_empty()),
///     _ => false,
/// };
/// assert!(data().any(has_rest));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoding {
    /// The content.
    pub body: Vec<u8>,
    /// The bytes behind the final dot.
    pub unread: Vec<u8>,
}

/// All mail data.
///
/// ```
/// assert!(ehlo_testkit::vectors::data().count() > 50);
/// ```
pub fn data() -> impl Iterator<Item = DataVector> {
    lines(DATA).map(|line| {
        let (id, input) = (line.text("id"), line.bytes("input").expect("an input"));
        if line.text("dir") == "encode" {
            return DataVector::Encode { id, content: input, output: line.bytes("output") };
        }
        let decoded = line.is("eod").then(|| Decoding {
            body: line.bytes("body").expect("a body"),
            unread: line.bytes("rest").expect("a rest"),
        });
        DataVector::Decode { id, input, decoded, has_bare_cr_or_lf: line.is("bare_cr_or_lf") }
    })
}
