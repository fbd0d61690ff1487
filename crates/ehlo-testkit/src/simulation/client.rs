//! The client's side: a delivery with two buffers, and a caller that has the content in memory.

use std::time::Duration;

use ehlo::delivery::{Event, Fate, Outcome, Outcomes, UnusableSession};
use ehlo::machine::{Machine, Wants};
use ehlo::{Delivery, HeloName, SendError};

use super::configuration::Simulation;
use super::link::Pipe;
use super::report::Report;
use super::server::ServerEnd;

pub(super) struct ClientEnd<'s, 'e> {
    simulation: &'s Simulation<'e>,
    delivery: Delivery<'e>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// A buffer for the machine's output, as large as the outbox, because its length is not known
    /// in advance.
    scratch: Vec<u8>,
    outcomes: Vec<Vec<Outcome>>,
    finished: Vec<usize>,
    changed: usize,
    unusable: Option<UnusableSession>,
    /// The end of the current piece of the content.
    piece_end: usize,
    has_ended: bool,
    pub(super) is_closed: bool,
}

impl<'s, 'e> ClientEnd<'s, 'e> {
    pub(super) fn new(simulation: &'s Simulation<'e>) -> Self {
        let name = HeloName::new("client.example").expect("a name");
        Self {
            simulation,
            delivery: Delivery::new(name, simulation.client),
            inbox: Vec::new(),
            outbox: Vec::new(),
            scratch: vec![0; simulation.client_room.outbox],
            outcomes: Vec::new(),
            finished: Vec::new(),
            changed: 0,
            unusable: None,
            piece_end: 0,
            has_ended: false,
            is_closed: false,
        }
    }

    /// Does something; whether there was something to do.
    pub(super) fn step(&mut self, clock: Duration, up: &mut Pipe, down: &mut Pipe) -> bool {
        if self.is_closed {
            return false;
        }
        // An error says that there is no room before something has left.
        if let Ok(1..) = self.write(Machine::transmit) {
            return true;
        }
        match Machine::wants(&mut self.delivery, &self.inbox) {
            // What is due is sent before the end, as an adapter does.
            Wants::Event if self.delivery.is_at_end() && up.write(clock, &mut self.outbox) => {
                return true;
            }
            Wants::Event => {
                if self.event() {
                    return true;
                }
            }
            Wants::Input { consumed: 0 } => {}
            Wants::Input { consumed } => {
                self.inbox.drain(..consumed);
                return true;
            }
        }
        // Reading goes on while writing is blocked.
        let moved = up.write(clock, &mut self.outbox);
        match down.read(clock, &mut self.inbox, self.simulation.client_room.inbox) {
            Some(0) if !self.has_ended => {
                self.has_ended = true;
                self.delivery.end_of_input();
                true
            }
            Some(1..) => true,
            _ => moved,
        }
    }

    /// Hands `write` what is free of the outbox.
    fn write<E>(
        &mut self,
        write: impl FnOnce(&mut Delivery<'e>, &mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let room = self.scratch.len() - self.outbox.len();
        let written = write(&mut self.delivery, &mut self.scratch[..room])?;
        self.outbox.extend_from_slice(&self.scratch[..written]);
        Ok(written)
    }

    /// Takes an event; whether it or the answer to it changes anything.
    fn event(&mut self) -> bool {
        let received = self.delivery.receive(&self.inbox);
        let consumed = received.consumed;
        for (number, outcomes) in self.outcomes.iter_mut().enumerate() {
            self.changed += record(outcomes, number, &received.event);
        }
        let mut content_from = None;
        match received.event {
            Event::NeedContent { offset, .. } => content_from = usize::try_from(offset).ok(),
            Event::NeedEnvelope => self.begin(),
            Event::Finished { envelope } => self.finished[envelope] += 1,
            Event::Unusable(why) => self.unusable = Some(why),
            Event::Closed => self.is_closed = true,
            _ => {}
        }
        self.inbox.drain(..consumed);
        content_from.is_none_or(|offset| self.give(offset))
    }

    fn begin(&mut self) {
        let Some(envelope) = self.simulation.envelopes.get(self.outcomes.len()) else {
            return self.delivery.quit();
        };
        assert!(self.delivery.envelope(envelope), "it was asked for");
        let recipients = (0..).take_while(|index| envelope.recipients.recipient(*index).is_some());
        self.outcomes.push(recipients.map(|_| Outcome::PENDING).collect());
        self.finished.push(0);
    }

    /// Gives content, as much as there is room for; whether any went.
    fn give(&mut self, offset: usize) -> bool {
        let Simulation { content, piece, .. } = *self.simulation;
        if offset == 0 || offset >= self.piece_end {
            self.piece_end = offset.saturating_add(piece).min(content.len());
        }
        let is_last = self.piece_end == content.len();
        let piece = &content[offset..self.piece_end];
        let given = self.write(|delivery, out| {
            let progress = if is_last {
                delivery.last_mail_data(piece, out)
            } else {
                delivery.mail_data(piece, out)
            };
            progress.map(|progress| progress.written)
        });
        match given {
            Ok(written) => written > 0,
            Err(SendError::BufferTooSmall(_)) => false,
            Err(error) => panic!("{error} in the middle of the content"),
        }
    }

    pub(super) fn report(
        self,
        server: ServerEnd<'_, '_>,
        elapsed: Duration,
        up: &Pipe,
        down: &Pipe,
    ) -> Report {
        Report {
            outcomes: self.outcomes,
            finished: self.finished,
            changed: self.changed,
            messages: server.into_messages(down.read_so_far()),
            unusable: self.unusable,
            elapsed,
            statistics: self.delivery.statistics(),
            sent: up.sent,
            received: down.sent,
        }
    }
}

impl std::fmt::Display for ClientEnd<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unread, unsent) = (self.inbox.len(), self.outbox.len());
        write!(f, "{:?} with {unread} bytes unread and {unsent} unsent", self.delivery)
    }
}

/// Records an event; how many outcomes became others by it though they were given.
fn record(outcomes: &mut [Outcome], number: usize, event: &Event<'_>) -> usize {
    let before: Vec<Outcome> = outcomes.to_vec();
    Outcomes::resume(outcomes, number).record(event);
    let is_again = matches!(event, Event::Split { .. });
    let changed = before.iter().zip(outcomes.iter()).filter(|(old, new)| {
        let may_change = old.fate == Fate::Pending || (is_again && new.fate == Fate::Pending);
        old != new && !may_change
    });
    changed.count()
}
