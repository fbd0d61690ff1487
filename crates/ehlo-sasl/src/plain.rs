//! PLAIN, RFC 4616.

use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, ServerFailure, cut, text};
use crate::single::{single_message_client, single_message_server};
use ehlo::syntax::Writer;

single_message_client! {
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
    PlainClient: Plain
}

impl PlainClient<'_> {
    /// RFC 4616 §2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.
    fn write_message(&self, writer: &mut Writer<'_>) {
        writer.put(self.credentials.authorization().unwrap_or_default().as_bytes());
        writer.put_byte(0);
        writer.put(self.credentials.authentication().unwrap_or_default().as_bytes());
        writer.put_byte(0);
        writer.put(self.credentials.proof().text().as_bytes());
    }
}

single_message_server! {
    /// A server of PLAIN, RFC 4616. It asks for a verdict on a [`Proof::Password`]. It refuses an
    /// empty name or password, and control characters in them, without asking the application.
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
    PlainServer: read_message
}

/// `message = [authzid] UTF8NUL authcid UTF8NUL passwd`, RFC 4616 §2, where each is `1*SAFE`.
fn read_message(message: &mut [u8]) -> Result<Option<Credentials<'_>>, ServerFailure> {
    let (authorization, rest) = cut(message, 0).ok_or(MALFORMED)?;
    let (authentication, password) = cut(rest, 0).ok_or(MALFORMED)?;
    if password.contains(&0) {
        return Err(MALFORMED);
    }
    let authorization = if authorization.is_empty() { None } else { Some(text(authorization)?) };
    let password = Proof::Password(text(password)?);
    Ok(Credentials::received(Some(text(authentication)?), authorization, password))
}
