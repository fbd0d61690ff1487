//! How the sessions of a server come to an end.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Reply, Server};

use crate::buffered::Buffered;

/// Requests a graceful shutdown. Clones request the same one.
///
/// ```
/// use ehlo_io::ShutdownHandle;
///
/// let handle = ShutdownHandle::new();
/// let shutdown = handle.shutdown();
/// assert!(!shutdown.is_requested());
/// handle.shut_down();
/// assert!(shutdown.is_requested());
/// ```
#[doc(alias = "graceful shutdown")]
#[doc(alias = "CancellationToken")]
#[derive(Clone, Debug, Default)]
pub struct ShutdownHandle(Arc<Signal>);

impl ShutdownHandle {
    /// A handle for a shutdown that is not requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests the shutdown: every [`Shutdown`] of this handle is ready from now on.
    pub fn shut_down(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        let wakers = core::mem::take(&mut *self.0.wakers());
        wakers.into_values().for_each(Waker::wake);
    }

    /// A future that is ready when the shutdown is requested.
    pub fn shutdown(&self) -> Shutdown {
        Shutdown { signal: self.0.clone(), waiting: None }
    }
}

/// Ready when a shutdown is requested, and from then on always.
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// use ehlo_io::{Shutdown, ShutdownHandle};
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(pin!(ShutdownHandle::new().shutdown()).poll(&mut context).is_pending());
/// assert!(pin!(Shutdown::immediate()).poll(&mut context).is_ready());
/// # use std::future::Future;
/// ```
#[doc(alias = "graceful shutdown")]
#[doc(alias = "cancellation")]
#[derive(Debug)]
pub struct Shutdown {
    signal: Arc<Signal>,
    /// The number and the copy of the waker that the signal has of this one.
    waiting: Option<(u64, Waker)>,
}

impl Shutdown {
    /// A shutdown that is requested already.
    pub fn immediate() -> Self {
        let handle = ShutdownHandle::new();
        handle.shut_down();
        handle.shutdown()
    }

    /// Whether the shutdown is requested.
    pub fn is_requested(&self) -> bool {
        self.signal.requested.load(Ordering::SeqCst)
    }
}

impl Clone for Shutdown {
    fn clone(&self) -> Self {
        Self { signal: self.signal.clone(), waiting: None }
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_requested() {
            return Poll::Ready(());
        }
        let waker = context.waker();
        let known = self.waiting.as_ref().is_some_and(|(_, known)| known.will_wake(waker));
        if !known {
            let number = self.waiting.as_ref().map(|(number, _)| *number);
            let number = number.unwrap_or_else(|| self.signal.next.fetch_add(1, Ordering::Relaxed));
            self.signal.wakers().insert(number, waker.clone());
            self.waiting = Some((number, waker.clone()));
            // It may have been requested before the waker was there.
            if self.is_requested() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        if let Some((number, _)) = self.waiting.take() {
            self.signal.wakers().remove(&number);
        }
    }
}

#[derive(Default)]
struct Signal {
    requested: AtomicBool,
    next: AtomicU64,
    wakers: Mutex<BTreeMap<u64, Waker>>,
}

impl Signal {
    fn wakers(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("requested", &self.requested).finish_non_exhaustive()
    }
}

/// A machine whose session this side may end: what [`next_until`](crate::Connection::next_until) asks
/// of it.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_io::{Buffered, GracefulShutdown};
///
/// let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// Server::time_out(&mut server, "mx.example");
/// assert_eq!(server.output(), b"421 mx.example took too long, closing\r\n");
/// ```
pub trait GracefulShutdown: Machine + Sized {
    /// Ends the session, unless something is open that is to be finished first. `host` is the name
    /// of this side.
    fn begin_shutdown(buffered: &mut Buffered<Self>, host: &str);

    /// Ends the session, because the peer took too long. `host` is the name of this side.
    fn time_out(buffered: &mut Buffered<Self>, host: &str);
}

impl GracefulShutdown for Server {
    /// RFC 5321 §3.8: 421 to a command, or before one; a mail transaction that is open goes on to
    /// its end.
    fn begin_shutdown(buffered: &mut Buffered<Self>, host: &str) {
        let server = buffered.machine();
        // RFC 2033 §4.2: one reply for each recipient. The first ends the transaction, and what
        // became of the message for the others is still to be said.
        let owes = matches!(server.pending(), Some(Verb::Message | Verb::BdatLast));
        if !server.state().is_transaction() && !owes {
            close(buffered, (4, 3, 2), "closing, try again later", host);
        }
    }

    /// RFC 5321 §4.5.3.2.7 says how long a client may take. 421 4.4.2 is RFC 3463's code for it.
    fn time_out(buffered: &mut Buffered<Self>, host: &str) {
        close(buffered, (4, 4, 2), "took too long, closing", host);
    }
}

/// Says 421, unless the session is over or inside a handshake.
fn close(
    buffered: &mut Buffered<Server>,
    (class, subject, detail): (u8, u16, u16),
    text: &str,
    host: &str,
) {
    if !matches!(buffered.machine().state(), State::Tls | State::Closed) {
        let reply = match EnhancedCode::new(class, subject, detail) {
            Some(enhanced) => Reply::enhanced(Code::SERVICE_NOT_AVAILABLE, enhanced, text),
            None => Reply::new(Code::SERVICE_NOT_AVAILABLE, text),
        };
        // It always fits, and a session that has ended needs no reply.
        let _ = buffered.close(&reply.with_domain(host));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::pin::pin;
    use core::sync::atomic::AtomicUsize;
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn who_waits_is_woken_once_and_who_left_is_not() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut context = Context::from_waker(&waker);
        let handle = ShutdownHandle::new();
        let mut one = pin!(handle.shutdown());
        let mut two = pin!(one.clone());
        for _ in 0..3 {
            assert!(one.as_mut().poll(&mut context).is_pending());
            assert!(two.as_mut().poll(&mut context).is_pending());
        }
        {
            let mut gone = pin!(handle.shutdown());
            assert!(gone.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(handle.0.wakers().len(), 2);
        handle.shut_down();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        assert!(one.as_mut().poll(&mut context).is_ready());
        assert!(two.as_mut().poll(&mut context).is_ready());
    }
}
