//! A machine with an inbox and an outbox: all of a connection but the socket.

use core::fmt;

use bytes::{Buf, BytesMut};
use ehlo::machine::{Machine, PlaintextInjection, Upgrade, Wants};
use ehlo::{Client, Command, Reply, ReplyError, SendError, Server};

use crate::responder::{PendingEvent, Responder, append, reply_needs};

/// A [`Machine`] with the buffers of its connection.
///
/// The buffers are there only while there is something in them: a connection that waits has none.
/// The inbox has room for 16 KiB, and for the longest line that the machine takes; behind an event
/// that is not yet taken, while the peer does not read, at most 1 MiB is read. The outbox is sent
/// before the next event when 64 KiB are in it, so it has no more than that and one answer, or one
/// piece of content.
///
/// The owner of the socket asks [`is_ready`](Self::is_ready). When it says no, what is in the
/// [`outbox`](Self::output) goes out, and what comes in goes to [`space`](Self::read_buffer); when it
/// says yes, [`turn`](Self::next_event) gives the event and the means to answer it.
///
/// ```
/// use ehlo::{Code, Reply, Server, ServerConfig};
/// use ehlo::server::Event;
/// use ehlo_io::Buffered;
///
/// let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// assert!(endpoint.is_ready());
/// let turn = endpoint.next_event();
/// assert!(matches!(turn.event, Event::Greeting));
/// turn.responder.reply(&Reply::new(Code::SERVICE_READY, "mx.example"))?;
/// assert!(!endpoint.is_ready());
/// assert_eq!(endpoint.output(), b"220 mx.example\r\n");
///
/// endpoint.advance_write(endpoint.output().len());
/// endpoint.read_buffer()[..6].copy_from_slice(b"NOOP\r\n");
/// endpoint.advance_read(6);
/// assert!(endpoint.is_ready());
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
pub struct Buffered<M> {
    pub(crate) machine: M,
    /// All of it is initialised; what was read is at the front.
    inbox: BytesMut,
    pub(crate) unread: usize,
    /// Octets at the front that the last event borrowed.
    taken: usize,
    /// They may be a credential.
    secret: bool,
    pub(crate) outbox: BytesMut,
    /// Something was written since the stream was flushed.
    pub(crate) unflushed: bool,
    /// The peer was told that nothing more comes.
    pub(crate) closed: bool,
    /// The peer has said so.
    pub(crate) ended: bool,
}

/// Shows how much is in the buffers, and not what: it may be a password.
impl<M: fmt::Debug> fmt::Debug for Buffered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffered")
            .field("machine", &self.machine)
            .field("unread", &self.unread)
            .field("unsent", &self.outbox.len())
            .finish_non_exhaustive()
    }
}

impl<M: Machine> Buffered<M> {
    /// An endpoint with empty buffers; they grow as they are needed.
    pub fn new(machine: M) -> Self {
        Self {
            machine,
            inbox: BytesMut::new(),
            unread: 0,
            taken: 0,
            secret: false,
            outbox: BytesMut::new(),
            unflushed: false,
            closed: false,
            ended: false,
        }
    }

    /// The machine.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// The machine, to be changed. What it writes must go to the outbox.
    pub const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Whether an event can be had without reading; what the machine has to send of its own accord
    /// is then in the outbox.
    pub fn is_ready(&mut self) -> bool {
        self.drop_from_inbox(0);
        loop {
            self.transmit();
            match self.machine.wants(self.inbox.get(..self.unread).unwrap_or_default()) {
                Wants::Event => return true,
                Wants::Input { consumed: 0 } => return false,
                Wants::Input { consumed } => self.drop_from_inbox(consumed),
            }
        }
    }

    /// The next event, and the means to answer it. The event borrows the inbox, the means borrow
    /// the machine and the outbox, so an answer may quote the event.
    ///
    /// Meant for an endpoint that [`is_ready`](Self::is_ready); otherwise the event says that the
    /// machine needs input.
    pub fn next_event(&mut self) -> PendingEvent<'_, M> {
        self.drop_from_inbox(0);
        let input = self.inbox.get(..self.unread).unwrap_or_default();
        let received = self.machine.receive(input);
        self.taken = received.consumed;
        self.secret = self.machine.is_secret();
        PendingEvent {
            event: received.event,
            responder: Responder { machine: &mut self.machine, outbox: &mut self.outbox },
        }
    }

    /// Where to put octets from the peer; never empty.
    pub fn read_buffer(&mut self) -> &mut [u8] {
        self.drop_from_inbox(0);
        if self.inbox.len() < self.unread + READ_MIN {
            self.inbox.resize(self.unread + READ_SIZE, 0);
        }
        self.inbox.get_mut(self.unread..).unwrap_or_default()
    }

    /// The first `octets` of [`space`](Self::read_buffer) have been filled; none of them means that the
    /// peer will send no more.
    ///
    /// # Panics
    ///
    /// When there was not so much space.
    pub fn advance_read(&mut self, octets: usize) {
        assert!(octets <= self.inbox.len() - self.unread, "more was read than there was space");
        if octets == 0 {
            self.ended = true;
            self.machine.end_of_input();
        }
        self.unread += octets;
    }

    /// The peer has sent `octets`: for what comes from memory, as in a test.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    /// use ehlo::server::Event;
    /// use ehlo_io::Buffered;
    ///
    /// let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
    /// endpoint.push_input(b"QUIT\r\n");
    /// while endpoint.is_ready() && endpoint.next_event().event != Event::Closed {
    ///     endpoint.responder().standard_reply("mx.example")?;
    /// }
    /// assert!(endpoint.output().ends_with(b"221 2.0.0 mx.example closing\r\n"));
    /// # Ok::<(), ehlo::ReplyError>(())
    /// ```
    pub fn push_input(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let space = self.read_buffer();
            let (now, later) = octets.split_at(octets.len().min(space.len()));
            if let Some(space) = space.get_mut(..now.len()) {
                space.copy_from_slice(now);
            }
            self.advance_read(now.len());
            octets = later;
        }
    }

    /// What is to be sent to the peer.
    pub fn output(&self) -> &[u8] {
        &self.outbox
    }

    /// The first `octets` of the outbox have been sent.
    ///
    /// # Panics
    ///
    /// When there is not so much in it.
    pub fn advance_write(&mut self, octets: usize) {
        assert!(octets <= self.outbox.len(), "more was sent than there was");
        drop_front(&mut self.outbox, octets, self.machine.is_secret());
    }

    /// Octets that the buffers can hold now: 0 when nothing has come or goes, as before the first
    /// octet and while the connection idles.
    ///
    /// ```
    /// use ehlo::{Client, ClientConfig};
    /// use ehlo_io::Buffered;
    ///
    /// let mut endpoint = Buffered::new(Client::new(ClientConfig::DEFAULT));
    /// assert_eq!(endpoint.capacity(), 0);
    /// endpoint.push_input(b"220 mx.exam");
    /// assert!((1..=32 * 1024).contains(&endpoint.capacity()));
    /// ```
    pub fn capacity(&self) -> usize {
        self.inbox.capacity() + self.outbox.capacity()
    }

    /// Gives back the buffers that hold nothing. Done while the peer is waited for; whoever waits for
    /// something else before it answers, as for a disk, may do so too.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    /// use ehlo::server::Event;
    /// use ehlo_io::Buffered;
    ///
    /// let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
    /// assert_eq!(endpoint.next_event().event, Event::Greeting);
    /// endpoint.responder().standard_reply("mx.example")?;
    /// endpoint.advance_write(endpoint.output().len());
    /// endpoint.push_input(b"HELO client.example\r\n");
    /// assert!(matches!(endpoint.next_event().event, Event::Command(_)));
    /// endpoint.release_buffers();
    /// assert_eq!(endpoint.capacity(), 0);
    /// endpoint.responder().standard_reply("mx.example")?;
    /// # Ok::<(), ehlo::ReplyError>(())
    /// ```
    pub fn release_buffers(&mut self) {
        self.drop_from_inbox(0);
        if self.unread == 0 {
            self.inbox = BytesMut::new();
        }
        if self.outbox.is_empty() {
            self.outbox = BytesMut::new();
        }
    }

    /// Whether the outbox should be sent before the next event is taken: it is full, or the session
    /// is at an end.
    pub fn must_flush(&self) -> bool {
        self.outbox.len() >= HIGH_WATER || (self.machine.is_at_end() && !self.outbox.is_empty())
    }

    /// What is unread, for a TLS layer or another protocol, and the machine.
    pub fn into_parts(mut self) -> (M, BytesMut) {
        self.drop_from_inbox(0);
        self.inbox.truncate(self.unread);
        (self.machine, self.inbox)
    }

    /// What was read and not taken by the machine.
    pub fn unread_input(&mut self) -> &[u8] {
        self.drop_from_inbox(0);
        self.inbox.get(..self.unread).unwrap_or_default()
    }

    fn drop_from_inbox(&mut self, more: usize) {
        let octets = (core::mem::take(&mut self.taken) + more).min(self.unread);
        if octets > 0 {
            let secret = core::mem::take(&mut self.secret) || self.machine.is_secret();
            drop_front(&mut self.inbox, octets, secret);
            self.unread -= octets;
        }
    }

    fn transmit(&mut self) {
        while self.outbox.len() < HIGH_WATER {
            let machine = &mut self.machine;
            match append(&mut self.outbox, |out| machine.transmit(out), |error| Some(*error)) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }
}

impl<M: Upgrade> Buffered<M> {
    /// TLS is established on the connection: [`Upgrade::tls_established`] with what is unread.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] when anything is, or when no upgrade was agreed on.
    pub fn tls_established(&mut self) -> Result<(), PlaintextInjection> {
        self.drop_from_inbox(0);
        let leftover = self.inbox.get(..self.unread).unwrap_or_default();
        self.machine.tls_established(leftover)
    }
}

impl Buffered<Server> {
    /// Answers the pending command: [`Server::reply`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never for want of room.
    pub fn reply(&mut self, reply: &Reply<'_>) -> Result<(), ReplyError> {
        self.responder().reply(reply)
    }

    /// Says 421 whether a command is pending or not: [`Server::close`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never for want of room.
    pub fn close(&mut self, reply: &Reply<'_>) -> Result<(), ReplyError> {
        let machine = &mut self.machine;
        append(&mut self.outbox, |out| machine.close(reply, out), reply_needs).map(drop)
    }
}

impl Buffered<Client> {
    /// Sends a command: [`Client::send`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`SendError`], but never for want of room.
    pub fn send(&mut self, command: &Command<'_>) -> Result<(), SendError> {
        self.responder().send(command)
    }
}

impl<M: Machine> Buffered<M> {
    /// The means to write without an event.
    pub const fn responder(&mut self) -> Responder<'_, M> {
        Responder { machine: &mut self.machine, outbox: &mut self.outbox }
    }
}

/// Drops the front of `buffer`, overwritten where it may be a credential; returns what it then was.
fn drop_front(buffer: &mut BytesMut, octets: usize, secret: bool) -> Option<BytesMut> {
    if !secret {
        buffer.advance(octets);
        return None;
    }
    let mut front = buffer.split_to(octets);
    front.fill(0);
    Some(core::hint::black_box(front))
}

/// Octets that are read at once.
const READ_SIZE: usize = 16 * 1024;
/// Space below which more is made.
const READ_MIN: usize = 4 * 1024;
/// Octets in the outbox after which nothing more is added before it is sent.
const HIGH_WATER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v55_credentials_are_overwritten() {
        let mut buffer = BytesMut::from("AUTH PLAIN AGEAYg==\r\nNOOP\r\n");
        assert_eq!(drop_front(&mut buffer, 21, true).as_deref(), Some(&[0; 21][..]));
        assert_eq!(drop_front(&mut buffer, 4, false), None);
        assert_eq!(&buffer[..], b"\r\n");
    }
}
