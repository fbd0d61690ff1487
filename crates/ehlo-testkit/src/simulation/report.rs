//! The result of a simulation, and the invariants of every result.

use std::time::Duration;

use ehlo::delivery::{DeliveryStatistics, Fate, Outcome, UnusableSession};

use super::configuration::Simulation;

/// The result of a simulation.
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
    /// The number of times that each of them was finished.
    pub finished: Vec<usize>,
    /// The number of outcomes that changed after they were decided, without a new transaction for
    /// the recipient.
    pub changed: usize,
    /// The messages that the server accepted.
    pub messages: Vec<Message>,
    /// The reason why the session was unusable; `None` if it was usable.
    pub unusable: Option<UnusableSession>,
    /// The duration by the clock of the simulation.
    pub elapsed: Duration,
    /// The statistics of the client.
    pub statistics: DeliveryStatistics,
    /// The number of bytes that the client sent.
    pub sent: usize,
    /// The number of bytes that the server sent.
    pub received: usize,
}

/// A message that the server accepted with a reply.
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
    /// The sender, as it was sent.
    pub from: String,
    /// The recipients, as they were sent.
    pub to: Vec<String>,
    /// The content.
    pub content: Vec<u8>,
    /// The accepting reply reached the client whole.
    pub is_known: bool,
}

impl Report {
    /// Checks the invariants of every session: each envelope that was begun is finished once, and
    /// each recipient has one outcome, which agrees with the server: "accepted" only if the server
    /// has accepted the message and replied, and "refused" and "deferred" only if it has not
    /// accepted it.
    ///
    /// # Errors
    ///
    /// The invariant that does not hold.
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
