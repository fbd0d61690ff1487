//! Every property on its seeds, on changes of them, and on anything.

use ehlo_testkit::{property, seeds};
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn every_property_holds_of_its_seeds() {
    for (target, check) in property::ALL {
        let seeds = seeds::of(target);
        assert!(seeds.len() >= 10, "{} seeds for {target}", seeds.len());
        for (name, bytes) in seeds {
            holds(target, name, *check, bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_property_holds_of_anything(input in prop::collection::vec(any::<u8>(), 0..200)) {
        for (target, check) in property::ALL {
            holds(target, "any bytes", *check, &input);
        }
    }

    #[test]
    fn every_property_holds_of_changed_seeds(
        first in any::<Index>(),
        second in any::<Index>(),
        cuts in any::<[Index; 2]>(),
        changes in prop::collection::vec((any::<Index>(), byte()), 0..4),
    ) {
        for (target, check) in property::ALL {
            let seeds = seeds::of(target);
            let [first, second] = [first, second].map(|index| &index.get(seeds).1);
            let head = &first[..cuts[0].index(first.len() + 1)];
            let mut input = [head, &second[cuts[1].index(second.len() + 1)..]].concat();
            for (place, byte) in &changes {
                if !input.is_empty() {
                    let place = place.index(input.len());
                    input[place] = *byte;
                }
            }
            holds(target, "changed seeds", *check, &input);
        }
    }
}

/// Bytes that mean something, and any.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(&b"\r\n\0.:<>@\" \\[]=+-;,0159AZaz\x7f\xc3"[..]), any::<u8>()]
}

/// Runs a property; says which input broke it.
fn holds(target: &str, name: &str, check: property::Property, input: &[u8]) {
    let result = std::panic::catch_unwind(|| check(input));
    assert!(result.is_ok(), "{target}, {name}: {}", input.escape_ascii());
}
