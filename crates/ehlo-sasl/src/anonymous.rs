//! ANONYMOUS, RFC 4505.

use crate::credentials::Credentials;
use crate::server::{MALFORMED, ServerFailure, text};
use crate::single::{single_message_client, single_message_server};
use ehlo::syntax::Writer;

single_message_client! {
    /// A client of ANONYMOUS, RFC 4505: it has no identity, and may leave a word for the log.
    ///
    /// ```
    /// use ehlo_sasl::{AnonymousClient, ClientExchange, Credentials};
    /// use ehlo::Encode;
    ///
    /// let client = AnonymousClient::new(&Credentials::anonymous("sirhc")?).unwrap();
    /// let (mut buffer, mut out) = ([0; 64], [0; 64]);
    /// let n = ClientExchange::new(client).start(&mut buffer)?.encode(&mut out)?;
    /// assert_eq!(&out[..n], b"AUTH ANONYMOUS c2lyaGM=\r\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    AnonymousClient: Anonymous
}

impl AnonymousClient<'_> {
    fn write_message(&self, writer: &mut Writer<'_>) {
        writer.put(self.credentials.proof().text().as_bytes());
    }
}

single_message_server! {
    /// A server of ANONYMOUS, RFC 4505. It asks for a verdict on
    /// [`Proof::Anonymous`](crate::Proof::Anonymous).
    ///
    /// ```
    /// use ehlo::syntax::sasl::SaslData;
    /// use ehlo_sasl::{AnonymousServer, Proof, ServerMechanism, ServerTurn};
    ///
    /// let mut buffer = [0; 64];
    /// let trace = SaslData::parse(b"c2lyaGM=").unwrap();
    /// let turn = AnonymousServer::new().respond(Some(&trace), &mut buffer)?;
    /// let ServerTurn::Verify(credentials) = turn else { panic!() };
    /// assert_eq!(credentials.proof(), Proof::Anonymous("sirhc"));
    /// assert_eq!(credentials.identity(), None);
    /// # Ok::<(), ehlo_sasl::ServerFailure>(())
    /// ```
    AnonymousServer: read_message
}

/// `message = [ email / token ]`, RFC 4505 §2.
fn read_message(message: &mut [u8]) -> Result<Option<Credentials<'_>>, ServerFailure> {
    Credentials::anonymous(text(message)?).map(Some).map_err(|_| MALFORMED)
}
