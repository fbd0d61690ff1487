//! A client and a server against each other.

use ehlo::data::Newlines;
use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::{ClientConfig, Policy, ServerConfig};

use super::choices;
use super::operation::{Sender, client_config};
use super::server::{Host, config};

/// A scripted client against a scripted server, over two pipes that move a fixed number of bytes at
/// a time: neither waits for ever, and in the end both agree about the state, the offers, the
/// recipients and the messages.
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
    host.take(&mut to_server);
    for _ in 0..100_000 {
        let moved = pass(&mut sender.sent, &mut to_server, up);
        host.take(&mut to_server);
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
            host.take(&mut to_server);
        }
        _ => {}
    }
    if sender.has_given_up {
        while sender.take(&mut to_client) {}
        to_client.clear();
        host.sent.clear();
    }
    agree(&sender, &host, &[&to_server, &to_client, &host.sent]);
    for (received, sent) in host.messages.iter().zip(&sender.messages) {
        assert!(received.as_ref().is_none_or(|message| message == sent));
    }
    let closed = host.server.state() == State::Closed;
    assert!(closed || host.messages.len() == sender.messages.len());
}

fn agree(sender: &Sender<'_>, host: &Host, left: &[&Vec<u8>]) {
    let (client, server) = (&sender.client, &host.server);
    let same = |what: &str, is: bool| {
        assert!(is, "{what}: {client:?}\n{server:?}\n{:#?}\n{:#?}", sender.trace, host.steps);
    };
    same("bytes left", left.iter().all(|bytes| bytes.is_empty()));
    same("in flight", client.awaits().is_none());
    same("state", client.state() == server.state());
    if client.state() == State::Closed {
        return;
    }
    same("TLS", client.is_tls() == server.is_tls());
    same("authentication", client.is_authenticated() == server.is_authenticated());
    same("EHLO", client.is_extended() == server.is_extended());
    let offered = if server.is_extended() { server.offered() } else { Capabilities::NONE };
    same("extensions", *client.capabilities() == offered);
    // A failed chunk is the end of its recipients, at the server at once.
    if server.state().is_transaction() && server.state() != State::Failed {
        same("recipients", client.accepted() == u32::from(server.recipients()));
    }
}

/// Moves so many bytes, or all for 0; whether there were any.
fn pass(from: &mut Vec<u8>, to: &mut Vec<u8>, size: u8) -> bool {
    let most = if size == 0 { usize::MAX } else { usize::from(size) };
    let bytes = most.min(from.len());
    to.extend(from.drain(..bytes));
    bytes > 0
}
