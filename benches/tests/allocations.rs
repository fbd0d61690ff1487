//! `ehlo` allocates nothing, whatever it is fed.
//!
//! `cargo test -p ehlo-benches --test allocations -- --nocapture` shows what the peers do.

#![allow(clippy::print_stdout)] // captured unless it is asked for
#![allow(clippy::cast_precision_loss)] // of counts far below 2^52

use std::alloc::System;

use ehlo_benches::{CONTESTS, Kind};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test, as the allocator is one for all threads.
#[test]
fn nothing_is_allocated() {
    let mut of_peers = 0;
    for (name, build) in CONTESTS.iter().filter(|(name, _)| !is_large(name)) {
        let mut contest = build(name);
        for side in &mut contest.sides {
            let mut run = |_| {
                let region = Region::new(ALLOCATOR);
                side.run();
                region.change().allocations
            };
            // The least, as a thread of the test harness may do so too.
            let allocations = (0..3).map(&mut run).min().unwrap_or_default();
            let each = allocations as f64 / contest.elements as f64;
            if allocations > 0 {
                println!("| {name} | {} | {each:.2} a {} |", side.name, contest.unit);
            }
            match side.kind {
                Kind::Ehlo => assert_eq!(allocations, 0, "{name}, {}", side.name),
                Kind::Peer => of_peers += allocations,
                Kind::Floor => {}
            }
        }
    }
    assert!(of_peers > 10_000, "they allocate, so it is counted: {of_peers}");
}

/// What is large is made of what is small, and a test is not the place to wait for it.
fn is_large(name: &str) -> bool {
    let is_message = name.starts_with("decode/") || name.starts_with("encode/");
    name.ends_with("4MiB") || is_message && !name.ends_with("1MiB")
}
