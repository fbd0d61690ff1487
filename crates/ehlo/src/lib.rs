//! SMTP without I/O.
#![no_std]
#![forbid(unsafe_code)]

mod capability;
mod chunk;
mod client;
mod code;
mod command;
mod data;
mod delivery;
mod encode;
mod error;
mod extension;
mod grammar;
pub mod limits;
mod machine;
mod parameter;
mod path;
mod policy;
mod reply;
mod sasl;
mod server;
mod session;

pub use chunk::ChunkDecoder;
pub use code::{Code, EnhancedCode, Severity};
pub use data::{
    Content, DataDecoder, DataEncoder, Decoded, FinishError, NewlineError, NewlineErrorKind,
    Newlines, Progress,
};
pub use encode::{BufferTooSmall, Encode, Writer};
pub use error::{Parsed, SyntaxError, SyntaxErrorKind};
pub use extension::Extension;
pub use machine::{Machine, Received, Wants};
pub use policy::Policy;
pub use session::Verb;
