//! `receive` as a process, with a client at its socket.

mod content;
mod limits;
mod output;
#[path = "../loopback/process.rs"]
mod process;
mod proxy;
mod tls;
mod trust;
mod unix;
