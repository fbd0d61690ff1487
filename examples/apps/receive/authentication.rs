//! One attempt of a client to authenticate, RFC 4954: the mechanism asks, the users answer.

use std::io;

use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{Code, Server};
use ehlo_io::Responder;
use ehlo_sasl::{
    AnyServer, ChannelBinding, CramMd5Server, ScramServer, ServerExchange, ServerStep,
};

use crate::tls::randomise;
use crate::users::{ITERATIONS, Users};

/// An attempt that goes on for as long as challenges are sent.
pub(crate) struct Attempt {
    pub(crate) mechanism: SaslMechanism,
    exchange: ServerExchange<AnyServer>,
    /// Whose attempt it is, once that is verified.
    pub(crate) user: Option<String>,
}

impl Attempt {
    /// An attempt by this mechanism, which was offered; `None` if it cannot be made now. `binding` is
    /// what both ends of the TLS connection know, and `host` the name of this server.
    pub(crate) fn new(
        mechanism: SaslMechanism,
        users: &Users,
        binding: Option<&[u8]>,
        host: &str,
    ) -> Option<Self> {
        let server = match AnyServer::new(mechanism) {
            Some(server) => server,
            None if mechanism == SaslMechanism::CramMd5 => {
                CramMd5Server::new(&unforeseen(host)?).ok()?.into()
            }
            None => {
                let binding = binding.and_then(|it| ChannelBinding::new("tls-exporter", it).ok());
                let server = ScramServer::new(mechanism, binding)?;
                server.with_decoy(users.decoy(), ITERATIONS).into()
            }
        };
        Some(Self { mechanism, exchange: ServerExchange::new(server), user: None })
    }

    /// Answers AUTH, or a response of the client to a challenge; returns the code of the answer, 334
    /// while the attempt goes on.
    pub(crate) fn answer(
        &mut self,
        said: &Said<'_>,
        users: &Users,
        answer: Responder<'_, Server>,
    ) -> io::Result<Code> {
        let (exchange, buffer) = (&mut self.exchange, &mut [0; BUFFER]);
        let mut step = match said {
            Said::Initial(data) => exchange.start(*data, buffer),
            Said::Response(response) => exchange.receive(response, buffer),
        };
        loop {
            step = match step {
                ServerStep::Challenge(data) => {
                    answer.challenge(&data)?;
                    return Ok(Code::AUTHENTICATION_CONTINUES);
                }
                ServerStep::Reply(reply) => {
                    answer.reply(&reply)?;
                    return Ok(reply.code());
                }
                ServerStep::Verify(claim) => {
                    self.user = users.verify(&claim).map(str::to_owned);
                    match self.user {
                        // No user acts for another here: OAUTHBEARER, which has no other place for
                        // the name, looks as if.
                        Some(_) => exchange.accept_authorization(buffer),
                        None => exchange.refuse(buffer),
                    }
                }
                ServerStep::Secret(name) => {
                    let secret = users.secret(self.mechanism, name);
                    exchange.secret(secret.as_ref(), buffer)
                }
            }
        }
    }
}

/// What a client says in an attempt.
pub(crate) enum Said<'c> {
    /// AUTH, with an initial response or without.
    Initial(Option<&'c SaslData<'c>>),
    /// What it says to a challenge.
    Response(&'c Response<'c>),
}

/// RFC 2195 §2: an unpredictable challenge, in the form of a Message-ID.
fn unforeseen(host: &str) -> Option<String> {
    let mut bytes = [0; 16];
    randomise(&mut bytes).ok()?;
    Some(format!("<{:032x}@{host}>", u128::from_be_bytes(bytes)))
}

/// Bytes of the longest message of a client.
const BUFFER: usize = ServerExchange::<AnyServer>::BUFFER;
