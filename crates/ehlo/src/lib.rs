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
mod keyword;
pub mod limits;
mod machine;
mod parameter;
mod path;
mod policy;
mod reply;
mod sasl;
mod server;
mod session;

pub use capability::{
    AuthMechanisms, Capabilities, Capability, DeliverBy, EhloKeyword, EhloParams, FutureRelease,
    Limits, PriorityProfile, ReleaseTime, SolicitationKeywords,
};
pub use code::{Code, EnhancedCode, EnhancedStatus, Severity};
pub use encode::{BufferTooSmall, Encode, Writer};
pub use error::{Parsed, SyntaxError, SyntaxErrorKind};
pub use extension::Extension;
pub use machine::{Machine, Received, Wants};
pub use policy::Policy;
pub use reply::{Lines, Reply, ReplyFrame, ReplyLimits};
pub use sasl::{Challenge, Mechanisms, Response, SaslData, SaslMechanism};
pub use session::Verb;
