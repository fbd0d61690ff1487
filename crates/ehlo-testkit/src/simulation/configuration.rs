//! The configuration of a simulation.

use std::time::Duration;

use ehlo::{DeliveryConfig, Envelope, ServerConfig};

use super::link::Link;

/// The configuration of a simulation.
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
    /// The configuration of the client.
    pub client: DeliveryConfig,
    /// The configuration of the server.
    pub server: ServerConfig,
    /// The link from the client to the server.
    pub up: Link,
    /// The link from the server to the client.
    pub down: Link,
    /// The envelopes, in order, each with a different sender.
    pub envelopes: &'e [Envelope<'e>],
    /// The content of every message.
    pub content: &'e [u8],
    /// The bytes of the content that each call gives.
    pub piece: usize,
    /// The buffers of the client.
    pub client_room: Room,
    /// The buffers of the server.
    pub server_room: Room,
    /// The time that the server needs for a message.
    pub delivery_time: Duration,
    /// The text that marks the addresses of recipients that the server refuses.
    pub refused: &'e str,
}

/// The sizes of the two buffers of one side, in bytes.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo::ServerConfig;
/// use ehlo_testkit::simulation::{Room, Simulation};
///
/// let mut simulation = Simulation::new(ServerConfig::DEFAULT, Duration::ZERO, &[]);
/// simulation.client_room = Room { inbox: 1024, outbox: 512 };
/// assert!(simulation.run().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that were read and that the machine has not taken.
    pub inbox: usize,
    /// Bytes that were written and that the link has not taken.
    pub outbox: usize,
}

impl<'e> Simulation<'e> {
    /// A simulation of envelopes over a link of this latency, to a server of this configuration.
    /// The client has 4 KiB for its input and 1 KiB for its output.
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
}
