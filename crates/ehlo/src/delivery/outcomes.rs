//! The outcomes of the recipients of an envelope.

use crate::client::error::SendError;
use crate::delivery::event::{Event, RecipientRange};
use crate::delivery::outcome::{Cause, Fate, Outcome};
use crate::syntax::code::Severity;
use crate::syntax::command::Verb;
use crate::syntax::reply::Reply;

/// The outcomes of one envelope, one for each recipient, in memory of the caller.
///
/// Record every event of a delivery, from the first of the session on: events of other envelopes
/// have no effect, and a decided outcome never changes.
///
/// ```
/// use ehlo::delivery::{Event, Fate, Outcome, Outcomes, RecipientRange};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
///
/// let mut memory = [Outcome::PENDING; 2];
/// let mut outcomes = Outcomes::begin(&mut memory, 0).expect("nothing is decided");
/// let no = Reply::new(Code::MAILBOX_UNAVAILABLE, "no such user");
/// outcomes.record(&Event::Recipient { envelope: 0, index: 1, reply: no });
/// let part = RecipientRange { envelope: 0, first: 0, end: 2 };
/// let reply = Reply::new(Code::OK, "taken");
/// outcomes.record(&Event::Message { part, first_only: false, reply });
/// assert_eq!(memory.map(|outcome| outcome.fate), [Fate::Accepted, Fate::Refused]);
/// // Outcomes that were given are not begun again.
/// assert!(Outcomes::begin(&mut memory, 1).is_none());
/// ```
#[derive(Debug)]
pub struct Outcomes<'m> {
    all: &'m mut [Outcome],
    envelope: usize,
}

impl<'m> Outcomes<'m> {
    /// Begins the outcomes of an envelope, counted from 0. `memory` has one [`Outcome::PENDING`]
    /// for each recipient. Returns `None` if `memory` holds a decided outcome, so that none is
    /// overwritten.
    pub fn begin(memory: &'m mut [Outcome], envelope: usize) -> Option<Self> {
        let is_new = memory.iter().all(|outcome| *outcome == Outcome::PENDING);
        is_new.then_some(Self::resume(memory, envelope))
    }

    /// Continues the outcomes of an envelope, counted from 0, that `memory` holds.
    pub const fn resume(memory: &'m mut [Outcome], envelope: usize) -> Self {
        Self { all: memory, envelope }
    }

    /// Records the meaning of `event` for the recipients.
    pub fn record(&mut self, event: &Event<'_>) {
        if event.envelope().is_some_and(|envelope| envelope != self.envelope) {
            return;
        }
        match event {
            Event::Recipient { index, reply, .. }
                if reply.severity() != Severity::PositiveCompletion =>
            {
                if let Some(outcome) = self.all.get_mut(*index) {
                    *outcome = Outcome::of(Verb::Rcpt, reply);
                }
            }
            Event::Message { part, first_only, reply } => {
                let most = if *first_only { 1 } else { usize::MAX };
                let outcome = Outcome::of(Verb::Message, reply);
                self.pending(Some(*part)).take(most).for_each(|place| *place = outcome);
            }
            Event::Refused { part, to, reply } => self.decide(*part, Outcome::of(*to, reply)),
            Event::NotSent { part, at, error } => {
                let (fate, cause) = (fate(*error), Cause::NotSent(*error));
                self.decide(Some(*part), Outcome { fate, cause, stage: *at, ..Outcome::PENDING });
            }
            Event::Unanswered { part, to } => self.unanswered(*part, *to),
            Event::Split { first, .. } => {
                let rest = self.all.get_mut(*first..).unwrap_or_default();
                let again = rest.iter_mut().filter(|outcome| outcome.is_one_too_many());
                again.for_each(|outcome| *outcome = Outcome::PENDING);
            }
            Event::Finished { .. } => {
                // The session ended while no reply was due: the message was incomplete.
                self.end(|outcome| outcome.stage = Verb::Message);
            }
            Event::Closed => self.end(|_| {}),
            Event::Challenge(reply) => self.note(Verb::Auth, reply),
            Event::Reply { to, reply } if is_of_session(*to) => self.note(*to, reply),
            Event::Unsolicited(reply) => {
                for outcome in self.undecided() {
                    outcome.note(outcome.stage, reply);
                    outcome.cause = Cause::Unsolicited;
                }
            }
            Event::Violation(error) => {
                self.undecided().for_each(|outcome| outcome.cause = Cause::Violation(error.kind));
            }
            Event::Unusable(unusable) => {
                let stage = unusable.stage();
                let without = |outcome: &&mut Outcome| {
                    matches!(outcome.cause, Cause::Pending | Cause::NoReply)
                };
                for outcome in self.pending(None).filter(without) {
                    if outcome.stage != stage {
                        (outcome.code, outcome.enhanced_code) = (None, None);
                    }
                    (outcome.cause, outcome.stage) = (Cause::Unusable(*unusable), stage);
                }
            }
            _ => {}
        }
    }

    /// The session ended before `to` was answered.
    fn unanswered(&mut self, part: Option<RecipientRange>, to: Verb) {
        // RFC 5321 §4.2.5: only a reply moves the responsibility, and only its absence after the
        // end of the data leaves it open. A command that was pipelined may be that end.
        let is_end = matches!(to, Verb::Message | Verb::BdatLast);
        for outcome in self.pending(part) {
            // If the session was unusable for other envelopes, this one was open.
            if matches!(outcome.cause, Cause::Pending | Cause::Unusable(_)) || is_end {
                let cause = match outcome.cause {
                    Cause::Violation(_) => outcome.cause,
                    _ => Cause::NoReply,
                };
                *outcome = Outcome { cause, stage: to, ..Outcome::PENDING };
            }
            if is_end {
                outcome.fate = Fate::Unknown;
            }
        }
    }

    /// Ends the outcomes: no further event follows.
    fn end(&mut self, stage: impl Fn(&mut Outcome)) {
        for outcome in self.pending(None) {
            outcome.fate = Fate::Deferred;
            if outcome.cause == Cause::Pending {
                outcome.cause = Cause::Ended;
                (outcome.code, outcome.enhanced_code) = (None, None);
                stage(outcome);
            }
        }
    }

    fn note(&mut self, to: Verb, reply: &Reply<'_>) {
        self.pending(None).for_each(|outcome| outcome.note(to, reply));
    }

    /// The outcomes without a cause.
    fn undecided(&mut self) -> impl Iterator<Item = &mut Outcome> {
        self.pending(None).filter(|outcome| outcome.cause == Cause::Pending)
    }

    fn pending(&mut self, part: Option<RecipientRange>) -> impl Iterator<Item = &mut Outcome> {
        let (first, end) = part.map_or((0, usize::MAX), |part| (part.first, part.end));
        let upto = self.all.len().min(end);
        let all = self.all.get_mut(first..upto).unwrap_or_default();
        all.iter_mut().filter(|outcome| outcome.fate == Fate::Pending)
    }

    fn decide(&mut self, part: Option<RecipientRange>, with: Outcome) {
        self.pending(part).for_each(|outcome| *outcome = with);
    }
}

/// Returns `true` if `verb` comes before the first envelope.
const fn is_of_session(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Greeting
            | Verb::Ehlo
            | Verb::Helo
            | Verb::Lhlo
            | Verb::StartTls
            | Verb::Auth
            | Verb::AuthResponse
    )
}

/// A command that the limits of this session forbid may be sent in another session.
const fn fate(error: SendError) -> Fate {
    match error {
        SendError::Closed
        | SendError::OutOfStep
        | SendError::TlsRequired
        | SendError::TooManyRecipients
        | SendError::TooManyDomains
        | SendError::TooManyMessages
        | SendError::NoContent
        | SendError::BufferTooSmall(_) => Fate::Deferred,
        _ => Fate::Refused,
    }
}

impl RecipientRange {
    /// The indices of the recipients that have no outcome yet in `outcomes`, the list of the envelope.
    /// The event with this range decides for them: call it before that event is recorded.
    pub fn undecided(self, outcomes: &[Outcome]) -> impl Iterator<Item = usize> {
        let places = outcomes.iter().enumerate().take(self.end).skip(self.first);
        places.filter(|(_, outcome)| outcome.fate == Fate::Pending).map(|(index, _)| index)
    }
}
