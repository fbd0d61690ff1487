//! A server on a port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ehlo::Server;
use ehlo_blocking::configure_tcp;

use crate::error::MockError;
use crate::mock::Mock;
use crate::session::{Flow, Session};
use crate::shared::Shared;

/// A server on a port of this host, with a thread that listens and one for each session. It has the methods
/// of [`Mock`], which say what was received. When it is dropped, it closes its connections and stops.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::net::TcpStream;
/// use ehlo_mock::MockServer;
///
/// let server = MockServer::smtp().start()?;
/// let mut stream = BufReader::new(TcpStream::connect(server.address())?);
/// let mut greeting = String::new();
/// stream.read_line(&mut greeting)?;
/// assert_eq!(greeting, "220 mock.example ESMTP ready\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MockServer {
    mock: Mock,
    address: SocketAddr,
    listening: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that has signed the server's, for `localhost`, 127.0.0.1 and `::1`.
    /// Both are made for this server. `None` without TLS.
    #[cfg(feature = "rustls")]
    pub fn root_certificate(&self) -> Option<rustls::pki_types::CertificateDer<'static>> {
        Some(self.mock.0.tls.as_ref()?.root.clone())
    }

    /// The same as PEM, for a file.
    #[cfg(feature = "rustls")]
    pub fn root_pem(&self) -> Option<&str> {
        Some(&self.mock.0.tls.as_ref()?.root_pem)
    }

    /// What an adapter of ehlo connects with: it trusts the server's authority alone. `None` without TLS.
    #[cfg(feature = "rustls")]
    pub fn connector(&self) -> Option<ehlo_rustls::Connector> {
        Some(self.mock.0.tls.as_ref()?.connector.clone())
    }

    pub(crate) fn start(mock: Mock, address: SocketAddr) -> Result<Self, MockError> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::clone(&mock.0);
        let thread = thread::Builder::new().name("ehlo-mock".to_owned());
        let listening = Some(thread.spawn(move || listen(&listener, &shared))?);
        Ok(Self { mock, address, listening })
    }
}

impl Deref for MockServer {
    type Target = Mock;

    fn deref(&self) -> &Mock {
        &self.mock
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.mock.0.stop();
        // `accept` returns.
        let _ = TcpStream::connect_timeout(&reachable(self.address), Duration::from_secs(1));
        if let Some(listening) = self.listening.take() {
            // A panic there has been told.
            let _ = listening.join();
        }
    }
}

/// Where a client on this host connects to a server of this address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(any) if any.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(any) if any.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Accepts connections until the server is dropped, and waits for the end of their threads.
fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    thread::scope(|scope| {
        for number in 0.. {
            let accepted = listener.accept();
            let mut state = shared.lock();
            if state.is_over {
                return;
            }
            match accepted.and_then(|(socket, _)| Ok((socket.try_clone()?, socket))) {
                Ok((clone, socket)) => {
                    state.sockets.insert(number, clone);
                    drop(state);
                    scope.spawn(move || {
                        if let Err(error) = serve(socket, shared) {
                            shared.fail(format_args!("a session broke off: {error}"));
                        }
                        shared.lock().sockets.remove(&number);
                    });
                }
                Err(error) => {
                    drop(state);
                    shared.fail(format_args!("a connection was not accepted: {error}"));
                    // The system may be short of something that comes back.
                    thread::sleep(Duration::from_millis(10));
                }
            }
        }
    });
}

#[cfg(feature = "rustls")]
type Connection = ehlo_blocking::TlsConnection<TcpStream, Server>;
#[cfg(not(feature = "rustls"))]
type Connection = ehlo_blocking::Connection<TcpStream, Server>;

fn serve(socket: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    configure_tcp(&socket)?;
    let breaks = socket.try_clone()?;
    #[cfg_attr(not(feature = "rustls"), allow(clippy::useless_conversion))]
    let mut connection = Connection::new(socket.into(), Server::new(shared.config));
    let mut session = Session::new(Arc::clone(shared));
    #[cfg(feature = "rustls")]
    if let Some(tls) = shared.tls.as_ref().filter(|_| shared.config.implicit_tls) {
        connection.implicit_tls(&tls.server)?;
        session.tls = true;
    }
    loop {
        match session.answer(connection.next()?)? {
            Flow::Next => {}
            Flow::StartTls => start_tls(&mut connection, &mut session)?,
            Flow::Over => return connection.close(),
            Flow::Disconnect => {
                // Earlier replies are not lost.
                let flushed = connection.flush();
                let _ = breaks.shutdown(Shutdown::Both);
                return flushed;
            }
        }
    }
}

#[cfg(feature = "rustls")]
fn start_tls(connection: &mut Connection, session: &mut Session) -> io::Result<()> {
    let shared = Arc::clone(&session.shared);
    let tls = shared.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
    connection.start_tls(&tls.server)?;
    session.begin_tls();
    Ok(())
}

#[cfg(not(feature = "rustls"))]
fn start_tls(_: &mut Connection, _: &mut Session) -> io::Result<()> {
    // It is not offered.
    Err(io::ErrorKind::Unsupported.into())
}
