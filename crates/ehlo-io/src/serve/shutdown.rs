//! The shutdown of a server's sessions.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Reply, Server};

use crate::buffered::Buffered;

/// Requests a graceful shutdown. All clones request the same shutdown.
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
        self.0.advance(REQUESTED);
    }

    /// Drops the sessions that still run.
    pub(super) fn cut_off(&self) {
        self.0.advance(CUT_OFF);
    }

    /// A future that is ready when the shutdown is requested.
    pub fn shutdown(&self) -> Shutdown {
        let entry = self.0.next.fetch_add(1, Ordering::Relaxed);
        Shutdown { signal: self.0.clone(), entry, owns_entry: true, waker: None }
    }
}

/// A future that is ready when a shutdown is requested, and stays ready.
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
    /// The key of its waker among those of the signal.
    entry: u64,
    /// False if that waker belongs to an enclosing future of the same task.
    owns_entry: bool,
    /// A copy of that waker.
    waker: Option<Waker>,
}

impl Shutdown {
    /// A shutdown that is already requested.
    pub fn immediate() -> Self {
        let handle = ShutdownHandle::new();
        handle.shut_down();
        handle.shutdown()
    }

    /// Returns `true` if the shutdown is requested.
    pub fn is_requested(&self) -> bool {
        self.signal.stage() >= REQUESTED
    }

    /// A copy for a future that is polled within the task of this one, and is woken with it.
    pub(super) fn within(&self) -> Self {
        let Self { signal, entry, .. } = self;
        Self { signal: signal.clone(), entry: *entry, owns_entry: false, waker: None }
    }

    /// Ready when the sessions that still run must be dropped.
    pub(super) fn poll_cut_off(&mut self, context: &Context<'_>) -> Poll<()> {
        self.poll_stage(CUT_OFF, context)
    }

    fn poll_stage(&mut self, stage: u8, context: &Context<'_>) -> Poll<()> {
        if self.signal.stage() >= stage {
            return Poll::Ready(());
        }
        self.wait(context.waker());
        // The request may have come before the waker was registered.
        if self.signal.stage() >= stage { Poll::Ready(()) } else { Poll::Pending }
    }

    fn wait(&mut self, waker: &Waker) {
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let mut wakers = self.signal.wakers();
        if !self.owns_entry && !wakers.get(&self.entry).is_some_and(|task| task.will_wake(waker)) {
            self.entry = self.signal.next.fetch_add(1, Ordering::Relaxed);
            self.owns_entry = true;
        }
        if self.owns_entry {
            wakers.insert(self.entry, waker.clone());
        }
        drop(wakers);
        self.waker = Some(waker.clone());
    }
}

impl Clone for Shutdown {
    fn clone(&self) -> Self {
        ShutdownHandle(self.signal.clone()).shutdown()
    }
}

impl Future for Shutdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.poll_stage(REQUESTED, context)
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        if self.owns_entry && self.waker.is_some() {
            self.signal.wakers().remove(&self.entry);
        }
    }
}

#[derive(Default)]
struct Signal {
    stage: AtomicU8,
    next: AtomicU64,
    wakers: Mutex<BTreeMap<u64, Waker>>,
}

impl Signal {
    fn stage(&self) -> u8 {
        self.stage.load(Ordering::SeqCst)
    }

    fn advance(&self, stage: u8) {
        if self.stage.fetch_max(stage, Ordering::SeqCst) < stage {
            // The lock is released first, because a waker may poll at once.
            let wakers: Vec<Waker> = self.wakers().values().cloned().collect();
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn wakers(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("stage", &self.stage).finish_non_exhaustive()
    }
}

/// The stages of a shutdown after the initial one, in which none was requested.
const REQUESTED: u8 = 1;
const CUT_OFF: u8 = 2;

/// A machine whose session this side may end, as [`next_until`](crate::Connection::next_until)
/// needs it.
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
    /// Ends the session, unless an open transaction must be finished first. `host` is the name of
    /// this side.
    fn begin_shutdown(buffered: &mut Buffered<Self>, host: &str);

    /// Ends the session because the peer took too long. `host` is the name of this side.
    fn time_out(buffered: &mut Buffered<Self>, host: &str);
}

impl GracefulShutdown for Server {
    /// RFC 5321 §3.8: answers 421 to a command, or before one; an open mail transaction continues
    /// to its end.
    fn begin_shutdown(buffered: &mut Buffered<Self>, host: &str) {
        let server = buffered.machine();
        // RFC 2033 §4.2: one reply for each recipient. The first ends the transaction, and the
        // outcome of the other recipients is still to be sent.
        let owes = matches!(server.pending(), Some(Verb::Message | Verb::BdatLast));
        if !server.state().is_transaction() && !owes {
            close(buffered, (4, 3, 2), "closing, try again later", host);
        }
    }

    /// RFC 5321 §4.5.3.2.7 limits the time of a client. 421 4.4.2 is RFC 3463's code for a timeout.
    fn time_out(buffered: &mut Buffered<Self>, host: &str) {
        close(buffered, (4, 4, 2), "took too long, closing", host);
    }
}

/// Sends 421, unless the session is over or inside a handshake.
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
        // The reply always fits, and a session that has ended needs no reply.
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
        assert!(one.poll_cut_off(&context).is_pending());
        handle.cut_off();
        assert_eq!(count.0.load(Ordering::SeqCst), 4);
        assert!(one.poll_cut_off(&context).is_ready());
    }

    #[test]
    fn a_session_shares_the_waker_of_its_task_and_has_its_own_elsewhere() {
        let counts = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let wakers = counts.each_ref().map(|count| Waker::from(count.clone()));
        let handle = ShutdownHandle::new();
        let mut task = handle.shutdown();
        let mut session = pin!(task.within());
        assert!(task.poll_cut_off(&Context::from_waker(&wakers[0])).is_pending());
        assert!(session.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
        assert_eq!(handle.0.wakers().len(), 1);
        assert!(session.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
        assert_eq!(handle.0.wakers().len(), 2);
        handle.shut_down();
        assert_eq!(counts.map(|count| count.0.load(Ordering::SeqCst)), [1, 1]);
    }
}
