//! EXTERNAL, RFC 4422 appendix A.

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, decoded, text};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A client of EXTERNAL, RFC 4422 appendix A: the layer below says who it is.
///
/// ```
/// use ehlo_sasl::{ClientExchange, Credentials, ExternalClient};
/// use ehlo::Encode;
///
/// let client = ExternalClient::new(&Credentials::external()).unwrap();
/// let mut out = [0; 64];
/// let n = ClientExchange::new(client).start(&mut [])?.encode(&mut out)?;
/// assert_eq!(&out[..n], b"AUTH EXTERNAL =\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExternalClient<'a> {
    credentials: Credentials<'a>,
    sent: bool,
}

impl<'a> ExternalClient<'a> {
    /// A client that is [external](Credentials::external), perhaps acting for another; none for
    /// other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        let usable = credentials.mechanisms().contains(SaslMechanism::External);
        usable.then_some(Self { credentials: *credentials, sent: false })
    }
}

impl ClientMechanism for ExternalClient<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::External.into()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        self.sent = true;
        let authorization = self.credentials.authorization().unwrap_or_default();
        written(buffer, |writer| writer.put(authorization.as_bytes())).map(Some)
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

/// A server of EXTERNAL, RFC 4422 appendix A. It asks for a verdict on [`Proof::External`]: who is
/// the client by the layer below, and may it act for the identity it names, if it names one?
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{ExternalServer, ServerExchange, ServerStep};
///
/// let (mut exchange, mut buffer) = (ServerExchange::new(ExternalServer::new()), [0; 1024]);
/// let named = SaslData::new(b"anna");
/// let ServerStep::Verify(credentials) = exchange.start(Some(&named), &mut buffer) else { panic!() };
/// assert_eq!((credentials.authentication(), credentials.identity()), (None, Some("anna")));
/// // The certificate is one of anna's.
/// let ServerStep::Reply(reply) = exchange.accept_authorization(&mut buffer) else { panic!() };
/// assert_eq!(reply.code(), ehlo::Code::AUTHENTICATION_SUCCEEDED);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExternalServer(());

impl ExternalServer {
    /// A server that has not heard anything.
    pub const fn new() -> Self {
        Self(())
    }
}

impl ServerMechanism for ExternalServer {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let Some(message) = message else { return Ok(ServerTurn::Challenge(b"")) };
        // RFC 4422 appendix A.1: `authz-id-string = *( UTF8-char-no-nul )`.
        let authorization = text(decoded(message, buffer)?)?;
        if authorization.contains('\0') {
            return Err(MALFORMED);
        }
        let authorization = Some(authorization).filter(|identity| !identity.is_empty());
        Ok(ServerTurn::Verify(Credentials::received(None, authorization, Proof::External)))
    }
}
