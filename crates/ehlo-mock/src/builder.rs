//! How a server is made.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ehlo::{Extension, ServerConfig};
use ehlo_owned::ForwardPathBuf;

use crate::action::{Action, Kind, Stage};
use crate::auth::{Secret, Users};
use crate::error::MockError;
use crate::mock::Mock;
use crate::rules::{Place, Rule, Rules};
use crate::server::MockServer;
use crate::shared::Shared;

/// Makes a server: from [`MockServer::smtp`], [`MockServer::submission`] or [`MockServer::lmtp`].
///
/// What is wrong with a rule is an error of [`start`](Self::start) and [`in_memory`](Self::in_memory).
///
/// ```
/// use ehlo_mock::{Action, MockServer, Stage};
///
/// let server = MockServer::submission()
///     .user("anna", "secret")
///     .refuse("nobody@example.org")
///     .at(Stage::Data, Action::reply("451 4.3.0 out of disk space")).times(2)
///     .start()?;
/// assert!(server.address().ip().is_loopback());
/// # Ok::<(), ehlo_mock::MockError>(())
/// ```
#[must_use]
pub struct MockBuilder {
    config: ServerConfig,
    users: Users,
    rules: Rules,
    #[cfg(feature = "rustls")]
    tls: bool,
    error: Option<MockError>,
}

impl MockServer {
    /// A server as the one that mail for a domain goes to, RFC 5321. It offers PIPELINING, 8BITMIME, SIZE,
    /// CHUNKING, SMTPUTF8, DSN and ENHANCEDSTATUSCODES.
    pub fn smtp() -> MockBuilder {
        MockBuilder::new(ServerConfig::DEFAULT)
    }

    /// The same for message submission, RFC 6409: clients must authenticate, so it needs a
    /// [`user`](MockBuilder::user) or a [`token`](MockBuilder::token).
    pub fn submission() -> MockBuilder {
        MockBuilder::new(ServerConfig::SUBMISSION)
    }

    /// The same for local delivery, RFC 2033: LHLO, and a reply for each recipient.
    pub fn lmtp() -> MockBuilder {
        MockBuilder::new(ServerConfig::LMTP)
    }
}

impl MockBuilder {
    fn new(config: ServerConfig) -> Self {
        let offered =
            config.offered.with(Extension::Chunking).with(Extension::SmtpUtf8).with(Extension::Dsn);
        // A rule may answer as no server should.
        let policy = config.policy.with_any_reply_code(true);
        Self {
            config: ServerConfig { offered, policy, ..config },
            users: Users::default(),
            rules: Rules::default(),
            #[cfg(feature = "rustls")]
            tls: false,
            error: None,
        }
    }

    /// Does this at a stage of every session. All delays of a stage are waited for, up to the first rule
    /// that answers or disconnects.
    pub fn at(self, stage: Stage, action: Action) -> Self {
        self.rule(Place::At(stage), action)
    }

    /// Does this at the RCPT of this recipient.
    pub fn to(self, recipient: &str, action: Action) -> Self {
        self.rule_for(recipient, Place::To, action)
    }

    /// Does this at the end of a message to this recipient; in LMTP for this recipient alone.
    pub fn message_to(self, recipient: &str, action: Action) -> Self {
        self.rule_for(recipient, Place::MessageTo, action)
    }

    /// Refuses this recipient: 550 5.1.1.
    pub fn refuse(self, recipient: &str) -> Self {
        self.to(recipient, Action::reply("550 5.1.1 no such user"))
    }

    /// Defers this recipient: 450 4.2.1.
    pub fn defer(self, recipient: &str) -> Self {
        self.to(recipient, Action::reply("450 4.2.1 try again later"))
    }

    /// Lets the rule that was added last apply so many times and no more, over all sessions.
    pub fn times(mut self, times: usize) -> Self {
        match self.rules.0.last_mut() {
            Some(rule) => rule.left = Some(times),
            None => self.error = self.error.or(Some(MockError::NoRule)),
        }
        self
    }

    /// Offers AUTH PLAIN and LOGIN to a user with a password: inside TLS, or anywhere when the server has
    /// no TLS.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.0.push((name.to_owned(), Secret::Password(password.to_owned())));
        self
    }

    /// Offers AUTH XOAUTH2 and OAUTHBEARER to a user with a token, as [`user`](Self::user).
    pub fn token(mut self, name: &str, token: &str) -> Self {
        self.users.0.push((name.to_owned(), Secret::Token(token.to_owned())));
        self
    }

    /// Offers STARTTLS, with the certificate of [`root_certificate`](crate::MockServer::root_certificate).
    #[cfg(feature = "rustls")]
    pub fn starttls(mut self) -> Self {
        self.tls = true;
        self.config.offered = self.config.offered.with(Extension::StartTls);
        self
    }

    /// Begins with TLS, RFC 8314, with the certificate of
    /// [`root_certificate`](crate::MockServer::root_certificate).
    #[cfg(feature = "rustls")]
    pub fn implicit_tls(mut self) -> Self {
        self.tls = true;
        self.config.implicit_tls = true;
        self
    }

    /// Changes what the server offers, requires and tolerates:
    ///
    /// ```
    /// use ehlo::Extension;
    /// use ehlo_mock::MockServer;
    ///
    /// let server = MockServer::smtp()
    ///     .user("anna", "secret")
    ///     .configure(|config| {
    ///         config.require_auth = true;
    ///         config.offered = config.offered.without(Extension::Pipelining).with_size(1000);
    ///     })
    ///     .start()?;
    /// # drop(server);
    /// # Ok::<(), ehlo_mock::MockError>(())
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Listens on a free port of 127.0.0.1. The server stops when it is dropped.
    ///
    /// # Errors
    ///
    /// [`MockError`].
    pub fn start(self) -> Result<MockServer, MockError> {
        self.start_on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Listens on this address: [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// [`MockError`].
    pub fn start_on(self, address: SocketAddr) -> Result<MockServer, MockError> {
        MockServer::start(self.finish()?, address)
    }

    /// Listens nowhere: [`Mock::connect`] gives connections in memory, which have no TLS.
    ///
    /// # Errors
    ///
    /// [`MockError`].
    pub fn in_memory(self) -> Result<Mock, MockError> {
        self.finish()
    }

    fn rule(mut self, place: Place, action: Action) -> Self {
        if let Kind::Reply(Err(error)) = &action.0 {
            self.error = self.error.or(Some(MockError::Reply(*error)));
        }
        self.rules.0.push(Rule { place, action, left: None });
        self
    }

    fn rule_for(
        mut self,
        recipient: &str,
        place: impl FnOnce(ForwardPathBuf) -> Place,
        action: Action,
    ) -> Self {
        match recipient.parse() {
            Ok(path) => self.rule(place(path), action),
            Err(error) => {
                let address = recipient.to_owned();
                self.error = self.error.or(Some(MockError::Address { address, error }));
                self
            }
        }
    }

    fn finish(mut self) -> Result<Mock, MockError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mechanisms = self.users.mechanisms();
        if !mechanisms.is_empty() {
            self.config.offered = self.config.offered.with_mechanisms(mechanisms);
        } else if self.config.require_auth {
            return Err(MockError::NoUser);
        }
        #[cfg(feature = "rustls")]
        let tls = self.tls;
        #[cfg(not(feature = "rustls"))]
        let tls = false;
        self.config.plaintext_auth |= !tls;
        self.config.check().map_err(MockError::CannotOffer)?;
        #[cfg_attr(not(feature = "rustls"), allow(unused_mut))]
        let mut shared = Shared::new(self.config, self.users, self.rules);
        #[cfg(feature = "rustls")]
        if tls {
            shared.tls = Some(crate::tls::Tls::new().map_err(MockError::Tls)?);
        }
        Ok(Mock(Arc::new(shared)))
    }
}

/// Without the passwords.
impl fmt::Debug for MockBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBuilder")
            .field("config", &self.config)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
