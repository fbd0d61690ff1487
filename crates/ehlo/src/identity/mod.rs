//! The name in EHLO or HELO: the checks of a receiver, and the name that a client may use.
//!
//! [`HeloCheck`](crate::HeloCheck) asks the questions, any resolver answers them, and a [`Verdict`]
//! holds the facts. [`Finding`] and [`Advice`] say which reactions are allowed: RFC 5321 §4.1.4
//! lets a receiver verify the name, and forbids it to refuse mail because the name does not match
//! the address.

mod a_label;
mod finding;
mod generic;
pub(crate) mod helo_check;
pub(crate) mod helo_name;
mod names;
mod query;
mod syntax;
mod verdict;

pub use finding::{Advice, Enforcement, Finding, Forgery};
pub use helo_name::{HeloNameError, OwnHost};
pub use query::{DnsAnswer, DnsQuery, UnexpectedAnswer};
pub use syntax::NameSyntax;
pub use verdict::{Claim, Iprev, Verdict};

pub(crate) use helo_name::HeloName;
