//! The client machine: commands and content in, bytes out; bytes in, replies out.

pub(crate) mod client;
pub(crate) mod config;
mod domains;
pub(crate) mod error;
mod event;
mod flight;
mod send;

pub use event::Event;
