//! Why a client refuses to send.

use crate::data::{FinishError, NewlineError};
use crate::session::State;
use crate::syntax::command::Verb;
use crate::syntax::encode::BufferTooSmall;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::extension::Extension;

/// Why [`Client`](crate::Client) sends nothing. Each is found before a byte is written.
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
    /// The server has said more than it was asked, so what it says next would be taken for the
    /// answer to something else: nothing more can be sent.
    OutOfStep,
    /// TLS must be established first, by [`ClientConfig::require_tls`](crate::ClientConfig).
    TlsRequired,
    /// A mechanism that needs TLS outside it, RFC 4954 §4: see
    /// [`SaslMechanism::needs_tls`](crate::syntax::sasl::SaslMechanism::needs_tls).
    EncryptionRequired,
    /// AUTH with its initial response is over 512 bytes: send it without, and the response after
    /// the challenge, RFC 4954 §4.
    InitialResponseTooLong,
    /// A command in flight must be answered first, RFC 2920 §3.1.
    WaitForReply,
    /// The server does not offer PIPELINING, and a command is in flight.
    NotPipelining,
    /// As many commands as the machine can count are in flight.
    WindowFull,
    /// The command is not valid in the state that the commands in flight lead to, RFC 5321 §4.1.4.
    OutOfState {
        /// That state.
        state: State,
        /// The command.
        verb: Verb,
    },
    /// The server did not offer the extension that the command, or a parameter of it, needs.
    NotOffered(Extension),
    /// A parameter that no extension defines.
    UnknownParameter,
    /// A parameter of MAIL that cannot stand beside the others, as one that is given twice, RFC
    /// 5321 §4.1.1.11.
    Parameter(SyntaxErrorKind),
    /// More parameters of MAIL than a [`Delivery`](crate::Delivery) can put together.
    TooManyParameters,
    /// The declared size is over the server's limit, RFC 1870 §6.
    MessageTooLarge,
    /// More recipients than the server's RCPTMAX, RFC 9422.
    TooManyRecipients,
    /// The recipients of this session have as many domains as the server's RCPTDOMAINMAX, RFC 9422.
    TooManyDomains,
    /// More messages than the server's MAILMAX, RFC 9422.
    TooManyMessages,
    /// The address needs SMTPUTF8 on the MAIL command of its transaction, RFC 6531 §3.4.
    NeedsSmtpUtf8,
    /// The server does not offer SMTPUTF8, and nothing but the domain of the address needs it: with the
    /// domain in A-labels, RFC 5890 §2.3.2.1, the address can be sent. `xn--bcher-kva.example` is
    /// `bücher.example`.
    NeedsALabels,
    /// The line would be longer than RFC 5321 §4.5.3.1.4, with what its parameters add, or within
    /// AUTH RFC 4954 §4 allows.
    LineTooLong,
    /// A local part of more than 64 bytes, or a path of more than 256: a server need not take it, RFC
    /// 5321 §4.5.3.1. [`Policy::any_length`](crate::Policy) of the client's policy sends it.
    PathTooLong,
    /// A message of BODY=BINARYMIME goes by BDAT only, RFC 3030 §3.
    BinaryByData,
    /// The bytes of a chunk are still to be sent, or more than it has, RFC 3030 §2.
    ChunkIncomplete,
    /// DATA was answered 354 though no recipient was accepted: nothing but the end may be sent, RFC 2920
    /// §3.1.
    NoRecipients,
    /// A byte above 127 in content that was not announced as 8BITMIME or BINARYMIME, RFC 6152 §3.
    EightBitContent,
    /// Bare CR, bare LF or NUL in the content, RFC 5321 §2.3.8.
    Newlines(NewlineError),
    /// The content could not be had: the caller's own reason to [abandon](crate::Delivery::abandon)
    /// a message.
    NoContent,
    /// The command does not fit.
    BufferTooSmall(BufferTooSmall),
}

impl core::fmt::Display for SendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Closed => "the session is over",
            Self::OutOfStep => "the server has said more than it was asked",
            Self::TlsRequired => "TLS must be established first",
            Self::EncryptionRequired => "the mechanism needs TLS",
            Self::InitialResponseTooLong => "the initial response is too long for the line of AUTH",
            Self::WaitForReply => "a reply must be awaited first",
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
            Self::ChunkIncomplete => "the chunk has another size",
            Self::NoRecipients => "no recipient was accepted",
            Self::EightBitContent => "8-bit content that was not announced",
            Self::NoContent => "the content could not be had",
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
