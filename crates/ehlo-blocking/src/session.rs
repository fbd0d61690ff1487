//! Whole sessions on a blocking stream: a handler serves one, and a client keeps one. Each call is that of
//! [`ehlo_io`], and blocks.

use std::io;
use std::net::IpAddr;

use ehlo::{Delivery, Envelope, Server};
use ehlo_io::{ContentReader, Handler, RecipientReport, SendFailure, Shutdown, StreamIo};
use ehlo_sasl::Credentials;

use crate::connection::BlockingConnection;
use crate::socket::{SystemClock, block_on};

/// A session that is kept between messages: [`ehlo_io::Session`], whose calls block.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath};
/// use ehlo_blocking::{BlockingSession, Connection};
/// # use std::io::{Read, Result, Write};
/// # struct Replies(std::vec::IntoIter<&'static str>);
/// # impl Read for Replies {
/// #     fn read(&mut self, out: &mut [u8]) -> Result<usize> {
/// #         self.0.next().map_or(Ok(0), |reply| reply.as_bytes().read(out))
/// #     }
/// # }
/// # impl Write for Replies {
/// #     fn write(&mut self, bytes: &[u8]) -> Result<usize> { Ok(bytes.len()) }
/// #     fn flush(&mut self) -> Result<()> { Ok(()) }
/// # }
/// # let ok = "250 2.0.0 ok\r\n";
/// # let message = [ok, ok, "354 go on\r\n", "250 2.0.0 queued as 17\r\n"];
/// # let all = [&["220 mx.example\r\n", "250 mx.example\r\n"][..], &message, &message].concat();
/// # let stream = Replies(all.into_iter());
///
/// let delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::DEFAULT);
/// let mut session = BlockingSession::open(Connection::new(stream, delivery), None)?;
/// for address in ["b@example.org", "c@example.org"] {
///     let recipients = [ForwardPath::new(address)?];
///     let envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
///     let reports = session.send(&envelope, &b"Subject: x\r\n\r\nHello!\r\n"[..])?;
///     assert_eq!(reports[0].text.as_deref(), Some("queued as 17"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[doc(alias = "pool")]
pub struct BlockingSession<S, A>(ehlo_io::Session<S, A, SystemClock>);

impl<S, A: StreamIo<S>> BlockingSession<S, A> {
    /// Begins the session of a new connection: [`ehlo_io::Session::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open<'v>(
        connection: BlockingConnection<S, Delivery<'v>, A>,
        credentials: Option<Credentials<'v>>,
    ) -> Result<Self, SendFailure> {
        block_on(ehlo_io::Session::open(connection.0, credentials)).map(Self)
    }

    /// Keeps the session of a connection idle: [`ehlo_io::Session::new`].
    ///
    /// # Errors
    ///
    /// As there.
    #[allow(clippy::result_large_err)] // it is the connection itself
    pub fn new(
        connection: BlockingConnection<S, Delivery<'_>, A>,
    ) -> Result<Self, BlockingConnection<S, Delivery<'_>, A>> {
        ehlo_io::Session::new(connection.0).map(Self).map_err(BlockingConnection)
    }

    /// Sends one message: [`ehlo_io::Session::send`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send<R>(
        &mut self,
        envelope: &Envelope<'_>,
        content: R,
    ) -> Result<Vec<RecipientReport>, SendFailure>
    where
        A: ContentReader<R>,
    {
        block_on(self.0.send(envelope, content))
    }

    /// Says NOOP: [`ehlo_io::Session::check`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check(&mut self) -> Result<(), SendFailure> {
        block_on(self.0.check())
    }

    /// Ends the session by QUIT: [`ehlo_io::Session::quit`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn quit(self) -> io::Result<()> {
        block_on(self.0.quit())
    }

    /// Whether the session takes another message, as far as is known.
    pub const fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// Why the session ended while a message was sent.
    pub const fn end(&self) -> Option<&SendFailure> {
        self.0.end()
    }

    /// The connection, idle; `None` when the session is over.
    pub fn into_connection(self) -> Option<BlockingConnection<S, Delivery<'static>, A>> {
        self.0.into_connection().map(BlockingConnection)
    }
}

impl<S, A: StreamIo<S>> BlockingConnection<S, Server, A> {
    /// Serves a session: [`ehlo_io::Connection::handle`]. The methods of `handler` may block.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle<H: Handler>(
        &mut self,
        handler: &mut H,
        peer: Option<IpAddr>,
        shutdown: &mut Shutdown,
        host: &str,
    ) -> io::Result<()> {
        block_on(self.0.handle(handler, peer, shutdown, host))
    }
}

#[cfg(feature = "rustls")]
impl<S: io::Read + io::Write>
    BlockingSession<crate::MaybeTls<S>, ehlo_io::MaybeTlsIo<crate::BlockingIo>>
{
    /// Begins the session of a new connection, and goes on inside TLS when the delivery says so:
    /// [`ehlo_io::Session::open_tls`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_tls<'v, W>(
        connection: crate::TlsConnection<S, Delivery<'v>>,
        credentials: Option<Credentials<'v>>,
        with: &W,
    ) -> Result<Self, SendFailure>
    where
        crate::BlockingIo: ehlo_io::TlsHandshake<S, W, Tls = crate::Tls<S>>,
    {
        block_on(ehlo_io::Session::open_tls(connection.0, credentials, with)).map(Self)
    }
}

#[cfg(feature = "rustls")]
impl<S: io::Read + io::Write> crate::TlsConnection<S, Server> {
    /// Serves a session, and goes on inside TLS when the client says STARTTLS:
    /// [`ehlo_io::Connection::handle_tls`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_tls<H: Handler, W>(
        &mut self,
        handler: &mut H,
        peer: Option<IpAddr>,
        shutdown: &mut Shutdown,
        host: &str,
        with: &W,
    ) -> io::Result<()>
    where
        crate::BlockingIo: ehlo_io::TlsHandshake<S, W, Tls = crate::Tls<S>>,
    {
        block_on(self.0.handle_tls(handler, peer, shutdown, host, with))
    }
}
