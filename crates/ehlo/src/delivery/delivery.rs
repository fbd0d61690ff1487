//! The delivery machine.

use core::time::Duration;

use crate::client::client::Client;
use crate::client::config::ClientConfig;
use crate::delivery::chunk::Chunk;
use crate::delivery::config::{Config, DeliveryConfig, TlsPolicy};
use crate::delivery::envelope::Envelope;
use crate::delivery::event::Event;
use crate::delivery::pending_events::PendingEvents;
use crate::delivery::transaction::Transaction;
use crate::identity::HeloName;
use crate::machine::{Expects, Machine, PlaintextInjection, Received, Upgrade, Wants};
use crate::session::State;
use crate::syntax::command::Verb;
use crate::syntax::encode::BufferTooSmall;
use crate::syntax::sasl::Mechanisms;

/// A whole client conversation: greeting, EHLO, STARTTLS and AUTH by policy, then for each envelope
/// MAIL, RCPT…, the content by BDAT or DATA, and one outcome per recipient; QUIT in the end.
///
/// It is a [`Machine`], so every adapter carries it. It pipelines when the server offers that, and
/// one refused recipient never aborts the rest. Where PIPELINING is offered every message but the
/// first costs one round trip.
///
/// The input must have room for the longest reply, by [`ReplyLimits`](crate::syntax::reply::ReplyLimits), and the
/// output for the longest command.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope};
/// use ehlo::delivery::Event;
/// use ehlo::{ForwardPath, HeloName, ReversePath};
/// use ehlo::machine::Machine;
///
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
/// let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::default());
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
    pub(super) client: Client,
    pub(super) name: HeloName<'e>,
    pub(super) config: Config,
    pub(super) stage: Stage,
    /// The transaction whose content is written, and whose answer has not come.
    pub(super) old: Option<Transaction<'e>>,
    /// The transaction that is written, or was; behind `old`, where there is one.
    pub(super) current: Option<Transaction<'e>>,
    pub(super) chunk: Chunk,
    /// Mechanisms that may be tried.
    pub(super) mechanisms: Mechanisms,
    pub(super) has_tried_auth: bool,
    pub(super) due: PendingEvents,
    /// The next envelope comes later than it was asked for.
    pub(super) later: bool,
    /// The end of a message was refused, and neither MAIL nor RSET was accepted since.
    pub(super) end_refused: bool,
    /// Something was written since the last wait.
    pub(super) written: bool,
    pub(super) statistics: DeliveryStatistics,
}

impl<'e> Delivery<'e> {
    /// A conversation at the start of a connection, which greets with `name`.
    pub fn new(name: HeloName<'e>, config: DeliveryConfig) -> Self {
        let require_tls = config.client.require_tls || config.tls == TlsPolicy::Require;
        let tls = if require_tls { TlsPolicy::Require } else { config.tls };
        Self {
            client: Client::new(ClientConfig { require_tls, ..config.client }),
            name,
            config: Config::of(&DeliveryConfig { tls, ..config }),
            stage: Stage::Greeting,
            old: None,
            current: None,
            chunk: Chunk::NONE,
            mechanisms: Mechanisms::NONE,
            has_tried_auth: false,
            due: PendingEvents::NONE,
            later: false,
            end_refused: false,
            written: false,
            statistics: DeliveryStatistics::NONE,
        }
    }

    /// The client machine below.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What the conversation has cost so far.
    pub const fn statistics(&self) -> DeliveryStatistics {
        self.statistics
    }

    /// How often the conversation had to wait for the server after something was written.
    pub const fn round_trips(&self) -> u32 {
        self.statistics.round_trips
    }

    /// Begins with the next envelope, when [`Event::NeedEnvelope`] asks for it or the answer was
    /// [`later`](Self::defer_envelope). Whether it did; at any other time it has no effect.
    pub fn envelope(&mut self, envelope: &'e Envelope<'e>) -> bool {
        let takes = self.takes_envelope();
        if takes {
            if let Some(written) = self.current.take() {
                self.old = Some(written);
            }
            let number = self.statistics.envelopes;
            self.statistics.envelopes = number.saturating_add(1);
            self.current = Some(Transaction::new(envelope, number as usize, 0));
            self.stage = Stage::Mail;
            self.later = false;
        }
        takes
    }

    /// Ends the session, when [`Event::NeedEnvelope`] or [`Event::NeedAuthentication`] asks; at any
    /// other time it has no effect.
    pub fn quit(&mut self) {
        if self.takes_envelope() || self.stage == Stage::Authenticate {
            if let Some(written) = self.current.take() {
                self.old = Some(written);
            }
            self.stage = Stage::Quit;
        }
    }

    /// There is no envelope yet: [`Event::NeedEnvelope`] is not repeated before one that is open is
    /// finished. [`envelope`](Self::envelope) and [`quit`](Self::quit) may come at any time until
    /// then.
    pub const fn defer_envelope(&mut self) {
        self.later = true;
    }

    /// Tells the machine that this connection cannot begin TLS: STARTTLS is not sent, as by
    /// [`TlsPolicy::Forbid`]. Returns false, and changes nothing, when the policy is
    /// [`TlsPolicy::Require`] and the session is not inside TLS.
    ///
    /// ```
    /// use ehlo::delivery::TlsPolicy;
    /// use ehlo::{Delivery, DeliveryConfig, HeloName};
    ///
    /// let name = HeloName::new("client.example")?;
    /// assert!(Delivery::new(name, DeliveryConfig::DEFAULT).forbid_tls());
    /// let config = DeliveryConfig { tls: TlsPolicy::Require, ..DeliveryConfig::DEFAULT };
    /// assert!(!Delivery::new(name, config).forbid_tls());
    /// # Ok::<(), ehlo::identity::HeloNameError>(())
    /// ```
    pub fn forbid_tls(&mut self) -> bool {
        if self.config.tls == TlsPolicy::Require {
            return self.client.is_tls();
        }
        self.config.tls = TlsPolicy::Forbid;
        true
    }

    /// Gives the session up, as after a wait that was abandoned; every recipient without an outcome
    /// is reported as unanswered.
    pub const fn abort(&mut self) {
        self.client.abort();
    }

    /// The next event of `input`, all that is unread so far.
    pub fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        match self.wants(input) {
            Wants::Event => self.event(input),
            Wants::Input { consumed } => Received { consumed, event: Event::NeedInput },
        }
    }

    fn wants(&mut self, input: &[u8]) -> Wants {
        self.client.note(input);
        self.settle();
        if self.due.is_any() || (self.asks() && !self.has_reply(input)) {
            return Wants::Event;
        }
        let wants = Machine::wants(&mut self.client, input);
        if matches!(wants, Wants::Input { .. }) && core::mem::take(&mut self.written) {
            self.statistics.round_trips = self.statistics.round_trips.saturating_add(1);
        }
        wants
    }

    /// Whether the caller is to be asked for something.
    pub(super) fn asks(&self) -> bool {
        self.is_open()
            && match self.stage {
                Stage::Authenticate => true,
                Stage::Idle | Stage::Ended => !self.later && self.takes_envelope(),
                Stage::Content => self.takes_content(),
                _ => false,
            }
    }

    fn takes_envelope(&self) -> bool {
        match self.stage {
            Stage::Idle => self.old.is_none() || self.config.overlap,
            Stage::Ended => self.config.overlap && self.old.is_none() && self.is_behind_safe(),
            _ => false,
        }
    }

    /// Whether MAIL may go behind the content that is written.
    fn is_behind_safe(&self) -> bool {
        let is_over = |current: &Transaction<'_>| {
            // Of a message that nobody gets a server may answer the end by leaving the transaction
            // open; so it may be told once more to whom it goes.
            let flags = current.flags;
            !flags.failed
                && !flags.answered
                && current.is_answered()
                && current.accepted > 0
                && current.following().is_none()
        };
        self.current.as_ref().is_some_and(is_over)
            && !self.is_mail_max()
            && self.client.permits_now(Verb::Mail).is_ok()
    }

    /// RFC 9422 §4.1: MAILMAX is the number of MAIL commands of the session.
    pub(super) fn is_mail_max(&self) -> bool {
        let most = self.client.capabilities().mail_max();
        most.is_some_and(|most| self.statistics.transactions >= most)
    }

    /// Whether anything may be sent.
    pub(super) fn is_open(&self) -> bool {
        self.client.state() != State::Tls && self.client.permits_bytes().is_ok()
    }

    pub(super) fn has_reply(&mut self, input: &[u8]) -> bool {
        Machine::wants(&mut self.client, input) == Wants::Event
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
        self.write(out)
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

    fn expects(&self) -> Expects {
        Expects::Reply
    }

    fn is_secret(&self) -> bool {
        self.client.is_secret()
    }
}

impl Upgrade for Delivery<'_> {
    fn awaits_tls(&self) -> bool {
        self.client.awaits_tls()
    }

    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        Self::tls_established(self, leftover)
    }
}

/// What a conversation has cost so far.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, HeloName};
///
/// let delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::default());
/// assert_eq!(delivery.statistics().envelopes, 0);
/// # Ok::<(), ehlo::identity::HeloNameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryStatistics {
    /// How often it had to wait for the server after something was written.
    pub round_trips: u32,
    /// Envelopes that were given.
    pub envelopes: u32,
    /// MAIL commands that were sent.
    pub transactions: u32,
}

impl DeliveryStatistics {
    const NONE: Self = Self { round_trips: 0, envelopes: 0, transactions: 0 };
}

/// What is sent next, or awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Awaits the greeting.
    Greeting,
    /// Sends EHLO or LHLO.
    Hello,
    /// Sends HELO.
    Helo,
    /// Sends STARTTLS.
    StartTls,
    /// Awaits the caller's handshake.
    Handshake,
    /// Awaits a mechanism from the caller.
    Authenticate,
    /// Awaits replies, or within AUTH the caller.
    Replies,
    /// Awaits an envelope from the caller; nothing is open but what is awaited for the old one.
    Idle,
    /// Sends MAIL.
    Mail,
    /// Sends RCPT.
    Rcpt,
    /// Sends DATA, or awaits that BDAT may go.
    Transfer,
    /// Awaits content from the caller.
    Content,
    /// Sends the last chunk, which is empty.
    LastChunk,
    /// Sends the end of a message that nobody gets.
    LoneDot,
    /// The content is written: awaits the reply to it, or the next envelope.
    Ended,
    /// Awaits the last replies of a transaction that failed.
    Failed,
    /// Sends RSET.
    Rset,
    /// Sends QUIT.
    Quit,
}
