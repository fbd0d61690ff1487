//! The events that a server reports to its application.

use crate::data::NewlineErrorKind;
use crate::syntax::code::{Code, EnhancedCode};
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::extension::Extension;
use crate::syntax::reply::Reply;
use crate::syntax::sasl::Response;

/// An event that a [`Server`](crate::Server) reports.
///
/// `Greeting`, `Command`, `Refused`, `EndOfChunk`, `EndOfMailData` and `AuthResponse` need a reply; the
/// machine reads nothing more before it. The other events need none.
///
/// Drop the collected content of a message at MAIL, where the next one begins. Between chunks, RSET
/// or EHLO abandons a message; other commands, such as NOOP, do not.
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::{Command, Server, ServerConfig};
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// assert_eq!(server.receive(b"").event, Event::Greeting);
/// server.reply(&server.standard_reply("mx.example"), &mut [0; 64])?;
/// assert_eq!(server.receive(b"NOO").event, Event::NeedInput);
/// assert_eq!(server.receive(b"NOOP\r\n").event, Event::Command(Command::Noop(None)));
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'i> {
    /// The input holds no whole event; read more.
    NeedInput,
    /// The connection is new: answer with the greeting, 220, or 554 to refuse it.
    Greeting,
    /// The last event still needs its reply, or in LMTP the next recipient does. If the machine has
    /// refused the message, `Refused` comes again for each recipient.
    NeedReply,
    /// A command that is valid here: the reply decides.
    Command(Command<'i>),
    /// The machine refuses. Answer with [`reply`](Refusal::reply), or with another negative reply.
    Refused(Refusal<'i>),
    /// BDAT is valid here; its bytes follow, then `EndOfChunk` or `EndOfMailData`. No answer yet.
    Chunk {
        /// The bytes of the chunk.
        size: u64,
        /// It is the last one.
        last: bool,
    },
    /// A piece of the message, without stuffed dots. The message is complete only with
    /// `EndOfMailData`: `Refused` may come instead, or after a chunk a command that abandons it.
    MailData(&'i [u8]),
    /// A chunk that is not the last is complete, RFC 3030.
    EndOfChunk,
    /// The message is complete.
    EndOfMailData {
        /// Its size in bytes, the sum of the pieces.
        size: u64,
    },
    /// A client's response within AUTH, RFC 4954.
    AuthResponse(Response<'i>),
    /// STARTTLS was accepted. Send the reply, do the TLS handshake, and call
    /// [`tls_established`](crate::Server::tls_established).
    StartTls,
    /// The session is over; flush and close.
    Closed,
}

/// A command that the machine refuses, and the reason.
///
/// ```
/// use ehlo::server::{Event, Reason};
/// use ehlo::{Server, ServerConfig};
/// use ehlo::syntax::command::Verb;
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// server.reply(&server.standard_reply("mx.example"), &mut [0; 64])?;
/// let Event::Refused(refusal) = server.receive(b"DATA\r\n").event else {
///     panic!("there is no transaction");
/// };
/// assert_eq!((refusal.verb, refusal.reason), (Verb::Data, Reason::BadSequence));
/// assert_eq!(refusal.to_string(), "DATA: bad sequence of commands");
/// server.reply(&refusal.reply(), &mut [0; 64])?;
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refusal<'i> {
    /// The refused verb; [`Verb::Other`] if none could be read.
    pub verb: Verb,
    /// The reason.
    pub reason: Reason,
    /// The place, in bytes from the start of the line or of the mail data; 0 if the reason concerns
    /// the whole.
    pub offset: u64,
    /// The command, if it could be read.
    pub command: Option<Command<'i>>,
}

impl Refusal<'_> {
    /// The standard reply. It borrows nothing from the input.
    pub const fn reply(&self) -> Reply<'static> {
        self.reason.reply_to(self.verb)
    }
}

/// The verb and the reason. The command is not shown, because it may be a secret.
impl core::fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.verb, self.reason)
    }
}

/// The reason why the machine refuses a command.
///
/// ```
/// use ehlo::syntax::command::Verb;
/// use ehlo::server::Reason;
///
/// assert_eq!(Reason::MessageTooLarge.reply_to(Verb::Mail).code().number(), 552);
/// assert_eq!(Reason::MessageTooLarge.to_string(), "message exceeds the maximum size");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The line is not in the grammar of RFC 5321 §4.1 or of the extension's RFC.
    Syntax(SyntaxErrorKind),
    /// A line over its limit that has no end after
    /// [`ServerLimits::discarded`](crate::server::ServerLimits::discarded) bytes.
    EndlessLine,
    /// The command is not valid in this state, RFC 5321 §4.1.4.
    BadSequence,
    /// DATA or BDAT without an accepted recipient, RFC 5321 §3.3.
    NoValidRecipients,
    /// A verb of another role, or of an extension that is not offered, RFC 5321 §4.2.4.
    NotImplemented,
    /// A parameter of an extension that is not offered, RFC 5321 §4.1.1.11.
    NotOffered(Extension),
    /// A parameter of no known extension, RFC 5321 §4.1.1.11.
    UnknownParameter,
    /// Bytes of another protocol: HTTP, TLS on a port without TLS, or the header of a message.
    ForeignProtocol,
    /// The client sent input before the greeting, RFC 5321 §3.1.
    EarlyTalker,
    /// Input after a command whose reply the client must await, RFC 2920 §3.1.
    OutOfTurn,
    /// More recipients than the limit, RFC 5321 §4.5.3.1.10.
    TooManyRecipients,
    /// More domains of recipients in a session than were offered, RFC 9422 §4.3.
    TooManyDomains,
    /// More messages than the limit.
    TooManyMessages,
    /// The declared or counted size is over the limit, RFC 1870 §6.
    MessageTooLarge,
    /// A refused chunk over [`ServerLimits::discarded`](crate::server::ServerLimits::discarded).
    ChunkTooLarge,
    /// Less time than the smallest by-time, RFC 2852 §3.
    ByTimeTooShort,
    /// A later release than the offer allows, or two release times, RFC 4865 §5.
    HeldTooLong,
    /// Bare CR, bare LF or NUL in the mail data, or a line over its limit, RFC 5321 §2.3.8 and
    /// §4.5.3.1.6.
    Newlines(NewlineErrorKind),
    /// TLS must be established first, RFC 3207 §4.
    TlsRequired,
    /// The client must authenticate first, RFC 4954 §6.
    AuthenticationRequired,
    /// A plaintext mechanism outside TLS, RFC 4954 §4.
    EncryptionRequired,
    /// A mechanism that is not offered, RFC 4954 §4.
    NoSuchMechanism,
    /// An initial response to a mechanism in which the server sends first, RFC 4954 §4.
    UnexpectedInitialResponse,
    /// A line of the exchange over 12,288 bytes, RFC 4954 §4.
    ResponseTooLong,
    /// The client cancelled the exchange with `*`, RFC 4954 §4.
    AuthenticationCancelled,
    /// A message of BODY=BINARYMIME must be sent by BDAT, RFC 3030 §3.
    BinaryByData,
    /// More errors, or unknown commands, than the limit.
    TooManyErrors,
    /// More commands that carry no mail forward than the limit.
    TooManyIdleCommands,
    /// The application is shutting down, RFC 5321 §3.8.
    ShuttingDown,
}

impl Reason {
    /// The standard reply to `verb`.
    pub const fn reply_to(self, verb: Verb) -> Reply<'static> {
        let (code, (class, subject, detail), text) = match self {
            Self::Syntax(kind) => {
                let (code, enhanced) = kind.reply();
                // RFC 3463 §3.2: X.1.3 is of a destination address, and X.1.7 of a sender's.
                let enhanced = match (enhanced.subject(), verb) {
                    (1, Verb::Mail) => EnhancedCode::known(5, 1, 7),
                    (1, verb) if !matches!(verb, Verb::Rcpt) => EnhancedCode::known(5, 5, 4),
                    _ => enhanced,
                };
                return Reply::enhanced(code, enhanced, kind.text());
            }
            Self::EndlessLine => {
                (Code::SYNTAX_ERROR, (5, 5, 2), SyntaxErrorKind::LineTooLong.text())
            }
            Self::BadSequence => (Code::BAD_SEQUENCE, (5, 5, 1), "bad sequence of commands"),
            Self::NoValidRecipients => (Code::TRANSACTION_FAILED, (5, 5, 1), "no valid recipients"),
            Self::NotImplemented => {
                (Code::COMMAND_NOT_IMPLEMENTED, (5, 5, 1), "command not implemented")
            }
            Self::NotOffered(_) | Self::UnknownParameter => {
                (Code::PARAMETERS_NOT_RECOGNISED, (5, 5, 4), "parameter not recognised")
            }
            Self::ForeignProtocol => (Code::SERVICE_NOT_AVAILABLE, (4, 7, 0), "this is SMTP"),
            Self::EarlyTalker | Self::OutOfTurn => {
                (Code::TRANSACTION_FAILED, (5, 5, 0), "wait for your turn to speak")
            }
            Self::TooManyRecipients => {
                (Code::INSUFFICIENT_STORAGE, (4, 5, 3), "too many recipients")
            }
            Self::TooManyDomains => {
                (Code::INSUFFICIENT_STORAGE, (4, 5, 3), "too many domains of recipients")
            }
            Self::TooManyMessages => {
                (Code::SERVICE_NOT_AVAILABLE, (4, 7, 0), "too many messages in this session")
            }
            Self::MessageTooLarge => {
                (Code::EXCEEDED_STORAGE, (5, 3, 4), "message exceeds the maximum size")
            }
            Self::ChunkTooLarge => {
                (Code::EXCEEDED_STORAGE, (5, 3, 4), "chunk exceeds the maximum size")
            }
            Self::ByTimeTooShort => {
                (Code::PARAMETERS_NOT_RECOGNISED, (5, 5, 4), "by-time is too short")
            }
            Self::HeldTooLong => {
                (Code::ARGUMENT_SYNTAX_ERROR, (5, 5, 4), "release is later than offered")
            }
            Self::Newlines(kind) => {
                let (code, enhanced) = kind.reply();
                return Reply::enhanced(code, enhanced, kind.text());
            }
            Self::TlsRequired => {
                (Code::AUTHENTICATION_REQUIRED, (5, 7, 0), "must issue a STARTTLS command first")
            }
            Self::AuthenticationRequired => {
                (Code::AUTHENTICATION_REQUIRED, (5, 7, 0), "authentication required")
            }
            Self::EncryptionRequired => (
                Code::MECHANISM_REQUIRES_ENCRYPTION,
                (5, 7, 11),
                "encryption required for authentication",
            ),
            Self::NoSuchMechanism => {
                (Code::PARAMETER_NOT_IMPLEMENTED, (5, 5, 4), "no such mechanism")
            }
            Self::UnexpectedInitialResponse => {
                (Code::ARGUMENT_SYNTAX_ERROR, (5, 7, 0), "no initial response allowed")
            }
            Self::AuthenticationCancelled => {
                (Code::ARGUMENT_SYNTAX_ERROR, (5, 7, 0), "authentication cancelled")
            }
            Self::ResponseTooLong => {
                (Code::SYNTAX_ERROR, (5, 5, 6), "authentication exchange line is too long")
            }
            Self::BinaryByData => (Code::BAD_SEQUENCE, (5, 5, 1), "BINARYMIME needs BDAT"),
            Self::TooManyErrors => (Code::SERVICE_NOT_AVAILABLE, (4, 7, 0), "too many errors"),
            Self::TooManyIdleCommands => {
                (Code::SERVICE_NOT_AVAILABLE, (4, 7, 0), "too many commands without mail")
            }
            Self::ShuttingDown => (Code::SERVICE_NOT_AVAILABLE, (4, 3, 2), "shutting down"),
        };
        Reply::enhanced(code, EnhancedCode::known(class, subject, detail), text)
    }

    /// The session must end with the reply: the input that follows cannot be trusted.
    pub(super) const fn is_fatal(self) -> bool {
        // RFC 5321 §2.3.8: only CRLF ends a line. A peer that sends something else is out of step with
        // this machine, by mistake or on purpose.
        matches!(
            self,
            Self::Syntax(SyntaxErrorKind::BareCr | SyntaxErrorKind::BareLf)
                | Self::ForeignProtocol
                | Self::OutOfTurn
                | Self::ChunkTooLarge
                | Self::EndlessLine
        )
    }
}

/// The text of the standard reply.
impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.reply_to(Verb::Other).text_str().unwrap_or_default())
    }
}
