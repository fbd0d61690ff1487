//! The server's side of an exchange.

use memchr::memchr;

use crate::credentials::Credentials;
use crate::secret::StoredSecret;
use ehlo::syntax::code::EnhancedStatus;
use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::syntax::{SyntaxErrorKind, limits};
use ehlo::{Code, Encode as _, Reply};

/// The server's side of a mechanism, RFC 4422 §3: the answer to each message of the client. A value
/// serves one attempt.
///
/// A mechanism does not decide: it asks its caller for stored secrets and for verdicts. Each
/// [`ServerTurn`] says which call follows; [`ServerExchange`] keeps the order and speaks SMTP.
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{Credentials, PlainServer, ServerMechanism, ServerTurn};
///
/// let mut buffer = [0; 64];
/// let message = SaslData::new(b"\0anna\0secret");
/// let turn = PlainServer::new().respond(Some(&message), &mut buffer)?;
/// assert_eq!(turn, ServerTurn::Verify(Credentials::password("anna", "secret")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ServerMechanism {
    /// Takes the client's next message; `None` at the start, when AUTH had no initial response.
    /// `buffer` holds the decoded message and the answer to it.
    ///
    /// # Errors
    ///
    /// The reason why the attempt has failed.
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure>;

    /// Takes the secret that [`ServerTurn::Secret`] has asked for; `None` when there is no such user.
    ///
    /// # Errors
    ///
    /// The reason why the attempt has failed.
    fn secret<'b>(
        &mut self,
        _secret: Option<&StoredSecret<'_>>,
        _buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        Err(ServerFailure::OutOfTurn)
    }

    /// Takes a positive answer to [`ServerTurn::Verify`].
    ///
    /// # Errors
    ///
    /// The reason why the attempt has failed.
    fn accepted<'b>(&mut self, _buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        Ok(ServerTurn::Success)
    }

    /// Takes a negative answer to [`ServerTurn::Verify`].
    ///
    /// # Errors
    ///
    /// [`ServerFailure::Credentials`], unless the mechanism sends the client the reason first.
    fn refused<'b>(&mut self, _buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        Err(ServerFailure::Credentials)
    }
}

impl<M: ServerMechanism + ?Sized> ServerMechanism for &mut M {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        (**self).respond(message, buffer)
    }

    fn secret<'b>(
        &mut self,
        secret: Option<&StoredSecret<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        (**self).secret(secret, buffer)
    }

    fn accepted<'b>(&mut self, buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        (**self).accepted(buffer)
    }

    fn refused<'b>(&mut self, buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        (**self).refused(buffer)
    }
}

/// The next step that a mechanism needs.
///
/// ```
/// use ehlo_sasl::{LoginServer, ServerMechanism, ServerTurn};
///
/// let mut buffer = [0; 64];
/// let turn = LoginServer::new().respond(None, &mut buffer);
/// assert_eq!(turn, Ok(ServerTurn::Challenge(b"Username:")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTurn<'b> {
    /// Send this challenge to the client, and call [`ServerMechanism::respond`] with its response.
    Challenge(&'b [u8]),
    /// Verify these credentials, and call [`ServerMechanism::accepted`] or
    /// [`ServerMechanism::refused`].
    Verify(Credentials<'b>),
    /// Look up the secret of the user of this name, and call [`ServerMechanism::secret`].
    Secret(&'b str),
    /// The client is authenticated.
    Success,
}

/// One attempt of a client to authenticate, RFC 4954 §4: it takes the client's messages, returns
/// challenges and replies, and asks the application for secrets and verdicts.
///
/// Each call returns a [`ServerStep`]: a challenge for [`Server::challenge`](ehlo::Server::challenge), a
/// reply for [`Server::reply`](ehlo::Server::reply), or a question that [`accept`](Self::accept),
/// [`refuse`](Self::refuse) or [`secret`](Self::secret) answers. Each AUTH command needs a new exchange.
/// If the machine refuses a response, the attempt is over.
///
/// The `buffer` of a call holds the messages of this call only. [`BUFFER`](Self::BUFFER) bytes are
/// enough for the longest message. An answer to a question overwrites the buffer, so that no password
/// stays in it.
///
/// ```
/// use ehlo_sasl::{PlainServer, Proof, ServerExchange, ServerStep};
/// use ehlo::Code;
/// use ehlo::syntax::sasl::SaslData;
///
/// let mut exchange = ServerExchange::new(PlainServer::new());
/// let mut buffer = [0; 1024];
/// // AUTH PLAIN AGFubmEAc2VjcmV0
/// let initial = SaslData::parse(b"AGFubmEAc2VjcmV0")?;
/// let step = exchange.start(Some(&initial), &mut buffer);
/// let ServerStep::Verify(credentials) = step else { panic!("PLAIN has one message") };
/// assert_eq!(credentials.authentication(), Some("anna"));
/// assert_eq!(credentials.proof(), Proof::Password("secret"));
///
/// let ServerStep::Reply(reply) = exchange.accept(&mut buffer) else { panic!("it is over") };
/// assert_eq!(reply.code(), Code::AUTHENTICATION_SUCCEEDED);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServerExchange<M> {
    mechanism: M,
    stage: Stage,
    /// The application has accepted this identity, and the one for which it acts.
    accepted: bool,
}

impl<M: ServerMechanism> ServerExchange<M> {
    /// The length in bytes of a buffer for every message that a client may send.
    pub const BUFFER: usize = limits::AUTH_LINE / 4 * 3;

    /// An attempt with this mechanism, which must not have been used before.
    pub const fn new(mechanism: M) -> Self {
        Self { mechanism, stage: Stage::New, accepted: false }
    }

    /// Takes the AUTH command, with its initial response if it had one.
    pub fn start<'b>(
        &mut self,
        initial: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> ServerStep<'b> {
        if self.stage != Stage::New {
            return self.fail(ServerFailure::OutOfTurn);
        }
        // RFC 4954 §4: "If the server cannot [BASE64] decode any client response, it MUST reject the
        // AUTH command with a 501 reply"; bits behind the end must be zero, RFC 4648 §3.5.
        if initial.is_some_and(|data| !data.is_canonical()) {
            return self.fail(ServerFailure::Syntax(SyntaxErrorKind::Base64));
        }
        self.turn(buffer, |mechanism, room| mechanism.respond(initial, room))
    }

    /// Takes a response of the client.
    pub fn receive<'b>(&mut self, response: &Response<'_>, buffer: &'b mut [u8]) -> ServerStep<'b> {
        match response {
            _ if self.stage != Stage::Challenged => self.fail(ServerFailure::OutOfTurn),
            Response::Data(data) if data.is_canonical() => {
                self.turn(buffer, |mechanism, room| mechanism.respond(Some(data), room))
            }
            Response::Data(_) => self.fail(ServerFailure::Syntax(SyntaxErrorKind::Base64)),
            Response::Cancel => self.fail(ServerFailure::Cancelled),
        }
    }

    /// Takes the stored secret of the user that [`ServerStep::Secret`] names; `None` when there is no such
    /// user, which the client cannot tell from a wrong password.
    pub fn secret<'b>(
        &mut self,
        secret: Option<&StoredSecret<'_>>,
        buffer: &'b mut [u8],
    ) -> ServerStep<'b> {
        if self.stage != Stage::Secret {
            return self.fail(ServerFailure::OutOfTurn);
        }
        self.turn(buffer, |mechanism, room| mechanism.secret(secret, room))
    }

    /// Confirms the credentials of a client that acts for itself. A client that
    /// [acts for another](Credentials::acts_for_another) user is still refused: see
    /// [`accept_authorization`](Self::accept_authorization).
    pub fn accept<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        match self.stage {
            Stage::Verify { another: false } => self.decide(true, buffer),
            _ => self.refuse(buffer),
        }
    }

    /// Confirms the credentials, and that the user they prove may act for the authorization
    /// identity, which RFC 4422 §2 leaves to be verified separately. If the mechanism does not name
    /// the client, as in EXTERNAL and OAUTHBEARER, the application must also verify that the
    /// identity belongs to the client.
    pub fn accept_authorization<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        self.decide(true, buffer)
    }

    /// Rejects the credentials, or the client.
    pub fn refuse<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        self.decide(false, buffer)
    }

    /// Returns `true` if the attempt is over.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    fn decide<'b>(&mut self, yes: bool, buffer: &'b mut [u8]) -> ServerStep<'b> {
        wipe(buffer);
        if !matches!(self.stage, Stage::Verify { .. }) {
            return self.fail(ServerFailure::OutOfTurn);
        }
        self.accepted = yes;
        self.turn(
            buffer,
            |mechanism, room| {
                if yes { mechanism.accepted(room) } else { mechanism.refused(room) }
            },
        )
    }

    /// Runs the next step of the mechanism.
    fn turn<'b>(
        &mut self,
        buffer: &'b mut [u8],
        take: impl FnOnce(&mut M, &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure>,
    ) -> ServerStep<'b> {
        self.stage = Stage::Over;
        match take(&mut self.mechanism, buffer) {
            Ok(ServerTurn::Challenge(challenge)) => {
                let challenge = SaslData::new(challenge);
                // A mechanism whose challenge exceeds a line cannot continue.
                if Challenge(challenge).encoded_len() > limits::AUTH_LINE {
                    return self.fail(ServerFailure::Temporary);
                }
                self.stage = Stage::Challenged;
                ServerStep::Challenge(challenge)
            }
            Ok(ServerTurn::Verify(credentials)) => {
                self.stage = Stage::Verify { another: credentials.acts_for_another() };
                ServerStep::Verify(credentials)
            }
            Ok(ServerTurn::Secret(name)) => {
                self.stage = Stage::Secret;
                ServerStep::Secret(name)
            }
            Ok(ServerTurn::Success) if self.accepted => ServerStep::Reply(Reply::enhanced(
                Code::AUTHENTICATION_SUCCEEDED,
                EnhancedStatus::OTHER_SECURITY.success(),
                "authentication successful",
            )),
            Ok(ServerTurn::Success) => self.fail(ServerFailure::OutOfTurn),
            Err(failure) => self.fail(failure),
        }
    }

    const fn fail<'b>(&mut self, failure: ServerFailure) -> ServerStep<'b> {
        self.stage = Stage::Over;
        ServerStep::Reply(failure.reply())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Challenged,
    Verify {
        /// The client acts for another user.
        another: bool,
    },
    Secret,
    Over,
}

/// The next step of a server.
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{LoginServer, ServerExchange, ServerStep};
///
/// let (mut exchange, mut buffer) = (ServerExchange::new(LoginServer::new()), [0; 1024]);
/// let challenge = SaslData::new(b"Username:");
/// assert_eq!(exchange.start(None, &mut buffer), ServerStep::Challenge(challenge));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServerStep<'b> {
    /// Send this challenge by [`Server::challenge`](ehlo::Server::challenge), and pass the client's
    /// response to [`ServerExchange::receive`].
    Challenge(SaslData<'b>),
    /// Send this reply, the result of the attempt. The application may answer a failure with another
    /// negative reply.
    Reply(Reply<'static>),
    /// Verify these credentials, and call [`ServerExchange::accept`] or [`ServerExchange::refuse`].
    Verify(Credentials<'b>),
    /// Look up the secret of the user of this name, and call [`ServerExchange::secret`].
    Secret(&'b str),
}

/// The reason why an attempt of a client failed.
///
/// ```
/// use ehlo_sasl::ServerFailure;
///
/// assert_eq!(
///     ServerFailure::Credentials.reply().to_string(),
///     "535 5.7.8 authentication credentials invalid"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerFailure {
    /// A message is outside the mechanism's grammar.
    Syntax(SyntaxErrorKind),
    /// An initial response to a mechanism in which the server sends first, RFC 4954 §4.
    InitialResponse,
    /// The client cancelled with `*`, RFC 4954 §4.
    Cancelled,
    /// The credentials are wrong, the user is unknown, or may not act for the other identity.
    Credentials,
    /// The credentials cannot be verified now.
    Temporary,
    /// The message does not fit in the buffer.
    BufferTooSmall,
    /// A call out of order.
    OutOfTurn,
}

impl ServerFailure {
    /// The reply, RFC 4954 §6.
    pub const fn reply(self) -> Reply<'static> {
        let (code, enhanced, text) = match self {
            Self::Syntax(kind) => {
                let (code, enhanced) = kind.reply();
                return Reply::enhanced(code, enhanced, kind.text());
            }
            Self::InitialResponse => (
                Code::ARGUMENT_SYNTAX_ERROR,
                EnhancedStatus::OTHER_SECURITY.permanent(),
                "no initial response allowed",
            ),
            Self::Cancelled => (
                Code::ARGUMENT_SYNTAX_ERROR,
                EnhancedStatus::OTHER_SECURITY.permanent(),
                "authentication cancelled",
            ),
            Self::Credentials => (
                Code::CREDENTIALS_INVALID,
                EnhancedStatus::CREDENTIALS_INVALID.permanent(),
                "authentication credentials invalid",
            ),
            Self::BufferTooSmall => (
                Code::SYNTAX_ERROR,
                EnhancedStatus::AUTHENTICATION_LINE_TOO_LONG.permanent(),
                "authentication exchange line is too long",
            ),
            Self::Temporary | Self::OutOfTurn => (
                Code::TEMPORARY_FAILURE,
                EnhancedStatus::OTHER_SECURITY.transient(),
                "cannot authenticate now",
            ),
        };
        Reply::enhanced(code, enhanced, text)
    }
}

impl core::fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Syntax(kind) => kind.text(),
            Self::InitialResponse => {
                "an initial response to a mechanism in which the server sends first"
            }
            Self::Cancelled => "the client cancelled",
            Self::Credentials => "the credentials are wrong",
            Self::Temporary => "the credentials cannot be verified now",
            Self::BufferTooSmall => "the message does not fit in the buffer",
            Self::OutOfTurn => "a call out of order",
        })
    }
}

impl core::error::Error for ServerFailure {}

/// The bytes of a message, in the front of `buffer`.
pub(super) fn decoded<'b>(
    message: &SaslData<'_>,
    buffer: &'b mut [u8],
) -> Result<&'b mut [u8], ServerFailure> {
    let length = message.decode(buffer).map_err(|_| ServerFailure::BufferTooSmall)?;
    buffer.get_mut(..length).ok_or(ServerFailure::BufferTooSmall)
}

/// `bytes` as text, which the grammar of the mechanism requires to be UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ServerFailure> {
    core::str::from_utf8(bytes).map_err(|_| MALFORMED)
}

/// The parts before and after the first `separator`.
pub(super) fn cut(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = bytes.split_at_checked(memchr(separator, bytes)?)?;
    Some((before, rest.split_first()?.1))
}

/// A message outside the grammar of the mechanism.
pub(super) const MALFORMED: ServerFailure = ServerFailure::Syntax(SyntaxErrorKind::SaslMessage);

/// Overwrites bytes that may be a password. A compiler may drop a write to memory that is not read
/// again; `black_box` hides from it that this memory is not read.
fn wipe(buffer: &mut [u8]) {
    buffer.fill(0);
    core::hint::black_box(buffer);
}
