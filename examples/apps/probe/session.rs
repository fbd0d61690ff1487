//! One connection to the server, and what was said on it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ehlo::client::Event;
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Code, Command, Extension};
use ehlo_apps::cause::cause;
use ehlo_tokio::{Connector, MaybeTls, Runtime, TlsConnection};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use crate::TlsMode;
use crate::certificate::Tls;
use crate::heard::{Heard, Helo, Said, Upgrade};

/// Whom to talk to, and how.
pub(crate) struct Target {
    /// The addresses of the host, in the order in which they are tried.
    pub(crate) addresses: Vec<SocketAddr>,
    /// What the certificate should be for.
    pub(crate) server_name: ServerName<'static>,
    /// What to say in EHLO and HELO; if it is not given or cannot be said, the name of this machine,
    /// or the address that the connection comes from.
    pub(crate) helo: Option<String>,
    pub(crate) tls: TlsMode,
    /// How long to wait for the server each time.
    pub(crate) patience: Duration,
}

/// Greeting, EHLO, STARTTLS where it is wanted and offered, EHLO again, QUIT; then HELO on a second
/// connection, unless the first was refused or EHLO was.
///
/// The error tells why there is no server to talk to.
pub(crate) async fn talk(target: &Target) -> Result<Heard, String> {
    let (mut session, greeting) = Session::open(target).await?;
    let mut heard = Heard {
        peer: session.peer,
        local: session.local,
        name: session.name.clone(),
        greeting,
        ehlo: None,
        ehlo_in_tls: None,
        helo: Helo::Untried,
        tls: Upgrade::Untried,
        broken: None,
    };
    if let Some(tls) = session.tls.take() {
        heard.tls = Upgrade::Established(tls);
    }
    heard.broken = session.extended(target, &mut heard).await.err();
    let may_say_helo = session.may_say_helo();
    drop(session);
    let is_untried = matches!(heard.helo, Helo::Untried);
    if heard.greeting.code == Code::SERVICE_READY && is_untried && may_say_helo {
        heard.helo = plain(target).await;
    }
    Ok(heard)
}

/// Greeting, HELO, QUIT, on another connection.
async fn plain(target: &Target) -> Helo {
    let mut session = match Session::open(target).await {
        Ok((session, greeting)) if greeting.code == Code::SERVICE_READY => session,
        Ok((_, greeting)) => return Helo::NoConnection(greeting.to_string()),
        Err(reason) => return Helo::NoConnection(reason),
    };
    let helo = session.helo().await;
    // Nothing depends on how it ends.
    let _ = session.ask(&Command::Quit).await;
    helo
}

struct Session {
    connection: TlsConnection<TcpStream, Client, Runtime>,
    peer: SocketAddr,
    local: SocketAddr,
    name: String,
    /// Of a connection that is inside TLS from its first byte.
    tls: Option<Tls>,
    patience: Duration,
}

impl Session {
    /// Connects, and reads the greeting.
    async fn open(target: &Target) -> Result<(Self, Said), String> {
        let (stream, peer) = connect(target).await?;
        let local = stream.local_addr().map_err(|error| error.to_string())?;
        let name = match target.helo.as_deref().and_then(sayable) {
            Some(name) => name,
            None => own_name(local.ip(), peer.ip())?,
        };
        let implicit_tls = target.tls == TlsMode::Implicit;
        let config = ClientConfig { implicit_tls, ..ClientConfig::DEFAULT };
        let client = Client::new(config);
        let mut connection = TlsConnection::new(stream.into(), client, Runtime);
        if implicit_tls {
            let connector = connector(target)?;
            let handshake = within(target.patience, connection.implicit_tls(&connector)).await;
            handshake.map_err(|error| format!("TLS with {peer}: {}", cause(&error)))?;
        }
        let tls = shaken(&mut connection);
        let mut session = Self { connection, peer, local, name, tls, patience: target.patience };
        let greeting = session.reply().await.map_err(|error| format!("{peer}: {error}"))?;
        // RFC 5321 §3.1: 220 or a refusal; who says something else does not speak SMTP.
        if greeting.code.is_positive() && greeting.code != Code::SERVICE_READY {
            return Err(format!("{peer}: it greets with {greeting}"));
        }
        Ok((session, greeting))
    }

    async fn extended(&mut self, target: &Target, heard: &mut Heard) -> Result<(), String> {
        // RFC 5321 §3.1: after any other greeting there is nothing but QUIT.
        if heard.greeting.code == Code::SERVICE_READY {
            self.greet(target, heard).await?;
        }
        let is_over = self.connection.endpoint().machine().state() == State::Closed;
        if is_over || matches!(heard.tls, Upgrade::Failed(_)) {
            return Ok(());
        }
        self.ask(&Command::Quit).await.map(drop)
    }

    async fn greet(&mut self, target: &Target, heard: &mut Heard) -> Result<(), String> {
        let said = self.ehlo().await?;
        if self.connection.endpoint().machine().is_tls() {
            heard.ehlo_in_tls = Some(said);
        } else {
            heard.ehlo = Some(said);
        }
        if !self.connection.endpoint().machine().is_extended() {
            let is_over = [&heard.ehlo, &heard.ehlo_in_tls]
                .into_iter()
                .flatten()
                .any(|said| said.code == Code::SERVICE_NOT_AVAILABLE);
            // RFC 5321 §3.2: a client falls back to HELO when EHLO is refused. 421 ends the session.
            if self.may_say_helo() && !is_over {
                heard.helo = self.helo().await;
            }
        } else if matches!(target.tls, TlsMode::Opportunistic | TlsMode::Require) {
            heard.tls = self.start_tls(target).await?;
            if matches!(heard.tls, Upgrade::Established(_)) {
                // RFC 3207 §4.2: what was said before is forgotten.
                heard.ehlo_in_tls = Some(self.ehlo().await?);
            }
        }
        Ok(())
    }

    async fn start_tls(&mut self, target: &Target) -> Result<Upgrade, String> {
        let capabilities = self.connection.endpoint().machine().capabilities();
        if !capabilities.contains(Extension::StartTls) {
            return Ok(Upgrade::NotOffered);
        }
        let said = self.ask(&Command::StartTls).await?;
        if said.code != Code::SERVICE_READY {
            return Ok(Upgrade::Refused(said));
        }
        let connector = connector(target)?;
        if let Err(error) = within(self.patience, self.connection.start_tls(&connector)).await {
            return Ok(Upgrade::Failed(cause(&error)));
        }
        Ok(match shaken(&mut self.connection) {
            Some(tls) => Upgrade::Established(tls),
            None => Upgrade::Failed("no TLS after the handshake".to_owned()),
        })
    }

    /// RFC 5321 §4.1.1.1: HELO has a domain, and no address literal.
    fn may_say_helo(&self) -> bool {
        !self.name.starts_with('[')
    }

    async fn ehlo(&mut self) -> Result<Said, String> {
        let name = self.name.clone();
        self.ask(&Command::Ehlo(client_name(&name)?)).await
    }

    async fn helo(&mut self) -> Helo {
        let name = self.name.clone();
        let answer = match client_name(&name) {
            Ok(name) => self.ask(&Command::Helo(name)).await,
            Err(reason) => Err(reason),
        };
        answer.map_or_else(Helo::Unanswered, Helo::Answered)
    }

    /// Says one thing, and waits for the answer.
    async fn ask(&mut self, command: &Command<'_>) -> Result<Said, String> {
        self.connection.endpoint().send(command).map_err(|error| error.to_string())?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Said, String> {
        loop {
            let patience = self.patience.min(self.connection.timeout());
            let turn = within(patience, self.connection.next()).await;
            match turn.map_err(|error| cause(&error))?.event {
                Event::Reply { reply, .. } => return Ok(Said::from(&reply)),
                Event::NeedInput => {}
                Event::Unanswered { to: Verb::Greeting } => {
                    return Err("the connection was closed before a greeting".to_owned());
                }
                Event::Unanswered { to } => {
                    let verb = format!("{to:?}").to_uppercase();
                    return Err(format!(
                        "the server closed the connection instead of answering {verb}"
                    ));
                }
                Event::Unsolicited(reply) => {
                    return Err(format!(
                        "the server said something that answers nothing: {}",
                        Said::from(&reply)
                    ));
                }
                Event::Violation(error) => return Err(format!("not a reply of SMTP: {error}")),
                Event::StartTls | Event::Closed => return Err("the session is over".to_owned()),
            }
        }
    }
}

/// Any certificate will do, so that there is something to report: nothing secret is sent here.
fn connector(target: &Target) -> Result<Connector, String> {
    Connector::unverified(&target.server_name.to_str()).map_err(|error| error.to_string())
}

/// What a handshake has agreed on.
fn shaken(connection: &mut TlsConnection<TcpStream, Client, Runtime>) -> Option<Tls> {
    match connection.stream() {
        MaybeTls::Tls(stream) => Some(Tls::of(stream)),
        _ => None,
    }
}

/// What this machine may call itself to a server, by the address that it is seen from.
fn own_name(local: IpAddr, server: IpAddr) -> Result<String, String> {
    ehlo_apps::helo_name(None, server, Some(local))
        .map_err(|error| format!("{}: {error}; give a name with --helo", ehlo_apps::host_name()))
}

/// The name as EHLO has it, in A-labels (RFC 5890 §2.3.2.1); `None` if it cannot be said at all.
fn sayable(name: &str) -> Option<String> {
    let name = ehlo_apps::a_labels(name).unwrap_or_else(|| name.to_owned());
    ClientName::new(&name).map(|name| name.to_string()).ok()
}

fn client_name(name: &str) -> Result<ClientName<'_>, String> {
    ClientName::new(name).map_err(|error| error.to_string())
}

async fn connect(target: &Target) -> Result<(TcpStream, SocketAddr), String> {
    let mut last = "the host has no address".to_owned();
    for &address in &target.addresses {
        match within(target.patience, TcpStream::connect(address)).await {
            Ok(stream) => {
                // Without this a command may wait 40 ms for the peer's delayed ACK.
                stream.set_nodelay(true).map_err(|error| error.to_string())?;
                return Ok((stream, address));
            }
            Err(error) => last = format!("cannot connect to {address}: {}", cause(&error)),
        }
    }
    Err(last)
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {patience:?}")))
    })
}
