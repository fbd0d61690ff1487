//! A delivery in one call, against a server that the same adapter carries.

use std::io::{BufRead, BufReader, Write};
use std::thread;

use ehlo::delivery::{AuthPolicy, ChunkingPolicy, Fate, Outcome, TlsPolicy, UnusableSession};
use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::{Challenge, Mechanisms, SaslData, SaslMechanism};

use ehlo::{
    ClientConfig, Code, Encode, Extension, ForwardPath, HeloName, ReversePath, Server, ServerConfig,
};
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo_io::{EndReason, MessageQueue, PendingEvent, SessionEnd};
use ehlo_sasl::Credentials;
use ehlo_testkit::application::Application;

use crate::carry::{Adapter, Wire};
use crate::pipe::Pipe;
use crate::tls;
use crate::wires::{Kind, wires};

/// Serves one session to its end.
pub fn serve<A: Adapter>(wire: Wire, config: ServerConfig) -> Application {
    let adapter = A::default();
    let mut application = Application::default();
    let mut connection = adapter.connection(adapter.stream(wire), Server::new(config));
    loop {
        let next = adapter.next(&mut connection, |PendingEvent { event, responder }| {
            if let Some(reply) = application.answer(&event, responder.machine()) {
                responder.reply(&reply).expect("an answer");
            }
            (event == Event::StartTls, event == Event::Closed)
        });
        match next.expect("a stream that holds") {
            (true, _) => adapter.accept_tls(&mut connection, tls::server()).expect("a handshake"),
            (_, true) => {
                adapter.close(&mut connection).ok();
                return application;
            }
            _ => {}
        }
    }
}

/// What a delivery is to do.
pub struct Job<'v> {
    pub config: DeliveryConfig,
    pub envelopes: Vec<&'v Envelope<'v>>,
    pub content: &'v [u8],
    pub tls: bool,
    pub credentials: Option<Credentials<'v>>,
}

impl Job<'_> {
    /// Outcomes by envelope.
    pub fn run<A: Adapter>(&self, wire: Wire) -> Vec<Vec<Outcome>> {
        let adapter = A::default();
        let mut outcomes = Vec::new();
        let messages = self.envelopes.iter().map(|envelope| (*envelope, self.content));
        let mut messages = MessageQueue::new(messages, |number, all| {
            assert_eq!(number, outcomes.len());
            outcomes.push(all.iter().map(|recipient| recipient.outcome).collect());
        });
        if let Some(credentials) = self.credentials {
            messages = messages.authenticate(credentials);
        }
        let name = HeloName::new("client.example").expect("a name");
        let delivery = Delivery::new(name, self.config);
        let mut connection = adapter.connection(adapter.stream(wire), delivery);
        let tls = self.tls.then(tls::client);
        let ended = adapter.deliver(&mut connection, messages, tls).expect("a session");
        assert_eq!(ended, SessionEnd::Done);
        outcomes
    }
}

/// STARTTLS, AUTH, and messages of which one is longer than any buffer.
pub fn delivers<A: Adapter>(kind: Kind) {
    let offered = [Extension::Pipelining, Extension::Chunking, Extension::StartTls];
    let offered = offered.into_iter().fold(Capabilities::NONE, Capabilities::with);
    let offered = offered.with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain));
    let config = ServerConfig { offered, require_tls: true, ..ServerConfig::DEFAULT };
    let recipients = ["b@x.example", "nobody@x.example"];
    let recipients = recipients.map(|path| ForwardPath::new(path).expect("a path"));
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    let content = b"one line, and the next.\r\n..\r\n".repeat(20_000);
    for content in [&b"Subject: x\r\n\r\n.\r\n"[..], &content, b""] {
        let job = Job {
            config: DeliveryConfig {
                tls: TlsPolicy::Require,
                auth: AuthPolicy::Require,
                ..DeliveryConfig::DEFAULT
            },
            envelopes: vec![&envelope; 3],
            content,
            tls: true,
            credentials: Some(Credentials::password("user", "secret").expect("credentials")),
        };
        let (client, server) = wires(kind);
        let serving = thread::spawn(move || serve::<A>(server, config));
        let outcomes = job.run::<A>(client);
        let application = serving.join().expect("a server");
        assert_eq!(application.user.as_deref(), Some("user"));
        assert_eq!(outcomes.len(), 3);
        for outcomes in outcomes {
            let fates = outcomes.iter().map(|outcome| outcome.fate);
            assert!(fates.eq([Fate::Accepted, Fate::Refused]), "{outcomes:?}");
        }
        assert_eq!(application.messages.len(), 3);
        assert!(application.messages.iter().all(|message| message.content == content));
    }
}

/// Both ends of a session in which each writes and reads as often as it must, once a turn: a write that
/// waits for the acknowledgement of the one before it waits 40 ms where that is delayed. On a socket each
/// is a system call, and on a runtime one more waits: 8 and 12 a message where every command goes by
/// itself, 2 and 3 where the next envelope goes behind the message.
pub fn writes_once_a_message<A: Adapter>() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    let all = [Extension::Pipelining, Extension::Chunking];
    // By DATA, by BDAT, and with every command for itself: MAIL, RCPT, DATA, content.
    for (offered, chunking, at_once, turns) in [
        (&all[..], ChunkingPolicy::Never, true, 1),
        (&all[..], ChunkingPolicy::Pipelined, true, 1),
        (&all[..0], ChunkingPolicy::Never, false, 4),
    ] {
        let offered = offered.iter().copied().fold(Capabilities::NONE, Capabilities::with);
        let (client, server) = Pipe::pair(1 << 20);
        let (client_calls, server_calls) = (client.calls(), server.calls());
        let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
        let serving = thread::spawn(move || serve::<A>(Wire::Pipe(server), config));
        let job = Job {
            config: DeliveryConfig {
                client: ClientConfig { pipelining: at_once, ..ClientConfig::DEFAULT },
                chunking,
                pipeline_messages: at_once,
                ..DeliveryConfig::DEFAULT
            },
            envelopes: vec![&envelope; MESSAGES],
            content: b"Subject: x\r\n\r\n.\r\n",
            tls: false,
            credentials: None,
        };
        let outcomes = job.run::<A>(Wire::Pipe(client));
        assert_eq!(serving.join().expect("a server").messages.len(), MESSAGES);
        assert!(outcomes.iter().all(|all| all[0].fate == Fate::Accepted));
        for (who, (writes, reads)) in [("client", client_calls()), ("server", server_calls())] {
            let most = turns * MESSAGES + FRAME;
            assert!(writes <= most, "{writes} writes of the {who}, over {most}, {chunking:?}");
            assert!(reads <= most, "{reads} reads of the {who}, over {most}, {chunking:?}");
        }
    }
}

/// What a server says, each reply behind a line of the client's but for the greeting, and then it is
/// gone; and how a delivery of two messages ends, of which it takes so many.
const EARLY: [(&[&str], SessionEnd, usize); 10] = [
    (&[], SessionEnd::Early(EndReason::Closed), 0),
    (&["554 5.7.1 no\r\n", "221 bye\r\n"], refused(Verb::Greeting, 554, Some((5, 7, 1))), 0),
    (&["421 busy\r\n"], refused(Verb::Greeting, 421, None), 0),
    (&["220 a\r\n", ""], SessionEnd::Early(EndReason::Closed), 0),
    (&["220 a\r\n", "421 busy\r\n"], refused(Verb::Ehlo, 421, None), 0),
    (
        &["220 a\r\n", "502 what?\r\n", "550 5.7.0 no\r\n", "221 bye\r\n"],
        refused(Verb::Helo, 550, Some((5, 7, 0))),
        0,
    ),
    // A connection that cannot begin TLS goes on without it.
    (
        &["220 a\r\n", "250-b\r\n250 STARTTLS\r\n", "550 c\r\n", "550 c\r\n", "221 d\r\n"],
        SessionEnd::Done,
        2,
    ),
    (&["220 a\r\n", "250 b\r\n", "550 c\r\n", ""], SessionEnd::Early(EndReason::Closed), 2),
    (&["220 a\r\n", "250 b\r\n", "421 4.3.2 c\r\n"], refused(Verb::Mail, 421, Some((4, 3, 2))), 1),
    (&["220 a\r\n", "250 b\r\n", "550 c\r\n", "550 c\r\n", "221 d\r\n"], SessionEnd::Done, 2),
];

const fn code(number: u16) -> Code {
    Code::new(number).expect("a code")
}

const fn refused(to: Verb, number: u16, enhanced: Option<(u8, u16, u16)>) -> SessionEnd {
    let enhanced_code = match enhanced {
        Some((class, subject, detail)) => EnhancedCode::new(class, subject, detail),
        None => None,
    };
    SessionEnd::Early(EndReason::Refused { to, code: code(number), enhanced_code })
}

/// A session that ended before its messages were begun says so, and has them still.
pub fn says_that_it_ended_early<A: Adapter>() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    for (script, wanted, begun) in EARLY {
        let (client, server) = Pipe::pair(1 << 14);
        let serving = thread::spawn(move || {
            let mut server = BufReader::new(server);
            for (number, reply) in script.iter().enumerate() {
                if number > 0 {
                    server.read_line(&mut String::new()).expect("a command");
                }
                server.get_mut().write_all(reply.as_bytes()).expect("room");
            }
        });
        let adapter = A::default();
        let name = HeloName::new("client.example").expect("a name");
        let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
        let mut connection = adapter.connection(adapter.stream(Wire::Pipe(client)), delivery);
        let mut finished = 0;
        let mut messages = MessageQueue::new([(&envelope, &b"x\r\n"[..]); 2], |_, _| finished += 1);
        let ended = adapter.deliver(&mut connection, &mut messages, None).expect("a session");
        assert_eq!(ended, wanted, "{script:?}");
        assert_eq!(messages.into_unsent().count(), 2 - begun, "{script:?}");
        assert_eq!(finished, begun, "{script:?}");
        serving.join().expect("a server");
    }
}

/// What a server in clear text says, whether passwords may go there, and how a delivery with credentials
/// ends, of whose messages none is sent. Nothing but the credentials asks for authentication.
const UNUSED: [(&[&str], bool, SessionEnd); 8] = [
    (&["220 a\r\n", "250 b\r\n", "221 c\r\n"], false, NOT_OFFERED),
    (&["220 a\r\n", "250-b\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n", "221 c\r\n"], false, NOT_OFFERED),
    (&["220 a\r\n", "250-b\r\n250 AUTH NTLM GSSAPI\r\n", "221 c\r\n"], true, NOT_OFFERED),
    (&["220 a\r\n", "502 what?\r\n", "221 c\r\n"], false, refused(Verb::Ehlo, 502, None)),
    (
        &["220 a\r\n", "250-b\r\n250 AUTH PLAIN LOGIN\r\n", "535 5.7.8 no\r\n", "221 c\r\n"],
        true,
        refused(Verb::Auth, 535, Some((5, 7, 8))),
    ),
    // Nobody on the way gets a weaker mechanism by saying so.
    (
        &["220 a\r\n", "250-b\r\n250 AUTH PLAIN LOGIN\r\n", "504 5.5.4 what?\r\n", "221 c\r\n"],
        true,
        refused(Verb::Auth, 504, Some((5, 5, 4))),
    ),
    (
        &[
            "220 a\r\n",
            "250-b\r\n250 AUTH LOGIN\r\n",
            "334 \r\n",
            "334 \r\n",
            "454 4.7.0 no\r\n",
            "221 c\r\n",
        ],
        true,
        refused(Verb::AuthResponse, 454, Some((4, 7, 0))),
    ),
    (
        &["220 a\r\n", "250-b\r\n250 AUTH PLAIN LOGIN\r\n", "235 welcome\r\n", "421 4.3.2 c\r\n"],
        true,
        refused(Verb::Mail, 421, Some((4, 3, 2))),
    ),
];

const NOT_OFFERED: SessionEnd =
    SessionEnd::Early(EndReason::Unusable(UnusableSession::AuthNotOffered));

/// Credentials that were given are used, or nothing is sent.
pub fn uses_its_credentials<A: Adapter>() {
    for (script, plaintext_auth, wanted) in UNUSED {
        let begun = usize::from(script.iter().any(|reply| reply.starts_with("235")));
        let (client, server) = Pipe::pair(1 << 14);
        let serving = thread::spawn(move || {
            let mut server = BufReader::new(server);
            let mut said = String::new();
            for (number, reply) in script.iter().enumerate() {
                if number > 0 {
                    read_line(&mut server, &mut said);
                }
                server.get_mut().write_all(reply.as_bytes()).expect("room");
            }
            said
        });
        let ended = with_credentials::<A>(client, plaintext_auth, begun);
        assert_eq!(ended, wanted, "{script:?}");
        let said = serving.join().expect("a server");
        assert_eq!(said.contains("MAIL"), begun > 0, "{said}");
    }
}

/// A server that does not know the password ends the session by that.
pub fn leaves_a_server_that_is_not_authentic<A: Adapter>() {
    if !cfg!(feature = "scram") {
        return;
    }
    let (client, server) = Pipe::pair(1 << 14);
    let serving = thread::spawn(move || {
        let mut server = BufReader::new(server);
        let mut line = String::new();
        let mut say = |server: &mut BufReader<Pipe>, reply: &str| {
            server.get_mut().write_all(reply.as_bytes()).expect("room");
            line.clear();
            read_line(server, &mut line);
            line.clone()
        };
        say(&mut server, "220 a\r\n");
        let first = say(&mut server, "250-b\r\n250 AUTH SCRAM-SHA-256\r\n");
        let first = first.trim_end().rsplit(' ').next().expect("an initial response").to_owned();
        let mut message = [0; 256];
        let data = SaslData::parse(first.as_bytes()).expect("base64");
        let length = data.decode(&mut message).expect("room");
        let message = std::str::from_utf8(&message[..length]).expect("UTF-8");
        let (_, nonce) = message.split_once("r=").expect("a nonce");
        let challenge = format!("r={nonce}server,s=c2FsdA==,i=4096");
        say(&mut server, &encoded(&challenge));
        // Not the signature.
        say(&mut server, &encoded("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
    });
    let ended = with_credentials::<A>(client, false, 0);
    let why = EndReason::Unusable(UnusableSession::ServerNotAuthentic);
    assert_eq!(ended, SessionEnd::Early(why));
    assert_eq!(serving.join().expect("a server"), "", "nothing more is sent");
}

fn encoded(challenge: &str) -> String {
    let data = Challenge(SaslData::new(challenge.as_bytes()));
    let mut line = vec![0; data.encoded_len()];
    data.encode(&mut line).expect("room");
    String::from_utf8(line).expect("base64")
}

/// Reads a line, however long the client thinks about it; nothing at the end.
fn read_line(from: &mut BufReader<Pipe>, line: &mut String) {
    while let Err(error) = from.read_line(line) {
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// How a delivery of two messages ends that has credentials, of which so many are begun.
fn with_credentials<A: Adapter>(client: Pipe, plaintext_auth: bool, begun: usize) -> SessionEnd {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    let adapter = A::default();
    let name = HeloName::new("client.example").expect("a name");
    let client_config = ClientConfig { plaintext_auth, ..ClientConfig::DEFAULT };
    let config = DeliveryConfig { client: client_config, ..DeliveryConfig::DEFAULT };
    let delivery = Delivery::new(name, config);
    let mut connection = adapter.connection(adapter.stream(Wire::Pipe(client)), delivery);
    let credentials = Credentials::password("user", "secret").expect("credentials");
    let mut messages =
        MessageQueue::new([(&envelope, &b"x\r\n"[..]); 2], |_, _| {}).authenticate(credentials);
    let ended = adapter.deliver(&mut connection, &mut messages, None).expect("a session");
    assert_eq!(messages.into_unsent().count(), 2 - begun);
    ended
}

const MESSAGES: usize = 200;

/// Writes before the first message and behind the last.
const FRAME: usize = 4;
