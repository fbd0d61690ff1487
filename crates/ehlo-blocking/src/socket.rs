//! Sockets, and what a stream does that gives way instead of blocking for long.

use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Prepares a socket: what is written goes out at once, and a call that would block for longer gives
/// way, so that a connection reads while the peer does not, and keeps the machine's time limits.
///
/// # Errors
///
/// Those of the socket.
pub fn configure_tcp(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(GIVES_WAY))?;
    socket.set_write_timeout(Some(GIVES_WAY))
}

/// The same for a local socket, as LMTP has them.
///
/// # Errors
///
/// Those of the socket.
#[cfg(unix)]
pub fn configure_unix(socket: &UnixStream) -> io::Result<()> {
    socket.set_read_timeout(Some(GIVES_WAY))?;
    socket.set_write_timeout(Some(GIVES_WAY))
}

/// A stream that can be told that nothing more is written to it.
///
/// ```
/// use ehlo_blocking::HalfClose;
/// use std::io::{self, Cursor};
///
/// /// Memory that takes no more once it is closed.
/// struct Memory(Cursor<Vec<u8>>, bool);
///
/// impl HalfClose for Memory {
///     fn half_close(&mut self) -> io::Result<()> {
///         self.1 = true;
///         Ok(())
///     }
/// }
///
/// let mut memory = Memory(Cursor::default(), false);
/// memory.half_close()?;
/// assert!(memory.1);
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

#[cfg(unix)]
impl HalfClose for UnixStream {
    fn half_close(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl<S: HalfClose + ?Sized> HalfClose for &mut S {
    fn half_close(&mut self) -> io::Result<()> {
        (**self).half_close()
    }
}

impl<S: HalfClose + ?Sized> HalfClose for Box<S> {
    fn half_close(&mut self) -> io::Result<()> {
        (**self).half_close()
    }
}

/// What `call` says in the end, whatever signals there are.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Pending when the stream gives way.
pub(crate) fn attempt<T>(call: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    match uninterrupted(call) {
        Err(error) if gives_way(error.kind()) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// To Windows it is the one, to others the other; to these `TimedOut` is a connection that is lost.
fn gives_way(kind: io::ErrorKind) -> bool {
    kind == io::ErrorKind::WouldBlock || (cfg!(windows) && kind == io::ErrorKind::TimedOut)
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

/// How long a call of a stream goes on without giving way.
const GIVES_WAY: Duration = Duration::from_millis(100);
