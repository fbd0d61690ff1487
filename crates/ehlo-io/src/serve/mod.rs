//! The loop of a server: it accepts connections, and ends them all at a shutdown.

mod content;
mod handler;
mod limits;
mod shutdown;
mod transaction;

use alloc::boxed::Box;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

pub use content::{ContentEvent, MessageContent};
pub use handler::{Content, Handler, ReplyBuf};
pub use limits::{ConnectionLimits, Permit};
pub use shutdown::{GracefulShutdown, Shutdown, ShutdownHandle};
pub use transaction::{Transaction, TransactionRecipient};

use crate::time::Timer;

/// The functions of a runtime that run a server's sessions, implemented once for each runtime.
///
/// `'t` is the lifetime of a task: `'static` for a runtime whose tasks outlive the call that
/// spawned them.
///
/// ```
/// use ehlo_io::{Runtime, SessionTask, Timer};
/// use std::time::Duration;
///
/// /// A thread for each session.
/// #[derive(Clone, Copy)]
/// struct Threads;
///
/// impl Timer for Threads {
///     type Sleep = std::future::Ready<()>;
///
///     fn sleep(&self, duration: Duration) -> Self::Sleep {
///         std::future::ready(std::thread::sleep(duration))
///     }
/// }
///
/// impl Runtime<'static> for Threads {
///     fn spawn(&self, task: SessionTask<'static>) {
///         std::thread::spawn(move || run(task));
///     }
/// }
/// # fn run(_: SessionTask<'_>) {}
/// ```
#[doc(alias = "executor")]
#[doc(alias = "spawner")]
pub trait Runtime<'t>: Timer {
    /// Runs `task` concurrently. A panic in a task must not affect other tasks: its place becomes
    /// free again.
    fn spawn(&self, task: SessionTask<'t>);
}

/// Accepts connections and passes each to `handler`, until `shutdown` is ready. Then it closes the
/// listener, gives the open sessions the [grace](ConnectionLimits::with_grace) of the `limits`,
/// drops the remaining sessions, and returns.
///
/// Each adapter has a function that wraps this one for the listeners of its runtime. If the future
/// is dropped, no more connections are accepted, and the sessions continue.
///
/// - `accept` returns the next connection, and owns the listener: an asynchronous closure, for
///   example `async move || listener.accept().await`. If it fails, for example because too many
///   files are open, it is called again after a pause of up to a second.
/// - `limits` bound the number of sessions. While they are full, no connection is accepted.
/// - `handler` serves one session: it calls [`next_until`](crate::Connection::next_until) for
///   events. It is a closure that returns a future; one that captures variables is written
///   `move |incoming| async move { … }`.
///
/// ```
/// use ehlo_io::{ConnectionLimits, Incoming, Runtime, SessionTask, Timer};
/// use std::cell::Cell;
/// use std::future::{Pending, pending};
/// use std::pin::pin;
/// use std::task::{Context, Waker};
/// use std::time::Duration;
///
/// /// A runtime that runs a task when it is spawned, and on which no time passes.
/// struct Simple(Cell<u32>);
///
/// impl Timer for Simple {
///     type Sleep = Pending<()>;
///
///     fn sleep(&self, _: Duration) -> Pending<()> {
///         pending()
///     }
/// }
///
/// impl Runtime<'static> for Simple {
///     fn spawn(&self, task: SessionTask<'static>) {
///         assert!(pin!(task).poll(&mut Context::from_waker(Waker::noop())).is_ready());
///         self.0.set(self.0.get() + 1);
///     }
/// }
///
/// let runtime = Simple(Cell::new(0));
/// let once = Cell::new(Some("a stream"));
/// let accept = async move || match once.take() {
///     Some(stream) => Ok((stream, ([127, 0, 0, 1], 50_000).into())),
///     None => Err(std::io::ErrorKind::Other.into()),
/// };
/// let limits = ConnectionLimits::new(100, 10);
/// let handler = async |incoming: Incoming<&str>| assert_eq!(incoming.stream, "a stream");
/// let serving = ehlo_io::serve(&runtime, accept, limits, pending(), handler);
/// assert!(pin!(serving).poll(&mut Context::from_waker(Waker::noop())).is_pending());
/// assert_eq!(runtime.0.get(), 1);
/// # use std::future::Future;
/// ```
pub async fn serve<'t, R, L, S, Z, H, F>(
    runtime: &R,
    accept: L,
    mut limits: ConnectionLimits,
    shutdown: Z,
    handler: H,
) where
    R: Runtime<'t>,
    L: AsyncFn() -> std::io::Result<(S, SocketAddr)> + 'static,
    Z: Future<Output = ()>,
    H: Fn(Incoming<S>) -> F,
    F: Future<Output = ()> + Send + 't,
{
    let mut shutdown = pin!(shutdown);
    let sessions = ShutdownHandle::new();
    let mut pause = MOMENT;
    loop {
        if limits.is_full() {
            match before(shutdown.as_mut(), runtime.sleep(MOMENT)).await {
                Some(_) => continue,
                None => break,
            }
        }
        let Some(accepted) = before(shutdown.as_mut(), accept()).await else { break };
        let Ok((stream, address)) = accepted else {
            if before(shutdown.as_mut(), runtime.sleep(pause)).await.is_none() {
                break;
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
            continue;
        };
        pause = MOMENT;
        let Some(permit) = limits.admit(address.ip()) else { continue };
        let task = sessions.shutdown();
        let shutdown = if permit.is_over_limit() { Shutdown::immediate() } else { task.within() };
        let session = Some(Box::pin(handler(Incoming { stream, address, shutdown })) as _);
        runtime.spawn(SessionTask { session, shutdown: task, _permit: permit });
    }
    // The system refuses further connections.
    drop(accept);
    sessions.shut_down();
    let mut left = limits.grace();
    while limits.open() > 0 && !left.is_zero() {
        runtime.sleep(MOMENT.min(left)).await;
        left = left.saturating_sub(MOMENT);
    }
    sessions.cut_off();
}

/// A session that runs as a task. It ends with its handler, or when the grace at a shutdown is
/// over. Dropping it frees its place.
///
/// ```
/// fn spawns(task: ehlo_io::SessionTask<'static>) -> impl Future<Output = ()> + Send + Unpin + 'static {
///     task
/// }
/// ```
pub struct SessionTask<'t> {
    session: Option<Pin<Box<dyn Future<Output = ()> + Send + 't>>>,
    shutdown: Shutdown,
    _permit: Permit,
}

impl Future for SessionTask<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_cut = self.shutdown.poll_cut_off(context).is_ready();
        let Some(session) = &mut self.session else { return Poll::Ready(()) };
        if !is_cut && session.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.session = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for SessionTask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTask").finish_non_exhaustive()
    }
}

/// A connection that was accepted.
///
/// ```
/// use ehlo_io::{Incoming, Shutdown};
/// use std::net::Ipv4Addr;
///
/// let address = (Ipv4Addr::LOCALHOST, 50_000).into();
/// let incoming = Incoming::new("a stream", address, Shutdown::immediate());
/// assert!(incoming.address.ip().is_loopback());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Incoming<S> {
    /// The stream.
    pub stream: S,
    /// The client's address.
    pub address: SocketAddr,
    /// Ready when the session should end: at once for one that is over the limits.
    pub shutdown: Shutdown,
}

impl<S> Incoming<S> {
    /// A connection from `address`, whose session ends at `shutdown`.
    pub const fn new(stream: S, address: SocketAddr, shutdown: Shutdown) -> Self {
        Self { stream, address, shutdown }
    }
}

/// Waits for `future`; `None` if `shutdown` comes first.
async fn before<T>(
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match shutdown.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}

/// The interval after which the limits are checked again for room.
const MOMENT: Duration = Duration::from_millis(20);
/// The longest pause after a failure to accept a connection.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
