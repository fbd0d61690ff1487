//! SMTP without I/O: it parses, encodes and decides, and the octets are carried by somebody else.
//!
//! | I want | see |
//! | --- | --- |
//! | to deliver messages | [`Delivery`]: the whole conversation of a client, one outcome for each recipient |
//! | to receive them | [`Server`]: octets in, events out; the reply decides |
//! | a client that does something of its own | [`Client`] |
//! | buffers around a machine, without a socket | `Endpoint`, with the feature `bytes` |
//! | to carry it over streams of a new kind | `Connection`, with the feature `std` |
//! | to know who greets me | [`HeloCheck`]: forward-confirmed reverse DNS, without a resolver |
//! | to greet with the right name | [`HeloName`] |
//! | to read or write one line | [`Command`], [`Reply`], [`Capability`]; paths: [`ReversePath`], [`ForwardPath`]; parameters: [`Parameters`] |
//! | the mail data alone | [`DataDecoder`], [`DataEncoder`], [`ChunkDecoder`] |
//! | the `Received:` line of what was accepted | [`trace`] |
//! | which command is valid when | [`session`] |
//!
//! Nothing here needs `std` or `alloc`, and `unsafe` is forbidden. The caller owns every buffer: a
//! call takes `&[u8]`, says how much of it was consumed, and its event borrows only that; an encoder
//! writes into `&mut [u8]`, or says how much it needs.
//!
//! ```
//! use ehlo::{Command, Encode, Parsed, Policy};
//!
//! let input = b"MAIL FROM:<smith@example.com> SIZE=1000\r\nRCPT TO:";
//! let Parsed::Complete { value, consumed } = Command::parse(input, &Policy::STRICT)? else {
//!     panic!("there is a whole line");
//! };
//! assert_eq!(&input[consumed..], b"RCPT TO:");
//! let Command::Mail { reverse_path, parameters } = value else { panic!("it is MAIL") };
//! assert_eq!(reverse_path.to_string(), "<smith@example.com>");
//! assert_eq!(parameters.size(), Some(1000));
//!
//! let mut out = [0; 64];
//! let written = value.encode(&mut out)?;
//! assert_eq!(&out[..written], &input[..consumed]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
// `Policy` gains a field with each leniency; it is passed by reference whatever its size.
#![allow(clippy::trivially_copy_pass_by_ref)]

#[cfg(feature = "bytes")]
extern crate alloc;
#[cfg(any(feature = "scram", feature = "std"))]
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
pub mod identity;
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
pub mod trace;

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
pub use delivery::{Delivery, DeliveryConfig, DeliveryStatistics, Envelope, Recipient, Recipients};
pub use encode::{BufferTooSmall, Encode, Writer};
#[cfg(feature = "bytes")]
pub use endpoint::{
    Answer, Collect, Courier, Door, Ended, Endpoint, Leave, Mailing, Messages, Pass, Piece, Read,
    Step, Stop, Task, Transport, Turn, Visit, Why, serve,
};
#[cfg(feature = "std")]
pub use endpoint::{Carry, Connection, Exports, Handshake, MaybeTls, OverTls, ReadFrom, WriteTo};
pub use error::{Parsed, SyntaxError, SyntaxErrorKind};
pub use extension::Extension;
pub use identity::{HeloCheck, HeloName};
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
