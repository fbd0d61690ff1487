//! A client and a server against each other.

use ehlo::{ClientConfig, Machine, Newlines, Policy, Server, ServerConfig, State};

use super::choices;
use super::operation::{Sender, client_config};
use super::server::{Host, config};

/// A client that does what a script says against a server that answers by another, over two pipes
/// that move so many octets at a time: neither waits for ever, and in the end both agree about
/// where the session stands, what it offers, who gets the message, and what the messages were.
pub fn session(input: &[u8]) {
    let ([flags, offers, answers, client, up, down], script) = choices::<6>(input);
    let config = ServerConfig { newlines: Newlines::Keep, ..config(flags, offers) };
    let client = ClientConfig {
        implicit_tls: config.implicit_tls,
        policy: Policy::STRICT,
        ..client_config(client)
    };
    let mut sender = Sender::new(client, &script[..script.len().min(200)]);
    let mut host = Host::new(config, answers);
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    host.take(&mut to_server, false);
    for _ in 0..100_000 {
        let moved = pass(&mut sender.sent, &mut to_server, up);
        host.take(&mut to_server, false);
        let moved = pass(&mut host.sent, &mut to_client, down) || moved;
        while sender.take(&mut to_client) {
            sender.go();
        }
        if moved {
            continue;
        }
        match (host.server.state(), sender.client.state()) {
            (State::Tls, State::Tls) => {
                assert!(to_server.is_empty() && to_client.is_empty());
                host.handshake();
                sender.handshake();
                sender.go();
            }
            _ => sender.finish(),
        }
        if sender.sent.is_empty() && host.server.state() != State::Tls {
            break;
        }
    }
    // A peer that is gone leaves the other one alone.
    match (host.server.state(), sender.client.state()) {
        (State::Closed, _) => to_server.clear(),
        (_, State::Closed) => {
            host.server.end_of_input();
            host.take(&mut to_server, false);
        }
        _ => {}
    }
    assert!(to_server.is_empty() && to_client.is_empty() && host.sent.is_empty());
    agree(&sender, &host.server, &config);
    let received = host.messages.iter();
    let mut sent = sender.messages.iter();
    for message in received.filter(|message| !message.is_empty()) {
        // Those that the server refused are not among them; those that came in chunks are.
        let _ = sent.by_ref().find(|sent| *sent == message);
    }
}

fn agree(sender: &Sender<'_>, server: &Server, config: &ServerConfig) {
    let client = &sender.client;
    assert_eq!(client.awaits(), None, "{client:?}\n{server:?}");
    assert_eq!(client.state(), server.state(), "{client:?}\n{server:?}");
    if client.state() == State::Closed {
        return;
    }
    assert_eq!(client.is_tls(), server.is_tls());
    assert_eq!(client.is_authenticated(), server.is_authenticated());
    assert_eq!(client.is_extended(), server.is_extended());
    if server.is_extended() {
        assert_eq!(*client.capabilities(), server.offered(), "{config:?}");
    } else {
        assert!(client.capabilities().is_empty());
    }
    if server.state().is_transaction() {
        assert_eq!(client.accepted(), server.recipients());
    }
}

/// Moves so many octets, or all for 0; whether there were any.
fn pass(from: &mut Vec<u8>, to: &mut Vec<u8>, size: u8) -> bool {
    let most = if size == 0 { usize::MAX } else { usize::from(size) };
    let octets = most.min(from.len());
    to.extend(from.drain(..octets));
    octets > 0
}
