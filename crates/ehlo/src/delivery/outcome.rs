//! What became of each recipient.

use super::Event;
use crate::{Code, EnhancedCode, Reply, SendError, Severity, Verb};

/// What became of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing has been said yet.
    Pending,
    /// The server has taken the message for this recipient: it is responsible now.
    Accepted,
    /// 4yz, or the session broke before the message was complete: try again later.
    Deferred,
    /// 5yz: do not try again.
    Refused,
    /// The session broke after the message was complete and before the server answered: it may
    /// have been delivered, or not.
    Unknown,
}

/// What became of a recipient, and who said so.
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
}

impl Outcome {
    /// Nothing has been said yet.
    pub const PENDING: Self =
        Self { fate: Fate::Pending, code: None, enhanced_code: None, stage: Verb::Greeting };

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
            Severity::PermanentNegative => Fate::Refused,
        };
        Self { fate, code: Some(reply.code()), enhanced_code: reply.enhanced_code(), stage }
    }
}

/// The outcomes of one envelope, one for each recipient, in memory of the caller.
///
/// ```
/// use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
/// use ehlo::{Code, Reply, Verb};
///
/// let mut memory = [Outcome::PENDING; 2];
/// let mut outcomes = Outcomes::new(&mut memory);
/// let no = Reply::new(Code::MAILBOX_UNAVAILABLE, "no such user");
/// outcomes.record(&Event::Recipient { index: 1, reply: no });
/// outcomes.record(&Event::Message { reply: Reply::new(Code::OK, "taken") });
/// assert_eq!(memory.map(|outcome| outcome.fate), [Fate::Accepted, Fate::Refused]);
/// ```
#[derive(Debug)]
pub struct Outcomes<'m> {
    all: &'m mut [Outcome],
    lmtp: bool,
}

impl<'m> Outcomes<'m> {
    /// All of `memory` is pending; it should have one place for each recipient.
    pub fn new(memory: &'m mut [Outcome]) -> Self {
        memory.fill(Outcome::PENDING);
        Self::resume(memory, false)
    }

    /// Goes on with outcomes that were begun before. In LMTP the server answers the message for
    /// each recipient, RFC 2033 §4.2.
    pub const fn resume(memory: &'m mut [Outcome], lmtp: bool) -> Self {
        Self { all: memory, lmtp }
    }

    /// Takes what `event` says of the recipients.
    pub fn record(&mut self, event: &Event<'_>) {
        match event {
            Event::Recipient { index, reply }
                if reply.severity() != Severity::PositiveCompletion =>
            {
                if let Some(outcome) = self.all.get_mut(*index) {
                    *outcome = Outcome::of(Verb::Rcpt, reply);
                }
            }
            Event::Message { reply } => {
                let outcome = Outcome::of(Verb::Message, reply);
                if self.lmtp {
                    if let Some(first) = self.pending().next() {
                        *first = outcome;
                    }
                } else {
                    self.decide_rest(outcome);
                }
            }
            Event::Refused { to, reply } => self.decide_rest(Outcome::of(*to, reply)),
            Event::Unanswered { to } => self.decide_rest(Outcome {
                // RFC 5321 §4.2.5: only a reply moves the responsibility, and only its absence
                // after the end of the data leaves it open.
                fate: match to {
                    Verb::Message | Verb::BdatLast => Fate::Unknown,
                    _ => Fate::Deferred,
                },
                stage: *to,
                ..Outcome::PENDING
            }),
            Event::NotSent { index, at, error } => {
                let outcome = Outcome { fate: fate(*error), stage: *at, ..Outcome::PENDING };
                match index {
                    Some(index) => {
                        if let Some(place) = self.all.get_mut(*index) {
                            *place = outcome;
                        }
                    }
                    None => self.decide_rest(outcome),
                }
            }
            Event::Closed => self.decide_rest(Outcome {
                fate: Fate::Deferred,
                stage: Verb::Quit,
                ..Outcome::PENDING
            }),
            _ => {}
        }
    }

    fn pending(&mut self) -> impl Iterator<Item = &mut Outcome> {
        self.all.iter_mut().filter(|outcome| outcome.fate == Fate::Pending)
    }

    fn decide_rest(&mut self, with: Outcome) {
        for outcome in self.pending() {
            *outcome = with;
        }
    }
}

/// What the server's limits of this session forbid may be sent in another one.
const fn fate(error: SendError) -> Fate {
    match error {
        SendError::Closed
        | SendError::OutOfStep
        | SendError::TlsRequired
        | SendError::TooManyRecipients
        | SendError::TooManyMessages => Fate::Deferred,
        _ => Fate::Refused,
    }
}
