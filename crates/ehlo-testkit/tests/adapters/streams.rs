//! What may happen to a stream: full in both directions, cut off, with bytes where none may be.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::thread;

use ehlo::machine::{Machine, PlaintextInjection, Received, Upgrade, Wants};
use ehlo::server::Event;
use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Command, Extension, Server, ServerConfig};
use ehlo_blocking::{Connector, HalfClose, Tls};
use ehlo_io::PendingEvent;

use crate::carry::{Adapter, BlockingIo};
use crate::conformance::{Layer, patient};
use crate::tls;
use crate::wires::{Kind, wires};

/// A machine that has much to say, and is satisfied when it has heard as much.
struct Talker {
    to_say: usize,
    to_hear: usize,
}

impl Machine for Talker {
    type Event<'i> = bool;

    fn wants(&mut self, input: &[u8]) -> Wants {
        if self.to_hear == 0 {
            return Wants::Event;
        }
        let consumed = input.len().min(self.to_hear);
        self.to_hear -= consumed;
        Wants::Input { consumed }
    }

    fn receive(&mut self, _: &[u8]) -> Received<bool> {
        Received { consumed: 0, event: self.to_hear == 0 }
    }

    fn transmit(&mut self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let bytes = out.len().min(self.to_say);
        self.to_say -= bytes;
        Ok(bytes)
    }

    fn end_of_input(&mut self) {}

    fn is_at_end(&self) -> bool {
        false
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(60)
    }
}

impl Upgrade for Talker {
    fn awaits_tls(&self) -> bool {
        false
    }

    fn tls_established(&mut self, _: &[u8]) -> Result<(), PlaintextInjection> {
        Err(PlaintextInjection)
    }
}

/// Each end writes more than all that is between them holds, before it reads.
pub fn full_pipes_do_not_wait_for_each_other<A: Adapter>(kind: Kind, layer: Layer, bytes: usize) {
    let talk = move |wire, is_server| {
        let adapter = A::default();
        let machine = Talker { to_say: bytes, to_hear: bytes };
        let mut connection = adapter.connection(adapter.stream(wire), machine);
        match layer {
            Layer::Clear => {}
            Layer::Tls if is_server => {
                adapter.accept_implicit(&mut connection, tls::server()).expect("a handshake");
            }
            Layer::Tls => {
                adapter.connect_implicit(&mut connection, tls::client()).expect("a handshake");
            }
        }
        let heard = adapter.next(&mut connection, |turn| turn.event).expect("a stream");
        adapter.flush(&mut connection).expect("a stream");
        heard
    };
    let (one, other) = wires(kind);
    let other = thread::spawn(move || talk(other, true));
    assert!(talk(one, false) && other.join().expect("the other end"));
}

/// A TLS stream that ends without `close_notify` has been cut off, RFC 8446 §6.1: no message is
/// complete by it, and the server hears of it.
pub fn truncated_tls_completes_nothing<A: Adapter>(kind: Kind) {
    let begun = b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n";
    for rest in [&b"DATA\r\nSubject: x\r\n.\r"[..], b"BDAT 9 LAST\r\n12345678", b"BDAT 5\r\n12345"]
    {
        let (client, server) = wires(kind);
        let serving = thread::spawn(move || {
            let adapter = A::default();
            let offered = Capabilities::NONE.with(Extension::Pipelining).with(Extension::Chunking);
            let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
            let mut connection = adapter.connection(adapter.stream(server), Server::new(config));
            adapter.accept_implicit(&mut connection, tls::server()).expect("a handshake");
            loop {
                let next = adapter.next(&mut connection, |PendingEvent { event, responder }| {
                    assert!(!matches!(event, Event::EndOfMailData { .. } | Event::Closed));
                    responder.standard_reply("mx.example").ok();
                });
                if let Err(error) = next {
                    return error;
                }
            }
        });
        let stream = Tls::handshake(BlockingIo.stream(client), tls::client());
        let mut stream = stream.expect("a handshake");
        stream.write_all(begun).and_then(|()| stream.write_all(rest)).expect("room");
        stream.flush().expect("room");
        // The end of the stream below TLS alone.
        stream.stream.half_close().expect("a stream");
        let error = serving.join().expect("a server");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{error}");
    }
}

/// Plaintext behind STARTTLS is neither a command nor part of the handshake, RFC 3207 §4.2.
pub fn nothing_in_clear_survives_starttls<A: Adapter>(kind: Kind) {
    let offered = Capabilities::NONE.with(Extension::StartTls);
    let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
    let (client, server) = wires(kind);
    let serving = thread::spawn(move || {
        let adapter = A::default();
        let mut connection = adapter.connection(adapter.stream(server), Server::new(config));
        loop {
            let begins_tls = adapter.next(&mut connection, |PendingEvent { event, responder }| {
                responder.standard_reply("mx.example").ok();
                event == Event::StartTls
            });
            if begins_tls.expect("a stream") {
                return adapter.accept_tls(&mut connection, tls::server());
            }
        }
    });
    let mut stream = BlockingIo.stream(client);
    stream.write_all(b"EHLO c.example\r\nSTARTTLS\r\nNOOP\r\n").expect("room");
    let error = serving.join().expect("a server").expect_err("NOOP in clear text");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");

    let (client, server) = wires(kind);
    let mut stream = BlockingIo.stream(server);
    stream.write_all(b"220 mx\r\n").expect("room");
    let answered = thread::spawn(move || {
        // A command, then its reply; with the last one a reply to what was not said.
        for reply in [&b"250-mx\r\n250 STARTTLS\r\n"[..], b"220 go\r\n250 injected\r\n"] {
            while !matches!(stream.read(&mut [0; 512]), Ok(1..)) {}
            stream.write_all(reply).expect("room");
        }
        stream
    });
    let adapter = A::default();
    let machine = Client::new(ClientConfig::DEFAULT);
    let mut connection = adapter.connection(adapter.stream(client), machine);
    let name = ClientName::new("c.example").expect("a name");
    for command in [Command::Ehlo(name), Command::StartTls] {
        adapter.next(&mut connection, |_| ()).expect("a reply");
        adapter.endpoint(&mut connection).send(&command).expect("a command");
    }
    adapter.next(&mut connection, |_| ()).expect("a reply");
    let _stream = answered.join().expect("a server");
    let error = adapter.connect_tls(&mut connection, tls::client());
    let error = error.expect_err("a reply in clear text");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}

/// Both ends export the same, RFC 9266, and in clear there is nothing to export.
pub fn both_ends_have_one_channel_binding<A: Adapter>(kind: Kind) {
    let binding = |wire, is_server| {
        let adapter = A::default();
        let machine = Client::new(ClientConfig::DEFAULT);
        let mut connection = adapter.connection(adapter.stream(wire), machine);
        assert_eq!(adapter.channel_binding(&mut connection), None);
        if is_server {
            adapter.accept_implicit(&mut connection, tls::server()).expect("a handshake");
        } else {
            adapter.connect_implicit(&mut connection, tls::client()).expect("a handshake");
        }
        (adapter.channel_binding(&mut connection), connection)
    };
    let (client, server) = wires(kind);
    let server = thread::spawn(move || binding(server, true));
    let (client, _open) = binding(client, false);
    assert!(client.is_some());
    assert_eq!(client, server.join().expect("a server").0);
}

/// Where TLS does not begin, nothing happens to the connection.
pub fn tls_begins_once<A: Adapter>(kind: Kind) {
    let (client, server) = wires(kind);
    let serving = thread::spawn(move || {
        let adapter = A::default();
        let config = ServerConfig { implicit_tls: true, ..ServerConfig::DEFAULT };
        let mut connection = adapter.connection(adapter.stream(server), Server::new(config));
        let early = adapter.accept_tls(&mut connection, tls::server());
        assert_eq!(early.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput));
        adapter.accept_implicit(&mut connection, tls::server()).expect("a handshake");
        for _ in 0..2 {
            let again = adapter.accept_implicit(&mut connection, tls::server());
            assert_eq!(again.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput));
        }
        let greeted =
            adapter.next(&mut connection, |turn| turn.responder.standard_reply("mx.example"));
        greeted.expect("a stream").expect("a greeting");
        // The greeting is to go first.
        let late = adapter.accept_implicit(&mut connection, tls::server());
        assert_eq!(late.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput));
        adapter.close(&mut connection).expect("a stream");
    });
    let stream = Tls::handshake(BlockingIo.stream(client), tls::client());
    let mut stream = stream.expect("a handshake");
    let mut greeting = Vec::new();
    // To its end, which TLS tells: without that it would be an error.
    while greeting.last() != Some(&b'\n') || greeting.len() < 22 {
        let mut piece = [0; 64];
        let bytes = patient(|| stream.read(&mut piece)).expect("a greeting");
        greeting.extend(&piece[..bytes]);
    }
    assert_eq!(greeting, b"220 mx.example ESMTP ready\r\n");
    assert_eq!(patient(|| stream.read(&mut [0; 64])).expect("the end of TLS"), 0);
    drop(stream);
    serving.join().expect("a server");
}

/// A certificate for another name, or from somebody whom nobody trusts, ends the handshake.
pub fn strangers_are_not_trusted<A: Adapter>(kind: Kind) {
    let (client, server) = wires(kind);
    let serving = thread::spawn(move || {
        let adapter = A::default();
        let machine = Server::new(ServerConfig::DEFAULT);
        let mut connection = adapter.connection(adapter.stream(server), machine);
        adapter.accept_implicit(&mut connection, tls::server())
    });
    let adapter = A::default();
    let machine = Client::new(ClientConfig::DEFAULT);
    let mut connection = adapter.connection(adapter.stream(client), machine);
    let name = "other.example".try_into().expect("a name");
    let other = Connector::with_config(tls::client().config().clone(), name);
    adapter.connect_implicit(&mut connection, &other).expect_err("another name");
    drop(connection);
    serving.join().expect("a server").expect_err("a client that is gone");
}
