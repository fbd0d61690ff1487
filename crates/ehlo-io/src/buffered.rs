//! A machine with an inbox and an outbox: all of a connection but the socket.

use alloc::vec::Vec;
use core::fmt;

use ehlo::machine::{Expects, Machine, PlaintextInjection, Upgrade, Wants};
use ehlo::{Client, Command, Reply, ReplyError, SendError, Server};

use crate::buffer::Buffer;
use crate::error::MachineError;
use crate::responder::{Outbox, PendingEvent, Responder, reply_needs};

/// A [`Machine`] with the buffers of its connection.
///
/// The buffers are there only while there is something in them: a connection that waits has none.
/// The inbox reads 2 KiB at a time, 16 KiB of content, and four times as much after a read that
/// fills it, up to 64 KiB; it holds the longest line that the machine takes. While an event waits and
/// the peer does not read, a [`Connection`](crate::Connection) reads up to 1 MiB ahead. The outbox
/// is sent before the next event when 64 KiB are in it, so it holds no more than that and one answer,
/// or one piece of content.
///
/// What may be a credential is overwritten when it has been taken or sent, and when the buffers are
/// moved or dropped.
///
/// The owner of the stream asks [`is_ready`](Self::is_ready). When that is false, the
/// [`output`](Self::output) goes out, and what comes in goes to the
/// [`read_buffer`](Self::read_buffer); when it is true, [`next_event`](Self::next_event) gives the
/// event and the means to answer it.
///
/// ```
/// use ehlo::{Code, Reply, Server, ServerConfig};
/// use ehlo::server::Event;
/// use ehlo_io::{Buffered, MachineError, PendingEvent};
///
/// let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// assert!(server.is_ready());
/// let PendingEvent { event, responder } = server.next_event();
/// assert!(matches!(event, Event::Greeting));
/// responder.reply(&Reply::new(Code::SERVICE_READY, "mx.example"))?;
/// assert!(!server.is_ready());
/// assert_eq!(server.output(), b"220 mx.example\r\n");
///
/// server.advance_write(server.output().len());
/// server.read_buffer()[..6].copy_from_slice(b"NOOP\r\n");
/// server.advance_read(6);
/// assert!(server.is_ready());
/// # Ok::<(), MachineError<ehlo::ReplyError>>(())
/// ```
pub struct Buffered<M> {
    pub(crate) machine: M,
    inbox: Buffer,
    /// Bytes at the front of the inbox that the last event borrowed.
    taken: usize,
    /// They are content, and no secret.
    taken_content: bool,
    outbox: Outbox,
    /// Bytes of the next read; more after one that filled the space, less after one that did not.
    read_size: u32,
    /// Bytes of content taken since a connection last asked.
    content: u64,
}

/// Shows how much is in the buffers, and not what: it may be a password.
impl<M: fmt::Debug> fmt::Debug for Buffered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffered")
            .field("machine", &self.machine)
            .field("unread", &self.inbox.len())
            .field("unsent", &self.outbox.buffer.len())
            .finish_non_exhaustive()
    }
}

impl<M: Machine> Buffered<M> {
    /// A machine with empty buffers; they grow as they are needed.
    pub const fn new(machine: M) -> Self {
        Self {
            machine,
            inbox: Buffer::new(),
            taken: 0,
            taken_content: false,
            outbox: Outbox::new(),
            read_size: READ_MIN,
            content: 0,
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

    /// Whether an event can be had without reading. What the machine has to send by itself is then
    /// in the outbox.
    pub fn is_ready(&mut self) -> bool {
        self.drop_taken();
        loop {
            self.transmit();
            let is_content = self.is_content();
            match self.machine.wants(self.inbox.bytes()) {
                Wants::Event => return true,
                Wants::Input { consumed: 0 } => return false,
                Wants::Input { consumed } => self.consume(consumed, is_content),
            }
        }
    }

    /// The next event, and the means to answer it. The event borrows the inbox, the means borrow
    /// the machine and the outbox, so an answer may quote the event.
    ///
    /// Meant for when [`is_ready`](Self::is_ready) is true; otherwise the event says that the
    /// machine needs input.
    pub fn next_event(&mut self) -> PendingEvent<'_, M> {
        self.drop_taken();
        self.taken_content = self.is_content();
        let received = self.machine.receive(self.inbox.bytes());
        self.taken = received.consumed;
        PendingEvent {
            event: received.event,
            responder: Responder { machine: &mut self.machine, outbox: &mut self.outbox },
        }
    }

    /// Where to put bytes from the peer; never empty.
    pub fn read_buffer(&mut self) -> &mut [u8] {
        self.drop_taken();
        let content = if self.is_content() { READ_CONTENT } else { 0 };
        let size = self.read_size.max(content) as usize;
        self.inbox.room(size / 4, size)
    }

    /// The first `bytes` of the [`read_buffer`](Self::read_buffer) have been filled; 0 of them means
    /// that the peer will send no more.
    ///
    /// # Panics
    ///
    /// When there was not so much space.
    pub fn advance_read(&mut self, bytes: usize) {
        let room = self.inbox.room(0, 0).len();
        assert!(bytes <= room, "more was read than there was space");
        if bytes == 0 {
            self.machine.end_of_input();
        }
        self.inbox.fill(bytes);
        let size = if bytes == room { bytes * 4 } else { bytes.next_power_of_two() };
        self.read_size = u32::try_from(size).unwrap_or(READ_MAX).clamp(READ_MIN, READ_MAX);
    }

    /// The peer has sent `bytes`: for input that comes from memory, as in a test.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    /// use ehlo::server::Event;
    /// use ehlo_io::{Buffered, MachineError};
    ///
    /// let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
    /// server.push_input(b"QUIT\r\n");
    /// while server.is_ready() && server.next_event().event != Event::Closed {
    ///     server.responder().standard_reply("mx.example")?;
    /// }
    /// assert!(server.output().ends_with(b"221 2.0.0 mx.example closing\r\n"));
    /// # Ok::<(), MachineError<ehlo::ReplyError>>(())
    /// ```
    pub fn push_input(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = self.read_buffer();
            let (now, later) = bytes.split_at(bytes.len().min(space.len()));
            if let Some(space) = space.get_mut(..now.len()) {
                space.copy_from_slice(now);
            }
            self.advance_read(now.len());
            bytes = later;
        }
    }

    /// The outbox: what is to be sent to the peer.
    pub fn output(&self) -> &[u8] {
        self.outbox.buffer.bytes()
    }

    /// The first `bytes` of the [`output`](Self::output) have been sent.
    ///
    /// # Panics
    ///
    /// When there is not so much in it.
    pub fn advance_write(&mut self, bytes: usize) {
        assert!(bytes <= self.output().len(), "more was sent than there was");
        self.outbox.consume(bytes);
    }

    /// Bytes of memory that the buffers hold: 0 when nothing has come or goes, as before the first
    /// byte and while the connection is idle.
    ///
    /// ```
    /// use ehlo::{Client, ClientConfig};
    /// use ehlo_io::Buffered;
    ///
    /// let mut client = Buffered::new(Client::new(ClientConfig::DEFAULT));
    /// assert_eq!(client.capacity(), 0);
    /// client.push_input(b"220 mx.exam");
    /// assert!((1..=4096).contains(&client.capacity()));
    /// ```
    pub fn capacity(&self) -> usize {
        self.inbox.capacity() + self.outbox.buffer.capacity()
    }

    /// Gives back memory that holds nothing. A connection does so while it waits for the peer; call
    /// it before waiting for something else, such as a disk.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    /// use ehlo::server::Event;
    /// use ehlo_io::{Buffered, MachineError};
    ///
    /// let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
    /// assert_eq!(server.next_event().event, Event::Greeting);
    /// server.responder().standard_reply("mx.example")?;
    /// server.advance_write(server.output().len());
    /// server.push_input(b"HELO client.example\r\n");
    /// assert!(matches!(server.next_event().event, Event::Command(_)));
    /// server.release_buffers();
    /// assert_eq!(server.capacity(), 0);
    /// server.responder().standard_reply("mx.example")?;
    /// # Ok::<(), MachineError<ehlo::ReplyError>>(())
    /// ```
    pub fn release_buffers(&mut self) {
        self.drop_taken();
        self.inbox.release();
        self.outbox.buffer.release();
    }

    /// The machine, and what is unread, for a TLS layer or another protocol.
    pub fn into_parts(mut self) -> (M, Vec<u8>) {
        self.drop_taken();
        (self.machine, self.inbox.into_vec())
    }

    /// What was read and not taken by the machine.
    pub fn unread_input(&mut self) -> &[u8] {
        self.drop_taken();
        self.inbox.bytes()
    }

    /// Whether content is taken, or comes next.
    pub(crate) fn is_content(&self) -> bool {
        self.machine.expects() == Expects::Content
    }

    fn drop_taken(&mut self) {
        let taken = core::mem::take(&mut self.taken);
        self.consume(taken, self.taken_content);
    }

    /// RFC 4954 §4: whatever is a line may be a credential, also where it was refused unread.
    fn consume(&mut self, bytes: usize, is_content: bool) {
        self.inbox.consume(bytes, !is_content);
        if is_content {
            self.content += bytes as u64;
        }
    }

    fn transmit(&mut self) {
        while self.outbox.buffer.len() < HIGH_WATER {
            let machine = &mut self.machine;
            match self.outbox.buffer.append(|out| machine.transmit(out), |error| Some(*error)) {
                Ok(0) | Err(_) => break,
                Ok(_) => self.outbox.secret |= self.machine.is_secret(),
            }
        }
    }
}

/// What a connection needs.
#[cfg(feature = "std")]
impl<M: Machine> Buffered<M> {
    /// Whether the outbox is to be sent before the next event is taken: it is full, or the session
    /// is at an end.
    pub(crate) fn must_flush(&self) -> bool {
        let bytes = self.output().len();
        bytes >= HIGH_WATER || (self.machine.is_at_end() && bytes > 0)
    }

    pub(crate) const fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// What cannot be sent any more.
    pub(crate) fn discard_output(&mut self) {
        self.outbox.consume(self.outbox.buffer.len());
    }

    /// Bytes of content taken since this was last asked.
    pub(crate) fn take_content(&mut self) -> u64 {
        self.drop_taken();
        core::mem::take(&mut self.content)
    }
}

impl<M: Upgrade> Buffered<M> {
    /// TLS is established on the connection: [`Upgrade::tls_established`] with what is unread.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] when anything is, or when no upgrade was agreed on.
    pub fn tls_established(&mut self) -> Result<(), PlaintextInjection> {
        self.drop_taken();
        self.machine.tls_established(self.inbox.bytes())
    }
}

impl Buffered<Server> {
    /// Answers the pending command: [`Server::reply`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never that the buffer is too small.
    pub fn reply(&mut self, reply: &Reply<'_>) -> Result<(), MachineError<ReplyError>> {
        self.responder().reply(reply)
    }

    /// Says 421 whether a command is pending or not: [`Server::close`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never that the buffer is too small.
    pub fn close(&mut self, reply: &Reply<'_>) -> Result<(), MachineError<ReplyError>> {
        let machine = &mut self.machine;
        let closed = self.outbox.buffer.append(|out| machine.close(reply, out), reply_needs);
        closed.map(drop).map_err(MachineError)
    }
}

impl Buffered<Client> {
    /// Sends a command: [`Client::send`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn send(&mut self, command: &Command<'_>) -> Result<(), MachineError<SendError>> {
        self.responder().send(command)
    }
}

impl<M: Machine> Buffered<M> {
    /// The means to write without an event.
    pub const fn responder(&mut self) -> Responder<'_, M> {
        Responder { machine: &mut self.machine, outbox: &mut self.outbox }
    }
}

/// Bytes of the first read.
const READ_MIN: u32 = 2 * 1024;
/// Bytes of the first read of content.
const READ_CONTENT: u32 = 16 * 1024;
/// Bytes that are read at once, at most.
const READ_MAX: u32 = 64 * 1024;
/// Bytes in the outbox after which nothing more is added before it is sent.
const HIGH_WATER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use ehlo::ServerConfig;

    #[test]
    #[should_panic(expected = "more was read")]
    fn a_stream_cannot_read_more_than_there_is_space() {
        let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
        let bytes = server.read_buffer().len();
        server.advance_read(bytes + 1);
    }

    #[test]
    #[should_panic(expected = "more was sent")]
    fn a_stream_cannot_send_what_is_not_there() {
        Buffered::new(Server::new(ServerConfig::DEFAULT)).advance_write(1);
    }
}
