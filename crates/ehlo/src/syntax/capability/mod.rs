//! The offers of an EHLO reply: a single line, and the whole reply in a fixed size. RFC 5321
//! §4.1.1.1.

mod auth;
pub(crate) mod capability;
mod deliver_by;
mod future_release;
mod limits;
mod mt_priority;
mod no_soliciting;
mod offers;
mod private;
mod summary;
mod words;

pub use auth::{AuthMechanisms, MechanismNames};
pub use deliver_by::DeliverBy;
pub use future_release::{FutureRelease, ReleaseTime};
pub use limits::Limits;
pub use mt_priority::PriorityProfile;
pub use no_soliciting::SolicitationKeywords;
pub use offers::{Offer, Offers};
pub use summary::{Capabilities, CapabilitiesIter};
pub use words::{EhloKeyword, EhloParams, EhloWords};

pub(crate) use capability::Capability;
