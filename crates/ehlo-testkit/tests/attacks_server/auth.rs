//! AUTH, RFC 4954.

use ehlo::machine::Machine as _;
use ehlo::server::Event;
use ehlo::session::State;
use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::command::Verb;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Challenge, SaslData, SaslMechanism};
use ehlo::{
    Client, ClientConfig, Code, Command, Policy, Reply, ReplyError, Server, ServerConfig, client,
};
use ehlo_io::Buffered;
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
        assert!(peer.sent.windows(9).any(|bytes| bytes == b"501 5.5.2"), "{wrong}");
    }
}

#[test]
fn v49_a_response_of_12288_bytes() {
    // With its CRLF: 12,288 bytes, and four more.
    for (digits, code) in [(12_284, 501), (12_288, 500), (100_000, 500)] {
        let bytes = [&vec![b'A'; digits][..], b"\r\nNOOP\r\n"].concat();
        for size in [1, 1000, 12_287, 12_288, 12_289, usize::MAX] {
            let mut peer = auth();
            let pieces: Vec<&[u8]> = bytes.chunks(size.min(bytes.len())).collect();
            assert_eq!(peer.feed_pieces(&pieces), [code, 250], "{digits} in pieces of {size}");
            let is_too_long = peer.sent.windows(9).any(|bytes| bytes == b"500 5.5.6");
            assert_eq!(is_too_long, code == 500);
            assert!(peer.unread.capacity() <= 2 * bytes.len());
        }
    }
    // The longest that fits is a message of PLAIN with a password of thousands of bytes.
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
    assert!(peer.sent.windows(6).any(|bytes| bytes == b"334 \r\n"), "an empty challenge");
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

/// What stands in the buffers of a connection, of either side, is not shown.
#[test]
fn v55_no_buffer_is_shown() {
    let shows = |text: &str| text.contains("c2VjcmV0");
    let mut server = Buffered::new(Server::new(INSIDE_TLS));
    let mut client =
        Buffered::new(Client::new(ClientConfig { implicit_tls: true, ..ClientConfig::DEFAULT }));
    client.push_input(b"220 mx\r\n");
    assert!(client.is_ready());
    assert!(format!("{:?}", client.next_event().event).starts_with("Reply"));
    let name = ClientName::new("client.example").expect("a name");
    client.send(&Command::Ehlo(name)).expect("EHLO");
    client.push_input(b"250-mx\r\n250 AUTH PLAIN\r\n");
    assert!(client.is_ready());
    assert!(format!("{:?}", client.next_event().event).starts_with("Reply"));
    let (mechanism, message) = (SaslMechanism::Plain.into(), b"\0user\0secret");
    let initial_response = Some(SaslData::new(message));
    client.send(&Command::Auth { mechanism, initial_response }).expect("AUTH");
    assert!(shows(&client.output().escape_ascii().to_string()), "it is there");
    assert!(!shows(&format!("{client:?}")));
    assert!(!shows(&format!("{:?}", client.responder())));

    server.push_input(b"EHLO client.example\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    for _ in 0..2 {
        assert!(server.is_ready());
        let turn = server.next_event();
        assert!(!shows(&format!("{turn:?}")));
        turn.responder.standard_reply("mx.example").expect("an answer");
        assert!(!shows(&format!("{server:?}")));
    }
    assert!(server.is_ready());
    assert!(!shows(&format!("{:?}", server.next_event())));
    assert!(!shows(&format!("{server:?}")));
}

/// From AUTH to its end, of both sides.
#[test]
fn v55_what_is_secret() {
    let mut client = awaiting_auth();
    assert!(client.is_secret());
    let mut peer = after(INSIDE_TLS, b"EHLO client.example\r\n");
    assert!(!peer.server.is_secret());
    let mut out = [0; 512];
    assert!(matches!(peer.server.receive(b"AUTH PLAIN\r\n").event, Event::Command(_)));
    assert!(peer.server.is_secret());
    let challenge = Reply::new(Code::AUTHENTICATION_CONTINUES, "");
    let written = peer.server.reply(&challenge, &mut out).expect("a reply");
    client.receive(&out[..written]);
    assert!(peer.server.is_secret() && client.is_secret());
    let response = ehlo::syntax::sasl::Response::Data(SaslData::new(b"\0user\0secret"));
    let written = client.respond(&response, &mut out).expect("a response");
    assert!(matches!(peer.server.receive(&out[..written]).event, Event::AuthResponse(_)));
    assert!(peer.server.is_secret() && client.is_secret());
    let success = Reply::new(Code::AUTHENTICATION_SUCCEEDED, "");
    let written = peer.server.reply(&success, &mut out).expect("a reply");
    client.receive(&out[..written]);
    assert!(!peer.server.is_secret() && !client.is_secret());
}

/// RFC 4954 §4: a challenge is one line, up to 12,288 bytes; both sides take it whole.
#[test]
fn a_challenge_of_any_length_is_one_line() {
    for bytes in [0, 1, 379, 380, 3000, 9210] {
        let message = vec![0xA5; bytes];
        let (mut client, mut peer) = (awaiting_auth(), after(INSIDE_TLS, b""));
        let received = peer.server.receive(b"AUTH PLAIN\r\n");
        assert!(matches!(received.event, Event::Command(_)));
        let mut out = vec![0; 12_288];
        let written = peer.server.challenge(&SaslData::new(&message), &mut out).expect("room");
        assert_eq!(peer.server.state(), State::Auth);
        let line = &out[..written];
        assert_eq!(written, "334 \r\n".len() + bytes.div_ceil(3) * 4);
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(written - 1));

        for piece in 1..=written.min(20) {
            assert_eq!(client.clone().receive(&line[..piece - 1]).event, client::Event::NeedInput);
        }
        let client::Event::Reply { to: Verb::Auth, reply } = client.receive(line).event else {
            panic!("{bytes} bytes")
        };
        let challenge = Challenge::from_reply(&reply).expect("a challenge");
        assert_eq!(challenge.0, SaslData::new(&message));
    }
}

#[test]
fn a_challenge_that_is_none_is_not_written() {
    let mut out = vec![0; 20_000];
    let asked = || {
        let mut peer = after(INSIDE_TLS, b"");
        peer.server.receive(b"AUTH PLAIN\r\n");
        peer.server
    };
    let (verb, code) = (Verb::Auth, Code::AUTHENTICATION_CONTINUES);
    // Longer than a line of AUTH.
    let mut server = asked();
    let long = server.challenge(&SaslData::new(&[0; 9211]), &mut out);
    assert_eq!(long, Err(ReplyError::ChallengeTooLong));
    // Text that is no base64, or more than a line of it; what is base64 is the same as `challenge`.
    for text in ["go on", "AAA", "AAAA\nAAAA", &"A".repeat(508)] {
        let refused = server.reply(&Reply::new(code, text), &mut out);
        assert_eq!(refused, Err(ReplyError::NotAllowed { verb, code }), "{text}");
    }
    assert_eq!(server.pending(), Some(verb), "nothing has changed");
    assert_eq!(server.reply(&Reply::new(code, "AAAA"), &mut out), Ok(10));
    // A double of a server may say what it likes.
    let policy = Policy::STRICT.with_any_reply_code(true);
    let mut peer = after(ServerConfig { policy, ..INSIDE_TLS }, b"");
    peer.server.receive(b"AUTH PLAIN\r\n");
    assert_eq!(peer.server.reply(&Reply::new(code, "go on"), &mut out), Ok(11));
    // It answers AUTH and nothing else, and not what was refused.
    let mut peer = after(INSIDE_TLS, b"");
    assert_eq!(peer.server.challenge(&SaslData::EMPTY, &mut out), Err(ReplyError::NothingPending));
    peer.server.receive(b"NOOP\r\n");
    let refused = peer.server.challenge(&SaslData::EMPTY, &mut out);
    assert_eq!(refused, Err(ReplyError::NotAllowed { verb: Verb::Noop, code }));
    let mut peer = after(INSIDE_TLS, b"");
    peer.server.receive(b"AUTH LOGIN\r\n");
    let refused = peer.server.challenge(&SaslData::EMPTY, &mut out);
    assert_eq!(refused, Err(ReplyError::NotAllowed { verb, code }));
    let needed = asked().challenge(&SaslData::new(b"abc"), &mut out[..9]);
    assert_eq!(needed, Err(ReplyError::BufferTooSmall(BufferTooSmall { needed: 10 })));
}

/// A client inside TLS that has sent AUTH.
fn awaiting_auth() -> Client {
    let mut client = Client::new(ClientConfig { implicit_tls: true, ..ClientConfig::DEFAULT });
    let mut out = [0; 64];
    client.receive(b"220 mx.example\r\n");
    let name = ClientName::new("client.example").expect("a name");
    client.send(&Command::Ehlo(name), &mut out).expect("room");
    client.receive(b"250-mx.example\r\n250 AUTH PLAIN\r\n");
    let auth = Command::Auth { mechanism: SaslMechanism::Plain.into(), initial_response: None };
    client.send(&auth, &mut out).expect("room");
    client
}
