//! Commands, RFC 5321 §4.1.1 and the extensions that add verbs.

mod argument;
mod attribute;
mod auth;
pub(crate) mod command;
mod display;
mod parse;
mod verb;

pub use argument::{AbsoluteUri, DomainList, EtrnNode, OtherVerb, SmtpString, UserOrList};
pub use attribute::{Attribute, AttributeName, Attributes, AttributesIter};
pub use auth::Mechanism;
pub use verb::Verb;
