//! Events that do not come from a reply.

use crate::client::error::SendError;
use crate::delivery::event::{Event, RecipientRange, UnusableSession};
use crate::syntax::command::Verb;

/// The events that do not come from a reply and are not reported yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingEvents {
    pub(super) not_sent: Option<(RecipientRange, Verb, SendError)>,
    /// An envelope, and the first recipient of its next transaction.
    pub(super) split: Option<(usize, usize)>,
    pub(super) finished: Option<usize>,
    pub(super) unusable: Option<UnusableSession>,
}

impl PendingEvents {
    pub(super) const NONE: Self =
        Self { not_sent: None, split: None, finished: None, unusable: None };

    pub(super) const fn is_any(&self) -> bool {
        self.not_sent.is_some()
            || self.split.is_some()
            || self.finished.is_some()
            || self.unusable.is_some()
    }

    pub(super) fn take(&mut self) -> Option<Event<'static>> {
        if let Some((part, at, error)) = self.not_sent.take() {
            return Some(Event::NotSent { part, at, error });
        }
        if let Some((envelope, first)) = self.split.take() {
            return Some(Event::Split { envelope, first });
        }
        if let Some(envelope) = self.finished.take() {
            return Some(Event::Finished { envelope });
        }
        self.unusable.take().map(Event::Unusable)
    }
}
