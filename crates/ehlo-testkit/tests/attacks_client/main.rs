//! Attacks on clients, by the numbers of `docs/security.md`, as far as the machine alone shows them.

mod auth;
mod injection;
mod replies;
mod sending;
mod tls;

use ehlo::client::Event;
use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Command, ForwardPath, ReversePath, SendError};
use ehlo_testkit::split::{cuts, pieces};

const PLAIN: &str = "250 mx.example\r\n";
const PIPELINING: &str = "250-mx.example\r\n250 PIPELINING\r\n";

/// A client that has said EHLO, and heard `reply`.
fn after(config: ClientConfig, reply: &str) -> Client {
    let mut client = Client::new(config);
    hear(&mut client, "220 mx.example\r\n");
    assert_eq!(send(&mut client, &ehlo()), Ok("EHLO client.example\r\n".into()));
    hear(&mut client, reply);
    assert_eq!(client.state(), State::Ready);
    client
}

/// Receives a reply that was awaited.
fn hear(client: &mut Client, reply: &str) {
    let received = client.receive(reply.as_bytes());
    assert!(matches!(received.event, Event::Reply { .. }), "{:?}", received.event);
    assert_eq!(received.consumed, reply.len());
}

fn send(client: &mut Client, command: &Command<'_>) -> Result<String, SendError> {
    let mut out = [0; 16_384];
    let written = client.send(command, &mut out)?;
    Ok(String::from_utf8(out[..written].to_vec()).expect("UTF-8"))
}

/// What the client reports of `bytes`, in words; the same however they are cut. Then there is no
/// more, if `end` says so.
fn events(client: &Client, bytes: &[u8], end: bool) -> (Vec<String>, Client) {
    let run = |cuts: &[usize]| {
        let mut client = client.clone();
        let mut unread = Vec::new();
        let mut events = Vec::new();
        let mut take = |client: &mut Client, unread: &mut Vec<u8>| {
            loop {
                let received = client.receive(unread);
                let at_end =
                    matches!(received.event, Event::NeedInput | Event::Closed | Event::StartTls);
                // Once it is over it is over again and again.
                let event = format!("{:?}", received.event);
                if received.event != Event::NeedInput && events.last() != Some(&event) {
                    events.push(event);
                }
                unread.drain(..received.consumed);
                if at_end {
                    return;
                }
            }
        };
        for piece in pieces(bytes, cuts) {
            unread.extend_from_slice(piece);
            take(&mut client, &mut unread);
        }
        if end {
            client.end_of_input();
            take(&mut client, &mut unread);
        }
        (events, client)
    };
    let (whole, after) = run(&[]);
    for cut in cuts(bytes.len()) {
        assert_eq!(run(&cut).0, whole, "{cut:?} of {:?}", bytes.escape_ascii().to_string());
    }
    (whole, after)
}

fn ehlo() -> Command<'static> {
    Command::Ehlo(ClientName::new("client.example").expect("a name"))
}

fn mail() -> Command<'static> {
    let reverse_path = ReversePath::new("a@b.example").expect("a path");
    Command::Mail { reverse_path, parameters: Parameters::NONE }
}

fn rcpt() -> Command<'static> {
    let forward_path = ForwardPath::new("c@d.example").expect("a path");
    Command::Rcpt { forward_path, parameters: Parameters::NONE }
}
