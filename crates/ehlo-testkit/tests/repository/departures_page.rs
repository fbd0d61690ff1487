//! `docs/departures.md` decides each subject once.

use std::collections::HashSet;

const PAGE: &str = include_str!("../../../../docs/departures.md");

#[test]
fn every_subject_has_one_row_in_its_table() {
    let (mut subjects, mut rows) = (HashSet::new(), 0);
    for line in PAGE.lines() {
        let Some(row) = line.strip_prefix("| ") else {
            subjects.clear();
            continue;
        };
        let subject = row.split(" | ").next().expect("a row has a first cell");
        rows += 1;
        assert!(subjects.insert(subject.to_owned()), "decided twice: {subject}");
    }
    assert!(rows > 50, "the tables were not found");
}
