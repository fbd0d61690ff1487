//! The client machine.

use core::time::Duration;

use crate::client::config::ClientConfig;
use crate::client::domains::Domains;
use crate::client::event::Event;
use crate::client::flight::Flight;
use crate::data::DataEncoder;
use crate::machine::{Expects, Machine, PlaintextInjection, Received, Upgrade, Wants};
use crate::session::{self, State};
use crate::syntax::capability::Capabilities;
use crate::syntax::code::{Code, Severity};
use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxError;
use crate::syntax::limits;
use crate::syntax::parameter::Body;
use crate::syntax::reply::ReplyFrame;
use crate::syntax::reply::{Reply, ReplyLimits};

/// A client's half of an SMTP, submission or LMTP session.
///
/// It writes each command into the caller's slice, refuses commands that RFC 5321, RFC 2920 or the
/// server's extensions forbid, and matches replies to the commands in flight by counting alone.
///
/// ```
/// use ehlo::{Client, ClientConfig, Command};
/// use ehlo::client::Event;
/// use ehlo::syntax::command::Verb;
/// use ehlo::syntax::path::ClientName;
///
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// let received = client.receive(b"220 mx.example ESMTP\r\n");
/// assert!(matches!(received.event, Event::Reply { to: Verb::Greeting, .. }));
///
/// let mut out = [0; 512];
/// let n = client.send(&Command::Ehlo(ClientName::new("client.example")?), &mut out)?;
/// assert_eq!(&out[..n], b"EHLO client.example\r\n");
/// client.receive(b"250-mx.example\r\n250 PIPELINING\r\n");
/// assert!(client.capabilities().contains(ehlo::Extension::Pipelining));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) config: ClientConfig,
    /// The state after the replies so far.
    pub(super) state: State,
    /// The state if every command in flight succeeds.
    pub(super) assumed: State,
    pub(super) flight: Flight,
    pub(super) frame: ReplyFrame,
    pub(super) found: Found,
    pub(super) capabilities: Capabilities,
    /// The encoder of the open message: it stuffs dots after 354, but not in chunks.
    pub(super) encoder: DataEncoder,
    /// Mail data is being sent: 354 came, and the final dot was not sent.
    pub(super) sending: bool,
    /// The bytes of a chunk that are still to be sent.
    pub(super) chunk: u64,
    /// The chunk is the last of its message.
    pub(super) last_chunk: bool,
    /// Recipients that were accepted in the transaction to which the replies belong.
    pub(super) accepted: u32,
    /// The replies to the mail data that are still due, more than one in LMTP only.
    pub(super) owed: u32,
    pub(super) envelope: Envelope,
    pub(super) messages: u32,
    pub(super) domains: Domains,
    pub(super) lmtp: bool,
    pub(super) extended: bool,
    pub(super) tls: bool,
    pub(super) authenticated: bool,
    pub(super) out_of_step: bool,
    pub(super) end_of_input: bool,
}

impl Client {
    /// A client at the start of a connection, which waits for the greeting.
    pub fn new(config: ClientConfig) -> Self {
        let mut flight = Flight::EMPTY;
        flight.push(Verb::Greeting);
        Self {
            config,
            state: State::Greeting,
            assumed: State::Start,
            flight,
            frame: ReplyFrame::default(),
            found: Found::Nothing,
            capabilities: Capabilities::NONE,
            encoder: DataEncoder::without_dots(config.newlines),
            sending: false,
            chunk: 0,
            last_chunk: false,
            accepted: 0,
            owed: 0,
            envelope: Envelope::NONE,
            messages: 0,
            domains: Domains::NONE,
            lmtp: false,
            extended: false,
            tls: config.implicit_tls,
            authenticated: false,
            out_of_step: false,
            end_of_input: false,
        }
    }

    /// The state of the session after the replies so far.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The extensions in the server's last reply to EHLO or LHLO; [`Capabilities::NONE`] after
    /// HELO, STARTTLS or XCLIENT.
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The verb whose reply comes next.
    pub fn awaits(&self) -> Option<Verb> {
        self.flight.first()
    }

    /// The number of recipients that the server has accepted in the open mail transaction.
    pub const fn accepted(&self) -> u32 {
        self.accepted
    }

    /// The configuration.
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// The server was greeted with LHLO, RFC 2033: it answers the mail data once for each recipient.
    pub const fn is_lmtp(&self) -> bool {
        self.lmtp
    }

    /// MAIL commands that were sent in this session.
    pub(crate) const fn messages(&self) -> u32 {
        self.messages
    }

    /// The connection is inside TLS.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The server has accepted an authentication.
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The server accepted EHLO or LHLO: its extensions are in force.
    pub const fn is_extended(&self) -> bool {
        self.extended
    }

    /// Gives the session up, for example after a timeout: from now on replies would answer the
    /// wrong commands. Every command in flight is reported as unanswered.
    pub const fn abort(&mut self) {
        self.state = State::Closed;
    }

    /// Continues the session inside TLS, RFC 3207 §4.2: the machine forgets what the server said
    /// before, and EHLO must be sent again. `leftover` is the input that was read before the
    /// handshake and that the machine has not consumed.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] if `leftover` is not empty, or if STARTTLS was not accepted: bytes
    /// sent without TLS would count as replies inside TLS. The session is then over.
    pub fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        if self.state != State::Tls || !leftover.is_empty() {
            self.state = State::Closed;
            return Err(PlaintextInjection);
        }
        let state = session::next(self.state, Verb::Handshake, Code::SERVICE_READY);
        *self = Self {
            state,
            assumed: state,
            flight: Flight::EMPTY,
            tls: true,
            messages: self.messages,
            domains: self.domains,
            ..Self::new(self.config)
        };
        Ok(())
    }

    /// The next event of `input`, which holds all unread bytes.
    pub fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        match self.wants(input) {
            Wants::Event => self.event(input),
            Wants::Input { consumed } => Received { consumed, event: Event::NeedInput },
        }
    }

    fn wants(&mut self, input: &[u8]) -> Wants {
        if matches!(self.found, Found::Reply { .. })
            || matches!(self.state, State::Closed | State::Tls)
        {
            return Wants::Event;
        }
        self.note(input);
        let limits = self.reply_limits();
        match self.frame.advance(input, &limits, &self.config.policy) {
            Ok(Some(length)) => self.found = Found::Reply { length },
            Ok(None) if self.end_of_input => self.state = State::Closed,
            Ok(None) => return Wants::Input { consumed: 0 },
            Err(error) => {
                self.found = Found::Violation(error);
                self.state = State::Closed;
            }
        }
        Wants::Event
    }

    fn reply_limits(&self) -> ReplyLimits {
        let mut limits = self.config.reply;
        // RFC 4954 §4: a challenge may be longer than a line of another reply.
        if matches!(self.flight.first(), Some(Verb::Auth | Verb::AuthResponse)) {
            limits.line = limits.line.max(AUTH_LINE);
        }
        limits
    }

    fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        match core::mem::replace(&mut self.found, Found::Nothing) {
            Found::Violation(error) => {
                return Received { consumed: input.len(), event: Event::Violation(error) };
            }
            Found::Reply { length: consumed } => {
                self.frame = ReplyFrame::default();
                let (reply, behind) = input.split_at_checked(consumed).unwrap_or_default();
                let event = self.match_reply(Reply::framed(reply));
                self.note(behind);
                return Received { consumed, event };
            }
            Found::Nothing => {}
        }
        let event = match self.state {
            State::Tls => Event::StartTls,
            _ => match self.flight.pop() {
                Some(to) => Event::Unanswered { to },
                None => Event::Closed,
            },
        };
        Received { consumed: 0, event }
    }

    /// Checks for unread bytes while no reply is due: they answer no command. Without this check, a
    /// server that sends more replies than it owes is noticed only after the next command.
    pub(crate) fn note(&mut self, unread: &[u8]) {
        let open = !matches!(self.state, State::Closed | State::Tls);
        self.out_of_step |= open && !unread.is_empty() && self.flight.first().is_none();
    }

    // RFC 2920 §3.1: "Command statuses MUST be coordinated with responses by counting each separate
    // response and correlating that count with the number of commands known to have been issued."
    fn match_reply<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let Some(to) = self.flight.first() else {
            // Bytes behind it answer no command either, even if they have not arrived yet.
            self.state = State::Closed;
            return Event::Unsolicited(reply);
        };
        if !self.owes_more(to) {
            self.flight.pop();
        }
        self.apply(to, &reply);
        Event::Reply { to, reply }
    }

    /// RFC 2033 §4.2: the mail data gets one reply for each recipient that was accepted.
    fn owes_more(&mut self, to: Verb) -> bool {
        if !self.lmtp || !matches!(to, Verb::Message | Verb::BdatLast) {
            return false;
        }
        // After a failed chunk there is no recipient left.
        let recipients = if self.state == State::Failed { 1 } else { self.accepted.max(1) };
        let owed = if self.owed == 0 { recipients } else { self.owed };
        self.owed = owed - 1;
        self.owed > 0
    }

    fn apply(&mut self, to: Verb, reply: &Reply<'_>) {
        let code = reply.code();
        let severity = code.severity();
        self.state = session::next(self.state, to, code);
        match (to, severity) {
            (Verb::Ehlo | Verb::Lhlo, Severity::PositiveCompletion) => {
                self.capabilities = Capabilities::from_reply_with(reply, self.config.offers);
                self.extended = true;
                self.lmtp = to == Verb::Lhlo;
            }
            (Verb::Helo, Severity::PositiveCompletion) => {
                self.capabilities = Capabilities::NONE;
                self.extended = false;
            }
            (Verb::Xclient, Severity::PositiveCompletion) if self.state == State::Start => {
                self.authenticated = false;
                self.capabilities = Capabilities::NONE;
                self.extended = false;
            }
            // A refusal within a transaction, as after a refused RSET, changes nothing.
            (Verb::Mail, _) if code.is_positive() || !self.state.is_transaction() => {
                self.accepted = 0;
            }
            (Verb::Rcpt, Severity::PositiveCompletion) => self.accepted += 1,
            (Verb::Data, _) if self.state == State::Data => {
                self.encoder = DataEncoder::new(self.config.newlines);
                self.sending = true;
            }
            (Verb::Auth | Verb::AuthResponse, _) if code == Code::AUTHENTICATION_SUCCEEDED => {
                self.authenticated = true;
            }
            // RFC 5321 §3.1: a session begins with 220 or a refusal; a server that sends another
            // reply does not speak SMTP, or the connection is not at its beginning.
            (Verb::Greeting, _) if code.is_positive() && code != Code::SERVICE_READY => {
                self.state = State::Closed;
            }
            _ => {}
        }
        if code != session::success(to) {
            self.assumed = self
                .flight
                .verbs()
                .fold(self.state, |state, verb| session::next(state, verb, session::success(verb)));
        }
    }
}

impl Machine for Client {
    type Event<'i> = Event<'i>;

    fn wants(&mut self, input: &[u8]) -> Wants {
        Self::wants(self, input)
    }

    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        Self::receive(self, input)
    }

    fn end_of_input(&mut self) {
        self.end_of_input = true;
    }

    fn is_at_end(&self) -> bool {
        matches!(self.state, State::Closed | State::Tls)
    }

    fn is_over(&self) -> bool {
        self.state == State::Closed
            && matches!(self.found, Found::Nothing)
            && self.flight.first().is_none()
    }

    fn expects(&self) -> Expects {
        Expects::Reply
    }

    fn is_secret(&self) -> bool {
        self.state == State::Auth
            || matches!(self.flight.last(), Some(Verb::Auth | Verb::AuthResponse))
    }

    // RFC 5321 §4.5.3.2: a client "MUST use per-command timeouts rather than somehow trying to time
    // the entire mail transaction".
    fn timeout(&self) -> Duration {
        if self.sending || self.chunk > 0 {
            return limits::DATA_BLOCK_TIMEOUT;
        }
        match self.flight.first() {
            Some(Verb::Greeting) => limits::GREETING_TIMEOUT,
            Some(Verb::Rcpt) => limits::RCPT_TIMEOUT,
            Some(Verb::Data) => limits::DATA_TIMEOUT,
            Some(Verb::Message | Verb::Bdat | Verb::BdatLast | Verb::Burl | Verb::BurlLast) => {
                limits::MESSAGE_TIMEOUT
            }
            _ => limits::MAIL_TIMEOUT,
        }
    }
}

impl Upgrade for Client {
    fn awaits_tls(&self) -> bool {
        self.state == State::Tls
    }

    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        Self::tls_established(self, leftover)
    }
}

/// The commands sent of the current transaction, which may be ahead of the replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    pub(super) recipients: u32,
    pub(super) smtputf8: bool,
    pub(super) body: Body,
}

impl Envelope {
    pub(super) const NONE: Self = Self { recipients: 0, smtputf8: false, body: Body::SevenBit };
}

/// [`limits::AUTH_LINE`], which fits.
#[allow(clippy::cast_possible_truncation)]
const AUTH_LINE: u16 = limits::AUTH_LINE as u16;

/// The item at the front of the input that the application has not seen yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    Nothing,
    /// A whole reply of `length` bytes.
    Reply {
        length: usize,
    },
    /// Bytes that are not a reply.
    Violation(SyntaxError),
}

const _: () = assert!(AUTH_LINE as usize == limits::AUTH_LINE);
const _: () = assert!(size_of::<Client>() <= 296);
