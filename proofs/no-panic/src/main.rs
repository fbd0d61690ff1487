//! Links only if the optimiser finds no way to a panic in any of the functions below: `no-panic`
//! gives each of them a symbol that nobody defines, to be called when it unwinds.
//!
//! Every byte comes from the command line and every value through `black_box`, so nothing of them
//! is known when the functions are compiled. Under the feature `control-panic` one function can
//! panic, and the program must not link: `ci/proofs` sees to both.

mod authentication;
mod content;
mod control;
mod identity;
mod machines;
mod syntax;

use std::hint::black_box;

fn main() {
    let input = std::env::args().skip(1).collect::<Vec<_>>().join("\r\n").into_bytes();
    let input = black_box(input.as_slice());
    let mut memory = [0; 4096];
    let out = black_box(memory.as_mut_slice());
    println!("{} bytes of syntax", syntax::run(input, out));
    println!("{} bytes of content", content::run(input, out));
    println!("{} bytes of sessions", machines::run(input, out));
    println!("{} bytes of authentication", authentication::run(input, out));
    println!("{} bytes of identity", identity::run(input, out));
    println!("{} is the fourth byte", control::run(input));
}
