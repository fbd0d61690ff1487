//! The loop of whoever listens: who comes in, and how all come to an end.

mod content;
mod limits;

use alloc::boxed::Box;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;

pub use content::{ContentEvent, MessageContent};
pub use limits::{ConnectionLimits, Permit};

use crate::buffered::Buffered;
use crate::transport::Transport;
use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Reply, Server};

/// Accepts connections and hands each to `handler`, until `stop` says so; then waits for the
/// sessions that are open. An adapter's streams, a runtime's functions:
///
/// - `accept` gives the next connection. When it fails, as for want of descriptors, it is asked again
///   after a moment. It is dropped as soon as all is to end, and a listener that it owns is closed:
///   have it own an `Arc` of it, whose clone each future takes along. Where it only borrows one, as
///   `|| listener.accept()`, whoever comes then is not heard until the last session has ended.
/// - `door` limits how many sessions there are. When it is full nothing is accepted.
/// - `stop` gives a future that is ready when all is to end; each session has one of its own.
/// - `timer` is ready when a time has passed, and `spawn` runs a task beside this one; what it gives
///   is dropped. A task that panics must end alone, as tokio's, smol's and async-std's do: its place
///   is free again.
/// - `handler` serves one session: it asks the adapter's `next_until` for events.
///
/// Sessions may take their time to end: whoever has less drops this future, and the tasks with their
/// runtime.
///
/// ```
/// use std::cell::{Cell, RefCell};
/// use std::future::{pending, ready};
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// // A runtime that runs a task when it is spawned, and knows no time.
/// let visits = RefCell::new(Vec::from([("one", ([127, 0, 0, 1], 25).into())]));
/// let (ended, mut context) = (Cell::new(0), Context::from_waker(Waker::noop()));
/// let serving = ehlo_io::serve(
///     || ready(visits.borrow_mut().pop().ok_or("nobody comes any more")),
///     ehlo_io::ConnectionLimits::new(100, 10),
///     pending::<()>,
///     |_| pending::<()>(),
///     |task| {
///         assert!(pin!(task).poll(&mut Context::from_waker(Waker::noop())).is_ready());
///         ended.set(ended.get() + 1);
///     },
///     async |visit: ehlo_io::Incoming<&str>| assert_eq!(visit.stream, "one"),
/// );
/// assert!(pin!(serving).poll(&mut context).is_pending());
/// assert_eq!(ended.get(), 1);
/// # use std::future::Future;
/// ```
pub async fn serve<'h, S, E, L, Z, F, R, H>(
    mut accept: impl FnMut() -> L,
    mut door: ConnectionLimits,
    stop: impl Fn() -> Z,
    timer: impl Fn(Duration) -> F,
    mut spawn: impl FnMut(SessionTask<'h>) -> R,
    handler: impl Fn(Incoming<S>) -> H,
) where
    L: Future<Output = Result<(S, SocketAddr), E>>,
    Z: Future<Output = ()> + Send + 'static,
    F: Future,
    H: Future<Output = ()> + Send + 'h,
{
    let mut stopped = pin!(stop());
    loop {
        if door.is_full() {
            match before(stopped.as_mut(), timer(MOMENT)).await {
                Some(_) => continue,
                None => break,
            }
        }
        let Some(accepted) = before(stopped.as_mut(), accept()).await else { break };
        let Ok((stream, address)) = accepted else {
            timer(MOMENT).await;
            continue;
        };
        let Some(pass) = door.admit(address.ip()) else { continue };
        let stop = if pass.is_welcome() { Shutdown::when(stop()) } else { Shutdown::IMMEDIATE };
        let session = Box::pin(handler(Incoming { stream, address, stop }));
        spawn(SessionTask { session, _pass: pass });
    }
    drop(accept);
    while door.open() > 0 {
        timer(MOMENT).await;
    }
}

/// A session, to be run by itself; it lasts no longer than its handler. When it is dropped its place
/// is free.
///
/// ```
/// fn spawns(task: ehlo_io::SessionTask<'static>) -> impl Future<Output = ()> + Send + Unpin + 'static {
///     task
/// }
/// ```
pub struct SessionTask<'h> {
    session: Pin<Box<dyn Future<Output = ()> + Send + 'h>>,
    _pass: Permit,
}

impl Future for SessionTask<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.session.as_mut().poll(context)
    }
}

impl core::fmt::Debug for SessionTask<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionTask").finish_non_exhaustive()
    }
}

/// Somebody who has come in.
///
/// ```
/// use ehlo_io::{Shutdown, Incoming};
/// use std::net::Ipv4Addr;
///
/// let address = (Ipv4Addr::LOCALHOST, 50_000).into();
/// let visit = Incoming { stream: "a stream", address, stop: Shutdown::IMMEDIATE };
/// assert!(visit.address.ip().is_loopback());
/// ```
#[derive(Debug)]
pub struct Incoming<S> {
    /// The connection.
    pub stream: S,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Ready when the session is to end.
    pub stop: Shutdown,
}

/// Ready when a session is to end, and from then on always: at once for one that is not welcome.
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// use ehlo_io::Shutdown;
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(pin!(Shutdown::IMMEDIATE).poll(&mut context).is_ready());
/// assert!(pin!(Shutdown::when(std::future::pending())).poll(&mut context).is_pending());
/// assert!(Shutdown::IMMEDIATE.is_requested());
/// ```
pub struct Shutdown(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Shutdown {
    /// At once.
    pub const IMMEDIATE: Self = Self(None);

    /// When this is ready.
    pub fn when(stop: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(stop)))
    }

    /// Whether it has been ready: in a [`Incoming`], that the visitor is one too many.
    pub const fn is_requested(&self) -> bool {
        self.0.is_none()
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(stop) = &mut self.0 {
            ready!(stop.as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl core::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.is_requested() { "Shutdown::IMMEDIATE" } else { "Shutdown" })
    }
}

/// A machine whose session this side may end.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_io::{Buffered, GracefulShutdown};
///
/// let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// Server::begin_shutdown(&mut endpoint, "mx.example");
/// assert!(endpoint.output().starts_with(b"421 "));
/// ```
pub trait GracefulShutdown: Machine + Sized {
    /// Ends the session, unless something is open that is to be finished first. `host` is the name
    /// of this side.
    fn begin_shutdown(endpoint: &mut Buffered<Self>, host: &str);
}

impl GracefulShutdown for Server {
    /// RFC 5321 §3.8: 421 to a command, or before one; a mail transaction that is open goes on to
    /// its end.
    fn begin_shutdown(endpoint: &mut Buffered<Self>, host: &str) {
        let state = endpoint.machine.state();
        // RFC 2033 §4.2: one reply for each recipient. The first ends the transaction, and what
        // became of the message for the others is still to be said.
        let owes = matches!(endpoint.machine.pending(), Some(Verb::Message | Verb::BdatLast));
        let is_open = state.is_transaction() || owes;
        if !is_open && !matches!(state, State::Tls | State::Closed) {
            let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "closing, try again later")
                .with_domain(host);
            // It always fits, and a session that has ended needs no reply.
            let _ = endpoint.close(&reply);
        }
    }
}

impl<M: GracefulShutdown> Buffered<M> {
    /// [`poll_ready`](Self::poll_ready), and when `stop` says so the session ends as soon as nothing
    /// is open.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_ready_until<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        stop: &mut Shutdown,
        host: &str,
    ) -> Poll<Result<(), T::Error>> {
        if Pin::new(stop).poll(context).is_ready() {
            M::begin_shutdown(self, host);
        }
        self.poll_ready(context, transport)
    }
}

/// None when `stop` comes first.
async fn before<T>(
    mut stop: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match stop.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}

/// After which one looks again whether there is room.
const MOMENT: Duration = Duration::from_millis(20);
