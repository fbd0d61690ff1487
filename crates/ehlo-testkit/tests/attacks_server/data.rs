//! The framing of messages. The decoder alone is tested where it stands.

use ehlo::ServerConfig;
use ehlo::data::Newlines;
use ehlo::server::ServerLimits;
use ehlo::session::State;

use crate::{CONFIG, ENVELOPE, after, feed};

/// What follows a forged end: were it one, these would be commands.
const FORGED: &str = "MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nforged\r\n.\r\n";

#[test]
fn v10_forged_ends_make_one_message() {
    let config = ServerConfig { newlines: Newlines::Keep, ..CONFIG };
    let forged = [
        "A\n.\n",
        "A\n.\r\n",
        "A\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r.\n",
        "\n.\r",
        "A\r\n.\r",
        "A\r\n.\r\r\n",
        "A\r\n\0.\r\n",
        "A\r\n.\0\r\n",
        "A\r\n.\r\0\n",
        "A\r\n. \r\n",
        "A\r\n.\t\r\n",
        "A\r\n.\u{b}\r\n",
        "A\r\n.\u{c}\r\n",
        "A\r\n.\u{85}\r\n",
        "A\r\n.\u{2028}\r\n",
        "A\r\n .\r\n",
    ];
    for forged in forged {
        let bytes = [b"DATA\r\n", forged.as_bytes(), FORGED.as_bytes(), b"NOOP\r\n"].concat();
        let (codes, peer) = feed(&after(config, ENVELOPE), &bytes);
        assert_eq!(codes, [354, 250, 250], "{forged:?}");
        let [message] = &peer.application.messages[..] else { panic!("one message") };
        let text = String::from_utf8_lossy(&message.content);
        assert!(text.contains("MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nforged\r\n"), "{text}");
        assert_eq!((&*message.from, message.to.len()), ("a@b.example", 1));

        // By default the message is refused, at its real end.
        let strict = ServerConfig { newlines: Newlines::Reject, ..config };
        let is_plain = !forged.replace("\r\n", "").contains(['\r', '\n', '\0']);
        let (codes, peer) = feed(&after(strict, ENVELOPE), &bytes);
        assert_eq!(codes, [354, if is_plain { 250 } else { 550 }, 250], "{forged:?}");
        assert_eq!(peer.application.messages.len(), usize::from(is_plain));
    }
}

#[test]
fn v12_no_line_of_content_begins_at_the_edge_of_a_buffer() {
    for length in [511, 512, 998, 1000, 1024, 4095, 4096, 8192, 65_535, 65_536] {
        let line = [&vec![b'x'; length][..], b".\r\n"].concat();
        let bytes = [b"DATA\r\n", &line[..], b".\r\n"].concat();
        for size in [length, length + 1, length + 6, length + 7, 512, 1000, 4096] {
            let mut peer = after(CONFIG, ENVELOPE);
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(peer.feed_pieces(&pieces), [354, 250], "{length} in pieces of {size}");
            assert_eq!(peer.application.messages[0].content, line);
        }
    }
}

#[test]
fn v13_a_line_of_content_without_end() {
    for (text_line, last) in [(0, 552), (1000, 500)] {
        let limits = ServerLimits { text_line, ..CONFIG.limits };
        let mut peer = after(ServerConfig { limits, ..CONFIG }, ENVELOPE);
        assert_eq!(peer.feed(b"DATA\r\n"), [354]);
        for _ in 0..6400 {
            assert!(peer.feed(&[b'x'; 1 << 14]).is_empty());
            assert!(peer.unread.is_empty(), "nothing is kept");
            assert!(peer.application.open().len() <= 1 << 20);
        }
        // In the middle of the line there is no end.
        assert!(peer.feed(b".\r.\n.\n").is_empty());
        assert_eq!(peer.feed(b"\r\n.\r\nNOOP\r\n"), [last, 250]);
        assert_eq!(peer.server.state(), State::Ready);
        assert!(peer.application.messages.is_empty());
    }
}

/// CVE-2020-28020: sizes are counted in 64 bits, and never past the limit.
#[test]
fn v87_a_message_over_the_limit_is_not_handed_out() {
    let config = ServerConfig { offered: CONFIG.offered.with_size(10), ..CONFIG };
    let (codes, peer) = feed(&after(config, ENVELOPE), b"DATA\r\n0123456789012\r\n.\r\nNOOP\r\n");
    assert_eq!(codes, [354, 552, 250]);
    assert!(peer.application.messages.is_empty());
    let (codes, peer) = feed(&after(config, ENVELOPE), b"DATA\r\n01234567\r\n.\r\n");
    assert_eq!((codes, peer.application.messages.len()), (vec![354, 250], 1));
}

#[test]
fn v96_a_connection_that_ends_delivers_nothing() {
    let data = b"DATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n";
    let chunk = b"BDAT 5\r\nab\r\ncBDAT 3 LAST\r\nd\r\n";
    for bytes in [&data[..], chunk] {
        for end in 0..bytes.len() {
            let mut peer = after(CONFIG, ENVELOPE);
            peer.feed(&bytes[..end]);
            peer.end_of_input();
            assert!(peer.is_closed() && peer.application.messages.is_empty(), "cut at {end}");
        }
        let mut peer = after(CONFIG, ENVELOPE);
        peer.feed(bytes);
        assert_eq!(peer.application.messages.len(), 1);
    }
}
