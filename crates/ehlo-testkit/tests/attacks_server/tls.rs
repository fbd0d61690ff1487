//! STARTTLS, RFC 3207.

use ehlo::machine::PlaintextInjection;
use ehlo::server::Event;
use ehlo::session::State;

use crate::{CONFIG, INSIDE_TLS, after, feed};

/// CVE-2011-0411 and its kin: plaintext behind STARTTLS is no command inside TLS.
#[test]
fn v31_starttls_then_plaintext() {
    for behind in [&b"NOOP\r\n"[..], b"EHLO evil.example\r\nMAIL FROM:<a@b.example>\r\n", b"\r\n"] {
        let bytes = [b"STARTTLS\r\n", behind].concat();
        let (codes, mut peer) = feed(&after(CONFIG, b""), &bytes);
        assert_eq!((codes, &peer.unread[..]), (vec![220], behind));
        assert_eq!(peer.server.tls_established(&peer.unread), Err(PlaintextInjection));
        assert!(peer.feed(b"NOOP\r\n").is_empty() && peer.is_closed());
    }
}

#[test]
fn v32_starttls_then_a_fragment() {
    let (codes, mut peer) = feed(&after(CONFIG, b""), b"STARTTLS\r\nMAIL FRO");
    assert_eq!((codes, &peer.unread[..]), (vec![220], &b"MAIL FRO"[..]));
    let mut strict = peer.clone();
    assert_eq!(strict.server.tls_established(b"MAIL FRO"), Err(PlaintextInjection));
    // Handed to TLS by choice, it is not put before what comes inside.
    peer.unread.clear();
    peer.establish_tls();
    assert_eq!(peer.feed(b"M:<a@b.example>\r\n"), [500]);
    assert_eq!(peer.server.state(), State::Start);
}

/// The race of James, GHSA-w45j-f5g5-w94x: what comes after the 220 belongs to TLS.
#[test]
fn v33_plaintext_after_the_220() {
    let mut peer = after(CONFIG, b"STARTTLS\r\n");
    for bytes in [&b"NO"[..], b"OP\r\n", b"MAIL FROM:<a@b.example>\r\n"] {
        assert!(peer.feed(bytes).is_empty());
        let received = peer.server.receive(bytes);
        assert_eq!((received.consumed, received.event), (0, Event::StartTls));
    }
    assert_eq!(peer.unread, b"NOOP\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(peer.server.tls_established(&peer.unread), Err(PlaintextInjection));
}

#[test]
fn v36_tls_forgets_what_came_before() {
    let mut peer = after(CONFIG, b"STARTTLS\r\n");
    assert!(!peer.server.is_tls());
    peer.establish_tls();
    assert!(peer.server.is_tls() && !peer.server.is_extended() && !peer.server.is_authenticated());
    let (codes, peer) =
        feed(&peer, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    assert_eq!(codes, [503, 503, 503]);
    let (codes, peer) = feed(&peer, b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(codes, [250, 250]);
    let offered = String::from_utf8_lossy(&peer.sent).into_owned();
    let (before, inside) = offered.split_at(offered.rfind("250-mx.example").expect("a reply"));
    assert!(before.contains("STARTTLS") && !before.contains("AUTH"));
    assert!(!inside.contains("STARTTLS") && inside.contains("AUTH PLAIN"));
}

/// CVE-2026-45185: the TLS stream ends within a chunk, and a byte follows.
#[test]
fn v43_tls_ends_within_a_chunk() {
    let bytes = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 10 LAST\r\nabc";
    let mut peer = after(INSIDE_TLS, bytes);
    peer.end_of_input();
    assert!(peer.is_closed());
    assert!(peer.feed(b"defghij").is_empty());
    assert!(peer.application.messages.is_empty());
}
