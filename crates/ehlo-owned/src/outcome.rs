//! What became of each recipient, with the server's words.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Envelope, Reply};

use crate::path::ForwardPathBuf;
use crate::reply::ReplyBuf;

/// What became of one recipient: an owned [`Outcome`] with the address and the reply.
///
/// ```
/// use ehlo::delivery::{Event, Fate};
/// use ehlo::{Code, Reply};
/// use ehlo_owned::{EnvelopeBuf, OutcomeList};
///
/// let envelope = EnvelopeBuf::new("<>".parse()?, ["jones@example.org".parse()?]);
/// let mut outcomes = OutcomeList::begin(&envelope.as_envelope(), 0);
/// let reply = Reply::try_from("550 5.1.1 no such user")?;
/// outcomes.record(&Event::Recipient { envelope: 0, index: 0, reply });
/// let [jones] = &outcomes.into_vec()[..] else { panic!("there is one recipient") };
/// assert_eq!(jones.fate, Fate::Refused);
/// assert_eq!(jones.reply.as_ref().map(|reply| reply.text()), Some("no such user".into()));
/// assert_eq!(
///     jones.to_string(),
///     "<jones@example.org>: refused by the reply to RCPT: 550 5.1.1 no such user"
/// );
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RecipientOutcome {
    /// The address.
    pub recipient: ForwardPathBuf,
    /// What became of it.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_text::fate"))]
    pub fate: Fate,
    /// What was answered, or left unanswered, or not sent.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_text::verb"))]
    pub stage: Verb,
    /// The code of the reply that decided, or of the last refusal before this side gave up.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "crate::serde_text::optional_code"
        )
    )]
    pub code: Option<Code>,
    /// The enhanced status code of that reply.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "crate::serde_text::enhanced_code"
        )
    )]
    pub enhanced_code: Option<EnhancedCode>,
    /// That reply: an identifier of the queue behind 250, a reason behind 4yz and 5yz.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub reply: Option<ReplyBuf>,
    /// The outcome in words, without the address and the server's text.
    pub reason: String,
}

/// The address, the outcome in words, and the text of the reply; on one line.
impl fmt::Display for RecipientOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.recipient, self.reason)?;
        let Some(reply) = &self.reply else { return Ok(()) };
        // `Display` of a reply begins with its codes, which the reason ends with.
        let shown = reply.to_string();
        let codes = match reply.enhanced_code() {
            Some(enhanced) => alloc::format!("{} {enhanced}", reply.code()),
            None => reply.code().to_string(),
        };
        f.write_str(shown.strip_prefix(codes.as_str()).unwrap_or_default().trim_end())
    }
}

/// Collects the outcomes of one envelope from the events of its session, each with the server's words.
///
/// It does what [`Outcomes`] does, in memory of its own. Every event of a delivery may be recorded, from
/// the first of the session on.
///
/// ```
/// use ehlo::delivery::{Event, Fate, RecipientRange};
/// use ehlo::Reply;
/// use ehlo_owned::{EnvelopeBuf, OutcomeList};
///
/// let all = ["jones@example.org".parse()?, "green@example.org".parse()?];
/// let envelope = EnvelopeBuf::new("smith@example.com".parse()?, all);
/// let mut outcomes = OutcomeList::begin(&envelope.as_envelope(), 0);
/// let reply = Reply::try_from("250 2.0.0 queued as 42")?;
/// let part = RecipientRange { envelope: 0, first: 0, end: 2 };
/// outcomes.record(&Event::Message { part, first_only: false, reply });
/// assert!(outcomes.outcomes().iter().all(|outcome| outcome.fate == Fate::Accepted));
/// assert_eq!(outcomes.reply(1).map(|reply| reply.text()), Some("queued as 42".into()));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutcomeList {
    envelope: usize,
    recipients: Vec<ForwardPathBuf>,
    outcomes: Vec<Outcome>,
    replies: Vec<Option<ReplyBuf>>,
    /// The outcomes as they were, to find those that an event has changed.
    before: Vec<Outcome>,
}

impl OutcomeList {
    /// Begins with the outcomes of an envelope, the `number`-th of its session, counted from 0. All are
    /// [`Outcome::PENDING`].
    pub fn begin(envelope: &Envelope<'_>, number: usize) -> Self {
        let all = (0..).map_while(|index| envelope.recipients.recipient(index));
        let recipients: Vec<_> = all.map(|recipient| recipient.forward_path.into()).collect();
        let outcomes = vec![Outcome::PENDING; recipients.len()];
        Self {
            envelope: number,
            replies: vec![None; recipients.len()],
            before: outcomes.clone(),
            recipients,
            outcomes,
        }
    }

    /// Takes what `event` says of the recipients: [`Outcomes::record`].
    pub fn record(&mut self, event: &Event<'_>) {
        if event.envelope().is_some_and(|envelope| envelope != self.envelope) {
            return;
        }
        Outcomes::resume(&mut self.outcomes, self.envelope).record(event);
        let range = match event {
            Event::Recipient { index, .. } => *index..index.saturating_add(1),
            _ => 0..self.outcomes.len(),
        };
        for index in range {
            let all = (self.outcomes.get(index), self.before.get_mut(index));
            let ((Some(outcome), Some(before)), Some(reply)) = (all, self.replies.get_mut(index))
            else {
                return;
            };
            if outcome != before {
                *before = *outcome;
                *reply = match (outcome.code, said(event)) {
                    (Some(code), Some(said)) if said.code() == code => Some(said.into()),
                    (Some(_), _) => reply.take(),
                    (None, _) => None,
                };
            }
        }
    }

    /// The outcomes, one for each recipient in its order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The reply that gave the recipient at `index` its outcome; `None` without one.
    pub fn reply(&self, index: usize) -> Option<&ReplyBuf> {
        self.replies.get(index)?.as_ref()
    }

    /// What became of each recipient, in its order.
    pub fn into_vec(self) -> Vec<RecipientOutcome> {
        let all = self.recipients.into_iter().zip(self.outcomes).zip(self.replies);
        let owned = all.map(|((recipient, outcome), reply)| RecipientOutcome {
            recipient,
            fate: outcome.fate,
            stage: outcome.stage,
            code: outcome.code,
            enhanced_code: outcome.enhanced_code,
            reply,
            reason: outcome.to_string(),
        });
        owned.collect()
    }
}

/// The reply that an event has.
const fn said<'e, 'i>(event: &'e Event<'i>) -> Option<&'e Reply<'i>> {
    match event {
        Event::Challenge(reply)
        | Event::Recipient { reply, .. }
        | Event::Message { reply, .. }
        | Event::Refused { reply, .. }
        | Event::Reply { reply, .. }
        | Event::Unsolicited(reply) => Some(reply),
        _ => None,
    }
}
