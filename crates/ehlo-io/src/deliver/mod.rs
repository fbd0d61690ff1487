//! A [`Delivery`](ehlo::Delivery) over a stream.

pub(crate) mod driver;
pub(crate) mod messages;
mod report;
pub(crate) mod session;
mod session_end;

pub use messages::{MessageQueue, MessageSource, NextEnvelope};
pub use report::RecipientReport;
pub use session::{FailureCause, SendFailure, Session};
pub use session_end::{EndReason, SessionEnd};
