//! Every transcript, through the server, the client, and both, cut in every way.

use ehlo_testkit::peer::Peer;
use ehlo_testkit::transcript::{self, Stimulus, TEXTS, Transcript};

#[test]
fn every_transcript_holds() {
    let mut failures = Vec::new();
    for (name, text) in TEXTS {
        if let Err(why) = Transcript::parse(text).and_then(|transcript| transcript.check()) {
            failures.push(format!("{name}: {why}"));
        }
    }
    assert!(TEXTS.len() >= 20, "only {} transcripts", TEXTS.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The transcripts that need no application of their own, replayed against a server from outside.
#[test]
fn a_replay_tells_a_server_that_agrees_from_one_that_does_not() {
    let replay = |transcript: &Transcript, offers: bool| {
        let mut config = transcript.config;
        if !offers {
            config.offered = ehlo::syntax::capability::Capabilities::NONE;
        }
        let mut peer = Peer::new(config);
        transcript.replay(|stimulus| {
            peer.sent.clear();
            match stimulus {
                Stimulus::Connect => drop(peer.feed(b"")),
                Stimulus::Receive(bytes) => drop(peer.feed(bytes)),
                Stimulus::Tls => peer.establish_tls(),
            }
            peer.sent.clone()
        })
    };
    let transcripts: Vec<_> = transcript::all().collect();
    let agrees = |offers: bool| {
        transcripts.iter().filter(|(_, transcript)| replay(transcript, offers).is_ok()).count()
    };
    assert!(agrees(true) > 40, "{} of {}", agrees(true), transcripts.len());
    assert!(agrees(false) < agrees(true));
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
