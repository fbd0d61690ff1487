//! EXTERNAL, RFC 4422 appendix A.

use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, ServerFailure, text};
use crate::single::{single_message_client, single_message_server};
use ehlo::syntax::Writer;

single_message_client! {
    /// A client of EXTERNAL, RFC 4422 appendix A: the lower layer, for example TLS, identifies it.
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
    ExternalClient: External
}

impl ExternalClient<'_> {
    fn write_message(&self, writer: &mut Writer<'_>) {
        writer.put(self.credentials.authorization().unwrap_or_default().as_bytes());
    }
}

single_message_server! {
    /// A server of EXTERNAL, RFC 4422 appendix A. It asks for a verdict on [`Proof::External`]: the
    /// application knows the client's identity from the lower layer, and decides whether the client
    /// may act for the identity in its message, if there is one.
    ///
    /// ```
    /// use ehlo::syntax::sasl::SaslData;
    /// use ehlo_sasl::{ExternalServer, ServerExchange, ServerStep};
    ///
    /// let (mut exchange, mut buffer) = (ServerExchange::new(ExternalServer::new()), [0; 1024]);
    /// let named = SaslData::new(b"anna");
    /// let step = exchange.start(Some(&named), &mut buffer);
    /// let ServerStep::Verify(credentials) = step else { panic!() };
    /// assert_eq!((credentials.authentication(), credentials.identity()), (None, Some("anna")));
    /// // The certificate is one of anna's.
    /// let ServerStep::Reply(reply) = exchange.accept_authorization(&mut buffer) else { panic!() };
    /// assert_eq!(reply.code(), ehlo::Code::AUTHENTICATION_SUCCEEDED);
    /// ```
    ExternalServer: read_message
}

/// `authz-id-string = *( UTF8-char-no-nul )`, RFC 4422 appendix A.1.
fn read_message(message: &mut [u8]) -> Result<Option<Credentials<'_>>, ServerFailure> {
    let authorization = text(message)?;
    if authorization.contains('\0') {
        return Err(MALFORMED);
    }
    let authorization = Some(authorization).filter(|identity| !identity.is_empty());
    Ok(Credentials::received(None, authorization, Proof::External))
}
