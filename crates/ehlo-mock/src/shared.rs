//! What all sessions of a server share.

use std::collections::BTreeMap;
use std::fmt;
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use ehlo::{ForwardPath, ServerConfig};

use crate::action::Stage;
use crate::auth::Users;
use crate::message::Message;
use crate::rules::{End, Rules};

pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) users: Users,
    #[cfg(feature = "rustls")]
    pub(crate) tls: Option<crate::tls::Tls>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(crate) struct State {
    rules: Rules,
    pub(crate) messages: Vec<Message>,
    pub(crate) errors: Vec<String>,
    pub(crate) waiting: Vec<Waker>,
    /// The sockets of the sessions that are open.
    pub(crate) sockets: BTreeMap<u64, TcpStream>,
    pub(crate) is_over: bool,
}

impl Shared {
    pub(crate) fn new(config: ServerConfig, users: Users, rules: Rules) -> Self {
        Self {
            config,
            users,
            #[cfg(feature = "rustls")]
            tls: None,
            state: Mutex::new(State { rules, ..State::default() }),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a message, or the end, for no longer than `limit`.
    pub(crate) fn wait<'s>(
        &self,
        state: MutexGuard<'s, State>,
        limit: Duration,
    ) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Keeps a message, and tells those who wait.
    pub(crate) fn keep(&self, message: Message) -> usize {
        let mut state = self.lock();
        state.messages.push(message);
        self.changed.notify_all();
        state.waiting.drain(..).for_each(Waker::wake);
        state.messages.len()
    }

    pub(crate) fn fail(&self, error: impl fmt::Display) {
        self.lock().errors.push(error.to_string());
    }

    /// What the rules say; the delay of it is over when it returns.
    pub(crate) fn judge(&self, stage: Stage, recipients: &[ForwardPath<'_>]) -> End {
        let begun = Instant::now();
        let mut inner = self.lock();
        let verdict = inner.rules.judge(stage, recipients);
        while let Some(left) = verdict.delay.checked_sub(begun.elapsed()) {
            if inner.is_over || left.is_zero() {
                break;
            }
            inner = self.wait(inner, left);
        }
        verdict.end
    }

    /// Ends every session.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.is_over = true;
        for socket in state.sockets.values() {
            // One that is closed already is as it should be.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
        self.changed.notify_all();
    }
}
