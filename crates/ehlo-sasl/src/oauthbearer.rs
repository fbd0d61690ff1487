//! OAUTHBEARER, RFC 7628.

use memchr::memchr;

use crate::credentials::{Credentials, Proof, b64token};
use crate::gs2::{put_saslname, saslname};
use crate::server::{MALFORMED, ServerFailure, cut, text};
use crate::single::{single_message_client, single_message_server};
use crate::xoauth2::bearer;
use ehlo::syntax::Writer;

single_message_client! {
    /// A client of OAUTHBEARER, RFC 7628: it sends a bearer token and the identity that it is for.
    ///
    /// ```
    /// use ehlo_sasl::{ClientMechanism, Credentials, OauthBearerClient};
    ///
    /// let credentials = Credentials::token("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29t")?;
    /// let mut client = OauthBearerClient::new(&credentials).unwrap().at("server.example.com", 587);
    /// let mut buffer = [0; 256];
    /// assert_eq!(
    ///     client.initial_response(&mut buffer)?,
    ///     Some(
    ///         &b"n,a=user@example.com,\x01host=server.example.com\x01port=587\x01\
    ///            auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29t\x01\x01"[..]
    ///     )
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    // RFC 7628 §3.2.3: "The client MUST then send either an additional client response consisting
    // of a single %x01 (control A) character to the server … or a SASL abort message"; then the
    // server refuses.
    OauthBearerClient: OauthBearer,
    answer_to_refusal: b"\x01";
    server: Option<(&'a str, u16)> = None
}

impl<'a> OauthBearerClient<'a> {
    /// Adds the host and port of the server, which are optional by RFC 7628 §3.1. A host with a character
    /// that is not printable ASCII is left out.
    #[must_use]
    pub fn at(self, host: &'a str, port: u16) -> Self {
        let printable = host.bytes().all(|byte| byte.is_ascii_graphic());
        Self { server: printable.then_some((host, port)), ..self }
    }

    /// RFC 7628 §3.1: `client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep`.
    fn write_message(&self, writer: &mut Writer<'_>) {
        writer.put(b"n,a=");
        put_saslname(self.credentials.identity().unwrap_or_default(), writer);
        writer.put(b",\x01");
        if let Some((host, port)) = self.server {
            writer.put(b"host=");
            writer.put(host.as_bytes());
            writer.put(b"\x01port=");
            writer.put_number(port.into());
            writer.put_byte(1);
        }
        writer.put(b"auth=Bearer ");
        writer.put(self.credentials.proof().text().as_bytes());
        writer.put(b"\x01\x01");
    }
}

single_message_server! {
    /// A server of OAUTHBEARER, RFC 7628. It asks for a verdict on a [`Proof::Token`]; the token
    /// tells whose it is. The client may name the identity that it acts for, and most clients do,
    /// so [`accept_authorization`](super::ServerExchange::accept_authorization) is the positive
    /// answer to them. After a refusal it sends the reason as a challenge.
    ///
    /// ```
    /// use ehlo::syntax::sasl::SaslData;
    /// use ehlo_sasl::{OauthBearerServer, Proof, ServerExchange, ServerStep};
    ///
    /// let (mut exchange, mut buffer) = (ServerExchange::new(OauthBearerServer::new()), [0; 1024]);
    /// let message = SaslData::new(b"n,a=anna@example.org,\x01auth=Bearer vF9dft4qmT\x01\x01");
    /// let ServerStep::Verify(credentials) = exchange.start(Some(&message), &mut buffer) else {
    ///     panic!()
    /// };
    /// assert_eq!(credentials.proof(), Proof::Token("vF9dft4qmT"));
    /// assert_eq!(credentials.authorization(), Some("anna@example.org"));
    /// // The token is valid, and anna's.
    /// let ServerStep::Reply(reply) = exchange.accept_authorization(&mut buffer) else { panic!() };
    /// assert_eq!(reply.code(), ehlo::Code::AUTHENTICATION_SUCCEEDED);
    /// ```
    // RFC 7628 §3.2.2 has the challenge. RFC 7628 §4.3: a client without a token asks for the
    // reason of the refusal.
    OauthBearerServer: client_resp, refusal: br#"{"status":"invalid_token"}"#
}

/// `client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep`, RFC 7628 §3.1; `None` without a token.
fn client_resp(message: &mut [u8]) -> Result<Option<Credentials<'_>>, ServerFailure> {
    let end = memchr(1, message).ok_or(MALFORMED)?;
    let (header, pairs) = message.split_at_mut_checked(end).ok_or(MALFORMED)?;
    if header.is_empty() && pairs.len() == 1 {
        return Ok(None);
    }
    // RFC 7628 §3.1 takes it from RFC 5801 §4:
    // `gs2-header = [gs2-nonstd-flag ","] gs2-cb-flag "," [gs2-authzid] ","`; here without the
    // first flag, and without channel binding.
    let authorization = match header {
        [b'n' | b'y', b',', b','] => None,
        [b'n' | b'y', b',', b'a', b'=', name @ .., b','] => Some(saslname(name).ok_or(MALFORMED)?),
        _ => return Err(MALFORMED),
    };
    let (mut pairs, mut token) = (pairs.get(1..).unwrap_or_default(), None);
    while pairs != b"\x01" {
        let (pair, rest) = cut(pairs, 1).ok_or(MALFORMED)?;
        let (key, value) = kvpair(pair).ok_or(MALFORMED)?;
        if key == b"auth" && token.replace(value).is_some() {
            return Err(MALFORMED);
        }
        pairs = rest;
    }
    let Some(token) = token else { return Ok(None) };
    let token = b64token(text(bearer(token).ok_or(MALFORMED)?)?).map_err(|_| MALFORMED)?;
    Ok(Credentials::received(None, authorization, Proof::Token(token)))
}

/// `kvpair = key "=" value kvsep`, where `key = 1*(ALPHA)` and
/// `value = *(VCHAR / SP / HTAB / CR / LF )`, RFC 7628 §3.1, without its `kvsep`.
fn kvpair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, value) = cut(pair, b'=')?;
    let is_key = !key.is_empty() && key.iter().all(u8::is_ascii_alphabetic);
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    (is_key && value.iter().all(allowed)).then_some((key, value))
}
