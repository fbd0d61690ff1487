//! Authentication: the lines of an exchange, RFC 4954 §4, and the mechanisms that speak in them,
//! RFC 4422.
//!
//! A mechanism is a [`ClientMechanism`] or a [`ServerMechanism`]: messages in, messages out, in
//! buffers of the caller. [`ClientExchange`] and [`ServerExchange`] tie one to the commands and
//! replies of SMTP. Neither decides: who may enter is for the application to say, and what it needs
//! to know for that it is asked as data.
//!
//! | mechanism | client | server | feature |
//! | --- | --- | --- | --- |
//! | EXTERNAL, RFC 4422 | [`ExternalClient`] | [`ExternalServer`] | |
//! | OAUTHBEARER, RFC 7628 | [`OauthBearerClient`] | [`OauthBearerServer`] | |
//! | XOAUTH2 | [`Xoauth2Client`] | [`Xoauth2Server`] | |
//! | PLAIN, RFC 4616 | [`PlainClient`] | [`PlainServer`] | |
//! | LOGIN | [`LoginClient`] | [`LoginServer`] | |
//! | ANONYMOUS, RFC 4505 | [`AnonymousClient`] | [`AnonymousServer`] | |
//! | SCRAM-SHA-256 and -1, also -PLUS, RFC 5802 and 7677 | `ScramClient` | `ScramServer` | `scram` |
//! | CRAM-MD5, RFC 2195 | `CramMd5Client` | `CramMd5Server` | `cram-md5` |
//!
//! A client's attempt, from the choice of the mechanism to the response:
//!
//! ```
//! use ehlo::sasl::{AnyClient, Channel, ClientExchange, ClientStep, Credentials};
//! use ehlo::{Encode, Mechanisms, SaslMechanism};
//!
//! # let offered = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
//! // client.capabilities().mechanisms() says what is offered, client.is_tls() what protects.
//! let credentials = Credentials::password("anna", "secret")?;
//! let mechanism = AnyClient::strongest(offered, &credentials, Channel::Protected).unwrap();
//! let mut exchange = ClientExchange::new(mechanism);
//! let (mut buffer, mut out) = ([0; 1024], [0; 512]);
//! let command = exchange.start(&mut buffer)?;
//! // client.send(&command, &mut out); what comes back goes to exchange.receive.
//! let n = command.encode(&mut out)?;
//! assert_eq!(&out[..n], b"AUTH PLAIN AGFubmEAc2VjcmV0\r\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server's, from the events of the machine to the replies. It answers the questions of any
//! mechanism; CRAM-MD5 and SCRAM are made with `CramMd5Server::new` and `ScramServer::new` in the
//! place of [`AnyServer::new`], and want what is stored of the user.
//!
//! ```
//! use ehlo::sasl::{AnyServer, Proof, ServerExchange, ServerStep};
//! use ehlo::server::{Event, Server};
//! use ehlo::{Capabilities, Command, Mechanisms, ReplyError, SaslMechanism, ServerConfig};
//!
//! /// Answers one event into `out`; the length of the answer.
//! fn answer(
//!     event: &Event<'_>,
//!     server: &mut Server,
//!     attempt: &mut Option<ServerExchange<AnyServer>>,
//!     buffer: &mut [u8],
//!     out: &mut [u8],
//! ) -> Result<usize, ReplyError> {
//!     let step = match event {
//!         Event::Command(Command::Auth { mechanism, initial_response }) => {
//!             *attempt = mechanism.known().and_then(AnyServer::new).map(ServerExchange::new);
//!             attempt.as_mut().map(|it| it.start(initial_response.as_ref(), buffer))
//!         }
//!         Event::AuthResponse(response) => attempt.as_mut().map(|it| it.receive(response, buffer)),
//!         _ => None,
//!     };
//!     // Another event, or a mechanism that was offered and is not here.
//!     let (Some(mut step), Some(exchange)) = (step, attempt) else {
//!         return server.reply(&server.standard_reply("mx.example"), out);
//!     };
//!     loop {
//!         step = match step {
//!             ServerStep::Challenge(data) => return server.challenge(&data, out),
//!             ServerStep::Reply(reply) => return server.reply(&reply, out),
//!             ServerStep::Verify(claim) => match (claim.authentication(), claim.proof()) {
//!                 (Some("anna"), Proof::Password("secret")) => exchange.accept(buffer),
//!                 _ => exchange.refuse(buffer),
//!             },
//!             ServerStep::Secret(_name) => exchange.secret(None, buffer),
//!         };
//!     }
//! }
//!
//! # let offered = Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::Login);
//! # let mut server = Server::new(ServerConfig {
//! #     offered: Capabilities::NONE.with_mechanisms(offered),
//! #     implicit_tls: true,
//! #     ..ServerConfig::DEFAULT
//! # });
//! # let (mut attempt, mut buffer, mut out) = (None, [0; 1024], [0; 1024]);
//! # let mut say = |line: &'static str| {
//! #     let event = server.receive(line.as_bytes()).event;
//! #     let n = answer(&event, &mut server, &mut attempt, &mut buffer, &mut out).unwrap();
//! #     String::from_utf8_lossy(&out[..n]).into_owned()
//! # };
//! # say("");
//! # say("EHLO client.example\r\n");
//! // say(line) gives the line to Server::receive, and its event to the function above.
//! assert_eq!(say("AUTH LOGIN\r\n"), "334 VXNlcm5hbWU6\r\n");
//! assert_eq!(say("YW5uYQ==\r\n"), "334 UGFzc3dvcmQ6\r\n");
//! assert_eq!(say("d3Jvbmc=\r\n"), "535 authentication credentials invalid\r\n");
//! assert_eq!(say("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), "235 authentication successful\r\n");
//! ```

mod anonymous;
mod any;
mod client;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod credentials;
mod external;
mod gs2;
mod login;
mod mechanism;
mod oauthbearer;
mod plain;
#[cfg(feature = "scram")]
mod scram;
mod secret;
mod server;
mod xoauth2;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

pub use anonymous::{AnonymousClient, AnonymousServer};
pub use any::{AnyClient, AnyServer};
pub use client::{ClientExchange, ClientFailure, ClientMechanism, ClientStep};
#[cfg(feature = "cram-md5")]
pub use cram_md5::{CramMd5Client, CramMd5Server};
pub use credentials::{Channel, ChannelBinding, Credentials, CredentialsError, Proof};
pub use external::{ExternalClient, ExternalServer};
pub use login::{LoginClient, LoginServer};
pub use mechanism::{Mechanisms, SaslMechanism};
pub use oauthbearer::{OauthBearerClient, OauthBearerServer};
pub use plain::{PlainClient, PlainServer};
#[cfg(feature = "scram")]
pub use scram::{ScramClient, ScramSecret, ScramServer};
pub use secret::{ScramKeys, StoredSecret};
pub use server::{ServerExchange, ServerFailure, ServerMechanism, ServerStep, ServerTurn};
pub use xoauth2::{Xoauth2Client, Xoauth2Server};

use crate::grammar::{self, IResult, run};
use crate::{BufferTooSmall, Encode, SyntaxError, SyntaxErrorKind, Writer, limits};

/// The label under which TLS exports the channel binding `tls-exporter`, RFC 9266 §2; its context is
/// empty, and it has 32 octets.
pub const TLS_EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";

/// What one side says in a SASL exchange: octets, in base64 on the wire.
///
/// It is either base64 as it was received, or octets of one's own. Two are equal when they stand
/// for the same octets. `Debug` shows the length alone.
///
/// ```
/// use ehlo::{Encode, SaslData};
///
/// let data = SaslData::parse(b"AGFubmEAc2VjcmV0")?;
/// let mut out = [0; 32];
/// let decoded = data.decode(&mut out)?;
/// assert_eq!(&out[..decoded], b"\0anna\0secret");
///
/// let written = SaslData::new(b"\0anna\0secret").encode(&mut out)?;
/// assert_eq!(&out[..written], b"AGFubmEAc2VjcmV0");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct SaslData<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// Canonical base64.
    Base64(&'a [u8]),
    Octets(&'a [u8]),
}

impl<'a> SaslData<'a> {
    /// Nothing.
    pub const EMPTY: Self = Self(Form::Octets(&[]));

    /// These octets.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(Form::Octets(octets))
    }

    /// What `base64` stands for; nothing may be empty.
    ///
    /// `base64 = base64-terminal / ( 1*(4base64-char) [base64-terminal] )`
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`] at the first octet that is out of place: a foreign one, `=`
    /// before the end, padding that is missing, or bits behind the last octet that are not zero.
    pub fn parse(base64: &'a [u8]) -> Result<Self, SyntaxError> {
        if base64.is_empty() {
            return Ok(Self::EMPTY);
        }
        let digits = run(base64, &grammar::BASE64);
        let fault = |offset| Err(SyntaxError { kind: KIND, offset });
        let Ok(([], text)) = grammar::base64(base64, KIND) else { return fault(digits) };
        let data = Self(Form::Base64(text));
        if data.is_canonical() { Ok(data) } else { fault(digits.saturating_sub(1)) }
    }

    /// Whether the bits behind the last octet are zero, as RFC 4648 §3.5 wants them of an encoder.
    ///
    /// The initial response of a parsed AUTH command need not be canonical, as the grammar of RFC
    /// 4954 does not ask for it; everything else is.
    pub fn is_canonical(&self) -> bool {
        // The last four digits say it.
        let Form::Base64([.., a, b, c, d]) = self.0 else { return true };
        STANDARD.decode_slice([*a, *b, *c, *d], &mut [0; 3]).is_ok()
    }

    /// An initial response, where `=` stands for nothing. RFC 4954 §4:
    /// `initial-response = base64 / "="`.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse), and one for an empty word.
    pub fn parse_initial(word: &'a [u8]) -> Result<Self, SyntaxError> {
        match word {
            [] => Err(SyntaxError { kind: SyntaxErrorKind::Base64, offset: 0 }),
            b"=" => Ok(Self(Form::Base64(&[]))),
            _ => Self::parse(word),
        }
    }

    /// Octets that [`decode`](Self::decode) writes.
    pub fn decoded_len(&self) -> usize {
        match self.0 {
            Form::Octets(octets) => octets.len(),
            Form::Base64(base64) => {
                let padding = base64.iter().rev().take_while(|&&octet| octet == b'=').count();
                (base64.len() / 4).saturating_mul(3).saturating_sub(padding)
            }
        }
    }

    /// Whether it stands for nothing.
    pub const fn is_empty(&self) -> bool {
        match self.0 {
            Form::Octets(octets) | Form::Base64(octets) => octets.is_empty(),
        }
    }

    /// Writes the octets to the front of `out` and returns how many they are.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when they do not fit; the content of `out` is then unspecified.
    pub fn decode(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let mut writer = Writer::new(out);
        self.for_each_piece(|octets| writer.put(octets));
        writer.finish()
    }

    /// Appends the word that an AUTH command has for an initial response: `=` for nothing.
    pub fn write_initial(&self, writer: &mut Writer<'_>) {
        if self.is_empty() {
            writer.put_octet(b'=');
        } else {
            self.write_to(writer);
        }
    }

    /// The octets, in order, one piece after the other.
    fn for_each_piece(&self, mut take: impl FnMut(&[u8])) {
        match self.0 {
            Form::Octets(octets) => take(octets),
            Form::Base64(base64) => base64.chunks(BLOCK / 3 * 4).for_each(|digits| {
                let mut octets = [0; BLOCK];
                // It was found to be base64 when it was made, and so is every four digits of it.
                let length = BASE64.decode_slice(digits, &mut octets).unwrap_or_default();
                take(octets.get(..length).unwrap_or_default());
            }),
        }
    }
}

/// The base64, without a CRLF.
impl Encode for SaslData<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self.0 {
            Form::Base64(base64) => writer.put(base64),
            Form::Octets(octets) => {
                octets.chunks(BLOCK).for_each(|octets| {
                    let mut digits = [0; BLOCK / 3 * 4];
                    let length = BASE64.encode_slice(octets, &mut digits).unwrap_or_default();
                    writer.put(digits.get(..length).unwrap_or_default());
                });
            }
        }
    }
}

impl PartialEq for SaslData<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Form::Octets(a), Form::Octets(b)) => a == b,
            (Form::Base64(base64), Form::Octets(octets))
            | (Form::Octets(octets), Form::Base64(base64)) => {
                let mut rest = Some(octets);
                Self(Form::Base64(base64)).for_each_piece(|piece| {
                    rest = rest.and_then(|rest| rest.strip_prefix(piece));
                });
                rest.is_some_and(<[u8]>::is_empty)
            }
            // Leftover bits are all in which two forms for the same octets can differ.
            (Form::Base64(a), Form::Base64(b)) => {
                let mut same = a.len() == b.len();
                for (a, b) in a.chunks(BLOCK / 3 * 4).zip(b.chunks(BLOCK / 3 * 4)) {
                    let (mut octets, mut others) = ([0; BLOCK], [0; BLOCK]);
                    let length = BASE64.decode_slice(a, &mut octets).ok();
                    same &= length == BASE64.decode_slice(b, &mut others).ok() && octets == others;
                }
                same
            }
        }
    }
}

impl Eq for SaslData<'_> {}

impl core::fmt::Debug for SaslData<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SaslData(redacted, {} octets)", self.decoded_len())
    }
}

impl core::hash::Hash for SaslData<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.for_each_piece(|octets| octets.iter().for_each(|octet| state.write_u8(*octet)));
        state.write_u8(0xFF);
    }
}

/// A server's challenge, the text of a 334. RFC 4954 §4: `continue-req = "334" SP [base64] CRLF`.
///
/// ```
/// use ehlo::{Challenge, Encode, Parsed, Policy, Reply, SaslData};
///
/// let mut out = [0; 32];
/// let written = Challenge(SaslData::new(b"Username:")).encode(&mut out)?;
/// assert_eq!(&out[..written], b"334 VXNlcm5hbWU6\r\n");
///
/// let Parsed::Complete { value, .. } = Reply::parse(&out[..written], &Policy::STRICT)? else {
///     panic!()
/// };
/// assert_eq!(Challenge::from_reply(&value)?.0, SaslData::new(b"Username:"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Challenge<'a>(pub SaslData<'a>);

impl<'a> Challenge<'a> {
    /// The challenge that a 334 brings.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`] when the text is none, or the reply has more than one line; the
    /// client is then to answer [`Response::Cancel`], RFC 4954 §4.
    pub fn from_reply(reply: &crate::Reply<'a>) -> Result<Self, SyntaxError> {
        let mut lines = reply.lines();
        let text = lines.next().unwrap_or_default();
        if lines.next().is_some() {
            return Err(SyntaxError { kind: SyntaxErrorKind::Base64, offset: text.len() });
        }
        SaslData::parse(text).map(Self)
    }
}

/// The reply line with its CRLF.
impl Encode for Challenge<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        // RFC 4954 §4: the space stands there even if the challenge is empty.
        writer.put(b"334 ");
        self.0.write_to(writer);
        writer.put(b"\r\n");
    }
}

/// A client's answer to a [`Challenge`], a line of its own. RFC 4954 §4.
///
/// ```
/// use ehlo::{Response, SaslData};
///
/// assert_eq!(Response::parse(b"*")?, Response::Cancel);
/// assert_eq!(Response::parse(b"YW5uYQ==")?, Response::Data(SaslData::new(b"anna")));
/// assert!(Response::parse(b"YW5uYQ=").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response<'a> {
    /// The octets that the mechanism asks for.
    Data(SaslData<'a>),
    /// `*`: the client gives up, and the server answers 501.
    Cancel,
}

impl<'a> Response<'a> {
    /// The answer in a line without its CRLF.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`], or [`SyntaxErrorKind::AuthLineTooLong`] for a line of more
    /// than [`limits::AUTH_LINE`] octets with its CRLF.
    pub fn parse(line: &'a [u8]) -> Result<Self, SyntaxError> {
        // RFC 4954 §4: "The line length limit ... must be at least 12288 octets."
        let most = limits::AUTH_LINE - 2;
        if line.len() > most {
            return Err(SyntaxError { kind: SyntaxErrorKind::AuthLineTooLong, offset: most });
        }
        Self::parse_any_length(line)
    }

    /// The same for a line of any length.
    pub(crate) fn parse_any_length(line: &'a [u8]) -> Result<Self, SyntaxError> {
        match line {
            b"*" => Ok(Self::Cancel),
            _ => SaslData::parse(line).map(Self::Data),
        }
    }
}

/// The line with its CRLF.
impl Encode for Response<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Data(data) => data.write_to(writer),
            Self::Cancel => writer.put_octet(b'*'),
        }
        writer.put(b"\r\n");
    }
}

/// `initial-response = base64 / "="`, RFC 4954 §8, as the grammar has it.
pub(crate) fn initial_response(input: &[u8]) -> IResult<'_, SaslData<'_>> {
    if let [b'=', rest @ ..] = input {
        return Ok((rest, SaslData(Form::Base64(&[]))));
    }
    let (rest, base64) = grammar::base64(input, KIND)?;
    Ok((rest, SaslData(Form::Base64(base64))))
}

const KIND: SyntaxErrorKind = SyntaxErrorKind::Base64;

/// Leftover bits are for [`SaslData::is_canonical`] to judge.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Octets that are decoded or encoded at once.
const BLOCK: usize = 48;
