//! The end of a session.

use core::fmt;

use ehlo::delivery::{Event, UnusableSession};
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Reply, SyntaxError};

/// The end of a session: after all messages were begun, or before that.
///
/// Every message that was begun has its outcomes, however the session ended. A message that was not
/// begun has no outcome, and can be sent over another connection:
/// [`MessageQueue::into_unsent`](super::MessageQueue::into_unsent) returns these messages.
///
/// ```
/// use ehlo_io::{SessionEnd, EndReason};
///
/// let ended = SessionEnd::Early(EndReason::Closed);
/// if let SessionEnd::Early(reason) = ended {
///     assert_eq!(reason.to_string(), "the server closed the connection");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "messages may not have been begun"]
pub enum SessionEnd {
    /// [`MessageSource::envelope`](super::MessageSource::envelope) returned `None`: every message
    /// was begun.
    Done,
    /// The messages said that there is no more for now: every message was begun, and the session
    /// goes on when `deliver` is called again.
    Idle,
    /// The session ended before that; there may be messages that were not begun.
    Early(EndReason),
}

impl SessionEnd {
    /// Returns `Ok` if every message was begun, and an early end as an error.
    ///
    /// ```
    /// use ehlo_io::{SessionEnd, EndReason};
    ///
    /// assert_eq!(SessionEnd::Done.into_result(), Ok(()));
    /// assert_eq!(SessionEnd::Early(EndReason::Closed).into_result(), Err(EndReason::Closed));
    /// ```
    ///
    /// # Errors
    ///
    /// The [`EndReason`] of an early end.
    pub const fn into_result(self) -> Result<(), EndReason> {
        match self {
            Self::Done | Self::Idle => Ok(()),
            Self::Early(why) => Err(why),
        }
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("every message was begun"),
            Self::Idle => f.write_str("every message was begun, and the session is kept"),
            Self::Early(reason) => reason.fmt(f),
        }
    }
}

/// The reason why a session ended before all messages were begun. If there are several reasons and
/// one is a refusal, it is the refusal, which says more than the others.
///
/// ```
/// use ehlo::Code;
/// use ehlo::syntax::command::Verb;
/// use ehlo::syntax::code::EnhancedCode;
/// use ehlo_io::EndReason;
///
/// let code = Code::new(554).expect("a code");
/// let why = EndReason::Refused { to: Verb::Greeting, code, enhanced_code: EnhancedCode::new(5, 7, 1) };
/// assert_eq!(why.to_string(), "the server refused the session: 554 5.7.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The session takes no envelope, or no further ones.
    Unusable(UnusableSession),
    /// The server refused the session, RFC 5321 §3.1, or a command that every envelope needs.
    Refused {
        /// The refused command; [`Verb::Greeting`] means the session.
        to: Verb,
        /// The code of the reply.
        code: Code,
        /// The enhanced status code of the reply; `None` if it had no such code.
        enhanced_code: Option<EnhancedCode>,
    },
    /// The server sent a reply to no command, such as the 421 with which it shuts down, RFC 5321 §3.8.
    Unsolicited {
        /// The code of the reply.
        code: Code,
        /// The enhanced status code of the reply; `None` if it had no such code.
        enhanced_code: Option<EnhancedCode>,
    },
    /// The bytes from the server are not a reply.
    Violation(SyntaxError),
    /// The server closed the connection and gave no reason. A broken connection is an error of
    /// `deliver` instead.
    Closed,
}

impl EndReason {
    /// A refusal before the first envelope, if `reply` is one.
    pub(super) fn refusal(to: Verb, reply: &Reply<'_>) -> Option<Self> {
        let (code, enhanced_code) = (reply.code(), reply.enhanced_code());
        (!code.is_positive()).then_some(Self::Refused { to, code, enhanced_code })
    }

    /// The meaning of `event` for the end of the session.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let codes = |reply: &Reply<'_>| (reply.code(), reply.enhanced_code());
        Some(match event {
            Event::Unusable(unusable) => Self::Unusable(*unusable),
            Event::Refused { part: None, to, reply } => {
                let (code, enhanced_code) = codes(reply);
                Self::Refused { to: *to, code, enhanced_code }
            }
            // RFC 5321 §4.2.3: 421 "may be a reply to any command if the service knows it must shut
            // down".
            Event::Recipient { reply, .. } if is_farewell(reply) => {
                let (code, enhanced_code) = codes(reply);
                Self::Refused { to: Verb::Rcpt, code, enhanced_code }
            }
            Event::Message { reply, .. } if is_farewell(reply) => {
                let (code, enhanced_code) = codes(reply);
                Self::Refused { to: Verb::Message, code, enhanced_code }
            }
            Event::Refused { to, reply, .. } if is_farewell(reply) => {
                let (code, enhanced_code) = codes(reply);
                Self::Refused { to: *to, code, enhanced_code }
            }
            Event::Unsolicited(reply) => {
                let (code, enhanced_code) = codes(reply);
                Self::Unsolicited { code, enhanced_code }
            }
            Event::Violation(error) => Self::Violation(*error),
            Event::Closed => Self::Closed,
            _ => return None,
        })
    }
}

fn is_farewell(reply: &Reply<'_>) -> bool {
    reply.code() == Code::SERVICE_NOT_AVAILABLE
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, code, enhanced_code) = match self {
            Self::Unusable(unusable) => return unusable.fmt(f),
            Self::Violation(error) => return write!(f, "the server sent no valid reply: {error}"),
            Self::Closed => return f.write_str("the server closed the connection"),
            Self::Unsolicited { code, enhanced_code } => {
                ("the server ended the session", code, enhanced_code)
            }
            Self::Refused { to, code, enhanced_code } => {
                let what = match to {
                    Verb::Ehlo => "EHLO was refused",
                    Verb::Helo => "HELO was refused",
                    Verb::Lhlo => "LHLO was refused",
                    Verb::StartTls => "STARTTLS was refused",
                    Verb::Auth | Verb::AuthResponse => "AUTH was refused",
                    _ => "the server refused the session",
                };
                (what, code, enhanced_code)
            }
        };
        write!(f, "{what}: {code}")?;
        enhanced_code.map_or(Ok(()), |enhanced_code| write!(f, " {enhanced_code}"))
    }
}

impl core::error::Error for EndReason {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use crate::deliver::session_end::EndReason;
    use ehlo::delivery::Event;
    use ehlo::syntax::command::Verb;
    use ehlo::{Code, Reply};

    #[test]
    fn a_reply_to_nothing_is_a_reason_and_one_to_a_command_is_none() {
        let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "4.3.2 down");
        let why = EndReason::of(&Event::Unsolicited(reply)).expect("a reason");
        assert_eq!(why.to_string(), "the server ended the session: 421 4.3.2");
        assert_eq!(EndReason::of(&Event::Reply { to: Verb::Noop, reply }), None);
    }
}
