//! BDAT, RFC 3030.

use ehlo::data::Newlines;
use ehlo::server::ServerLimits;
use ehlo::syntax::capability::Capabilities;
use ehlo::{Extension, ServerConfig};
use ehlo_testkit::mail_data::reference::encoded;
use ehlo_testkit::peer::Peer;
use ehlo_testkit::split::{cuts, pieces};

use crate::{CONFIG, ENVELOPE, INSIDE_TLS, after, codes, feed};

#[test]
fn v68_sizes_of_chunks() {
    // CHUNKING alone: no size is too large, so the largest number is one.
    let config = ServerConfig { offered: CONFIG.offered.with_size(0), ..CONFIG };
    let peer = after(config, ENVELOPE);
    for size in ["18446744073709551615", "4294967297"] {
        let (codes, mut peer) = feed(&peer, format!("BDAT {size}\r\nQUIT\r\n").as_bytes());
        assert!(codes.is_empty(), "the chunk is not complete");
        assert_eq!(peer.application.open(), b"QUIT\r\n");
        assert!(peer.unread.is_empty());
        peer.end_of_input();
        assert!(peer.application.messages.is_empty());
    }
    // One more byte than there can be.
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
    let mut peer = Peer::new(CONFIG);
    peer.feed(b"");
    let last = codes(&peer, b"BDAT 0 LAST\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(last, [503, 503]);
    let early = codes(&peer, b"BDAT 0\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!(early, [503, 503]);
}

/// Where a chunk ends is not known if its size cannot be read: nothing that follows is a command.
#[test]
fn v106_a_chunk_of_unknown_size_is_never_executed() {
    let everywhere: [(ServerConfig, &[u8]); 7] = [
        (CONFIG, b""),
        (CONFIG, b"MAIL FROM:<a@b.example>\r\n"),
        (CONFIG, ENVELOPE),
        (CONFIG, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 1\r\nx"),
        (ServerConfig { offered: Capabilities::NONE, ..CONFIG }, b""),
        (ServerConfig { require_auth: true, ..CONFIG }, b""),
        (ServerConfig { require_tls: true, ..CONFIG }, b""),
    ];
    let mut lines: Vec<String> = [
        "18446744073709551616",
        "99999999999999999999999999",
        "-1",
        "+5",
        "0x10",
        "1e3",
        "10LAST",
        "10 LASTX",
        "1 0",
        "60  LAST",
        "",
        " 5",
        "5 LAST LAST",
    ]
    .map(|wrong| format!("BDAT {wrong}\r\n"))
    .into();
    lines.extend(["BDAT\r\n", "bdat\t60 LAST\r\n", "BDAT=60\r\n", "BDAT 60\0\r\n"].map(Into::into));
    lines.push(format!("BDAT 60 LAST{}\r\n", " ".repeat(13_000)));
    for (config, way) in everywhere {
        let before = after(config, way);
        for line in &lines {
            let bytes =
                format!("{line}RSET\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<c@d.example>\r\n");
            let mut whole = before.clone();
            let codes = whole.feed(bytes.as_bytes());
            assert!(codes.len() == 1 && codes[0] >= 500, "{way:?} {line}: {codes:?}");
            assert!(whole.is_closed(), "{} {line}", way.escape_ascii());
            let mut single = before.clone();
            let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(1).collect();
            assert_eq!(single.feed_pieces(&pieces), codes);
        }
    }
    // Another verb, and a response within AUTH, are not chunks.
    assert_eq!(codes(&after(CONFIG, b""), b"BDATX 5\r\nNOOP\r\n"), [500, 250]);
    assert_eq!(codes(&after(INSIDE_TLS, b"AUTH PLAIN\r\n"), b"BDAT x\r\nNOOP\r\n"), [501, 250]);
}

/// RFC 5321 §4.2.4: what is not implemented does nothing, so the transaction goes on.
#[test]
fn a_chunk_that_was_not_offered_changes_nothing() {
    let config = ServerConfig { offered: Capabilities::NONE, ..CONFIG };
    for bytes in [&b"BDAT 3\r\nabc"[..], b"BDAT 3 LAST\r\nabc", b"BDAT 0 LAST\r\n"] {
        let bytes = [bytes, b"RCPT TO:<e@d.example>\r\nDATA\r\nx\r\n.\r\n"].concat();
        let (codes, peer) = feed(&after(config, ENVELOPE), &bytes);
        assert_eq!(codes, [502, 250, 354, 250]);
        assert_eq!(peer.application.messages[0].to.len(), 2);
    }
}

/// RFC 3030 §3: without BODY=BINARYMIME a chunk is made of lines, so what DATA refuses is refused in
/// chunks, wherever they are cut; and what DATA stores, they store.
#[test]
fn v102_chunks_are_under_the_policy_of_data() {
    let contents: [&[u8]; 24] = [
        b"",
        b"a\r\nb\r\n",
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\0b\r\n",
        b"a\r\n.\r\nb\r\n",
        b".\r\n",
        b"..\r\n.a\r\n",
        b"a\n.\r\n",
        b"a\r.\r\n",
        b"a\r\n.\n",
        b"a\n.\n\r\n",
        b"\0.\r\n",
        b"a\r\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"a\r\n\r\n\n",
        b"\n\n\n\r\n",
        b"a",
        b"a\r",
        b"a\n.",
        b"123456789\r\n1234567\r\n",
        b"12345678\r\n12345678",
    ];
    let policies =
        [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep];
    for newlines in policies {
        for text_line in [0, 10] {
            let limits = ServerLimits { text_line, ..CONFIG.limits };
            let peer = after(ServerConfig { newlines, limits, ..CONFIG }, ENVELOPE);
            for content in contents {
                // Either of them ends a last line that has no end, and not alike.
                if newlines == Newlines::Normalise && ended(content.to_vec()) != content {
                    continue;
                }
                let (verdict, stored) = by_data(&peer, content);
                for cuts in cuts(content.len()).into_iter().chain([vec![0]]) {
                    let mut whole = peer.clone();
                    let bytes = chunks(content, &cuts);
                    let codes = whole.feed(&bytes);
                    let got = codes.iter().copied().find(|code| *code != 250).unwrap_or(250);
                    let case = format!(
                        "{newlines:?}, {text_line}: {} in {cuts:?}: {codes:?}",
                        content.escape_ascii()
                    );
                    assert_eq!(got, verdict, "{case}");
                    // RFC 5321 §4.1.1.4: DATA alone ends the last line.
                    let content = whole.application.messages.first().map(|it| it.content.clone());
                    assert_eq!(content.map(ended), stored.clone(), "{case}");
                    // The next command is read as one, whatever became of the chunks.
                    assert_eq!(whole.feed(b"RSET\r\n"), [250], "{case}");
                    let mut single = peer.clone();
                    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
                    assert_eq!(single.feed_pieces(&pieces), codes, "{case}");
                    assert_eq!(single.application.messages, whole.application.messages, "{case}");
                }
            }
        }
    }
    // A CR at the end is a line end that lacks its LF.
    let peer = after(ServerConfig { newlines: Newlines::Normalise, ..CONFIG }, ENVELOPE);
    for (bytes, stored) in [
        (&b"BDAT 2 LAST\r\na\r"[..], &b"a\r\n"[..]),
        (b"BDAT 2\r\na\rBDAT 0 LAST\r\n", b"a\r\n"),
        (b"BDAT 2\r\na\rBDAT 1 LAST\r\n\n", b"a\r\n"),
        (b"BDAT 2\r\na\rBDAT 1 LAST\r\n\r", b"a\r\n\r\n"),
        (b"BDAT 2 LAST\r\na\n", b"a\r\n"),
        (b"BDAT 1 LAST\r\na", b"a"),
    ] {
        let (codes, peer) = feed(&peer, bytes);
        assert!(codes.iter().all(|code| *code == 250), "{codes:?}");
        assert_eq!(peer.application.messages[0].content, stored, "{}", bytes.escape_ascii());
    }
    // What was declared binary is stored as it is.
    let offered = CONFIG.offered.with(Extension::BinaryMime);
    let limits = ServerLimits { text_line: 10, ..CONFIG.limits };
    let envelope = b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\nRCPT TO:<c@d.example>\r\n";
    let peer = after(ServerConfig { offered, limits, ..CONFIG }, envelope);
    let (codes, peer) = feed(&peer, b"BDAT 2\r\na\nBDAT 16 LAST\r\n\r.\0\r12345678901\r");
    assert_eq!(codes, [250, 250]);
    assert_eq!(peer.application.messages[0].content, b"a\n\r.\0\r12345678901\r");
}

/// The reply to `content` after DATA, and what is stored then.
fn by_data(peer: &Peer, content: &[u8]) -> (u16, Option<Vec<u8>>) {
    let mut peer = peer.clone();
    let wire = encoded(Newlines::Keep, content).expect("all is kept");
    let [354, verdict] = peer.feed(&[b"DATA\r\n", &wire[..]].concat())[..] else {
        panic!("no DATA")
    };
    (verdict, peer.application.messages.first().map(|it| it.content.clone()))
}

/// `content` in chunks that end at the places in `cuts`.
fn chunks(content: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pieces = pieces(content, cuts);
    for (place, piece) in pieces.iter().enumerate() {
        let last = if place + 1 == pieces.len() { " LAST" } else { "" };
        bytes.extend(format!("BDAT {}{last}\r\n", piece.len()).bytes());
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// `content` with a CRLF where its last line has none.
fn ended(mut content: Vec<u8>) -> Vec<u8> {
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    content
}
