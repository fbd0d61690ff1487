//! The upgrade of a connection to TLS, in both roles, whoever shakes hands.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use crate::connection::too_late;
use crate::connection::{Connection, ContentReader, ContentWriter, StreamIo};
use crate::deliver::MessageSource;
use crate::deliver::SessionEnd;
use crate::deliver::driver::{DeliveryDriver, Step};
use ehlo::Delivery;
use ehlo::machine::{Machine, Upgrade};

/// A stream `S` in clear that may go on as `T`, inside TLS.
///
/// ```
/// use ehlo_io::MaybeTls;
///
/// let stream = MaybeTls::<&str, String>::from("a stream");
/// assert!(matches!(stream, MaybeTls::Clear("a stream")) && !stream.is_tls());
/// ```
#[derive(Debug)]
pub enum MaybeTls<S, T> {
    /// The stream itself.
    Clear(S),
    /// TLS on the stream.
    Tls(Box<T>),
    /// Nothing: a handshake failed, or was abandoned.
    Gone,
}

impl<S, T> MaybeTls<S, T> {
    /// Whether it is inside TLS.
    pub const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// In clear.
impl<S, T> From<S> for MaybeTls<S, T> {
    fn from(stream: S) -> Self {
        Self::Clear(stream)
    }
}

/// The adapter `A`, for streams that may go on inside TLS.
///
/// ```
/// // What it carries beside them is as `A` does.
/// let adapter = ehlo_io::MaybeTlsIo::<u8>::default();
/// assert_eq!(format!("{adapter:?}"), "MaybeTlsIo(0)");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaybeTlsIo<A>(A);

/// An adapter that shakes hands over streams `S`, in the role and with the configuration that `W`
/// stands for.
///
/// ```
/// use ehlo_io::TlsHandshake;
/// use std::io::{ErrorKind, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// /// Trusts nobody.
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
/// let shaken = pin!(Recluse::handshake((), &())).poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(shaken, Poll::Ready(Err(_))));
/// # use std::future::Future;
/// ```
pub trait TlsHandshake<S, W> {
    /// The stream inside TLS.
    type Tls;

    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// Those of the handshake, among them a certificate that is not to be trusted.
    fn handshake(stream: S, with: &W) -> impl Future<Output = io::Result<Self::Tls>>;
}

/// An adapter that knows its streams `T`, which carry TLS over `S`.
///
/// ```
/// use ehlo_io::TlsStreamInfo;
///
/// /// Knows TLS 1.2 alone.
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

    /// The channel binding `tls-exporter` of RFC 9266; none where there is none.
    fn tls_exporter(tls: &T) -> Option<[u8; 32]>;
}

impl<S, T, M: Upgrade, A> Connection<MaybeTls<S, T>, M, MaybeTlsIo<A>>
where
    A: StreamIo<S> + StreamIo<T>,
{
    /// Goes on inside TLS, when the machine says that TLS begins; `with` is what the adapter shakes
    /// hands with. Not cancel safe.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the machine does not say so, and nothing has changed then. Those of the
    /// handshake, and `InvalidData` when something was sent in clear that should have come inside TLS:
    /// the connection is of no use then.
    pub async fn start_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = T>,
    {
        if !self.endpoint().machine().awaits_tls() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.flush().await?;
        if !self.endpoint().unread_input().is_empty() {
            return Err(injected());
        }
        self.secure(with).await?;
        self.endpoint().tls_established().map_err(|_| injected())
    }

    /// Begins with TLS, before anything is read or written, for a machine whose configuration says
    /// `implicit_tls`. Not cancel safe.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when something was read, or waits to be written, and nothing has changed then.
    /// Those of the handshake: the connection is of no use then.
    pub async fn implicit_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = T>,
    {
        let endpoint = self.endpoint();
        if !endpoint.unread_input().is_empty() || !endpoint.output().is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.secure(with).await
    }

    async fn secure<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: TlsHandshake<S, W, Tls = T>,
    {
        let stream = match core::mem::replace(self.stream(), MaybeTls::Gone) {
            MaybeTls::Clear(stream) => stream,
            // TLS is not begun twice.
            other => {
                *self.stream() = other;
                return Err(io::ErrorKind::InvalidInput.into());
            }
        };
        *self.stream() = MaybeTls::Tls(Box::new(A::handshake(stream, with).await?));
        Ok(())
    }
}

impl<'v, S, T, A> Connection<MaybeTls<S, T>, Delivery<'v>, MaybeTlsIo<A>>
where
    A: StreamIo<S> + StreamIo<T> + TlsStreamInfo<S, T>,
{
    /// The same as [`deliver`](Self::deliver), and goes on inside TLS when the machine says so: as
    /// [`start_tls`](Self::start_tls). A mechanism may be bound to the connection.
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver). A handshake that failed is none: [`MessageSource::on_error`] hears
    /// of it, and the session [ended early](SessionEnd::Early).
    pub async fn deliver_tls<X, R, F, W>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(Duration) -> F,
        with: &W,
    ) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R> + TlsHandshake<S, W, Tls = T>,
        F: Future,
    {
        let mut courier = DeliveryDriver::new(messages, A::read, |limit| too_late(timer(limit)));
        courier.bind(self.channel_binding());
        loop {
            if let Step::Closed(ended) = self.carry(&mut courier).await? {
                return Ok(ended);
            }
            let limit = self.timeout();
            let upgraded = {
                let mut upgrade = pin!(self.start_tls(with));
                poll_fn(|context| match upgrade.as_mut().poll(context) {
                    Poll::Pending => courier.poll_expired(context, limit).map(Err),
                    done @ Poll::Ready(_) => done,
                })
                .await
            };
            match upgraded {
                Ok(()) => courier.bind(self.channel_binding()),
                Err(error) => {
                    courier.messages().on_error(&error);
                    self.endpoint().machine_mut().tls_failed();
                }
            }
        }
    }
}

impl<S, T, M: Machine, A: TlsStreamInfo<S, T>> Connection<MaybeTls<S, T>, M, MaybeTlsIo<A>> {
    /// The channel binding `tls-exporter` of RFC 9266, inside TLS 1.3.
    pub fn channel_binding(&self) -> Option<[u8; 32]> {
        match &self.stream {
            MaybeTls::Tls(tls) => A::tls_exporter(tls),
            _ => None,
        }
    }

    /// The stream in clear, or that below TLS; none after a handshake that failed.
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
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match stream {
            MaybeTls::Clear(stream) => self.0.poll_write(stream, context, octets),
            MaybeTls::Tls(stream) => self.0.poll_write(&mut **stream, context, octets),
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
    fn write(writer: &mut W, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        A::write(writer, context, octets)
    }

    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        A::flush(writer, context)
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

fn injected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, ehlo::machine::PlaintextInjection)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::error::Error;
    use core::future::{pending, ready};
    use core::pin::pin;
    use core::task::Waker;

    use super::*;
    use crate::deliver::EndReason;
    use ehlo::HeloName;
    use ehlo::delivery::{Outcome, UnusableSession};
    use ehlo::{DeliveryConfig, Envelope};

    /// What a server says, one thing at a time. In TLS it says nothing.
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
            octets: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(octets.len()))
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

    /// Who shakes hands goes on for ever.
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

    /// Nothing to deliver, and what was troublesome.
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

        fn finished(&mut self, _: usize, _: &[Outcome]) {}

        fn on_error(&mut self, error: &(dyn Error + 'static)) {
            self.0.extend(error.downcast_ref().map(io::Error::kind));
        }
    }

    #[test]
    fn a_handshake_that_stands_still_ends_the_session() {
        let script: &[&[u8]] = &[b"220 a\r\n", b"250-b\r\n250 STARTTLS\r\n", b"220 c\r\n"];
        let name = HeloName::new("client.example").expect("a name");
        let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
        let mut connection =
            Connection::<_, _, MaybeTlsIo<Scripted>>::new(MaybeTls::from(script.iter()), delivery);
        let mut messages = Nothing::default();
        // Before the handshake nothing is waited for.
        let delivered = pin!(connection.deliver_tls(&mut messages, |_| ready(()), &()))
            .poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(ended)) = delivered else { panic!("{delivered:?}") };
        assert_eq!(ended, SessionEnd::Early(EndReason::Unusable(UnusableSession::TlsFailed)));
        assert_eq!(messages.0, [io::ErrorKind::TimedOut]);
        assert!(matches!(connection.stream(), MaybeTls::Gone) && connection.below().is_none());
    }
}
