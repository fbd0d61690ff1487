//! Mail data: decoders and encoders fed in pieces, and the reference for a comparison.
//!
//! ```
//! use ehlo::data::{DataDecoder, Newlines};
//! use ehlo_testkit::mail_data::{decode, reference};
//! use ehlo_testkit::split::every_split;
//!
//! let input = b"one\r\n..two\r\n.\r\n";
//! let expected = reference::decoded(Newlines::Reject, None, input);
//! assert_eq!(expected.body, b"one\r\n.two\r\n");
//! every_split(input, |pieces| {
//!     assert_eq!(decode(DataDecoder::new(Newlines::Reject), pieces), expected);
//! });
//! ```

pub mod reference;

use ehlo::data::{Content, DataDecoder, DataEncoder, FinishError, NewlineError};

/// The result of decoding an input.
///
/// ```
/// use ehlo::data::{DataDecoder, Newlines};
/// use ehlo_testkit::mail_data::{Outcome, decode};
///
/// let outcome = decode(DataDecoder::new(Newlines::Reject), &[b"a\r\n", b".\r\nQUIT"]);
/// assert_eq!(outcome, Outcome { body: b"a\r\n".to_vec(), end: Some((Ok(()), 6)) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The data, joined.
    pub body: Vec<u8>,
    /// The verdict, and the number of bytes consumed by then; `None` if the input had no end.
    pub end: Option<(Result<(), NewlineError>, usize)>,
}

/// Decodes `pieces`.
pub fn decode(mut decoder: DataDecoder, pieces: &[&[u8]]) -> Outcome {
    let mut body = Vec::new();
    let mut before = 0;
    for piece in pieces {
        let mut at = 0;
        loop {
            let unmoved = decoder;
            let step = decoder.decode(&piece[at..]);
            at += step.consumed;
            match step.content {
                Content::Data(data) => {
                    assert!(!data.is_empty(), "data of no bytes");
                    assert!(step.consumed > 0 || decoder != unmoved, "no progress");
                    body.extend_from_slice(data);
                }
                Content::NeedInput => break assert_eq!(at, piece.len(), "bytes left behind"),
                Content::End(verdict) => {
                    return Outcome { body, end: Some((verdict, before + at)) };
                }
            }
        }
        before += piece.len();
    }
    Outcome { body, end: None }
}

/// Encodes with `room` bytes of output per call, and ends the data.
///
/// # Errors
///
/// The error of the encoder.
pub fn encode(
    mut encoder: DataEncoder,
    pieces: &[&[u8]],
    room: usize,
) -> Result<Vec<u8>, NewlineError> {
    let mut wire = Vec::new();
    let mut out = vec![0; room];
    for piece in pieces {
        let mut at = 0;
        while at < piece.len() {
            let progress = encoder.encode(&piece[at..], &mut out)?;
            assert!(progress.consumed + progress.written > 0, "no progress in {room} bytes");
            at += progress.consumed;
            wire.extend_from_slice(&out[..progress.written]);
        }
    }
    match encoder.finish(&mut [0; 2]) {
        Err(FinishError::BufferTooSmall(_)) => {}
        Err(FinishError::Newline(error)) => return Err(error),
        other => panic!("{other:?} in two bytes"),
    }
    let mut out = [0; DataEncoder::MAX_END];
    let written = encoder.finish(&mut out).expect("room for the end");
    wire.extend_from_slice(&out[..written]);
    Ok(wire)
}
