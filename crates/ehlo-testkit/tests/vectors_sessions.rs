//! `sessions.jsonl`: dialogues with a server, the octets of each step cut in every way.

use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Extension, ServerConfig};
use ehlo_testkit::peer::Peer;
use ehlo_testkit::split::pieces;
use serde_json::Value;

const SESSIONS: &str = include_str!("../vectors/sessions.jsonl");

/// The steps that pipeline, and how many commands each of them sends; every other step is one.
const PIPELINED: [(&str, usize); 2] = [("pipelined-full", 4), ("ehlo-mail-pipelined", 2)];

#[test]
fn every_session_holds() {
    let mut count = 0;
    for line in SESSIONS.lines() {
        let session: Value = serde_json::from_str(line).expect("JSON");
        let name = text(&session["name"]);
        let mut peer = Peer::new(config(&session));
        // What came before the greeting is answered in order, after it.
        let early = octets(session["early"].as_str().unwrap_or_default());
        let codes = peer.feed(&early);
        assert_eq!(codes.len(), 1 + usize::from(!early.is_empty()), "{name}: {codes:?}");
        assert_eq!(codes.first(), Some(&220), "{name}");
        for step in session["steps"].as_array().expect("steps") {
            if text(&step["send"]).is_empty() {
                assert_eq!(step["reply"], "220", "{name}");
                continue;
            }
            check_step(name, &mut peer, step, session["split_at"].as_str());
        }
        count += 1;
    }
    assert_eq!(count, 36);
}

fn check_step(name: &str, peer: &mut Peer, step: &Value, split_at: Option<&str>) {
    let send = text(&step["send"]);
    let parts: Vec<&str> = split_at.map_or_else(|| vec![send], |mark| send.split(mark).collect());
    let send = octets(&parts.concat());
    let mut marks: Vec<usize> = parts
        .iter()
        .scan(0, |end, part| {
            *end += part.len();
            Some(*end)
        })
        .collect();
    marks.pop();
    let replies = PIPELINED
        .iter()
        .find(|(pipelined, _)| {
            *pipelined == name && send.split(|octet| *octet == b'\n').nth(2).is_some()
        })
        .map_or(1, |(_, commands)| *commands);
    let before = peer.clone();
    let mut expected = None;
    for cuts in cuts(send.len()).into_iter().chain([marks]) {
        *peer = before.clone();
        let codes = peer.feed_pieces(&pieces(&send, &cuts));
        assert_eq!(codes.len(), replies, "{name}, {cuts:?}: {codes:?} to {step}");
        assert!(matches(codes[replies - 1], text(&step["reply"])), "{name}: {codes:?} to {step}");
        let expected = expected.get_or_insert_with(|| codes.clone());
        assert_eq!(codes, *expected, "{name}, {cuts:?}");
    }
}

/// Whole, octet by octet, and at every place in two; of a long run at some of them.
fn cuts(length: usize) -> Vec<Vec<usize>> {
    let edge = 64;
    let places = (1..length).filter(|at| {
        length < 1000
            || *at < edge
            || length - at < edge
            || at % 251 == 0
            || (510..515).contains(at)
    });
    [vec![], (1..length).collect()].into_iter().chain(places.map(|at| vec![at])).collect()
}

/// A server that offers whatever a session uses.
fn config(session: &Value) -> ServerConfig {
    ServerConfig {
        offered: Capabilities::NONE
            .with(Extension::Pipelining)
            .with(Extension::EightBitMime)
            .with(Extension::EnhancedStatusCodes)
            .with(Extension::Chunking)
            .with(Extension::StartTls)
            .with_size(10 << 20)
            .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
        implicit_tls: session["tls"].as_bool().unwrap_or(false),
        ..ServerConfig::DEFAULT
    }
}

/// `5..`, with alternatives behind `|`.
fn matches(code: u16, pattern: &str) -> bool {
    let code = code.to_string();
    pattern.split('|').any(|pattern| {
        pattern.len() == code.len()
            && pattern.bytes().zip(code.bytes()).all(|(p, c)| p == b'.' || p == c)
    })
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// The octets that a string of the vectors carries as Latin-1 code points.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
}

#[test]
fn a_pattern_matches_as_the_vectors_mean_it() {
    assert!(matches(250, "250") && matches(550, "5..") && matches(554, "503|554"));
    assert!(!matches(250, "5..") && !matches(421, "503|554") && !matches(250, "25"));
}
