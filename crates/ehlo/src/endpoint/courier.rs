//! The conversation of a [`Delivery`] over a stream, with messages that somebody else has.

use core::error::Error;
use core::task::{Context, Poll, ready};

use alloc::vec::Vec;

use super::{Answer, Endpoint, Messages, Transport, Turn};
use crate::delivery::{Event, Outcome, Outcomes};
use crate::sasl::{AnyClient, Channel, ChannelBinding, ClientExchange, ClientFailure, ClientStep};
use crate::{Delivery, Envelope, Mechanisms, Reply, SendError};

/// Answers a [`Delivery`] for its caller: envelopes and content from [`Messages`], outcomes to them,
/// and an exchange for AUTH. An adapter's `deliver` carries it.
///
/// See [`Mailing`](super::Mailing) for an example.
#[derive(Debug)]
pub struct Courier<'v, X: Messages<'v>, E> {
    messages: X,
    read: Read<X::Content, E>,
    /// The content that is being sent.
    content: Option<X::Content>,
    /// Content was asked for; so much of the next piece is read.
    asked: Option<usize>,
    piece: Vec<u8>,
    /// Envelopes that are open, by their number.
    open: Vec<(usize, Vec<Outcome>)>,
    begun: usize,
    exchange: Option<ClientExchange<AnyClient<'v>>>,
    /// The client itself has given its attempt to authenticate up: no other follows.
    cancelled: bool,
    binding: Option<[u8; 32]>,
}

/// Reads content into the slice, which is not empty: how many octets, 0 at the end.
pub type Read<R, E> = fn(&mut R, &mut Context<'_>, &mut [u8]) -> Poll<Result<usize, E>>;

/// How far [`Endpoint::poll_deliver`] has come.
///
/// ```
/// assert_ne!(ehlo::Step::Turn, ehlo::Step::Closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done, and more follows: a new wait begins.
    Turn,
    /// The session goes on inside TLS: shake hands, then say
    /// [`tls_established`](Endpoint::tls_established) or [`tls_failed`](Delivery::tls_failed).
    Upgrade,
    /// The session is over.
    Closed,
}

impl<'v, X: Messages<'v>, E: Error + 'static> Courier<'v, X, E> {
    /// A courier with these messages, whose content `read` reads.
    pub const fn new(messages: X, read: Read<X::Content, E>) -> Self {
        Self {
            messages,
            read,
            content: None,
            asked: None,
            piece: Vec::new(),
            open: Vec::new(),
            begun: 0,
            exchange: None,
            cancelled: false,
            binding: None,
        }
    }

    /// The messages.
    pub const fn messages(&mut self) -> &mut X {
        &mut self.messages
    }

    /// The connection is inside TLS, which exports this for `tls-exporter`, RFC 9266.
    pub const fn bind(&mut self, exported: Option<[u8; 32]>) {
        self.binding = exported;
    }

    fn take(&mut self, turn: Turn<'_, Delivery<'v>>) -> Step {
        let Turn { event, mut answer } = turn;
        self.messages.event(&event);
        for (number, outcomes) in &mut self.open {
            Outcomes::resume(outcomes, *number).record(&event);
        }
        match event {
            Event::NeedEnvelope => match self.messages.envelope(answer.machine()) {
                Some(envelope) => {
                    self.open.push((self.begun, pending(envelope)));
                    self.begun += 1;
                    answer.envelope(envelope);
                }
                None => answer.quit(),
            },
            Event::NeedContent { envelope, offset } => {
                if offset == 0 {
                    self.content = self.messages.content(envelope);
                }
                self.asked = Some(0);
            }
            Event::NeedAuthentication(offered) => self.authenticate(offered, answer),
            Event::Finished { envelope } => {
                let place = self.open.iter().position(|(number, _)| *number == envelope);
                if let Some((number, outcomes)) = place.map(|place| self.open.remove(place)) {
                    self.messages.finished(number, &outcomes);
                }
            }
            Event::StartTls => return Step::Upgrade,
            Event::Closed => return Step::Closed,
            event => {
                if let Some(reply) = event.authentication() {
                    self.exchange(reply, &mut answer);
                }
            }
        }
        Step::Turn
    }

    fn authenticate(&mut self, offered: Mechanisms, mut answer: Answer<'_, Delivery<'v>>) {
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
    fn exchange(&mut self, reply: &Reply<'_>, answer: &mut Answer<'_, Delivery<'v>>) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut message = [0; MESSAGE];
        match exchange.receive(reply, &mut message) {
            ClientStep::Respond(response) => {
                if answer.respond(&response).is_err() {
                    answer.machine_mut().poison();
                }
            }
            ClientStep::Done(result) => {
                self.exchange = None;
                if let Err(failure) = result {
                    self.cancelled = failure != ClientFailure::Refused;
                    self.messages.trouble(&failure);
                    // RFC 4954 §6: a 235 that was not earned says nothing of who sends it.
                    if failure.is_fatal() {
                        answer.machine_mut().poison();
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
                    self.messages.trouble(&error);
                    return Poll::Ready(Err(SendError::NoContent));
                }
            }
        }
        Poll::Ready(Ok(None))
    }

    fn give(
        &mut self,
        piece: Result<Option<usize>, SendError>,
        mut answer: Answer<'_, Delivery<'v>>,
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

impl<'v> Endpoint<Delivery<'v>> {
    /// Goes one step on with the session: writes what is due, reads, and has `courier` answer the
    /// event, or reads the content that was asked for.
    ///
    /// Nothing is lost when it is not asked again. The end of a message goes out in one write with
    /// the last piece of its content, and with the next envelope where that may follow.
    ///
    /// # Errors
    ///
    /// Those of the stream. Every envelope that was begun is finished then, and the session is over.
    pub fn poll_deliver<T, X>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
        courier: &mut Courier<'v, X, T::Error>,
    ) -> Poll<Result<Step, T::Error>>
    where
        T: Transport<Error: Error + 'static>,
        X: Messages<'v>,
    {
        let polled = if courier.asked.is_none() {
            let messages = &mut courier.messages;
            self.poll_ready(context, &mut Overheard { transport, messages })
        } else if let Poll::Ready(piece) = courier.poll_piece(context) {
            courier.give(piece, self.answer());
            return Poll::Ready(Ok(Step::Turn));
        } else {
            // What the server is to have by now is not kept back until there is content.
            let messages = &mut courier.messages;
            match self.poll_flush(context, &mut Overheard { transport, messages }) {
                Poll::Ready(Ok(())) => Poll::Pending,
                flushed => flushed,
            }
        };
        match ready!(polled) {
            Ok(()) => Poll::Ready(Ok(courier.take(self.turn()))),
            Err(error) => Poll::Ready(self.break_off(courier, error)),
        }
    }

    /// The time that this wait may last has passed: the session is broken off with `error`, unless
    /// it is for its content that the courier waits.
    ///
    /// # Errors
    ///
    /// `error`; every envelope that was begun is finished then, and the session is over.
    pub fn expired<X, E>(&mut self, courier: &mut Courier<'v, X, E>, error: E) -> Result<Step, E>
    where
        X: Messages<'v>,
        E: Error + 'static,
    {
        if courier.asked.is_some() {
            return Ok(Step::Turn);
        }
        self.break_off(courier, error)
    }

    fn break_off<X, E>(&mut self, courier: &mut Courier<'v, X, E>, error: E) -> Result<Step, E>
    where
        X: Messages<'v>,
        E: Error + 'static,
    {
        courier.asked = None;
        self.machine.poison();
        while courier.take(self.turn()) != Step::Closed {}
        Err(error)
    }
}

/// A transport whose octets the messages hear.
struct Overheard<'t, T, X> {
    transport: &'t mut T,
    messages: &'t mut X,
}

impl<'v, T: Transport, X: Messages<'v>> Transport for Overheard<'_, T, X> {
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

/// Octets of content that are read before they are sent, at most.
const PIECE: usize = 64 * 1024;
/// Octets that are enough for many messages.
const PIECE_MIN: usize = 4 * 1024;
/// Octets of the longest message of a mechanism: what a line within AUTH can carry, RFC 4954 §4.
const MESSAGE: usize = crate::limits::AUTH_LINE / 4 * 3;
