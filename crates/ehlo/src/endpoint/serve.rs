//! The loop of whoever listens: who comes in, and how all come to an end.

use alloc::boxed::Box;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;

use super::{Door, Endpoint, Transport};
use crate::{Code, Machine, Reply, Server, State, Verb};

/// Accepts connections and hands each to `handler`, until `stop` says so; then waits for the
/// sessions that are open. An adapter's streams, a runtime's functions:
///
/// - `accept` gives the next connection. When it fails, as for want of descriptors, it is asked again
///   after a moment.
/// - `door` limits how many sessions there are. When it is full nothing is accepted.
/// - `stop` gives a future that is ready when all is to end; each session has one of its own.
/// - `timer` is ready when a time has passed, and `spawn` runs a task beside this one; what it gives
///   is dropped. A task that
///   panics must end alone, as tokio's, smol's and async-std's do: its place is free again.
/// - `handler` serves one session: it asks the adapter's `next_until` for events.
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
/// let serving = ehlo::serve(
///     || ready(visits.borrow_mut().pop().ok_or("nobody comes any more")),
///     ehlo::Door::new(100, 10),
///     pending::<()>,
///     |_| pending::<()>(),
///     |mut task| {
///         assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
///         ended.set(ended.get() + 1);
///     },
///     async |visit: ehlo::Visit<&str>| assert_eq!(visit.stream, "one"),
/// );
/// assert!(pin!(serving).poll(&mut context).is_pending());
/// assert_eq!(ended.get(), 1);
/// # use std::future::Future;
/// ```
pub async fn serve<'h, S, E, L, Z, F, R, H>(
    mut accept: impl FnMut() -> L,
    mut door: Door,
    stop: impl Fn() -> Z,
    timer: impl Fn(Duration) -> F,
    mut spawn: impl FnMut(Task<'h>) -> R,
    handler: impl Fn(Visit<S>) -> H,
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
        let stop = if pass.is_welcome() { Stop::when(stop()) } else { Stop::NOW };
        let session = handler(Visit { stream, address, stop });
        spawn(Box::pin(async move {
            session.await;
            drop(pass);
        }));
    }
    while door.inside() > 0 {
        timer(MOMENT).await;
    }
}

/// A session, to be run by itself; it lasts no longer than its handler.
pub type Task<'h> = Pin<Box<dyn Future<Output = ()> + Send + 'h>>;

/// Somebody who has come in.
///
/// ```
/// use ehlo::{Stop, Visit};
/// use std::net::Ipv4Addr;
///
/// let address = (Ipv4Addr::LOCALHOST, 50_000).into();
/// let visit = Visit { stream: "a stream", address, stop: Stop::NOW };
/// assert!(visit.address.ip().is_loopback());
/// ```
#[derive(Debug)]
pub struct Visit<S> {
    /// The connection.
    pub stream: S,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Ready when the session is to end.
    pub stop: Stop,
}

/// Says when a session is to end: at once for one that is not welcome.
///
/// ```
/// use std::task::{Context, Waker};
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(ehlo::Stop::NOW.poll(&mut context));
/// assert!(!ehlo::Stop::when(std::future::pending()).poll(&mut context));
/// ```
pub struct Stop(Option<Task<'static>>);

impl Stop {
    /// At once.
    pub const NOW: Self = Self(None);

    /// When this is ready.
    pub fn when(stop: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(stop)))
    }

    /// Whether the session is to end.
    pub fn poll(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(stop) = &mut self.0 {
            if stop.as_mut().poll(context).is_ready() {
                self.0 = None;
            }
        }
        self.0.is_none()
    }
}

impl core::fmt::Debug for Stop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.0.is_none() { "Stop::NOW" } else { "Stop" })
    }
}

/// A machine whose session this side may end.
///
/// ```
/// use ehlo::{Endpoint, Leave, Server, ServerConfig};
///
/// let mut endpoint = Endpoint::new(Server::new(ServerConfig::DEFAULT));
/// Server::leave(&mut endpoint, "mx.example");
/// assert!(endpoint.outbox().starts_with(b"421 "));
/// ```
pub trait Leave: Machine + Sized {
    /// Ends the session, unless something is open that is to be finished first. `host` is the name
    /// of this side.
    fn leave(endpoint: &mut Endpoint<Self>, host: &str);
}

impl Leave for Server {
    /// RFC 5321 §3.8: 421 to a command, or before one; a mail transaction that is open goes on to
    /// its end.
    fn leave(endpoint: &mut Endpoint<Self>, host: &str) {
        let state = endpoint.machine.state();
        // RFC 2033 §4.2: one reply for each recipient. The first ends the transaction, and what
        // became of the message for the others is still to be said.
        let owes = matches!(endpoint.machine.pending(), Some(Verb::Message | Verb::BdatLast));
        let is_open = state.is_transaction() || owes;
        if !is_open && !matches!(state, State::Tls | State::Closed) {
            let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "").with_domain(host);
            // It always fits, and a session that has ended needs no reply.
            let _ = endpoint.close(&reply);
        }
    }
}

impl<M: Leave> Endpoint<M> {
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
        stop: &mut Stop,
        host: &str,
    ) -> Poll<Result<(), T::Error>> {
        if stop.poll(context) {
            M::leave(self, host);
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
