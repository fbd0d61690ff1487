//! What became of each recipient.

use crate::client::error::SendError;
use crate::delivery::event::{Event, RecipientRange};
use crate::syntax::code::{Code, EnhancedCode, Severity};
use crate::syntax::command::Verb;
use crate::syntax::reply::Reply;

/// What became of a recipient.
///
/// ```
/// use ehlo::delivery::{Fate, Outcome};
///
/// /// Whether another attempt makes sense.
/// fn is_to_try_again(outcome: &Outcome) -> bool {
///     matches!(outcome.fate, Fate::Pending | Fate::Deferred)
/// }
///
/// assert!(is_to_try_again(&Outcome::PENDING));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing has been said yet.
    Pending,
    /// The server has taken the message for this recipient: it is responsible now.
    Accepted,
    /// 4yz, or the session broke before the message was complete: try again later.
    Deferred,
    /// 5yz, or this side cannot send it as it is: do not try again.
    Refused,
    /// The session broke after the message was complete and before the server answered: it may
    /// have been delivered, or not.
    Unknown,
}

/// What became of a recipient, and who said so.
///
/// ```
/// use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
/// use ehlo::syntax::code::EnhancedCode;
///
/// let mut memory = [Outcome::PENDING];
/// let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "5.1.1 no such user");
/// Outcomes::new(&mut memory).record(&Event::Recipient { envelope: 0, index: 0, reply });
/// let [outcome] = memory;
/// assert_eq!((outcome.fate, outcome.stage), (Fate::Refused, Verb::Rcpt));
/// assert_eq!(outcome.enhanced_code, EnhancedCode::new(5, 1, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the recipient.
    pub fate: Fate,
    /// The reply's code, where there was one.
    pub code: Option<Code>,
    /// The reply's enhanced status code, where it had one.
    pub enhanced_code: Option<EnhancedCode>,
    /// What was answered, or left unanswered.
    pub stage: Verb,
    /// Why this side did not send what the recipient was to get, where it is this side that did not: as
    /// 8-bit content in an envelope that says 7-bit, or a bare LF.
    pub error: Option<SendError>,
}

impl Outcome {
    /// Nothing has been said yet.
    pub const PENDING: Self = Self {
        fate: Fate::Pending,
        code: None,
        enhanced_code: None,
        stage: Verb::Greeting,
        error: None,
    };

    fn of(stage: Verb, reply: &Reply<'_>) -> Self {
        let fate = match reply.severity() {
            // RFC 5321 §4.2.5: the 250 after the mail data, and no other, takes the responsibility.
            Severity::PositiveCompletion if matches!(stage, Verb::Message | Verb::BdatLast) => {
                Fate::Accepted
            }
            // Nothing waits for more where an outcome is decided.
            Severity::TransientNegative
            | Severity::PositiveIntermediate
            | Severity::PositiveCompletion => Fate::Deferred,
            // RFC 5321 §4.5.3.1.10: 552 to RCPT is "too many recipients", and temporary.
            Severity::PermanentNegative if stage == Verb::Rcpt && reply.code().number() == 552 => {
                Fate::Deferred
            }
            // Who insists on TLS may find it tomorrow.
            Severity::PermanentNegative if stage == Verb::StartTls => Fate::Deferred,
            Severity::PermanentNegative => Fate::Refused,
        };
        let (code, enhanced_code) = (Some(reply.code()), reply.enhanced_code());
        Self { fate, code, enhanced_code, stage, error: None }
    }

    fn is_one_too_many(&self) -> bool {
        let number = self.code.map(Code::number);
        self.stage == Verb::Rcpt && matches!(number, Some(452 | 552))
    }
}

/// The outcomes of one envelope, one for each recipient, in memory of the caller.
///
/// Every event of a delivery may be recorded: what concerns other envelopes has no effect.
///
/// ```
/// use ehlo::delivery::{Event, Fate, Outcome, Outcomes, RecipientRange};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
///
/// let mut memory = [Outcome::PENDING; 2];
/// let mut outcomes = Outcomes::new(&mut memory);
/// let no = Reply::new(Code::MAILBOX_UNAVAILABLE, "no such user");
/// outcomes.record(&Event::Recipient { envelope: 0, index: 1, reply: no });
/// let part = RecipientRange { envelope: 0, first: 0, end: 2 };
/// let reply = Reply::new(Code::OK, "taken");
/// outcomes.record(&Event::Message { part, first_only: false, reply });
/// assert_eq!(memory.map(|outcome| outcome.fate), [Fate::Accepted, Fate::Refused]);
/// ```
#[derive(Debug)]
pub struct Outcomes<'m> {
    all: &'m mut [Outcome],
    envelope: usize,
}

impl<'m> Outcomes<'m> {
    /// The outcomes of the first envelope. All of `memory` is pending; it should have one place for
    /// each recipient.
    pub fn new(memory: &'m mut [Outcome]) -> Self {
        memory.fill(Outcome::PENDING);
        Self::resume(memory, 0)
    }

    /// Goes on with the outcomes of an envelope, counted from 0.
    pub const fn resume(memory: &'m mut [Outcome], envelope: usize) -> Self {
        Self { all: memory, envelope }
    }

    /// Takes what `event` says of the recipients.
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
                let (fate, error) = (fate(*error), Some(*error));
                let outcome = Outcome { fate, stage: *at, error, ..Outcome::PENDING };
                self.decide(Some(*part), outcome);
            }
            // RFC 5321 §4.2.5: only a reply moves the responsibility, and only its absence after
            // the end of the data leaves it open.
            Event::Unanswered { part, to: to @ (Verb::Message | Verb::BdatLast) } => {
                self.decide(*part, Outcome { fate: Fate::Unknown, stage: *to, ..Outcome::PENDING });
            }
            // What comes behind it may be the end of the data.
            Event::Unanswered { part, to } => {
                let first = |outcome: &&mut Outcome| outcome.stage == Outcome::PENDING.stage;
                self.pending(*part).filter(first).for_each(|outcome| outcome.stage = *to);
            }
            Event::Split { first, .. } => {
                let rest = self.all.get_mut(*first..).unwrap_or_default();
                let again = rest.iter_mut().filter(|outcome| outcome.is_one_too_many());
                again.for_each(|outcome| *outcome = Outcome::PENDING);
            }
            Event::Finished { .. } => {
                for outcome in self.pending(None) {
                    outcome.fate = Fate::Deferred;
                    // The session ended when nothing was awaited: the message was not complete.
                    if outcome.stage == Outcome::PENDING.stage {
                        outcome.stage = Verb::Message;
                    }
                }
            }
            Event::Closed => {
                self.pending(None).for_each(|outcome| outcome.fate = Fate::Deferred);
            }
            _ => {}
        }
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

/// What the server's limits of this session forbid may be sent in another one.
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
