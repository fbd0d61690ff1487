//! Links only if the optimiser finds no way to a panic in any of the functions below: `no-panic`
//! gives each of them a symbol that nobody defines, to be called when it unwinds.
//!
//! Every octet comes from the command line, so none of them is known when the functions are
//! compiled. Under the feature `control-panic` one function can panic, and the program must not
//! link: `ci/proofs` sees to both.

mod content;
mod control;
mod machines;
mod syntax;

fn main() {
    let input: Vec<u8> = std::env::args().skip(1).collect::<Vec<_>>().join("\r\n").into_bytes();
    let mut out = vec![0; 4096];
    println!("{} octets parsed", syntax::run(&input, &mut out));
    println!("{} octets of content", content::run(&input, &mut out));
    println!("{} octets of sessions", machines::run(&input, &mut out));
    println!("{}", control::run(&input));
}
