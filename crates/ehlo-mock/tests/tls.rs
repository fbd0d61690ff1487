//! TLS: STARTTLS and from the first byte, by clients that trust the server's authority alone.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::net::TcpStream;

use ehlo::delivery::{AuthPolicy, Fate, TlsPolicy};
use ehlo::{ClientConfig, Delivery, DeliveryConfig, HeloName};
use ehlo_blocking::{Connector, TlsConnection, configure_tcp};
use ehlo_io::{MessageQueue, RecipientReport};
use ehlo_mock::{Action, MockServer, Stage};
use ehlo_owned::EnvelopeBuf;
use ehlo_sasl::Credentials;
use rustls::RootCertStore;

#[test]
fn starttls_and_a_password() {
    let server = MockServer::submission().user("anna", "secret").starttls().start().unwrap();
    let connector = server.connector().unwrap();
    assert_eq!(deliver(&server, STARTTLS, &connector).unwrap(), [Fate::Accepted]);
    let [message] = &server.wait_for(1).unwrap()[..] else { panic!("one was sent") };
    assert!(message.tls);
    assert_eq!(message.user.as_deref(), Some("anna"));
    assert!(server.errors().is_empty(), "{:?}", server.errors());
}

#[test]
fn from_the_first_byte() {
    let server = MockServer::submission().user("anna", "secret").implicit_tls().start().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(server.root_certificate().unwrap()).unwrap();
    let connector = Connector::trusting(roots, "127.0.0.1").unwrap();
    let client = ClientConfig { implicit_tls: true, ..ClientConfig::DEFAULT };
    let config = DeliveryConfig { client, ..STARTTLS };
    assert_eq!(deliver(&server, config, &connector).unwrap(), [Fate::Accepted]);
    assert!(server.messages()[0].tls);
    assert!(server.root_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[test]
fn another_authority_is_not_trusted() {
    let server = MockServer::submission().user("anna", "secret").starttls().start().unwrap();
    let other = MockServer::smtp().starttls().start().unwrap();
    let fates = deliver(&server, STARTTLS, &other.connector().unwrap()).unwrap();
    assert!(fates.is_empty());
    assert!(server.messages().is_empty());
    drop(server);
}

#[test]
fn starttls_is_refused_or_breaks() {
    for action in [Action::reply("454 4.7.0 no TLS today"), Action::disconnect()] {
        let server = MockServer::submission()
            .user("anna", "secret")
            .starttls()
            .at(Stage::StartTls, action)
            .start()
            .unwrap();
        let fates = deliver(&server, STARTTLS, &server.connector().unwrap()).unwrap();
        assert!(fates.is_empty() && server.messages().is_empty());
    }
}

#[test]
fn without_tls_there_is_no_certificate() {
    let server = MockServer::smtp().start().unwrap();
    assert!(server.root_certificate().is_none() && server.connector().is_none());
    let mock = MockServer::smtp().starttls().in_memory().unwrap();
    let mut stream = mock.connect();
    std::io::Write::write_all(&mut stream, b"EHLO a.example\r\nSTARTTLS\r\nQUIT\r\n").unwrap();
    let said = std::io::read_to_string(stream).unwrap();
    assert!(!said.contains("STARTTLS") && said.contains("\r\n502 "), "{said}");
}

#[tokio::test]
async fn a_client_on_tokio() {
    let server = MockServer::smtp().starttls().start().unwrap();
    let envelope = EnvelopeBuf::new("<>".parse().unwrap(), ["a@b.example".parse().unwrap()]);
    let lent = envelope.as_envelope();
    let queue = MessageQueue::new([(&lent, &b"\r\nb\r\n"[..])], |_, _: &[RecipientReport]| {});
    let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let config = DeliveryConfig { tls: TlsPolicy::Require, ..DeliveryConfig::DEFAULT };
    let delivery = Delivery::new(HeloName::new("client.example").unwrap(), config);
    let mut connection =
        ehlo_tokio::TlsConnection::new(stream.into(), delivery, tokio::time::sleep);
    let connector = server.connector().unwrap();
    connection.deliver_tls(queue, &connector).await.unwrap().into_result().unwrap();
    assert!(server.received(1).await[0].tls);
}

const STARTTLS: DeliveryConfig = DeliveryConfig {
    tls: TlsPolicy::Require,
    auth: AuthPolicy::Require,
    ..DeliveryConfig::DEFAULT
};

fn deliver(
    server: &MockServer,
    config: DeliveryConfig,
    connector: &Connector,
) -> std::io::Result<Vec<Fate>> {
    let stream = TcpStream::connect(server.address())?;
    configure_tcp(&stream)?;
    let envelope = EnvelopeBuf::new("<>".parse().unwrap(), ["a@b.example".parse().unwrap()]);
    let lent = envelope.as_envelope();
    let mut fates = Vec::new();
    let queue =
        MessageQueue::new([(&lent, &b"\r\nb\r\n"[..])], |_, outcomes: &[RecipientReport]| {
            fates.extend(outcomes.iter().map(|outcome| outcome.fate));
        });
    let queue = queue.authenticate(Credentials::password("anna", "secret").unwrap());
    let delivery = Delivery::new(HeloName::new("client.example").unwrap(), config);
    let mut connection = TlsConnection::new(stream.into(), delivery);
    if config.client.implicit_tls {
        connection.implicit_tls(connector)?;
    }
    let _unsent = connection.deliver_tls(queue, connector)?;
    Ok(fates)
}
