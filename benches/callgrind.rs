//! Instructions by callgrind: `ci/instructions` runs it, and reads what it says.

// What the macros make has no documentation.
#![allow(missing_docs)]

use ehlo_benches::{Contest, contest};
use gungraun::{
    LibraryBenchmarkConfig, OutputFormat, library_benchmark, library_benchmark_group, main,
};

/// A contest, and which of its sides runs. It ran once, so that what is found out only once is.
fn configure_tcp(name: &str, side: &str) -> (Contest, usize) {
    let mut contest = contest(name);
    let side = contest.sides.iter().position(|other| other.name == side).expect("a side");
    contest.sides[side].run();
    (contest, side)
}

// The contest is handed back: its end is not measured.
#[library_benchmark(setup = configure_tcp)]
#[benches::commands(
    ("commands/core", "ehlo"),
    ("commands/core", "ehlo, every value read"),
    ("commands/core", "smtp-proto"),
    ("commands/core", "mailrs-smtp-proto"),
    ("commands/core", "smtp-codec"),
    ("commands/parameters", "ehlo"),
    ("commands/parameters", "ehlo, every value read"),
    ("commands/parameters", "smtp-proto"),
    ("commands/parameters", "mailrs-smtp-proto"),
    ("commands/parameters", "smtp-codec"),
    ("commands/every-parameter", "ehlo"),
    ("commands/every-parameter", "ehlo, every value read"),
    ("commands/bytewise", "ehlo, no session"),
    ("commands/bytewise", "ehlo, whole server"),
    ("commands/bytewise", "smtp-proto"),
)]
#[benches::replies(
    ("replies/single", "ehlo"),
    ("replies/single", "ehlo, every line read"),
    ("replies/single", "smtp-proto"),
    ("replies/multi", "ehlo"),
    ("replies/multi", "ehlo, every line read"),
    ("replies/multi", "smtp-proto"),
    ("replies/ehlo", "ehlo"),
    ("replies/ehlo", "ehlo, every line typed"),
    ("replies/ehlo", "smtp-proto"),
    ("replies/bytewise-single", "ehlo"),
    ("replies/bytewise-single", "smtp-proto"),
    ("replies/bytewise-multi", "ehlo"),
    ("replies/bytewise-multi", "smtp-proto"),
)]
#[benches::data(
    ("decode/text-1MiB", "ehlo, Keep"),
    ("decode/text-1MiB", "ehlo, Reject"),
    ("decode/text-1MiB", "ehlo, Normalise"),
    ("decode/text-1MiB", "smtp-proto"),
    ("decode/dots-1MiB", "ehlo, Keep"),
    ("decode/dots-1MiB", "ehlo, Reject"),
    ("decode/dots-1MiB", "smtp-proto"),
    ("encode/text-1MiB", "ehlo, Keep"),
    ("encode/text-1MiB", "ehlo, Reject"),
    ("encode/text-1MiB", "io-smtp"),
    ("encode/dots-1MiB", "ehlo, Reject"),
    ("encode/dots-1MiB", "io-smtp"),
)]
#[bench::session("session/server", "ehlo")]
#[benches::hostile(
    ("hostile/endless-command", "ehlo"),
    ("hostile/endless-command", "ehlo, half the input"),
    ("hostile/endless-cr", "ehlo"),
    ("hostile/endless-cr", "ehlo, half the input"),
    ("hostile/long-lines", "ehlo"),
    ("hostile/long-lines", "ehlo, half the input"),
    ("hostile/many-parameters", "ehlo"),
    ("hostile/many-parameters", "ehlo, half the input"),
    ("hostile/two-letters", "ehlo"),
    ("hostile/two-letters", "ehlo, half the input"),
    ("hostile/deep-quoting", "ehlo"),
    ("hostile/deep-quoting", "ehlo, half the input"),
    ("hostile/source-route", "ehlo"),
    ("hostile/source-route", "ehlo, half the input"),
    ("hostile/xtext", "ehlo"),
    ("hostile/xtext", "ehlo, half the input"),
    ("hostile/initial-response", "ehlo"),
    ("hostile/initial-response", "ehlo, half the input"),
    ("hostile/many-reply-lines", "ehlo"),
    ("hostile/many-reply-lines", "ehlo, half the input"),
    ("hostile/long-reply-line", "ehlo"),
    ("hostile/long-reply-line", "ehlo, half the input"),
    ("hostile/nearly-the-end", "ehlo"),
    ("hostile/nearly-the-end", "ehlo, half the input"),
    ("hostile/bare-lf", "ehlo"),
    ("hostile/bare-lf", "ehlo, half the input"),
    ("hostile/bare-lf-and-text", "ehlo"),
    ("hostile/bare-lf-and-text", "ehlo, half the input"),
    ("hostile/data-bytewise", "ehlo"),
    ("hostile/data-bytewise", "ehlo, half the input"),
)]
fn run((mut contest, side): (Contest, usize)) -> (usize, Contest) {
    (contest.sides[side].run(), contest)
}

library_benchmark_group!(name = instructions, benchmarks = run);
main!(config = config(), library_benchmark_groups = instructions);

/// The names in full: they are read again.
fn config() -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.output_format(OutputFormat::default().truncate_description(None));
    config
}
