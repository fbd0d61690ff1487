//! Every property on `fuzz/seeds`, and on what the fuzzer once found, `fuzz/regressions`.

use std::fs;
use std::path::Path;

use ehlo_testkit::property;

#[test]
fn every_property_holds_of_the_files() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut bytes = 0;
    for (target, check) in property::ALL {
        assert!(fuzz.join("fuzz_targets").join(target).with_extension("rs").is_file(), "{target}");
        for (name, seed) in read(&fuzz.join("seeds").join(target)) {
            bytes += seed.len();
            holds(target, &name, *check, &seed);
        }
        for (name, finding) in read(&fuzz.join("regressions").join(target)) {
            holds(target, &name, *check, &finding);
        }
    }
    assert!(bytes < 1 << 20, "{bytes} bytes of seeds");
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
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(path).expect("a file"))
        })
        .collect();
    files.sort_unstable();
    files
}
