//! A wait is for an event, not for an octet.

use std::io::{ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{io, thread};

use ehlo::{Machine, Received, Server, ServerConfig, Wants, server};
use ehlo_blocking::Connection;

/// A server that is in a hurry.
struct Hurried(Server);

impl Machine for Hurried {
    type Event<'i> = server::Event<'i>;

    fn wants(&mut self, input: &[u8]) -> Wants {
        self.0.wants(input)
    }

    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Self::Event<'i>> {
        self.0.receive(input)
    }

    fn end_of_input(&mut self) {
        self.0.end_of_input();
    }

    fn is_at_end(&self) -> bool {
        self.0.is_at_end()
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(50)
    }
}

/// The line never ends, and an octet of it comes well before a read gives way.
#[test]
fn v98_a_client_that_drips_is_left() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (stream, _) = listener.accept()?;
    ehlo_blocking::prepare(&stream)?;
    let mut server = Server::new(ServerConfig::DEFAULT);
    assert_eq!(server.receive(b"").event, server::Event::Greeting);
    let greeting = server.standard_reply("mx.example");
    server.reply(&greeting, &mut [0; 512]).expect("room");
    let mut connection = Connection::new(stream, Hurried(server));
    let dripping = thread::spawn(move || {
        while client.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let error = connection.next().err().map(|error| error.kind());
    drop(connection);
    dripping.join().expect("it ends with the connection");
    assert_eq!(error, Some(ErrorKind::TimedOut));
    Ok(())
}
