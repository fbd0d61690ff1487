//! A machine with an inbox and an outbox: a connection without the socket.

use alloc::vec::Vec;
use core::fmt;

use ehlo::machine::{Expects, Machine, PlaintextInjection, Upgrade, Wants};
use ehlo::{Client, Command, Reply, ReplyError, SendError, Server};

use crate::buffer::Buffer;
use crate::error::MachineError;
use crate::responder::{Outbox, PendingEvent, Responder, reply_needs};

/// A [`Machine`] with the buffers of its connection.
///
/// The buffers use memory only while they hold bytes: a waiting connection has no buffers. The
/// inbox reads 2 KiB at a time, 16 KiB of content, and after a read that fills it four times as
/// much, up to 64 KiB; it can hold the longest line that the machine takes. While an event waits
/// and the peer does not read, a [`Connection`](crate::Connection) reads up to 1 MiB ahead. The
/// outbox is sent before the next event once it holds 64 KiB, so it never holds more than that and
/// one answer, or one piece of content.
///
/// Bytes that may be a credential are overwritten when they have been taken or sent, and when the
/// buffers move or are dropped.
///
/// The owner of the stream calls [`is_ready`](Self::is_ready). If it returns false, send the
/// [`output`](Self::output), and read into the [`read_buffer`](Self::read_buffer); if it returns
/// true, [`next_event`](Self::next_event) returns the event and the responder to answer it with.
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
    /// The number of bytes at the front of the inbox that the last event borrowed.
    taken: usize,
    /// Those bytes are content, and not secret.
    taken_content: bool,
    outbox: Outbox,
    /// The size of the next read; it grows after a read that filled the space, and shrinks after
    /// one that did not.
    read_size: u32,
    /// The bytes of content taken since a connection last asked.
    content: u64,
}

/// Shows the sizes of the buffers, not their bytes, which may hold a password.
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
    /// A machine with empty buffers, which grow as needed.
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

    /// The machine, mutably. Output that it writes must go to the outbox.
    pub const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Returns `true` if an event is available without reading. Output that the machine sends
    /// without a request is then in the outbox.
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

    /// The next event, and the responder to answer it with. The event borrows the inbox, the
    /// responder borrows the machine and the outbox, so an answer may quote the event.
    ///
    /// Call it when [`is_ready`](Self::is_ready) is true; otherwise the event says that the machine
    /// needs input.
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

    /// The space for bytes from the peer; never empty.
    pub fn read_buffer(&mut self) -> &mut [u8] {
        self.drop_taken();
        let content = if self.is_content() { READ_CONTENT } else { 0 };
        let size = self.read_size.max(content) as usize;
        self.inbox.room(size / 4, size)
    }

    /// Marks the first `bytes` of the [`read_buffer`](Self::read_buffer) as filled; 0 means that
    /// the peer sends no more.
    ///
    /// # Panics
    ///
    /// If `bytes` exceeds the length of the `read_buffer`.
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

    /// Adds `bytes` from the peer: for input that comes from memory, as in a test.
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

    /// The outbox: the bytes to send to the peer.
    pub fn output(&self) -> &[u8] {
        self.outbox.buffer.bytes()
    }

    /// Marks the first `bytes` of the [`output`](Self::output) as sent.
    ///
    /// # Panics
    ///
    /// If `bytes` exceeds the length of the output.
    pub fn advance_write(&mut self, bytes: usize) {
        assert!(bytes <= self.output().len(), "more was sent than there was");
        self.outbox.consume(bytes);
    }

    /// The memory of the buffers in bytes: 0 while they are empty, for example before the first
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

    /// Frees unused memory. A connection does so while it waits for the peer; call it before
    /// waiting for something else, such as a disk.
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

    /// The machine and the unread bytes, for a TLS layer or another protocol.
    pub fn into_parts(mut self) -> (M, Vec<u8>) {
        self.drop_taken();
        (self.machine, self.inbox.into_vec())
    }

    /// The bytes that were read and that the machine has not taken.
    pub fn unread_input(&mut self) -> &[u8] {
        self.drop_taken();
        self.inbox.bytes()
    }

    /// Returns `true` if the machine takes content now or next.
    pub(crate) fn is_content(&self) -> bool {
        self.machine.expects() == Expects::Content
    }

    fn drop_taken(&mut self) {
        let taken = core::mem::take(&mut self.taken);
        self.consume(taken, self.taken_content);
    }

    /// RFC 4954 §4: every line may be a credential, even if the machine refused it unread.
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

#[cfg(feature = "std")]
impl Buffered<ehlo::Delivery<'_>> {
    /// The session at rest; nothing was read ahead or waits to be sent.
    #[allow(clippy::result_large_err)] // it is the session itself
    pub(crate) fn into_idle(mut self) -> Result<Buffered<ehlo::Delivery<'static>>, Self> {
        self.drop_taken();
        if !self.inbox.bytes().is_empty() || !self.output().is_empty() {
            return Err(self);
        }
        let Self { machine, inbox, taken, taken_content, outbox, read_size, content } = self;
        match machine.into_idle() {
            Ok(machine) => {
                Ok(Buffered { machine, inbox, taken, taken_content, outbox, read_size, content })
            }
            Err(machine) => {
                Err(Self { machine, inbox, taken, taken_content, outbox, read_size, content })
            }
        }
    }
}

/// The methods that a connection needs.
#[cfg(feature = "std")]
impl<M: Machine> Buffered<M> {
    /// Returns `true` if the outbox must be sent before the next event: it is full, or the session
    /// is at an end.
    pub(crate) fn must_flush(&self) -> bool {
        let bytes = self.output().len();
        bytes >= HIGH_WATER || (self.machine.is_at_end() && bytes > 0)
    }

    pub(crate) const fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// Drops the output, which cannot be sent any more.
    pub(crate) fn discard_output(&mut self) {
        self.outbox.consume(self.outbox.buffer.len());
    }

    /// The bytes of content taken since the last call.
    pub(crate) fn take_content(&mut self) -> u64 {
        self.drop_taken();
        core::mem::take(&mut self.content)
    }
}

impl<M: Upgrade> Buffered<M> {
    /// Continues the session inside TLS: [`Upgrade::tls_established`] with the unread bytes.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] if there are unread bytes, or if STARTTLS was not accepted.
    pub fn tls_established(&mut self) -> Result<(), PlaintextInjection> {
        self.drop_taken();
        self.machine.tls_established(self.inbox.bytes())
    }
}

impl Buffered<Server> {
    /// Answers the pending command: writes [`Server::reply`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never that the buffer is too small.
    pub fn reply(&mut self, reply: &Reply<'_>) -> Result<(), MachineError<ReplyError>> {
        self.responder().reply(reply)
    }

    /// Ends the session with 421, with or without a pending command: writes [`Server::close`] into
    /// the outbox.
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
    /// Sends a command: writes [`Client::send`] into the outbox.
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn send(&mut self, command: &Command<'_>) -> Result<(), MachineError<SendError>> {
        self.responder().send(command)
    }
}

impl<M: Machine> Buffered<M> {
    /// The responder to write with, without an event.
    pub const fn responder(&mut self) -> Responder<'_, M> {
        Responder { machine: &mut self.machine, outbox: &mut self.outbox }
    }
}

/// The size of the first read in bytes.
const READ_MIN: u32 = 2 * 1024;
/// The size of the first read of content in bytes.
const READ_CONTENT: u32 = 16 * 1024;
/// The largest size of a read in bytes.
const READ_MAX: u32 = 64 * 1024;
/// The number of bytes in the outbox above which nothing is added before it is sent.
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
