//! The server machine: lines and mail data in, events out; replies in, bytes out.

pub(crate) mod config;
mod content;
mod domains;
mod event;
mod foreign;
mod judge;
mod lines;
mod outcome;
mod read;
pub(crate) mod reply;
pub(crate) mod server;

pub use config::{CannotOffer, Role, ServerLimits};
pub use event::{Event, Reason, Refusal};
pub use reply::ACCEPTED;
