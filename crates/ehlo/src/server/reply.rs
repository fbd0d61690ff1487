//! The server's writing half: replies.

use super::config::Role;
use super::server::{Pending, Server};
use crate::session::{self, State};
use crate::syntax::capability::Capability;
use crate::syntax::code::{Code, EnhancedCode, Severity};
use crate::syntax::command::Verb;
use crate::syntax::encode::{BufferTooSmall, Encode as _, Writer};
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::reply::{Reply, put_code};
use crate::syntax::sasl::{Challenge, SaslData};

impl Server {
    /// Writes the reply to the pending command into `out`, moves the state accordingly, and returns
    /// the length in bytes. 250 accepts, 4yz and 5yz refuse, 354 and 334 continue, 421 closes.
    ///
    /// The machine adds the list of extensions to EHLO and LHLO. If ENHANCEDSTATUSCODES is offered, it
    /// adds an enhanced status code to a reply without one; otherwise it removes the code.
    ///
    /// The code must be one that RFC 5321 §4.3.2, or the extension's RFC, lists for the command
    /// ([`session::may_answer`]), unless [`Policy::any_reply_code`](crate::Policy::any_reply_code)
    /// allows others. A command that the machine refuses cannot be accepted. A 334 to AUTH must be
    /// a [`Challenge`]; [`challenge`](Self::challenge) writes one of any length.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the state is then unchanged.
    pub fn reply(&mut self, reply: &Reply<'_>, out: &mut [u8]) -> Result<usize, ReplyError> {
        let pending = self.pending.ok_or(ReplyError::NothingPending)?;
        let (verb, code) = (pending.verb, reply.code());
        if !self.may_answer(pending, code) {
            return Err(ReplyError::NotAllowed { verb, code });
        }
        if code == Code::AUTHENTICATION_CONTINUES && is_auth(verb) {
            if let Ok(Challenge(data)) = Challenge::from_reply(reply) {
                return self.challenge(&data, out);
            }
            if !self.config.policy.any_reply_code {
                return Err(ReplyError::NotAllowed { verb, code });
            }
        }
        let mut writer = Writer::new(out);
        if matches!(verb, Verb::Ehlo | Verb::Lhlo) && code.is_positive() {
            write_ehlo(reply, self.offered().iter(), &mut writer);
        } else {
            self.dressed(verb, reply).write(&mut writer, self.writes_enhanced(verb, code), false);
        }
        let written = writer.finish().map_err(ReplyError::BufferTooSmall)?;
        self.apply(pending, code);
        Ok(written)
    }

    /// Writes a challenge to the pending AUTH, or to the pending response within it, into `out`, and
    /// returns its length in bytes: `334 ` and the base64 of `data` in one line, however long it
    /// is. RFC 4954 §4.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the state is then unchanged. [`ReplyError::ChallengeTooLong`] for a line of
    /// more than [`limits::AUTH_LINE`] bytes.
    pub fn challenge(&mut self, data: &SaslData<'_>, out: &mut [u8]) -> Result<usize, ReplyError> {
        let pending = self.pending.ok_or(ReplyError::NothingPending)?;
        let (verb, code) = (pending.verb, Code::AUTHENTICATION_CONTINUES);
        if !is_auth(verb) || !self.may_answer(pending, code) {
            return Err(ReplyError::NotAllowed { verb, code });
        }
        let challenge = Challenge(*data);
        if challenge.encoded_len() > limits::AUTH_LINE {
            return Err(ReplyError::ChallengeTooLong);
        }
        let written = challenge.encode(out).map_err(ReplyError::BufferTooSmall)?;
        self.apply(pending, code);
        Ok(written)
    }

    /// Ends the session with a 421, with or without a pending command, for example at a shutdown or
    /// after a timeout, RFC 5321 §3.8. Returns the number of bytes written to `out`.
    ///
    /// # Errors
    ///
    /// [`ReplyError::NotAllowed`] for another code, and as [`reply`](Self::reply);
    /// [`ReplyError::NothingPending`] if no reply may follow: the session is over, by 221 or 421 or
    /// because the client has left, or STARTTLS was accepted and the connection belongs to TLS.
    pub fn close(&mut self, reply: &Reply<'_>, out: &mut [u8]) -> Result<usize, ReplyError> {
        let verb = self.pending().unwrap_or(Verb::Other);
        if reply.code() != Code::SERVICE_NOT_AVAILABLE {
            return Err(ReplyError::NotAllowed { verb, code: reply.code() });
        }
        if matches!(self.state, State::Closed | State::Tls) {
            return Err(ReplyError::NothingPending);
        }
        let pending = Pending { verb, marks: Pending::ANNOUNCED, refused: None, owed: 1 };
        self.longer = 0;
        let before = self.pending.replace(pending);
        self.reply(reply, out).inspect_err(|_| self.pending = before)
    }

    /// The usual reply to the pending command: the greeting, the name to EHLO and HELO, 250 to
    /// MAIL, RCPT, RSET and NOOP, 354 to DATA, 252 to VRFY, 221 to QUIT, 502 to commands that are
    /// not implemented, and the reply of the [`Refusal`](crate::server::Refusal) if the machine
    /// refuses. `host` is the name of this server, a domain or an address literal.
    ///
    /// It never accepts a message: the reply to the end of the mail data is 451. An application
    /// that has taken the message answers with [`ACCEPTED`], or a 250 with its own text.
    pub fn standard_reply<'a>(&self, host: &'a str) -> Reply<'a> {
        let Some(pending) = self.pending else {
            return Reply::new(Code::SERVICE_NOT_AVAILABLE, "").with_domain(host);
        };
        if let Some(reason) = pending.refused {
            return reason.reply_to(pending.verb);
        }
        let (code, text) = match pending.verb {
            // XCLIENT_README: the 220 to XCLIENT is the greeting of a new session.
            Verb::Greeting | Verb::Xclient => {
                let text = match self.config.role {
                    Role::Lmtp => "LMTP ready",
                    Role::Smtp | Role::Submission => "ESMTP ready",
                };
                return Reply::new(Code::SERVICE_READY, text).with_domain(host);
            }
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => {
                return Reply::new(Code::OK, "").with_domain(host);
            }
            Verb::Quit => {
                return Reply::enhanced(
                    Code::SERVICE_CLOSING,
                    EnhancedCode::known(2, 0, 0),
                    "closing",
                )
                .with_domain(host);
            }
            Verb::Mail => (Code::OK, (2, 1, 0, "sender ok")),
            Verb::Rcpt => (Code::OK, (2, 1, 5, "recipient ok")),
            Verb::Data => (Code::START_MAIL_INPUT, (2, 0, 0, "end data with <CRLF>.<CRLF>")),
            Verb::Bdat => (Code::OK, (2, 6, 0, "chunk taken")),
            // RFC 5321 §6.1: a 250 makes the server responsible for the message.
            Verb::Message | Verb::BdatLast => (Code::LOCAL_ERROR, (4, 3, 0, "message not taken")),
            Verb::Vrfy => (Code::CANNOT_VERIFY, (2, 5, 0, "cannot verify, but will try")),
            Verb::Help => (Code::HELP_MESSAGE, (2, 0, 0, "see RFC 5321")),
            Verb::Noop | Verb::Rset | Verb::Xforward => (Code::OK, (2, 0, 0, "ok")),
            Verb::StartTls => (Code::SERVICE_READY, (2, 0, 0, "ready to start TLS")),
            Verb::Auth => (Code::PARAMETER_NOT_IMPLEMENTED, (5, 5, 4, "no such mechanism")),
            Verb::AuthResponse => (Code::CREDENTIALS_INVALID, (5, 7, 8, "authentication failed")),
            Verb::Other => (Code::SYNTAX_ERROR, (5, 5, 2, "command unrecognised")),
            _ => (Code::COMMAND_NOT_IMPLEMENTED, (5, 5, 1, "command not implemented")),
        };
        let (class, subject, detail, text) = text;
        Reply::enhanced(code, EnhancedCode::known(class, subject, detail), text)
    }

    fn may_answer(&self, pending: Pending, code: Code) -> bool {
        if pending.refused.is_some() && code.is_positive() {
            return false;
        }
        // RFC 6409 §7: 521 is not for submission.
        if self.config.role == Role::Submission && code == Code::HOST_ACCEPTS_NO_MAIL {
            return false;
        }
        self.config.policy.any_reply_code || session::may_answer(pending.verb, code)
    }

    /// RFC 2034 §4: every 2yz, 4yz and 5yz has an enhanced status code, except the greeting and the
    /// replies to HELO and EHLO.
    fn writes_enhanced(&self, verb: Verb, code: Code) -> bool {
        let without = match verb {
            Verb::Greeting | Verb::Ehlo | Verb::Helo => true,
            // RFC 2033 §4.1: it is EHLO here, and unknown elsewhere.
            Verb::Lhlo => self.config.role == Role::Lmtp,
            // The 220 to XCLIENT is a greeting.
            Verb::Xclient => code.is_positive(),
            _ => false,
        };
        !without && self.config.offered.contains(Extension::EnhancedStatusCodes)
    }

    fn dressed<'a>(&self, verb: Verb, reply: &Reply<'a>) -> Reply<'a> {
        let class = match reply.severity() {
            Severity::PositiveCompletion => 2,
            Severity::TransientNegative => 4,
            Severity::PermanentNegative => 5,
            Severity::PositiveIntermediate => return *reply,
        };
        if reply.enhanced_code().is_none() && self.writes_enhanced(verb, reply.code()) {
            reply.with_enhanced_code(EnhancedCode::known(class, 0, 0))
        } else {
            *reply
        }
    }
}

/// The reply that accepts a message at the end of its mail data. RFC 5321 §6.1: it makes the server
/// responsible for delivering the message, or for reporting that it could not.
///
/// ```
/// use ehlo::server::ACCEPTED;
///
/// assert_eq!(ACCEPTED.to_string(), "250 2.6.0 accepted");
/// ```
pub const ACCEPTED: Reply<'static> =
    Reply::enhanced(Code::OK, EnhancedCode::known(2, 6, 0), "accepted");

/// An error of [`Server::reply`]: nothing was written.
///
/// ```
/// use ehlo::{Code, Reply, ReplyError, Server, ServerConfig};
/// use ehlo::syntax::command::Verb;
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// let (verb, code) = (Verb::Greeting, Code::START_MAIL_INPUT);
/// let answer = server.reply(&Reply::new(code, "go ahead"), &mut [0; 64]);
/// assert_eq!(answer, Err(ReplyError::NotAllowed { verb, code }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// No command is pending.
    NothingPending,
    /// The code does not answer this verb, RFC 5321 §4.3.2, or accepts a command that the machine
    /// refused.
    NotAllowed {
        /// The pending verb.
        verb: Verb,
        /// The code of the reply.
        code: Code,
    },
    /// The challenge needs a line of more than 12,288 bytes, RFC 4954 §4.
    ChallengeTooLong,
    /// The reply does not fit.
    BufferTooSmall(BufferTooSmall),
}

impl core::fmt::Display for ReplyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NothingPending => f.write_str("no command awaits a reply"),
            Self::NotAllowed { verb, code } => write!(f, "{code} does not answer {verb}"),
            Self::ChallengeTooLong => f.write_str("the challenge is longer than a line of AUTH"),
            Self::BufferTooSmall(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ReplyError {}

const fn is_auth(verb: Verb) -> bool {
    matches!(verb, Verb::Auth | Verb::AuthResponse)
}

/// Appends an EHLO reply: the lines of `reply`, without an enhanced status code, then one line for
/// each capability.
///
/// `ehlo-ok-rsp = ( "250" SP Domain [ SP ehlo-greet ] CRLF ) / ( "250-" Domain [ SP ehlo-greet ]
/// CRLF *( "250-" ehlo-line CRLF ) "250" SP ehlo-line CRLF )`
#[allow(single_use_lifetimes)] // a lifetime in `impl Trait` needs a name in stable Rust
fn write_ehlo<'c>(
    reply: &Reply<'_>,
    capabilities: impl IntoIterator<Item = Capability<'c>>,
    writer: &mut Writer<'_>,
) {
    let mut capabilities = capabilities.into_iter().peekable();
    reply.write(writer, false, capabilities.peek().is_some());
    while let Some(capability) = capabilities.next() {
        put_code(reply.code(), capabilities.peek().is_some(), writer);
        capability.write_to(writer);
        writer.put(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::syntax::capability::Capabilities;
    use crate::syntax::code::EnhancedStatus;
    use crate::syntax::extension::Extension;
    use std::vec;

    #[test]
    fn ehlo_reply_ends_with_a_space() {
        let greeting = Reply::enhanced(Code::OK, EnhancedStatus::OTHER.success(), "hello\nthere");
        let greeting = greeting.with_domain("mx.example");
        let offered = Capabilities::NONE.with_size(0).with(Extension::Dsn);
        let cases = [
            (Capabilities::NONE, "250-mx.example hello\r\n250 there\r\n"),
            (offered, "250-mx.example hello\r\n250-there\r\n250-SIZE 0\r\n250 DSN\r\n"),
        ];
        for (capabilities, expected) in cases {
            let mut out = vec![0; expected.len()];
            let mut writer = Writer::new(&mut out);
            write_ehlo(&greeting, capabilities.iter(), &mut writer);
            assert_eq!(writer.finish(), Ok(expected.len()));
            assert_eq!(out, expected.as_bytes());
        }
    }
}
