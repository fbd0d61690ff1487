//! A client on tokio, on one thread, with the server beside it.
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::time::Duration;

use ehlo::delivery::Fate;
use ehlo::{Delivery, DeliveryConfig, HeloName};
use ehlo_io::{MessageQueue, RecipientReport};
use ehlo_mock::{Action, MockServer, Stage};
use ehlo_owned::EnvelopeBuf;
use ehlo_tokio::Connection;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn messages_are_awaited() {
    let server = MockServer::smtp()
        .at(Stage::EndOfData, Action::delay(Duration::from_millis(30)))
        .start()
        .unwrap();
    let address = server.address();
    let sending = tokio::spawn(async move {
        for number in 0..3 {
            let to = [format!("jones{number}@example.org").parse().unwrap()];
            let envelope = EnvelopeBuf::new("smith@example.com".parse().unwrap(), to);
            assert_eq!(send(address, &envelope).await, Fate::Accepted);
        }
    });
    let received = timeout(Duration::from_secs(60), server.received(3)).await.unwrap();
    sending.await.unwrap();
    let to: Vec<_> = received.iter().flat_map(ehlo_mock::Message::to).collect();
    assert_eq!(to, ["jones0@example.org", "jones1@example.org", "jones2@example.org"]);
    assert_eq!(server.received(3).await.len(), 3);
}

#[tokio::test]
async fn ten_clients_at_once() {
    let server = MockServer::smtp().start().unwrap();
    let address = server.address();
    let clients = (0..10).map(|number| {
        tokio::spawn(async move {
            let to = [format!("jones{number}@example.org").parse().unwrap()];
            send(address, &EnvelopeBuf::new("<>".parse().unwrap(), to)).await
        })
    });
    for client in clients.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap(), Fate::Accepted);
    }
    let mut to: Vec<_> = server.messages().iter().flat_map(ehlo_mock::Message::to).collect();
    to.sort();
    assert_eq!(to, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|it| format!("jones{it}@example.org")));
}

/// Sends one message to one recipient.
async fn send(server: std::net::SocketAddr, envelope: &EnvelopeBuf) -> Fate {
    let lent = envelope.as_envelope();
    let mut fate = Fate::Pending;
    let content = &b"Subject: a\r\n\r\nb\r\n"[..];
    let queue = MessageQueue::new([(&lent, content)], |_, outcomes: &[RecipientReport]| {
        fate = outcomes[0].fate;
    });
    let name = HeloName::new("client.example").unwrap();
    let stream = TcpStream::connect(server).await.unwrap();
    let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
    let end = Connection::new(stream, delivery, sleep).deliver(queue).await.unwrap();
    end.into_result().unwrap();
    fate
}
