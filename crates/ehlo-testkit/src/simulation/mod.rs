//! A delivery and a server joined by a link with latency, bandwidth, segments and an end, under a
//! simulated clock.
//!
//! Both sides have buffers of a fixed size, like a program without an allocator, and the link holds
//! no more bytes than its window: bytes wait until the peer reads. If neither side can do anything,
//! the clock moves to the next arrival; if nothing is on the way either, both sides wait for ever,
//! and [`Simulation::run`] returns [`Deadlock`].

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
