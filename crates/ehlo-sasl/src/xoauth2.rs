//! XOAUTH2, as Google and Microsoft describe it.

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, cut, decoded, text};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

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
#[derive(Clone, Debug)]
pub struct Xoauth2Client<'a> {
    credentials: Credentials<'a>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    New,
    Sent,
    /// The server has said why it refuses.
    Refused,
}

impl<'a> Xoauth2Client<'a> {
    /// A client with this name and token; none for other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        let usable = credentials.mechanisms().contains(SaslMechanism::Xoauth2);
        usable.then_some(Self { credentials: *credentials, stage: Stage::New })
    }
}

impl ClientMechanism for Xoauth2Client<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::Xoauth2.into()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        let Proof::Token(token) = self.credentials.proof() else {
            return Err(ClientFailure::Credentials);
        };
        self.stage = Stage::Sent;
        let message = written(buffer, |writer| {
            writer.put(b"user=");
            writer.put(self.credentials.authentication().unwrap_or_default().as_bytes());
            writer.put(b"\x01auth=Bearer ");
            writer.put(token.as_bytes());
            writer.put(b"\x01\x01");
        })?;
        Ok(Some(message))
    }

    /// The challenge says why the server refuses; an empty answer lets it say so by its reply.
    fn respond<'b>(
        &mut self,
        _challenge: &[u8],
        _buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        let stage = core::mem::replace(&mut self.stage, Stage::Refused);
        if stage == Stage::Sent { Ok(b"") } else { Err(ClientFailure::Challenge) }
    }

    fn is_done(&self) -> bool {
        self.stage == Stage::Sent
    }
}

/// A server of XOAUTH2. It asks for a verdict on a [`Proof::Token`] of the named user; after a no
/// the client is told why in a challenge of its own.
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
#[derive(Clone, Debug, Default)]
pub struct Xoauth2Server {
    refused: bool,
}

impl Xoauth2Server {
    /// A server that has not heard anything.
    pub const fn new() -> Self {
        Self { refused: false }
    }
}

impl ServerMechanism for Xoauth2Server {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        // Whatever the client says to the reason, it was refused.
        if self.refused {
            return Err(ServerFailure::Credentials);
        }
        let Some(message) = message else { return Ok(ServerTurn::Challenge(b"")) };
        initial_response(decoded(message, buffer)?).map(ServerTurn::Verify)
    }

    fn refused<'b>(&mut self, _buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        self.refused = true;
        Ok(ServerTurn::Challenge(br#"{"status":"401","schemes":"bearer","scope":""}"#))
    }
}

/// `"user=" user kvsep "auth=Bearer " token kvsep kvsep`, where `kvsep = %x01`, RFC 7628 §3.1.
fn initial_response(message: &[u8]) -> Result<Credentials<'_>, ServerFailure> {
    let parse = || {
        let (user, rest) = cut(message.strip_prefix(b"user=")?, 1)?;
        let (token, rest) = cut(rest.strip_prefix(b"auth=")?, 1)?;
        if rest != b"\x01" {
            return None;
        }
        Credentials::token(text(user).ok()?, text(bearer(token)?).ok()?).ok()
    };
    parse().ok_or(MALFORMED)
}

/// The token of `"Bearer" 1*SP b64token`, RFC 6750 §2.1, in any case, RFC 9110 §11.1.
pub(super) fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, mut token) = cut(value, b' ')?;
    while let [b' ', rest @ ..] = token {
        token = rest;
    }
    scheme.eq_ignore_ascii_case(b"Bearer").then_some(token)
}
