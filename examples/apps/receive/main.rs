//! A mail sink that loses nothing: `receive --maildir DIR` takes mail by SMTP, submission or LMTP
//! and stores each message before it answers for it.
//!
//! ```text
//! cargo run --release --example receive -- --listen 127.0.0.1:2525 --maildir /tmp/mail
//! ```
//!
//! `connection.rs` is a connection, `session.rs` the conversation on it with a `client.rs`, `transaction.rs` and
//! `maildir.rs` keep what comes in, `authentication.rs` and `users.rs` let clients in, `greeting.rs`
//! checks who they say they are, `trust.rs` takes the word of proxies, `tls.rs` makes the certificate,
//! `trace.rs` the header fields that a server adds, `log.rs` what is printed.

mod arguments;
mod authentication;
mod client;
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
use ehlo::{Extension, Server, ServerConfig};
use ehlo_tokio::{ConnectionLimits, Runtime, ShutdownHandle};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

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
        let host = arguments.hostname.unwrap_or_else(ehlo_apps::host_name);
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

fn main() {
    let arguments = Arguments::parse();
    let done = runtime().map_err(Into::into).and_then(|runtime| runtime.block_on(run(arguments)));
    if let Err(error) = done {
        log::error(&error.to_string());
        std::process::exit(2);
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    // Threads that block wait for the disk. It is not faster for the hundreds that are the default.
    Builder::new_multi_thread().enable_all().max_blocking_threads(16).build()
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (address, most) = (arguments.listen, arguments.max_connections as usize);
    let service = Arc::new(Service::new(arguments)?);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let interrupt = interrupt()?;
    service.log.line(&format!("listening on {}", listener.local_addr()?));
    service.log.flush();

    let handle = ShutdownHandle::new();
    let accept = async move || {
        // As a rule there are too many open files: others must close theirs first.
        let warn = |error: &_| log::error(&format!("cannot accept a connection: {error}"));
        listener.accept().await.inspect_err(warn)
    };
    let limits = ConnectionLimits::new(most, most)
        .reject_when_full()
        .with_grace(session::GRACE + Duration::from_secs(2));
    let handler = |incoming| connection::serve(incoming, Arc::clone(&service));
    let serving = ehlo_io::serve(&Runtime, accept, limits, handle.shutdown(), handler);
    tokio::select! {
        // A session that does not end in time is cut off; its message was not answered, so the
        // client keeps it.
        () = serving => {}
        () = async {
            interrupt.await;
            handle.shut_down();
            std::future::pending::<()>().await;
        } => {}
        () = service.log.run() => {}
    }
    service.log.flush();
    Ok(())
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
