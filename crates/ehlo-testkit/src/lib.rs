//! Transcripts, vectors, properties and simulations that test ehlo.
//!
//! Nothing here is published; it may allocate and panic, as a test does.
#![allow(clippy::missing_panics_doc)] // a failed expectation panics, that is what it is for

pub mod application;
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
