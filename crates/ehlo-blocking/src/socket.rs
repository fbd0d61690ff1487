//! Sockets whose calls return after a while, the clock, and the functions that wait with both.

use std::future::{Pending, pending, poll_fn};
use std::io;
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ehlo_io::Timer;

/// Configures a socket for a [`Connection`](crate::Connection): output is sent at once
/// (`TCP_NODELAY`), and a blocked call returns after a tenth of a second, so that the connection
/// can read while a write is blocked, and keeps its time limits.
///
/// # Errors
///
/// Those of the socket.
pub fn configure_tcp(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(CALL_TIMEOUT))?;
    socket.set_write_timeout(Some(CALL_TIMEOUT))
}

/// The same for a local socket, as LMTP has them.
///
/// # Errors
///
/// Those of the socket.
#[cfg(unix)]
pub fn configure_unix(socket: &UnixStream) -> io::Result<()> {
    socket.set_read_timeout(Some(CALL_TIMEOUT))?;
    socket.set_write_timeout(Some(CALL_TIMEOUT))
}

/// A stream that can be closed for writing alone.
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
    /// Closes the stream for writing; reading continues.
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

/// The result of `call`, which is repeated after each interruption by a signal.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Pending if the call would block.
pub(crate) fn attempt<T>(call: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    match uninterrupted(call) {
        Err(error) if would_block(error.kind()) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// Returns `true` if a call returned at its timeout: `TimedOut` on Windows, `WouldBlock` on other
/// systems, where `TimedOut` means a lost connection.
fn would_block(kind: io::ErrorKind) -> bool {
    kind == io::ErrorKind::WouldBlock || (cfg!(windows) && kind == io::ErrorKind::TimedOut)
}

/// Polls again until the future is ready.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// The same, but no longer than `limit`.
pub(crate) fn within<T>(
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let (mut work, begun) = (pin!(work), Instant::now());
    block_on(poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Pending if begun.elapsed() >= limit => {
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        }
        polled => polled,
    }))
}

/// The clock of the system, which a connection reads whenever a call of its stream returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock(Instant);

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Timer for SystemClock {
    type Sleep = Pending<()>;

    fn sleep(&self, _: Duration) -> Pending<()> {
        pending()
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.elapsed())
    }
}

/// The time for which a call of a socket blocks.
const CALL_TIMEOUT: Duration = Duration::from_millis(100);
