//! The client's side of an exchange.

use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{Response, SaslData};
use ehlo::syntax::{BufferTooSmall, Writer, limits};
use ehlo::{Code, Command, Encode, Reply};

/// The client's side of a mechanism, RFC 4422 §3: the initial response, and the answer to each
/// challenge. A value serves one attempt.
///
/// Messages are the mechanism's own bytes; [`ClientExchange`] converts them to base64.
///
/// ```
/// use ehlo_sasl::{ClientFailure, ClientMechanism, Credentials, PlainClient};
///
/// let mut plain = PlainClient::new(&Credentials::password("anna", "secret")?).unwrap();
/// let mut buffer = [0; 64];
/// assert_eq!(plain.initial_response(&mut buffer)?, Some(&b"\0anna\0secret"[..]));
/// assert!(plain.is_done());
/// assert_eq!(plain.respond(b"more?", &mut buffer), Err(ClientFailure::Challenge));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ClientMechanism {
    /// The name of the mechanism in the AUTH command.
    fn name(&self) -> Mechanism<'static>;

    /// The client's first message, written to `buffer`; `None` if the server sends first. A second
    /// call returns the same message.
    ///
    /// # Errors
    ///
    /// [`ClientFailure::BufferTooSmall`], or the reason why the attempt cannot be made.
    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure>;

    /// The answer to a challenge, written to `buffer`.
    ///
    /// # Errors
    ///
    /// The reason why there is no answer: the client must cancel.
    fn respond<'b>(
        &mut self,
        challenge: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure>;

    /// Returns `true` if the mechanism reads its challenges. [`ClientExchange`] then decodes each
    /// challenge, and cancels the attempt if it is not base64, RFC 4954 §4. A mechanism that
    /// ignores the text of challenges, as LOGIN does, returns `false` and gets empty ones. A 334 of
    /// several lines is not a challenge for any mechanism.
    fn reads_challenges(&self) -> bool {
        true
    }

    /// Returns `true` if the exchange may succeed now: the client has sent all its messages, and
    /// the server has proven itself if the mechanism requires it.
    fn is_done(&self) -> bool;
}

impl<M: ClientMechanism + ?Sized> ClientMechanism for &mut M {
    fn name(&self) -> Mechanism<'static> {
        (**self).name()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        (**self).initial_response(buffer)
    }

    fn respond<'b>(
        &mut self,
        challenge: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        (**self).respond(challenge, buffer)
    }

    fn reads_challenges(&self) -> bool {
        (**self).reads_challenges()
    }

    fn is_done(&self) -> bool {
        (**self).is_done()
    }
}

/// One attempt to authenticate, RFC 4954 §4: it creates the AUTH command, answers the challenges, and
/// reports the result.
///
/// The command goes to [`Client::send`](ehlo::Client::send), each response to
/// [`Client::respond`](ehlo::Client::respond), and the replies to both to [`receive`](Self::receive).
/// An attempt uses one mechanism: when it fails, no weaker one is tried.
///
/// ```
/// use ehlo_sasl::{ClientExchange, ClientStep, Credentials, LoginClient};
/// use ehlo::{Code, Encode, Reply};
///
/// let login = LoginClient::new(&Credentials::password("anna", "secret")?).unwrap();
/// let mut exchange = ClientExchange::new(login);
/// let (mut buffer, mut out) = ([0; 512], [0; 512]);
/// let n = exchange.start(&mut buffer)?.encode(&mut out)?;
/// assert_eq!(&out[..n], b"AUTH LOGIN\r\n");
///
/// for (challenge, answer) in [("VXNlcm5hbWU6", "YW5uYQ==\r\n"), ("UGFzc3dvcmQ6", "c2VjcmV0\r\n")] {
///     let reply = Reply::new(Code::AUTHENTICATION_CONTINUES, challenge);
///     let ClientStep::Respond(response) = exchange.receive(&reply, &mut buffer) else { panic!() };
///     let n = response.encode(&mut out)?;
///     assert_eq!(&out[..n], answer.as_bytes());
/// }
/// let reply = Reply::new(Code::AUTHENTICATION_SUCCEEDED, "welcome");
/// assert_eq!(exchange.receive(&reply, &mut buffer), ClientStep::Done(Ok(())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientExchange<M> {
    mechanism: M,
    stage: Stage,
}

impl<M: ClientMechanism> ClientExchange<M> {
    /// An attempt with this mechanism, which must not have been used before.
    pub const fn new(mechanism: M) -> Self {
        Self { mechanism, stage: Stage::New }
    }

    /// The command that begins the attempt. It has the initial response if there is one and the
    /// line stays within 512 bytes. `buffer` must have room for the longest message of the
    /// mechanism.
    ///
    /// # Errors
    ///
    /// [`ClientFailure`]; the attempt is over then.
    pub fn start<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Command<'b>, ClientFailure> {
        if self.stage != Stage::New {
            self.stage = Stage::Over;
            return Err(ClientFailure::Over);
        }
        let mechanism = self.mechanism.name();
        self.stage = Stage::Over;
        let initial = self.mechanism.initial_response(buffer)?.map(SaslData::new);
        let command = Command::Auth { mechanism, initial_response: initial };
        // RFC 4954 §4: "If use of the initial response argument would cause the AUTH command to
        // exceed this length, the client MUST NOT use the initial response parameter".
        let fits = command.encoded_len() <= limits::COMMAND_LINE;
        self.stage = match initial {
            Some(_) if fits => Stage::Said,
            Some(_) => Stage::Held,
            None => Stage::Challenges,
        };
        Ok(if fits { command } else { Command::Auth { mechanism, initial_response: None } })
    }

    /// Takes the reply to the command or to a response, and returns the next step.
    pub fn receive<'b>(&mut self, reply: &Reply<'_>, buffer: &'b mut [u8]) -> ClientStep<'b> {
        let code = reply.code();
        match self.stage {
            Stage::New | Stage::Over => ClientStep::Done(Err(ClientFailure::Over)),
            _ if code == Code::AUTHENTICATION_SUCCEEDED => {
                let has_said_all = matches!(self.stage, Stage::Said | Stage::Challenges);
                let proven = has_said_all && self.mechanism.is_done();
                self.over(if proven { Ok(()) } else { Err(ClientFailure::EarlySuccess) })
            }
            Stage::Cancelled(failure) if !code.is_positive() => self.over(Err(failure)),
            _ if !code.is_positive() => self.over(Err(ClientFailure::Refused)),
            Stage::Held | Stage::Said | Stage::Challenges
                if code == Code::AUTHENTICATION_CONTINUES =>
            {
                match self.answer(reply, buffer) {
                    Ok(response) => ClientStep::Respond(Response::Data(SaslData::new(response))),
                    // A server that failed to prove its identity does not even get `*`.
                    Err(failure) if failure.is_fatal() => self.over(Err(failure)),
                    Err(failure) => {
                        self.stage = Stage::Cancelled(failure);
                        ClientStep::Respond(Response::Cancel)
                    }
                }
            }
            _ => self.over(Err(ClientFailure::Reply)),
        }
    }

    /// Returns `true` if the attempt is over.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    fn answer<'b>(
        &mut self,
        reply: &Reply<'_>,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        let challenge = challenge(reply, self.mechanism.reads_challenges())?;
        let stage = core::mem::replace(&mut self.stage, Stage::Challenges);
        let response = match (stage, challenge.is_empty()) {
            // RFC 4954 §4: where the client begins, the server first asks for its response by a
            // challenge that contains no data, "a 334 reply with no text part". One that has not
            // read the initial response does so, too, and is told it once more.
            (Stage::Held | Stage::Said, true) => {
                self.mechanism.initial_response(buffer)?.unwrap_or_default()
            }
            (Stage::Held, false) => return Err(ClientFailure::Challenge),
            _ => {
                let mut bytes = [0; CHALLENGE];
                let length = challenge.decode(&mut bytes).map_err(|_| ClientFailure::Challenge)?;
                self.mechanism.respond(bytes.get(..length).unwrap_or_default(), buffer)?
            }
        };
        let line = SaslData::new(response).encoded_len().saturating_add(2);
        if line > limits::AUTH_LINE {
            return Err(ClientFailure::ResponseTooLong);
        }
        Ok(response)
    }

    const fn over<'b>(&mut self, result: Result<(), ClientFailure>) -> ClientStep<'b> {
        self.stage = Stage::Over;
        ClientStep::Done(result)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    /// The initial response did not fit the command, and is sent as the first response.
    Held,
    /// The command had the initial response, and no challenge has come yet.
    Said,
    Challenges,
    /// `*` was sent, for this reason.
    Cancelled(ClientFailure),
    Over,
}

/// The next step of a client.
///
/// ```
/// use ehlo_sasl::{ClientExchange, ClientFailure, ClientStep, Credentials, PlainClient};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::sasl::Response;
///
/// let plain = PlainClient::new(&Credentials::password("anna", "secret")?).unwrap();
/// let (mut exchange, mut buffer) = (ClientExchange::new(plain), [0; 64]);
/// exchange.start(&mut buffer)?;
/// // PLAIN has one message, and nothing in it answers this.
/// let reply = Reply::new(Code::AUTHENTICATION_CONTINUES, "d2h5Pw==");
/// assert_eq!(exchange.receive(&reply, &mut buffer), ClientStep::Respond(Response::Cancel));
/// let reply = Reply::new(Code::ARGUMENT_SYNTAX_ERROR, "cancelled");
/// let failed = ClientStep::Done(Err(ClientFailure::Challenge));
/// assert_eq!(exchange.receive(&reply, &mut buffer), failed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStep<'b> {
    /// Send this response, and receive the reply to it.
    Respond(Response<'b>),
    /// The attempt is over.
    Done(Result<(), ClientFailure>),
}

/// The reason why an attempt to authenticate failed.
///
/// ```
/// use ehlo_sasl::ClientFailure;
///
/// assert!(ClientFailure::EarlySuccess.is_fatal() && !ClientFailure::Refused.is_fatal());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientFailure {
    /// The server refused; its reply has the reason.
    Refused,
    /// The server sent a challenge that is not base64, has more than one line, or is not one that the
    /// mechanism has at this point.
    Challenge,
    /// The server did not prove that it knows the password, or that it is the other end of the TLS
    /// connection, RFC 5802 §3.
    ServerNotAuthentic,
    /// The server asks for an unreasonable number of hash iterations.
    Iterations,
    /// The server sent 235 before the mechanism was complete, so that it has not proven anything.
    EarlySuccess,
    /// The reply is not one that AUTH may have, RFC 4954 §4.
    Reply,
    /// The response is longer than a line of 12,288 bytes, RFC 4954 §4.
    ResponseTooLong,
    /// The message does not fit in the buffer.
    BufferTooSmall,
    /// The mechanism cannot use the credentials or the channel binding.
    Credentials,
    /// The attempt is over, or was never begun.
    Over,
}

impl ClientFailure {
    /// Returns `true` if the server cannot be trusted any more: the client must send nothing else,
    /// and close.
    pub const fn is_fatal(self) -> bool {
        matches!(self, Self::EarlySuccess | Self::Reply | Self::ServerNotAuthentic)
    }
}

impl core::fmt::Display for ClientFailure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Refused => "the server refused the authentication",
            Self::Challenge => "the server sent a challenge that cannot be answered",
            Self::ServerNotAuthentic => "the server did not prove its identity",
            Self::Iterations => "the server wants an unreasonable number of iterations",
            Self::EarlySuccess => "the server reported success before it proved its identity",
            Self::Reply => "the reply does not fit AUTH",
            Self::ResponseTooLong => "the response is longer than a line of AUTH",
            Self::BufferTooSmall => "the message does not fit in the buffer",
            Self::Credentials => "the mechanism cannot use the credentials",
            Self::Over => "the attempt is over",
        })
    }
}

impl core::error::Error for ClientFailure {}

impl From<BufferTooSmall> for ClientFailure {
    fn from(_: BufferTooSmall) -> Self {
        Self::BufferTooSmall
    }
}

/// The challenge of a 334, with blanks around its base64 or without; empty if it is not read.
fn challenge<'a>(reply: &Reply<'a>, is_read: bool) -> Result<SaslData<'a>, ClientFailure> {
    let mut lines = reply.lines();
    let text = lines.next().unwrap_or_default().trim_ascii();
    // RFC 4954 §8: `continue-req = "334" SP [base64] CRLF`, which is one line.
    if lines.next().is_some() {
        return Err(ClientFailure::Challenge);
    }
    if !is_read {
        return Ok(SaslData::EMPTY);
    }
    // RFC 4954 §4: "If the client cannot BASE64 decode any of the server's challenges, it MUST
    // cancel the authentication using the "*" response."
    SaslData::parse(text).map_err(|_| ClientFailure::Challenge)
}

/// Writes to the front of `buffer` with `write`, and returns the bytes written.
pub(super) fn written(
    buffer: &mut [u8],
    write: impl FnOnce(&mut Writer<'_>),
) -> Result<&[u8], ClientFailure> {
    let mut writer = Writer::new(buffer);
    write(&mut writer);
    let length = writer.finish()?;
    buffer.get(..length).ok_or(ClientFailure::BufferTooSmall)
}

/// The longest challenge in bytes. One in a reply line within RFC 5321 §4.5.3.1.5 has less than 384;
/// OAuth errors and tickets have more.
const CHALLENGE: usize = 3072;
