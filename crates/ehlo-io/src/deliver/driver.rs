//! The conversation of a [`Delivery`] over a stream, with messages that somebody else has.

use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::buffered::Buffered;
use crate::deliver::messages::MessageSource;
use crate::deliver::session_end::{EndReason, SessionEnd};
use crate::deliver::timeout::Alarm;
use crate::responder::{PendingEvent, Responder};
use crate::transport::Transport;
use crate::transport::give_way;
use ehlo::delivery::{Event, Outcome, Outcomes};
use ehlo::machine::Machine;
use ehlo::syntax::sasl::Mechanisms;
use ehlo::{Delivery, Envelope, Reply, SendError};
use ehlo_sasl::{AnyClient, Channel, ChannelBinding, ClientExchange, ClientFailure, ClientStep};

/// Answers a [`Delivery`] for its caller: envelopes and content from [`MessageSource`], outcomes to them,
/// and an exchange for AUTH. An adapter's `deliver` carries it.
///
/// [`MessageQueue`](super::MessageQueue) shows a whole delivery.
///
/// ```
/// use ehlo::Envelope;
/// use ehlo_io::{DeliveryDriver, MessageQueue};
/// use std::io::{Error, Read};
/// use std::task::Poll;
///
/// let envelopes: [(&Envelope<'_>, &[u8]); 0] = [];
/// let messages = MessageQueue::new(envelopes, |_, _| {});
/// // Nobody keeps the time here.
/// let alarm = |_| std::future::pending::<Error>();
/// let courier =
///     DeliveryDriver::new(messages, |content: &mut &[u8], _, out| Poll::Ready(content.read(out)), alarm);
/// # drop(courier);
/// ```
pub struct DeliveryDriver<'v, X, R, E, C, F> {
    messages: X,
    read: Read<R, E>,
    alarm: Alarm<C, F>,
    /// The content that is being sent.
    content: Option<R>,
    /// Content was asked for; so much of the next piece is read.
    asked: Option<usize>,
    piece: Vec<u8>,
    /// Envelopes that are open, by their number.
    open: Vec<(usize, Vec<Outcome>)>,
    begun: usize,
    /// Known from what said so first.
    ended: Option<SessionEnd>,
    exchange: Option<ClientExchange<AnyClient<'v>>>,
    /// The client itself has given its attempt to authenticate up: no other follows.
    cancelled: bool,
    binding: Option<[u8; 32]>,
}

/// Shows neither content nor what TLS exports.
impl<X: fmt::Debug, R, E, C, F> fmt::Debug for DeliveryDriver<'_, X, R, E, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryDriver")
            .field("messages", &self.messages)
            .field("open", &self.open)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

/// Reads content into the slice, which is not empty: how many octets, 0 at the end.
pub type Read<R, E> = fn(&mut R, &mut Context<'_>, &mut [u8]) -> Poll<Result<usize, E>>;

/// How far [`Buffered::poll_deliver`] has come.
///
/// ```
/// use ehlo_io::{SessionEnd, Step};
///
/// assert_ne!(Step::Upgrade, Step::Closed(SessionEnd::Done));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The session goes on inside TLS: shake hands, then say
    /// [`tls_established`](Buffered::tls_established) or [`tls_failed`](Delivery::tls_failed).
    Upgrade,
    /// The session is over.
    Closed(SessionEnd),
}

impl<'v, X, R, E, C, F> DeliveryDriver<'v, X, R, E, C, F>
where
    X: MessageSource<'v, Content = R>,
    E: Error + 'static,
    C: FnMut(Duration) -> F,
    F: Future<Output = E>,
{
    /// A courier with these messages, whose content `read` reads. What `timer` gives is ready, with
    /// the error that says so, when the time has passed.
    pub const fn new(messages: X, read: Read<R, E>, timer: C) -> Self {
        Self {
            messages,
            read,
            alarm: Alarm::new(timer),
            content: None,
            asked: None,
            piece: Vec::new(),
            open: Vec::new(),
            begun: 0,
            ended: None,
            exchange: None,
            cancelled: false,
            binding: None,
        }
    }

    /// The messages.
    pub const fn messages(&mut self) -> &mut X {
        &mut self.messages
    }

    /// The connection is inside TLS, which exports this for `tls-exporter`, RFC 9266. What is awaited
    /// next is another thing than the handshake.
    pub const fn bind(&mut self, exported: Option<[u8; 32]>) {
        self.alarm.restart();
        self.binding = exported;
    }

    /// Ready when `limit` has passed since this was asked first, or since an event; or up to an eighth of
    /// it later. The limit is that of the first asking.
    pub fn poll_expired(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<E> {
        self.alarm.poll(context, limit)
    }

    /// Whether the session is over or TLS begins; none if it goes on.
    fn take(&mut self, turn: PendingEvent<'_, Delivery<'v>>) -> Option<Step> {
        self.alarm.restart();
        let PendingEvent { event, mut responder } = turn;
        self.messages.event(&event);
        for (number, outcomes) in &mut self.open {
            Outcomes::resume(outcomes, *number).record(&event);
        }
        if let Some(why) = EndReason::of(&event) {
            self.ended.get_or_insert(SessionEnd::Early(why));
        }
        match event {
            Event::NeedEnvelope => {
                if let Some(envelope) = self.messages.envelope(responder.machine()) {
                    self.open.push((self.begun, pending(envelope)));
                    self.begun += 1;
                    responder.envelope(envelope);
                } else {
                    self.ended.get_or_insert(SessionEnd::Done);
                    responder.quit();
                }
            }
            Event::NeedContent { envelope, offset } => {
                if offset == 0 {
                    self.content = self.messages.content(envelope);
                }
                self.asked = Some(0);
            }
            Event::NeedAuthentication(offered) => self.authenticate(offered, responder),
            Event::Finished { envelope } => {
                let place = self.open.iter().position(|(number, _)| *number == envelope);
                if let Some((number, outcomes)) = place.map(|place| self.open.remove(place)) {
                    self.messages.finished(number, &outcomes);
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

    fn authenticate(&mut self, offered: Mechanisms, mut answer: Responder<'_, Delivery<'v>>) {
        // Without TLS `offered` has what may be sent in clear, and nothing else.
        let binding = self.binding.as_ref();
        let binding = binding.and_then(|data| ChannelBinding::new("tls-exporter", data).ok());
        let channel = binding.map_or(Channel::Protected, Channel::Bound);
        let mechanism =
            if self.cancelled { None } else { self.messages.mechanism(offered, channel) };
        let Some(mechanism) = mechanism else { return answer.skip_authentication() };
        let exchange = self.exchange.insert(ClientExchange::new(mechanism));
        let mut message = [0; MESSAGE];
        let begun = exchange.start(&mut message);
        if !begun.is_ok_and(|command| answer.authenticate(&command).is_ok()) {
            self.exchange = None;
            answer.skip_authentication();
        }
    }

    /// A reply within the attempt to authenticate.
    fn exchange(&mut self, reply: &Reply<'_>, answer: &mut Responder<'_, Delivery<'v>>) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut message = [0; MESSAGE];
        match exchange.receive(reply, &mut message) {
            ClientStep::Respond(response) => {
                if answer.respond(&response).is_err() {
                    answer.machine_mut().abort();
                }
            }
            ClientStep::Done(result) => {
                self.exchange = None;
                if let Err(failure) = result {
                    self.cancelled = failure != ClientFailure::Refused;
                    self.messages.on_error(&failure);
                    // RFC 4954 §6: a 235 that was not earned says nothing of who sends it.
                    if failure.is_fatal() {
                        answer.machine_mut().abort();
                    }
                }
            }
        }
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
                Ok(octets) => {
                    filled = self.piece.len().min(filled + octets);
                    self.asked = Some(filled);
                }
                Err(error) => {
                    self.content = None;
                    self.messages.on_error(&error);
                    return Poll::Ready(Err(SendError::NoContent));
                }
            }
        }
        Poll::Ready(Ok(None))
    }

    fn give(
        &mut self,
        piece: Result<Option<usize>, SendError>,
        mut answer: Responder<'_, Delivery<'v>>,
    ) {
        self.asked = None;
        let given = match piece {
            Ok(None) => answer.mail_data(&self.piece),
            Ok(Some(last)) => answer.last_mail_data(self.piece.get(..last).unwrap_or_default()),
            Err(error) => Err(error),
        };
        if let Err(error) = given {
            answer.abandon(error);
        }
    }
}

impl<'v> Buffered<Delivery<'v>> {
    /// Goes on with the session up to its end, or up to TLS: writes what is due, reads, and has
    /// `courier` answer the events.
    ///
    /// Nothing is lost when it is not asked again. The end of a message goes out in one write with
    /// the last piece of its content, and with the next envelope where that may follow. A wait for
    /// the peer lasts as long as [`timeout`](ehlo::machine::Machine::timeout) says; one for content is not
    /// limited.
    ///
    /// # Errors
    ///
    /// Those of the stream and of the timer. Every envelope that was begun is finished then, and the
    /// session is over. None where the session had ended early and nothing was open: that is told.
    pub fn poll_deliver<T, X, R, C, F>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        courier: &mut DeliveryDriver<'v, X, R, T::Error, C, F>,
    ) -> Poll<Result<Step, T::Error>>
    where
        T: Transport<Error: Error + 'static>,
        X: MessageSource<'v, Content = R>,
        C: FnMut(Duration) -> F,
        F: Future<Output = T::Error>,
    {
        for _ in 0..ROUNDS {
            let polled = if courier.asked.is_none() {
                let messages = &mut courier.messages;
                self.poll_ready(context, &mut Overheard { transport, messages })
            } else if let Poll::Ready(piece) = courier.poll_piece(context) {
                courier.give(piece, self.responder());
                continue;
            } else {
                // What the server is to have by now is not kept back until there is content.
                let messages = &mut courier.messages;
                match self.poll_flush(context, &mut Overheard { transport, messages }) {
                    Poll::Ready(Ok(())) => return Poll::Pending,
                    flushed => flushed,
                }
            };
            match polled {
                Poll::Ready(Ok(())) => {
                    if let Some(step) = courier.take(self.next_event()) {
                        return Poll::Ready(Ok(step));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(self.broken(courier, error)),
                Poll::Pending => {
                    let limit = self.machine.timeout();
                    let error = ready!(courier.poll_expired(context, limit));
                    return Poll::Ready(self.broken(courier, error));
                }
            }
        }
        give_way(context)
    }

    /// RFC 5321 §3.1: who refuses a session with 554 "MUST still wait for the client to send a QUIT".
    /// Where it does not, that says less than the refusal.
    fn broken<X, R, E, C, F>(
        &mut self,
        courier: &mut DeliveryDriver<'v, X, R, E, C, F>,
        error: E,
    ) -> Result<Step, E>
    where
        X: MessageSource<'v, Content = R>,
        E: Error + 'static,
        C: FnMut(Duration) -> F,
        F: Future<Output = E>,
    {
        let known =
            courier.ended.filter(|ended| *ended != SessionEnd::Done && courier.open.is_empty());
        let error = self.break_off(courier, error);
        known.map_or(Err(error), |ended| Ok(Step::Closed(ended)))
    }

    /// The session breaks off, by `error`: every envelope that was begun is finished.
    pub fn break_off<X, R, E, C, F>(
        &mut self,
        courier: &mut DeliveryDriver<'v, X, R, E, C, F>,
        error: E,
    ) -> E
    where
        X: MessageSource<'v, Content = R>,
        E: Error + 'static,
        C: FnMut(Duration) -> F,
        F: Future<Output = E>,
    {
        courier.asked = None;
        self.machine.abort();
        while !matches!(courier.take(self.next_event()), Some(Step::Closed(_))) {}
        error
    }
}

/// A transport whose octets the messages hear.
struct Overheard<'t, T, X> {
    transport: &'t mut T,
    messages: &'t mut X,
}

impl<'v, T: Transport, X: MessageSource<'v>> Transport for Overheard<'_, T, X> {
    type Error = T::Error;

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<Result<usize, T::Error>> {
        let octets = ready!(self.transport.poll_read(context, space))?;
        self.messages.received(space.get(..octets).unwrap_or_default());
        Poll::Ready(Ok(octets))
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<Result<usize, T::Error>> {
        let written = ready!(self.transport.poll_write(context, octets))?;
        self.messages.sent(octets.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.transport.poll_flush(context)
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.transport.poll_close(context)
    }
}

fn pending(envelope: &Envelope<'_>) -> Vec<Outcome> {
    let all = (0..).map_while(|index| envelope.recipients.recipient(index));
    all.map(|_| Outcome::PENDING).collect()
}

/// Events and pieces of content after which others go on.
const ROUNDS: u32 = 64;
/// Octets of content that are read before they are sent, at most.
const PIECE: usize = 64 * 1024;
/// Octets that are enough for many messages.
const PIECE_MIN: usize = 4 * 1024;
/// Octets of the longest message of a mechanism: what a line within AUTH can carry, RFC 4954 §4.
const MESSAGE: usize = ehlo::syntax::limits::AUTH_LINE / 4 * 3;
