//! A server on the sockets of std, with a thread for each session: it prints what it receives.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::net::{TcpListener, TcpStream};
use std::{future::pending, io};

use ehlo::server::{ACCEPTED, Event};
use ehlo::{Command, Server, ServerConfig};
use ehlo_blocking::{Connection, ConnectionLimits, Incoming, serve};
use ehlo_io::PendingEvent;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:2525"))?;
    run(listener, pending(), |content| println!("{}", String::from_utf8_lossy(content)))
}

/// Serves a hundred sessions at a time, of which ten from one address, until `shutdown`.
pub(crate) fn run(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    take: impl Fn(&[u8]) + Sync,
) -> io::Result<()> {
    serve(listener, ConnectionLimits::new(100, 10), shutdown, |incoming| {
        session(incoming, &take).unwrap_or_else(|e| eprintln!("a session broke off: {e}"));
    })
}

fn session(mut incoming: Incoming<TcpStream>, take: &impl Fn(&[u8])) -> io::Result<()> {
    let mut connection = Connection::new(incoming.stream, Server::new(ServerConfig::DEFAULT));
    let mut content = Vec::new();
    loop {
        let next = connection.next_until(&mut incoming.shutdown, HOST)?;
        let PendingEvent { event, responder } = next;
        match event {
            Event::Closed => return connection.close(),
            Event::Command(Command::Mail { .. }) => content.clear(),
            Event::MailData(data) => content.extend_from_slice(data),
            Event::EndOfMailData { .. } => {
                take(&content);
                responder.reply(&ACCEPTED)?;
                continue;
            }
            _ => {}
        }
        responder.standard_reply(HOST)?;
    }
}

const HOST: &str = "mx.example";
