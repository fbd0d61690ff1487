//! What a connection keeps: content on its way, and memory only for as long as it needs it.

use std::thread;

use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::{Command, Extension, Server, ServerConfig};
use ehlo_io::PendingEvent;

use crate::carry::{Adapter, BlockingIo, Wire};
use crate::pipe::Pipe;

/// What the handler of a session does with it, and what it finds.
struct Session<A: Adapter> {
    adapter: A,
    connection: A::Connection<Server>,
}

impl<A: Adapter> Session<A> {
    fn new(wire: Wire) -> Self {
        let adapter = A::default();
        let offered = Capabilities::NONE.with(Extension::Chunking);
        let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
        let connection = adapter.connection(adapter.stream(wire), Server::new(config));
        Self { adapter, connection }
    }

    /// Gives standard answers until content comes; whether it does.
    fn is_content_next(&mut self) -> bool {
        loop {
            let next =
                self.adapter.next(&mut self.connection, |PendingEvent { event, responder }| {
                    let comes =
                        matches!(event, Event::Command(Command::Data) | Event::Chunk { .. });
                    let closed = event == Event::Closed;
                    responder.standard_reply("mx.example").ok();
                    (comes, closed)
                });
            match next.expect("a stream") {
                (true, _) => return true,
                (_, true) => return false,
                _ => {}
            }
        }
    }
}

/// Each message whole, by DATA and in a chunk; one that is refused is none.
pub fn collects_messages<A: Adapter>() {
    let (client, server) = Pipe::pair(1 << 20);
    let serving = thread::spawn(move || {
        let mut session = Session::<A>::new(Wire::Pipe(server));
        let mut messages = Vec::new();
        while session.is_content_next() {
            let Session { adapter, connection } = &mut session;
            messages.push(adapter.collect(connection).expect("a stream"));
            adapter.endpoint(connection).responder().standard_reply("mx.example").ok();
        }
        messages
    });
    let long = b"line\r\n..\r\n".repeat(10_000);
    let mut session = b"EHLO c.example\r\n".to_vec();
    for (before, content, end) in [
        (&b"DATA\r\n"[..], &long[..], &b".\r\n"[..]),
        (b"DATA\r\n", b"bare\nLF\r\n", b".\r\n"),
        (b"BDAT 5 LAST\r\n", b"a.\r\n.", b""),
    ] {
        session.extend(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n");
        session.extend([before, content, end].concat());
    }
    session.extend(b"QUIT\r\n");
    let mut stream = BlockingIo.stream(Wire::Pipe(client));
    std::io::Write::write_all(&mut stream, &session).expect("room");
    let messages = serving.join().expect("a server");
    let whole = b"line\r\n.\r\n".repeat(10_000);
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0], (Some(whole.len() as u64), whole));
    assert_eq!(messages[1].0, None);
    assert_eq!(messages[2], (Some(5), b"a.\r\n.".to_vec()));
}

/// Nothing is kept while nothing comes, before the first message as after a long one.
pub fn an_idle_connection_has_no_buffers<A: Adapter>() {
    let (client, server) = Pipe::pair(1 << 16);
    let serving = thread::spawn(move || {
        let mut session = Session::<A>::new(Wire::Pipe(server));
        let mut most = 0;
        loop {
            let Session { adapter, connection } = &mut session;
            let next = adapter.next(connection, |PendingEvent { event, responder }| {
                let closed = event == Event::Closed;
                responder.standard_reply("mx.example").ok();
                closed
            });
            let is_closed = next.expect("a stream");
            let capacity = adapter.endpoint(connection).capacity();
            most = most.max(capacity);
            if is_closed {
                // At the end of the stream nothing was awaited: what was kept before was given back.
                return most;
            }
        }
    });
    let mut stream = BlockingIo.stream(Wire::Pipe(client));
    let mut say = |mut bytes: &[u8]| {
        while !bytes.is_empty() {
            // The pipe is full for a while, or takes a part.
            let piece = &bytes[..bytes.len().min(1 << 10)];
            let written = std::io::Write::write(&mut stream, piece).unwrap_or(0);
            bytes = &bytes[written..];
        }
    };
    say(b"HELO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n");
    say(&b"0123456789\r\n".repeat(1 << 15));
    say(b".\r\nQUIT\r\n");
    let most = serving.join().expect("a server");
    assert!((1..=128 << 10).contains(&most), "{most} bytes");
}
