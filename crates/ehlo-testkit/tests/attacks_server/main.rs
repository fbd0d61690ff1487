//! Attacks on servers, by the numbers of `docs/security.md`: those that a transcript cannot show,
//! or that are many of a kind. The others are transcripts, `transcripts/v*.smtp`.

mod abuse;
mod auth;
mod chunks;
mod commands;
mod data;
mod tls;

use ehlo::server::ServerLimits;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Extension, ServerConfig};
use ehlo_testkit::peer::Peer;
use ehlo_testkit::split::{cuts, pieces};

/// A server that offers what most of the attacks need, and bears many errors.
const CONFIG: ServerConfig = ServerConfig {
    offered: Capabilities::NONE
        .with(Extension::Pipelining)
        .with(Extension::EightBitMime)
        .with(Extension::EnhancedStatusCodes)
        .with(Extension::Chunking)
        .with(Extension::StartTls)
        .with_size(1 << 20)
        .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
    limits: ServerLimits { errors: 1000, unknown: 1000, ..ServerLimits::DEFAULT },
    ..ServerConfig::DEFAULT
};

const INSIDE_TLS: ServerConfig = ServerConfig { implicit_tls: true, ..CONFIG };

const ENVELOPE: &[u8] = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

/// A peer that was greeted with EHLO, and has taken `bytes`.
fn after(config: ServerConfig, bytes: &[u8]) -> Peer {
    let mut peer = Peer::new(config);
    assert_eq!(peer.feed(b""), [220]);
    assert_eq!(peer.feed(b"EHLO client.example\r\n"), [250]);
    for code in peer.feed(bytes) {
        assert!(code < 400, "{code}");
    }
    peer
}

/// Feeds `bytes` to copies of `peer` in every way; the codes of the replies, and what the peer has
/// become, which are the same in all of them.
fn feed(peer: &Peer, bytes: &[u8]) -> (Vec<u16>, Peer) {
    let run = |cuts: &[usize]| {
        let mut peer = peer.clone();
        let codes = peer.feed_pieces(&pieces(bytes, cuts));
        (codes, peer)
    };
    let (codes, whole) = run(&[]);
    for cuts in cuts(bytes.len()) {
        let (other, peer) = run(&cuts);
        assert_eq!(other, codes, "{cuts:?} of {:?}", bytes.escape_ascii().to_string());
        assert_eq!(peer.application, whole.application, "{cuts:?}");
        assert_eq!(peer.server.state(), whole.server.state(), "{cuts:?}");
        assert_eq!(peer.sent, whole.sent, "{cuts:?}");
    }
    (codes, whole)
}

/// The codes of the replies to `bytes`, cut in every way.
fn codes(peer: &Peer, bytes: &[u8]) -> Vec<u16> {
    feed(peer, bytes).0
}
