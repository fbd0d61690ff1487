//! `send` against `receive`, as processes that talk over loopback.

mod attacks;
mod certificates;
#[path = "../probe/dns.rs"]
mod dns;
mod hostile;
mod process;
mod receiving;
mod receiving_trust;
mod sending;
mod sending_secure;
