//! A server on smol: it prints what it receives.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::io;
use std::time::Duration;

use ehlo::server::Event;
use ehlo::{Server, ServerConfig, Turn};
use ehlo_async_std::{Connection, Door, Visit, serve};
use smol::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:2525").await?;
        println!("listening on {}", listener.local_addr()?);
        let take = |content: &[u8]| println!("{}", String::from_utf8_lossy(content));
        run(&listener, std::future::pending, take).await;
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
            if let Err(error) = session(visit, take).await {
                eprintln!("a session broke off: {error}");
            }
        }
    };
    let spawn = |task| smol::spawn(task).detach();
    serve(|| listener.accept(), Door::new(1000, 10), stop, sleep, spawn, handler).await;
}

async fn session(mut visit: Visit<TcpStream>, take: impl Fn(&[u8])) -> io::Result<()> {
    visit.stream.set_nodelay(true)?;
    let mut connection = Connection::new(visit.stream, Server::new(ServerConfig::DEFAULT));
    let mut content = Vec::new();
    loop {
        let Turn { event, answer } = connection.next_until(&mut visit.stop, HOST).await?;
        match event {
            Event::MailData(data) => content.extend_from_slice(data),
            Event::Closed => return connection.close().await,
            event => {
                match event {
                    Event::EndOfMailData { .. } => take(&content),
                    _ => content.clear(),
                }
                answer.standard_reply(HOST).map_err(io::Error::other)?;
            }
        }
    }
}

async fn sleep(time: Duration) {
    smol::Timer::after(time).await;
}

const HOST: &str = "mx.example";
