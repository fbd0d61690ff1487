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

/// A whole client session: greeting, EHLO, STARTTLS and AUTH by policy; then for each envelope
/// MAIL, RCPT, the content by BDAT or DATA, and one outcome per recipient; QUIT at the end.
///
/// It is a [`Machine`], so every adapter can run it. It pipelines if the server offers PIPELINING,
/// and a refused recipient never stops the others. With PIPELINING, every message but the first
/// costs one round trip.
///
/// The input buffer must have room for the longest reply,
/// [`ReplyLimits`](crate::syntax::reply::ReplyLimits), and the output buffer for the longest
/// command.
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
    /// `None` in a session that was greeted and is idle, which says EHLO no more.
    pub(super) name: Option<HeloName<'e>>,
    pub(super) config: Config,
    pub(super) stage: Stage,
    /// The transaction whose content is written and whose reply is due.
    pub(super) old: Option<Transaction<'e>>,
    /// The current transaction, behind `old` if there is an old one.
    pub(super) current: Option<Transaction<'e>>,
    pub(super) chunk: Chunk,
    /// Mechanisms that may be tried.
    pub(super) mechanisms: Mechanisms,
    pub(super) has_tried_auth: bool,
    pub(super) due: PendingEvents,
    /// The caller has deferred the next envelope.
    pub(super) later: bool,
    /// The server refused the end of a message, and has accepted neither MAIL nor RSET since.
    pub(super) end_refused: bool,
    /// Something was written since the last wait.
    pub(super) written: bool,
    pub(super) statistics: DeliveryStatistics,
}

impl<'e> Delivery<'e> {
    /// A session at the start of a connection, which greets with `name`.
    pub fn new(name: HeloName<'e>, config: DeliveryConfig) -> Self {
        let require_tls = config.client.require_tls || config.tls == TlsPolicy::Require;
        let tls = if require_tls { TlsPolicy::Require } else { config.tls };
        Self {
            client: Client::new(ClientConfig { require_tls, ..config.client }),
            name: Some(name),
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

    /// The client machine inside.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The cost of the session so far.
    pub const fn statistics(&self) -> DeliveryStatistics {
        self.statistics
    }

    /// The number of times that the session waited for the server after it wrote something.
    pub const fn round_trips(&self) -> u32 {
        self.statistics.round_trips
    }

    /// Begins the next envelope, after [`Event::NeedEnvelope`] or
    /// [`defer_envelope`](Self::defer_envelope). Returns false, without effect, at any other time.
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

    /// Ends the session after [`Event::NeedEnvelope`] or [`Event::NeedAuthentication`]; at any
    /// other time it has no effect.
    pub fn quit(&mut self) {
        if self.takes_envelope() || self.stage == Stage::Authenticate {
            if let Some(written) = self.current.take() {
                self.old = Some(written);
            }
            self.stage = Stage::Quit;
        }
    }

    /// Answers [`Event::NeedEnvelope`] if there is no envelope yet. The event does not come again
    /// before an open envelope is finished; until then the caller may call
    /// [`envelope`](Self::envelope) or [`quit`](Self::quit) at any time.
    pub const fn defer_envelope(&mut self) {
        self.later = true;
    }

    /// Tells the machine that this connection cannot begin TLS: it sends no STARTTLS, as under
    /// [`TlsPolicy::Forbid`]. Returns false, without effect, if the policy is
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

    /// Gives the session up, for example after a timeout; every recipient without an outcome is
    /// reported as unanswered.
    pub const fn abort(&mut self) {
        self.client.abort();
    }

    /// The next event of `input`, which holds all unread bytes.
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

    /// Returns `true` if the machine has a request for the caller.
    pub(super) fn asks(&self) -> bool {
        self.is_open()
            && match self.stage {
                Stage::Authenticate => true,
                Stage::Idle | Stage::Ended => !self.later && self.takes_envelope(),
                Stage::Content => self.takes_content(),
                _ => false,
            }
    }

    pub(super) fn takes_envelope(&self) -> bool {
        match self.stage {
            Stage::Idle => self.old.is_none() || self.config.overlap,
            Stage::Ended => self.config.overlap && self.old.is_none() && self.is_behind_safe(),
            _ => false,
        }
    }

    /// Returns `true` if MAIL may follow the content that is written.
    fn is_behind_safe(&self) -> bool {
        let is_over = |current: &Transaction<'_>| {
            // If no recipient was accepted, a server may answer the end of the message and leave
            // the transaction open, so the next MAIL waits for that answer.
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

    /// Returns `true` if the session may send bytes.
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

    fn is_over(&self) -> bool {
        let has_open = self.old.is_some() || self.current.is_some();
        !has_open && !self.due.is_any() && Machine::is_over(&self.client)
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

/// The cost of a session so far.
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
    /// The number of times that it waited for the server after it wrote something.
    pub round_trips: u32,
    /// The envelopes that the caller gave since the session was [idle](Delivery::into_idle).
    pub envelopes: u32,
    /// MAIL commands that were sent.
    pub transactions: u32,
}

impl DeliveryStatistics {
    pub(super) const NONE: Self = Self { round_trips: 0, envelopes: 0, transactions: 0 };
}

/// The next item to send or to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for the greeting.
    Greeting,
    /// Sends EHLO or LHLO.
    Hello,
    /// Sends HELO.
    Helo,
    /// Sends STARTTLS.
    StartTls,
    /// Waits for the caller's handshake.
    Handshake,
    /// Waits for a mechanism from the caller.
    Authenticate,
    /// Waits for replies, or within AUTH for the caller.
    Replies,
    /// Waits for an envelope from the caller; only the reply to an old one may be due.
    Idle,
    /// Sends MAIL.
    Mail,
    /// Sends RCPT.
    Rcpt,
    /// Sends DATA, or waits until BDAT may be sent.
    Transfer,
    /// Waits for content from the caller.
    Content,
    /// Sends the last chunk, which is empty.
    LastChunk,
    /// Sends the end of a message that has no recipient.
    LoneDot,
    /// The content is written: waits for its reply, or for the next envelope.
    Ended,
    /// Waits for the last replies of a failed transaction.
    Failed,
    /// Sends RSET.
    Rset,
    /// Sends NOOP.
    Noop,
    /// Sends QUIT.
    Quit,
}
