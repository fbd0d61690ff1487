//! Where clients connect: a TCP port or a Unix socket.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use crate::client::Origin;

/// The value of `--listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A socket that takes connections.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, PathBuf),
}

/// A connection to one of them.
#[cfg(unix)]
pub(crate) type Stream = tokio_util::either::Either<TcpStream, UnixStream>;
#[cfg(not(unix))]
pub(crate) type Stream = TcpStream;

impl Listener {
    pub(crate) async fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => Ok(Self::Tcp(TcpListener::bind(address).await?)),
            #[cfg(unix)]
            Listen::Unix(path) => {
                bind_unix(path).map(|listener| Self::Unix(listener, path.clone()))
            }
            #[cfg(not(unix))]
            Listen::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The next connection. The address of a client on this machine is 127.0.0.1:0.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            #[cfg(unix)]
            Self::Tcp(listener) => {
                listener.accept().await.map(|(stream, address)| (Stream::Left(stream), address))
            }
            #[cfg(not(unix))]
            Self::Tcp(listener) => listener.accept().await,
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Right(stream), (Ipv4Addr::LOCALHOST, 0).into()))
            }
        }
    }

    /// Where it listens, as `--listen` has it.
    pub(crate) fn address(&self) -> io::Result<Listen> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
            #[cfg(unix)]
            Self::Unix(_, path) => Ok(Listen::Unix(path.clone())),
        }
    }
}

#[cfg(unix)]
impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Where the client at the other end of `stream` is.
pub(crate) fn origin(stream: &Stream, address: SocketAddr) -> Origin {
    match stream {
        #[cfg(unix)]
        Stream::Right(_) => Origin::Local,
        _ => address.into(),
    }
}

/// The TCP connection, if it is one.
pub(crate) fn tcp(stream: &mut Stream) -> Option<&mut TcpStream> {
    #[cfg(unix)]
    match stream {
        Stream::Left(stream) => Some(stream),
        Stream::Right(_) => None,
    }
    #[cfg(not(unix))]
    Some(stream)
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some("") => Err("a path behind unix:"),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| "ADDR:PORT, [IPV6]:PORT or unix:PATH"),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Binds a socket; one that a server left behind is replaced, one that is in use is not.
#[cfg(unix)]
fn bind_unix(path: &std::path::Path) -> io::Result<UnixListener> {
    use std::os::unix::net::UnixStream as Probe;

    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
            if !Probe::connect(path).is_err_and(refused) {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    }
}
