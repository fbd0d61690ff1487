//! Which action applies where.

use std::time::Duration;

use ehlo::ForwardPath;
use ehlo_owned::{ForwardPathBuf, ReplyBuf};

use crate::action::{Action, Kind, Stage};

/// The actions of a server, in the order in which they were given.
#[derive(Debug, Default)]
pub(crate) struct Rules(pub(crate) Vec<Rule>);

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) place: Place,
    pub(crate) action: Action,
    /// How often it applies; `None` for always.
    pub(crate) left: Option<usize>,
}

/// Where a rule applies.
#[derive(Debug)]
pub(crate) enum Place {
    At(Stage),
    /// The RCPT of a recipient.
    To(ForwardPathBuf),
    /// The end of a message to it.
    MessageTo(ForwardPathBuf),
}

/// What the rules say of one moment.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// To be waited for first.
    pub(crate) delay: Duration,
    pub(crate) end: End,
}

#[derive(Debug, Default)]
pub(crate) enum End {
    #[default]
    AsUsual,
    Reply(ReplyBuf),
    Disconnect,
    LoseReply,
}

impl Rules {
    /// What the rules say of this stage, and of recipients that it concerns: all delays, up to the first
    /// rule that answers or disconnects.
    pub(crate) fn judge(&mut self, stage: Stage, recipients: &[ForwardPath<'_>]) -> Verdict {
        let mut verdict = Verdict::default();
        for rule in &mut self.0 {
            if rule.left == Some(0) || !rule.place.is(stage, recipients) {
                continue;
            }
            if let Some(left) = &mut rule.left {
                *left -= 1;
            }
            verdict.end = match &rule.action.0 {
                Kind::Delay(time) => {
                    verdict.delay = verdict.delay.saturating_add(*time);
                    continue;
                }
                Kind::Reply(Ok(reply)) => End::Reply(reply.clone()),
                // The builder has refused it.
                Kind::Reply(Err(_)) => continue,
                Kind::Disconnect => End::Disconnect,
                Kind::LoseReply => End::LoseReply,
            };
            break;
        }
        verdict
    }
}

impl Place {
    fn is(&self, now: Stage, recipients: &[ForwardPath<'_>]) -> bool {
        let is_among = |path: &ForwardPathBuf| recipients.iter().any(|other| is_same(path, other));
        match self {
            Self::At(stage) => *stage == now,
            Self::To(path) => now == Stage::Rcpt && is_among(path),
            Self::MessageTo(path) => now == Stage::EndOfData && is_among(path),
        }
    }
}

/// RFC 5321 §4.1.2: a source route is to be ignored.
fn is_same(path: &ForwardPathBuf, other: &ForwardPath<'_>) -> bool {
    let path = path.as_forward_path();
    match (path.mailbox(), other.mailbox()) {
        (Some(mailbox), Some(other)) => mailbox == other,
        _ => path == *other,
    }
}
