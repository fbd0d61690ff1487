//! `send` against `receive`, as processes that talk over loopback.

mod process;
mod receiving;
mod sending;
mod sending_hostile;
mod sending_secure;
