//! What a server said before it closed counts, though writing to it failed first.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use ehlo::client::Event;
use ehlo::delivery::{ChunkingPolicy, Fate, Outcome};
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::{
    Client, ClientConfig, Command, Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName,
    ReversePath,
};
use ehlo_blocking::Tls;
use ehlo_io::{MessageQueue, SessionEnd};

use crate::carry::{Adapter, Blocks, Wire};
use crate::conformance::{Layer, patient};
use crate::tls;
use crate::wires::sockets;

/// More than a socket holds.
const CONTENT: usize = 4 << 20;

/// A server that takes the beginning of a message, says 552, and is gone `after` a while: what is
/// still on its way to it makes a reset. Chunking is offered where `offers` says so.
fn refuses(stream: TcpStream, layer: Layer, offers: &'static str, after: Duration) {
    ehlo_blocking::configure_tcp(&stream).expect("a socket");
    let mut stream = match layer {
        Layer::Clear => Blocks(Box::new(stream)),
        Layer::Tls => Blocks(Box::new(Tls::handshake(stream, tls::server()).expect("a handshake"))),
    };
    let say = |stream: &mut Blocks, reply: &str| {
        stream.write_all(reply.as_bytes()).and_then(|()| stream.flush()).expect("a client");
    };
    say(&mut stream, "220 mx.example ESMTP\r\n");
    let (mut heard, mut lines) = (Vec::new(), 0);
    loop {
        let mut piece = [0; 4096];
        let bytes = patient(|| stream.read(&mut piece)).expect("a client");
        heard.extend_from_slice(&piece[..bytes]);
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = heard.drain(..=end).collect();
            lines += 1;
            match line.get(..4) {
                Some(b"EHLO") => say(&mut stream, offers),
                Some(b"DATA") => say(&mut stream, "354 go on\r\n"),
                Some(b"MAIL" | b"RCPT") => say(&mut stream, "250 ok\r\n"),
                _ => {
                    assert!(lines > 3, "{}", line.escape_ascii());
                    say(&mut stream, "552 5.3.4 message too big\r\n");
                    thread::sleep(after);
                    return;
                }
            }
        }
    }
}

/// By DATA and in chunks, without TLS and inside TLS: each recipient has the server's refusal.
pub fn a_refusal_within_content_counts<A: Adapter>() {
    for layer in [Layer::Clear, Layer::Tls] {
        for (offers, chunking) in [
            ("250 mx.example\r\n", ChunkingPolicy::Never),
            ("250-mx.example\r\n250 CHUNKING\r\n", ChunkingPolicy::Pipelined),
        ] {
            for after in [0, 0, 20] {
                let outcomes = deliver::<A>(layer, offers, chunking, Duration::from_millis(after));
                let (fate, code) = (outcomes[0].fate, outcomes[0].code.map(ehlo::Code::number));
                let what = format!("{offers:?} after {after} ms: {outcomes:?}");
                assert_eq!((fate, code), (Fate::Refused, Some(552)), "{what}");
            }
        }
    }
}

fn deliver<A: Adapter>(
    layer: Layer,
    offers: &'static str,
    chunking: ChunkingPolicy,
    after: Duration,
) -> Vec<Outcome> {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    let content = b"0123456789 0123456789 0123456789\r\n".repeat(CONTENT / 34);
    let (client, server) = sockets();
    let serving = thread::spawn(move || refuses(server, layer, offers, after));
    let adapter = A::default();
    let is_tls = layer == Layer::Tls;
    let config = DeliveryConfig {
        client: ClientConfig { implicit_tls: is_tls, ..ClientConfig::DEFAULT },
        chunking,
        ..DeliveryConfig::DEFAULT
    };
    let delivery = Delivery::new(HeloName::new("client.example").expect("a name"), config);
    let mut connection = adapter.connection(adapter.stream(Wire::Tcp(client)), delivery);
    if is_tls {
        adapter.connect_implicit(&mut connection, tls::client()).expect("a handshake");
    }
    let mut outcomes = Vec::new();
    let messages = MessageQueue::new([(&envelope, &content[..])], |_, all| {
        outcomes.extend(all.iter().map(|recipient| recipient.outcome));
    });
    let ended = adapter.deliver(&mut connection, messages, None);
    // Whatever is said of the connection, it did not end in order.
    assert!(!matches!(ended, Ok(SessionEnd::Done)), "{ended:?}");
    serving.join().expect("a server");
    outcomes
}

/// A client without `Delivery` hears it by `next`, also when it was closing.
pub fn a_client_hears_it_before_the_error<A: Adapter>() {
    // What is small is written, and the server closes all the same.
    for (layer, closes, size) in [
        (Layer::Clear, false, CONTENT),
        (Layer::Clear, true, CONTENT),
        (Layer::Clear, true, 100),
        (Layer::Tls, false, CONTENT),
        (Layer::Tls, true, CONTENT),
        (Layer::Tls, true, 100),
    ] {
        let (client, server) = sockets();
        let ms = Duration::ZERO;
        let serving = thread::spawn(move || refuses(server, layer, "250 mx.example\r\n", ms));
        let adapter = A::default();
        let config = ClientConfig { implicit_tls: layer == Layer::Tls, ..ClientConfig::DEFAULT };
        let stream = adapter.stream(Wire::Tcp(client));
        let mut connection = adapter.connection(stream, Client::new(config));
        if layer == Layer::Tls {
            adapter.connect_implicit(&mut connection, tls::client()).expect("a handshake");
        }
        let parameters = Parameters::NONE;
        let reverse_path = ReversePath::new("a@x.example").expect("a path");
        let forward_path = ForwardPath::new("b@x.example").expect("a path");
        for command in [
            Command::Ehlo(ClientName::new("client.example").expect("a name")),
            Command::Mail { reverse_path, parameters },
            Command::Rcpt { forward_path, parameters },
            Command::Data,
        ] {
            adapter.next(&mut connection, |_| ()).expect("a reply");
            adapter.endpoint(&mut connection).send(&command).expect("a command");
        }
        adapter.next(&mut connection, |_| ()).expect("a reply");
        let content = b"0123456789 0123456789 0123456789\r\n".repeat(size / 34);
        let mut sender = adapter.endpoint(&mut connection).responder();
        sender.mail_data(&content).expect("content");
        sender.end_mail_data().expect("content");
        if closes {
            // Whether all was written depends on how much a socket holds.
            let closed = adapter.close(&mut connection);
            assert!(size == CONTENT || closed.is_ok(), "{closed:?}");
        }
        let code = adapter.next(&mut connection, |next| match next.event {
            Event::Reply { reply, .. } | Event::Unsolicited(reply) => reply.code().number(),
            event => panic!("{event:?}"),
        });
        assert_eq!(code.expect("a reply"), 552, "{closes}, {size}");
        serving.join().expect("a server");
        // And then the error, as often as it is asked for.
        for _ in 0..2 {
            let over = adapter.next(&mut connection, |next| matches!(next.event, Event::Closed));
            assert!(over.unwrap_or(true));
        }
    }
}
