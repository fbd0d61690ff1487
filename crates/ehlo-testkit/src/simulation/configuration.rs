//! What is simulated.

use std::time::Duration;

use ehlo::{DeliveryConfig, Envelope, ServerConfig};

use super::link::Link;

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
    /// Bytes of the content that are given at once.
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

/// The sizes of the two buffers of one end, in bytes.
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
    /// For what was read and not yet taken by the machine.
    pub inbox: usize,
    /// For what was written and not yet taken by the link.
    pub outbox: usize,
}

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
}
