//! Properties: each takes any bytes, and panics at a fault.
//!
//! They are the bodies of the fuzz targets, and `cargo test` runs them on the seeds and on inputs
//! of proptest. If a property needs a choice (a policy, a configuration, the places of cuts), the
//! first bytes of its input decide, and the rest is the input under test.
//!
//! | property | promise |
//! | --- | --- |
//! | [`command`], [`path`], [`parameters`], [`reply`], [`capability`], [`sasl`] | a parsed value is written in one form, which parses to the same value, is harmless and keeps the limits; no prefix is another value |
//! | [`data_decoder`], [`data_encoder`] | the content is that of a naive decoder or encoder, wherever the bytes are cut |
//! | [`chunks`] | content in chunks gets the same verdict as content by DATA |
//! | [`server`], [`client`] | the events do not depend on the places of cuts; the machine keeps to the table, and ends |
//! | [`budget`] | a client that brings no mail gets a 421 in the end, whatever its commands |
//! | [`session`] | a client and a server agree about the session, and neither waits for ever |
//! | [`delivery`] | every recipient has one outcome, and the replies determine it |
//! | [`identity`] | a verdict has its reasons, and the number of questions is bounded |
//!
//! ```
//! use ehlo_testkit::property;
//!
//! property::command(b"RCPT TO:<\"a\\ b\"@x.example> NOTIFY=NEVER\r\n");
//! property::reply(b"\x00\x01\x01\x00250-a\r\n250 b\r\n");
//! ```

mod assertions;
mod budget;
mod capability;
mod chunks;
mod client;
mod command;
mod data;
mod delivery;
mod identity;
mod input;
mod operation;
mod parameter;
mod path;
mod reply;
mod sasl;
mod server;
mod session;

pub use budget::budget;
pub use capability::capability;
pub use chunks::chunks;
pub use client::client;
pub use command::command;
pub use data::{data_decoder, data_encoder};
pub use delivery::delivery;
pub use identity::identity;
pub use parameter::parameters;
pub use path::path;
pub use reply::reply;
pub use sasl::sasl;
pub use server::server;
pub use session::session;

use assertions::{assert_no_control, assert_one_line, hash, wire};
use input::{any_policy, choices, pieces};

/// A property: a function that panics if it does not hold for the bytes.
pub type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target.
pub const ALL: &[(&str, Property)] = &[
    ("command", command),
    ("path", path),
    ("parameters", parameters),
    ("reply", reply),
    ("capability", capability),
    ("data_decoder", data_decoder),
    ("data_encoder", data_encoder),
    ("chunks", chunks),
    ("sasl", sasl),
    ("server", server),
    ("budget", budget),
    ("client", client),
    ("session", session),
    ("delivery", delivery),
    ("identity", identity),
];
