//! BDAT, RFC 3030.

use ehlo::ServerConfig;
use ehlo::session::State;

use crate::{CONFIG, ENVELOPE, after, codes, feed};

#[test]
fn v68_sizes_of_chunks() {
    // CHUNKING alone: no size is too large, so the largest number is one.
    let config = ServerConfig { offered: CONFIG.offered.with_size(0), ..CONFIG };
    let peer = after(config, ENVELOPE);
    for wrong in [
        "18446744073709551616",
        "99999999999999999999999999",
        "-1",
        "+5",
        "0x10",
        "1e3",
        "10LAST",
        "10 LASTX",
        "1 0",
        "",
        " 5",
        "5 LAST LAST",
    ] {
        let (codes, peer) = feed(&peer, format!("BDAT {wrong}\r\nNOOP\r\n").as_bytes());
        assert_eq!((codes, peer.server.state()), (vec![501, 250], State::Failed), "{wrong}");
    }
    for size in ["18446744073709551615", "4294967297"] {
        let (codes, mut peer) = feed(&peer, format!("BDAT {size}\r\nQUIT\r\n").as_bytes());
        assert!(codes.is_empty(), "the chunk is not complete");
        assert_eq!(peer.application.open(), b"QUIT\r\n");
        assert!(peer.unread.is_empty());
        peer.end_of_input();
        assert!(peer.application.messages.is_empty());
    }
    // One more octet than there can be.
    let (codes, _) = feed(&peer, b"BDAT 1\r\nxBDAT 18446744073709551615\r\nabc");
    assert_eq!(codes, [250], "what is too large to skip is skipped up to a limit");
}

#[test]
fn v76_a_million_chunks() {
    let chunks = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let mut peer = after(CONFIG, ENVELOPE);
    let batch = b"BDAT 1\r\nx".repeat(100);
    for _ in 0..chunks / 100 {
        assert_eq!(peer.feed(&batch).len(), 100);
        assert!(peer.unread.is_empty());
    }
    assert_eq!(peer.feed(b"BDAT 1\r\n\rBDAT 1 LAST\r\n\n"), [250, 250]);
    let content = &peer.application.messages[0].content;
    assert_eq!(content.len(), chunks + 2);
    assert!(content.ends_with(b"xx\r\n"), "a line end in two chunks is one");
}

#[test]
fn v77_what_is_too_large_is_skipped_up_to_a_limit() {
    let peer = after(CONFIG, ENVELOPE);
    // SIZE is 1 MiB, the limit 64 MiB.
    let mut skipped = peer.clone();
    assert!(skipped.feed(b"BDAT 67108864 LAST\r\n").is_empty());
    for _ in 0..4095 {
        assert!(skipped.feed(&[b'x'; 1 << 14]).is_empty());
        assert!(skipped.unread.is_empty());
    }
    assert_eq!(skipped.feed(&[b'x'; 1 << 14]), [552]);
    assert_eq!((skipped.feed(b"NOOP\r\n"), skipped.is_closed()), (vec![250], false));

    let mut endless = peer.clone();
    assert!(endless.feed(b"BDAT 67108865 LAST\r\n").is_empty());
    for _ in 0..4095 {
        assert!(endless.feed(&[b'x'; 1 << 14]).is_empty());
    }
    assert_eq!(endless.feed(&[b'x'; 1 << 14]), [552]);
    assert!(endless.is_closed() && endless.application.messages.is_empty());
}

/// A chunk that is refused before a session began does not begin one.
#[test]
fn v75_a_chunk_before_ehlo_opens_nothing() {
    let mut peer = ehlo_testkit::peer::Peer::new(CONFIG);
    peer.feed(b"");
    let last = codes(&peer, b"BDAT 0 LAST\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(last, [503, 503]);
    let early = codes(&peer, b"BDAT 0\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(early, [503, 503]);
}
