//! SMTP without I/O.
#![no_std]
#![forbid(unsafe_code)]
// `Policy` gains a field with each leniency; it is passed by reference whatever its size.
#![allow(clippy::trivially_copy_pass_by_ref)]

mod capability;
mod chunk;
mod client;
mod code;
mod command;
mod data;
mod delivery;
mod encode;
mod error;
mod extension;
mod grammar;
pub mod limits;
mod machine;
mod parameter;
mod path;
mod policy;
mod reply;
mod sasl;
mod server;
mod session;

pub use code::{Code, EnhancedCode, Severity};
pub use command::{
    AbsoluteUri, Attribute, AttributeName, Attributes, Command, DomainList, EtrnNode,
    InitialResponse, Mechanism, OtherVerb, SmtpString, UserOrList,
};
pub use encode::{BufferTooSmall, Encode, Writer};
pub use error::{Parsed, SyntaxError, SyntaxErrorKind};
pub use extension::Extension;
pub use machine::{Machine, Received, Wants};
pub use parameter::{
    AuthIdentity, Body, ByMode, DateTime, Decoded, DeliverBy, Envid, HoldInterval, Mtrk, Notify,
    Orcpt, OtherParameter, Parameter, Parameters, Priority, Ret, Rrvs, RrvsAction, Solicit,
    TransId, Xtext, XtextMailbox,
};
pub use path::{
    AddressLiteral, ClientName, Domain, ForwardPath, GeneralAddressLiteral, Host, LocalPart,
    Mailbox, Path, ReversePath, SourceRoute, Text, Unquoted,
};
pub use policy::Policy;
pub use session::Verb;
