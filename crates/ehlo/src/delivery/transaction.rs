//! One mail transaction: an envelope, or as many of its recipients as the server takes at once.

use crate::delivery::envelope::{Envelope, Recipient};
use crate::delivery::event::RecipientRange;
use crate::syntax::reply::Reply;

/// The state of an open transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction<'e> {
    pub(super) envelope: &'e Envelope<'e>,
    /// The number of the envelope.
    pub(super) number: usize,
    /// The first recipient.
    pub(super) first: usize,
    /// The recipient whose RCPT is sent next; once all are sent, the first one outside the
    /// transaction.
    pub(super) next: usize,
    /// The recipient whose reply comes next.
    answered: usize,
    /// RCPT commands that were sent.
    pub(super) sent: u32,
    /// RCPT commands that were answered.
    replies: u32,
    /// Recipients that were accepted.
    pub(super) accepted: u32,
    /// The first recipient of the last replies "too many recipients" to RCPT; `usize::MAX` if the
    /// last reply was another one.
    too_many: usize,
    /// The number of bytes of the content that were taken.
    pub(super) offset: u64,
    pub(super) flags: Flags,
}

/// The flags of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    /// A recipient was left out, so indices and replies no longer correspond.
    pub(super) skips: bool,
    /// The content is sent by BDAT.
    pub(super) chunks: bool,
    /// The content is sent before the server answers the RCPT commands.
    pub(super) early: bool,
    /// Nothing more of it is sent, except the rest of a chunk.
    pub(super) failed: bool,
    /// The cause of the failure is the outcome of all recipients without one: no other transaction
    /// follows for them.
    pub(super) decided: bool,
    /// The end of the content is written.
    pub(super) ended: bool,
    /// The end of the content is answered, though it is not written.
    pub(super) answered: bool,
    /// It began behind a message that then failed, so the server may not be ready for it.
    pub(super) behind_failure: bool,
    /// It begins again after RSET.
    pub(super) again: bool,
}

impl Flags {
    const NONE: Self = Self {
        skips: false,
        chunks: false,
        early: false,
        failed: false,
        decided: false,
        ended: false,
        answered: false,
        behind_failure: false,
        again: false,
    };
}

impl<'e> Transaction<'e> {
    pub(super) const fn new(envelope: &'e Envelope<'e>, number: usize, first: usize) -> Self {
        Self {
            envelope,
            number,
            first,
            next: first,
            answered: first,
            sent: 0,
            replies: 0,
            accepted: 0,
            too_many: usize::MAX,
            offset: 0,
            flags: Flags::NONE,
        }
    }

    /// The recipients in it.
    pub(super) const fn part(&self) -> RecipientRange {
        RecipientRange { envelope: self.number, first: self.first, end: self.next }
    }

    /// The recipients in it, and all behind them.
    pub(super) const fn rest(&self) -> RecipientRange {
        RecipientRange { envelope: self.number, first: self.first, end: usize::MAX }
    }

    /// One recipient.
    pub(super) const fn one(&self, index: usize) -> RecipientRange {
        RecipientRange { envelope: self.number, first: index, end: index.saturating_add(1) }
    }

    pub(super) fn recipient(&self, index: usize) -> Option<Recipient<'e>> {
        self.envelope.recipients.recipient(index)
    }

    /// Returns `true` if the envelope needs SMTPUTF8.
    pub(super) const fn smtputf8(&self) -> bool {
        self.envelope.smtputf8 || self.envelope.parameters.smtputf8()
    }

    /// Returns `true` if every RCPT that was sent has its reply.
    pub(super) const fn is_answered(&self) -> bool {
        self.sent == self.replies
    }

    /// Returns `true` if all recipients are known to be refused.
    pub(super) const fn has_nobody(&self) -> bool {
        self.is_answered() && self.accepted == 0
    }

    /// Leaves the next recipient out.
    pub(super) const fn skip(&mut self) {
        if self.sent == 0 {
            self.answered += 1;
        } else {
            self.flags.skips = true;
        }
        self.next += 1;
    }

    /// The recipient of a reply to RCPT, among those that `was_sent`.
    pub(super) fn answer(
        &mut self,
        reply: &Reply<'_>,
        splits: bool,
        was_sent: impl Fn(&Recipient<'e>) -> bool,
    ) -> usize {
        if self.flags.skips {
            while self.answered < self.next
                && self.recipient(self.answered).is_some_and(|recipient| !was_sent(&recipient))
            {
                self.answered += 1;
            }
        }
        let index = self.answered;
        self.answered = index.saturating_add(1);
        self.replies = self.replies.saturating_add(1);
        if is_completion(reply) {
            self.accepted = self.accepted.saturating_add(1);
        }
        self.too_many =
            if splits && is_one_too_many(reply) { self.too_many.min(index) } else { usize::MAX };
        index
    }

    /// The first recipient of the transaction that follows this one with the same content.
    pub(super) fn following(&self) -> Option<usize> {
        if self.flags.decided || !self.envelope.repeatable {
            return None;
        }
        if self.too_many < self.next && self.accepted > 0 {
            return Some(self.too_many);
        }
        self.recipient(self.next).map(|_| self.next)
    }
}

/// 2yz.
pub(super) fn is_completion(reply: &Reply<'_>) -> bool {
    reply.severity() == crate::syntax::code::Severity::PositiveCompletion
}

/// RFC 5321 §4.5.3.1.10: 452, or 552 which counts as 452, unless an enhanced status code names
/// another cause: RFC 3463 §3.6 has X.5.3 for too many recipients.
fn is_one_too_many(reply: &Reply<'_>) -> bool {
    let about_it =
        |code: crate::syntax::code::EnhancedCode| (code.subject(), code.detail()) == (5, 3);
    matches!(reply.code().number(), 452 | 552) && reply.enhanced_code().is_none_or(about_it)
}
