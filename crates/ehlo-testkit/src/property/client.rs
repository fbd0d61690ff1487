//! The client machine against any server.

use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::{ClientConfig, Command, SendError};

use super::operation::{Sender, client_config};
use super::{choices, pieces};

/// Any bytes of a server against a scripted client: the events, and the output after each of them,
/// are the same however the bytes are cut; replies are matched in order; each command has its reply
/// or is reported as unanswered; after the end nothing more is sent.
pub fn client(input: &[u8]) {
    let ([flags, count, cuts @ ..], rest) = choices::<5>(input);
    let (script, bytes) = rest.split_at(usize::from(count & 63).min(rest.len()));
    let config = client_config(flags);
    let whole = run(config, script, &[bytes]);
    assert_eq!(run(config, script, &pieces(bytes, cuts)), whole, "{cuts:?}");
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(config, script, &single), whole, "byte by byte");
    // A client that says nothing hears the same whatever comes together.
    let silent = hear(config, &[], &[bytes]);
    assert_eq!(hear(config, &[], &pieces(bytes, cuts)), silent, "silent, {cuts:?}");
    assert_eq!(hear(config, &[], &single), silent, "silent, byte by byte");
}

fn run(config: ClientConfig, script: &[u8], input: &[&[u8]]) -> Vec<String> {
    // A line at a time: what comes together with the reply that it follows was said too early.
    let lines = input.iter().flat_map(|piece| piece.split_inclusive(|byte| *byte == b'\n'));
    hear(config, script, &lines.collect::<Vec<_>>())
}

fn hear(config: ClientConfig, script: &[u8], input: &[&[u8]]) -> Vec<String> {
    let mut sender = Sender::new(config, script);
    let mut unread = Vec::new();
    for piece in input {
        unread.extend_from_slice(piece);
        take(&mut sender, &mut unread);
        while sender.client.state() == State::Tls {
            sender.handshake();
            sender.go();
            take(&mut sender, &mut unread);
        }
    }
    sender.client.end_of_input();
    take(&mut sender, &mut unread);
    assert!(sender.client.is_at_end());
    let refused = sender.client.send(&Command::Quit, &mut [0; 16]);
    assert!(refused.is_err(), "a command after the end");
    if sender.client.state() == State::Closed {
        assert_eq!(refused, Err(SendError::Closed));
        assert_eq!(sender.client.awaits(), None);
    }
    sender.trace
}

fn take(sender: &mut Sender<'_>, unread: &mut Vec<u8>) {
    for _ in 0..unread.len() + 1000 {
        if !sender.take(unread) {
            return;
        }
        sender.go();
    }
    panic!("the client does not come to an end: {:?}", sender.client);
}
