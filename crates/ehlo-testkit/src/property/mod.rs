//! Properties: each takes any bytes, and panics when something is not as it must be.
//!
//! They are the bodies of the fuzz targets, and `cargo test` runs them on the seeds and on what
//! proptest finds. Where a property chooses (a policy, a configuration, where to cut), the first
//! bytes of its input choose, and the rest is what is judged.
//!
//! | property | what it promises |
//! | --- | --- |
//! | [`command`], [`path`], [`parameters`], [`reply`], [`capability`], [`sasl`] | what is read is written in one form, which is read as the same, is harmless and keeps the limits; no prefix is something else |
//! | [`data_decoder`], [`data_encoder`] | the content is that of a naive decoder or encoder, wherever the bytes are cut |
//! | [`chunks`] | content in chunks is judged as content by DATA |
//! | [`server`], [`client`] | the events do not depend on where the bytes are cut; the machine keeps to the table, and ends |
//! | [`budget`] | a client that brings no mail is told 421 in the end, whatever it asks for |
//! | [`session`] | a client and a server agree about the session, and neither waits for ever |
//! | [`delivery`] | every recipient has one outcome, and it is that of the replies |
//! | [`identity`] | a verdict has its reasons, and the questions are bounded |
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

/// A property: it panics when it does not hold of the bytes.
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
