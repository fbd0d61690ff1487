//! A server on async-std: it prints what it receives.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::{future::pending, io};

use async_std::net::{Shutdown, TcpListener, TcpStream};
use async_std::task::{block_on, sleep, spawn};
use ehlo::server::{ACCEPTED, Event};
use ehlo::{Command, Server, ServerConfig};
use ehlo_async_std::{Connection, ConnectionLimits, Incoming, Runtime};
use ehlo_io::PendingEvent;

fn main() -> io::Result<()> {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:2525").await?;
        run(listener, pending(), |content| println!("{}", String::from_utf8_lossy(content))).await;
        Ok(())
    })
}

/// Serves a thousand sessions at a time, of which ten from one address, until `shutdown`.
pub(crate) async fn run(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    take: impl Fn(&[u8]) + Clone + Send + Sync + 'static,
) {
    let handler = |incoming| {
        let take = take.clone();
        async move {
            session(incoming, take).await.unwrap_or_else(|e| eprintln!("a session broke off: {e}"));
        }
    };
    let accept = async move || listener.accept().await;
    let limits = ConnectionLimits::new(1000, 10);
    Runtime::new(sleep, spawn).serve(accept, limits, shutdown, handler).await;
}

async fn session(mut incoming: Incoming<TcpStream>, take: impl Fn(&[u8])) -> io::Result<()> {
    incoming.stream.set_nodelay(true)?;
    let server = Server::new(ServerConfig::DEFAULT);
    let mut connection = Connection::new(incoming.stream, server, sleep);
    let mut content = Vec::new();
    loop {
        let next = connection.next_until(&mut incoming.shutdown, HOST).await?;
        let PendingEvent { event, responder } = next;
        match event {
            Event::Closed => {
                // Its sockets are closed for writing by this alone.
                connection.flush().await?;
                connection.stream().shutdown(Shutdown::Write)?;
                return connection.close().await;
            }
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
