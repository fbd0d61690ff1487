//! Paths, RFC 5321 §4.1.2: the arguments of MAIL and RCPT.

mod client_name;
mod domain;
pub(crate) mod forward_path;
mod literal;
mod mailbox;
mod path;
mod path_or;
pub(crate) mod reverse_path;
mod source_route;

pub use client_name::{ClientName, Text};
pub use domain::{Domain, Host};
pub use literal::{AddressLiteral, GeneralAddressLiteral};
pub use mailbox::{LocalPart, Mailbox, Unquoted};
pub use path::Path;
pub use source_route::SourceRoute;

pub(crate) use client_name::{client_name, helo_name, text_of};
pub(crate) use domain::{UTF8, domain, is_disallowed};
pub(crate) use forward_path::forward_path;
pub(crate) use literal::{ipv4_address_literal, ipv6_addr, write_ipv4, write_ipv6};
pub(crate) use mailbox::{checked_mailbox, local_part, quoted_string};
pub(crate) use path::plain_mailbox;
pub(crate) use reverse_path::reverse_path;
