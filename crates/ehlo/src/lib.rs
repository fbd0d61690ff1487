//! SMTP without I/O: this crate parses, encodes and decides. The caller moves the bytes.
//!
//! | I want | see |
//! | --- | --- |
//! | to deliver messages | [`Delivery`]: a client's whole session, one outcome for each recipient |
//! | to receive messages | [`Server`]: bytes in, events out; the reply decides |
//! | to write a client of another kind | [`Client`] |
//! | to run a machine over a socket | the crate `ehlo-io` and its adapters `ehlo-tokio`, `ehlo-async-std`, `ehlo-blocking` |
//! | to authenticate | the crate `ehlo-sasl` |
//! | to check the name that a client greets with | [`HeloCheck`]: forward-confirmed reverse DNS, without a resolver |
//! | to greet with the right name | [`HeloName`] |
//! | to parse or encode one line | [`Command`], [`Reply`], [`Capability`], [`ReversePath`], [`ForwardPath`]; the module [`syntax`] |
//! | to decode or encode mail data alone | [`data`] |
//! | to find where mail for a domain goes | [`route::MxPlan`]: MX records and addresses in order, without a resolver |
//! | to write the `Received:` field | [`trace`] |
//! | to know which command is valid when | [`session`] |
//!
//! Nothing in this crate needs `std` or `alloc`, and `unsafe` is forbidden. The caller owns every
//! buffer: a call takes `&[u8]` and returns how many bytes it consumed, and its event borrows from
//! that slice alone. An encoder writes into `&mut [u8]`, or returns the size that it needs.
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

pub mod client;
pub mod data;
pub mod delivery;
pub mod identity;
pub mod machine;
pub mod route;
pub mod server;
pub mod session;
pub mod syntax;
pub mod trace;

pub use client::client::Client;
pub use client::config::ClientConfig;
pub use client::error::SendError;
pub use delivery::config::DeliveryConfig;
pub use delivery::delivery::Delivery;
pub use delivery::envelope::Envelope;
pub use identity::helo_check::HeloCheck;
pub use identity::helo_name::HeloName;
pub use server::config::ServerConfig;
pub use server::reply::ReplyError;
pub use server::server::Server;
pub use syntax::capability::capability::Capability;
pub use syntax::code::code::Code;
pub use syntax::command::command::Command;
pub use syntax::encode::Encode;
pub use syntax::error::{Parsed, SyntaxError};
pub use syntax::extension::Extension;
pub use syntax::path::forward_path::ForwardPath;
pub use syntax::path::reverse_path::ReversePath;
pub use syntax::policy::Policy;
pub use syntax::reply::reply::Reply;
