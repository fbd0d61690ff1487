//! A mail server without an operating system, a C library or an allocator: one session, in a static
//! buffer of 2 KiB.
//!
//! ```text
//! cd examples/freestanding
//! printf 'HELO c\r\nQUIT\r\n' | cargo run --release
//! ```
//!
//! `board.rs` is what a device would have in its place, its line and its memory; here it asks the
//! kernel of Linux on x86-64 for two registers' worth of input and output, and for nothing else.
#![no_std]
#![no_main]

mod board;
#[path = "../../short/device.rs"]
#[forbid(unsafe_code)]
mod device;
#[path = "../../../proofs/freestanding/src/start.rs"]
mod start;

/// The exit status: how many messages came, at most 9, and 10 where the session broke off.
fn run() -> u8 {
    let Some(buffer) = board::buffer() else { return 10 };
    let mut messages = 0_u8;
    let ended = device::session(&mut board::Line, buffer, |piece| {
        if piece.is_empty() {
            messages = messages.saturating_add(1);
        }
    });
    if ended.is_ok() { messages.min(9) } else { 10 }
}
