//! The part of the session before the first envelope: greeting, EHLO, TLS, AUTH.

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
    /// Continues the session inside TLS after [`Event::StartTls`]: EHLO follows, and earlier
    /// replies count no more. `leftover` is the input that was read before the handshake and that
    /// the machine has not consumed.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] if `leftover` is not empty, or if STARTTLS was not accepted; the
    /// session is then over.
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

    /// Reports that the handshake after [`Event::StartTls`] failed: the connection is unusable. At
    /// any other time the call has no effect.
    pub const fn tls_failed(&mut self) {
        if matches!(self.client.state(), State::Tls) {
            self.client.abort();
            self.due.unusable = Some(UnusableSession::TlsFailed);
        }
    }

    /// Writes `command`, which must be AUTH, into `out` after [`Event::NeedAuthentication`], and
    /// returns its length in bytes.
    ///
    /// The reply comes as [`Event::Challenge`], or ends the attempt: see [`Event::authentication`].
    /// If the server does not prove its identity, or sends 235 before the mechanism is done, call
    /// [`server_not_authentic`](Self::server_not_authentic): it gets no mail. After a mechanism
    /// that the server refuses (504, 534) or that the application cancels,
    /// [`Event::NeedAuthentication`] offers the mechanisms that are left: inside TLS all of them,
    /// outside TLS the stronger ones, by the order of [`SaslMechanism::ALL`]. A refused password
    /// (535) is not tried again.
    ///
    /// # Errors
    ///
    /// Those of [`Client::send`](crate::Client::send).
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
        // RFC 4954 §4: if the server refuses the mechanism, the client may try another one. Outside
        // TLS an attacker on the path may have forged the refusal, to obtain a weaker mechanism.
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
    /// After [`Response::Cancel`] the client may try another mechanism.
    ///
    /// # Errors
    ///
    /// Those of [`Client::respond`](crate::Client::respond).
    pub fn respond(&mut self, response: &Response<'_>, out: &mut [u8]) -> Result<usize, SendError> {
        let written = self.client.respond(response, out)?;
        self.written = true;
        Ok(written)
    }

    /// Declares that the application can use none of the mechanisms: the session continues without
    /// authentication, or ends if authentication is required. It has an effect only after
    /// [`Event::NeedAuthentication`].
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
    /// [`AuthPolicy::Optional`]. An application with credentials calls it before the session
    /// begins, so that no mail is sent without them. Between two envelopes, a session without
    /// authentication then asks for it.
    ///
    /// Returns false, without effect, when it is too late: an envelope is open in a session that is
    /// not authenticated.
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

    /// Reports that the server did not prove its identity as the mechanism requires: its signature
    /// in SCRAM is wrong, or it sent 235 before the signature. The session is over, and nothing
    /// more is sent.
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

    /// Handles the reply to EHLO, HELO or LHLO.
    pub(super) fn hello<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        if is_completion(&reply) {
            self.secure();
            return Event::Reply { to, reply };
        }
        // RFC 5321 §3.2 lets the client fall back to HELO if the server does not recognise EHLO.
        // Servers use many codes for that, so any 5yz counts.
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

    /// Returns `true` if the policy needs STARTTLS or AUTH, so that a session without extensions
    /// sends no envelope.
    fn needs_extension(&self) -> bool {
        (self.config.tls == TlsPolicy::Require && !self.client.is_tls())
            || self.config.auth == AuthPolicy::Require
    }

    /// Handles a connection that the server closed before it answered EHLO.
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

    /// Handles the reply to STARTTLS, unless it begins TLS.
    pub(super) fn no_tls<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let to = Verb::StartTls;
        if self.config.tls == TlsPolicy::Require {
            self.give_up(UnusableSession::TlsRefused);
            return Event::Refused { part: None, to, reply };
        }
        self.identify();
        Event::Reply { to, reply }
    }

    pub(super) fn identify(&mut self) {
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

    /// Handles a reply within AUTH.
    pub(super) fn authentication<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let other = Event::Reply { to, reply };
        if self.client.state() == State::Auth {
            return Event::Challenge(reply);
        }
        if self.client.is_authenticated() {
            self.idle();
            return other;
        }
        // RFC 4954 §4 and §6: 504 and 534 concern the mechanism, not the credentials; 501 also
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

    /// Waits for an envelope, if the server takes another one.
    pub(super) fn idle(&mut self) {
        if self.is_mail_max() {
            self.give_up(UnusableSession::MailMax);
        } else {
            self.stage = Stage::Idle;
        }
    }
}
