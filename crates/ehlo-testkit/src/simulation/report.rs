//! What came of a simulation, and what must be true of it.

use std::time::Duration;

use ehlo::delivery::{DeliveryStatistics, Fate, Outcome, UnusableSession};

use super::configuration::Simulation;

/// What came of it.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo::ServerConfig;
/// use ehlo_testkit::simulation::Simulation;
///
/// let report = Simulation::new(ServerConfig::DEFAULT, Duration::ZERO, &[]).run()?;
/// assert!(report.outcomes.is_empty() && report.messages.is_empty());
/// assert!(report.sent > 0 && report.received > 0);
/// # Ok::<(), ehlo_testkit::simulation::Deadlock>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    /// The outcomes of each envelope that was begun.
    pub outcomes: Vec<Vec<Outcome>>,
    /// How often each of them was finished.
    pub finished: Vec<usize>,
    /// Outcomes that were given and then became others, though the recipient was not sent again.
    pub changed: usize,
    /// The messages that the server took.
    pub messages: Vec<Message>,
    /// Why the session was of no use, where it was not.
    pub unusable: Option<UnusableSession>,
    /// By the clock of the simulation.
    pub elapsed: Duration,
    /// What the client counted.
    pub statistics: DeliveryStatistics,
    /// Bytes that the client sent.
    pub sent: usize,
    /// Bytes that the server sent.
    pub received: usize,
}

/// A message that the server took, and said so.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo::{Envelope, ForwardPath, ReversePath, ServerConfig};
/// use ehlo_testkit::simulation::Simulation;
///
/// let to = [ForwardPath::new("b@x.example")?, ForwardPath::new("bad@x.example")?];
/// let envelopes = [Envelope::new(ReversePath::new("a@x.example")?, &to)];
/// let report = Simulation::new(ServerConfig::DEFAULT, Duration::ZERO, &envelopes).run()?;
/// assert_eq!(report.messages[0].to, ["<b@x.example>"]);
/// assert!(report.messages[0].is_known);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender, as it was written.
    pub from: String,
    /// The recipients, as they were written.
    pub to: Vec<String>,
    /// The content.
    pub content: Vec<u8>,
    /// The reply that takes it reached the client whole.
    pub is_known: bool,
}

impl Report {
    /// What must be true of every session: each envelope that was begun is finished once, and each
    /// recipient has one outcome, which agrees with what the server knows: "accepted" where the
    /// server has taken the message and said so, and "refused" and "deferred" where it has not
    /// taken it.
    ///
    /// # Errors
    ///
    /// What is not so.
    pub fn check(&self, simulation: &Simulation<'_>) -> Result<(), String> {
        if self.changed > 0 {
            return Err(format!("{} outcomes have changed", self.changed));
        }
        for (number, outcomes) in self.outcomes.iter().enumerate() {
            let times = self.finished[number];
            if times != 1 {
                return Err(format!("envelope {number} is finished {times} times"));
            }
            let envelope = &simulation.envelopes[number];
            let from = envelope.reverse_path.to_string();
            for (index, outcome) in outcomes.iter().enumerate() {
                let recipient = envelope.recipients.recipient(index).expect("it has an outcome");
                let address = recipient.forward_path.to_string();
                let is_for =
                    |message: &&Message| message.from == from && message.to.contains(&address);
                let taken: Vec<&Message> = self.messages.iter().filter(is_for).collect();
                let is_known = taken.iter().any(|message| message.is_known);
                let fits = match outcome.fate {
                    Fate::Pending => false,
                    Fate::Accepted => is_known,
                    Fate::Unknown => !is_known,
                    Fate::Deferred | Fate::Refused => taken.is_empty(),
                };
                if !fits || taken.len() > 1 {
                    return Err(format!("{address}: {outcome:?}, and the server: {taken:?}"));
                }
            }
        }
        Ok(())
    }
}
