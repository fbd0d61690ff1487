//! A server on async-std: it prints what it receives.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::{future::pending, io};

use async_std::io::timeout;
use async_std::net::{Shutdown, TcpListener, TcpStream};
use async_std::task::{block_on, sleep, spawn};
use ehlo::server::Event;
use ehlo::{Command, Server, ServerConfig};
use ehlo_async_std::{Connection, ConnectionLimits, Incoming, serve};
use ehlo_io::PendingEvent;

fn main() -> io::Result<()> {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:2525").await?;
        run(&listener, pending, |content| println!("{}", String::from_utf8_lossy(content))).await;
        Ok(())
    })
}

/// Serves a thousand sessions at a time, of which ten from one address, until `stop`.
pub(crate) async fn run<Z: Future<Output = ()> + Send + 'static>(
    listener: &TcpListener,
    stop: impl Fn() -> Z,
    take: impl Fn(&[u8]) + Clone + Send + Sync + 'static,
) {
    let handler = |visit| {
        let take = take.clone();
        async move {
            session(visit, take).await.unwrap_or_else(|e| eprintln!("a session broke off: {e}"));
        }
    };
    serve(|| listener.accept(), ConnectionLimits::new(1000, 10), stop, sleep, spawn, handler).await;
}

async fn session(mut visit: Incoming<TcpStream>, take: impl Fn(&[u8])) -> io::Result<()> {
    visit.stream.set_nodelay(true)?;
    let mut connection = Connection::new(visit.stream, Server::new(ServerConfig::DEFAULT));
    let mut content = Vec::new();
    loop {
        let limit = connection.timeout();
        let next = connection.next_until(&mut visit.stop, HOST);
        let PendingEvent { event, responder } = timeout(limit, next).await?;
        match event {
            Event::Closed => {
                connection.stream().shutdown(Shutdown::Write)?;
                return timeout(limit, connection.close()).await;
            }
            Event::Command(Command::Mail { .. }) => content.clear(),
            Event::MailData(data) => content.extend_from_slice(data),
            Event::EndOfMailData { .. } => take(&content),
            _ => {}
        }
        responder.standard_reply(HOST).map_err(io::Error::other)?;
    }
}

const HOST: &str = "mx.example";
