//! A transcript through both machines against each other.

use ehlo::Client;
use ehlo_io::Buffered;

use super::client::Sender;
use super::format::{Item, Transcript};
use super::server::Responder;

pub(super) fn check(transcript: &Transcript) -> Result<(), String> {
    for size in [1, 2, 7, usize::MAX] {
        run(transcript, size).map_err(|why| format!("pieces of {size}: {why}"))?;
    }
    Ok(())
}

fn run(transcript: &Transcript, size: usize) -> Result<(), String> {
    let (mut sender, mut client) = (Sender::new(transcript), transcript.client());
    let mut server = Responder::new(transcript);
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    server.take(&mut to_server)?;
    for item in &transcript.items {
        match item {
            Item::Tls => {
                client.tls_established().map_err(|error| error.to_string())?;
                server.tls()?;
            }
            Item::Server(_) => {
                while !sender.take(client.machine_mut(), &mut to_client)? {
                    if pass(&mut server.sent, &mut to_client, size) {
                        continue;
                    }
                    if !send(&mut client, &mut to_server, size) {
                        return Err(format!("both wait for the other before {item:?}"));
                    }
                    server.take(&mut to_server)?;
                }
            }
            _ => {}
        }
        sender.step(item, &mut client)?;
    }
    while send(&mut client, &mut to_server, size) {
        server.take(&mut to_server)?;
    }
    server.finish(&to_server, b"")
}

/// Moves `size` bytes of the outbox at most; whether there were any.
fn send(from: &mut Buffered<Client>, to: &mut Vec<u8>, size: usize) -> bool {
    let bytes = size.min(from.output().len());
    to.extend(&from.output()[..bytes]);
    from.advance_write(bytes);
    bytes > 0
}

/// Moves `size` bytes at most; whether there were any.
fn pass(from: &mut Vec<u8>, to: &mut Vec<u8>, size: usize) -> bool {
    let bytes = size.min(from.len());
    to.extend(from.drain(..bytes));
    bytes > 0
}
