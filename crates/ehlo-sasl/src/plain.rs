//! PLAIN, RFC 4616.

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, cut, decoded, text};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A client of PLAIN, RFC 4616: one message with the name and the password.
///
/// ```
/// use ehlo_sasl::{ClientExchange, Credentials, PlainClient};
/// use ehlo::Encode;
///
/// let test = Credentials::password("test", "1234")?.acting_for("test")?;
/// let mut exchange = ClientExchange::new(PlainClient::new(&test).unwrap());
/// let (mut buffer, mut out) = ([0; 256], [0; 256]);
/// let n = exchange.start(&mut buffer)?.encode(&mut out)?;
/// assert_eq!(&out[..n], b"AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlainClient<'a> {
    credentials: Credentials<'a>,
    sent: bool,
}

impl<'a> PlainClient<'a> {
    /// A client with this name and password; none for other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        let usable = credentials.mechanisms().contains(SaslMechanism::Plain);
        usable.then_some(Self { credentials: *credentials, sent: false })
    }
}

impl ClientMechanism for PlainClient<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::Plain.into()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        let Proof::Password(password) = self.credentials.proof() else {
            return Err(ClientFailure::Credentials);
        };
        self.sent = true;
        // RFC 4616 §2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.
        let message = written(buffer, |writer| {
            writer.put(self.credentials.authorization().unwrap_or_default().as_bytes());
            writer.put_octet(0);
            writer.put(self.credentials.authentication().unwrap_or_default().as_bytes());
            writer.put_octet(0);
            writer.put(password.as_bytes());
        })?;
        Ok(Some(message))
    }

    fn respond<'b>(
        &mut self,
        _challenge: &[u8],
        _buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        self.sent = false;
        Err(ClientFailure::Challenge)
    }

    fn is_done(&self) -> bool {
        self.sent
    }
}

/// A server of PLAIN, RFC 4616. It asks for a verdict on a [`Proof::Password`].
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{PlainServer, ServerExchange, ServerStep};
///
/// let (mut exchange, mut buffer) = (ServerExchange::new(PlainServer::new()), [0; 1024]);
/// // authzid, authcid and password: bob says that he may act for anna.
/// let message = SaslData::new(b"anna\0bob\0secret");
/// let ServerStep::Verify(bob) = exchange.start(Some(&message), &mut buffer) else { panic!() };
/// assert_eq!((bob.authentication(), bob.authorization()), (Some("bob"), Some("anna")));
/// // The password is right, but that does not make it true.
/// let ServerStep::Reply(reply) = exchange.accept(&mut buffer) else { panic!() };
/// assert_eq!(reply.code(), ehlo::Code::CREDENTIALS_INVALID);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PlainServer(());

impl PlainServer {
    /// A server that has not heard anything.
    pub const fn new() -> Self {
        Self(())
    }
}

impl ServerMechanism for PlainServer {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let Some(message) = message else { return Ok(ServerTurn::Challenge(b"")) };
        plain_message(decoded(message, buffer)?).map(ServerTurn::Verify)
    }
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd`, RFC 4616 §2, where each is `1*SAFE`.
fn plain_message(message: &[u8]) -> Result<Credentials<'_>, ServerFailure> {
    let (authorization, rest) = cut(message, 0).ok_or(MALFORMED)?;
    let (authentication, password) = cut(rest, 0).ok_or(MALFORMED)?;
    if authentication.is_empty() || password.is_empty() || password.contains(&0) {
        return Err(MALFORMED);
    }
    let authorization = if authorization.is_empty() { None } else { Some(text(authorization)?) };
    let password = Proof::Password(text(password)?);
    Ok(Credentials::received(Some(text(authentication)?), authorization, password))
}
