//! What is known of one message: an outcome and a text for each recipient.

use ehlo::delivery::{Cause, Event, Fate, Outcome, Outcomes};
use ehlo::syntax::command::Verb;
use ehlo::{Reply, SendError};
use ehlo_apps::printable;

use crate::transcript::without_password;

/// What is known of one message.
pub(crate) struct Message {
    /// Its place among the envelopes.
    pub(crate) number: usize,
    /// It goes to addresses in A-labels.
    pub(crate) is_converted: bool,
    pub(crate) outcomes: Vec<Outcome>,
    /// What was said of each recipient.
    pub(crate) texts: Vec<String>,
}

impl Message {
    pub(crate) fn new(number: usize, is_converted: bool, recipients: usize) -> Self {
        let (outcomes, texts) =
            (vec![Outcome::PENDING; recipients], vec![String::new(); recipients]);
        Self { number, is_converted, outcomes, texts }
    }

    pub(crate) fn is_concerned(&self, event: &Event<'_>) -> bool {
        event.envelope().is_none_or(|number| number == self.number)
    }

    /// Whether a recipient has no outcome.
    pub(crate) fn is_pending(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.fate == Fate::Pending)
    }

    pub(crate) fn record(&mut self, event: &Event<'_>, said: &str, password: Option<&str>) {
        let before = self.outcomes.clone();
        Outcomes::resume(&mut self.outcomes, self.number).record(event);
        for ((before, outcome), text) in before.iter().zip(&self.outcomes).zip(&mut self.texts) {
            if before.fate != outcome.fate {
                *text = text_of(event, outcome, said, password);
            }
        }
    }

    /// Gives the recipients of a session that ended before anything was said a text.
    pub(crate) fn explain_silence(&mut self, why: &str) {
        for (outcome, text) in self.outcomes.iter().zip(&mut self.texts) {
            if outcome.cause == Cause::Ended && outcome.stage == Verb::Greeting {
                why.clone_into(text);
            }
        }
    }

    /// Gives the recipients that the session did not serve a text.
    pub(crate) fn explain(&mut self, why: &str) {
        for (outcome, text) in self.outcomes.iter_mut().zip(&mut self.texts) {
            if outcome.code.is_none() && matches!(outcome.cause, Cause::Unusable(_)) {
                outcome.fate = Fate::Deferred;
                why.clone_into(text);
            }
        }
    }
}

/// The exit code that an outcome asks for: 1 for an answer that concerns the mail, or content that cannot
/// be sent; 2 for a session that failed before it came to the mail, or an outcome that is not known.
pub(crate) fn severity(outcome: &Outcome) -> u8 {
    use Verb::{Auth, Ehlo, Helo, Lhlo, StartTls};
    match (outcome.fate, outcome.cause) {
        (Fate::Accepted, _) => 0,
        (Fate::Unknown | Fate::Pending, _) => 2,
        (_, Cause::Reply | Cause::Unsolicited) if outcome.code.is_some() => {
            if matches!(outcome.stage, Ehlo | Helo | Lhlo | StartTls | Auth) { 2 } else { 1 }
        }
        (_, Cause::NotSent(error)) => match error {
            SendError::Closed | SendError::OutOfStep | SendError::TlsRequired => 2,
            _ => 1,
        },
        _ => 2,
    }
}

/// What an event says of an outcome, in one line; `said` is what the server refused last.
fn text_of(event: &Event<'_>, outcome: &Outcome, said: &str, password: Option<&str>) -> String {
    match (event, outcome.cause) {
        (
            Event::Recipient { reply, .. }
            | Event::Message { reply, .. }
            | Event::Refused { reply, .. },
            _,
        ) => without_password(&reply_text(reply), password),
        (_, Cause::NotSent(error)) => format!("not sent: {error}"),
        (_, Cause::Unusable(why)) if outcome.code.is_some() => format!("not sent: {why}: {said}"),
        (_, Cause::Unusable(why)) => format!("not sent: {why}"),
        (_, Cause::Reply | Cause::Unsolicited) => said.to_owned(),
        (_, Cause::Violation(kind)) => format!("this is no reply: {}", kind.text()),
        (_, Cause::Ended) => format!("the session ended after {}", name(outcome.stage)),
        _ => format!("no reply to {}", name(outcome.stage)),
    }
}

pub(crate) fn name(verb: Verb) -> String {
    match verb {
        Verb::AuthResponse => "AUTH".to_owned(),
        Verb::BdatLast => "BDAT".to_owned(),
        verb => format!("{verb:?}").to_uppercase(),
    }
}

pub(crate) fn reply_text(reply: &Reply<'_>) -> String {
    let lines: Vec<_> = reply.lines().map(String::from_utf8_lossy).collect();
    printable(&lines.join(" / "))
}
