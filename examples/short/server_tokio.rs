//! A server on tokio: it prints what it receives, and shuts down gracefully at Ctrl-C.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::io;

use ehlo::server::{ACCEPTED, Event};
use ehlo::{Command, Server, ServerConfig};
use ehlo_io::PendingEvent;
use ehlo_tokio::{Connection, ConnectionLimits, Incoming, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:2525").await?;
    let shutdown = async { drop(tokio::signal::ctrl_c().await) };
    run(listener, shutdown, |content| println!("{}", String::from_utf8_lossy(content))).await;
    Ok(())
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
    serve(listener, ConnectionLimits::new(1000, 10), shutdown, handler).await;
}

async fn session(mut incoming: Incoming<TcpStream>, take: impl Fn(&[u8])) -> io::Result<()> {
    let server = Server::new(ServerConfig::DEFAULT);
    let mut connection = Connection::new(incoming.stream, server, sleep);
    let mut content = Vec::new();
    loop {
        let next = connection.next_until(&mut incoming.shutdown, HOST).await?;
        let PendingEvent { event, responder } = next;
        match event {
            Event::Closed => return connection.close().await,
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
