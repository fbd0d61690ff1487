//! A [`Delivery`](ehlo::Delivery) over a stream.

pub(crate) mod driver;
mod messages;
mod session_end;

pub use messages::{MessageQueue, MessageSource};
pub use session_end::{EndReason, SessionEnd};
