//! A [`Delivery`](ehlo::Delivery) over a stream.

pub(crate) mod driver;
mod messages;
mod report;
mod session;
mod session_end;
mod session_tls;

pub use messages::{MessageQueue, MessageSource, NextEnvelope};
pub use report::RecipientReport;
pub use session::{FailureCause, SendFailure, Session};
pub use session_end::{EndReason, SessionEnd};
