//! A delivery and a server joined by a link with latency, bandwidth, segments and an end, under a
//! clock of its own.
//!
//! Both ends have buffers of a fixed size, as a program without an allocator has, and the link
//! holds no more octets than its window: what is not read is not sent. When neither end can do
//! anything the clock goes on to the next arrival; when there is none either, they wait for each
//! other for ever, and [`Simulation::run`] says so.

mod client;
mod link;
mod server;

use std::time::Duration;

use client::ClientEnd;
use ehlo::delivery::DeliveryStatistics;
use ehlo::delivery::{Fate, Outcome, UnusableSession};
use ehlo::{DeliveryConfig, Envelope, ServerConfig};
pub use link::Link;
use link::Pipe;
use server::ServerEnd;

/// What is simulated.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo::{Envelope, ForwardPath, ReversePath, ServerConfig};
/// use ehlo_testkit::simulation::Simulation;
///
/// let to = [ForwardPath::new("b@example.org")?];
/// let envelopes = [Envelope::new(ReversePath::new("a@example.org")?, &to)];
/// let latency = Duration::from_millis(50);
/// let simulation = Simulation::new(ServerConfig::DEFAULT, latency, &envelopes);
/// let report = simulation.run()?;
/// report.check(&simulation)?;
/// // EHLO; MAIL, RCPT, DATA; the content and QUIT behind it. The greeting comes by itself.
/// assert_eq!(report.statistics.round_trips, 3);
/// assert_eq!(report.elapsed, latency * (1 + 3 * 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simulation<'e> {
    /// The client's part.
    pub client: DeliveryConfig,
    /// The server's part.
    pub server: ServerConfig,
    /// The way from the client to the server.
    pub up: Link,
    /// The way from the server to the client.
    pub down: Link,
    /// The envelopes, in order, each from another sender.
    pub envelopes: &'e [Envelope<'e>],
    /// The content of every message.
    pub content: &'e [u8],
    /// Octets of the content that are given at once.
    pub piece: usize,
    /// What the client can keep.
    pub client_room: Room,
    /// What the server can keep.
    pub server_room: Room,
    /// How long the server thinks about a message.
    pub delivery_time: Duration,
    /// What the recipients have in their addresses that the server refuses.
    pub refused: &'e str,
}

/// The sizes of the two buffers of one end, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// For what was read and not yet taken by the machine.
    pub inbox: usize,
    /// For what was written and not yet taken by the link.
    pub outbox: usize,
}

/// What came of it.
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
    /// Octets that the client sent.
    pub sent: usize,
    /// Octets that the server sent.
    pub received: usize,
}

/// A message that the server took, and said so.
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

/// Neither end has anything to do, and nothing is on the way.
#[derive(Clone, Debug)]
pub struct Deadlock(String);

impl std::fmt::Display for Deadlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing moves {}", self.0)
    }
}

impl std::error::Error for Deadlock {}

impl<'e> Simulation<'e> {
    /// Envelopes over a link of this latency, to a server of this configuration. The client has 4
    /// KiB for its input and 1 KiB for its output.
    pub fn new(server: ServerConfig, latency: Duration, envelopes: &'e [Envelope<'e>]) -> Self {
        let room = Room { inbox: 4096, outbox: 1024 };
        Self {
            client: DeliveryConfig::default(),
            server,
            up: Link::new(latency),
            down: Link::new(latency),
            envelopes,
            content: b"Subject: x\r\n\r\n.dot\r\n",
            piece: usize::MAX,
            client_room: room,
            server_room: room,
            delivery_time: Duration::ZERO,
            refused: "bad",
        }
    }

    /// Carries the session from the greeting to its end.
    ///
    /// # Errors
    ///
    /// [`Deadlock`].
    pub fn run(&self) -> Result<Report, Deadlock> {
        let mut clock = Duration::ZERO;
        let (mut up, mut down) = (Pipe::new(self.up), Pipe::new(self.down));
        let mut client = ClientEnd::new(self);
        let mut server = ServerEnd::new(self);
        loop {
            let mut moved = true;
            while moved {
                moved = client.step(clock, &mut up, &mut down);
                moved |= server.step(clock, &mut up, &mut down);
                // A connection breaks in both directions.
                if up.is_cut || down.is_cut {
                    up.is_cut = true;
                    down.is_cut = true;
                }
                up.is_ended |= client.is_closed;
            }
            let next = [up.next_arrival(clock), down.next_arrival(clock), server.wakes(clock)];
            match next.into_iter().flatten().min() {
                _ if client.is_closed && server.is_closed => {
                    return Ok(client.report(server, clock, &up, &down));
                }
                Some(next) => clock = next,
                None if client.is_closed => return Ok(client.report(server, clock, &up, &down)),
                None => return Err(Deadlock(format!("at {clock:?}: {client}, {server}"))),
            }
        }
    }
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
