//! A wait is for an event, not for a byte: without TLS, in a handshake and inside a record of TLS.

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{io, thread};

use ehlo::machine::{Machine, PlaintextInjection, Received, Upgrade, Wants};
use ehlo::{Server, ServerConfig, server};
use ehlo_blocking::Connection;

/// A server that is in a hurry.
struct Hurried(Server);

impl Hurried {
    /// One that has greeted.
    fn new(config: ServerConfig) -> Self {
        let mut server = Server::new(config);
        assert_eq!(server.receive(b"").event, server::Event::Greeting);
        let greeting = server.standard_reply("mx.example");
        server.reply(&greeting, &mut [0; 512]).expect("room");
        Self(server)
    }
}

impl Machine for Hurried {
    type Event<'i> = server::Event<'i>;

    fn wants(&mut self, input: &[u8]) -> Wants {
        self.0.wants(input)
    }

    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Self::Event<'i>> {
        self.0.receive(input)
    }

    fn end_of_input(&mut self) {
        self.0.end_of_input();
    }

    fn is_at_end(&self) -> bool {
        self.0.is_at_end()
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(50)
    }
}

impl Upgrade for Hurried {
    fn awaits_tls(&self) -> bool {
        self.0.awaits_tls()
    }

    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        Upgrade::tls_established(&mut self.0, leftover)
    }
}

/// A socket of a server, and a client that sends `bytes` one by one, each well before a read times out,
/// for as long as the server is there.
fn dripping(
    bytes: impl Iterator<Item = u8> + Send + 'static,
) -> io::Result<(TcpStream, thread::JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (stream, _) = listener.accept()?;
    ehlo_blocking::configure_tcp(&stream)?;
    let dripping = thread::spawn(move || {
        for byte in bytes {
            if client.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
    Ok((stream, dripping))
}

/// The line never ends.
#[test]
fn v98_a_client_that_drips_is_left() -> io::Result<()> {
    let (stream, dripping) = dripping(std::iter::repeat(b'x'))?;
    let mut connection = Connection::new(stream, Hurried::new(ServerConfig::DEFAULT));
    let error = connection.next().err().map(|error| error.kind());
    drop(connection);
    dripping.join().expect("it ends with the connection");
    assert_eq!(error, Some(ErrorKind::TimedOut));
    Ok(())
}

/// The handshake has begun, and its message is as long as one may be.
#[cfg(feature = "rustls")]
#[test]
fn v98_a_client_that_drips_a_handshake_is_left() -> io::Result<()> {
    use ehlo_blocking::{TlsConnection, rustls};

    let resolver = rustls::server::ResolvesServerCertUsingSni::new();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = std::sync::Arc::new(config.with_cert_resolver(std::sync::Arc::new(resolver)));
    // RFC 8446 §5.1 and §4: a record with the beginning of a ClientHello.
    let hello = [22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3];
    let (stream, dripping) = dripping(hello.into_iter().chain(std::iter::repeat_n(0, 16_000)))?;
    let server = ServerConfig { implicit_tls: true, ..ServerConfig::DEFAULT };
    let mut connection = TlsConnection::new(stream.into(), Hurried::new(server));
    let error = connection.implicit_tls(&config).err().map(|error| error.kind());
    drop(connection);
    dripping.join().expect("it ends with the connection");
    assert_eq!(error, Some(ErrorKind::TimedOut));
    Ok(())
}

/// A stream that takes nothing is broken, and not to be waited for.
#[cfg(feature = "rustls")]
#[test]
fn a_handshake_over_a_stream_that_takes_nothing_ends() {
    use ehlo_blocking::{Connector, Tls, rustls::RootCertStore};

    struct Full;

    impl io::Read for Full {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let connector = Connector::trusting(RootCertStore::empty(), "mx.example").expect("a name");
    let error = Tls::handshake(Full, &connector).err().map(|error| error.kind());
    assert_eq!(error, Some(ErrorKind::WriteZero));
}

/// To wait for content is not to wait for the peer: a reader that has none now has failed.
#[test]
fn content_that_cannot_be_read_is_an_error() {
    use ehlo_io::ContentReader;
    use std::task::{Context, Poll, Waker};

    struct Late(ErrorKind);

    impl io::Read for Late {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
    }

    for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
        let mut context = Context::from_waker(Waker::noop());
        let read = ehlo_blocking::BlockingIo::read(&mut Late(kind), &mut context, &mut [0; 8]);
        assert!(matches!(read, Poll::Ready(Err(error)) if error.kind() == kind), "{kind}");
    }
}
