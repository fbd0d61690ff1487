//! Every property on the seeds, on what the fuzzer once found, and on changes of both.

mod seeds;

use std::fs;
use std::path::{Path, PathBuf};

use ehlo_testkit::property;
use proptest::prelude::*;
use proptest::sample::Index;

/// The vectors and transcripts as inputs; `EHLO_WRITE_SEEDS=directory` writes them as files, for
/// `ci/fuzz seeds`.
#[test]
fn vectors_and_transcripts() {
    let directory = std::env::var_os("EHLO_WRITE_SEEDS").map(PathBuf::from);
    for (target, check) in property::ALL {
        let seeds = seeds::of(target);
        assert!(seeds.len() >= 10, "{} seeds for {target}", seeds.len());
        for (name, octets) in seeds {
            holds(target, name, *check, octets);
            if let Some(directory) = &directory {
                let directory = directory.join(target);
                fs::create_dir_all(&directory).expect("a directory");
                fs::write(directory.join(name), octets).expect("a seed");
            }
        }
    }
}

/// `fuzz/seeds` and `fuzz/regressions`.
#[test]
fn files() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut octets = 0;
    for (target, check) in property::ALL {
        assert!(fuzz.join("fuzz_targets").join(target).with_extension("rs").is_file(), "{target}");
        for (name, seed) in read(&fuzz.join("seeds").join(target)) {
            octets += seed.len();
            holds(target, &name, *check, &seed);
        }
        for (name, finding) in read(&fuzz.join("regressions").join(target)) {
            holds(target, &name, *check, &finding);
        }
    }
    assert!(octets < 1 << 20, "{octets} octets of seeds");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_octets(input in prop::collection::vec(any::<u8>(), 0..200)) {
        for (target, check) in property::ALL {
            holds(target, "any octets", *check, &input);
        }
    }

    #[test]
    fn changed_seeds(
        first in any::<Index>(),
        second in any::<Index>(),
        cuts in any::<[Index; 2]>(),
        changes in prop::collection::vec((any::<Index>(), octet()), 0..4),
    ) {
        for (target, check) in property::ALL {
            let seeds = seeds::of(target);
            let [first, second] = [first, second].map(|index| &index.get(seeds).1);
            let head = &first[..cuts[0].index(first.len() + 1)];
            let mut input = [head, &second[cuts[1].index(second.len() + 1)..]].concat();
            for (place, octet) in &changes {
                if !input.is_empty() {
                    let place = place.index(input.len());
                    input[place] = *octet;
                }
            }
            holds(target, "changed seeds", *check, &input);
        }
    }
}

/// Octets that mean something, and any.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(&b"\r\n\0.:<>@\" \\[]=+-;,0159AZaz\x7f\xc3"[..]), any::<u8>()]
}

/// Runs a property; says which input broke it.
fn holds(target: &str, name: &str, check: property::Property, input: &[u8]) {
    let result = std::panic::catch_unwind(|| check(input));
    assert!(result.is_ok(), "{target}, {name}: {}", input.escape_ascii());
}

fn read(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().unwrap_or_default().display().to_string();
            (name, fs::read(path).expect("a file"))
        })
        .collect();
    files.sort_unstable();
    files
}
