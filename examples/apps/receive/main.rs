//! A mail sink that loses nothing: `receive --maildir DIR` takes mail by SMTP, submission or LMTP
//! and stores each message before it answers for it.
//!
//! ```text
//! cargo run --release --example receive -- --listen 127.0.0.1:2525 --maildir /tmp/mail
//! ```
//!
//! `listener.rs` takes connections, `connection.rs` is one of them, `session.rs` the conversation on it:
//! `hello.rs` is the part about the client (with `client.rs`, what its address allows it), `mail.rs` the
//! part about messages. `transaction.rs` and `maildir.rs` keep what comes in, `trace.rs` makes the header
//! fields that a server adds. `authentication.rs` and `users.rs` let clients in, `greeting.rs` checks
//! who they say they are, `proxy.rs` and `xclient.rs` take the word of proxies, `tls.rs` has the certificate, `signals.rs` hears
//! what the operating system wants, `log.rs` prints.

mod arguments;
mod authentication;
mod client;
mod connection;
mod greeting;
mod hello;
mod listener;
mod log;
mod mail;
mod maildir;
mod session;
mod signals;
mod tls;
mod trace;
mod transaction;
mod users;
mod xclient;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ehlo::ServerConfig;
use ehlo_apps::network::Network;
use ehlo_apps::output::complain;
use ehlo_apps::places::Places;
use ehlo_io::TimeLimits;
use ehlo_io::proxy_header::Versions;
use ehlo_tokio::{ConnectionLimits, Runtime, ShutdownHandle};
use tokio::runtime::Builder;

use arguments::Arguments;
use greeting::Greetings;
use listener::Listener;
use log::Log;
use maildir::Maildir;
use tls::Tls;
use users::Users;

/// What every session needs.
struct Service {
    config: ServerConfig,
    host: String,
    maildir: Option<Maildir>,
    tls: Option<Tls>,
    users: Users,
    greetings: Option<Greetings>,
    trust: Vec<Network>,
    proxy: Option<Versions>,
    places: Places,
    reject: Vec<String>,
    defer: Vec<String>,
    limits: TimeLimits,
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
            tls: match (arguments.cert, arguments.key) {
                (Some(chain), Some(key)) => Some(Tls::from_files(chain, key)?),
                _ if arguments.tls || arguments.implicit_tls => Some(Tls::self_signed(&host)?),
                _ => None,
            },
            greetings: match arguments.check_helo.0 {
                Some(enforcement) => Some(Greetings::new(enforcement, arguments.dns, &host)?),
                None => None,
            },
            trust: arguments.trust,
            proxy: arguments.proxy,
            places: Places::new(arguments.max_per_address as usize),
            host,
            maildir,
            users: Users::new(&arguments.user)?,
            reject: arguments.reject,
            defer: arguments.defer,
            limits: TimeLimits::DEFAULT
                .with_wait(Duration::from_secs(arguments.timeout))
                .with_content_grace(CONTENT_GRACE)
                .with_content_rate(arguments.min_rate),
            log: Log::new(arguments.json).map_err(|error| error.to_string())?,
        })
    }

    /// Whether a client at this address may speak for others.
    fn trusts(&self, address: IpAddr) -> bool {
        self.trust.iter().any(|network| network.contains(address))
    }

    fn reload(&self) {
        if let Some(Err(error)) = self.tls.as_ref().map(Tls::reload) {
            self.log.warn("cannot read the certificate again", &error);
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let done = runtime().map_err(Into::into).and_then(|runtime| runtime.block_on(run(arguments)));
    if let Err(error) = done {
        complain("receive", &error.to_string());
        std::process::exit(2);
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    // Threads that block wait for the disk. It is not faster for the hundreds that are the default.
    Builder::new_multi_thread().enable_all().max_blocking_threads(16).build()
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (listen, most) = (arguments.listen.clone(), arguments.max_connections as usize);
    let service = Arc::new(Service::new(arguments)?);
    let listener = Listener::bind(&listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let (interrupt, reload) = (signals::interrupt()?, signals::reload()?);
    service.log.line(&format!("listening on {}", listener.address()?));

    let handle = ShutdownHandle::new();
    let accepting = Arc::clone(&service);
    let accept = async move || {
        // As a rule there are too many open files: others must close theirs first.
        let warn = |error: &io::Error| {
            accepting.log.warn("cannot accept a connection", &error.to_string());
        };
        listener.accept().await.inspect_err(warn)
    };
    let limits = ConnectionLimits::new(most, most).reject_when_full().with_grace(GRACE);
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
        () = reload.each(|| service.reload()) => {}
    }
    service.log.flush();
    Ok(())
}

/// How long sessions that are open may go on once the server is stopping.
const GRACE: Duration = Duration::from_secs(5);
/// How long content may fall behind `--min-rate`.
const CONTENT_GRACE: Duration = Duration::from_secs(10);
