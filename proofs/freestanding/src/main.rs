//! Two sessions and every SASL exchange, from end to end on bare Linux: no `std`, no `alloc`, no
//! libc, no start files.
//!
//! The program links only if nothing in it needs an allocator, and it exits with 0 only if the
//! sessions came out as they should. `../freestanding-no-panic` is the same program without a panic
//! in it: nothing that ehlo does here, for any bytes of the peer, leads to one.
#![no_std]
#![no_main]

#[forbid(unsafe_code)]
mod authentication;
#[forbid(unsafe_code)]
mod delivery;
#[forbid(unsafe_code)]
mod identity;
mod start;
#[forbid(unsafe_code)]
mod submission;
#[forbid(unsafe_code)]
mod syntax;
#[forbid(unsafe_code)]
mod wire;

/// The exit status: which part failed.
fn run() -> u8 {
    if syntax::run().is_none() {
        return 1;
    }
    if delivery::run().is_none() {
        return 2;
    }
    if submission::run().is_none() {
        return 3;
    }
    if authentication::run().is_none() {
        return 4;
    }
    if identity::run().is_none() {
        return 5;
    }
    control()
}

#[cfg(feature = "control-alloc")]
fn control() -> u8 {
    use nom::Parser as _;
    let mut letters = nom::multi::many0(nom::character::complete::alpha1::<&[u8], ()>);
    u8::from(letters.parse(core::hint::black_box(b"ehlo".as_slice())).is_err())
}

#[cfg(feature = "control-panic")]
fn control() -> u8 {
    let zeros = [0; 4];
    zeros[core::hint::black_box(3)]
}

#[cfg(not(any(feature = "control-alloc", feature = "control-panic")))]
const fn control() -> u8 {
    0
}
