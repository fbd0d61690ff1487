//! `send` against `receive`, as processes that talk over loopback.

mod attacks;
#[path = "../probe/dns.rs"]
mod dns;
mod certificates;
mod hostile;
mod process;
mod receiving;
mod receiving_trust;
mod sending;
mod sending_hostile;
mod sending_secure;
