//! A server on tokio: it prints what it receives, and ends in order at Ctrl-C.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::io;

use ehlo::server::Event;
use ehlo::{Command, Server, ServerConfig};
use ehlo_io::PendingEvent;
use ehlo_tokio::{Connection, ConnectionLimits, Incoming, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:2525").await?;
    let stop = || async { drop(tokio::signal::ctrl_c().await) };
    run(&listener, stop, |content| println!("{}", String::from_utf8_lossy(content))).await;
    Ok(())
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
    serve(
        || listener.accept(),
        ConnectionLimits::new(1000, 10),
        stop,
        sleep,
        tokio::spawn,
        handler,
    )
    .await;
}

async fn session(mut visit: Incoming<TcpStream>, take: impl Fn(&[u8])) -> io::Result<()> {
    visit.stream.set_nodelay(true)?;
    let mut connection = Connection::new(visit.stream, Server::new(ServerConfig::DEFAULT));
    let mut content = Vec::new();
    loop {
        let limit = connection.timeout();
        let next = connection.next_until(&mut visit.stop, HOST);
        let PendingEvent { event, responder } = timeout(limit, next).await??;
        match event {
            Event::Closed => return timeout(limit, connection.close()).await?,
            Event::Command(Command::Mail { .. }) => content.clear(),
            Event::MailData(data) => content.extend_from_slice(data),
            Event::EndOfMailData { .. } => take(&content),
            _ => {}
        }
        responder.standard_reply(HOST).map_err(io::Error::other)?;
    }
}

const HOST: &str = "mx.example";
