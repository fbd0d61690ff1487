//! A [`Delivery`](ehlo::Delivery) over a stream.

pub(crate) mod driver;
mod messages;
mod session_end;
mod timeout;

pub use driver::{Courier, Read, Step};
pub use messages::{Mailing, Messages};
pub use session_end::{Ended, Why};
