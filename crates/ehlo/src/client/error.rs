//! The reasons for which a client refuses to send.

use crate::data::{FinishError, NewlineError};
use crate::session::State;
use crate::syntax::command::Verb;
use crate::syntax::encode::BufferTooSmall;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::extension::Extension;

/// The reason why [`Client`](crate::Client) sends nothing. It is found before a byte is written.
///
/// ```
/// use ehlo::{Client, ClientConfig, Command, SendError};
/// use ehlo::session::State;
/// use ehlo::syntax::command::Verb;
///
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// client.receive(b"220 mx.example ESMTP\r\n");
/// // RFC 5321 §4.1.4: there is no transaction.
/// let out_of_state = SendError::OutOfState { state: State::Start, verb: Verb::Data };
/// assert_eq!(client.send(&Command::Data, &mut [0; 512]), Err(out_of_state));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The session is over.
    Closed,
    /// The server has sent more replies than it owed. The next reply would count as the answer to
    /// another command, so nothing more can be sent.
    OutOfStep,
    /// TLS must be established first: [`ClientConfig::require_tls`](crate::ClientConfig).
    TlsRequired,
    /// A mechanism that needs TLS outside it, RFC 4954 §4: see
    /// [`SaslMechanism::needs_tls`](crate::syntax::sasl::SaslMechanism::needs_tls).
    EncryptionRequired,
    /// AUTH with its initial response exceeds 512 bytes: send AUTH without it, and the response
    /// after the challenge, RFC 4954 §4.
    InitialResponseTooLong,
    /// A command in flight must get its reply first, RFC 2920 §3.1.
    WaitForReply,
    /// The server does not offer PIPELINING, and a command is in flight.
    NotPipelining,
    /// The machine cannot count more commands in flight.
    WindowFull,
    /// The command is not valid in the state after the commands in flight, RFC 5321 §4.1.4.
    OutOfState {
        /// That state.
        state: State,
        /// The command.
        verb: Verb,
    },
    /// The server did not offer the extension that the command, or a parameter of it, needs.
    NotOffered(Extension),
    /// A parameter that no extension defines, and that no keyword of
    /// [`ClientConfig::offers`](crate::ClientConfig::offers) which the server offers licenses.
    UnknownParameter,
    /// A parameter of MAIL that excludes another one or appears twice, RFC 5321 §4.1.1.11.
    Parameter(SyntaxErrorKind),
    /// More parameters of MAIL than a [`Delivery`](crate::Delivery) can send.
    TooManyParameters,
    /// The declared size exceeds the server's limit, RFC 1870 §6.
    MessageTooLarge,
    /// More recipients than the server's RCPTMAX, RFC 9422 §4.2.
    TooManyRecipients,
    /// More domains of recipients in this session than the server's RCPTDOMAINMAX, RFC 9422 §4.3.
    TooManyDomains,
    /// More messages than the server's MAILMAX, RFC 9422 §4.1.
    TooManyMessages,
    /// The address needs SMTPUTF8 on the MAIL command of its transaction, RFC 6531 §3.4.
    NeedsSmtpUtf8,
    /// The server does not offer SMTPUTF8, and only the domain of the address needs it. The address
    /// can be sent with the domain in A-labels, RFC 5890 §2.3.2.1: `xn--bcher-kva.example` is
    /// `bücher.example`.
    NeedsALabels,
    /// The line would be longer than RFC 5321 §4.5.3.1.4 and its parameters allow, or within AUTH
    /// than RFC 4954 §4 allows.
    LineTooLong,
    /// A local part of more than 64 bytes, or a path of more than 256: a server need not accept it,
    /// RFC 5321 §4.5.3.1. A client with [`Policy::any_length`](crate::Policy::any_length) in its
    /// policy sends it.
    PathTooLong,
    /// A message of BODY=BINARYMIME must be sent by BDAT, RFC 3030 §3.
    BinaryByData,
    /// A chunk has fewer or more bytes than its BDAT declared, RFC 3030 §2.
    ChunkIncomplete,
    /// The reply to DATA was 354 although no recipient was accepted: only the end may be sent, RFC
    /// 2920 §3.1.
    NoRecipients,
    /// A byte above 127 in content that was not declared as 8BITMIME or BINARYMIME, RFC 6152 §3.
    EightBitContent,
    /// Bare CR, bare LF or NUL in the content, RFC 5321 §2.3.8.
    Newlines(NewlineError),
    /// The content is not available: the caller's reason to [abandon](crate::Delivery::abandon) a
    /// message.
    NoContent,
    /// The command does not fit.
    BufferTooSmall(BufferTooSmall),
}

impl core::fmt::Display for SendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Closed => "the session is over",
            Self::OutOfStep => "the server sent more replies than it owed",
            Self::TlsRequired => "TLS must be established first",
            Self::EncryptionRequired => "the mechanism needs TLS",
            Self::InitialResponseTooLong => "the initial response is too long for the line of AUTH",
            Self::WaitForReply => "the client must wait for a reply first",
            Self::NotPipelining => "the server does not offer PIPELINING",
            Self::WindowFull => "too many commands in flight",
            Self::OutOfState { state, verb } => {
                return write!(f, "{verb:?} is not valid in the state {state:?}");
            }
            Self::NotOffered(extension) => {
                return write!(f, "the server does not offer {}", extension.keyword());
            }
            Self::UnknownParameter => "a parameter that no extension defines",
            Self::Parameter(kind) => kind.text(),
            Self::TooManyParameters => "too many parameters",
            Self::MessageTooLarge => "the message is over the server's maximum size",
            Self::TooManyRecipients => "more recipients than the server's limit",
            Self::TooManyDomains => "more domains of recipients than the server's limit",
            Self::TooManyMessages => "more messages than the server's limit",
            Self::NeedsSmtpUtf8 => "the address needs SMTPUTF8",
            Self::NeedsALabels => "the domain of the address needs A-labels",
            Self::LineTooLong => "the line is too long",
            Self::PathTooLong => "the local part or the path is too long",
            Self::BinaryByData => "a binary message needs BDAT",
            Self::ChunkIncomplete => "the content does not have the size of its chunk",
            Self::NoRecipients => "no recipient was accepted",
            Self::EightBitContent => "8-bit content that was not declared",
            Self::NoContent => "the content is not available",
            Self::Newlines(error) => return error.fmt(f),
            Self::BufferTooSmall(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for SendError {}

impl From<BufferTooSmall> for SendError {
    fn from(error: BufferTooSmall) -> Self {
        Self::BufferTooSmall(error)
    }
}

impl From<NewlineError> for SendError {
    fn from(error: NewlineError) -> Self {
        Self::Newlines(error)
    }
}

impl From<FinishError> for SendError {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::BufferTooSmall(error) => Self::BufferTooSmall(error),
            FinishError::Newline(error) => Self::Newlines(error),
        }
    }
}
