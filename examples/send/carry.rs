//! Puts the conversation on a socket: by blocking calls, by tokio, or by futures-io.
//!
//! There is one connection and nothing else to do, so the content may be read by blocking calls.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use ehlo::Ended;
use ehlo::delivery::Delivery;
use ehlo_blocking::MaybeTls;
use futures_rustls::TlsConnector as FuturesConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector as TokioConnector;

use crate::arguments::{Arguments, Tls};
use crate::session::Session;

/// Where the server is, and how it is known to be the right one.
pub(crate) struct Way {
    host: String,
    port: u16,
    /// TLS begins with the first octet.
    implicit: bool,
    tls: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Way {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, String> {
        let tls = if arguments.verifies() {
            ehlo_examples::tls::trusting(arguments.ca.as_deref())?
        } else {
            ehlo_examples::tls::trusting_anybody().map_err(|error| error.to_string())?
        };
        let host = arguments.server.host.clone();
        let name = ServerName::try_from(host.clone());
        Ok(Self {
            name: name.map_err(|_| format!("{host} is neither a name nor an address"))?,
            host,
            port: arguments.port()?,
            implicit: arguments.tls == Tls::Implicit,
            tls: Arc::new(tls),
        })
    }

    /// An address of the server; of those that it has, one on another machine.
    pub(crate) fn server(&self) -> Result<SocketAddr, String> {
        let resolved = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<_> = resolved.map_err(|error| self.failed(&error))?.collect();
        let remote = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback());
        let none = || self.failed(&io::ErrorKind::AddrNotAvailable.into());
        remote.or_else(|| addresses.first()).copied().ok_or_else(none)
    }

    fn failed(&self, error: &io::Error) -> String {
        let colons = self.host.contains(':');
        let (open, close) = if colons { ("[", "]") } else { ("", "") };
        format!("cannot connect to {open}{}{close}:{}: {error}", self.host, self.port)
    }
}

/// On `std::net`.
pub(crate) fn blocking<'v>(
    way: &Way,
    delivery: Delivery<'v>,
    session: &mut Session<'v>,
) -> Result<(), String> {
    let connect = || {
        let stream = connect(way)?;
        ehlo_blocking::prepare(&stream)?;
        if way.implicit {
            MaybeTls::connect(stream, way.tls.clone(), way.name.clone())
        } else {
            Ok(MaybeTls::Clear(stream))
        }
    };
    let stream = connect().map_err(|error| way.failed(&error))?;
    let mut connection = ehlo_blocking::Connection::new(stream, delivery);
    let delivered = connection.deliver_tls(&mut *session, &way.tls, &way.name);
    heard(delivered, session);
    Ok(())
}

/// On tokio.
pub(crate) fn tokio<'v>(
    way: &Way,
    delivery: Delivery<'v>,
    session: &mut Session<'v>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| way.failed(&error))?.block_on(async {
        let connector = TokioConnector::from(way.tls.clone());
        let connect = async {
            let stream = tokio::net::TcpStream::connect((way.host.as_str(), way.port)).await?;
            stream.set_nodelay(true)?;
            if !way.implicit {
                return Ok(ehlo_tokio::MaybeTls::Clear(stream));
            }
            let stream = connector.connect(way.name.clone(), stream).await?;
            Ok(ehlo_tokio::MaybeTls::Tls(Box::new(stream.into())))
        };
        let stream = tokio::time::timeout(CONNECT, connect).await;
        let stream = stream.map_err(io::Error::from).flatten().map_err(|e| way.failed(&e))?;
        let mut connection = ehlo_tokio::Connection::new(stream, delivery);
        let (time, name) = (tokio::time::sleep, way.name.clone());
        let delivered = connection.deliver_tls(&mut *session, time, &connector, name).await;
        heard(delivered, session);
        Ok(())
    })
}

/// On futures-io: smol's sockets here, async-std's would do as well.
pub(crate) fn async_std<'v>(
    way: &Way,
    delivery: Delivery<'v>,
    session: &mut Session<'v>,
) -> Result<(), String> {
    smol::block_on(async {
        let connector = FuturesConnector::from(way.tls.clone());
        let connect = async {
            let stream = smol::net::TcpStream::connect((way.host.as_str(), way.port)).await?;
            stream.set_nodelay(true)?;
            if !way.implicit {
                return Ok(ehlo_async_std::MaybeTls::Clear(stream));
            }
            let stream = connector.connect(way.name.clone(), stream).await?;
            Ok(ehlo_async_std::MaybeTls::Tls(Box::new(stream.into())))
        };
        let too_late = async {
            sleep(CONNECT).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        let stream = smol::future::or(connect, too_late).await;
        let stream = stream.map_err(|error| way.failed(&error))?;
        let mut connection = ehlo_async_std::Connection::new(stream, delivery);
        let (session_time, name) = (sleep, way.name.clone());
        let delivered = connection.deliver_tls(&mut *session, session_time, &connector, name);
        heard(delivered.await, session);
        Ok(())
    })
}

/// How the conversation ended. An early end is in the report already: it hears every event, and knows
/// how many messages are left.
fn heard(delivered: io::Result<Ended>, session: &mut Session<'_>) {
    if let Err(error) = delivered {
        session.broken(&error);
    }
}

async fn sleep(time: Duration) {
    smol::Timer::after(time).await;
}

/// Tries each address of the server. RFC 5321 says nothing of how long.
fn connect(way: &Way) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in (way.host.as_str(), way.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

const CONNECT: Duration = Duration::from_secs(30);
