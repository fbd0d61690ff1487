//! A server on the sockets of std, with a thread for each session: it prints what it receives.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::io;
use std::net::{TcpListener, TcpStream};

use ehlo::server::Event;
use ehlo::{Command, Server, ServerConfig};
use ehlo_blocking::{Connection, ConnectionLimits, Incoming, ShutdownHandle, serve};
use ehlo_io::PendingEvent;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:2525"))?;
    let halt = ShutdownHandle::new(&listener)?;
    run(&listener, &halt, |content| println!("{}", String::from_utf8_lossy(content)));
    Ok(())
}

/// Serves a hundred sessions at a time, of which ten from one address, until `halt`.
pub(crate) fn run(listener: &TcpListener, halt: &ShutdownHandle, take: impl Fn(&[u8]) + Sync) {
    serve(listener, ConnectionLimits::new(100, 10), 100, halt, |visit| {
        if let Err(error) = session(visit, &take) {
            eprintln!("a session broke off: {error}");
        }
    });
}

fn session(mut visit: Incoming<TcpStream>, take: &impl Fn(&[u8])) -> io::Result<()> {
    let mut connection = Connection::new(visit.stream, Server::new(ServerConfig::DEFAULT));
    let mut content = Vec::new();
    loop {
        let PendingEvent { event, responder } = connection.next_until(&mut visit.stop, HOST)?;
        match event {
            Event::Closed => return connection.close(),
            Event::Command(Command::Mail { .. }) => content.clear(),
            Event::MailData(data) => content.extend_from_slice(data),
            Event::EndOfMailData { .. } => take(&content),
            _ => {}
        }
        responder.standard_reply(HOST).map_err(io::Error::other)?;
    }
}

const HOST: &str = "mx.example";
