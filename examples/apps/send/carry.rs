//! Puts the conversation on a socket: by blocking calls, by tokio, or by futures-io.
//!
//! There is one connection and nothing else to do, so the content may be read by blocking calls.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use ehlo::Delivery;
use ehlo_apps::tls::authorities;
use ehlo_io::SessionEnd;
use ehlo_tokio::Connector;

use crate::arguments::{Arguments, Tls};
use crate::session::Session;

/// Where the server is, and how it is known to be the right one.
pub(crate) struct Way {
    host: String,
    port: u16,
    /// TLS begins with the first octet.
    implicit: bool,
    tls: Connector,
}

impl Way {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, String> {
        let host = arguments.server.host.clone();
        let tls = match &arguments.ca {
            _ if !arguments.verifies() => Connector::unverified(&host),
            Some(file) => Connector::trusting(authorities(file)?, &host),
            None => Connector::new(&host),
        }
        .map_err(|error| format!("{host}: {error}"))?;
        Ok(Self { host, port: arguments.port()?, implicit: arguments.tls == Tls::Implicit, tls })
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
        ehlo_blocking::configure_tcp(&stream)?;
        let mut connection =
            ehlo_blocking::TlsConnection::new(ehlo_blocking::MaybeTls::Clear(stream), delivery);
        if way.implicit {
            connection.implicit_tls(&way.tls)?;
        }
        Ok(connection)
    };
    let mut connection = connect().map_err(|error: io::Error| way.failed(&error))?;
    heard(connection.deliver_tls(&mut *session, &way.tls), session);
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
        let connect = async {
            let stream = tokio::net::TcpStream::connect((way.host.as_str(), way.port)).await?;
            stream.set_nodelay(true)?;
            let mut connection =
                ehlo_tokio::TlsConnection::new(stream.into(), delivery, tokio::time::sleep);
            if way.implicit {
                connection.implicit_tls(&way.tls).await?;
            }
            Ok(connection)
        };
        let connection = tokio::time::timeout(CONNECT, connect).await;
        let mut connection =
            connection.map_err(io::Error::from).flatten().map_err(|e| way.failed(&e))?;
        heard(connection.deliver_tls(&mut *session, &way.tls).await, session);
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
        let connect = async {
            let stream = smol::net::TcpStream::connect((way.host.as_str(), way.port)).await?;
            stream.set_nodelay(true)?;
            let stream = ehlo_async_std::MaybeTls::Clear(stream);
            let timer = smol::Timer::after;
            let mut connection = ehlo_async_std::TlsConnection::new(stream, delivery, timer);
            if way.implicit {
                connection.implicit_tls(&way.tls).await?;
            }
            Ok(connection)
        };
        let too_late = async {
            smol::Timer::after(CONNECT).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        let connection = smol::future::or(connect, too_late).await;
        let mut connection = connection.map_err(|error| way.failed(&error))?;
        heard(connection.deliver_tls(&mut *session, &way.tls).await, session);
        Ok(())
    })
}

/// How the conversation ended. An early end is in the report already: it hears every event, and knows
/// how many messages are left.
fn heard(delivered: io::Result<SessionEnd>, session: &mut Session<'_>) {
    if let Err(error) = delivered {
        session.broken(&error);
    }
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
