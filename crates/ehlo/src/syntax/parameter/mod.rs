//! The parameters of MAIL and RCPT, RFC 5321 §4.1.1.11, with the types of their extensions' RFCs.

mod date_time;
mod dsn;
mod keywords;
mod list;
mod marks;
mod orcpt;
mod other;
mod place;
mod row;
mod table;
mod time;
mod word;
mod xtext;

pub use date_time::DateTime;
pub use dsn::{Envid, Notify, Ret};
pub use list::{Parameters, ParametersIter};
pub use orcpt::Orcpt;
pub use other::OtherParameter;
pub use table::Parameter;
pub use time::{By, ByMode, HoldInterval, Rrvs, RrvsAction};
pub use word::{Body, Mtrk, Priority, Solicit, TransId};
pub use xtext::{AuthIdentity, DecodedXtext, Xtext, XtextMailbox};

pub(crate) use list::{MAX_ALLOWANCE, allowance, parameters};
pub(crate) use place::Place;
pub(crate) use table::is_registered;
pub(crate) use xtext::encoded as xtext;

use crate::syntax::error::SyntaxErrorKind;

const KIND: SyntaxErrorKind = SyntaxErrorKind::ParameterValue;
