//! Replies: parsed from the wire, built for it, and written to it. RFC 5321 §4.2.

mod frame;
mod lines;
pub(crate) mod reply;

pub use frame::{ReplyFrame, ReplyLimits};
pub use lines::Lines;

pub(crate) use lines::wire_line;
pub(crate) use reply::{Reply, put_code};
