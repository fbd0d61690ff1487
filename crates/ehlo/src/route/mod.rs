//! The route of mail for a domain, RFC 5321 §5: the plan, without a resolver.
//!
//! [`MxPlan`] asks for MX records and addresses, the application passes the answers of any
//! resolver, and the plan returns the addresses to try in their order.

mod exchanges;
mod no_route;
mod plan;
mod query;

pub use no_route::NoRoute;
pub use plan::{MxPlan, MxStep, OwnHosts, Target};
pub use query::{MxAnswer, MxQuery, UnexpectedAnswer};
