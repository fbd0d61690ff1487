//! Where the server is, and the connection to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ehlo_apps::cause::cause;

use crate::arguments::Arguments;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Tcp { host: String, port: Option<u16> },
    Unix(PathBuf),
}

impl Server {
    /// The same with this port.
    pub(crate) fn with_port(&self, port: Option<u16>) -> Self {
        match self {
            Self::Tcp { host, .. } => Self::Tcp { host: host.clone(), port },
            Self::Unix(path) => Self::Unix(path.clone()),
        }
    }

    /// The name that a certificate must be for.
    pub(crate) fn name(&self) -> &str {
        match self {
            // RFC 6066 §3: "without a trailing dot".
            Self::Tcp { host, .. } => host.strip_suffix('.').unwrap_or(host),
            Self::Unix(_) => "localhost",
        }
    }
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("a path behind unix:")
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or("no ] behind the address")?;
                (host, if rest.is_empty() { None } else { Some(rest) })
            }
            // An IPv6 address without brackets has no room for a port.
            None if text.matches(':').count() > 1 => (text, None),
            None => text.find(':').map_or((text, None), |at| {
                let (host, port) = text.split_at(at);
                (host, Some(port))
            }),
        };
        if host.is_empty() {
            return Err("no host: HOST, HOST:PORT, [IPV6]:PORT or unix:PATH");
        }
        let port = port.map(|port| {
            let number = port.strip_prefix(':').and_then(|number| number.parse().ok());
            number.filter(|number| *number > 0).ok_or("no port number behind the host")
        });
        Ok(Self::Tcp { host: host.to_owned(), port: port.transpose()? })
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (host, port) = match self {
            Self::Tcp { host, port } => (host, port),
            Self::Unix(path) => return write!(f, "unix:{}", path.display()),
        };
        match port {
            Some(port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(host),
        }
    }
}

/// A server to try.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) server: Server,
    /// The address of a mail exchange; others are looked up.
    pub(crate) address: Option<IpAddr>,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)?;
        match self.address {
            Some(address) => write!(f, " at {address}"),
            None => Ok(()),
        }
    }
}

/// A connection that was made.
pub(crate) struct Link {
    pub(crate) stream: Stream,
    /// The server's address; of a server on this machine a loopback address.
    pub(crate) server: IpAddr,
    /// The address that this connection comes from.
    pub(crate) local: Option<IpAddr>,
}

pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Link {
    /// Connects to the server, in the time that the command line gives.
    ///
    /// # Errors
    ///
    /// Where it cannot connect, and why.
    pub(crate) fn open(arguments: &Arguments, target: &Target) -> Result<Self, String> {
        let limit = arguments.timeout.map_or(CONNECT, |limit| CONNECT.min(limit));
        let failed = |error: &io::Error| format!("cannot connect to {target}: {}", cause(error));
        match &target.server {
            Server::Tcp { host, .. } => {
                let port = arguments.port()?;
                let addresses = match target.address {
                    Some(address) => Ok(vec![SocketAddr::new(address, port)]),
                    None => (host.as_str(), port).to_socket_addrs().map(Iterator::collect),
                };
                let tried = addresses.and_then(|addresses| Self::tcp(&addresses, limit));
                tried.map_err(|error| failed(&error))
            }
            #[cfg(unix)]
            Server::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(|error| failed(&error))?;
                let server = Ipv4Addr::LOCALHOST.into();
                Ok(Self { stream: Stream::Unix(stream), server, local: Some(server) })
            }
            #[cfg(not(unix))]
            Server::Unix(_) => Err(failed(&io::ErrorKind::Unsupported.into())),
        }
    }

    /// Tries each address.
    fn tcp(addresses: &[SocketAddr], limit: Duration) -> io::Result<Self> {
        let mut last = io::Error::other("the host has no address");
        for address in addresses {
            match TcpStream::connect_timeout(address, limit) {
                Ok(stream) => {
                    let local = stream.local_addr().ok().map(|address| address.ip());
                    return Ok(Self { stream: Stream::Tcp(stream), server: address.ip(), local });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// RFC 5321 says nothing of how long a connection may take.
const CONNECT: Duration = Duration::from_secs(30);
