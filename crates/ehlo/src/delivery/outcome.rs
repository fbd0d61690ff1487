//! The outcome of one recipient.

use crate::client::error::SendError;
use crate::delivery::event::UnusableSession;
use crate::syntax::code::{Code, EnhancedCode, Severity};
use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::reply::Reply;

/// The fate of the message for one recipient.
///
/// ```
/// use ehlo::delivery::{Fate, Outcome};
///
/// /// Whether another attempt makes sense.
/// fn is_to_try_again(outcome: &Outcome) -> bool {
///     matches!(outcome.fate, Fate::Pending | Fate::Deferred)
/// }
///
/// assert!(is_to_try_again(&Outcome::PENDING));
/// assert_eq!(Fate::Deferred.to_string(), "deferred");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Not decided yet.
    Pending,
    /// The server accepted the message for this recipient and is responsible for it now.
    Accepted,
    /// The message was not accepted, and the cause may go away: try again later.
    Deferred,
    /// The message will not be accepted as it is: do not try again.
    Refused,
    /// The session broke after the message was complete and before the server answered: the server
    /// may have delivered it, or not.
    Unknown,
}

impl core::fmt::Display for Fate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}

/// The fate of the message for one recipient, and its cause.
///
/// A refusal of the message, of an address or of the credentials is the server's decision, and
/// permanent if the server says so: a wrong password does not become right. A missing mechanism, TLS
/// or extension may be there later, so the mail is deferred.
///
/// | event | `fate` | `cause` | `stage` | `code` |
/// | --- | --- | --- | --- | --- |
/// | 2yz to the message | accepted | `Reply` | `Message` | the reply's |
/// | 4yz to the greeting, EHLO, HELO, MAIL, RCPT, DATA, a chunk or the message | deferred | `Reply` | that | the reply's |
/// | 5yz to the greeting, HELO, LHLO, MAIL, RCPT, DATA, a chunk or the message | refused | `Reply` | that | the reply's |
/// | 552 to RCPT, "too many recipients", RFC 5321 §4.5.3.1.10 | deferred | `Reply` | `Rcpt` | 552 |
/// | a 2yz or 3yz that does not fit the command | deferred | `Reply` | that | the reply's |
/// | 5yz to EHLO if no HELO follows: TLS or authentication is required, or the policy forbids HELO | deferred | `Reply` | `Ehlo` | the reply's |
/// | STARTTLS is required and not offered | deferred | `Unusable(TlsNotOffered)` | `StartTls` | `None` |
/// | STARTTLS is required and refused | deferred | `Reply` | `StartTls` | the reply's |
/// | the TLS handshake fails or is not begun, or plaintext bytes arrive before it | deferred | `Unusable` | `Handshake` | `None` |
/// | authentication is required, and the server offers no usable mechanism, for example NTLM alone | deferred | `Unusable(AuthNotOffered)` | `Auth` | `None` |
/// | authentication is required, and the server refuses the credentials: 535 or another 5yz | refused | `Reply` | `Auth` | the reply's |
/// | authentication is required, and the server refuses it for now, for example by 454, or refuses each mechanism, by 504 or 534 | deferred | `Reply` | `Auth` | the last reply's |
/// | the client cancels its attempt to authenticate, and the server answers 501 | deferred | `Unusable(NotAuthenticated)` or `Reply` | `Auth` | 501 |
/// | the server did not prove its identity, RFC 5802 §3 | deferred | `Unusable(ServerNotAuthentic)` | `Auth` | `None` |
/// | this side does not send the message: see [`SendError`] | refused; deferred for limits of the session | `NotSent` | the command | `None` |
/// | the session ends before the server answers one of its commands | deferred | `NoReply` | the command | `None` |
/// | the session ends before the server answers the message | unknown | `NoReply` | `Message` | `None` |
/// | the session ends when no reply is due | deferred | `Ended` | the command answered last | `None` |
/// | the server sends a reply to no command, such as a 421 at its shutdown | deferred | `Unsolicited` | the command answered last | the reply's, if it is a refusal |
/// | the bytes from the server are not a reply | deferred, or unknown behind the message | `Violation` | the command answered last, or the one without an answer | `None` |
///
/// ```
/// use ehlo::delivery::{Cause, Event, Fate, Outcome, Outcomes};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
/// use ehlo::syntax::code::EnhancedCode;
///
/// let mut memory = [Outcome::PENDING];
/// let mut outcomes = Outcomes::begin(&mut memory, 0).expect("nothing is decided");
/// let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "5.1.1 no such user");
/// outcomes.record(&Event::Recipient { envelope: 0, index: 0, reply });
/// let [outcome] = memory;
/// assert_eq!((outcome.fate, outcome.stage), (Fate::Refused, Verb::Rcpt));
/// assert_eq!(outcome.cause, Cause::Reply);
/// assert_eq!(outcome.enhanced_code, EnhancedCode::new(5, 1, 1));
/// assert_eq!(outcome.to_string(), "refused by the reply to RCPT: 550 5.1.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The fate of the message for the recipient.
    pub fate: Fate,
    /// The cause of the fate.
    pub cause: Cause,
    /// The command that was answered, left unanswered, or not sent.
    pub stage: Verb,
    /// The code of the reply that decided, or of the last refusal before the machine gave up.
    pub code: Option<Code>,
    /// The enhanced status code of that reply; `None` if it had no such code.
    pub enhanced_code: Option<EnhancedCode>,
}

/// The cause of an [`Outcome`].
///
/// ```
/// use ehlo::delivery::{Cause, Outcome};
///
/// assert_eq!(Outcome::PENDING.cause, Cause::Pending);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Not decided yet.
    Pending,
    /// A reply of the server.
    Reply,
    /// The machine did not send something, for example 8-bit content in an envelope that declares
    /// 7-bit.
    NotSent(SendError),
    /// The session took no envelope.
    Unusable(UnusableSession),
    /// The session ended before the reply.
    NoReply,
    /// The session ended while no reply was due.
    Ended,
    /// The server sent more replies than it owed.
    Unsolicited,
    /// The bytes from the server are not a reply.
    Violation(SyntaxErrorKind),
}

impl Outcome {
    /// Not decided yet.
    pub const PENDING: Self = Self {
        fate: Fate::Pending,
        cause: Cause::Pending,
        stage: Verb::Greeting,
        code: None,
        enhanced_code: None,
    };

    pub(super) fn of(stage: Verb, reply: &Reply<'_>) -> Self {
        let fate = match reply.severity() {
            // RFC 5321 §4.2.5: only the 250 after the mail data takes the responsibility.
            Severity::PositiveCompletion if matches!(stage, Verb::Message | Verb::BdatLast) => {
                Fate::Accepted
            }
            // Once an outcome is decided, no step follows a 2yz or 3yz that does not accept the
            // message.
            Severity::TransientNegative
            | Severity::PositiveIntermediate
            | Severity::PositiveCompletion => Fate::Deferred,
            // RFC 5321 §4.5.3.1.10: 552 to RCPT is "too many recipients", and temporary.
            Severity::PermanentNegative if stage == Verb::Rcpt && reply.code().number() == 552 => {
                Fate::Deferred
            }
            // These speak of the session, not of the mail.
            Severity::PermanentNegative if matches!(stage, Verb::Ehlo | Verb::StartTls) => {
                Fate::Deferred
            }
            // RFC 4954 §4 and §6: 501 answers a client that cancels, the others speak of the mechanism.
            Severity::PermanentNegative
                if matches!(
                    (stage, reply.code().number()),
                    (Verb::AuthResponse, 501)
                        | (Verb::Auth | Verb::AuthResponse, 504 | 524 | 534 | 538)
                ) =>
            {
                Fate::Deferred
            }
            Severity::PermanentNegative => Fate::Refused,
        };
        Self { fate, cause: Cause::Reply, ..Self::PENDING }.answered(stage, reply)
    }

    /// The same with this reply's codes.
    fn answered(self, to: Verb, reply: &Reply<'_>) -> Self {
        let stage = match to {
            Verb::AuthResponse => Verb::Auth,
            verb => verb,
        };
        Self { stage, code: Some(reply.code()), enhanced_code: reply.enhanced_code(), ..self }
    }

    /// Records a reply about the session, as long as no reply concerns the recipient.
    pub(super) fn note(&mut self, to: Verb, reply: &Reply<'_>) {
        if self.cause == Cause::Pending {
            *self = self.answered(to, reply);
            if reply.code().is_positive() {
                (self.code, self.enhanced_code) = (None, None);
            }
        }
    }

    pub(super) fn is_one_too_many(&self) -> bool {
        let number = self.code.map(Code::number);
        self.stage == Verb::Rcpt && matches!(number, Some(452 | 552))
    }
}

impl core::fmt::Display for Outcome {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let stage = Stage(self.stage);
        self.fate.fmt(f)?;
        match self.cause {
            Cause::Pending => {}
            Cause::Reply if self.stage == Verb::Greeting => f.write_str(" by the greeting")?,
            Cause::Reply => write!(f, " by the reply to {stage}")?,
            Cause::NotSent(error) => write!(f, ", {stage} was not sent: {error}")?,
            Cause::Unusable(unusable) => write!(f, ", nothing was sent: {unusable}")?,
            Cause::NoReply if self.stage == Verb::Greeting => f.write_str(", no greeting came")?,
            Cause::NoReply => write!(f, ", no reply to {stage}")?,
            Cause::Ended => write!(f, ", the session ended after {stage}")?,
            Cause::Unsolicited => write!(f, ", the server ended the session after {stage}")?,
            Cause::Violation(kind) => {
                write!(f, ", the server sent no valid reply: {}", kind.text())?;
            }
        }
        if let Some(code) = self.code {
            write!(f, ": {code}")?;
        }
        if let Some(code) = self.enhanced_code {
            write!(f, " {code}")?;
        }
        Ok(())
    }
}

/// The name of a verb in a sentence.
struct Stage(Verb);

impl core::fmt::Display for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self.0 {
            Verb::Greeting => "the greeting",
            Verb::Ehlo => "EHLO",
            Verb::Helo => "HELO",
            Verb::Lhlo => "LHLO",
            Verb::StartTls => "STARTTLS",
            Verb::Handshake => "the TLS handshake",
            Verb::Auth | Verb::AuthResponse => "AUTH",
            Verb::Mail => "MAIL",
            Verb::Rcpt => "RCPT",
            Verb::Data => "DATA",
            Verb::Message => "the message",
            Verb::Bdat | Verb::BdatLast => "BDAT",
            Verb::Rset => "RSET",
            Verb::Quit => "QUIT",
            other => return write!(f, "{other:?}"),
        })
    }
}
