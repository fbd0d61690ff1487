//! What became of each recipient, with the server's words.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use ehlo::delivery::{Event, Outcome, Outcomes};
use ehlo::{Envelope, ForwardPath, Reply};

/// What became of one recipient: its [`Outcome`], its address and the text of the server's reply. It is
/// owned, and gives the fields of its outcome as its own.
///
/// ```
/// use ehlo::delivery::{Fate, Outcome};
/// use ehlo_io::RecipientReport;
///
/// let report = RecipientReport {
///     address: "jones@example.org".to_owned(),
///     outcome: Outcome::PENDING,
///     text: Some("queued as 1A2B3C".to_owned()),
/// };
/// assert_eq!(report.fate, Fate::Pending);
/// assert_eq!(report.to_string(), "jones@example.org: pending (queued as 1A2B3C)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// The address, without angle brackets.
    pub address: String,
    /// The fate, what it comes from, the stage, the code and the enhanced status code.
    pub outcome: Outcome,
    /// The text of the reply that has the outcome's code, such as a queue identifier behind 250 or a
    /// reason behind 5yz, without the enhanced status code: lines are divided by LF, bytes that are not
    /// UTF-8 are replaced. `None` where no reply decided.
    pub text: Option<String>,
}

impl Deref for RecipientReport {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

impl fmt::Display for RecipientReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.outcome)?;
        match &self.text {
            Some(text) => write!(f, " ({})", text.escape_debug()),
            None => Ok(()),
        }
    }
}

/// An envelope that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) number: usize,
    outcomes: Vec<Outcome>,
    texts: Vec<Option<String>>,
    addresses: Vec<String>,
}

impl Open {
    pub(super) fn new(number: usize, envelope: &Envelope<'_>) -> Self {
        let all = (0..).map_while(|index| envelope.recipients.recipient(index));
        let addresses: Vec<_> = all.map(|recipient| address(&recipient.forward_path)).collect();
        let count = addresses.len();
        Self {
            number,
            outcomes: alloc::vec![Outcome::PENDING; count],
            texts: alloc::vec![None; count],
            addresses,
        }
    }

    pub(super) fn record(&mut self, event: &Event<'_>) {
        if event.envelope().is_some_and(|envelope| envelope != self.number) {
            return;
        }
        // One recipient has an outcome of its own; everything else comes a few times a message.
        let place = match event {
            Event::Recipient { index, .. } => *index..index.saturating_add(1),
            Event::NeedInput | Event::NeedEnvelope | Event::NeedContent { .. } => return,
            _ => 0..self.outcomes.len(),
        };
        let before = self.outcomes.get(place.clone()).unwrap_or_default().to_vec();
        Outcomes::resume(&mut self.outcomes, self.number).record(event);
        let after = self.outcomes.get(place.clone()).unwrap_or_default();
        let texts = self.texts.get_mut(place).unwrap_or_default();
        let changed = before.iter().zip(after).zip(texts).filter(|((old, new), _)| old != new);
        for ((_, outcome), place) in changed {
            match (outcome.code, event.reply()) {
                (None, _) => *place = None,
                (Some(code), Some(reply)) if reply.code() == code => *place = Some(text(reply)),
                _ => {}
            }
        }
    }

    pub(super) fn into_reports(self) -> Vec<RecipientReport> {
        let all = self.addresses.into_iter().zip(self.outcomes).zip(self.texts);
        all.map(|((address, outcome), text)| RecipientReport { address, outcome, text }).collect()
    }
}

/// The text of all lines.
pub(super) fn text(reply: &Reply<'_>) -> String {
    let mut text = String::new();
    for (number, line) in reply.lines().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text.push_str(&String::from_utf8_lossy(line));
    }
    text
}

fn address(path: &ForwardPath<'_>) -> String {
    let text = path.to_string();
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.map_or_else(|| text.clone(), String::from)
}
