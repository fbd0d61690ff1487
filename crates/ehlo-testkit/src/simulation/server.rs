//! The server's side: a server with two buffers, and an application that accepts every message.

use std::time::Duration;

use ehlo::machine::{Machine, Wants};
use ehlo::server::{ACCEPTED, Event, Role};
use ehlo::syntax::code::EnhancedCode;
use ehlo::{Code, Command, Reply, ReplyError, Server};

use super::configuration::Simulation;
use super::link::Pipe;
use super::report::Message;
use crate::application::HOST;

pub(super) struct ServerEnd<'s, 'e> {
    simulation: &'s Simulation<'e>,
    server: Server,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// A buffer for the machine's output, as large as the outbox, because its length is not known
    /// in advance.
    scratch: Vec<u8>,
    /// The reply that is due, and when.
    due: Option<(Due, Duration)>,
    open: Message,
    messages: Vec<Message>,
    /// For each message, the number of bytes that the server had sent when it accepted it.
    said_at: Vec<usize>,
    said: usize,
    has_ended: bool,
    is_closing: bool,
    pub(super) is_closed: bool,
}

/// The kind of reply that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Standard,
    NoSuchUser,
    Message,
}

impl<'s, 'e> ServerEnd<'s, 'e> {
    pub(super) fn new(simulation: &'s Simulation<'e>) -> Self {
        Self {
            simulation,
            server: Server::new(simulation.server),
            inbox: Vec::new(),
            outbox: Vec::new(),
            scratch: vec![0; simulation.server_room.outbox],
            due: None,
            open: Message::default(),
            messages: Vec::new(),
            said_at: Vec::new(),
            said: 0,
            has_ended: false,
            is_closing: false,
            is_closed: false,
        }
    }

    /// Does something; whether there was something to do.
    pub(super) fn step(&mut self, clock: Duration, up: &mut Pipe, down: &mut Pipe) -> bool {
        if self.is_closed {
            return false;
        }
        let moved = down.write(clock, &mut self.outbox);
        if self.is_closing {
            self.is_closed = self.outbox.is_empty();
            down.is_ended = self.is_closed;
            return moved || self.is_closed;
        }
        if let Some((due, when)) = self.due {
            return moved || (when <= clock && self.reply(due));
        }
        match Machine::wants(&mut self.server, &self.inbox) {
            Wants::Event => {
                self.event(clock);
                return true;
            }
            Wants::Input { consumed: 0 } => {}
            Wants::Input { consumed } => {
                self.inbox.drain(..consumed);
                return true;
            }
        }
        match up.read(clock, &mut self.inbox, self.simulation.server_room.inbox) {
            Some(0) if !self.has_ended => {
                self.has_ended = true;
                self.server.end_of_input();
                true
            }
            Some(1..) => true,
            _ => moved,
        }
    }

    fn event(&mut self, clock: Duration) {
        let received = self.server.receive(&self.inbox);
        let consumed = received.consumed;
        let mut wait = Duration::ZERO;
        let due = match received.event {
            Event::NeedInput | Event::Chunk { .. } => None,
            Event::StartTls | Event::Closed => {
                self.is_closing = true;
                None
            }
            Event::MailData(data) => {
                self.open.content.extend_from_slice(data);
                None
            }
            Event::EndOfMailData { .. } => {
                wait = self.simulation.delivery_time;
                Some(Due::Message)
            }
            // LMTP: the next recipient's.
            Event::NeedReply => Some(Due::Message),
            Event::Command(Command::Mail { reverse_path, .. }) => {
                self.open = Message { from: reverse_path.to_string(), ..Message::default() };
                Some(Due::Standard)
            }
            Event::Command(Command::Rcpt { forward_path, .. }) => {
                let address = forward_path.to_string();
                if address.contains(self.simulation.refused) {
                    Some(Due::NoSuchUser)
                } else {
                    self.open.to.push(address);
                    Some(Due::Standard)
                }
            }
            _ => Some(Due::Standard),
        };
        self.due = due.map(|due| (due, clock + wait));
        self.inbox.drain(..consumed);
    }

    /// Gives the reply that is due, if there is room.
    fn reply(&mut self, due: Due) -> bool {
        let no = EnhancedCode::new(5, 1, 1).expect("a status code");
        let reply = match due {
            Due::NoSuchUser => Reply::enhanced(Code::MAILBOX_UNAVAILABLE, no, "no such user"),
            Due::Standard => self.server.standard_reply(HOST),
            Due::Message => ACCEPTED,
        };
        let room = self.scratch.len() - self.outbox.len();
        match self.server.reply(&reply, &mut self.scratch[..room]) {
            Ok(written) => {
                self.outbox.extend_from_slice(&self.scratch[..written]);
                self.said += written;
            }
            Err(ReplyError::BufferTooSmall(_)) => return false,
            Err(error) => panic!("{error}"),
        }
        self.due = None;
        if due == Due::Message {
            self.take_message();
        }
        true
    }

    fn take_message(&mut self) {
        self.said_at.push(self.said);
        // RFC 2033 §4.2: one reply for each recipient.
        if self.simulation.server.role == Role::Lmtp && self.open.to.len() > 1 {
            let to = self.open.to.drain(..1).collect();
            self.messages.push(Message { to, ..self.open.clone() });
        } else {
            self.messages.push(std::mem::take(&mut self.open));
        }
    }

    /// The messages that were taken, of which the client knows by what it has heard: so many bytes.
    pub(super) fn into_messages(self, heard: usize) -> Vec<Message> {
        let mut messages = self.messages;
        for (message, end) in messages.iter_mut().zip(self.said_at) {
            message.is_known = heard >= end;
        }
        messages
    }

    pub(super) fn wakes(&self, clock: Duration) -> Option<Duration> {
        self.due.map(|(_, when)| when).filter(|when| *when > clock)
    }
}

impl std::fmt::Display for ServerEnd<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unread, unsent) = (self.inbox.len(), self.outbox.len());
        write!(f, "{:?} with {unread} bytes unread and {unsent} unsent", self.server)
    }
}
