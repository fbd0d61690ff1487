//! What a client on blocking streams meets: every role, every rule, in memory and on a port.
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ehlo::delivery::{AuthPolicy, Fate};
use ehlo::{ClientConfig, Code, Delivery, DeliveryConfig, HeloName};
use ehlo_blocking::{Connection, configure_tcp};
use ehlo_io::{MessageQueue, RecipientReport, SessionEnd};
use ehlo_mock::{Action, Mock, MockServer, Stage};
use ehlo_owned::EnvelopeBuf;
use ehlo_sasl::Credentials;

const CONTENT: &str = "Subject: lunch\r\nTo: a,\r\n b\r\n\r\nAt noon?\r\n.\r\n..\r\n";

#[test]
fn a_message_with_all_that_came_with_it() {
    let server = MockServer::smtp().start().unwrap();
    let mut envelope = envelope(&["jones@example.org", "<green@example.org> NOTIFY=NEVER"]);
    envelope.parameters = "RET=HDRS ENVID=QQ1".parse().unwrap();
    envelope.size = Some(CONTENT.len() as u64);
    let outcomes = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fate == Fate::Accepted), "{outcomes:?}");

    let [message] = &server.wait_for(1).unwrap()[..] else { panic!("one was sent") };
    assert_eq!(message.from(), "smith@example.com");
    assert_eq!(message.to(), ["jones@example.org", "green@example.org"]);
    assert_eq!(message.recipients[1].parameters.as_str(), "NOTIFY=NEVER");
    let parameters = message.parameters.as_parameters();
    assert_eq!(parameters.size(), Some(CONTENT.len() as u64));
    assert!(message.parameters.as_str().ends_with("RET=HDRS ENVID=QQ1"));
    assert_eq!(message.text(), CONTENT);
    assert_eq!(message.header("to").as_deref(), Some("a, b"));
    assert_eq!(message.header("from"), None);
    assert_eq!(message.body(), "At noon?\r\n.\r\n..\r\n");
    assert_eq!((message.client.as_str(), message.user.as_deref()), ("client.example", None));
    assert!(!message.tls && server.errors().is_empty());
    assert_eq!(server.take_messages().len(), 1);
    assert!(server.messages().is_empty());
}

#[test]
fn recipients_are_refused_and_deferred() {
    let server = MockServer::smtp()
        .refuse("nobody@example.org")
        .defer("busy@example.org")
        .to("jones@example.org", Action::reply("450 4.7.1 greylisted"))
        .times(1)
        .start()
        .unwrap();
    let envelope = envelope(&[
        "jones@example.org",
        "nobody@EXAMPLE.org",
        "busy@example.org",
        "green@example.org",
    ]);
    let fates =
        |outcomes: Vec<RecipientReport>| outcomes.iter().map(|it| it.fate).collect::<Vec<_>>();
    let (deferred, refused, accepted) = (Fate::Deferred, Fate::Refused, Fate::Accepted);
    let first = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert_eq!(fates(first), [deferred, refused, deferred, accepted]);
    let second = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert_eq!(fates(second), [accepted, refused, deferred, accepted]);
    let to: Vec<_> = server.wait_for(2).unwrap().iter().map(ehlo_mock::Message::to).collect();
    assert_eq!(to, [vec!["green@example.org"], vec!["jones@example.org", "green@example.org"]]);
}

#[test]
fn every_stage_may_refuse() {
    for stage in ALL {
        let server = MockServer::smtp()
            .user("anna", "secret")
            .at(stage, Action::reply("454 4.3.0 not today"))
            .start()
            .unwrap();
        let outcomes = deliver_with_password(&server, "secret").unwrap();
        if stage == Stage::Quit {
            assert_eq!(outcomes[0].fate, Fate::Accepted);
            continue;
        }
        // A session that takes no envelope leaves it to another one.
        let is_of_session = matches!(stage, Stage::Greeting | Stage::Ehlo | Stage::Auth);
        assert_eq!(outcomes.is_empty(), is_of_session, "{stage:?}");
        for outcome in outcomes {
            assert_eq!(outcome.fate, Fate::Deferred, "{stage:?}: {outcome}");
            assert_eq!(outcome.code.map(Code::number), Some(454), "{stage:?}: {outcome}");
        }
        assert!(server.messages().is_empty(), "{stage:?}");
    }
}

#[test]
fn every_stage_may_break_the_connection() {
    for stage in ALL {
        let server = MockServer::smtp()
            .user("anna", "secret")
            .at(stage, Action::disconnect())
            .start()
            .unwrap();
        let outcomes = deliver_with_password(&server, "secret").unwrap();
        let fate = match stage {
            Stage::EndOfData => Fate::Unknown,
            Stage::Quit => Fate::Accepted,
            _ => Fate::Deferred,
        };
        for outcome in outcomes {
            // Behind BDAT the content and its end are on their way.
            let is_right =
                outcome.fate == fate || (stage == Stage::Data && outcome.fate == Fate::Unknown);
            assert!(is_right, "{stage:?}: {outcome}");
        }
        assert_eq!(server.messages().len(), usize::from(stage == Stage::Quit), "{stage:?}");
    }
}

#[test]
fn a_reply_is_lost_and_the_message_is_not() {
    let lose = MockServer::smtp().at(Stage::EndOfData, Action::lose_reply()).times(1);
    let server = lose.start().unwrap();
    let envelope = envelope(&["jones@example.org"]);
    let first = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert_eq!(first[0].fate, Fate::Unknown);
    assert_eq!(server.wait_for(1).unwrap().len(), 1);
    let second = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert_eq!(second[0].fate, Fate::Accepted);
    assert_eq!(server.wait_for(2).unwrap().len(), 2);
}

#[test]
fn delays_add_up_and_end_with_the_server() {
    let delay = Duration::from_millis(60);
    let slow = MockServer::smtp()
        .at(Stage::Rcpt, Action::delay(delay))
        .to("jones@example.org", Action::delay(delay));
    let server = slow.start().unwrap();
    let begun = Instant::now();
    let envelope = envelope(&["jones@example.org"]);
    deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert!(begun.elapsed() >= 2 * delay);

    let hour = Duration::from_secs(3600);
    let server = MockServer::smtp().at(Stage::Greeting, Action::delay(hour)).start().unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < Duration::from_secs(60));
    // Nothing comes, or a reset.
    assert!(!matches!(stream.read(&mut [0; 64]), Ok(1..)));
}

#[test]
fn a_server_that_is_dropped_closes_what_is_open() {
    let server = MockServer::smtp().start().unwrap();
    let address = server.address();
    let mut streams: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &streams {
        let mut greeting = String::new();
        BufReader::new(stream).read_line(&mut greeting).unwrap();
        assert!(greeting.starts_with("220 "));
    }
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < Duration::from_secs(60));
    for stream in &mut streams {
        assert!(!matches!(stream.read(&mut [0; 64]), Ok(1..)));
    }
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn passwords_and_tokens() {
    let server = MockServer::submission()
        .user("anna", "secret")
        .token("boris@example.org", "ya29.token")
        .start()
        .unwrap();
    let right = deliver_with_password(&server, "secret").unwrap();
    assert_eq!(right[0].fate, Fate::Accepted);
    let wrong = deliver_with_password(&server, "Secret").unwrap();
    assert!(wrong.is_empty(), "the session takes no envelope");

    let envelope = envelope(&["jones@example.org"]);
    let token = Credentials::token("boris@example.org", "ya29.token").unwrap();
    let by_token = deliver(&server, REQUIRE, &envelope, Some(token)).unwrap();
    assert_eq!(by_token[0].fate, Fate::Accepted);
    let token = Credentials::token("boris@example.org", "ya29.other").unwrap();
    let by_token = deliver(&server, REQUIRE, &envelope, Some(token)).unwrap();
    assert!(by_token.is_empty(), "the session takes no envelope");
    let refused = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
    assert_eq!(refused[0].code.map(Code::number), Some(530));

    let users: Vec<_> = server.messages().into_iter().map(|message| message.user).collect();
    assert_eq!(users, ["anna", "boris@example.org"].map(|user| Some(user.to_owned())));
    let told = format!("{server:?} {:?}", server.errors());
    assert!(!told.contains("secret") && !told.contains("ya29"), "{told}");
    assert!(server.errors().iter().any(|error| error.starts_with("MAIL: ")), "{told}");
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let server = MockServer::lmtp()
        .message_to("full@example.org", Action::reply("452 4.2.2 mailbox full"))
        .message_to("gone@example.org", Action::reply("550 5.1.1 gone"))
        .start()
        .unwrap();
    let envelope = envelope(&["jones@example.org", "full@example.org", "gone@example.org"]);
    let config = DeliveryConfig { lmtp: true, ..DeliveryConfig::DEFAULT };
    let outcomes = deliver(&server, config, &envelope, None).unwrap();
    let fates: Vec<_> = outcomes.iter().map(|outcome| outcome.fate).collect();
    assert_eq!(fates, [Fate::Accepted, Fate::Deferred, Fate::Refused]);
    assert_eq!(server.wait_for(1).unwrap()[0].to(), ["jones@example.org"]);

    // The second reply is lost: both are kept, and the third is not answered.
    let server = MockServer::lmtp().message_to("full@example.org", Action::lose_reply());
    let server = server.start().unwrap();
    let outcomes = deliver(&server, config, &envelope, None).unwrap();
    let fates: Vec<_> = outcomes.iter().map(|outcome| outcome.fate).collect();
    assert_eq!(fates, [Fate::Accepted, Fate::Unknown, Fate::Unknown]);
    let kept = server.wait_for(1).unwrap();
    assert_eq!(kept[0].to(), ["jones@example.org", "full@example.org"]);
}

#[test]
fn content_in_chunks_and_by_data() {
    for chunks in [true, false] {
        let server = MockServer::smtp().configure(|config| {
            if !chunks {
                config.offered = config.offered.without(ehlo::Extension::Chunking);
            }
        });
        let server = server.at(Stage::Data, Action::reply("451 4.3.0 no disk")).times(1);
        let server = server.start().unwrap();
        let envelope = envelope(&["jones@example.org"]);
        let first = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
        assert_eq!((first[0].fate, first[0].code.map(Code::number)), (Fate::Deferred, Some(451)));
        let second = deliver(&server, DeliveryConfig::DEFAULT, &envelope, None).unwrap();
        assert_eq!(second[0].fate, Fate::Accepted);
        assert_eq!(server.wait_for(1).unwrap()[0].text(), CONTENT);
    }
}

#[test]
fn in_memory_without_a_port() {
    let mock = MockServer::smtp().refuse("nobody@example.org").in_memory().unwrap();
    let envelope = envelope(&["nobody@example.org", "jones@example.org"]);
    let outcomes = deliver_on(mock.connect(), DeliveryConfig::DEFAULT, &envelope, None).1;
    let fates: Vec<_> = outcomes.iter().map(|outcome| outcome.fate).collect();
    assert_eq!(fates, [Fate::Refused, Fate::Accepted]);
    assert_eq!(mock.messages()[0].to(), ["jones@example.org"]);

    let broken = MockServer::smtp().at(Stage::Mail, Action::disconnect()).in_memory().unwrap();
    let mut stream = broken.connect();
    stream.write_all(b"EHLO a.example\r\nMAIL FROM:<>\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("250 DSN\r\n") || said.contains("250-DSN\r\n"), "{said}");
    assert!(stream.write(b"QUIT\r\n").is_err());
}

#[test]
fn what_another_server_would_refuse_is_told() {
    let mock = MockServer::smtp().in_memory().unwrap();
    let mut stream = mock.connect();
    stream
        .write_all(b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:jones\r\nDATA\r\nbare\nLF\r\n.\r\nQUIT\r\n")
        .unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert!(mock.messages().is_empty());
    let errors = mock.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("RCPT: ") && errors[1].starts_with("end of mail data: "));
}

/// Credentials go without TLS, to this host.
const REQUIRE: DeliveryConfig = DeliveryConfig {
    auth: AuthPolicy::Require,
    client: ClientConfig { plaintext_auth: true, ..ClientConfig::DEFAULT },
    ..DeliveryConfig::DEFAULT
};

#[test]
fn a_refused_ehlo_changes_nothing() {
    let mock = MockServer::smtp()
        .at(Stage::Ehlo, Action::reply("250 mock.example"))
        .times(1)
        .at(Stage::Ehlo, Action::reply("451 4.3.0 busy"))
        .times(1)
        .in_memory()
        .unwrap();
    let mut stream = mock.connect();
    stream.write_all(b"HELO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n").unwrap();
    stream.write_all(b"HELO b.example\r\nDATA\r\n\r\n.\r\nQUIT\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(mock.messages()[0].client, "a.example");
}

#[test]
fn on_every_address() {
    let server = MockServer::smtp().start_on(([0, 0, 0, 0], 0).into()).unwrap();
    let port = server.address().port();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// Stages of a session with AUTH.
const ALL: [Stage; 8] = [
    Stage::Greeting,
    Stage::Ehlo,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::EndOfData,
    Stage::Quit,
];

fn envelope(to: &[&str]) -> EnvelopeBuf {
    let to = to.iter().map(|address| address.parse().unwrap());
    EnvelopeBuf::new("smith@example.com".parse().unwrap(), to)
}

fn deliver_with_password(
    server: &MockServer,
    password: &str,
) -> std::io::Result<Vec<RecipientReport>> {
    let credentials = Credentials::password("anna", password).unwrap();
    deliver(server, REQUIRE, &envelope(&["jones@example.org"]), Some(credentials))
}

fn deliver(
    server: &MockServer,
    config: DeliveryConfig,
    envelope: &EnvelopeBuf,
    credentials: Option<Credentials<'_>>,
) -> std::io::Result<Vec<RecipientReport>> {
    let stream = TcpStream::connect(server.address())?;
    configure_tcp(&stream)?;
    let (_, outcomes) = deliver_on(stream, config, envelope, credentials);
    Ok(outcomes)
}

/// How the session ended, and the outcomes.
fn deliver_on<S: Read + Write>(
    stream: S,
    config: DeliveryConfig,
    envelope: &EnvelopeBuf,
    credentials: Option<Credentials<'_>>,
) -> (std::io::Result<SessionEnd>, Vec<RecipientReport>) {
    let lent = envelope.as_envelope();
    let mut found = Vec::new();
    let mut messages =
        MessageQueue::new([(&lent, CONTENT.as_bytes())], |_, outcomes: &[RecipientReport]| {
            found = outcomes.to_vec();
        });
    if let Some(credentials) = credentials {
        messages = messages.authenticate(credentials);
    }
    let delivery = Delivery::new(HeloName::new("client.example").unwrap(), config);
    let end = Connection::new(stream, delivery).deliver(messages);
    (end, found)
}

/// A mock is shared by threads.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Mock>();
    is_shared::<MockServer>();
};
