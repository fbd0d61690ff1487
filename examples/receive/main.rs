//! A mail sink that loses nothing: `receive --maildir DIR` takes mail by SMTP, submission or LMTP
//! and stores each message before it answers for it.
//!
//! ```text
//! cargo run --release --example receive -- --listen 127.0.0.1:2525 --maildir /tmp/mail
//! ```
//!
//! `connection.rs` is a connection and `session.rs` the conversation on it, `transaction.rs` and
//! `maildir.rs` keep what comes in, `authentication.rs` and `users.rs` let clients in, `greeting.rs`
//! checks who they say they are, `trust.rs` takes the word of proxies, `tls.rs` makes the certificate,
//! `trace.rs` the header fields that a server adds, `log.rs` what is printed.

mod arguments;
mod authentication;
mod connection;
mod greeting;
mod log;
mod maildir;
mod session;
mod tls;
mod trace;
mod transaction;
mod trust;
mod users;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ehlo::{Code, Extension, Reply, Server, ServerConfig};
use ehlo_tokio::Connection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use arguments::Arguments;
use greeting::Greetings;
use log::Log;
use maildir::Maildir;
use users::Users;

/// What every session needs.
struct Service {
    config: ServerConfig,
    host: String,
    maildir: Option<Maildir>,
    tls: Option<Arc<rustls::ServerConfig>>,
    users: Users,
    greetings: Option<Greetings>,
    trust: Vec<IpAddr>,
    reject: Vec<String>,
    defer: Vec<String>,
    timeout: Duration,
    log: Log,
}

impl Service {
    fn new(arguments: Arguments) -> Result<Self, String> {
        if let Some(contradiction) = arguments.contradiction() {
            return Err(contradiction.to_owned());
        }
        let config = arguments.server_config();
        let host = arguments.hostname.unwrap_or_else(ehlo_examples::host_name);
        let maildir =
            match &arguments.maildir {
                Some(dir) => Some(Maildir::open(dir, &host).map_err(|error| {
                    format!("cannot use {} as a maildir: {error}", dir.display())
                })?),
                None => None,
            };
        Ok(Self {
            config,
            tls: match (&arguments.cert, &arguments.key) {
                (Some(chain), Some(key)) => Some(tls::from_files(chain, key)?),
                _ if arguments.tls || arguments.implicit_tls => Some(tls::self_signed(&host)?),
                _ => None,
            },
            greetings: match arguments.check_helo.0 {
                Some(enforcement) => Some(Greetings::new(enforcement, arguments.dns, &host)?),
                None => None,
            },
            trust: arguments.trust,
            host,
            maildir,
            users: Users::new(&arguments.user)?,
            reject: arguments.reject,
            defer: arguments.defer,
            timeout: Duration::from_secs(arguments.timeout),
            log: Log::new(arguments.json),
        })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trust.contains(&address.to_canonical())
    }

    /// A server for a client at this address.
    fn server(&self, client: IpAddr) -> Server {
        let mut config = self.config;
        if self.trusts(client) {
            config.offered = config.offered.with(Extension::Xclient).with(Extension::Xforward);
        }
        Server::new(config)
    }
}

#[tokio::main]
async fn main() {
    if let Err(error) = run(Arguments::parse()).await {
        log::error(&error.to_string());
        std::process::exit(2);
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (address, most) = (arguments.listen, arguments.max_connections);
    let service = Arc::new(Service::new(arguments)?);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let interrupt = interrupt()?;
    tokio::pin!(interrupt);
    log::line(&format!("listening on {}", listener.local_addr()?));

    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(most as usize));
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
            connection::serve(stream, peer, &service, stopped).await;
            drop(place);
        });
    }

    stop.send_replace(true);
    drop(listener);
    let all = places.acquire_many(most);
    // A session that does not end in time is cut off; its message was not answered, so the client
    // keeps it.
    let _ = tokio::time::timeout(session::GRACE + Duration::from_secs(2), all).await;
    Ok(())
}

/// Answers a connection that is one too many with 421 in place of the greeting.
async fn turn_away(stream: TcpStream, service: &Service) {
    if service.config.implicit_tls {
        // Nothing can be said before a handshake, which would cost more than a place.
        return;
    }
    let mut connection = Connection::new(stream, Server::new(service.config));
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
