//! Delivery: a whole client conversation, from the greeting to QUIT.

mod envelope;
mod outcome;

use core::time::Duration;

pub use envelope::{Envelope, Recipient, Recipients};
pub use outcome::{Fate, Outcome, Outcomes};

use crate::{
    Body, BufferTooSmall, Client, ClientConfig, ClientName, Command, Extension, Machine, Parameter,
    Parameters, Progress, Received, Reply, SendError, Severity, State, SyntaxError, Verb, Wants,
    client,
};

/// What a [`Delivery`] reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'i> {
    /// The input holds no whole reply; read more.
    NeedInput,
    /// The session is open and free: give the next [`envelope`](Delivery::envelope), or
    /// [`quit`](Delivery::quit).
    NeedEnvelope,
    /// The content goes now: [`mail_data`](Delivery::mail_data), as often as there is more, then
    /// [`end_mail_data`](Delivery::end_mail_data).
    NeedContent,
    /// The reply to the RCPT of one recipient. A negative one is its outcome.
    Recipient {
        /// The place of the recipient in the envelope, from 0.
        index: usize,
        /// The reply.
        reply: Reply<'i>,
    },
    /// The reply to the message, the outcome of every recipient that was accepted; in LMTP of the
    /// first of them that has none.
    Message {
        /// The reply.
        reply: Reply<'i>,
    },
    /// A refusal that is the outcome of every recipient that has none: of the session, of MAIL or
    /// of DATA.
    Refused {
        /// What was refused.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// Any other reply; nothing needs to be done.
    Reply {
        /// What is answered.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// Something that the server or the RFCs do not allow was not sent.
    NotSent {
        /// The recipient that it concerns, or all that have no outcome.
        index: Option<usize>,
        /// The command that was not sent.
        at: Verb,
        /// Why.
        error: SendError,
    },
    /// The session ended before this was answered.
    Unanswered {
        /// What has no reply.
        to: Verb,
    },
    /// A reply that answers nothing.
    Unsolicited(Reply<'i>),
    /// What the server sent is no reply; the session is over.
    Violation(SyntaxError),
    /// The session is over.
    Closed,
}

/// How a [`Delivery`] behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// The client machine's part.
    pub client: ClientConfig,
    /// Speak LMTP, RFC 2033.
    pub lmtp: bool,
}

/// A whole client conversation: greeting, EHLO, HELO when EHLO is refused, then for each envelope
/// MAIL, RCPT…, DATA, the content, and one outcome per recipient; QUIT in the end.
///
/// It is a [`Machine`], so every adapter carries it. It pipelines when the server offers that, and
/// one refused recipient never aborts the rest.
///
/// ```
/// use ehlo::delivery::{Delivery, DeliveryConfig, Envelope, Event};
/// use ehlo::{ClientName, ForwardPath, Machine, ReversePath};
///
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
/// let mut delivery = Delivery::new(ClientName::new("client.example")?, DeliveryConfig::default());
/// let mut out = [0; 512];
///
/// delivery.receive(b"220 mx.example\r\n");
/// let n = delivery.transmit(&mut out)?;
/// assert_eq!(&out[..n], b"EHLO client.example\r\n");
/// delivery.receive(b"250-mx.example\r\n250 PIPELINING\r\n");
/// assert!(matches!(delivery.receive(b"").event, Event::NeedEnvelope));
/// delivery.envelope(&envelope);
/// let n = delivery.transmit(&mut out)?;
/// assert_eq!(
///     &out[..n],
///     b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delivery<'e> {
    client: Client,
    name: ClientName<'e>,
    lmtp: bool,
    stage: Stage,
    envelope: Option<&'e Envelope<'e>>,
    /// The recipient whose RCPT is sent next.
    next: usize,
    /// The recipient whose reply comes next.
    answered: usize,
    not_sent: Option<(Option<usize>, Verb, SendError)>,
}

impl<'e> Delivery<'e> {
    /// A conversation at the start of a connection, which greets with `name`.
    pub fn new(name: ClientName<'e>, config: DeliveryConfig) -> Self {
        Self {
            client: Client::new(config.client),
            name,
            lmtp: config.lmtp,
            stage: Stage::Greeting,
            envelope: None,
            next: 0,
            answered: 0,
            not_sent: None,
        }
    }

    /// The client machine below.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Begins a mail transaction, when [`Event::NeedEnvelope`] asks for it; at any other time it
    /// has no effect.
    pub fn envelope(&mut self, envelope: &'e Envelope<'e>) {
        if self.stage == Stage::Idle {
            self.stage = Stage::Mail;
            self.envelope = Some(envelope);
            self.next = 0;
            self.answered = 0;
        }
    }

    /// Ends the session, when [`Event::NeedEnvelope`] asks; at any other time it has no effect.
    pub fn quit(&mut self) {
        if self.stage == Stage::Idle {
            self.stage = Stage::Quit;
        }
    }

    /// Gives the session up; every recipient without an outcome is reported as unanswered.
    pub const fn poison(&mut self) {
        self.client.poison();
    }

    /// Writes a piece of the content into `out`, when [`Event::NeedContent`] asks for it.
    ///
    /// # Errors
    ///
    /// [`SendError`], as of [`Client::mail_data`]. Content that was refused cannot be completed:
    /// [`poison`](Self::poison) the session and close the connection.
    pub fn mail_data(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        self.client.mail_data(content, out)
    }

    /// Writes the end of the content into `out` and returns its length in octets.
    ///
    /// # Errors
    ///
    /// [`SendError`], as of [`Client::end_mail_data`].
    pub fn end_mail_data(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let written = self.client.end_mail_data(out)?;
        self.stage = Stage::Replies;
        Ok(written)
    }

    /// The next event of `input`, all that is unread so far.
    pub fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        match self.wants(input) {
            Wants::Event => self.event(input),
            Wants::Input { consumed } => Received { consumed, event: Event::NeedInput },
        }
    }

    fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let nothing = |event| Received { consumed: 0, event };
        if let Some((index, at, error)) = self.not_sent.take() {
            return nothing(Event::NotSent { index, at, error });
        }
        if self.is_open() && self.stage == Stage::Idle {
            return nothing(Event::NeedEnvelope);
        }
        if self.is_open() && self.stage == Stage::Content && !self.has_reply(input) {
            return nothing(Event::NeedContent);
        }
        let received = self.client.receive(input);
        let event = match received.event {
            client::Event::NeedInput => Event::NeedInput,
            client::Event::Reply { to, reply } => self.match_reply(to, reply),
            client::Event::Unsolicited(reply) => Event::Unsolicited(reply),
            client::Event::Unanswered { to } => Event::Unanswered { to },
            client::Event::Violation(error) => Event::Violation(error),
            client::Event::StartTls | client::Event::Closed => Event::Closed,
        };
        Received { consumed: received.consumed, event }
    }

    fn match_reply<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let code = reply.code();
        let positive = reply.severity() == Severity::PositiveCompletion;
        let other = Event::Reply { to, reply };
        let refused = Event::Refused { to, reply };
        match to {
            Verb::Greeting if self.client.state() == State::Start => {
                self.stage = Stage::Hello;
                other
            }
            Verb::Ehlo | Verb::Helo | Verb::Lhlo if positive => {
                self.stage = Stage::Idle;
                other
            }
            // RFC 5321 §3.2: a server that refuses EHLO as not recognised is greeted with HELO;
            // §4.1.4 adds the codes of a server that does not accept the command.
            Verb::Ehlo if matches!(code.number(), 500 | 501 | 502 | 504 | 550) => {
                self.stage = Stage::Helo;
                other
            }
            Verb::Greeting | Verb::Ehlo | Verb::Helo | Verb::Lhlo => {
                self.stage = Stage::Quit;
                refused
            }
            Verb::Mail if !positive => {
                self.stage = Stage::Failed;
                self.settle();
                refused
            }
            Verb::Rcpt => {
                let index = self.answered;
                self.answered += 1;
                let undecided = self.stage != Stage::Failed;
                self.settle();
                if undecided { Event::Recipient { index, reply } } else { other }
            }
            // RFC 5321 §4.3.2: nothing but 354 opens the mail data.
            Verb::Data if self.client.wants_content() => {
                match self.client.accepted() {
                    // RFC 2920 §3.1: "the client … should send a single dot".
                    0 => self.stage = Stage::LoneDot,
                    // MAIL was refused, and all are told so: not even a dot may follow.
                    _ if self.stage == Stage::Failed => self.client.poison(),
                    _ => self.stage = Stage::Content,
                }
                other
            }
            Verb::Data => {
                let undecided = self.client.accepted() > 0;
                self.stage = Stage::Failed;
                self.settle();
                if undecided { refused } else { other }
            }
            Verb::Message => {
                let undecided = self.stage == Stage::Replies;
                if self.client.awaits().is_none() {
                    self.stage = Stage::Idle;
                }
                if undecided { Event::Message { reply } } else { other }
            }
            Verb::Rset => {
                self.stage = if positive { Stage::Idle } else { Stage::Quit };
                other
            }
            _ => other,
        }
    }

    /// A transaction that failed is over once every reply has come; what is left of it goes by
    /// RSET.
    fn settle(&mut self) {
        if self.stage == Stage::Failed && self.client.awaits().is_none() {
            let open = self.client.state().is_transaction();
            self.stage = if open { Stage::Rset } else { Stage::Idle };
        }
    }

    /// Writes the next command that may go; 0 when there is none.
    fn command(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let (command, then) = match self.stage {
            Stage::Hello if self.lmtp => (Command::Lhlo(self.name), Stage::Replies),
            Stage::Hello => (Command::Ehlo(self.name), Stage::Replies),
            Stage::Helo => (Command::Helo(self.name), Stage::Replies),
            Stage::Mail => return self.mail(out),
            Stage::Rcpt => return self.rcpt(out),
            Stage::Data => {
                let none_sent = self.answered == self.next && self.client.accepted() == 0;
                if none_sent && self.client.awaits().is_some() {
                    return Ok(0);
                }
                // RFC 5321 §3.3: no DATA when every RCPT was refused.
                if none_sent {
                    self.stage = Stage::Failed;
                    self.settle();
                    return self.command(out);
                }
                (Command::Data, Stage::Replies)
            }
            Stage::LoneDot => {
                let written = self.client.end_mail_data(out)?;
                self.stage = Stage::Failed;
                return Ok(written);
            }
            Stage::Rset => (Command::Rset, Stage::Replies),
            Stage::Quit => (Command::Quit, Stage::Replies),
            Stage::Greeting | Stage::Idle | Stage::Content | Stage::Replies | Stage::Failed => {
                return Ok(0);
            }
        };
        let written = self.client.send(&command, out)?;
        self.stage = then;
        Ok(written)
    }

    fn mail(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let Some(envelope) = self.envelope else { return Ok(0) };
        let offered = self.client.capabilities();
        let mut parameters = [Parameter::SmtpUtf8; MAIL_PARAMETERS];
        let own = [
            envelope.size.filter(|_| offered.contains(Extension::Size)).map(Parameter::Size),
            (envelope.body != Body::SevenBit).then_some(Parameter::Body(envelope.body)),
            envelope.smtputf8.then_some(Parameter::SmtpUtf8),
        ];
        let all = own.into_iter().flatten().chain(envelope.parameters.iter());
        let mut count = 0;
        for (place, parameter) in parameters.iter_mut().zip(all) {
            *place = parameter;
            count += 1;
        }
        let command = Command::Mail {
            reverse_path: envelope.reverse_path,
            parameters: Parameters::mail(parameters.get(..count).unwrap_or_default())
                .map_err(|_| SendError::UnknownParameter)?,
        };
        let written = self.client.send(&command, out)?;
        self.stage = Stage::Rcpt;
        Ok(written)
    }

    fn rcpt(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let recipient = self.envelope.and_then(|envelope| envelope.recipients.recipient(self.next));
        let Some(Recipient { forward_path, parameters }) = recipient else {
            self.stage = Stage::Data;
            return self.command(out);
        };
        let written = self.client.send(&Command::Rcpt { forward_path, parameters }, out)?;
        self.next += 1;
        Ok(written)
    }

    /// What to do when a command could not be sent.
    fn refuse(&mut self, error: SendError) {
        let at = match self.stage {
            Stage::Mail => Verb::Mail,
            Stage::Rcpt => Verb::Rcpt,
            Stage::Data => Verb::Data,
            Stage::Quit => Verb::Quit,
            Stage::Rset => Verb::Rset,
            _ => Verb::Ehlo,
        };
        let index = (at == Verb::Rcpt).then_some(self.next);
        if index.is_some() {
            // The replies are counted, so a recipient that is left out must have its turn.
            if self.answered < self.next {
                return;
            }
            self.next += 1;
            self.answered += 1;
        } else {
            self.stage = match at {
                Verb::Mail | Verb::Data => Stage::Failed,
                _ => Stage::Replies,
            };
            self.settle();
        }
        self.not_sent = Some((index, at, error));
    }

    fn is_open(&self) -> bool {
        self.client.state() != State::Closed
    }

    fn has_reply(&mut self, input: &[u8]) -> bool {
        !input.is_empty() && Machine::wants(&mut self.client, input) == Wants::Event
    }

    fn wants(&mut self, input: &[u8]) -> Wants {
        self.client.note(input);
        let owes_event = self.not_sent.is_some()
            || (self.is_open() && matches!(self.stage, Stage::Idle | Stage::Content));
        if owes_event { Wants::Event } else { Machine::wants(&mut self.client, input) }
    }
}

impl Machine for Delivery<'_> {
    type Event<'i> = Event<'i>;

    fn wants(&mut self, input: &[u8]) -> Wants {
        Self::wants(self, input)
    }

    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        Self::receive(self, input)
    }

    fn transmit(&mut self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let mut written = 0;
        while self.not_sent.is_none() && self.is_open() {
            match self.command(out.get_mut(written..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => written += more,
                Err(SendError::BufferTooSmall(error)) if written == 0 => return Err(error),
                Err(
                    SendError::BufferTooSmall(_)
                    | SendError::WaitForReply
                    | SendError::NotPipelining
                    | SendError::WindowFull,
                ) => break,
                Err(error) => {
                    let stage = self.stage;
                    self.refuse(error);
                    if self.not_sent.is_none() && self.stage == stage {
                        break;
                    }
                }
            }
        }
        Ok(written)
    }

    fn end_of_input(&mut self) {
        Machine::end_of_input(&mut self.client);
    }

    fn is_at_end(&self) -> bool {
        Machine::is_at_end(&self.client)
    }

    fn timeout(&self) -> Duration {
        Machine::timeout(&self.client)
    }
}

/// What is sent next, or awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Awaits the greeting.
    Greeting,
    /// Sends EHLO or LHLO.
    Hello,
    /// Sends HELO.
    Helo,
    /// Awaits an envelope from the caller.
    Idle,
    /// Sends MAIL.
    Mail,
    /// Sends RCPT.
    Rcpt,
    /// Sends DATA.
    Data,
    /// Awaits content from the caller.
    Content,
    /// Sends the end of a message that nobody gets.
    LoneDot,
    /// Awaits replies.
    Replies,
    /// Awaits the last replies of a transaction that failed.
    Failed,
    /// Sends RSET.
    Rset,
    /// Sends QUIT.
    Quit,
}

/// Parameters of one MAIL command, at most; no RFC's client needs half as many.
const MAIL_PARAMETERS: usize = 24;
