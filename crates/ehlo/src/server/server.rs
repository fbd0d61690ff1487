//! The server machine: its state, and the calls of an application.

use core::time::Duration;

use super::config::ServerConfig;
use super::domains::Domains;
use super::event::{Event, Reason};
use crate::data::{Before, DataDecoder};
use crate::machine::{Expects, Machine, PlaintextInjection, Received, Upgrade, Wants};
use crate::session::{self, State};
use crate::syntax::capability::Capabilities;
use crate::syntax::code::Code;
use crate::syntax::command::Verb;
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::sasl::Mechanisms;

/// A server's half of an SMTP, submission or LMTP session.
///
/// Each call takes all input that is unread and returns one [`Event`]; the application answers with a
/// [`Reply`](crate::Reply). The machine holds no buffer, no allocation and no lifetime.
///
/// ```
/// use ehlo::{Code, Command, Reply, Server, ServerConfig, server::Event};
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// let mut out = [0; 256];
/// let n = server.reply(&Reply::new(Code::SERVICE_READY, "mx.example"), &mut out)?;
/// assert_eq!(&out[..n], b"220 mx.example\r\n");
///
/// let received = server.receive(b"HELO client.example\r\nMAIL FR");
/// assert_eq!(received.consumed, 21);
/// assert!(matches!(received.event, Event::Command(Command::Helo(_))));
/// let n = server.reply(&server.standard_reply("mx.example"), &mut out)?;
/// assert_eq!(&out[..n], b"250 mx.example\r\n");
/// assert!(matches!(server.receive(b"MAIL FR").event, Event::NeedInput));
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) config: ServerConfig,
    pub(super) state: State,
    pub(super) pending: Option<Pending>,
    pub(super) transaction: Transaction,
    pub(super) reading: Reading,
    /// Bytes of the unread input that were searched for the end of the line without finding it, or
    /// that make up the next item of `receive`; never more than the longest line.
    pub(super) scanned: u32,
    /// `receive` returns an event without looking at more input.
    pub(super) ready: bool,
    /// The length of the unread input after one more byte of the line that has begun, if only its end
    /// or its length can make an event; 0 otherwise.
    pub(super) longer: u16,
    /// The verdict on the mail data that is skipped.
    pub(super) verdict: Option<Reason>,
    /// MAIL commands that were answered.
    pub(super) messages: u32,
    /// Commands that were answered with an error since the last message.
    pub(super) errors: u16,
    /// Commands that carry no mail forward since the last message.
    pub(super) idle: u16,
    /// Lines that are no known command since the last message.
    pub(super) unknown: u16,
    pub(super) facts: Facts,
    /// The domains of recipients.
    pub(super) domains: Domains,
}

impl Server {
    /// A server at the start of a connection, before its greeting.
    pub const fn new(config: ServerConfig) -> Self {
        Self {
            config,
            state: State::Greeting,
            pending: Some(Pending { verb: Verb::Greeting, marks: 0, refused: None, owed: 1 }),
            transaction: Transaction::NONE,
            reading: Reading::Line,
            scanned: 0,
            ready: false,
            longer: 0,
            verdict: None,
            messages: 0,
            errors: 0,
            idle: 0,
            unknown: 0,
            facts: if config.implicit_tls { Facts::NONE.with(Facts::TLS) } else { Facts::NONE },
            domains: Domains::NONE,
        }
    }

    /// The state of the session.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The verb of the command that awaits its reply.
    pub const fn pending(&self) -> Option<Verb> {
        match self.pending {
            Some(pending) => Some(pending.verb),
            None => None,
        }
    }

    /// The connection is inside TLS.
    pub const fn is_tls(&self) -> bool {
        self.facts.has(Facts::TLS)
    }

    /// The client has authenticated, or [counts](Self::assume_authenticated) as one that has.
    pub const fn is_authenticated(&self) -> bool {
        self.facts.has(Facts::AUTHENTICATED)
    }

    /// The client greeted with EHLO or LHLO: extensions are in force.
    pub const fn is_extended(&self) -> bool {
        self.facts.has(Facts::EXTENDED)
    }

    /// The number of recipients accepted in the open mail transaction.
    pub const fn recipients(&self) -> u16 {
        self.transaction.recipients
    }

    /// The client sent input before the greeting was answered, although RFC 5321 §3.1 requires it
    /// to wait. The machine knows this only if the application passes early input to
    /// [`receive`](Self::receive) before it answers the greeting.
    pub const fn talked_early(&self) -> bool {
        self.facts.has(Facts::EARLY)
    }

    /// Refuses the next command with 421 and closes, RFC 5321 §3.8. If mail data has begun, the
    /// machine first takes and answers it.
    pub const fn shut_down(&mut self) {
        self.facts = self.facts.with(Facts::SHUTTING_DOWN);
    }

    /// Treats the client as authenticated without AUTH: a proxy named its user in XCLIENT, TLS
    /// verified its certificate, or its address is enough (RFC 6409 §4.3).
    ///
    /// An accepted XCLIENT takes this back, unless the call was made while that XCLIENT was pending.
    /// TLS takes it back, too.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    ///
    /// let mut server = Server::new(ServerConfig::SUBMISSION);
    /// server.assume_authenticated();
    /// assert!(server.is_authenticated());
    /// ```
    pub const fn assume_authenticated(&mut self) {
        self.facts = self.facts.with(Facts::AUTHENTICATED);
        self.mark(Pending::ASSUMED);
    }

    /// Replaces the offers of this session: [`ServerConfig::offered`] and those of earlier calls,
    /// private keywords included. From now on the machine accepts nothing else, and the next EHLO
    /// lists the new offers.
    ///
    /// Call it when the application learns more about the client, as after XCLIENT, TLS or AUTH:
    /// rights that depend on the client must then be decided again. The machine has a safe default:
    ///
    /// - The 220 to XCLIENT withdraws XCLIENT, XFORWARD and the [offers](crate::syntax::capability::Offers)
    ///   of the application, because the application trusted the proxy, not the client that the proxy
    ///   stated. An application that trusts the stated client too calls `offer` for it, while XCLIENT is
    ///   pending or after the reply.
    /// - TLS withdraws the same if `offer` was called before it, because what was learnt outside TLS is
    ///   forgotten, RFC 3207 §4.2. An application that keeps the offer calls `offer` when TLS is
    ///   established.
    ///
    /// ```
    /// use ehlo::{Extension, Server, ServerConfig};
    ///
    /// let for_all = ServerConfig::DEFAULT.offered;
    /// let for_proxies = for_all.with(Extension::Xclient);
    /// let mut server = Server::new(ServerConfig { offered: for_proxies, ..ServerConfig::DEFAULT });
    /// assert!(server.offered().contains(Extension::Xclient));
    /// server.offer(for_all);
    /// assert!(!server.offered().contains(Extension::Xclient));
    /// ```
    pub const fn offer(&mut self, offered: Capabilities) {
        self.config.offered = offered;
        self.facts = self.facts.with(Facts::REOFFERED);
        // The longest line may have changed.
        self.longer = 0;
        self.mark(Pending::OFFERED);
    }

    /// Takes back what hangs on trust in the client.
    pub(super) const fn withdraw_trusted(&mut self) {
        let offered = self.config.offered.without_offers();
        self.config.offered = offered.without(Extension::Xclient).without(Extension::Xforward);
    }

    /// Marks the pending command, if there is one.
    pub(super) const fn mark(&mut self, mark: u8) {
        if let Some(pending) = &mut self.pending {
            pending.marks |= mark;
        }
    }

    /// Offers AUTH with these mechanisms from the next EHLO on, in place of the configured ones. The
    /// mechanisms may depend on the connection: a mechanism with -PLUS needs TLS with channel binding,
    /// RFC 5802 §6.
    ///
    /// ```
    /// use ehlo::{Server, ServerConfig};
    /// use ehlo::syntax::capability::Capabilities;
    /// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
    ///
    /// let offered = Mechanisms::NONE.with(SaslMechanism::ScramSha256);
    /// let mut server = Server::new(ServerConfig {
    ///     offered: Capabilities::NONE.with_mechanisms(offered),
    ///     implicit_tls: true,
    ///     ..ServerConfig::DEFAULT
    /// });
    /// server.offer_mechanisms(offered.with(SaslMechanism::ScramSha256Plus));
    /// # let mut out = [0; 256];
    /// # server.reply(&server.standard_reply("mx.example"), &mut out)?;
    /// # server.receive(b"EHLO client.example\r\n");
    /// let n = server.reply(&server.standard_reply("mx.example"), &mut out)?;
    /// assert_eq!(&out[..n], b"250-mx.example\r\n250 AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256\r\n");
    /// # Ok::<(), ehlo::ReplyError>(())
    /// ```
    pub const fn offer_mechanisms(&mut self, mechanisms: Mechanisms) {
        self.config.offered = self.config.offered.with_mechanisms(mechanisms);
    }

    /// Continues the session inside TLS, RFC 3207 §4.2: the machine forgets what it learnt about
    /// the client, and the client begins again with EHLO. `leftover` is the input that was read
    /// before the handshake and that the machine has not consumed.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] if `leftover` is not empty, or if STARTTLS was not accepted: bytes sent in
    /// plaintext would count as bytes sent inside TLS. The session is then over. If they may be the
    /// first bytes of the handshake, pass them to TLS, and `leftover` is empty.
    pub fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        if self.state != State::Tls || !leftover.is_empty() {
            self.state = State::Closed;
            return Err(PlaintextInjection);
        }
        if self.facts.has(Facts::REOFFERED) {
            self.withdraw_trusted();
        }
        *self = Self {
            state: session::next(self.state, Verb::Handshake, Code::SERVICE_READY),
            pending: None,
            facts: self.facts.of(Facts::EARLY | Facts::SHUTTING_DOWN).with(Facts::TLS),
            domains: self.domains,
            messages: self.messages,
            errors: self.errors,
            idle: self.idle,
            unknown: self.unknown,
            ..Self::new(self.config)
        };
        Ok(())
    }
}

impl Machine for Server {
    type Event<'i> = Event<'i>;

    fn wants(&mut self, input: &[u8]) -> Wants {
        Self::wants(self, input)
    }

    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        Self::receive(self, input)
    }

    fn end_of_input(&mut self) {
        self.longer = 0;
        self.facts = self.facts.with(Facts::END_OF_INPUT);
    }

    fn is_at_end(&self) -> bool {
        matches!(self.state, State::Closed | State::Tls)
    }

    // RFC 5321 §4.5.3.2.7: "at least 5 minutes while it is awaiting the next command".
    fn timeout(&self) -> Duration {
        limits::COMMAND_TIMEOUT
    }

    fn expects(&self) -> Expects {
        match self.reading {
            Reading::Line if matches!(self.state, State::Data | State::Chunk) => Expects::Content,
            Reading::Line | Reading::LongLine { .. } => Expects::Command,
            Reading::Data(_) | Reading::Chunk(_) | Reading::LastChunk(_) => Expects::Content,
        }
    }

    fn is_secret(&self) -> bool {
        self.state == State::Auth || matches!(self.pending(), Some(Verb::Auth | Verb::AuthResponse))
    }
}

impl Upgrade for Server {
    fn awaits_tls(&self) -> bool {
        self.state == State::Tls
    }

    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        Self::tls_established(self, leftover)
    }
}

/// What is true of the session, one bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts(u8);

impl Facts {
    pub(super) const NONE: Self = Self(0);
    /// EHLO or LHLO was accepted, so extensions are in force.
    pub(super) const EXTENDED: u8 = 1;
    pub(super) const TLS: u8 = 2;
    pub(super) const AUTHENTICATED: u8 = 4;
    /// Input was there before the greeting was answered.
    pub(super) const EARLY: u8 = 8;
    pub(super) const END_OF_INPUT: u8 = 16;
    pub(super) const SHUTTING_DOWN: u8 = 32;
    /// What is offered is no longer what was configured.
    pub(super) const REOFFERED: u8 = 64;

    pub(super) const fn has(self, fact: u8) -> bool {
        self.0 & fact != 0
    }

    #[must_use]
    pub(super) const fn with(self, fact: u8) -> Self {
        Self(self.0 | fact)
    }

    #[must_use]
    pub(super) const fn without(self, fact: u8) -> Self {
        Self(self.0 & !fact)
    }

    /// Those of `facts`.
    const fn of(self, facts: u8) -> Self {
        Self(self.0 & facts)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) verb: Verb,
    /// The events since the command was reported, one bit each.
    pub(super) marks: u8,
    pub(super) refused: Option<Reason>,
    /// Replies that are due; more than one in LMTP only.
    pub(super) owed: u16,
}

impl Pending {
    /// The event that needs the reply was reported.
    pub(super) const ANNOUNCED: u8 = 1;
    /// The application has replaced the offers.
    pub(super) const OFFERED: u8 = 2;
    /// The application treats the client as authenticated.
    pub(super) const ASSUMED: u8 = 4;
    /// The session must end with the reply: the input behind it cannot be read.
    pub(super) const FATAL: u8 = 8;

    pub(super) const fn has(self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    /// A recipient over a limit.
    pub(super) const fn is_surplus(self) -> bool {
        matches!(self.refused, Some(Reason::TooManyRecipients | Reason::TooManyDomains))
    }
}

/// The data of the open mail transaction; cleared as one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    /// The bytes of mail data reported; after a refusal of content in chunks, the place of the
    /// error.
    pub(super) size: u64,
    /// RCPT commands that were answered, and those over the limit.
    pub(super) commands: u16,
    /// Recipients that were accepted.
    pub(super) recipients: u16,
    /// Bytes of the line in which the last chunk ended.
    pub(super) line: u16,
    /// The state before the next chunk; `None` for content without lines, BODY=BINARYMIME.
    pub(super) before: Option<Before>,
    pub(super) smtputf8: bool,
}

impl Transaction {
    pub(super) const NONE: Self = Self {
        size: 0,
        commands: 0,
        recipients: 0,
        line: 0,
        before: Some(Before::Start),
        smtputf8: false,
    };

    pub(super) const fn is_binary(&self) -> bool {
        self.before.is_none()
    }
}

/// The way in which the next bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A command line, or a line of an AUTH exchange.
    Line,
    /// The rest of a line that is too long; its last byte so far, and the number of bytes that may
    /// be skipped before the last one.
    LongLine { last: u8, more: u32 },
    /// Mail data, up to the line with a single dot.
    Data(DataDecoder),
    /// A chunk with this many bytes to come.
    Chunk(u64),
    /// The last chunk, with this many bytes to come.
    LastChunk(u64),
}

impl Reading {
    pub(super) const fn chunk(left: u64, last: bool) -> Self {
        if last { Self::LastChunk(left) } else { Self::Chunk(left) }
    }
}

const _: () = assert!(size_of::<Server>() <= 168);
