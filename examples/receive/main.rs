//! A mail sink that loses nothing: `receive --maildir DIR` takes mail by SMTP or LMTP and stores
//! each message before it answers for it.
//!
//! ```text
//! cargo run --release --example receive -- --listen 127.0.0.1:2525 --maildir /tmp/mail
//! ```
//!
//! `session.rs` is the conversation, `maildir.rs` the storage, `trace.rs` the header fields that a
//! server adds, `log.rs` what is printed.

mod log;
mod maildir;
mod session;
mod trace;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ehlo::{
    Capabilities, Code, Extension, ForwardPath, Newlines, Reply, Role, ServerConfig, ServerLimits,
};
use ehlo_tokio::Connection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use log::Log;
use maildir::Maildir;

/// A mail sink that loses nothing.
#[derive(Debug, Parser)]
#[command(name = "receive", about)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// The name in the greeting, the reply to EHLO and the Received: line [default: the machine's].
    #[arg(long, value_name = "NAME", value_parser = ehlo_examples::name)]
    hostname: Option<String>,
    /// Store each message in DIR/new [default: only print it].
    #[arg(long, value_name = "DIR")]
    maildir: Option<PathBuf>,
    /// Speak LMTP (RFC 2033) instead of SMTP.
    #[arg(long)]
    lmtp: bool,
    /// The largest message in octets; 0 for no limit.
    #[arg(long, value_name = "BYTES", default_value_t = 50 << 20)]
    max_size: u64,
    /// Recipients of one message.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_recipients: u16,
    /// Connections at once; the surplus is answered 421.
    #[arg(long, value_name = "N", default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    max_connections: u32,
    /// How long a client may keep silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Refuse this recipient with 550 5.1.1; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    reject: Vec<String>,
    /// Refuse this recipient with 451 4.3.0; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    defer: Vec<String>,
    /// Bare CR and bare LF in mail data: reject, normalise or keep.
    #[arg(long, value_name = "POLICY", default_value = "reject",
        value_parser = ehlo_examples::newlines)]
    newlines: Newlines,
    /// Print one JSON object for each event of a session.
    #[arg(long)]
    json: bool,
}

/// What every session needs.
struct Service {
    config: ServerConfig,
    host: String,
    maildir: Option<Maildir>,
    reject: Vec<String>,
    defer: Vec<String>,
    timeout: Duration,
    log: Log,
}

#[tokio::main]
async fn main() {
    if let Err(error) = run(Arguments::parse()).await {
        log::error(&error.to_string());
        std::process::exit(2);
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let host = arguments.hostname.clone().unwrap_or_else(ehlo_examples::host_name);
    let maildir = match &arguments.maildir {
        Some(dir) => Some(
            Maildir::open(dir, &host)
                .map_err(|error| format!("cannot use {} as a maildir: {error}", dir.display()))?,
        ),
        None => None,
    };
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let interrupt = interrupt()?;
    tokio::pin!(interrupt);
    log::line(&format!("listening on {}", listener.local_addr()?));
    let service = Arc::new(Service {
        config: config(&arguments),
        host,
        maildir,
        reject: arguments.reject,
        defer: arguments.defer,
        timeout: Duration::from_secs(arguments.timeout),
        log: Log::new(arguments.json),
    });

    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(arguments.max_connections as usize));
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // As a rule there are too many open files: others must close theirs first.
                    log::error(&format!("cannot accept a connection: {error}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut interrupt => break,
        };
        // Without this a reply may wait 40 ms for the peer's delayed ACK.
        let _ = stream.set_nodelay(true);
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            turn_away(stream, &service).await;
            continue;
        };
        let (service, stopped) = (Arc::clone(&service), stopped.clone());
        tokio::spawn(async move {
            session::serve(stream, peer, &service, stopped).await;
            drop(place);
        });
    }

    stop.send_replace(true);
    drop(listener);
    let all = places.acquire_many(arguments.max_connections);
    // A session that does not end in time is cut off; its message was not answered, so the client
    // keeps it.
    let _ = tokio::time::timeout(session::GRACE + Duration::from_secs(2), all).await;
    Ok(())
}

fn config(arguments: &Arguments) -> ServerConfig {
    let offered = [
        Extension::Pipelining,
        Extension::EightBitMime,
        Extension::SmtpUtf8,
        Extension::Chunking,
        Extension::EnhancedStatusCodes,
        Extension::Dsn,
    ];
    ServerConfig {
        role: if arguments.lmtp { Role::Lmtp } else { Role::Smtp },
        offered: offered
            .into_iter()
            .fold(Capabilities::NONE, Capabilities::with)
            .with_size(arguments.max_size),
        newlines: arguments.newlines,
        limits: ServerLimits { recipients: arguments.max_recipients, ..ServerLimits::DEFAULT },
        ..ServerConfig::DEFAULT
    }
}

/// Answers a connection that is one too many with 421 in place of the greeting.
async fn turn_away(stream: TcpStream, service: &Service) {
    let mut connection = Connection::new(stream, ehlo::Server::new(service.config));
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "too many connections, try again later");
    if connection.endpoint().reply(&reply.with_domain(&service.host)).is_ok() {
        // It fits in the buffer of a new socket, so nobody waits.
        let _ = tokio::time::timeout(Duration::from_secs(1), connection.flush()).await;
    }
}

/// Waits for Ctrl-C or SIGTERM. From the call on they no longer end the process by themselves.
#[cfg(unix)]
fn interrupt() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn interrupt() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn address(text: &str) -> Result<String, ehlo::SyntaxError> {
    ForwardPath::new(text).map(|path| path.to_string())
}
