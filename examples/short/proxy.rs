//! A proxy: for each session a server and a client machine back to back. It passes commands, content and
//! replies on, whatever the replies are, and refuses recipients that are not of its domain. It has
//! understood what it passes on: nothing can be smuggled through it. Where the server behind it is
//! gone, the client is told 421.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Code, Command, Extension, Policy, Reply, Server, ServerConfig};
use ehlo_blocking::{Connection, ConnectionLimits, Incoming, configure_tcp, serve};
use ehlo_io::PendingEvent;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:2526")?;
    println!("listening on {}", listener.local_addr()?);
    run(listener, ([127, 0, 0, 1], 2525).into(), "@x.example>", pending())
}

/// Serves a hundred sessions at a time until `shutdown`, and passes each on to the server at `up`.
/// Recipients are those that end with `domain`.
pub(crate) fn run(
    listener: TcpListener,
    up: SocketAddr,
    domain: &str,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve(listener, ConnectionLimits::new(100, 100), shutdown, |incoming| {
        pass(incoming, up, domain).unwrap_or_else(|e| eprintln!("a session broke off: {e}"));
    })
}

fn pass(mut incoming: Incoming<TcpStream>, up: SocketAddr, domain: &str) -> io::Result<()> {
    let mut up = Upstream::connect(up);
    let config = ServerConfig {
        offered: up.as_mut().map_or(Capabilities::NONE, Upstream::offered),
        // Another server's replies may be any.
        policy: Policy::STRICT.with_any_reply_code(true),
        ..ServerConfig::DEFAULT
    };
    let mut down = Connection::new(incoming.stream, Server::new(config));
    let mut up = match up {
        Ok(up) if up.refusal.is_none() => up,
        // RFC 5321 §3.1: a refusal in place of the greeting, the server's or one of the proxy's own.
        refused => {
            let refusal = match &refused.ok().and_then(|up| up.refusal) {
                Some((code, text)) => down.endpoint().reply(&Reply::new(*code, text)),
                None => down.endpoint().reply(&lost()),
            };
            refusal?;
            return down.close();
        }
    };
    loop {
        let PendingEvent { event, responder } = down.next_until(&mut incoming.shutdown, HOST)?;
        let passed = match event {
            Event::Command(Command::Rcpt { forward_path, .. })
                if !forward_path.to_string().ends_with(domain) =>
            {
                Ok(Reply::new(Code::MAILBOX_UNAVAILABLE, "not here"))
            }
            Event::Command(
                command @ (Command::Mail { .. }
                | Command::Rcpt { .. }
                | Command::Data
                | Command::Rset),
            ) => up.ask(&command),
            // RFC 5321 §4.1.4: EHLO and HELO clear the state "as if a RSET command had been issued".
            Event::Command(Command::Ehlo(_) | Command::Helo(_)) => {
                if up.ask(&Command::Rset).is_ok_and(|reply| reply.code().is_positive()) {
                    Ok(responder.machine().standard_reply(HOST))
                } else {
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
            }
            Event::MailData(content) => {
                up.content(content);
                continue;
            }
            Event::EndOfMailData { .. } => up.end_content(),
            // The server behind has half of it, and must never hear of an end.
            Event::Refused(refusal) if up.has_content() => {
                responder.reply(&refusal.reply())?;
                down.endpoint().close(&lost())?;
                return down.close();
            }
            Event::Closed => {
                let _ = up.ask(&Command::Quit);
                return down.close();
            }
            _ => Ok(responder.machine().standard_reply(HOST)),
        };
        // RFC 5321 §3.8: 421 says that the session is over.
        responder.reply(&passed.unwrap_or_else(|_| lost()))?;
    }
}

/// The session with the server behind.
struct Upstream {
    connection: Connection<TcpStream, Client>,
    /// Its greeting, if that is a refusal.
    refusal: Option<(Code, String)>,
    /// Content that could not be sent.
    failed: bool,
}

impl Upstream {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        configure_tcp(&stream)?;
        let connection = Connection::new(stream, Client::new(ClientConfig::DEFAULT));
        let mut up = Self { connection, refusal: None, failed: false };
        let name = ClientName::new(HOST).map_err(io::Error::other)?;
        let greeting = up.reply()?;
        if !greeting.code().is_positive() {
            let text = greeting.lines().next().map(String::from_utf8_lossy).unwrap_or_default();
            up.refusal = Some((greeting.code(), text.into_owned()));
        } else if !up.ask(&Command::Ehlo(name))?.code().is_positive() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(up)
    }

    /// The extensions that both sides have: what concerns the message alone passes through.
    fn offered(&mut self) -> Capabilities {
        let theirs = self.connection.endpoint().machine().capabilities();
        let ours = [Extension::EightBitMime, Extension::SmtpUtf8, Extension::EnhancedStatusCodes];
        let both = ours.into_iter().filter(|extension| theirs.contains(*extension));
        let both = both.fold(Capabilities::NONE.with(Extension::Pipelining), Capabilities::with);
        theirs.size().map_or(both, |size| both.with_size(size))
    }

    fn ask(&mut self, command: &Command<'_>) -> io::Result<Reply<'_>> {
        self.connection.endpoint().send(command)?;
        self.reply()
    }

    fn reply(&mut self) -> io::Result<Reply<'_>> {
        match self.connection.next()?.event {
            ehlo::client::Event::Reply { reply, .. } => Ok(reply),
            event => Err(io::Error::other(format!("{event:?}"))),
        }
    }

    fn has_content(&mut self) -> bool {
        self.connection.endpoint().machine().wants_content()
    }

    /// Sends a piece of content. What went wrong is told at its end, when an answer is due.
    fn content(&mut self, content: &[u8]) {
        if !self.failed {
            let queued = self.connection.endpoint().responder().mail_data(content);
            self.failed = queued.is_err() || self.connection.flush().is_err();
        }
    }

    fn end_content(&mut self) -> io::Result<Reply<'_>> {
        if !self.failed {
            self.connection.endpoint().responder().end_mail_data()?;
        }
        // A server that refuses content while it comes says so, and closes: then this is the reply.
        match self.connection.next()?.event {
            ehlo::client::Event::Reply { reply, .. } | ehlo::client::Event::Unsolicited(reply) => {
                Ok(reply)
            }
            event => Err(io::Error::other(format!("{event:?}"))),
        }
    }
}

fn lost() -> Reply<'static> {
    let text = "lost the server behind this proxy, try again later";
    Reply::new(Code::SERVICE_NOT_AVAILABLE, text).with_domain(HOST)
}

const HOST: &str = "proxy.example";
