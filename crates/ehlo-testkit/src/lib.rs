//! A test kit for SMTP software: what tests [`ehlo`], usable for parsers, servers and clients of any
//! make.
//!
//! | I want | see |
//! | --- | --- |
//! | lines and replies with what a strict parser makes of them | [`vectors`] |
//! | whole sessions, to replay against a server | [`transcript`] |
//! | functions for a fuzzer, that panic when something is wrong | [`property`]; inputs to begin with: [`seeds`] |
//! | another parser compared with this one on any input | [`differential`] |
//! | a client and a server on a slow or broken network, without a network | [`simulation`] |
//! | a mail server in memory | [`peer`], whose application is [`application`] |
//! | to cut bytes in every way, and feed decoders with the pieces | [`split`], [`mail_data`] |
//! | what the server answers to everything, everywhere | [`reply_table`], [`session_table`] |
//!
//! # For a fuzzer
//!
//! A whole fuzz target, for `cargo fuzz`:
//!
//! ```ignore
//! #![no_main]
//!
//! libfuzzer_sys::fuzz_target!(|input: &[u8]| ehlo_testkit::property::command(input));
//! ```
//!
//! Any other source of bytes will do:
//!
//! ```
//! use ehlo_testkit::{property, seeds};
//!
//! for (name, holds) in property::ALL {
//!     for (_, seed) in seeds::of(name).iter().take(5) {
//!         let mut input = seed.clone();
//!         input.truncate(seed.len() / 2);
//!         holds(&input);
//!     }
//! }
//! ```
//!
//! # For a server
//!
//! [`Transcript::replay`](transcript::Transcript::replay) plays the client's side, and compares the
//! codes of the replies. Here the server is the one in memory; yours may be on a socket:
//!
//! ```
//! use ehlo_testkit::peer::Peer;
//! use ehlo_testkit::transcript::{self, Stimulus};
//!
//! let (_, session) = transcript::all().find(|(name, _)| *name == "dots").expect("it is there");
//! let mut server = Peer::new(session.config);
//! session.replay(|stimulus| {
//!     server.sent.clear();
//!     match stimulus {
//!         Stimulus::Connect => drop(server.feed(b"")),
//!         Stimulus::Receive(bytes) => drop(server.feed(bytes)),
//!         Stimulus::Tls => server.establish_tls(),
//!     }
//!     server.sent.clone()
//! })?;
//! # Ok::<(), ehlo_testkit::transcript::Mismatch>(())
//! ```
//!
//! The crate allocates, and it panics where something is not as it must be: that is what it is for.
#![warn(missing_docs)]
#![allow(clippy::missing_panics_doc)] // a failed expectation panics, that is what it is for

pub mod application;
pub mod differential;
pub mod mail_data;
pub mod peer;
pub mod property;
pub mod reply_table;
pub mod seeds;
pub mod session_table;
pub mod simulation;
pub mod split;
pub mod transcript;
pub mod vectors;
