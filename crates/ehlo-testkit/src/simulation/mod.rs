//! A delivery and a server joined by a link with latency, bandwidth, segments and an end, under a
//! clock of its own.
//!
//! Both ends have buffers of a fixed size, as a program without an allocator has, and the link
//! holds no more bytes than its window: what is not read is not sent. When neither end can do
//! anything the clock goes on to the next arrival; when there is none either, they wait for each
//! other for ever, and [`Simulation::run`] says so.

mod client;
mod configuration;
mod link;
pub mod refusals;
mod report;
mod run;
mod server;

pub use configuration::{Room, Simulation};
pub use link::Link;
pub use report::{Message, Report};
pub use run::Deadlock;
