//! What the fuzz targets found, where no other test shows it.

use ehlo::client::Event;
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Command, ForwardPath, ReversePath};

/// The answers of a server to what a client sends in one piece.
fn pipelined(commands: &[Command<'_>], replies: &[&str]) -> Client {
    let mut client = Client::new(ClientConfig::DEFAULT);
    let mut out = [0; 512];
    client.receive(b"220 mx\r\n");
    let name = ClientName::new("client.example").expect("a name");
    client.send(&Command::Ehlo(name), &mut out).expect("EHLO");
    client.receive(b"250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n");
    for command in commands {
        client.send(command, &mut out).expect("a command");
    }
    for reply in replies {
        let received = client.receive(reply.as_bytes());
        assert!(matches!(received.event, Event::Reply { .. }), "{:?}", received.event);
    }
    client
}

fn mail() -> Command<'static> {
    let reverse_path = ReversePath::new("a@b.example").expect("a path");
    Command::Mail { reverse_path, parameters: Parameters::NONE }
}

fn rcpt() -> Command<'static> {
    let forward_path = ForwardPath::new("c@d.example").expect("a path");
    Command::Rcpt { forward_path, parameters: Parameters::NONE }
}

/// RFC 5321 §3.8: 421 closes, also where MAIL was refused before it.
#[test]
fn a_421_to_the_last_chunk_closes() {
    let commands = [mail(), rcpt(), Command::Bdat { size: 0, last: true }, mail()];
    let replies = ["550 no\r\n", "503 no\r\n", "421 closing\r\n"];
    let mut client = pipelined(&commands, &replies);
    assert_eq!(client.state(), State::Closed);
    assert_eq!(client.receive(b"").event, Event::Unanswered { to: Verb::Mail });
    assert_eq!(client.receive(b"").event, Event::Closed);
}

/// A chunk that follows a refused MAIL is refused, and there is nothing to reset.
#[test]
fn a_chunk_outside_a_transaction_fails_none() {
    let commands = [mail(), rcpt(), Command::Bdat { size: 0, last: false }];
    let mut client = pipelined(&commands, &["550 no\r\n", "503 no\r\n", "503 no\r\n"]);
    assert_eq!(client.state(), State::Ready);
    client.send(&mail(), &mut [0; 64]).expect("the next message");
}

/// MAIL that is refused within a transaction leaves its recipients.
#[test]
fn a_nested_mail_keeps_the_recipients() {
    let commands = [mail(), rcpt(), Command::Rset, mail(), rcpt()];
    let replies = ["250 ok\r\n", "250 ok\r\n", "451 not now\r\n", "503 nested\r\n"];
    let mut client = pipelined(&commands, &replies);
    assert_eq!((client.state(), client.accepted()), (State::Rcpt, 1));
    client.receive(b"250 ok\r\n");
    assert_eq!(client.accepted(), 2);
    // Outside of one it begins none.
    let client = pipelined(&[mail(), rcpt()], &["550 no\r\n"]);
    assert_eq!((client.state(), client.accepted()), (State::Ready, 0));
}
