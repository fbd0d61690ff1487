//! Every transcript, through the server, the client, and both, cut in every way.

use std::fs;
use std::path::Path;

use ehlo_testkit::transcript::Transcript;

#[test]
fn every_transcript_holds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(directory).expect("the transcripts") {
        let path = entry.expect("a transcript").path();
        let text = fs::read_to_string(&path).expect("UTF-8");
        count += 1;
        if let Err(why) = Transcript::parse(&text).and_then(|transcript| transcript.check()) {
            failures.push(format!("{}: {why}", path.file_name().unwrap_or_default().display()));
        }
    }
    assert!(count >= 20, "only {count} transcripts");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_transcript_that_is_wrong_fails() {
    let good = "S: 220 mx\nC: NOOP\nS: 250 2.0.0 ok\n= Start\n";
    let check = |text: &str| Transcript::parse(text).and_then(|transcript| transcript.check());
    assert_eq!(check(&format!("% offer ENHANCEDSTATUSCODES\n{good}")), Ok(()));
    for wrong in [
        good.to_owned(),
        format!("% offer ENHANCEDSTATUSCODES\n{}", good.replace("Start", "Ready")),
        format!("% offer ENHANCEDSTATUSCODES\n{}", good.replace("NOOP", "DATA")),
        format!("% offer ENHANCEDSTATUSCODES\n{good}S: 250 2.0.0 more\n"),
        format!("% offer ENHANCEDSTATUSCODES\n{good}! BadSequence\n"),
    ] {
        assert!(check(&wrong).is_err(), "{wrong}");
    }
}
