//! A delivery and a server joined by a link with latency, bandwidth, segments and an end, under a
//! clock of its own.
//!
//! Both ends have buffers of a fixed size, as a program without an allocator has, and the link
//! holds no more octets than its window: what is not read is not sent. When neither end can do
//! anything the clock goes on to the next arrival; when there is none either, they wait for each
//! other for ever, and [`Simulation::run`] says so.

use std::collections::VecDeque;
use std::time::Duration;

use ehlo::delivery::{Event, Fate, Outcome, Outcomes, Unusable};
use ehlo::{
    ClientName, Code, Delivery, DeliveryConfig, DeliveryStatistics, EnhancedCode, Envelope,
    Machine, Reply, SendError, Server, ServerConfig, Wants, server,
};

/// What is simulated.
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
    /// The envelopes, in order.
    pub envelopes: Vec<Envelope<'e>>,
    /// The content of every message.
    pub content: &'e [u8],
    /// Octets of the content that are given at once.
    pub piece: usize,
    /// Octets that the client can keep of what it has read.
    pub inbox: usize,
    /// Octets that the client can keep of what it has to send; also of the server.
    pub outbox: usize,
    /// How long the server thinks about a message.
    pub delivery_time: Duration,
    /// The local part that the server refuses.
    pub refused: &'e str,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// From the last octet of a segment to its arrival.
    pub latency: Duration,
    /// Octets in a second; 0 for any number.
    pub bandwidth: u64,
    /// Octets that arrive together at most.
    pub segment: usize,
    /// Octets that are sent and not read, at most.
    pub window: usize,
    /// Octets that pass before the connection breaks, in both directions.
    pub cut: Option<usize>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The outcomes of each envelope that was begun.
    pub outcomes: Vec<Vec<Outcome>>,
    /// How often each of them was finished.
    pub finished: Vec<usize>,
    /// The messages that the server took.
    pub messages: Vec<Message>,
    /// Why the session was of no use, where it was not.
    pub unusable: Option<Unusable>,
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

impl Link {
    /// A link that takes so long, and all that is sent at once.
    pub const fn new(latency: Duration) -> Self {
        Self { latency, bandwidth: 0, segment: usize::MAX, window: usize::MAX, cut: None }
    }
}

impl<'e> Simulation<'e> {
    /// Envelopes over a link of this latency, to a server of this configuration.
    pub fn new(server: ServerConfig, latency: Duration, envelopes: &[Envelope<'e>]) -> Self {
        Self {
            client: DeliveryConfig::default(),
            server,
            up: Link::new(latency),
            down: Link::new(latency),
            envelopes: envelopes.to_vec(),
            content: b"Subject: x\r\n\r\n.dot\r\n",
            piece: usize::MAX,
            inbox: 4096,
            outbox: 1024,
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
                moved = client.step(self, clock, &mut up, &mut down);
                moved |= server.step(self, clock, &mut up, &mut down);
                if up.is_cut || down.is_cut {
                    up.is_cut = true;
                    down.is_cut = true;
                }
                if client.closed {
                    // What the server still says and hears is of no interest, but it hears it.
                    up.is_ended = true;
                }
            }
            if client.closed && (server.closed || up.is_cut) {
                return Ok(client.report(server, clock, &up, &down));
            }
            let next = [up.next_arrival(clock), down.next_arrival(clock), server.wakes(clock)];
            match next.into_iter().flatten().min() {
                Some(next) => clock = next,
                None if client.closed => return Ok(client.report(server, clock, &up, &down)),
                None => {
                    return Err(Deadlock(format!(
                        "at {clock:?}: {:?} with {} octets unread and {} unsent, {:?} with {} and {}",
                        client.delivery,
                        client.inbox.len(),
                        client.outbox.len(),
                        server.server,
                        server.inbox.len(),
                        server.outbox.len(),
                    )));
                }
            }
        }
    }
}

impl Report {
    /// What must be true of every session: each envelope that was begun is finished once, and each
    /// recipient has an outcome that the server's own view does not contradict.
    ///
    /// # Errors
    ///
    /// What is not so.
    pub fn check(&self, simulation: &Simulation<'_>) -> Result<(), String> {
        for (number, outcomes) in self.outcomes.iter().enumerate() {
            if self.finished[number] != 1 {
                return Err(format!("envelope {number} is finished {} times", self.finished[number]));
            }
            let envelope = &simulation.envelopes[number];
            for (index, outcome) in outcomes.iter().enumerate() {
                let recipient = envelope.recipients.recipient(index).expect("it has an outcome");
                let address = recipient.forward_path.to_string();
                let taken: Vec<&Message> =
                    self.messages.iter().filter(|message| message.to.contains(&address)).collect();
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

/// One direction, as it goes on.
struct Pipe {
    link: Link,
    /// Segments on the way, with the time of their arrival.
    segments: VecDeque<(Duration, VecDeque<u8>)>,
    /// Octets sent and not read.
    unread: usize,
    /// When the last segment has left.
    free: Duration,
    /// Octets that were sent.
    sent: usize,
    /// Nothing more is sent.
    is_ended: bool,
    is_cut: bool,
}

impl Pipe {
    const fn new(link: Link) -> Self {
        Self {
            link,
            segments: VecDeque::new(),
            unread: 0,
            free: Duration::ZERO,
            sent: 0,
            is_ended: false,
            is_cut: false,
        }
    }

    /// Sends as much of `octets` as the window has room for, in segments; what is sent leaves it.
    fn write(&mut self, clock: Duration, octets: &mut Vec<u8>) -> bool {
        let mut moved = false;
        while !octets.is_empty() && self.unread < self.link.window {
            let room = self.link.window - self.unread;
            let mut length = octets.len().min(self.link.segment).min(room);
            let mut segment: VecDeque<u8> = octets.drain(..length).collect();
            moved = true;
            if self.is_cut {
                continue;
            }
            if let Some(cut) = self.link.cut {
                let left = cut.saturating_sub(self.sent);
                self.is_cut = left <= length;
                segment.truncate(left);
                length = segment.len();
            }
            self.sent += length;
            self.unread += length;
            let takes = match self.link.bandwidth {
                0 => Duration::ZERO,
                octets => Duration::from_secs(length as u64) / u32::try_from(octets).expect("few"),
            };
            self.free = self.free.max(clock) + takes;
            if length > 0 {
                self.segments.push_back((self.free + self.link.latency, segment));
            }
        }
        moved
    }

    /// Reads what has arrived, up to so many octets; none when nothing has, and an empty one at the
    /// end.
    fn read(&mut self, clock: Duration, room: usize) -> Option<Vec<u8>> {
        let Some((arrival, segment)) = self.segments.front_mut() else {
            return (self.is_cut || self.is_ended).then(Vec::new);
        };
        if *arrival > clock || room == 0 {
            return None;
        }
        let length = segment.len().min(room);
        let octets: Vec<u8> = segment.drain(..length).collect();
        if segment.is_empty() {
            self.segments.pop_front();
        }
        self.unread -= length;
        Some(octets)
    }

    fn next_arrival(&self, clock: Duration) -> Option<Duration> {
        self.segments.front().map(|(arrival, _)| *arrival).filter(|arrival| *arrival > clock)
    }
}

struct ClientEnd<'e> {
    delivery: Delivery<'e>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    outcomes: Vec<Vec<Outcome>>,
    finished: Vec<usize>,
    unusable: Option<Unusable>,
    /// How much of the content was taken.
    offset: usize,
    ended: bool,
    closed: bool,
}

impl<'e> ClientEnd<'e> {
    fn new(simulation: &Simulation<'e>) -> Self {
        let name = ClientName::new("client.example").expect("a name");
        Self {
            delivery: Delivery::new(name, simulation.client),
            inbox: Vec::new(),
            outbox: Vec::new(),
            outcomes: Vec::new(),
            finished: Vec::new(),
            unusable: None,
            offset: 0,
            ended: false,
            closed: false,
        }
    }

    /// One thing, if there is one to do.
    fn step(
        &mut self,
        simulation: &Simulation<'e>,
        clock: Duration,
        up: &mut Pipe,
        down: &mut Pipe,
    ) -> bool {
        if self.closed {
            return false;
        }
        let mut moved = false;
        let mut room = vec![0; simulation.outbox - self.outbox.len()];
        // An error says that there is no room before something has left.
        if let Ok(written @ 1..) = self.delivery.transmit(&mut room) {
            self.outbox.extend(&room[..written]);
            return true;
        }
        match Machine::wants(&mut self.delivery, &self.inbox) {
            Wants::Event => {
                // What is at the end is sent first, as an adapter does.
                if self.delivery.is_at_end() && up.write(clock, &mut self.outbox) {
                    return true;
                }
                let received = self.delivery.receive(&self.inbox);
                let consumed = received.consumed;
                let mut wants_content = None;
                for (number, outcomes) in self.outcomes.iter_mut().enumerate() {
                    Outcomes::resume(outcomes, number).record(&received.event);
                }
                match received.event {
                    Event::NeedEnvelope => match simulation.envelopes.get(self.outcomes.len()) {
                        Some(_) => wants_content = Some(None),
                        None => self.delivery.quit(),
                    },
                    Event::NeedContent { offset, .. } => wants_content = Some(Some(offset)),
                    Event::Finished { envelope } => self.finished[envelope] += 1,
                    Event::Unusable(why) => self.unusable = Some(why),
                    Event::Closed => self.closed = true,
                    _ => {}
                }
                self.inbox.drain(..consumed);
                match wants_content {
                    Some(Some(offset)) => {
                        moved = self.give(simulation, usize::try_from(offset).expect("an offset"));
                    }
                    Some(None) => {
                        self.begin(simulation);
                        moved = true;
                    }
                    None => moved = true,
                }
            }
            Wants::Input { consumed } => {
                self.inbox.drain(..consumed);
                moved = consumed > 0;
            }
        }
        // Reading goes on while writing is blocked.
        moved |= up.write(clock, &mut self.outbox);
        if !moved && !self.ended {
            let room = simulation.inbox - self.inbox.len();
            if let Some(octets) = down.read(clock, room) {
                self.ended = octets.is_empty();
                if self.ended {
                    self.delivery.end_of_input();
                }
                self.inbox.extend(octets);
                moved = true;
            }
        }
        moved
    }

    fn begin(&mut self, simulation: &Simulation<'e>) {
        // The envelopes outlive the machine; it borrows them for as long as the simulation is.
        let number = self.outcomes.len();
        let envelope: &'e Envelope<'e> = simulation.lent(number);
        assert!(self.delivery.envelope(envelope), "it was asked for");
        let recipients = (0..).take_while(|index| envelope.recipients.recipient(*index).is_some());
        self.outcomes.push(recipients.map(|_| Outcome::PENDING).collect());
        self.finished.push(0);
    }

    /// Gives content, as much as there is room for.
    fn give(&mut self, simulation: &Simulation<'_>, offset: usize) -> bool {
        let mut room = vec![0; simulation.outbox - self.outbox.len()];
        let rest = simulation.content.get(offset..).unwrap_or_default();
        let piece = rest.get(..simulation.piece).unwrap_or(rest);
        let given = if piece.len() == rest.len() {
            self.delivery.last_mail_data(piece, &mut room)
        } else {
            self.delivery.mail_data(piece, &mut room)
        };
        match given {
            Ok(progress) => {
                self.offset = offset + progress.consumed;
                self.outbox.extend(&room[..progress.written]);
                progress.written > 0
            }
            Err(SendError::BufferTooSmall(_)) => false,
            Err(error) => panic!("{error} in the middle of the content"),
        }
    }

    fn report(self, server: ServerEnd, elapsed: Duration, up: &Pipe, down: &Pipe) -> Report {
        let mut messages = server.messages;
        for (message, end) in messages.iter_mut().zip(server.known_at) {
            message.is_known = down.sent - down.unread >= end;
        }
        Report {
            outcomes: self.outcomes,
            finished: self.finished,
            messages,
            unusable: self.unusable,
            elapsed,
            statistics: self.delivery.statistics(),
            sent: up.sent,
            received: down.sent,
        }
    }
}
