//! What `ehlo` costs, side by side with its peers: every measurement of this project is one of
//! [`CONTESTS`], whatever measures it.
//!
//! | measured | with |
//! | --- | --- |
//! | ratios of times, against their bounds | `cargo run --release -p ehlo-benches --bin ratios` |
//! | times and throughput | `cargo bench -p ehlo-benches --features throughput --bench throughput` |
//! | instructions, against the checked-in table | `ci/instructions` |
//! | allocations | `cargo test -p ehlo-benches` |
//!
//! `docs/measurements.md` has the results, and what they are worth.

mod commands;
mod contest;
mod corpus;
mod data;
mod hostile;
mod replies;
mod session;

pub use contest::{Contest, Kind, Side};

use corpus::{LARGE, MESSAGE, SHORT_MESSAGE, SMALL};

/// The contest of this name, with its corpus.
///
/// # Panics
///
/// When there is none.
pub fn contest(name: &str) -> Contest {
    let found = CONTESTS.iter().find(|(other, _)| *other == name);
    let Some((name, build)) = found else { panic!("no contest is called {name}") };
    build(name)
}

/// Makes the contest of a name, and its corpus.
pub type Build = fn(&'static str) -> Contest;

/// Every contest by name.
pub const CONTESTS: &[(&str, Build)] = &[
    ("commands/core", |name| commands::whole(name, SMALL, corpus::core)),
    ("commands/parameters", |name| commands::whole(name, SMALL, corpus::parameters)),
    ("commands/every-parameter", |name| commands::whole(name, SMALL, corpus::every_parameter)),
    ("commands/core-4MiB", |name| commands::whole(name, LARGE, corpus::core)),
    ("commands/parameters-4MiB", |name| commands::whole(name, LARGE, corpus::parameters)),
    ("commands/bytewise", |name| commands::bytewise(name, SMALL)),
    ("replies/single", |name| replies::whole(name, &corpus::SINGLE)),
    ("replies/multi", |name| replies::whole(name, &corpus::MULTI)),
    ("replies/ehlo", replies::capabilities),
    ("replies/bytewise-single", |name| replies::bytewise(name, &corpus::SINGLE)),
    ("replies/bytewise-multi", |name| replies::bytewise(name, &corpus::MULTI)),
    ("decode/text", |name| data::decode(name, &corpus::text(MESSAGE))),
    ("decode/dotted-text", |name| data::decode(name, &corpus::dotted_text(MESSAGE))),
    ("decode/dots", |name| data::decode(name, &corpus::dots(MESSAGE))),
    ("decode/text-1MiB", |name| data::decode(name, &corpus::text(SHORT_MESSAGE))),
    ("decode/dots-1MiB", |name| data::decode(name, &corpus::dots(SHORT_MESSAGE))),
    ("encode/text", |name| data::encode(name, corpus::text(MESSAGE))),
    ("encode/dotted-text", |name| data::encode(name, corpus::dotted_text(MESSAGE))),
    ("encode/dots", |name| data::encode(name, corpus::dots(MESSAGE))),
    ("encode/text-1MiB", |name| data::encode(name, corpus::text(SHORT_MESSAGE))),
    ("encode/dots-1MiB", |name| data::encode(name, corpus::dots(SHORT_MESSAGE))),
    ("session/server", session::server),
    ("hostile/endless-command", hostile::endless_command),
    ("hostile/endless-cr", hostile::endless_cr),
    ("hostile/long-lines", hostile::long_lines),
    ("hostile/many-parameters", hostile::many_parameters),
    ("hostile/two-letters", hostile::two_letters),
    ("hostile/deep-quoting", hostile::deep_quoting),
    ("hostile/source-route", hostile::source_route),
    ("hostile/xtext", hostile::xtext),
    ("hostile/initial-response", hostile::initial_response),
    ("hostile/many-reply-lines", hostile::many_reply_lines),
    ("hostile/long-reply-line", hostile::long_reply_line),
    ("hostile/nearly-the-end", hostile::nearly_the_end),
    ("hostile/bare-lf", hostile::bare_lf),
    ("hostile/bare-lf-and-text", hostile::bare_lf_and_text),
    ("hostile/data-bytewise", hostile::data_bytewise),
];
