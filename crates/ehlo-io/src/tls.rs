//! The upgrade of a connection to TLS, in both roles, with any TLS library.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll};
use std::io;

use ehlo::Delivery;
use ehlo::machine::{Machine, PlaintextInjection, Upgrade};

use crate::connection::Connection;
use crate::deliver::driver::{Driver, Step};
use crate::deliver::{MessageSource, SessionEnd};
use crate::error::TlsStateError;
use crate::stream::{ContentReader, ContentWriter, StreamIo};
use crate::time::{TimedOut, Timer};

/// A stream `S` in clear text that may become `T`, TLS on that stream.
///
/// ```
/// use ehlo_io::MaybeTls;
///
/// let stream = MaybeTls::<&str, String>::from("a stream");
/// assert!(matches!(stream, MaybeTls::Clear("a stream")) && !stream.is_tls());
/// ```
#[derive(Debug)]
pub enum MaybeTls<S, T> {
    /// The stream without TLS.
    Clear(S),
    /// TLS on the stream.
    Tls(Box<T>),
    /// No stream: a handshake failed, or its future was dropped.
    Gone,
}

impl<S, T> MaybeTls<S, T> {
    /// Returns `true` if it is inside TLS.
    pub const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// A stream in clear text.
impl<S, T> From<S> for MaybeTls<S, T> {
    fn from(stream: S) -> Self {
        Self::Clear(stream)
    }
}

/// The adapter `A`, for streams that may begin TLS.
///
/// ```
/// let adapter = ehlo_io::MaybeTlsIo::<u8>::default();
/// assert_eq!(format!("{adapter:?}"), "MaybeTlsIo(0)");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaybeTlsIo<A>(A);

/// An adapter that performs the TLS handshake on streams `S`, with the role and configuration in
/// `W`.
///
/// ```
/// use ehlo_io::TlsHandshake;
/// use std::io::{ErrorKind, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// /// Refuses every peer.
/// struct Recluse;
///
/// impl TlsHandshake<(), ()> for Recluse {
///     type Tls = ();
///
///     async fn handshake((): (), (): &()) -> Result<()> {
///         Err(ErrorKind::PermissionDenied.into())
///     }
/// }
///
/// let done = pin!(Recluse::handshake((), &())).poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(done, Poll::Ready(Err(_))));
/// # use std::future::Future;
/// ```
pub trait TlsHandshake<S, W> {
    /// The stream inside TLS.
    type Tls;

    /// Performs the handshake.
    ///
    /// # Errors
    ///
    /// Those of the handshake, such as a certificate that is not trusted.
    fn handshake(stream: S, with: &W) -> impl Future<Output = io::Result<Self::Tls>>;
}

/// An adapter that can inspect its streams `T`, which are TLS over `S`.
///
/// ```
/// use ehlo_io::TlsStreamInfo;
///
/// /// Has TLS 1.2 alone.
/// struct Old;
///
/// impl TlsStreamInfo<u8, (u8, &str)> for Old {
///     fn below<'t>(tls: &'t mut (u8, &str)) -> &'t mut u8 {
///         &mut tls.0
///     }
///     fn tls_exporter(_: &(u8, &str)) -> Option<[u8; 32]> {
///         None
///     }
/// }
///
/// assert_eq!(*Old::below(&mut (1, "a secret")), 1);
/// ```
pub trait TlsStreamInfo<S, T> {
    /// The stream below TLS.
    fn below(tls: &mut T) -> &mut S;

    /// The channel binding `tls-exporter` of RFC 9266; `None` before TLS 1.3.
    fn tls_exporter(tls: &T) -> Option<[u8; 32]>;
}

impl<S, L, M: Upgrade, A, T: Timer> Connection<MaybeTls<S, L>, M, MaybeTlsIo<A>, T>
where
    A: StreamIo<S> + StreamIo<L>,
{
    /// Continues inside TLS when the machine expects TLS; `with` is the configuration of the
    /// handshake. It is not cancel safe.
    ///
    /// # Errors
    ///
    /// `InvalidInput` with a [`TlsStateError`] if the machine does not expect TLS; the connection
    /// is then unchanged. Those of the handshake, `TimedOut` if it takes too long, and
    /// `InvalidData` with [`PlaintextInjection`] if plaintext arrived that should have come inside
    /// TLS; the connection is then unusable.
    #[doc(alias = "upgrade")]
    pub async fn start_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = L>,
    {
        if !self.endpoint().machine().awaits_tls() {
            return Err(TlsStateError::NotAgreed.into());
        }
        self.flush().await?;
        if !self.endpoint().unread_input().is_empty() {
            return Err(injected(PlaintextInjection));
        }
        self.secure(with).await?;
        self.endpoint().tls_established().map_err(injected)
    }

    /// Begins with TLS, before any byte is read or written, for a machine configured with
    /// `implicit_tls`. It is not cancel safe.
    ///
    /// # Errors
    ///
    /// `InvalidInput` with a [`TlsStateError`] if bytes were read, or wait to be written; the
    /// connection is then unchanged. Those of the handshake, and `TimedOut`; the connection is then
    /// unusable.
    pub async fn implicit_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = L>,
    {
        if !self.endpoint().unread_input().is_empty() {
            return Err(TlsStateError::AlreadyRead.into());
        }
        if !self.endpoint().output().is_empty() {
            return Err(TlsStateError::AlreadyWritten.into());
        }
        self.secure(with).await
    }

    async fn secure<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = L>,
    {
        let stream = match core::mem::replace(&mut self.stream, MaybeTls::Gone) {
            MaybeTls::Clear(stream) => stream,
            MaybeTls::Gone => return Err(TlsStateError::HandshakeFailed.into()),
            tls @ MaybeTls::Tls(_) => {
                self.stream = tls;
                return Err(TlsStateError::AlreadyTls.into());
            }
        };
        self.buffered.release_buffers();
        self.clock.restart();
        let (limit, clock) = (self.wait(), &mut self.clock);
        let mut handshake = pin!(A::handshake(stream, with));
        let tls = poll_fn(|context| match handshake.as_mut().poll(context) {
            Poll::Pending => clock.poll(context, limit).map(|()| Err(TimedOut.into())),
            done @ Poll::Ready(_) => done,
        })
        .await?;
        self.stream = MaybeTls::Tls(Box::new(tls));
        self.clock.restart();
        Ok(())
    }
}

impl<'v, S, L, A, T: Timer> Connection<MaybeTls<S, L>, Delivery<'v>, MaybeTlsIo<A>, T>
where
    A: StreamIo<S> + StreamIo<L> + TlsStreamInfo<S, L>,
{
    /// Delivers `messages` like [`deliver`](Self::deliver), and continues inside TLS when the
    /// machine expects it, like [`start_tls`](Self::start_tls). A SASL mechanism may be bound to
    /// the connection.
    ///
    /// # Errors
    ///
    /// Those of [`deliver`](Self::deliver). A failed handshake is not an error here:
    /// [`MessageSource::on_error`] gets it, and the session [ended early](SessionEnd::Early).
    pub async fn deliver_tls<X, R, W>(&mut self, messages: X, with: &W) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R> + TlsHandshake<S, W, Tls = L>,
    {
        self.drive_tls(&mut Driver::new(messages, A::read), with).await
    }

    /// Goes on, inside TLS where the machine says so, until the session is over or at rest.
    pub(crate) async fn drive_tls<X, R, W>(
        &mut self,
        driver: &mut Driver<'v, X, R>,
        with: &W,
    ) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: TlsHandshake<S, W, Tls = L>,
    {
        driver.bind(self.channel_binding());
        loop {
            if let Step::Closed(ended) = driver.run(self).await? {
                return Ok(ended);
            }
            match self.start_tls(with).await {
                Ok(()) => driver.bind(self.channel_binding()),
                Err(error) => {
                    driver.on_error(&error);
                    self.endpoint().machine_mut().tls_failed();
                }
            }
        }
    }
}

impl<S, L, A, T: Timer> Connection<MaybeTls<S, L>, ehlo::Server, MaybeTlsIo<A>, T>
where
    A: StreamIo<S> + StreamIo<L> + TlsStreamInfo<S, L>,
{
    /// Serves a session as [`handle`](Self::handle) does, and goes on inside TLS when the client says
    /// STARTTLS.
    ///
    /// # Errors
    ///
    /// As of [`handle`](Self::handle) and [`start_tls`](Self::start_tls).
    pub async fn handle_tls<H, W>(
        &mut self,
        handler: &mut H,
        peer: Option<core::net::IpAddr>,
        shutdown: &mut crate::Shutdown,
        host: &str,
        with: &W,
    ) -> io::Result<()>
    where
        H: crate::Handler,
        A: TlsHandshake<S, W, Tls = L>,
    {
        let mut session = crate::handle::Session::new(handler, peer);
        while session.run(self, shutdown, host).await? {
            self.start_tls(with).await?;
        }
        Ok(())
    }
}

impl<S, L, M: Machine, A: TlsStreamInfo<S, L>, T: Timer>
    Connection<MaybeTls<S, L>, M, MaybeTlsIo<A>, T>
{
    /// The channel binding `tls-exporter` of RFC 9266; `None` outside TLS 1.3.
    pub fn channel_binding(&self) -> Option<[u8; 32]> {
        match &self.stream {
            MaybeTls::Tls(tls) => A::tls_exporter(tls),
            _ => None,
        }
    }

    /// The stream in clear text, or the one below TLS; `None` after a failed handshake.
    pub fn below(&mut self) -> Option<&mut S> {
        match &mut self.stream {
            MaybeTls::Clear(stream) => Some(stream),
            MaybeTls::Tls(tls) => Some(A::below(tls)),
            MaybeTls::Gone => None,
        }
    }
}

impl<S, T, A: StreamIo<S> + StreamIo<T>> StreamIo<MaybeTls<S, T>> for MaybeTlsIo<A> {
    fn poll_read(
        &mut self,
        stream: &mut MaybeTls<S, T>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match stream {
            MaybeTls::Clear(stream) => self.0.poll_read(stream, context, space),
            MaybeTls::Tls(stream) => self.0.poll_read(&mut **stream, context, space),
            MaybeTls::Gone => gone(),
        }
    }

    fn poll_write(
        &mut self,
        stream: &mut MaybeTls<S, T>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match stream {
            MaybeTls::Clear(stream) => self.0.poll_write(stream, context, bytes),
            MaybeTls::Tls(stream) => self.0.poll_write(&mut **stream, context, bytes),
            MaybeTls::Gone => gone(),
        }
    }

    fn poll_flush(
        &mut self,
        stream: &mut MaybeTls<S, T>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match stream {
            MaybeTls::Clear(stream) => self.0.poll_flush(stream, context),
            MaybeTls::Tls(stream) => self.0.poll_flush(&mut **stream, context),
            MaybeTls::Gone => gone(),
        }
    }

    fn poll_close(
        &mut self,
        stream: &mut MaybeTls<S, T>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match stream {
            MaybeTls::Clear(stream) => self.0.poll_close(stream, context),
            MaybeTls::Tls(stream) => self.0.poll_close(&mut **stream, context),
            MaybeTls::Gone => gone(),
        }
    }
}

impl<R, A: ContentReader<R>> ContentReader<R> for MaybeTlsIo<A> {
    fn read(
        reader: &mut R,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        A::read(reader, context, space)
    }
}

impl<W, A: ContentWriter<W>> ContentWriter<W> for MaybeTlsIo<A> {
    fn write(writer: &mut W, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        A::write(writer, context, bytes)
    }

    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        A::flush(writer, context)
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(TlsStateError::HandshakeFailed.into()))
}

fn injected(error: PlaintextInjection) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::error::Error;
    use core::future::{pending, ready};
    use core::task::Waker;

    use super::*;
    use crate::deliver::EndReason;
    use ehlo::HeloName;
    use ehlo::delivery::UnusableSession;
    use ehlo::{DeliveryConfig, Envelope};

    /// A server's script, one reply at a time. Inside TLS it sends nothing.
    type Script = core::slice::Iter<'static, &'static [u8]>;

    #[derive(Default)]
    struct Scripted;

    impl StreamIo<Script> for Scripted {
        fn poll_read(
            &mut self,
            script: &mut Script,
            _: &mut Context<'_>,
            space: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let said = script.next().copied().unwrap_or_default();
            space[..said.len()].copy_from_slice(said);
            Poll::Ready(Ok(said.len()))
        }

        fn poll_write(
            &mut self,
            _: &mut Script,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl ContentReader<()> for Scripted {
        fn read((): &mut (), _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(0))
        }
    }

    /// A handshake that never ends.
    impl TlsHandshake<Script, ()> for Scripted {
        type Tls = Script;

        async fn handshake(_: Script, (): &()) -> io::Result<Script> {
            pending().await
        }
    }

    impl TlsStreamInfo<Script, Script> for Scripted {
        fn below(tls: &mut Script) -> &mut Script {
            tls
        }

        fn tls_exporter(_: &Script) -> Option<[u8; 32]> {
            None
        }
    }

    /// Nothing to deliver, and the errors.
    #[derive(Default)]
    struct Nothing(Vec<io::ErrorKind>);

    impl<'v> MessageSource<'v> for Nothing {
        type Content = ();

        fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
            None
        }

        fn content(&mut self, _: usize) -> Option<()> {
            None
        }

        fn finished(&mut self, _: usize, _: &[crate::RecipientReport]) {}

        fn on_error(&mut self, error: &(dyn Error + 'static)) {
            self.0.extend(error.downcast_ref().map(io::Error::kind));
        }
    }

    #[test]
    fn a_handshake_that_stands_still_ends_the_session() {
        let script: &[&[u8]] = &[b"220 a\r\n", b"250-b\r\n250 STARTTLS\r\n", b"220 c\r\n"];
        let name = HeloName::new("client.example").expect("a name");
        let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
        // Before the handshake nothing is waited for.
        let mut connection = Connection::<_, _, MaybeTlsIo<Scripted>, _>::new(
            MaybeTls::from(script.iter()),
            delivery,
            |_| ready(()),
        );
        let mut messages = Nothing::default();
        let delivered = pin!(connection.deliver_tls(&mut messages, &()))
            .poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(ended)) = delivered else { panic!("{delivered:?}") };
        assert_eq!(ended, SessionEnd::Early(EndReason::Unusable(UnusableSession::TlsFailed)));
        assert_eq!(messages.0, [io::ErrorKind::TimedOut]);
        assert!(matches!(connection.stream(), MaybeTls::Gone) && connection.below().is_none());
    }
}
