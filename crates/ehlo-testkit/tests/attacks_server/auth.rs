//! AUTH, RFC 4954.

use ehlo::server::Event;
use ehlo::{Code, Reply, Server, State};
use ehlo_testkit::peer::Peer;

use crate::{INSIDE_TLS, after, codes, feed};

fn auth() -> Peer {
    after(INSIDE_TLS, b"AUTH PLAIN\r\n")
}

#[test]
fn v48_base64_that_is_none() {
    for wrong in
        ["=AAA", "AAA=BBB", "dGVzdA", "AHVz-_A=", "dGV zdA==", "dGVzdB==", "A", "AA", "AAA", "===="]
    {
        let initial = format!("AUTH PLAIN {wrong}\r\nNOOP\r\n");
        assert_eq!(codes(&after(INSIDE_TLS, b""), initial.as_bytes()), [501, 250], "{wrong}");
        let (codes, peer) = feed(&auth(), format!("{wrong}\r\nNOOP\r\n").as_bytes());
        assert_eq!((codes, peer.application.user.as_deref()), (vec![501, 250], None), "{wrong}");
        assert!(peer.sent.windows(9).any(|octets| octets == b"501 5.5.2"), "{wrong}");
    }
}

#[test]
fn v49_a_response_of_12288_octets() {
    // With its CRLF: 12,288 octets, and four more.
    for (digits, code) in [(12_284, 501), (12_288, 500), (100_000, 500)] {
        let octets = [&vec![b'A'; digits][..], b"\r\nNOOP\r\n"].concat();
        for size in [1, 1000, 12_287, 12_288, 12_289, usize::MAX] {
            let mut peer = auth();
            let pieces: Vec<&[u8]> = octets.chunks(size.min(octets.len())).collect();
            assert_eq!(peer.feed_pieces(&pieces), [code, 250], "{digits} in pieces of {size}");
            let is_too_long = peer.sent.windows(9).any(|octets| octets == b"500 5.5.6");
            assert_eq!(is_too_long, code == 500);
            assert!(peer.unread.capacity() <= 2 * octets.len());
        }
    }
    // The longest that fits is a message of PLAIN with a password of thousands of octets.
    let mut command = b"AUTH PLAIN ".to_vec();
    command.resize(12_288 - 2 - 3, b'A');
    command.extend(b"\r\nNOOP\r\n");
    let mut peer = after(INSIDE_TLS, b"");
    assert_eq!(peer.feed(&command), [501, 250]);
}

/// CVE-2023-27582: whoever acts for another is refused.
#[test]
fn v51_messages_of_plain() {
    let cases = [
        ("AHVzZXIAc2VjcmV0", 235),         // \0user\0secret
        ("dXNlcgB1c2VyAHNlY3JldA==", 235), // user\0user\0secret
        ("YWRtaW4AdXNlcgBzZWNyZXQ=", 535), // admin\0user\0secret
        ("AHVzZXIAc2VjcmV0AA==", 501),     // \0user\0secret\0
        ("dXNlcgBzZWNyZXQ=", 501),         // user\0secret
        ("dXNlcg==", 501),                 // user
        ("AAAA", 501),                     // \0\0\0
        ("AAA=", 535),                     // \0\0
    ];
    for (response, code) in cases {
        let (codes, peer) = feed(&auth(), format!("{response}\r\nNOOP\r\n").as_bytes());
        assert_eq!(codes, [code, 250], "{response}");
        assert_eq!(peer.application.user.is_some(), code == 235);
        assert_eq!(peer.server.is_authenticated(), code == 235);
        let initial = format!("AUTH PLAIN {response}\r\n");
        assert_eq!(crate::codes(&after(INSIDE_TLS, b""), initial.as_bytes()), [code]);
    }
}

/// CVE-2011-1720: nothing of an attempt that failed is left for the next.
#[test]
fn v50_attempts_are_apart() {
    let (codes, peer) = feed(
        &after(INSIDE_TLS, b""),
        b"AUTH PLAIN\r\nAHVzZXIAd3Jvbmc=\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN\r\nAHVzZXIAc2VjcmV0\r\n",
    );
    assert_eq!(codes, [334, 535, 334, 501, 334, 235]);
    assert!(peer.sent.windows(6).any(|octets| octets == b"334 \r\n"), "an empty challenge");
}

#[test]
fn v55_no_secret_is_shown() {
    let mut server = Server::new(INSIDE_TLS);
    let mut out = [0; 512];
    server.reply(&Reply::new(Code::SERVICE_READY, "mx"), &mut out).expect("a greeting");
    server.receive(b"EHLO client.example\r\n");
    server.reply(&Reply::new(Code::OK, "mx"), &mut out).expect("a reply");
    let shows = |text: &str| text.contains("c2VjcmV0") || text.contains("secret");
    let received = server.receive(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    assert!(matches!(received.event, Event::Command(_)));
    assert!(!shows(&format!("{:?}", received.event)), "{:?}", received.event);
    server.reply(&Reply::new(Code::AUTHENTICATION_CONTINUES, ""), &mut out).expect("a reply");
    assert_eq!(server.state(), State::Auth);
    let received = server.receive(b"AHVzZXIAc2VjcmV0\r\n");
    assert!(matches!(received.event, Event::AuthResponse(_)));
    assert!(!shows(&format!("{:?} {server:?}", received.event)), "{:?}", received.event);
    // Nor where it is wrong, or stands where no response is wanted.
    server.reply(&Reply::new(Code::CREDENTIALS_INVALID, ""), &mut out).expect("a reply");
    let event = format!("{:?}", server.receive(b"AUTH PLAIN AHVzZXIAc2VjcmV0=\r\n").event);
    assert!(!shows(&event), "{event}");
}
