//! `send` against `receive`, as processes that talk over loopback.

mod certificates;
mod hostile;
mod process;
mod receiving;
mod sending;
mod sending_secure;
