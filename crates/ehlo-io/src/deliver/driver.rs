//! The loop that runs a [`Delivery`] over a stream: envelopes and content come from a
//! [`MessageSource`].

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::error::Error;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use ehlo::delivery::{Event, UnusableSession};
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::Mechanisms;
use ehlo::{Delivery, Reply, SendError};
use ehlo_sasl::{AnyClient, Channel, ChannelBinding, ClientExchange, ClientFailure, ClientStep};

use crate::buffer::overwrite;
use crate::connection::Connection;
use crate::deliver::messages::{MessageSource, NextEnvelope};
use crate::deliver::report::{Open, text};
use crate::deliver::session_end::{EndReason, SessionEnd};
use crate::error::{MachineError, TlsStateError};
use crate::flow::{Failure, Link, yield_now};
use crate::responder::{PendingEvent, Responder};
use crate::stream::{ContentReader, StreamIo};
use crate::time::{TimedOut, Timer};

impl<'v, S, A: StreamIo<S>, T: Timer> Connection<S, Delivery<'v>, A, T> {
    /// Delivers `messages` up to the end of the session, and returns whether the session
    /// [ended](SessionEnd) before all were begun. Each wait for the server, and for content, is
    /// limited by the machine; the wait for the reply to QUIT by
    /// [`TimeLimits::linger`](crate::TimeLimits::linger).
    ///
    /// This method does not begin TLS; [`deliver_tls`](Self::deliver_tls) does. Under
    /// [`TlsPolicy::Opportunistic`](ehlo::delivery::TlsPolicy::Opportunistic), the default, the
    /// session continues without TLS even if the server offers STARTTLS.
    ///
    /// It is not cancel safe: if the future is dropped, messages that were begun have no outcome.
    ///
    /// # Errors
    ///
    /// `InvalidInput` with [`TlsStateError::NoTls`] if the policy is
    /// [`TlsPolicy::Require`](ehlo::delivery::TlsPolicy::Require) and the session is not inside
    /// TLS; nothing is sent then. Those of the stream, and `TimedOut`; messages that were begun
    /// have their outcomes by then.
    pub async fn deliver<X, R>(&mut self, messages: X) -> io::Result<SessionEnd>
    where
        X: MessageSource<'v, Content = R>,
        A: ContentReader<R>,
    {
        if !self.buffered.machine_mut().forbid_tls() {
            return Err(TlsStateError::NoTls.into());
        }
        let mut driver = Driver::new(messages, A::read);
        loop {
            match driver.run(self).await? {
                Step::Upgrade => self.buffered.machine_mut().tls_failed(),
                Step::Closed(ended) => return Ok(ended),
            }
        }
    }
}

/// Answers the events of a [`Delivery`]: with envelopes and content from the messages, and an
/// exchange for AUTH; it passes the outcomes to the messages.
pub(crate) struct Driver<'v, X, R> {
    pub(crate) messages: X,
    read: Read<R>,
    /// The content that the session sends now.
    content: Option<R>,
    /// The bytes read of the next piece; `None` if the machine has not asked for content.
    asked: Option<usize>,
    piece: Vec<u8>,
    /// The open envelopes.
    open: Vec<Open>,
    /// The next envelope was asked for, and the messages have not said what it is.
    asked_next: bool,
    /// The messages said that there is none for now.
    is_idle: bool,
    pub(crate) last_words: LastWords,
    begun: usize,
    /// The end of the session, from the first event that tells it.
    ended: Option<SessionEnd>,
    exchange: Option<ClientExchange<AnyClient<'v>>>,
    /// The client cancelled its attempt to authenticate: it makes no other.
    cancelled: bool,
    /// The refusal of the last attempt to authenticate.
    auth_reply: Option<EndReason>,
    binding: Option<[u8; 32]>,
}

/// What a failure is told with: the words of both sides.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    /// The text of the reply that ended the session.
    pub(crate) reply: Option<String>,
    /// The text of the first error outside SMTP.
    pub(crate) error: Option<String>,
}

/// Reads content into the slice, which is not empty, and returns the number of bytes, 0 at the end.
pub(crate) type Read<R> = fn(&mut R, &mut Context<'_>, &mut [u8]) -> Poll<io::Result<usize>>;

/// The state of a session that stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It continues inside TLS if the handshake succeeds.
    Upgrade,
    /// It is over.
    Closed(SessionEnd),
}

impl<'v, X, R> Driver<'v, X, R>
where
    X: MessageSource<'v, Content = R>,
{
    pub(crate) const fn new(messages: X, read: Read<R>) -> Self {
        Self {
            messages,
            read,
            content: None,
            asked: None,
            piece: Vec::new(),
            open: Vec::new(),
            asked_next: false,
            is_idle: false,
            last_words: LastWords { reply: None, error: None },
            begun: 0,
            ended: None,
            exchange: None,
            cancelled: false,
            auth_reply: None,
            binding: None,
        }
    }

    /// Records that the connection is inside TLS, and the value that TLS exports for
    /// `tls-exporter`, RFC 9266.
    pub(crate) const fn bind(&mut self, exported: Option<[u8; 32]>) {
        self.binding = exported;
    }

    /// Runs until TLS begins or the session is over.
    pub(crate) async fn run<S, A: StreamIo<S>, T: Timer>(
        &mut self,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
    ) -> io::Result<Step> {
        // RFC 4954 §4: AUTH is not allowed in a mail transaction. Without AUTH nothing is sent.
        if self.messages.has_credentials()
            && !connection.buffered.machine_mut().require_authentication()
        {
            let reason = EndReason::Unusable(UnusableSession::NotAuthenticated);
            return Ok(Step::Closed(SessionEnd::Early(reason)));
        }
        let machine = connection.buffered.machine_mut();
        self.begun = machine.statistics().envelopes as usize;
        // It may have been told to ask later.
        self.asked_next |= machine.is_idle();
        poll_fn(|context| self.poll(context, connection)).await
    }

    /// Writes due output, reads, and answers events. One write sends the end of a message with the
    /// last piece of its content, and with the next envelope if it may follow.
    ///
    /// After an error every envelope that was begun is finished, and the session is over.
    fn poll<S, A: StreamIo<S>, T: Timer>(
        &mut self,
        context: &mut Context<'_>,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
    ) -> Poll<io::Result<Step>> {
        for _ in 0..ROUNDS {
            if let Some(step) = self.poll_next(context, connection) {
                return Poll::Ready(Ok(step));
            }
            let had_failed = connection.status.failure.is_some();
            let polled = if self.asked.is_none() {
                self.link(connection, |buffered, link| buffered.poll_ready(context, link))
            } else if let Poll::Ready(piece) = self.poll_piece(context) {
                self.give(piece, connection.buffered.responder());
                connection.clock.restart();
                continue;
            } else {
                // Output that the server should have by now is sent without waiting for content.
                let flushed =
                    self.link(connection, |buffered, link| buffered.poll_flush(context, link));
                if let Poll::Ready(Err(error)) = flushed {
                    connection.status.fail(Failure::new(error));
                    self.asked = None;
                    continue;
                }
                Poll::Pending
            };
            if connection.status.failure.is_some() && !had_failed {
                connection.clock.restart();
            }
            match polled {
                Poll::Ready(Ok(())) if connection.status.failure.is_some() => {
                    if let Some(step) = self.take_last_words(connection) {
                        return Poll::Ready(step);
                    }
                }
                Poll::Ready(Ok(())) => {
                    connection.clock.restart();
                    if let Some(step) = self.take(connection.buffered.next_event()) {
                        return Poll::Ready(Ok(step));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(self.break_off(connection, error)),
                // The server owes nothing while the messages are waited for.
                Poll::Pending
                    if self.asked_next
                        && connection.buffered.output().is_empty()
                        && connection.buffered.machine().is_idle() =>
                {
                    connection.clock.restart();
                    return Poll::Pending;
                }
                Poll::Pending => {
                    ready!(connection.clock.poll(context, limit(connection)));
                    match &mut connection.status.failure {
                        Some(failure) if !failure.drained => failure.drained = true,
                        _ if self.asked.is_some() => {
                            let late = self.unreadable(&TimedOut.into());
                            self.give(Err(late), connection.buffered.responder());
                        }
                        _ => return Poll::Ready(self.break_off(connection, TimedOut.into())),
                    }
                }
            }
        }
        yield_now(context)
    }

    /// Asks the messages for the next envelope, where the machine has asked for it; the step when
    /// they have none for now and nothing is open.
    fn poll_next<S, A, T: Timer>(
        &mut self,
        context: &mut Context<'_>,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
    ) -> Option<Step> {
        let machine = connection.buffered.machine_mut();
        // A session that is over takes none: the next one is left to the messages.
        self.asked_next &= machine.wants_envelope();
        if self.asked_next && !self.is_idle {
            match self.messages.poll_next(context, machine) {
                Poll::Pending => return None,
                Poll::Ready(NextEnvelope::Idle) => self.is_idle = true,
                Poll::Ready(NextEnvelope::Quit) => {
                    self.asked_next = false;
                    self.ended.get_or_insert(SessionEnd::Done);
                    machine.quit();
                }
                Poll::Ready(NextEnvelope::Envelope(envelope)) => {
                    self.asked_next = false;
                    // The session may have ended while it was waited for.
                    if machine.envelope(envelope) {
                        self.open.push(Open::new(self.begun, envelope));
                        self.begun += 1;
                    }
                }
            }
        }
        let is_over = self.is_idle && connection.buffered.machine().is_idle();
        (is_over && connection.buffered.output().is_empty())
            .then_some(Step::Closed(SessionEnd::Idle))
    }

    /// The stream with an adapter that passes all bytes to the messages.
    fn link<S, A: StreamIo<S>, T: Timer, Z>(
        &mut self,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
        call: impl FnOnce(
            &mut crate::Buffered<Delivery<'v>>,
            &mut Link<'_, S, Overheard<'_, A, X>>,
        ) -> Z,
    ) -> Z {
        let (buffered, Link { stream, adapter, status }, _) = connection.split();
        let adapter = &mut Overheard { adapter, messages: &mut self.messages };
        call(buffered, &mut Link { stream, adapter, status })
    }

    /// Takes an event after a failed write: replies count, requests get no answer.
    fn take_last_words<S, A, T: Timer>(
        &mut self,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
    ) -> Option<io::Result<Step>> {
        let pending = connection.buffered.next_event();
        let asks = matches!(
            pending.event,
            Event::NeedEnvelope
                | Event::NeedContent { .. }
                | Event::NeedAuthentication(_)
                | Event::StartTls
        );
        if !asks {
            return self.take(pending).map(Ok);
        }
        let error = connection.status.failure.as_mut().map(|failure| failure.error());
        let error = error.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
        Some(self.break_off(connection, error))
    }

    /// Ends the session with `error`: every envelope that was begun is finished. If no envelope was
    /// open and the end was known already, for example when QUIT gets no answer, it is not an
    /// error: RFC 5321 §3.1 lets a server that refuses a session with 554 wait for QUIT, and many
    /// do not.
    fn break_off<S, A, T: Timer>(
        &mut self,
        connection: &mut Connection<S, Delivery<'v>, A, T>,
        error: io::Error,
    ) -> io::Result<Step> {
        let known = self.ended.filter(|_| self.open.is_empty());
        self.asked = None;
        connection.buffered.machine_mut().abort();
        while !matches!(self.take(connection.buffered.next_event()), Some(Step::Closed(_))) {}
        known.map_or(Err(error), |ended| Ok(Step::Closed(ended)))
    }

    /// Takes an event. Returns whether the session is over or TLS begins; `None` if it continues.
    fn take(&mut self, pending: PendingEvent<'_, Delivery<'v>>) -> Option<Step> {
        let PendingEvent { event, mut responder } = pending;
        self.messages.event(&event);
        self.open.iter_mut().for_each(|open| open.record(&event));
        if let Some(reason) = EndReason::of(&event) {
            if self.last_words.reply.is_none() {
                self.last_words.reply = event.reply().map(text);
            }
            // The server's reply to the last attempt says more than the absence of a usable
            // mechanism.
            let reason = match (reason, self.auth_reply) {
                (EndReason::Unusable(UnusableSession::NotAuthenticated), Some(refusal)) => refusal,
                (reason, _) => reason,
            };
            self.ended.get_or_insert(SessionEnd::Early(reason));
        }
        match event {
            Event::NeedEnvelope => {
                self.asked_next = true;
                responder.defer_envelope();
            }
            Event::NeedContent { envelope, offset } => {
                if offset == 0 {
                    self.content = self.messages.content(envelope);
                }
                self.asked = Some(0);
            }
            Event::NeedAuthentication(offered) => self.authenticate(offered, responder),
            Event::Finished { envelope } => {
                let place = self.open.iter().position(|open| open.number == envelope);
                if let Some(open) = place.map(|place| self.open.remove(place)) {
                    self.messages.finished(envelope, &open.into_reports());
                }
            }
            Event::StartTls => return Some(Step::Upgrade),
            Event::Closed => return self.ended.map(Step::Closed),
            event => {
                if let Some(reply) = event.authentication() {
                    self.exchange(reply, &mut responder);
                }
            }
        }
        None
    }

    fn authenticate(&mut self, offered: Mechanisms, mut responder: Responder<'_, Delivery<'v>>) {
        // Without TLS, `offered` holds only mechanisms that may be used in clear text.
        let binding = self.binding.as_ref();
        let binding = binding.and_then(|data| ChannelBinding::new("tls-exporter", data).ok());
        let channel = binding.map_or(Channel::Protected, Channel::Bound);
        let mechanism =
            if self.cancelled { None } else { self.messages.mechanism(offered, channel) };
        let Some(mechanism) = mechanism else { return responder.skip_authentication() };
        let exchange = self.exchange.insert(ClientExchange::new(mechanism));
        let mut message = [0; MESSAGE];
        let begun = exchange.start(&mut message);
        let is_begun = begun.is_ok_and(|command| responder.authenticate(&command).is_ok());
        overwrite(&mut message);
        if !is_begun {
            self.exchange = None;
            responder.skip_authentication();
        }
    }

    /// Handles a reply within the attempt to authenticate.
    fn exchange(&mut self, reply: &Reply<'_>, responder: &mut Responder<'_, Delivery<'v>>) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut message = [0; MESSAGE];
        match exchange.receive(reply, &mut message) {
            ClientStep::Respond(response) => {
                if responder.respond(&response).is_err() {
                    responder.machine_mut().abort();
                }
            }
            ClientStep::Done(result) => {
                self.exchange = None;
                if let Err(failure) = result {
                    // A client that cannot continue one mechanism may succeed with another.
                    self.cancelled =
                        !matches!(failure, ClientFailure::Refused | ClientFailure::Challenge);
                    self.auth_reply = EndReason::refusal(Verb::Auth, reply);
                    self.on_error(&failure);
                    match failure {
                        // RFC 4954 §6: an early 235 does not prove who sent it.
                        ClientFailure::EarlySuccess | ClientFailure::ServerNotAuthentic => {
                            responder.machine_mut().server_not_authentic();
                        }
                        failure if failure.is_fatal() => responder.machine_mut().abort(),
                        _ => {}
                    }
                }
            }
        }
        overwrite(&mut message);
    }

    /// Reads the next piece, until it is full or the last.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<usize>, SendError>> {
        let mut filled = self.asked.unwrap_or_default();
        loop {
            if filled == self.piece.len() {
                if filled >= PIECE {
                    break;
                }
                self.piece.resize((2 * filled).clamp(PIECE_MIN, PIECE), 0);
            }
            let Some(reader) = &mut self.content else {
                return Poll::Ready(Err(SendError::NoContent));
            };
            let space = self.piece.get_mut(filled..).unwrap_or_default();
            match ready!((self.read)(reader, context, space)) {
                Ok(0) => {
                    self.content = None;
                    return Poll::Ready(Ok(Some(filled)));
                }
                Ok(bytes) => {
                    filled = self.piece.len().min(filled + bytes);
                    self.asked = Some(filled);
                }
                Err(error) => return Poll::Ready(Err(self.unreadable(&error))),
            }
        }
        Poll::Ready(Ok(None))
    }

    /// Passes an error outside SMTP to the messages.
    pub(crate) fn on_error(&mut self, error: &(dyn Error + 'static)) {
        self.last_words.error.get_or_insert_with(|| error.to_string());
        self.messages.on_error(error);
    }

    /// Handles content that could not be read.
    fn unreadable(&mut self, error: &io::Error) -> SendError {
        self.content = None;
        self.on_error(error);
        SendError::NoContent
    }

    fn give(
        &mut self,
        piece: Result<Option<usize>, SendError>,
        mut responder: Responder<'_, Delivery<'v>>,
    ) {
        self.asked = None;
        let given = match piece {
            Ok(None) => responder.mail_data(&self.piece),
            Ok(Some(last)) => responder.last_mail_data(self.piece.get(..last).unwrap_or_default()),
            Err(error) => Err(MachineError(error)),
        };
        if let Err(MachineError(error)) = given {
            responder.abandon(error);
        }
    }
}

/// The longest duration of the wait for the server now. The reply to QUIT decides nothing (RFC 5321
/// §4.1.1.10).
fn limit<S, A, T: Timer>(connection: &Connection<S, Delivery<'_>, A, T>) -> Duration {
    let limit = connection.wait();
    match connection.buffered.machine().client().awaits() {
        Some(Verb::Quit) => limit.min(connection.limits.linger()),
        _ => limit,
    }
}

/// An adapter that passes its bytes to the messages.
struct Overheard<'t, A, X> {
    adapter: &'t mut A,
    messages: &'t mut X,
}

impl<'v, S, A: StreamIo<S>, X: MessageSource<'v>> StreamIo<S> for Overheard<'_, A, X> {
    fn poll_read(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(self.adapter.poll_read(stream, context, space))?;
        self.messages.received(space.get(..bytes).unwrap_or_default());
        Poll::Ready(Ok(bytes))
    }

    fn poll_write(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.adapter.poll_write(stream, context, bytes))?;
        self.messages.sent(bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.adapter.poll_flush(stream, context)
    }

    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.adapter.poll_close(stream, context)
    }
}

/// The number of events and pieces of content after which other tasks run.
const ROUNDS: u32 = 64;
/// The most bytes of content that are read before they are sent.
const PIECE: usize = 64 * 1024;
/// The number of bytes that is enough for many messages.
const PIECE_MIN: usize = 4 * 1024;
/// The bytes of the longest message of a mechanism, which fits in a line within AUTH, RFC 4954 §4.
const MESSAGE: usize = ehlo::syntax::limits::AUTH_LINE / 4 * 3;
