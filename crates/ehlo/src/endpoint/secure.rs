//! The upgrade of a connection to TLS, in both roles, whoever shakes hands.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use super::connection::too_late;
use super::{Carry, Connection, Courier, Ended, Messages, ReadFrom, Step, WriteTo};
use crate::{Delivery, Machine, Upgrade};

/// A stream `S` in clear that may go on as `T`, inside TLS.
///
/// ```
/// use ehlo::MaybeTls;
///
/// let stream = MaybeTls::<&str, String>::Clear("a stream");
/// assert!(matches!(stream, MaybeTls::Clear("a stream")));
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

/// The adapter `A`, for streams that may go on inside TLS.
///
/// ```
/// // What it carries beside them is as `A` does.
/// let adapter = ehlo::OverTls::<u8>::default();
/// assert_eq!(format!("{adapter:?}"), "OverTls(0)");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OverTls<A>(A);

/// An adapter that shakes hands over streams `S`, in the role and with the configuration that `W`
/// stands for.
///
/// ```
/// use ehlo::Handshake;
/// use std::io::{ErrorKind, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// /// Trusts nobody.
/// struct Recluse;
///
/// impl Handshake<(), ()> for Recluse {
///     type Tls = ();
///
///     async fn shake((): (), (): &()) -> Result<()> {
///         Err(ErrorKind::PermissionDenied.into())
///     }
/// }
///
/// let shaken = pin!(Recluse::shake((), &())).poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(shaken, Poll::Ready(Err(_))));
/// # use std::future::Future;
/// ```
pub trait Handshake<S, W> {
    /// The stream inside TLS.
    type Tls;

    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// Those of the handshake, among them a certificate that is not to be trusted.
    fn shake(stream: S, with: &W) -> impl Future<Output = io::Result<Self::Tls>>;
}

/// An adapter that knows what TLS exports on streams `T`.
///
/// ```
/// use ehlo::Exports;
///
/// /// Knows TLS 1.2 alone.
/// struct Old;
///
/// impl Exports<()> for Old {
///     fn tls_exporter((): &()) -> Option<[u8; 32]> {
///         None
///     }
/// }
///
/// assert_eq!(Old::tls_exporter(&()), None);
/// ```
pub trait Exports<T> {
    /// The channel binding `tls-exporter` of RFC 9266; none where there is none.
    fn tls_exporter(tls: &T) -> Option<[u8; 32]>;
}

impl<S, T, M: Upgrade, A> Connection<MaybeTls<S, T>, M, OverTls<A>>
where
    A: Carry<S> + Carry<T>,
{
    /// Goes on inside TLS, when the machine says that TLS begins; `with` is what the adapter shakes
    /// hands with.
    ///
    /// # Errors
    ///
    /// Those of the handshake, and `InvalidData` when something was sent in clear that should have
    /// come inside TLS. The connection is of no use then. Not cancel safe.
    pub async fn start_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: Handshake<S, W, Tls = T>,
    {
        self.flush().await?;
        self.implicit_tls(with).await?;
        self.endpoint().tls_established().map_err(|_| injected())
    }

    /// Begins with TLS, before anything was read or written.
    ///
    /// # Errors
    ///
    /// As of [`start_tls`](Self::start_tls).
    pub async fn implicit_tls<W>(&mut self, with: &W) -> io::Result<()>
    where
        A: Handshake<S, W, Tls = T>,
    {
        if !self.endpoint().unread().is_empty() {
            return Err(injected());
        }
        let MaybeTls::Clear(stream) = core::mem::replace(self.stream(), MaybeTls::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        *self.stream() = MaybeTls::Tls(Box::new(A::shake(stream, with).await?));
        Ok(())
    }
}

impl<'v, S, T, A> Connection<MaybeTls<S, T>, Delivery<'v>, OverTls<A>>
where
    A: Carry<S> + Carry<T> + Exports<T>,
{
    /// The same as [`deliver`](Self::deliver), and goes on inside TLS when the machine says so: as
    /// [`start_tls`](Self::start_tls). A mechanism may be bound to the connection.
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver). A handshake that failed is none: [`Messages::trouble`] hears
    /// of it, and the session [ended early](Ended::Early).
    pub async fn deliver_tls<X, F, W>(
        &mut self,
        messages: X,
        mut timer: impl FnMut(Duration) -> F,
        with: &W,
    ) -> io::Result<Ended>
    where
        X: Messages<'v>,
        A: ReadFrom<X::Content> + Handshake<S, W, Tls = T>,
        F: Future,
    {
        let mut courier = Courier::new(messages, A::read, |limit| too_late(timer(limit)));
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
                    courier.messages().trouble(&error);
                    self.endpoint().machine_mut().tls_failed();
                }
            }
        }
    }
}

impl<S, T, M: Machine, A: Exports<T>> Connection<MaybeTls<S, T>, M, OverTls<A>> {
    /// The channel binding `tls-exporter` of RFC 9266, inside TLS 1.3.
    pub fn channel_binding(&mut self) -> Option<[u8; 32]> {
        match self.stream() {
            MaybeTls::Tls(tls) => A::tls_exporter(tls),
            _ => None,
        }
    }
}

impl<S, T, A: Carry<S> + Carry<T>> Carry<MaybeTls<S, T>> for OverTls<A> {
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

impl<R, A: ReadFrom<R>> ReadFrom<R> for OverTls<A> {
    fn read(
        reader: &mut R,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        A::read(reader, context, space)
    }
}

impl<W, A: WriteTo<W>> WriteTo<W> for OverTls<A> {
    fn write(writer: &mut W, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        A::write(writer, context, octets)
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

fn injected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, crate::Injected)
}
