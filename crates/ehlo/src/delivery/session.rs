//! The part of the conversation before the first envelope: greeting, EHLO, TLS, AUTH.

use crate::client::error::SendError;
use crate::delivery::config::{AuthPolicy, HelloPolicy, TlsPolicy};
use crate::delivery::delivery::{Delivery, Stage};
use crate::delivery::event::{Event, UnusableSession};
use crate::delivery::transaction::is_completion;
use crate::machine::PlaintextInjection;
use crate::session::State;
use crate::syntax::code::Severity;
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::extension::Extension;
use crate::syntax::reply::Reply;
use crate::syntax::sasl::Response;
use crate::syntax::sasl::{Mechanisms, SaslMechanism};

impl Delivery<'_> {
    /// TLS is established, as [`Event::StartTls`] asked: EHLO follows, as if nothing had been said
    /// before. `leftover` is what was read and not yet taken by the machine before the handshake.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] when there is any, or when STARTTLS was not accepted; the session is then over.
    pub fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection> {
        let established = self.client.tls_established(leftover);
        match established {
            Ok(()) => self.stage = Stage::Hello,
            Err(PlaintextInjection) => {
                self.due.unusable = Some(UnusableSession::PlaintextInjection);
            }
        }
        established
    }

    /// The handshake that [`Event::StartTls`] asked for failed: the connection is of no use. At any
    /// other time it has no effect.
    pub const fn tls_failed(&mut self) {
        if matches!(self.client.state(), State::Tls) {
            self.client.abort();
            self.due.unusable = Some(UnusableSession::TlsFailed);
        }
    }

    /// Writes `command`, which must be AUTH, into `out`, when [`Event::NeedAuthentication`] asks, and
    /// returns its length in bytes.
    ///
    /// The reply comes as [`Event::Challenge`], or ends the attempt: see
    /// [`Event::authentication`]. A server that has not proven itself, or says 235 before the mechanism
    /// is done, gets no mail: [`server_not_authentic`](Self::server_not_authentic). A mechanism that the
    /// server does not take (504, 534), and one that the application cancels, is followed by another
    /// [`Event::NeedAuthentication`] for those that are left: inside TLS any, outside it those that are
    /// stronger, by the order of [`SaslMechanism::ALL`]. A password that is refused (535) is not tried
    /// again.
    ///
    /// # Errors
    ///
    /// [`SendError`], as of [`Client::send`](crate::Client::send).
    pub fn authenticate(
        &mut self,
        command: &Command<'_>,
        out: &mut [u8],
    ) -> Result<usize, SendError> {
        let Command::Auth { mechanism, .. } = command else {
            let (state, verb) = (self.client.state(), command.verb());
            return Err(SendError::OutOfState { state, verb });
        };
        if self.stage != Stage::Authenticate {
            return Err(SendError::OutOfState { state: self.client.state(), verb: Verb::Auth });
        }
        let written = self.client.send(command, out)?;
        self.written = true;
        // RFC 4954 §4: where the server does not take the mechanism, another may be tried. Outside TLS
        // somebody on the way may have said so, to get a weaker one.
        let known = SaslMechanism::from_name(mechanism.as_str().as_bytes());
        let is_left = |other: SaslMechanism| match known {
            Some(known) => other != known && (self.client.is_tls() || other < known),
            None => self.client.is_tls(),
        };
        let left = self.mechanisms.iter().filter(|other| is_left(*other));
        self.mechanisms = left.fold(Mechanisms::NONE, Mechanisms::with);
        self.has_tried_auth = true;
        self.stage = Stage::Replies;
        Ok(written)
    }

    /// Writes the response to an [`Event::Challenge`] into `out` and returns its length in bytes.
    /// After [`Response::Cancel`] another mechanism may be tried.
    ///
    /// # Errors
    ///
    /// [`SendError`], as of [`Client::respond`](crate::Client::respond).
    pub fn respond(&mut self, response: &Response<'_>, out: &mut [u8]) -> Result<usize, SendError> {
        let written = self.client.respond(response, out)?;
        self.written = true;
        Ok(written)
    }

    /// The application can use none of the mechanisms: the session goes on without authentication, or
    /// where it is required ends. Has an effect only when [`Event::NeedAuthentication`] asks.
    pub fn skip_authentication(&mut self) {
        if self.stage == Stage::Authenticate {
            self.unauthenticated(if self.has_tried_auth {
                UnusableSession::NotAuthenticated
            } else {
                UnusableSession::AuthNotOffered
            });
        }
    }

    /// Requires authentication, as by [`AuthPolicy::Require`], unless the policy is
    /// [`AuthPolicy::Optional`]. An application that has credentials calls it before the session has
    /// begun, so that no mail goes without them. Between two envelopes a session that was begun
    /// without authentication asks for it now.
    ///
    /// Returns false, and changes nothing, when it is too late: an envelope is open in a session
    /// that is not authenticated.
    ///
    /// ```
    /// use ehlo::delivery::{Event, UnusableSession};
    /// use ehlo::machine::Machine;
    /// use ehlo::{Delivery, DeliveryConfig, HeloName};
    ///
    /// let name = HeloName::new("client.example")?;
    /// let mut delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
    /// assert!(delivery.require_authentication());
    /// delivery.receive(b"220 mx.example ESMTP\r\n");
    /// delivery.transmit(&mut [0; 64])?;
    /// delivery.receive(b"250 mx.example\r\n");
    /// let unusable = Event::Unusable(UnusableSession::AuthNotOffered);
    /// assert_eq!(delivery.receive(b"").event, unusable);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn require_authentication(&mut self) -> bool {
        if self.old.is_some() || self.current.is_some() {
            return self.client.is_authenticated();
        }
        if self.config.auth == AuthPolicy::Never {
            self.config.auth = AuthPolicy::Require;
            if self.stage == Stage::Idle && !self.client.is_authenticated() {
                self.identify();
            }
        }
        true
    }

    /// The server has not proven itself, as the mechanism asks of it: its signature in SCRAM is wrong,
    /// or it said 235 before that. The session is over, and nothing more is sent.
    pub const fn server_not_authentic(&mut self) {
        if !matches!(self.client.state(), State::Closed) {
            self.client.abort();
            self.due.unusable = Some(UnusableSession::ServerNotAuthentic);
        }
    }

    pub(super) fn greeted(&mut self) {
        self.stage = match self.config.hello {
            HelloPolicy::HeloOnly | HelloPolicy::HeloFirst if !self.config.lmtp => Stage::Helo,
            _ => Stage::Hello,
        };
    }

    /// The reply to the greeting command.
    pub(super) fn hello<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        if is_completion(&reply) {
            self.secure();
            return Event::Reply { to, reply };
        }
        // RFC 5321 §3.2 has the client fall back to HELO where EHLO is not recognised. Servers say so by
        // codes of all kinds, so any 5yz counts.
        let is_refused = reply.severity() == Severity::PermanentNegative;
        let hello = self.config.hello;
        if to == Verb::Ehlo && is_refused {
            let helo_is_next = !matches!(hello, HelloPolicy::EhloOnly | HelloPolicy::HeloFirst);
            if helo_is_next && !self.needs_extension() {
                self.stage = Stage::Helo;
                return Event::Reply { to, reply };
            }
            self.due.unusable = Some(UnusableSession::EhloRefused);
        }
        if to == Verb::Helo && is_refused && hello == HelloPolicy::HeloFirst {
            self.stage = Stage::Hello;
            return Event::Reply { to, reply };
        }
        self.stage = Stage::Quit;
        Event::Refused { part: None, to, reply }
    }

    /// Whether no envelope is sent in a session without extensions, which has neither STARTTLS nor
    /// AUTH.
    fn needs_extension(&self) -> bool {
        (self.config.tls == TlsPolicy::Require && !self.client.is_tls())
            || self.config.auth == AuthPolicy::Require
    }

    /// The connection was closed before EHLO was answered.
    pub(super) fn unanswered_hello(&mut self) {
        let is_useful = !self.client.is_tls() && !self.needs_extension();
        if self.config.hello == HelloPolicy::Reconnect && is_useful {
            self.due.unusable = Some(UnusableSession::EhloClosed);
        }
    }

    /// RFC 3207 §4: TLS comes before AUTH and MAIL.
    fn secure(&mut self) {
        let offered = self.client.capabilities().contains(Extension::StartTls);
        match self.config.tls {
            _ if self.client.is_tls() => self.identify(),
            TlsPolicy::Opportunistic | TlsPolicy::Require if offered => {
                self.stage = Stage::StartTls;
            }
            TlsPolicy::Require => self.give_up(UnusableSession::TlsNotOffered),
            TlsPolicy::Forbid | TlsPolicy::Opportunistic => self.identify(),
        }
    }

    /// The reply to STARTTLS, unless it leads to TLS.
    pub(super) fn no_tls<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let to = Verb::StartTls;
        if self.config.tls == TlsPolicy::Require {
            self.give_up(UnusableSession::TlsRefused);
            return Event::Refused { part: None, to, reply };
        }
        self.identify();
        Event::Reply { to, reply }
    }

    fn identify(&mut self) {
        if self.config.auth == AuthPolicy::Never {
            return self.idle();
        }
        self.mechanisms = self.client.capabilities().mechanisms();
        // RFC 4954 §4: no plaintext mechanism without TLS.
        if !self.may_show_password() {
            self.mechanisms = self.mechanisms.difference(Mechanisms::NEED_TLS);
        }
        if self.mechanisms.is_empty() {
            self.unauthenticated(UnusableSession::AuthNotOffered);
        } else {
            self.stage = Stage::Authenticate;
        }
    }

    fn may_show_password(&self) -> bool {
        self.client.is_tls() || self.config.plaintext_auth
    }

    /// A reply within AUTH.
    pub(super) fn authentication<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let other = Event::Reply { to, reply };
        if self.client.state() == State::Auth {
            return Event::Challenge(reply);
        }
        if self.client.is_authenticated() {
            self.idle();
            return other;
        }
        // RFC 4954 §4 and §6: 504 and 534 speak of the mechanism, not of the credentials; 501 also
        // answers a client that cancels.
        let other_may_do = matches!(reply.code().number(), 501 | 504 | 524 | 534 | 538);
        if other_may_do && !self.mechanisms.is_empty() {
            self.stage = Stage::Authenticate;
            return other;
        }
        self.unauthenticated(UnusableSession::NotAuthenticated);
        match self.config.auth {
            AuthPolicy::Require => Event::Refused { part: None, to, reply },
            AuthPolicy::Never | AuthPolicy::Optional => other,
        }
    }

    fn unauthenticated(&mut self, why: UnusableSession) {
        match self.config.auth {
            AuthPolicy::Require => self.give_up(why),
            AuthPolicy::Never | AuthPolicy::Optional => self.idle(),
        }
    }

    fn give_up(&mut self, why: UnusableSession) {
        self.due.unusable = Some(why);
        self.stage = Stage::Quit;
    }

    /// Nothing is open: an envelope may come, if the server takes another one.
    pub(super) fn idle(&mut self) {
        if self.is_mail_max() {
            self.give_up(UnusableSession::MailMax);
        } else {
            self.stage = Stage::Idle;
        }
    }
}
