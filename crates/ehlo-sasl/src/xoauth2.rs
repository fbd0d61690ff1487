//! XOAUTH2, as Google and Microsoft describe it.

use crate::credentials::{Credentials, Proof, b64token};
use crate::server::{MALFORMED, ServerFailure, cut, text};
use crate::single::{single_message_client, single_message_server};
use ehlo::syntax::Writer;

single_message_client! {
    /// A client of XOAUTH2: a name and a bearer token.
    ///
    /// ```
    /// use ehlo_sasl::{ClientMechanism, Credentials, Xoauth2Client};
    ///
    /// let credentials = Credentials::token("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhd")?;
    /// let mut buffer = [0; 128];
    /// let mut client = Xoauth2Client::new(&credentials).unwrap();
    /// assert_eq!(
    ///     client.initial_response(&mut buffer)?,
    ///     Some(&b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhd\x01\x01"[..])
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    // An empty answer to the reason of a refusal lets the server send its reply.
    Xoauth2Client: Xoauth2, answer_to_refusal: b""
}

impl Xoauth2Client<'_> {
    fn write_message(&self, writer: &mut Writer<'_>) {
        writer.put(b"user=");
        writer.put(self.credentials.authentication().unwrap_or_default().as_bytes());
        writer.put(b"\x01auth=Bearer ");
        writer.put(self.credentials.proof().text().as_bytes());
        writer.put(b"\x01\x01");
    }
}

single_message_server! {
    /// A server of XOAUTH2. It asks for a verdict on a [`Proof::Token`] of the named user; after a
    /// refusal it sends the reason as a challenge.
    ///
    /// ```
    /// use ehlo_sasl::{Proof, ServerExchange, ServerStep, Xoauth2Server};
    /// use ehlo::Code;
    /// use ehlo::syntax::sasl::{Response, SaslData};
    ///
    /// let (mut exchange, mut buffer) = (ServerExchange::new(Xoauth2Server::new()), [0; 1024]);
    /// let message = SaslData::new(b"user=anna@example.org\x01auth=Bearer expired\x01\x01");
    /// let ServerStep::Verify(credentials) = exchange.start(Some(&message), &mut buffer) else {
    ///     panic!()
    /// };
    /// assert_eq!(credentials.proof(), Proof::Token("expired"));
    /// assert!(matches!(exchange.refuse(&mut buffer), ServerStep::Challenge(_)));
    /// let step = exchange.receive(&Response::Data(SaslData::EMPTY), &mut buffer);
    /// let ServerStep::Reply(reply) = step else { panic!() };
    /// assert_eq!(reply.code(), Code::CREDENTIALS_INVALID);
    /// ```
    Xoauth2Server: read_message,
    refusal: br#"{"status":"401","schemes":"bearer","scope":""}"#
}

/// `"user=" user kvsep "auth=Bearer " token kvsep kvsep`, where `kvsep = %x01`, RFC 7628 §3.1.
fn read_message(message: &mut [u8]) -> Result<Option<Credentials<'_>>, ServerFailure> {
    let (user, rest) =
        message.strip_prefix(b"user=").and_then(|rest| cut(rest, 1)).ok_or(MALFORMED)?;
    let (token, rest) =
        rest.strip_prefix(b"auth=").and_then(|rest| cut(rest, 1)).ok_or(MALFORMED)?;
    if rest != b"\x01" {
        return Err(MALFORMED);
    }
    let token = b64token(text(bearer(token).ok_or(MALFORMED)?)?).map_err(|_| MALFORMED)?;
    Ok(Credentials::received(Some(text(user)?), None, Proof::Token(token)))
}

/// The token of `"Bearer" 1*SP b64token`, RFC 6750 §2.1, in any case, RFC 9110 §11.1.
pub(super) fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, mut token) = cut(value, b' ')?;
    while let [b' ', rest @ ..] = token {
        token = rest;
    }
    scheme.eq_ignore_ascii_case(b"Bearer").then_some(token)
}
