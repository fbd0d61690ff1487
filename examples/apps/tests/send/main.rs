//! `send` as a process, with a server at its socket that says what the test wants.

mod connections;
#[path = "../probe/dns.rs"]
mod dns;
mod exchanges;
mod names;
mod outcomes;
#[path = "../loopback/process.rs"]
mod process;
mod secrets;
mod server;
mod trust;
