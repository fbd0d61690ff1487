//! `docs/security.md` against the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_attack_has_its_row_and_every_test_its_mention() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/security.md")).expect("the page");
    let mut tests = BTreeSet::new();
    functions(&root.join("crates"), &mut tests);
    functions(&root.join("examples"), &mut tests);
    for entry in fs::read_dir(root.join("crates/ehlo-testkit/transcripts")).expect("transcripts") {
        let path = entry.expect("a transcript").path();
        tests.insert(path.file_stem().expect("a name").to_string_lossy().into_owned());
    }

    let mut before = 0;
    let mut named = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| V")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, number, attack, answer, listed, _] = cells[..] else { panic!("{row}") };
        let at: u32 = number[1..].parse().expect("a number");
        assert!(at > before, "{number} stands behind V{before}");
        before = at;
        assert!(!attack.is_empty() && !answer.is_empty(), "{row}");
        let is_open = ["Open:", "there is no such", "deny.toml"];
        assert!(!listed.is_empty() || is_open.iter().any(|word| answer.contains(word)), "{row}");
        for name in listed.split('`').skip(1).step_by(2) {
            assert!(tests.contains(name), "{name} of {number} is no test");
            named.insert(name.to_owned());
        }
    }
    assert!(before >= 102, "the last is V{before}");
    let is_attack = |name: &&String| {
        name.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    for test in tests.iter().filter(is_attack) {
        assert!(named.contains(test), "{test} is on no row");
    }
}

/// The names of the functions of all tests below `directory`.
fn functions(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            // A row of the tests that run through each adapter.
            let rows = text.lines().filter_map(|line| line.trim().split_once(": |A| "));
            names.extend(rows.map(|(name, _)| name.to_owned()));
            let mut lines = text.lines();
            while let Some(line) = lines.next() {
                let is_test = line.trim().ends_with("test]") && line.trim().starts_with("#[");
                let Some(function) = lines.clone().next().filter(|_| is_test) else { continue };
                let name = function.trim().trim_start_matches("async ").strip_prefix("fn ");
                names.extend(name.and_then(|name| Some(name.split('(').next()?.to_owned())));
            }
        }
    }
}
