//! Mail data: the bytes between the 354 and the final dot, RFC 5321 §4.1.1.4 and §4.5.2.

mod chunk;
mod decoder;
mod encoder;
mod newlines;
mod search;

pub use chunk::ChunkDecoder;
pub use decoder::{Content, DataDecoder, Decoded};
pub use encoder::{DataEncoder, FinishError, Progress};
pub(crate) use newlines::Before;
pub use newlines::{NewlineError, NewlineErrorKind, Newlines};
