//! A line of the client: a command, or a response within AUTH.

use super::config::Role;
use super::event::{Event, Reason, Refusal};
use super::foreign;
use super::server::{Facts, Pending, Reading, Server, Transaction};
use crate::data::Before;
use crate::session::{self, State};
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::parameter::Body;
use crate::syntax::sasl::Response;

impl Server {
    pub(super) fn line<'i>(&mut self, line: &'i [u8], more_behind: bool) -> Event<'i> {
        let body = match line {
            [body @ .., b'\r', b'\n'] => body,
            // RFC 5321 §2.3.8: "Conforming implementations MUST NOT recognize or generate any other
            // character or character sequence as a line terminator".
            [body @ .., b'\n'] => {
                let error = SyntaxError { kind: SyntaxErrorKind::BareLf, offset: body.len() };
                return self.refuse_line(Verb::Other, error);
            }
            _ => return self.refuse(Verb::Other, Reason::ForeignProtocol, 0, None),
        };
        if self.state == State::Auth {
            return self.auth_response(line, body);
        }
        if let Some(reason) = self.is_spent() {
            return self.refuse(Verb::Other, reason, 0, None);
        }
        let command = match self.parse(body) {
            Ok(command) => command,
            Err(error) => return self.refuse_wrong(body, error),
        };
        let verb = command.verb();
        let verdict = match command {
            Command::Other { .. } if foreign::is_line(body) => Err(Reason::ForeignProtocol),
            Command::Other { .. } if begins_chunk(body) => {
                let unknown = Reason::Syntax(SyntaxErrorKind::UnknownVerb);
                return self.refuse_chunk_line(verb, unknown, 0);
            }
            _ => self.judge(&command),
        };
        if let Err(reason) = verdict {
            return self.refuse(verb, reason, 0, Some(command));
        }
        if more_behind && self.config.refuse_early && self.ends_group(verb) {
            return self.refuse(verb, Reason::OutOfTurn, 0, Some(command));
        }
        match command {
            Command::Mail { parameters, .. } => {
                let is_binary = parameters.body() == Some(Body::BinaryMime);
                self.transaction = Transaction {
                    smtputf8: parameters.smtputf8(),
                    before: Some(Before::Start).filter(|_| !is_binary),
                    ..Transaction::NONE
                };
            }
            Command::Rcpt { forward_path, .. } => {
                if let Some(max) = self.most_domains() {
                    self.domains = self.domains.with(&forward_path, max).unwrap_or(self.domains);
                }
            }
            Command::Bdat { size, last } => {
                // An empty chunk carries no mail forward, unless it ends the message.
                self.idle = self.idle.saturating_add(u16::from(size == 0 && !last));
                self.reading = Reading::chunk(size, last);
                return Event::Chunk { size, last };
            }
            _ => {}
        }
        self.pend(verb, None);
        Event::Command(command)
    }

    /// Refuses a line that is no command. A reason against the verb comes before an error in its
    /// arguments.
    #[cold]
    fn refuse_wrong<'i>(&mut self, body: &[u8], error: SyntaxError) -> Event<'i> {
        let verb = Command::verb_of(body);
        let reason = Reason::Syntax(error.kind);
        let reason = match self.judge_verb(verb) {
            _ if reason.is_fatal() => reason,
            _ if verb == Verb::Other && foreign::is_line(body) => Reason::ForeignProtocol,
            // RFC 4954 §4: if AUTH needs TLS first, that comes before an error in its arguments.
            Ok(()) if self.is_auth_before_tls(verb) => Reason::EncryptionRequired,
            Ok(()) => reason,
            Err(reason) => reason,
        };
        if begins_chunk(body) {
            return self.refuse_chunk_line(verb, reason, error.offset as u64);
        }
        self.refuse(verb, reason, error.offset as u64, None)
    }

    /// Refuses a BDAT whose size cannot be read. Its chunk follows, and the machine does not know where
    /// it ends. The session ends with the reply, so that no byte of the chunk is executed.
    fn refuse_chunk_line<'i>(&mut self, verb: Verb, reason: Reason, offset: u64) -> Event<'i> {
        let event = self.refuse(verb, reason, offset, None);
        self.mark(Pending::FATAL);
        event
    }

    fn is_auth_before_tls(&self, verb: Verb) -> bool {
        verb == Verb::Auth
            && self.facts.has(Facts::EXTENDED)
            && session::is_valid(self.state, verb)
            && self.mechanisms().is_empty()
    }

    fn auth_response<'i>(&mut self, line: &[u8], body: &'i [u8]) -> Event<'i> {
        // RFC 4954 §4: "the server fails the AUTH command with the 500 reply".
        if line.len() > usize::from(self.config.limits.auth_line) {
            return self.refuse(Verb::AuthResponse, Reason::ResponseTooLong, 0, None);
        }
        if self.is_idle() {
            return self.refuse(Verb::AuthResponse, Reason::TooManyIdleCommands, 0, None);
        }
        match Response::parse_any_length(body) {
            // RFC 4954 §4: "If the server receives such a response, it MUST reject the AUTH command
            // by sending a 501 reply."
            Ok(Response::Cancel) => {
                self.refuse(Verb::AuthResponse, Reason::AuthenticationCancelled, 0, None)
            }
            Ok(response) => {
                self.pend(Verb::AuthResponse, None);
                Event::AuthResponse(response)
            }
            Err(error) => self.refuse_line(Verb::AuthResponse, error),
        }
    }

    pub(super) fn line_too_long<'i>(&mut self, limit: usize) -> Event<'i> {
        let verdict = self.verdict.take();
        if self.state == State::Auth {
            let too_long = verdict.filter(|reason| *reason == Reason::EndlessLine);
            let reason = too_long.unwrap_or(Reason::ResponseTooLong);
            return self.refuse(Verb::AuthResponse, reason, 0, None);
        }
        if let Some(reason) = self.is_spent() {
            return self.refuse(Verb::Other, reason, 0, None);
        }
        match verdict {
            Some(Reason::EndlessLine) => {
                self.refuse(Verb::Other, Reason::EndlessLine, limit as u64, None)
            }
            Some(reason) => self.refuse_chunk_line(Verb::Bdat, reason, limit as u64),
            None => self.refuse(Verb::Other, TOO_LONG, limit as u64, None),
        }
    }

    pub(super) fn pend(&mut self, verb: Verb, refused: Option<Reason>) {
        // RFC 2033 §4.2: after the data "the server returns one reply for each previously
        // successful RCPT command".
        let owed = match verb {
            Verb::Message | Verb::BdatLast if self.config.role == Role::Lmtp => {
                self.transaction.recipients.max(1)
            }
            _ => 1,
        };
        self.pending = Some(Pending { verb, marks: Pending::ANNOUNCED, refused, owed });
    }

    fn refuse_line<'i>(&mut self, verb: Verb, error: SyntaxError) -> Event<'i> {
        self.refuse(verb, Reason::Syntax(error.kind), error.offset as u64, None)
    }

    pub(super) fn refuse<'i>(
        &mut self,
        verb: Verb,
        reason: Reason,
        offset: u64,
        command: Option<Command<'i>>,
    ) -> Event<'i> {
        self.pend(verb, Some(reason));
        Event::Refused(Refusal { verb, reason, offset, command })
    }
}

/// Returns `true` if a line, or its front, is a BDAT, well formed or not: even the separator behind
/// the verb may be wrong.
pub(super) fn begins_chunk(line: &[u8]) -> bool {
    line.split_at_checked(4).is_some_and(|(verb, rest)| {
        verb.eq_ignore_ascii_case(b"BDAT") && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
    })
}

pub(super) const TOO_LONG: Reason = Reason::Syntax(SyntaxErrorKind::LineTooLong);
