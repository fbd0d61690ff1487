//! The server's side of an exchange.

use memchr::memchr;

use crate::credentials::Credentials;
use crate::secret::StoredSecret;
use ehlo::syntax::code::EnhancedStatus;
use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::syntax::{SyntaxErrorKind, limits};
use ehlo::{Code, Encode as _, Reply};

/// The server's side of a mechanism, RFC 4422 §3: what it says to each message of the client. An
/// object is for one attempt.
///
/// It decides nothing: what has to be known or verified it gives to its caller, as data. The calls
/// follow [`ServerTurn`]; [`ServerExchange`] keeps them in order and speaks SMTP.
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
    /// Takes the client's next message; none at the start, when AUTH had no initial response.
    /// `buffer` is for the message and what is said to it.
    ///
    /// # Errors
    ///
    /// Why the attempt has failed.
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure>;

    /// Takes what [`ServerTurn::Secret`] has asked for; none when there is no such user.
    ///
    /// # Errors
    ///
    /// Why the attempt has failed.
    fn secret<'b>(
        &mut self,
        _secret: Option<&StoredSecret<'_>>,
        _buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        Err(ServerFailure::OutOfTurn)
    }

    /// Takes a yes to [`ServerTurn::Verify`].
    ///
    /// # Errors
    ///
    /// Why the attempt has failed.
    fn accepted<'b>(&mut self, _buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        Ok(ServerTurn::Success)
    }

    /// Takes a no to [`ServerTurn::Verify`].
    ///
    /// # Errors
    ///
    /// [`ServerFailure::Credentials`], unless the mechanism has something to say first.
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

/// What a mechanism wants next.
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
    /// That the client is told this: then [`ServerMechanism::respond`].
    Challenge(&'b [u8]),
    /// A yes or no: [`ServerMechanism::accepted`] or [`ServerMechanism::refused`].
    Verify(Credentials<'b>),
    /// What is stored for the user of this name: [`ServerMechanism::secret`].
    Secret(&'b str),
    /// Nothing: the client is who it says.
    Success,
}

/// One attempt of a client to authenticate, RFC 4954 §4: it takes the initial response and the
/// responses, gives the replies, and asks what the mechanism has to know.
///
/// What comes of a call is a [`ServerStep`]: a challenge for
/// [`Server::challenge`](ehlo::Server::challenge), a reply for
/// [`Server::reply`](ehlo::Server::reply), or a question that [`accept`](Self::accept),
/// [`refuse`](Self::refuse) or [`secret`](Self::secret) answers. Every AUTH command needs a new
/// one; when the machine refuses a response of the client on its own, the attempt is over.
///
/// The `buffer` of each call is for the messages; nothing in it is needed from one call to the
/// next. With [`BUFFER`](Self::BUFFER) bytes it holds the longest there may be. A yes or no
/// overwrites it, so that no password stays behind.
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
    /// The application has said yes, to this identity and for whom it acts.
    accepted: bool,
}

impl<M: ServerMechanism> ServerExchange<M> {
    /// Bytes that a buffer needs to hold whatever a client may send.
    pub const BUFFER: usize = limits::AUTH_LINE / 4 * 3;

    /// An attempt by this mechanism, which must be fresh.
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
        // AUTH command with a 501 reply"; bits behind the end are none, RFC 4648 §3.5.
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

    /// Says what is stored for the user whom [`ServerStep::Secret`] names; none when there is no
    /// such user, which the client cannot tell from a wrong password.
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

    /// Says that the credentials are right, of a client that acts for itself. One that
    /// [acts for another](Credentials::acts_for_another) is refused all the same: see
    /// [`accept_authorization`](Self::accept_authorization).
    pub fn accept<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        match self.stage {
            Stage::Verify { another: false } => self.decide(true, buffer),
            _ => self.refuse(buffer),
        }
    }

    /// Says that the credentials are right, and that whoever they prove may act for the identity
    /// that was asked for: RFC 4422 §2 leaves this to be verified apart. Where the mechanism does
    /// not say who the client is, as in EXTERNAL and OAUTHBEARER, that the two are the same has to
    /// be verified too.
    pub fn accept_authorization<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        self.decide(true, buffer)
    }

    /// Says that the credentials are wrong, or that the client may not enter.
    pub fn refuse<'b>(&mut self, buffer: &'b mut [u8]) -> ServerStep<'b> {
        self.decide(false, buffer)
    }

    /// Whether the attempt has come to its end.
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

    /// Lets the mechanism take its turn.
    fn turn<'b>(
        &mut self,
        buffer: &'b mut [u8],
        take: impl FnOnce(&mut M, &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure>,
    ) -> ServerStep<'b> {
        self.stage = Stage::Over;
        match take(&mut self.mechanism, buffer) {
            Ok(ServerTurn::Challenge(challenge)) => {
                let challenge = SaslData::new(challenge);
                // A mechanism that has more to say than a line holds cannot go on.
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
        /// The client acts for somebody else.
        another: bool,
    },
    Secret,
    Over,
}

/// What a server does next.
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
    /// Give this challenge, by [`Server::challenge`](ehlo::Server::challenge); the next response is
    /// for [`ServerExchange::receive`].
    Challenge(SaslData<'b>),
    /// Give this reply: how the attempt came out. A reply of one's own to a failure does as well.
    Reply(Reply<'static>),
    /// Are these credentials right, and may the client enter? Then [`ServerExchange::accept`] or
    /// [`ServerExchange::refuse`].
    Verify(Credentials<'b>),
    /// What is stored for the user of this name? Then [`ServerExchange::secret`].
    Secret(&'b str),
}

/// Why an attempt of a client failed.
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
    /// A message is not what the mechanism's grammar allows.
    Syntax(SyntaxErrorKind),
    /// An initial response to a mechanism in which the server begins, RFC 4954 §4.
    InitialResponse,
    /// The client gave up with `*`, RFC 4954 §4.
    Cancelled,
    /// The credentials are wrong, the user is not known, or may not act for whom it wants to.
    Credentials,
    /// It cannot be said now whether the credentials are right.
    Temporary,
    /// The buffer has no room for the message.
    BufferTooSmall,
    /// A call that nothing has asked for.
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
            Self::InitialResponse => "an initial response where the server begins",
            Self::Cancelled => "the client gave up",
            Self::Credentials => "the credentials are wrong",
            Self::Temporary => "the credentials cannot be verified now",
            Self::BufferTooSmall => "the buffer has no room for the message",
            Self::OutOfTurn => "a call that nothing has asked for",
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

/// `octets` as text, which the grammar of the mechanism wants in UTF-8.
pub(super) fn text(octets: &[u8]) -> Result<&str, ServerFailure> {
    core::str::from_utf8(octets).map_err(|_| MALFORMED)
}

/// What stands before and after the first `separator`.
pub(super) fn cut(octets: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = octets.split_at_checked(memchr(separator, octets)?)?;
    Some((before, rest.split_first()?.1))
}

/// A message that the grammar of the mechanism does not allow.
pub(super) const MALFORMED: ServerFailure = ServerFailure::Syntax(SyntaxErrorKind::SaslMessage);

/// Overwrites what may hold a password. A compiler may drop what is written to memory that nobody
/// reads any more; it cannot know that nobody reads this.
fn wipe(buffer: &mut [u8]) {
    buffer.fill(0);
    core::hint::black_box(buffer);
}
