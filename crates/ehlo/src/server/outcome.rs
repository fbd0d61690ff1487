//! The effect of a reply: on the state, the transaction and the counts.

use super::domains::Domains;
use super::event::Reason;
use super::server::{Facts, Pending, Reading, Server, Transaction};
use crate::data::DataDecoder;
use crate::session::{self, State};
use crate::syntax::code::{Code, Severity};
use crate::syntax::command::Verb;

impl Server {
    pub(super) fn apply(&mut self, pending: Pending, code: Code) {
        // RFC 2033 §4.2: one reply for each accepted recipient; the first moves the state.
        self.pending = match pending.owed.checked_sub(1) {
            None | Some(0) => None,
            Some(owed) => {
                let announced = if pending.refused.is_none() { Pending::ANNOUNCED } else { 0 };
                let marks = pending.marks & !Pending::ANNOUNCED | announced;
                Some(Pending { marks, owed, ..pending })
            }
        };
        // No row applies to a command that the machine refused, with three exceptions: 421 closes the
        // session, a refused chunk fails its transaction, and the greeting, the end of mail data and a
        // response within AUTH have happened. RFC 5321 §4.2.4: a command that is not implemented does
        // nothing, so a chunk without CHUNKING fails nothing.
        let applies = match pending.verb {
            _ if pending.refused.is_none() || code == Code::SERVICE_NOT_AVAILABLE => true,
            _ if pending.refused == Some(Reason::NotImplemented) => false,
            Verb::Bdat | Verb::BdatLast | Verb::Burl | Verb::BurlLast => {
                self.state.is_transaction()
            }
            Verb::Greeting | Verb::Message | Verb::AuthResponse => true,
            _ => false,
        };
        if applies {
            self.state = session::next(self.state, pending.verb, code);
        }
        if pending.has(Pending::FATAL) || pending.refused.is_some_and(Reason::is_fatal) {
            self.state = State::Closed;
        }
        // RFC 5321 §3.8: no reply follows a 421, in LMTP none to the other recipients.
        if self.state == State::Closed {
            self.pending = None;
        }
        let done = code.severity() == Severity::PositiveCompletion;
        self.count(pending, code, done);
        match pending.verb {
            Verb::Ehlo | Verb::Lhlo if done => self.facts = self.facts.with(Facts::EXTENDED),
            Verb::Helo if done => self.facts = self.facts.without(Facts::EXTENDED),
            // XCLIENT_README: the session starts again, for another client.
            Verb::Xclient if self.state == State::Start && done => {
                self.facts = self.facts.without(Facts::EXTENDED);
                self.domains = Domains::NONE;
                if !pending.has(Pending::ASSUMED) {
                    self.facts = self.facts.without(Facts::AUTHENTICATED);
                }
                if !pending.has(Pending::OFFERED) {
                    self.withdraw_trusted();
                }
            }
            Verb::Rcpt if pending.refused.is_none() || pending.is_surplus() => {
                let transaction = &mut self.transaction;
                transaction.commands = transaction.commands.saturating_add(1);
                transaction.recipients = transaction.recipients.saturating_add(u16::from(done));
            }
            Verb::Data if self.state == State::Data => {
                let text_line = self.config.limits.text_line;
                let decoder = DataDecoder::new(self.config.newlines);
                self.reading = Reading::Data(decoder.with_line_limit(Some(text_line)));
            }
            Verb::Auth | Verb::AuthResponse if code == Code::AUTHENTICATION_SUCCEEDED => {
                self.facts = self.facts.with(Facts::AUTHENTICATED);
            }
            Verb::Mail if !code.is_positive() && pending.refused.is_none() => {
                self.transaction = Transaction::NONE;
            }
            _ => {}
        }
        // RFC 5321 §4.1.1.4: "on the completion of this command these buffers are cleared"; here they
        // are one value.
        if !self.state.is_transaction() || self.state == State::Failed {
            self.transaction = Transaction::NONE;
        }
    }

    /// Updates the counts for the limits.
    fn count(&mut self, pending: Pending, code: Code, done: bool) {
        let verb = pending.verb;
        if verb == Verb::Mail && pending.refused.is_none() {
            self.messages = self.messages.saturating_add(1);
        }
        if matches!(verb, Verb::Message | Verb::BdatLast | Verb::BurlLast) && done {
            (self.errors, self.idle, self.unknown) = (0, 0, 0);
        } else if session::is_idle(verb) && pending.refused.is_none() {
            self.idle = self.idle.saturating_add(1);
        }
        // In LMTP the mail data has several replies and counts once.
        if self.pending.is_none() && self.is_error(pending, code) {
            self.errors = self.errors.saturating_add(1);
            let unknown = verb == Verb::Other && code == Code::SYNTAX_ERROR;
            self.unknown = self.unknown.saturating_add(u16::from(unknown));
        }
    }

    /// Returns `true` if a command that was answered with `code` counts as an error.
    fn is_error(&self, pending: Pending, code: Code) -> bool {
        if code.is_positive() && pending.verb != Verb::Data {
            return false;
        }
        let transient = code.severity() == Severity::TransientNegative;
        match pending.verb {
            // RFC 5321 §4.5.3.1.10: a client that meets the limit sends the other recipients later. A
            // client that pipelines does not know it at once, so the same number again is no error.
            Verb::Rcpt if transient && pending.is_surplus() => {
                let commands = self.transaction.commands;
                commands == u16::MAX || u32::from(commands) / 2 >= self.most_recipients()
            }
            // Other limits count these, unless the machine refused them.
            Verb::Mail | Verb::Rcpt | Verb::Message | Verb::BdatLast | Verb::BurlLast
                if transient =>
            {
                pending.refused.is_some()
            }
            // A reply to DATA that opens no mail data.
            Verb::Data => self.state != State::Data,
            _ => !code.is_positive(),
        }
    }
}
