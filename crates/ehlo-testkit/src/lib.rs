//! A test kit for SMTP software: the tools that test [`ehlo`], for any parser, server or client.
//!
//! | I want | see |
//! | --- | --- |
//! | lines and replies with the verdict of a strict parser | [`vectors`] |
//! | whole sessions, to replay against a server | [`transcript`] |
//! | functions for a fuzzer, which panic at a fault | [`property`]; inputs to begin with: [`seeds`] |
//! | another parser compared with this one on any input | [`differential`] |
//! | a client and a server on a slow or broken network, without a network | [`simulation`] |
//! | a mail server in memory | [`peer`], with the application in [`application`] |
//! | to cut bytes in every way, and feed the pieces to decoders | [`split`], [`mail_data`] |
//! | the server's reply to every command in every state | [`reply_table`], [`session_table`] |
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
//! Any other source of bytes works too:
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
//! codes of the replies. Here the server is the one in memory; another may be on a socket:
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
//! The crate allocates, and panics at a fault: that is its purpose.
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
