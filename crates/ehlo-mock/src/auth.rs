//! Who may authenticate, and one attempt to.

use std::io;

use ehlo::Server;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{Mechanisms, Response, SaslData, SaslMechanism};
use ehlo_io::Responder;
use ehlo_sasl::{AnyServer, Credentials, Proof, ServerExchange, ServerStep};

/// The users of a server.
#[derive(Default)]
pub(crate) struct Users(pub(crate) Vec<(String, Secret)>);

pub(crate) enum Secret {
    Password(String),
    Token(String),
}

impl Users {
    /// The mechanisms by which they can authenticate.
    pub(crate) fn mechanisms(&self) -> Mechanisms {
        let mut all = Mechanisms::NONE;
        for (_, secret) in &self.0 {
            all = match secret {
                Secret::Password(_) => all.with(SaslMechanism::Plain).with(SaslMechanism::Login),
                Secret::Token(_) => {
                    all.with(SaslMechanism::Xoauth2).with(SaslMechanism::OauthBearer)
                }
            };
        }
        all
    }

    /// The user whose credentials these are.
    fn find(&self, claim: &Credentials<'_>) -> Option<&str> {
        let is_right = |(name, secret): &&(String, Secret)| match (secret, claim.proof()) {
            (Secret::Password(password), Proof::Password(given)) => {
                password == given
                    && claim.authentication() == Some(name)
                    && !claim.acts_for_another()
            }
            // OAUTHBEARER has the name in the place of the one who is acted for.
            (Secret::Token(token), Proof::Token(given)) => {
                let claimed = claim.authentication().or(claim.authorization());
                token == given && claimed == Some(name)
            }
            _ => false,
        };
        self.0.iter().find(is_right).map(|(name, _)| name.as_str())
    }
}

/// An attempt that goes on for as long as challenges are sent.
pub(crate) struct Attempt(ServerExchange<AnyServer>);

/// What a client says in an attempt.
pub(crate) enum Said<'c> {
    Initial(Option<&'c SaslData<'c>>),
    Response(&'c Response<'c>),
}

impl Attempt {
    /// An attempt by this mechanism, if it is one that a mock knows.
    pub(crate) fn new(mechanism: &Mechanism<'_>) -> Option<Self> {
        mechanism.known().and_then(AnyServer::new).map(ServerExchange::new).map(Self)
    }

    /// Answers AUTH, or a response within it; returns the user once the client is authenticated.
    pub(crate) fn answer(
        &mut self,
        said: &Said<'_>,
        users: &Users,
        responder: Responder<'_, Server>,
    ) -> io::Result<Option<String>> {
        let mut buffer = vec![0; ServerExchange::<AnyServer>::BUFFER];
        let mut user = None;
        let mut step = match said {
            Said::Initial(initial) => self.0.start(*initial, &mut buffer),
            Said::Response(response) => self.0.receive(response, &mut buffer),
        };
        loop {
            step = match step {
                ServerStep::Challenge(data) => {
                    responder.challenge(&data)?;
                    return Ok(None);
                }
                ServerStep::Reply(reply) => {
                    responder.reply(&reply)?;
                    return Ok(user.filter(|_| reply.code().is_positive()));
                }
                ServerStep::Verify(claim) => {
                    user = users.find(&claim).map(str::to_owned);
                    match user {
                        Some(_) => self.0.accept_authorization(&mut buffer),
                        None => self.0.refuse(&mut buffer),
                    }
                }
                // No mechanism that is offered asks for one.
                ServerStep::Secret(_) => self.0.secret(None, &mut buffer),
            }
        }
    }
}
