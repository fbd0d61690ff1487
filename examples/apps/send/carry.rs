//! Puts the conversation on a socket: by blocking calls, by tokio, or by futures-io.
//!
//! There is one connection and nothing else to do, so it is made, and the content is read, by blocking
//! calls.

use std::io;

use ehlo::Delivery;
use ehlo_io::{SessionEnd, TimeLimits};
use ehlo_tokio::Connector;

use crate::arguments::Runtime;
use crate::link::{Link, Stream};
use crate::session::Session;

/// How a session is carried.
pub(crate) struct Carrier {
    pub(crate) runtime: Runtime,
    pub(crate) tls: Connector,
    /// TLS begins with the first byte.
    pub(crate) implicit: bool,
    pub(crate) limits: TimeLimits,
}

impl Carrier {
    /// Delivers the messages of `session` over `link`.
    pub(crate) fn deliver<'v>(
        &self,
        link: Link,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd> {
        match (self.runtime, link.stream) {
            (Runtime::Blocking, Stream::Tcp(stream)) => {
                ehlo_blocking::configure_tcp(&stream)?;
                self.blocking(stream, delivery, session)
            }
            #[cfg(unix)]
            (Runtime::Blocking, Stream::Unix(stream)) => {
                ehlo_blocking::configure_unix(&stream)?;
                self.blocking(stream, delivery, session)
            }
            (Runtime::Tokio, stream) => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(self.tokio(stream, delivery, session)),
            (Runtime::AsyncStd, stream) => {
                smol::block_on(self.async_std(stream, delivery, session))
            }
        }
    }

    /// On the sockets of std.
    fn blocking<'v, S>(
        &self,
        stream: S,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd>
    where
        S: io::Read + io::Write + ehlo_blocking::HalfClose,
    {
        let mut connection = ehlo_blocking::TlsConnection::new(stream.into(), delivery);
        connection.set_time_limits(self.limits);
        if self.implicit {
            connection.implicit_tls(&self.tls)?;
        }
        connection.deliver_tls(session, &self.tls)
    }

    /// On tokio.
    async fn tokio<'v>(
        &self,
        stream: Stream,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd> {
        match stream {
            Stream::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let stream = tokio::net::TcpStream::from_std(stream)?;
                self.on_tokio(stream, delivery, session).await
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                stream.set_nonblocking(true)?;
                let stream = tokio::net::UnixStream::from_std(stream)?;
                self.on_tokio(stream, delivery, session).await
            }
        }
    }

    async fn on_tokio<'v, S>(
        &self,
        stream: S,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let timer = tokio::time::sleep;
        let mut connection = ehlo_tokio::TlsConnection::new(stream.into(), delivery, timer);
        connection.set_time_limits(self.limits);
        if self.implicit {
            connection.implicit_tls(&self.tls).await?;
        }
        connection.deliver_tls(session, &self.tls).await
    }

    /// On futures-io: smol's sockets here, those of async-std would do as well.
    async fn async_std<'v>(
        &self,
        stream: Stream,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd> {
        match stream {
            Stream::Tcp(stream) => {
                stream.set_nodelay(true)?;
                let stream = smol::net::TcpStream::try_from(stream)?;
                self.on_futures_io(stream, delivery, session).await
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                let stream = smol::net::unix::UnixStream::try_from(stream)?;
                self.on_futures_io(stream, delivery, session).await
            }
        }
    }

    async fn on_futures_io<'v, S>(
        &self,
        stream: S,
        delivery: Delivery<'v>,
        session: &mut Session<'v, '_>,
    ) -> io::Result<SessionEnd>
    where
        S: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin,
    {
        let timer = smol::Timer::after;
        let mut connection = ehlo_async_std::TlsConnection::new(stream.into(), delivery, timer);
        connection.set_time_limits(self.limits);
        if self.implicit {
            connection.implicit_tls(&self.tls).await?;
        }
        connection.deliver_tls(session, &self.tls).await
    }
}
