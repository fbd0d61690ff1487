//! What a server machine bears and how it ends, beside the transcripts and the table of replies.

use std::time::Duration;

use ehlo::machine::Machine;
use ehlo::server::Event;
use ehlo::server::{CannotOffer, Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::capability::{Capabilities, Limits};
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Code, Extension, Policy, Reply, ReplyError, Server, ServerConfig};
use ehlo_io::{Buffered, GracefulShutdown as _};
use ehlo_testkit::peer::Peer;
use ehlo_testkit::property::budget;

const CONFIG: ServerConfig = ServerConfig {
    offered: Capabilities::NONE
        .with(Extension::Pipelining)
        .with(Extension::EnhancedStatusCodes)
        .with(Extension::Chunking)
        .with(Extension::StartTls)
        .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
    plaintext_auth: true,
    ..ServerConfig::DEFAULT
};

/// The ways into the states in which something is read, and what of them is left to be read before
/// the next command.
const WAYS: [(&str, State, &str); 8] = [
    ("", State::Start, ""),
    ("EHLO c.example\r\n", State::Ready, ""),
    ("EHLO c.example\r\nMAIL FROM:<>\r\n", State::Mail, ""),
    ("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<d@e.example>\r\n", State::Rcpt, ""),
    ("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<d@e.example>\r\nBDAT 0\r\n", State::Chunk, ""),
    ("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<d@e.example>\r\nBDAT 1\r\n\n", State::Failed, ""),
    (
        "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<d@e.example>\r\nDATA\r\nx",
        State::Data,
        "y\r\n.\r\n",
    ),
    ("EHLO c.example\r\nAUTH PLAIN\r\n", State::Auth, "AHVzZXIAc2VjcmV0\r\n"),
];

fn led(config: ServerConfig, (way, state, _): (&str, State, &str)) -> Peer {
    let mut peer = Peer::new(config);
    peer.feed(b"");
    peer.feed(way.as_bytes());
    assert_eq!(peer.server.state(), state);
    peer.sent.clear();
    peer
}

/// The role's name and a word behind it, also in the greeting behind XCLIENT.
#[test]
fn the_greeting_names_the_role() {
    let offered = CONFIG.offered.with(Extension::Xclient);
    for (role, hello, greeting) in [
        (Role::Smtp, "EHLO", "220 mx.example ESMTP ready"),
        (Role::Submission, "EHLO", "220 mx.example ESMTP ready"),
        (Role::Lmtp, "LHLO", "220 mx.example LMTP ready"),
    ] {
        let mut peer = Peer::new(ServerConfig { role, offered, ..CONFIG });
        peer.feed(b"");
        assert_eq!(peer.sent, format!("{greeting}\r\n").as_bytes());
        peer.feed(format!("{hello} c.example\r\nXCLIENT ADDR=192.0.2.1\r\n").as_bytes());
        assert!(peer.sent.ends_with(format!("\r\n{greeting}\r\n").as_bytes()));
        assert_eq!(peer.server.state(), State::Start);
    }
}

/// An application that gives the standard reply to all, and keeps nothing, has accepted no message.
#[test]
fn the_standard_reply_accepts_no_message() {
    for (role, hello) in [(Role::Smtp, "EHLO"), (Role::Lmtp, "LHLO")] {
        for end in ["DATA\r\nx\r\n.\r\n", "BDAT 3\r\nx\r\nBDAT 0 LAST\r\n", "BDAT 3 LAST\r\nx\r\n"]
        {
            let mut server = Server::new(ServerConfig { role, ..CONFIG });
            let envelope = "MAIL FROM:<>\r\nRCPT TO:<a@e.example>\r\nRCPT TO:<b@e.example>\r\n";
            let bytes = format!("{hello} c.example\r\n{envelope}{end}");
            let mut rest = bytes.as_bytes();
            let mut ends = 0;
            loop {
                let received = server.receive(rest);
                rest = &rest[received.consumed..];
                let Some(verb) = server.pending() else {
                    if matches!(received.event, Event::NeedInput) {
                        break;
                    }
                    continue;
                };
                let reply = server.standard_reply("mx.example");
                let is_end = matches!(verb, Verb::Message | Verb::BdatLast);
                assert_eq!(reply.code() == Code::LOCAL_ERROR, is_end, "{verb:?}: {reply}");
                ends += usize::from(is_end);
                server.reply(&reply, &mut [0; 512]).expect("a reply");
            }
            assert_eq!((ends, server.state()), (if hello == "LHLO" { 2 } else { 1 }, State::Ready));
        }
    }
}

/// What the machine cannot carry out is neither listed nor taken, and a configuration that offers it
/// is told apart.
#[test]
fn what_cannot_be_done_is_not_offered() {
    let everything =
        Extension::ALL.iter().fold(Capabilities::NONE, |offered, it| offered.with(*it));
    for role in [Role::Smtp, Role::Submission] {
        for (extension, line, code) in [
            (Extension::Prdr, "MAIL FROM:<> PRDR", 555),
            (Extension::Checkpoint, "MAIL FROM:<> TRANSID=<1@c.example>", 555),
            (Extension::Utf8Smtp, "MAIL FROM:<> ALT-ADDRESS=a@b.example", 555),
            (Extension::Turn, "TURN", 502),
            (Extension::Send, "SEND FROM:<>", 502),
            (Extension::Soml, "SOML FROM:<>", 502),
            (Extension::Saml, "SAML FROM:<>", 502),
        ] {
            let config = ServerConfig { role, offered: everything, ..CONFIG };
            let mut peer = led(config, WAYS[1]);
            assert!(!peer.server.offered().contains(extension), "{extension:?}");
            assert_eq!(peer.feed(format!("{line}\r\n").as_bytes()), [code], "{line}");
            assert_eq!(peer.server.state(), State::Ready);
            let config = ServerConfig { offered: CONFIG.offered.with(extension), ..config };
            assert_eq!(config.check(), Err(CannotOffer(extension)));
        }
    }
    // What depends on the rest of the configuration.
    let binary = CONFIG.offered.with(Extension::BinaryMime);
    assert_eq!(ServerConfig { offered: binary, ..CONFIG }.check(), Ok(()));
    let offered = binary.without(Extension::Chunking);
    let extension = Extension::BinaryMime;
    assert_eq!(ServerConfig { offered, ..CONFIG }.check(), Err(CannotOffer(extension)));
    for extension in [Extension::Etrn, Extension::Atrn] {
        let config = ServerConfig { offered: CONFIG.offered.with(extension), ..CONFIG };
        assert_eq!(config.check(), Ok(()));
        let config = ServerConfig { role: Role::Submission, ..config };
        assert_eq!(config.check(), Err(CannotOffer(extension)));
    }
    for config in [CONFIG, ServerConfig::DEFAULT, ServerConfig::SUBMISSION, ServerConfig::LMTP] {
        assert_eq!(config.check(), Ok(()));
    }
}

/// RFC 9422 §4: what is announced is counted, the refused commands too.
#[test]
fn announced_limits_are_counted() {
    let limits = Limits::NONE.with_rcpt_max(2).with_mail_max(3);
    let offered = CONFIG.offered.with_limits(limits);
    let mut peer = Peer::new(ServerConfig { offered, ..CONFIG });
    peer.feed(b"EHLO c.example\r\n");
    let sent = String::from_utf8(peer.sent.clone()).expect("ASCII");
    assert!(sent.contains("LIMITS RCPTMAX=2 MAILMAX=3\r\n"), "{sent}");
    let rcpt = "MAIL FROM:<>\r\nRCPT TO:<nobody@e.example>\r\nRCPT TO:<1@e.example>\r\nRCPT TO:<2@e.example>\r\n";
    assert_eq!(peer.feed(rcpt.as_bytes()), [250, 550, 250, 452]);
    // A new transaction counts anew; a MAIL that is out of order does not count.
    assert_eq!(peer.feed(b"MAIL FROM:<>\r\nRSET\r\n"), [503, 250]);
    assert_eq!(peer.feed(rcpt.as_bytes()), [250, 550, 250, 452]);
    assert_eq!(
        peer.feed(b"DATA\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n"),
        [354, 250, 250, 250, 421]
    );
    assert!(peer.is_closed() && peer.sent.ends_with(b"too many messages in this session\r\n"));
}

/// RFC 5321 §3.8: what has begun comes to its end, and the next command is answered 421.
#[test]
fn a_shutdown_in_every_state() {
    for way in WAYS {
        for role in [Role::Smtp, Role::Submission] {
            let mut peer = led(ServerConfig { role, ..CONFIG }, way);
            peer.server.shut_down();
            let finished = peer.feed(way.2.as_bytes());
            assert!(finished.iter().all(|code| *code < 300), "{way:?}: {finished:?}");
            assert_eq!(peer.feed(b"BDAT 6 LAST\r\nQUIT\r\n"), [421], "{way:?}");
            assert!(peer.is_closed());
            assert!(peer.sent.ends_with(b"421 4.3.2 shutting down\r\n"));
        }
    }
    // Before the greeting it is the application that refuses.
    let mut server = Server::new(CONFIG);
    server.shut_down();
    assert_eq!(server.receive(b"").event, Event::Greeting);
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "shutting down");
    server.reply(&reply, &mut [0; 64]).expect("a greeting");
    assert_eq!(server.receive(b"NOOP\r\n").event, Event::Closed);
}

/// RFC 3030 §2: the bytes of a chunk that is refused are skipped, also where no command is taken
/// any more and the application does not say 421.
#[test]
fn a_chunk_is_never_read_as_commands() {
    let reply = Reply::new(Code::LOCAL_ERROR, "not now");
    let limits = ServerLimits { errors: 1, ..CONFIG.limits };
    let mut out = [0; 64];
    for way in &WAYS[..6] {
        for (config, spends) in [(CONFIG, false), (ServerConfig { limits, ..CONFIG }, true)] {
            let mut peer = led(config, *way);
            if !spends {
                peer.server.shut_down();
            } else if way.1 != State::Failed {
                assert_eq!(peer.feed(b"VRFY\r\n").len(), 1, "the error that is one too many");
            }
            for line in ["BDAT 6\r\n", "BDAT 6 LAST\r\n"] {
                let input = [line.as_bytes(), b"QUIT\r\nNOOP\r\n"].concat();
                let mut rest = &input[..];
                let received = peer.server.receive(rest);
                rest = &rest[received.consumed..];
                assert!(matches!(received.event, Event::Refused(_)), "{way:?} {line}");
                peer.server.reply(&reply, &mut out).expect("a negative reply");
                assert_eq!(rest, b"NOOP\r\n", "{way:?} {line}");
            }
        }
    }
}

/// RFC 2033 §4.2: each recipient's reply is given before a server that is to end says 421.
#[test]
fn a_stop_between_the_replies_of_lmtp() {
    let config = ServerConfig { offered: CONFIG.offered, ..ServerConfig::LMTP };
    for end in ["DATA\r\nx\r\n.\r\n", "BDAT 3 LAST\r\nx\r\n"] {
        let mut endpoint = Buffered::new(Server::new(config));
        let lines = "LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@e.example>\r\n\
                     RCPT TO:<b@e.example>\r\nRCPT TO:<c@e.example>\r\n";
        endpoint.push_input(format!("{lines}{end}").as_bytes());
        let mut owed = 0;
        while endpoint.is_ready() {
            let turn = endpoint.next_event();
            if matches!(turn.event, Event::EndOfMailData { .. } | Event::NeedReply) {
                owed += 1;
                let already = endpoint.output().len();
                Server::begin_shutdown(&mut endpoint, "mx.example");
                assert_eq!(endpoint.output().len(), already, "{end:?}: {owed}");
                let reply = Reply::new(Code::OK, "stored");
                endpoint.reply(&reply).expect("a recipient's reply");
            } else if turn.responder.machine().pending().is_some() {
                turn.responder.standard_reply("mx.example").expect("a reply");
            }
        }
        assert_eq!((owed, endpoint.machine().state()), (3, State::Ready));
        Server::begin_shutdown(&mut endpoint, "mx.example");
        assert_eq!(endpoint.machine().state(), State::Closed);
        let sent = String::from_utf8_lossy(endpoint.output()).into_owned();
        assert_eq!(sent.matches("stored\r\n").count(), 3, "{sent}");
        assert!(sent.lines().last().is_some_and(|line| line.starts_with("421 ")), "{sent}");
    }
}

/// 421 at any moment, asked for or not: in the middle of a line, of a message, of an exchange.
#[test]
fn a_421_at_any_moment() {
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "timeout").with_domain("mx.example");
    let mut out = [0; 64];
    for way in WAYS {
        for rest in ["", "NO", "BDAT 9\r\nxy", "NOOP\r\n"] {
            let mut peer = led(CONFIG, way);
            peer.unread.extend(rest.as_bytes());
            // A command that is pending, or the half of one.
            peer.server.receive(&peer.unread);
            let written = peer.server.close(&reply, &mut out).expect("room");
            assert_eq!(&out[..written], b"421 4.0.0 mx.example timeout\r\n", "{way:?} {rest}");
            assert_eq!(peer.server.state(), State::Closed);
            assert_eq!(peer.server.receive(b"NOOP\r\n").event, Event::Closed);
            assert!(peer.application.messages.is_empty());
            let again = peer.server.reply(&reply, &mut out);
            assert_eq!(again, Err(ReplyError::NothingPending));
        }
        let mut peer = led(CONFIG, way);
        let other = peer.server.close(&Reply::new(Code::OK, "no"), &mut out);
        assert!(matches!(other, Err(ReplyError::NotAllowed { .. })), "{other:?}");
        assert_eq!(peer.server.state(), way.1);
    }
}

/// RFC 5321 §4.5.3.2.7: a server waits five minutes at least, whatever for.
#[test]
fn no_wait_is_shorter_than_five_minutes() {
    for way in WAYS {
        assert!(led(CONFIG, way).server.timeout() >= Duration::from_mins(5), "{way:?}");
    }
    let mut peer = led(CONFIG, WAYS[1]);
    peer.feed(b"STARTTLS\r\n");
    assert_eq!(peer.server.state(), State::Tls);
    assert!(peer.server.timeout() >= Duration::from_mins(5));
}

/// RFC 5321 §4.3.2: a code of another command is an error in the caller's hand, and changes nothing.
#[test]
fn a_reply_that_does_not_answer() {
    let rows: [(&str, Verb, u16); 10] = [
        ("NOOP\r\n", Verb::Noop, 354),
        ("NOOP\r\n", Verb::Noop, 220),
        ("NOOP\r\n", Verb::Noop, 535),
        ("MAIL FROM:<>\r\n", Verb::Mail, 251),
        ("MAIL FROM:<>\r\n", Verb::Mail, 551),
        ("VRFY a\r\n", Verb::Vrfy, 555),
        ("STARTTLS\r\n", Verb::StartTls, 250),
        ("AUTH PLAIN\r\n", Verb::Auth, 250),
        ("QUIT\r\n", Verb::Quit, 250),
        // What the machine has refused.
        ("DATA\r\n", Verb::Data, 354),
    ];
    let mut out = [0; 64];
    for (line, verb, number) in rows {
        let code = Code::new(number).expect("a reply code");
        let reply = Reply::new(code, "no");
        let mut server = led(CONFIG, WAYS[1]).server;
        server.receive(line.as_bytes());
        let before = format!("{server:?}");
        let error = server.reply(&reply, &mut out);
        assert_eq!(error, Err(ReplyError::NotAllowed { verb, code }), "{line}");
        assert_eq!(format!("{server:?}"), before);
        // A proxy hands on what another server said, but accepts nothing that was refused.
        let policy = Policy::STRICT.with_any_reply_code(true);
        let mut server = led(ServerConfig { policy, ..CONFIG }, WAYS[1]).server;
        server.receive(line.as_bytes());
        assert_eq!(server.reply(&reply, &mut out).is_ok(), verb != Verb::Data, "{line}");
    }
    // RFC 6409 §7.
    let mut server = led(ServerConfig { role: Role::Submission, ..CONFIG }, WAYS[1]).server;
    server.receive(b"MAIL FROM:<>\r\n");
    let code = Code::new(521).expect("a reply code");
    let error = server.reply(&Reply::new(code, "no"), &mut out);
    assert_eq!(error, Err(ReplyError::NotAllowed { verb: Verb::Mail, code }));
}

/// Sessions of commands without mail are over when the limits say so, whatever the commands and the
/// answers are.
#[test]
fn sessions_without_mail_are_over_in_time() {
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    for length in 0..if cfg!(debug_assertions) { 10_000 } else { 100_000 } {
        let script = std::iter::repeat_with(|| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[3]
        });
        budget(&script.take(2 + length % 60).collect::<Vec<_>>());
    }
}
