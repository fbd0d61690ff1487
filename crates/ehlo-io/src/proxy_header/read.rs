//! A header that is read from a stream.

use core::future::poll_fn;
use core::task::{Poll, ready};
use core::time::Duration;
use std::io;

use super::header::{ProxyHeader, Versions};
use super::proxied::Proxied;
use crate::clock::Clock;
use crate::stream::StreamIo;
use crate::time::{TimedOut, Timer};

/// Takes the header off the front of `stream`, and not a byte more: what follows may be a TLS handshake.
/// `A` says how the stream is read, as `ehlo_tokio::Tokio`, and `timer` how time passes; the whole header
/// must come within `limit`.
///
/// ```
/// use ehlo_io::proxy_header::{Proxied, Versions, read};
/// use ehlo_io::StreamIo;
/// use std::io::{Read, Result};
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
/// use std::time::Duration;
///
/// /// Reads bytes that are there already.
/// #[derive(Default)]
/// struct Memory;
///
/// impl StreamIo<&[u8]> for Memory {
///     fn poll_read(&mut self, stream: &mut &[u8], _: &mut Context<'_>, to: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(stream.read(to))
///     }
///     fn poll_write(&mut self, _: &mut &[u8], _: &mut Context<'_>, from: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(from.len()))
///     }
///     fn poll_flush(&mut self, _: &mut &[u8], _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///     fn poll_close(&mut self, _: &mut &[u8], _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// # let sleep = |_| std::future::pending::<()>(); // nothing is waited for
/// let mut stream = &b"PROXY UNKNOWN\r\nEHLO client.example\r\n"[..];
/// let limit = Duration::from_secs(30);
/// let header = pin!(read::<Memory, _, _>(&mut stream, Versions::Any, sleep, limit));
/// let Poll::Ready(said) = header.poll(&mut Context::from_waker(Waker::noop())) else {
///     panic!("all is there")
/// };
/// assert_eq!(said?, Proxied::Unknown);
/// # use std::future::Future;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// Those of the stream; `UnexpectedEof` where it ends within the header, `InvalidData` with a
/// [`ProxyHeaderError`](super::ProxyHeaderError) inside, and `TimedOut`. Close the connection then. Not
/// cancel safe: what was read is lost.
pub async fn read<A, S, T>(
    stream: &mut S,
    versions: Versions,
    timer: T,
    limit: Duration,
) -> io::Result<Proxied>
where
    A: StreamIo<S> + Default,
    T: Timer,
{
    let (mut adapter, mut clock) = (A::default(), Clock::new(timer));
    let mut header = ProxyHeader::new(versions);
    let mut piece = [0; PIECE];
    loop {
        let needed = header.needed()?.min(PIECE);
        let space = piece.get_mut(..needed).unwrap_or_default();
        let length = poll_fn(|context| match adapter.poll_read(stream, context, space) {
            Poll::Pending => {
                ready!(clock.poll(context, limit));
                Poll::Ready(Err(TimedOut.into()))
            }
            read @ Poll::Ready(_) => read,
        })
        .await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = header.take(space.get(..length).unwrap_or_default())?;
        if let Some(proxied) = taken.proxied {
            return Ok(proxied);
        }
    }
}

/// Bytes that are read at a time.
const PIECE: usize = 256;
