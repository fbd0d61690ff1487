//! SMTP without I/O.
#![no_std]
#![forbid(unsafe_code)]
// `Policy` gains a field with each leniency; it is passed by reference whatever its size.
#![allow(clippy::trivially_copy_pass_by_ref)]

#[cfg(feature = "scram")]
extern crate std;

mod capability;
mod chunk;
pub mod client;
mod code;
mod command;
mod data;
pub mod delivery;
mod encode;
#[cfg(feature = "bytes")]
mod endpoint;
mod error;
mod extension;
mod grammar;
mod keyword;
pub mod limits;
mod machine;
mod parameter;
mod path;
mod policy;
mod reply;
pub mod sasl;
pub mod server;
pub mod session;

pub use capability::{
    AuthMechanisms, Capabilities, Capability, DeliverBy, EhloKeyword, EhloParams, FutureRelease,
    Limits, PriorityProfile, ReleaseTime, SolicitationKeywords,
};
pub use chunk::ChunkDecoder;
pub use client::{Client, ClientConfig, SendError};
pub use code::{Code, EnhancedCode, EnhancedStatus, Severity};
pub use command::{
    AbsoluteUri, Attribute, AttributeName, Attributes, Command, DomainList, EtrnNode, Mechanism,
    OtherVerb, SmtpString, UserOrList,
};
pub use data::{
    Content, DataDecoder, DataEncoder, Decoded, FinishError, NewlineError, NewlineErrorKind,
    Newlines, Progress,
};
pub use delivery::{Delivery, DeliveryConfig, Envelope, Recipient, Recipients};
pub use encode::{BufferTooSmall, Encode, Writer};
#[cfg(feature = "bytes")]
pub use endpoint::{Answer, Endpoint, Transport, Turn};
pub use error::{Parsed, SyntaxError, SyntaxErrorKind};
pub use extension::Extension;
pub use machine::{Machine, Received, Upgrade, Wants};
pub use parameter::{
    AuthIdentity, Body, By, ByMode, DateTime, DecodedXtext, Envid, HoldInterval, Mtrk, Notify,
    Orcpt, OtherParameter, Parameter, Parameters, Priority, Ret, Rrvs, RrvsAction, Solicit,
    TransId, Xtext, XtextMailbox,
};
pub use path::{
    AddressLiteral, ClientName, Domain, ForwardPath, GeneralAddressLiteral, Host, LocalPart,
    Mailbox, Path, ReversePath, SourceRoute, Text, Unquoted,
};
pub use policy::Policy;
pub use reply::{Lines, Reply, ReplyFrame, ReplyLimits};
pub use sasl::{Challenge, Mechanisms, Response, SaslData, SaslMechanism};
pub use server::{Injected, ReplyError, Role, Server, ServerConfig, ServerLimits};
pub use session::{State, Verb};
