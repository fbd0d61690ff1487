//! `ehlo` allocates nothing, whatever it is fed.

use std::alloc::System;

use ehlo_benches::{CONTESTS, Kind};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test, as the allocator is one for all threads.
#[test]
fn nothing_is_allocated() {
    let mut of_peers = 0;
    for (name, build) in CONTESTS {
        // What is large is made of what is small, and this is not the place to wait for it.
        if name.ends_with("4MiB")
            || ["decode/", "encode/"].iter().any(|part| name.starts_with(part))
                && !name.ends_with("1MiB")
        {
            continue;
        }
        let mut contest = build(name);
        for side in &mut contest.sides {
            let region = Region::new(ALLOCATOR);
            side.run();
            let allocations = region.change().allocations;
            match side.kind {
                Kind::Ehlo => assert_eq!(allocations, 0, "{name}, {}", side.name),
                Kind::Peer => of_peers += allocations,
                Kind::Floor => {}
            }
        }
    }
    assert!(of_peers > 10_000, "the peers do, so they are counted: {of_peers}");
}
