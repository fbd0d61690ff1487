//! `sessions.jsonl`: dialogues with a server, the bytes of each step cut in every way.

use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Extension, ServerConfig};
use ehlo_testkit::peer::Peer;
use ehlo_testkit::split::pieces;
use ehlo_testkit::vectors::{SessionStep, SessionVector, sessions};

/// The steps that pipeline, and how many commands each of them sends; every other step is one.
const PIPELINED: [(&str, usize); 2] = [("pipelined-full", 4), ("ehlo-mail-pipelined", 2)];

#[test]
fn every_session_holds() {
    let mut count = 0;
    for session in sessions() {
        let name = &*session.name;
        let mut peer = Peer::new(config(&session));
        // What came before the greeting is answered in order, after it.
        let codes = peer.feed(&session.early);
        assert_eq!(codes.len(), 1 + usize::from(!session.early.is_empty()), "{name}: {codes:?}");
        assert_eq!(codes.first(), Some(&220), "{name}");
        for step in &session.steps {
            if step.send.is_empty() {
                assert_eq!(step.reply, "220", "{name}");
                continue;
            }
            check_step(name, &mut peer, step);
        }
        count += 1;
    }
    assert_eq!(count, 36);
}

fn check_step(name: &str, peer: &mut Peer, step: &SessionStep) {
    let send = &step.send;
    let replies = PIPELINED
        .iter()
        .find(|(pipelined, _)| {
            *pipelined == name && send.split(|byte| *byte == b'\n').nth(2).is_some()
        })
        .map_or(1, |(_, commands)| *commands);
    let before = peer.clone();
    let mut expected = None;
    for cuts in cuts(send.len()).into_iter().chain([step.cuts.clone()]) {
        *peer = before.clone();
        let codes = peer.feed_pieces(&pieces(send, &cuts));
        assert_eq!(codes.len(), replies, "{name}, {cuts:?}: {codes:?} to {step:?}");
        assert!(step.matches(codes[replies - 1]), "{name}: {codes:?} to {step:?}");
        let expected = expected.get_or_insert_with(|| codes.clone());
        assert_eq!(codes, *expected, "{name}, {cuts:?}");
    }
}

/// Whole, byte by byte, and at every place in two; of a long run at some of them.
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
fn config(session: &SessionVector) -> ServerConfig {
    ServerConfig {
        offered: Capabilities::NONE
            .with(Extension::Pipelining)
            .with(Extension::EightBitMime)
            .with(Extension::EnhancedStatusCodes)
            .with(Extension::Chunking)
            .with(Extension::StartTls)
            .with_size(10 << 20)
            .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
        implicit_tls: session.implicit_tls,
        ..ServerConfig::DEFAULT
    }
}
