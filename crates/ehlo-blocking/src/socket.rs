//! Sockets, and what a stream does that gives way instead of blocking for long.

use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Prepares a socket: what is written goes out at once, and a call that would block for longer gives
/// way, so that a connection reads while the peer does not, and keeps the machine's time limits.
///
/// # Errors
///
/// Those of the socket.
pub fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(GIVES_WAY))?;
    socket.set_write_timeout(Some(GIVES_WAY))
}

/// A stream that can be told that nothing more is written to it.
///
/// ```
/// use ehlo_blocking::HalfClose;
/// use std::io::{self, Write};
/// use std::os::unix::net::UnixStream;
///
/// /// A local socket.
/// struct Local(UnixStream);
///
/// impl HalfClose for Local {
///     fn half_close(&mut self) -> io::Result<()> {
///         self.0.shutdown(std::net::Shutdown::Write)
///     }
/// }
///
/// let (ours, _theirs) = UnixStream::pair()?;
/// let mut stream = Local(ours);
/// stream.half_close()?;
/// assert!(stream.0.write(b"more").is_err());
/// # Ok::<(), io::Error>(())
/// ```
pub trait HalfClose {
    /// Tells the peer so; reading goes on.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn half_close(&mut self) -> io::Result<()>;
}

impl HalfClose for TcpStream {
    fn half_close(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Pending when the stream gives way.
pub(crate) fn attempt<T>(mut call: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    loop {
        match call().map_err(|error| (error.kind(), error)) {
            Err((io::ErrorKind::Interrupted, _)) => {}
            Err((io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, _)) => return Poll::Pending,
            result => return Poll::Ready(result.map_err(|(_, error)| error)),
        }
    }
}

/// Asks again whenever the stream has given way.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// The same for as long as `limit`.
pub(crate) fn within<T>(
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let (mut work, mut end) = (pin!(work), pin!(elapsed(limit)));
    block_on(poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Pending => end.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into())),
        done @ Poll::Ready(_) => done,
    }))
}

/// Ready when `limit` has passed.
pub(crate) fn elapsed(limit: Duration) -> impl Future<Output = ()> {
    let begun = Instant::now();
    poll_fn(move |_| if begun.elapsed() < limit { Poll::Pending } else { Poll::Ready(()) })
}

/// How long a stream goes on without giving way.
pub(crate) const GIVES_WAY: Duration = Duration::from_millis(100);
