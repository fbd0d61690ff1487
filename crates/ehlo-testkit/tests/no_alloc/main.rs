//! Nothing in the core allocates: every vector and every transcript, under an allocator that counts
//! what is asked of it. What the test itself needs stands outside of what is counted.

mod delivery;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use ehlo::HeloCheck;
use ehlo::data::{Content, DataDecoder, DataEncoder, Newlines};
use ehlo::identity::{Advice, DnsAnswer, DnsQuery, Enforcement};
use ehlo::server::Event;
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Verb;
use ehlo::syntax::path::{ClientName, Domain, Host, Mailbox};
use ehlo::syntax::sasl::{Mechanisms, Response, SaslMechanism};
use ehlo::trace::{AuthenticationResults, Protocol, ReceivedField, Timestamp};
use ehlo::{
    Client, ClientConfig, Command, Encode, ForwardPath, Parsed, Policy, Reply, ReversePath, Server,
    ServerConfig,
};
use ehlo_sasl::{
    AnyClient, AnyServer, ClientExchange, ClientStep, Credentials, ServerExchange, ServerStep,
};
use ehlo_testkit::transcript::{self, Item, Transcript};
use ehlo_testkit::vectors::{self, DataVector};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// What `run` gives, and how often it asked the allocator for something.
fn counted<T>(run: impl FnOnce() -> T) -> (T, u32) {
    let before = violation_count();
    let value = assert_no_alloc(run);
    (value, violation_count() - before)
}

/// What `run` gives, which asks the allocator for nothing.
#[track_caller]
fn free<T>(run: impl FnOnce() -> T) -> T {
    let (value, count) = counted(run);
    assert_eq!(count, 0, "the allocator was asked");
    value
}

/// Negative control: what allocates is counted.
#[test]
fn an_allocation_is_counted() {
    let (boxed, count) = counted(|| Box::new([1_u8; 100]));
    assert_eq!((boxed.len(), count), (100, 1));
    let (text, count) = counted(|| Reply::new(ehlo::Code::OK, "ok").to_string());
    assert!(text == "250 ok" && count > 0);
    assert_eq!(counted(|| 1 + 1), (2, 0));
}

#[test]
fn parsing_and_writing_allocate_nothing() {
    let mut out = vec![0; 1 << 16];
    let policies = [Policy::STRICT, Policy::STRICT.with_smtputf8(true), Policy::LENIENT];
    let mut count = 0;
    for input in vectors::commands().map(|vector| vector.input) {
        for policy in &policies {
            count += 1;
            free(|| {
                let parsed = Command::parse(&input, policy);
                if let Ok(Parsed::Complete { value, .. }) = parsed {
                    if let Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. } =
                        value
                    {
                        assert!(parameters.extensions().count() <= parameters.iter().count());
                    }
                    value.encode(&mut out).is_ok()
                } else {
                    false
                }
            });
        }
    }
    for input in vectors::paths().map(|vector| vector.input) {
        let text = core::str::from_utf8(&input).unwrap_or_default();
        for policy in &policies {
            count += 1;
            free(|| {
                let reverse = ReversePath::parse(&input, policy).map(|path| path.encode(&mut out));
                let forward = ForwardPath::parse(&input, policy).map(|path| path.encode(&mut out));
                let unquoted = Mailbox::new(text).map(|m| m.local_part().unquoted().count());
                (reverse.is_ok(), forward.is_ok(), unquoted.is_ok())
            });
        }
    }
    for input in vectors::replies().map(|vector| vector.input) {
        for policy in &policies {
            count += 1;
            free(|| match Reply::parse(&input, policy) {
                Ok(Parsed::Complete { value, .. }) => {
                    let offered = Capabilities::from_reply(&value);
                    let written =
                        offered.iter().filter(|line| line.encode(&mut out).is_ok()).count();
                    written + value.lines().count() + value.encode(&mut out).unwrap_or_default()
                }
                _ => 0,
            });
        }
    }
    assert!(count > 2000, "{count}");
}

#[test]
fn mail_data_allocates_nothing() {
    let mut out = vec![0; 1 << 12];
    for input in mail_data_vectors() {
        for newlines in
            [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep]
        {
            free(|| {
                let mut decoder = DataDecoder::new(newlines).with_line_limit(Some(1000));
                let mut at = 0;
                loop {
                    let found = decoder.decode(&input[at..]);
                    at += found.consumed;
                    if !matches!(found.content, Content::Data(_)) {
                        break;
                    }
                }
                let mut encoder = DataEncoder::new(newlines);
                let mut at = 0;
                while let Ok(progress) = encoder.encode(&input[at..], &mut out) {
                    at += progress.consumed;
                    if at == input.len() {
                        return encoder.finish(&mut out).is_ok();
                    }
                }
                false
            });
        }
    }
}

#[test]
fn server_machines_allocate_nothing() {
    for transcript in transcripts() {
        let mut server = free(|| Server::new(transcript.config));
        let mut out = [0; 4096];
        let mut unread = Vec::new();
        for item in &transcript.items {
            match item {
                Item::Client(line) => unread.extend_from_slice(line),
                Item::Server(reply) => {
                    while !take(&mut server, &mut unread) {}
                    // To EHLO the machine adds the extensions itself.
                    let reply = parse(reply);
                    let hello = matches!(server.pending(), Some(Verb::Ehlo | Verb::Lhlo));
                    let first = reply.text_str().expect("US-ASCII");
                    let reply = if hello { Reply::new(reply.code(), first) } else { reply };
                    let host = "mx.example";
                    free(|| {
                        server.standard_reply(host);
                        server.reply(&reply, &mut out).expect("a reply")
                    });
                }
                Item::Tls => free(|| server.tls_established(b"")).expect("no bytes"),
                Item::State(_) | Item::Refused(_) => {}
            }
        }
    }
}

/// Takes one event; whether an answer is owed.
fn take(server: &mut Server, unread: &mut Vec<u8>) -> bool {
    let (consumed, owed) = free(|| {
        let received = server.receive(unread);
        let owed = match received.event {
            Event::MailData(_) | Event::Chunk { .. } => Some(false),
            Event::NeedInput | Event::StartTls | Event::Closed => None,
            _ => Some(true),
        };
        (received.consumed, owed)
    });
    unread.drain(..consumed);
    owed.expect("an answer is owed sooner or later")
}

#[test]
fn client_machines_allocate_nothing() {
    for transcript in transcripts().filter(|transcript| !transcript.only_server) {
        let config = ClientConfig {
            newlines: Newlines::Keep,
            implicit_tls: transcript.config.implicit_tls,
            ..ClientConfig::DEFAULT
        };
        let mut client = free(|| Client::new(config));
        let mut out = [0; 16_384];
        for item in &transcript.items {
            match item {
                Item::Client(line) => free(|| send(&mut client, line, &mut out)),
                Item::Server(reply) => {
                    let received = free(|| client.receive(reply));
                    assert_eq!(received.consumed, reply.len());
                }
                Item::Tls => free(|| client.tls_established(b"")).expect("no bytes"),
                Item::State(_) | Item::Refused(_) => {}
            }
        }
    }
}

fn send(client: &mut Client, line: &[u8], out: &mut [u8]) {
    if client.wants_content() {
        if line == b".\r\n" {
            client.end_mail_data(out).expect("the end");
        } else {
            let content = line.strip_prefix(b".").unwrap_or(line);
            client.mail_data(content, out).expect("content");
        }
    } else if client.state() == State::Auth {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        client.respond(&Response::parse(text).expect("base64"), out).expect("a response");
    } else if let Ok(Parsed::Complete { value, .. }) = Command::parse(line, &Policy::LENIENT) {
        client.send(&value, out).expect("a command");
    }
}

#[test]
fn checks_of_greetings_allocate_nothing() {
    let peer = "2001:db8::1".parse().expect("an address");
    let own = [Host::new("mx.example.net").expect("a name")];
    let date = Timestamp::utc(1_800_000_000).expect("a year of the grammar");
    let mut out = [0; 1024];
    for claimed in ["mx.example.net", "xn--mnchen-3ya.example", "my host", "[IPv6:2001:db8::2]"] {
        let (refused, written) = free(|| {
            let claimed = ClientName::any(claimed).expect("a line");
            let mut check = HeloCheck::new(peer, claimed).with_own(&own);
            while let Some(query) = check.query() {
                let answer = match query {
                    DnsQuery::Pointer(_) => {
                        DnsAnswer::Names(&["a.example.", "b.example", "no name"])
                    }
                    DnsQuery::Addresses(name) if name.as_str() == "b.example" => {
                        DnsAnswer::Addresses(&[peer])
                    }
                    DnsQuery::Addresses(_) => DnsAnswer::TemporaryFailure,
                };
                check.answer(answer).expect("an answer that fits");
            }
            let verdict = check.verdict();
            assert!(verdict.verified_name().is_some());
            let advice = verdict.advice(Enforcement::Enforce);
            let field = ReceivedField::checked(verdict, own[0], Protocol::ESMTP, date);
            let results = AuthenticationResults::new(Domain::new("mx").expect("one"), &verdict);
            let written = field.encode(&mut out).expect("room");
            (matches!(advice, Advice::Refuse { .. }), written + results.encoded_len())
        });
        assert_eq!((refused, written > 200), (claimed == "my host", true), "{claimed}");
    }
}

fn parse(reply: &[u8]) -> Reply<'_> {
    match free(|| Reply::parse(reply, &Policy::LENIENT)) {
        Ok(Parsed::Complete { value, .. }) => value,
        other => panic!("{} is {other:?}", reply.escape_ascii()),
    }
}

fn mail_data_vectors() -> impl Iterator<Item = Vec<u8>> {
    vectors::data().filter_map(|vector| match vector {
        DataVector::Decode { input, .. } => Some(input),
        DataVector::Encode { content, .. } => Some(content),
        _ => None,
    })
}

/// Both sides of every mechanism that needs no feature, through the server machine.
#[test]
fn authentication_allocates_nothing() {
    let password = Credentials::password("anna", "secret").expect("credentials");
    let token = Credentials::token("anna", "vF9dft4qmT").expect("credentials");
    let anonymous = Credentials::anonymous("anna").expect("credentials");
    let mut count = 0;
    for mechanism in SaslMechanism::ALL {
        for credentials in [password, token, anonymous, Credentials::external()] {
            let Some(server) = AnyServer::new(*mechanism) else { continue };
            let Some(client) = AnyClient::new(*mechanism, &credentials) else { continue };
            count += 1;
            let done = free(|| authenticate(*mechanism, client, server));
            assert_eq!(done, Some(true), "{mechanism:?}");
        }
    }
    assert_eq!(count, 6);
}

/// Whether both sides are agreed that the client is who it says.
fn authenticate(
    mechanism: SaslMechanism,
    client: AnyClient<'_>,
    server: AnyServer,
) -> Option<bool> {
    let (mut line, mut room) = ([0; 512], [0; 2048]);
    let (mut message, mut buffer) = ([0; 256], [0; 1024]);
    let mechanisms = Mechanisms::NONE.with(mechanism);
    let mut machine = Server::new(ServerConfig {
        offered: Capabilities::NONE.with_mechanisms(mechanisms),
        implicit_tls: true,
        ..ServerConfig::DEFAULT
    });
    machine.reply(&machine.standard_reply("mx.example"), &mut room).ok()?;
    machine.receive(b"EHLO client.example\r\n");
    machine.reply(&machine.standard_reply("mx.example"), &mut room).ok()?;
    let (mut client, mut server) = (ClientExchange::new(client), ServerExchange::new(server));
    let mut length = client.start(&mut message).ok()?.encode(&mut line).ok()?;
    loop {
        let mut step = match machine.receive(&line[..length]).event {
            Event::Command(Command::Auth { initial_response, .. }) => {
                server.start(initial_response.as_ref(), &mut buffer)
            }
            Event::AuthResponse(response) => server.receive(&response, &mut buffer),
            _ => return None,
        };
        let written = loop {
            step = match step {
                ServerStep::Verify(_) => server.accept_authorization(&mut buffer),
                ServerStep::Secret(_) => server.secret(None, &mut buffer),
                ServerStep::Challenge(data) => break machine.challenge(&data, &mut room).ok()?,
                ServerStep::Reply(reply) => break machine.reply(&reply, &mut room).ok()?,
            };
        };
        let parsed = Reply::parse(&room[..written], &Policy::STRICT);
        let Ok(Parsed::Complete { value, .. }) = parsed else { return None };
        match client.receive(&value, &mut message) {
            ClientStep::Respond(response) => length = response.encode(&mut line).ok()?,
            ClientStep::Done(result) => return Some(result.is_ok() && machine.is_authenticated()),
        }
    }
}

fn transcripts() -> impl Iterator<Item = Transcript> {
    transcript::all().map(|(_, transcript)| transcript)
}
