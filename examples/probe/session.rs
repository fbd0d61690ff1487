//! One connection to the server, and what was said on it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ehlo::client::Event;
use ehlo::{
    Client, ClientConfig, ClientName, Code, Command, EnhancedCode, Extension, Reply, Severity, Verb,
};
use ehlo_examples::printable;
use ehlo_examples::tls::trusting_anybody;
use ehlo_tokio::{Connection, MaybeTls};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::TlsMode;
use crate::certificate::Tls;

/// Whom to talk to, and how.
pub(crate) struct Target {
    /// The addresses of the host, in the order in which they are tried.
    pub(crate) addresses: Vec<SocketAddr>,
    /// What the certificate should be for.
    pub(crate) server_name: ServerName<'static>,
    /// What to say in EHLO and HELO.
    pub(crate) helo: String,
    pub(crate) tls: TlsMode,
    /// How long to wait for the server each time.
    pub(crate) patience: Duration,
}

impl Target {
    /// RFC 5321 §4.1.1.1: HELO has a domain, and no address literal.
    pub(crate) fn may_say_helo(&self) -> bool {
        !self.helo.starts_with('[')
    }
}

/// A reply, kept.
pub(crate) struct Said {
    pub(crate) code: Code,
    pub(crate) enhanced: Option<EnhancedCode>,
    /// The first word of the text.
    pub(crate) domain: Option<String>,
    /// The text, without codes.
    pub(crate) lines: Vec<Vec<u8>>,
}

/// All that one session by EHLO has told.
pub(crate) struct Heard {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) greeting: Said,
    /// The answer to EHLO, and the one inside TLS; with implicit TLS there is but one.
    pub(crate) ehlo: Option<Said>,
    pub(crate) ehlo_in_tls: Option<Said>,
    /// The answer to HELO, here where EHLO was refused, or else on another connection; the error
    /// tells why there is none.
    pub(crate) helo: Option<Result<Said, String>>,
    pub(crate) tls: Upgrade,
    /// Why the session did not come to its end.
    pub(crate) broken: Option<String>,
}

/// What became of TLS.
pub(crate) enum Upgrade {
    /// It was not to be tried, or it did not come to that.
    Untried,
    NotOffered,
    Refused(Said),
    Failed(String),
    Established(Tls),
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
        greeting,
        ehlo: None,
        ehlo_in_tls: None,
        helo: None,
        tls: Upgrade::Untried,
        broken: None,
    };
    if let Some(tls) = session.tls.take() {
        heard.tls = Upgrade::Established(tls);
    }
    heard.broken = session.extended(target, &mut heard).await.err();
    drop(session);
    let is_open = heard.greeting.code == Code::SERVICE_READY;
    if is_open && heard.helo.is_none() && target.may_say_helo() {
        heard.helo = Some(plain(target).await);
    }
    Ok(heard)
}

/// Greeting, HELO, QUIT, on a connection of its own: the answer to HELO.
async fn plain(target: &Target) -> Result<Said, String> {
    let (mut session, greeting) = Session::open(target).await?;
    if greeting.code != Code::SERVICE_READY {
        return Err(format!("the server greeted the second connection with {greeting}"));
    }
    let said = session.ask(&Command::Helo(name(target)?)).await?;
    // Nothing depends on how it ends.
    let _ = session.ask(&Command::Quit).await;
    Ok(said)
}

struct Session {
    connection: Connection<MaybeTls<TcpStream>, Client>,
    peer: SocketAddr,
    local: SocketAddr,
    /// Of a connection that is inside TLS from its first octet.
    tls: Option<Tls>,
    patience: Duration,
}

impl Session {
    /// Connects, and reads the greeting.
    async fn open(target: &Target) -> Result<(Self, Said), String> {
        let (stream, peer) = connect(target).await?;
        let local = stream.local_addr().map_err(|error| error.to_string())?;
        let implicit_tls = target.tls == TlsMode::Implicit;
        let config = ClientConfig { implicit_tls, ..ClientConfig::DEFAULT };
        let (stream, tls) = if implicit_tls {
            let handshake = connector()?.connect(target.server_name.clone(), stream);
            let stream = within(target.patience, handshake).await;
            let stream = stream.map_err(|error| format!("TLS with {peer}: {error}"))?;
            let stream = Box::new(TlsStream::Client(stream));
            let tls = Tls::of(&stream);
            (MaybeTls::Tls(stream), Some(tls))
        } else {
            (MaybeTls::Clear(stream), None)
        };
        let connection = Connection::new(stream, Client::new(config));
        let mut session = Self { connection, peer, local, tls, patience: target.patience };
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
        if matches!(heard.tls, Upgrade::Failed(_)) {
            return Ok(());
        }
        self.ask(&Command::Quit).await.map(drop)
    }

    async fn greet(&mut self, target: &Target, heard: &mut Heard) -> Result<(), String> {
        let ehlo = Command::Ehlo(name(target)?);
        let said = self.ask(&ehlo).await?;
        if self.connection.endpoint().machine().is_tls() {
            heard.ehlo_in_tls = Some(said);
        } else {
            heard.ehlo = Some(said);
        }
        if !self.connection.endpoint().machine().is_extended() {
            // RFC 5321 §3.2: a client falls back to HELO when EHLO is refused.
            if target.may_say_helo() {
                heard.helo = Some(Ok(self.ask(&Command::Helo(name(target)?)).await?));
            }
        } else if matches!(target.tls, TlsMode::Opportunistic | TlsMode::Require) {
            heard.tls = self.start_tls(target).await?;
            if matches!(heard.tls, Upgrade::Established(_)) {
                // RFC 3207 §4.2: what was said before is forgotten.
                heard.ehlo_in_tls = Some(self.ask(&ehlo).await?);
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
        let connector = connector()?;
        let handshake = self.connection.connect_tls(&connector, target.server_name.clone());
        if let Err(error) = within(self.patience, handshake).await {
            return Ok(Upgrade::Failed(printable(&error.to_string())));
        }
        Ok(match self.connection.stream() {
            MaybeTls::Tls(stream) => Upgrade::Established(Tls::of(stream)),
            _ => Upgrade::Failed("no TLS after the handshake".to_owned()),
        })
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
            match turn.map_err(|error| error.to_string())?.event {
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
                        "the server said what nobody had asked: {}",
                        Said::from(&reply)
                    ));
                }
                Event::Violation(error) => return Err(format!("not a reply of SMTP: {error}")),
                Event::StartTls | Event::Closed => return Err("the session is over".to_owned()),
            }
        }
    }
}

impl Said {
    pub(crate) fn is_ok(&self) -> bool {
        self.code.severity() == Severity::PositiveCompletion
    }

    /// The lines after the first: the keywords of an answer to EHLO.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.lines.iter().map(Vec::as_slice);
        lines.skip(1).filter(|_| self.is_ok())
    }
}

impl From<&Reply<'_>> for Said {
    fn from(reply: &Reply<'_>) -> Self {
        Self {
            code: reply.code(),
            enhanced: reply.enhanced_code(),
            domain: reply.domain().map(str::to_owned),
            lines: reply.lines().map(<[u8]>::to_vec).collect(),
        }
    }
}

/// On one line, as it may be printed.
impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (i, line) in self.lines.iter().enumerate() {
            let line = printable(&String::from_utf8_lossy(line));
            write!(f, "{}{line}", if i == 0 { " " } else { " / " })?;
        }
        Ok(())
    }
}

/// Any certificate will do, so that there is something to report: nothing secret is sent here.
fn connector() -> Result<TlsConnector, String> {
    let config = trusting_anybody().map_err(|error| error.to_string())?;
    Ok(TlsConnector::from(Arc::new(config)))
}

fn name(target: &Target) -> Result<ClientName<'_>, String> {
    ClientName::new(&target.helo).map_err(|error| error.to_string())
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
            Err(error) => last = format!("cannot connect to {address}: {error}"),
        }
    }
    Err(last)
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {patience:?}")))
    })
}
