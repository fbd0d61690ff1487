//! The responder, with which a program answers an event.

use core::fmt;

use ehlo::machine::Machine;
use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::sasl::{Response, SaslData};
use ehlo::{Client, Command, Delivery, Envelope, Reply, ReplyError, SendError, Server};

use crate::buffer::{Buffer, LINE_ROOM};
use crate::error::MachineError;

/// An event with the responder to answer it with, from
/// [`Buffered::next_event`](crate::Buffered::next_event) or
/// [`Connection::next`](crate::Connection::next).
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::{Server, ServerConfig};
/// use ehlo_io::{Buffered, PendingEvent};
///
/// let mut buffered = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// assert!(buffered.is_ready());
/// let PendingEvent { event, responder } = buffered.next_event();
/// assert_eq!(event, Event::Greeting);
/// responder.standard_reply("mx.example")?;
/// assert_eq!(buffered.output(), b"220 mx.example ESMTP ready\r\n");
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
#[derive(Debug)]
pub struct PendingEvent<'e, M: Machine> {
    /// The event, borrowed from the inbox.
    pub event: M::Event<'e>,
    /// The responder for its answer.
    pub responder: Responder<'e, M>,
}

/// Writes the output of a machine into the outbox of its [`Buffered`](crate::Buffered).
///
/// ```
/// use ehlo::{Client, ClientConfig, Command, SendError};
/// use ehlo_io::Buffered;
///
/// let mut buffered = Buffered::new(Client::new(ClientConfig::DEFAULT));
/// // The greeting has not come.
/// assert!(buffered.responder().send(&Command::Noop(None)).is_err());
/// assert!(buffered.output().is_empty());
/// ```
pub struct Responder<'e, M> {
    pub(super) machine: &'e mut M,
    pub(super) outbox: &'e mut Outbox,
}

/// Shows the machine, but not the outbox, which may hold a password.
impl<M: fmt::Debug> fmt::Debug for Responder<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl<M> Responder<'_, M> {
    /// The machine.
    pub const fn machine(&self) -> &M {
        self.machine
    }

    /// The machine, mutably.
    pub const fn machine_mut(&mut self) -> &mut M {
        self.machine
    }
}

impl Responder<'_, Server> {
    /// Answers the pending command: [`Server::reply`]. It takes the responder by value, so a second
    /// answer does not compile.
    ///
    /// ```compile_fail
    /// # use ehlo::{Code, Reply, Server, ServerConfig};
    /// # use ehlo_io::{Buffered, PendingEvent};
    /// let mut buffered = Buffered::new(Server::new(ServerConfig::DEFAULT));
    /// let PendingEvent { responder, .. } = buffered.next_event();
    /// responder.reply(&Reply::new(Code::SERVICE_READY, "mx.example"));
    /// responder.reply(&Reply::new(Code::SERVICE_READY, "mx.example"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never that the buffer is too small.
    pub fn reply(self, reply: &Reply<'_>) -> Result<(), MachineError<ReplyError>> {
        self.outbox.append(|out| self.machine.reply(reply, out), reply_needs)
    }

    /// Answers AUTH, or a response within it, with a challenge: [`Server::challenge`].
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but never that the buffer is too small.
    pub fn challenge(self, data: &SaslData<'_>) -> Result<(), MachineError<ReplyError>> {
        self.outbox.append(|out| self.machine.challenge(data, out), reply_needs)
    }

    /// Answers with [`Server::standard_reply`] if a reply is due. Does nothing for an event that
    /// needs no reply, such as [`MailData`](ehlo::server::Event::MailData).
    ///
    /// # Errors
    ///
    /// [`ReplyError`], but neither that the buffer is too small nor [`ReplyError::NothingPending`].
    pub fn standard_reply(self, host: &str) -> Result<(), MachineError<ReplyError>> {
        if self.machine.pending().is_none() {
            return Ok(());
        }
        let reply = self.machine.standard_reply(host);
        self.reply(&reply)
    }
}

impl Responder<'_, Client> {
    /// Sends a command: [`Client::send`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn send(&mut self, command: &Command<'_>) -> Result<(), MachineError<SendError>> {
        let sent = self.outbox.append(|out| self.machine.send(command, out), send_needs);
        self.outbox.secret |= self.machine.is_secret();
        sent
    }

    /// Sends a response within AUTH: [`Client::respond`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn respond(&mut self, response: &Response<'_>) -> Result<(), MachineError<SendError>> {
        let sent = self.outbox.append(|out| self.machine.respond(response, out), send_needs);
        self.outbox.secret |= self.machine.is_secret();
        sent
    }

    /// Sends a piece of the content, all of it: [`Client::mail_data`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn mail_data(&mut self, content: &[u8]) -> Result<(), MachineError<SendError>> {
        self.outbox.put_content(content, |content, out| self.machine.mail_data(content, out))
    }

    /// Sends the end of the content: [`Client::end_mail_data`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn end_mail_data(&mut self) -> Result<(), MachineError<SendError>> {
        self.outbox.append(|out| self.machine.end_mail_data(out), send_needs)
    }
}

impl<'v> Responder<'_, Delivery<'v>> {
    /// Begins the next envelope: [`Delivery::envelope`].
    pub fn envelope(self, envelope: &'v Envelope<'v>) {
        self.machine.envelope(envelope);
    }

    /// Ends the session, because there is no other envelope: [`Delivery::quit`].
    pub fn quit(self) {
        self.machine.quit();
    }

    /// Defers the next envelope: [`Delivery::defer_envelope`].
    pub const fn defer_envelope(self) {
        self.machine.defer_envelope();
    }

    /// Sends a piece of the content, all of it: [`Delivery::mail_data`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn mail_data(&mut self, content: &[u8]) -> Result<(), MachineError<SendError>> {
        self.outbox.put_content(content, |content, out| self.machine.mail_data(content, out))
    }

    /// Sends the last piece of the content and its end: [`Delivery::last_mail_data`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn last_mail_data(&mut self, content: &[u8]) -> Result<(), MachineError<SendError>> {
        if content.is_empty() {
            return self.end_mail_data();
        }
        self.outbox.put_content(content, |content, out| self.machine.last_mail_data(content, out))
    }

    /// Sends the end of the content: [`Delivery::end_mail_data`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn end_mail_data(&mut self) -> Result<(), MachineError<SendError>> {
        self.outbox.append(|out| self.machine.end_mail_data(out), send_needs)
    }

    /// Abandons the message: [`Delivery::abandon`].
    pub fn abandon(self, error: SendError) {
        self.machine.abandon(error);
    }

    /// Sends AUTH: [`Delivery::authenticate`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn authenticate(&mut self, command: &Command<'_>) -> Result<(), MachineError<SendError>> {
        let sent = self.outbox.append(|out| self.machine.authenticate(command, out), send_needs);
        self.outbox.secret |= self.machine.is_secret();
        sent
    }

    /// Sends a response within AUTH: [`Delivery::respond`].
    ///
    /// # Errors
    ///
    /// [`SendError`], but never that the buffer is too small.
    pub fn respond(&mut self, response: &Response<'_>) -> Result<(), MachineError<SendError>> {
        let sent = self.outbox.append(|out| self.machine.respond(response, out), send_needs);
        self.outbox.secret |= self.machine.is_secret();
        sent
    }

    /// Continues without authentication: [`Delivery::skip_authentication`].
    pub fn skip_authentication(self) {
        self.machine.skip_authentication();
    }
}

pub(super) const fn reply_needs(error: &ReplyError) -> Option<BufferTooSmall> {
    match error {
        ReplyError::BufferTooSmall(error) => Some(*error),
        _ => None,
    }
}

const fn send_needs(error: &SendError) -> Option<BufferTooSmall> {
    match error {
        SendError::BufferTooSmall(error) => Some(*error),
        _ => None,
    }
}

/// The bytes to send, and whether they include a credential.
pub(super) struct Outbox {
    pub(super) buffer: Buffer,
    pub(super) secret: bool,
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self { buffer: Buffer::new(), secret: false }
    }

    fn append<E>(
        &mut self,
        write: impl FnMut(&mut [u8]) -> Result<usize, E>,
        needs: impl Fn(&E) -> Option<BufferTooSmall>,
    ) -> Result<(), MachineError<E>> {
        self.buffer.append(write, needs).map(drop).map_err(MachineError)
    }

    fn put_content(
        &mut self,
        mut content: &[u8],
        mut encode: impl FnMut(&[u8], &mut [u8]) -> Result<ehlo::data::Progress, SendError>,
    ) -> Result<(), MachineError<SendError>> {
        while !content.is_empty() {
            // Room for a dot on every hundredth byte; the loop continues if there are more.
            let room = content.len() + content.len() / 100 + LINE_ROOM;
            // Room for the end too, and for the next envelope behind it.
            let growth = room + 2 * LINE_ROOM;
            let progress = encode(content, self.buffer.room(room, growth)).map_err(MachineError)?;
            self.buffer.fill(progress.written);
            content = content.get(progress.consumed..).unwrap_or_default();
        }
        Ok(())
    }

    /// Drops the bytes that were sent.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.buffer.consume(bytes, self.secret);
        self.secret &= !self.buffer.is_empty();
    }
}
