//! The reading half: the meaning of a reply for the recipients.

use crate::client;
use crate::delivery::delivery::{Delivery, Stage};
use crate::delivery::event::{Event, UnusableSession};
use crate::delivery::transaction::{Transaction, is_completion};
use crate::machine::Received;
use crate::session::State;
use crate::syntax::code::Code;
use crate::syntax::command::Verb;
use crate::syntax::reply::Reply;

impl Delivery<'_> {
    pub(super) fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let nothing = |event| Received { consumed: 0, event };
        if let Some(event) = self.due.take() {
            return nothing(event);
        }
        if self.asks() && !self.has_reply(input) {
            return nothing(self.question());
        }
        let received = self.client.receive(input);
        let event = match received.event {
            client::Event::NeedInput => Event::NeedInput,
            client::Event::Reply { to, reply } => {
                let event = self.match_reply(to, reply);
                self.settle();
                event
            }
            client::Event::Unsolicited(reply) => self.unsolicited(reply),
            client::Event::Unanswered { to } => self.unanswered(to),
            client::Event::Violation(error) => Event::Violation(error),
            client::Event::StartTls if self.stage != Stage::Handshake => {
                self.stage = Stage::Handshake;
                Event::StartTls
            }
            client::Event::StartTls => {
                self.client.abort();
                Event::Unusable(UnusableSession::TlsNotBegun)
            }
            client::Event::Closed => match self.old.take().or_else(|| self.current.take()) {
                Some(open) => Event::Finished { envelope: open.number },
                None => Event::Closed,
            },
        };
        Received { consumed: received.consumed, event }
    }

    fn question(&self) -> Event<'static> {
        match (self.stage, &self.current) {
            (Stage::Authenticate, _) => Event::NeedAuthentication(self.mechanisms),
            (Stage::Content, Some(current)) => {
                Event::NeedContent { envelope: current.number, offset: current.offset }
            }
            _ => Event::NeedEnvelope,
        }
    }

    fn match_reply<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let other = Event::Reply { to, reply };
        match to {
            Verb::Greeting if self.client.state() == State::Start => {
                self.greeted();
                other
            }
            Verb::Greeting => {
                self.stage = Stage::Quit;
                Event::Refused { part: None, to, reply }
            }
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => self.hello(to, reply),
            Verb::StartTls if self.client.state() != State::Tls => self.no_tls(reply),
            Verb::Auth | Verb::AuthResponse => self.authentication(to, reply),
            Verb::Mail => self.mail_reply(reply),
            Verb::Rcpt => self.rcpt_reply(reply),
            Verb::Data => self.data_reply(reply),
            Verb::Bdat => self.chunk_reply(reply),
            Verb::Message | Verb::BdatLast => self.message_reply(to, reply),
            Verb::Noop if !self.noop_reply(&reply) => Event::Refused { part: None, to, reply },
            // A server that refuses RSET is in no reliable state.
            Verb::Rset if !is_completion(&reply) => {
                self.client.abort();
                other
            }
            Verb::Rset => {
                self.end_refused = false;
                other
            }
            _ => other,
        }
    }

    fn mail_reply<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let (to, is_positive) = (Verb::Mail, reply.code().is_positive());
        self.end_refused &= !is_positive;
        let Some(current) = &mut self.current else { return Event::Reply { to, reply } };
        if is_positive {
            return Event::Reply { to, reply };
        }
        // The server still has the failed transaction before this one.
        if current.flags.behind_failure && reply.code() == Code::BAD_SEQUENCE && current.offset == 0
        {
            current.flags.again = true;
            self.fail();
            return Event::Reply { to, reply };
        }
        current.flags.decided = true;
        let part = Some(current.rest());
        self.fail();
        Event::Refused { part, to, reply }
    }

    fn rcpt_reply<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let to = Verb::Rcpt;
        // Copied, because the closure asks `self` whether a recipient was sent.
        let Some(mut current) = self.current else { return Event::Reply { to, reply } };
        let splits = self.config.split && current.envelope.repeatable;
        let smtputf8 = current.smtputf8();
        let index =
            current.answer(&reply, splits, |recipient| self.permits(recipient, smtputf8).is_ok());
        self.current = Some(current);
        if current.flags.failed {
            return Event::Reply { to, reply };
        }
        if self.stage == Stage::Content && current.has_nobody() {
            self.fail();
        }
        Event::Recipient { envelope: current.number, index, reply }
    }

    fn data_reply<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        let to = Verb::Data;
        let opens = self.client.wants_content();
        let Some(current) = &mut self.current else { return Event::Reply { to, reply } };
        if opens {
            if current.flags.failed {
                // MAIL was refused, and the recipients have that outcome: not even a dot may
                // follow.
                self.client.abort();
            } else if current.accepted == 0 {
                // RFC 2920 §3.1: "the client … should send a single dot".
                current.flags.failed = true;
                self.stage = Stage::LoneDot;
            } else {
                self.stage = Stage::Content;
            }
            return Event::Reply { to, reply };
        }
        let event = self.refused(to, reply);
        // RFC 5321 §4.3.2: a 2yz to DATA means that DATA is complete. The server may read content
        // all the same, and would take RSET and QUIT for content.
        if is_completion(&reply) {
            self.client.abort();
        }
        event
    }

    fn chunk_reply<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        if is_completion(&reply) {
            return Event::Reply { to: Verb::Bdat, reply };
        }
        self.refused(Verb::Bdat, reply)
    }

    /// DATA or a chunk was refused.
    fn refused<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let is_current = self.old.is_none();
        let Some(failed) = self.old.as_mut().or(self.current.as_mut()) else {
            return Event::Reply { to, reply };
        };
        // If no recipient was accepted, each has its own refusal.
        let decides = !failed.flags.failed && failed.accepted > 0;
        failed.flags.decided |= decides;
        failed.flags.failed = true;
        let part = Some(failed.rest());
        if is_current {
            self.fail();
        }
        if decides { Event::Refused { part, to, reply } } else { Event::Reply { to, reply } }
    }

    /// The reply to the end of the content.
    fn message_reply<'i>(&mut self, to: Verb, reply: Reply<'i>) -> Event<'i> {
        let other = Event::Reply { to, reply };
        let owes_more = matches!(self.client.awaits(), Some(Verb::Message | Verb::BdatLast));
        let is_completion = is_completion(&reply);
        let Some(open) = self.old.as_mut().or(self.current.as_mut()) else { return other };
        // A server that accepts a message without its end, or that answers the end of a message
        // with 221, is out of step.
        if is_completion && (!open.flags.ended || reply.code() == Code::SERVICE_CLOSING) {
            let part = open.part();
            self.client.abort();
            if owes_more {
                return Event::Unsolicited(reply);
            }
            self.finish_old();
            return Event::Unanswered { part: Some(part), to };
        }
        let first_only = self.config.lmtp;
        open.flags.decided |= !is_completion && !first_only;
        let part = if open.flags.decided { open.rest() } else { open.part() };
        let is_told = open.flags.failed || open.accepted == 0;
        if !owes_more {
            self.answered(to, is_completion);
        }
        if is_told { other } else { Event::Message { part, first_only, reply } }
    }

    /// The last reply to the end of the content has arrived.
    fn answered(&mut self, to: Verb, is_completion: bool) {
        // RFC 3030 §2: RSET follows a refused chunk.
        let resets = to == Verb::BdatLast && !is_completion;
        if self.finish_old() {
            self.end_refused |= !is_completion;
            if let Some(current) = &mut self.current {
                current.flags.behind_failure = resets;
            }
            return;
        }
        // If RSET follows, the content waits for the reply to RSET.
        self.end_refused |= !is_completion && !resets;
        let Some(current) = &mut self.current else { return };
        if current.flags.ended {
            let over = *current;
            self.current = None;
            self.over(&over, resets);
        } else {
            current.flags.answered = true;
            self.fail();
        }
    }

    /// A reply while no reply is due: in the middle of the content after DATA, or between
    /// transactions.
    fn unsolicited<'i>(&mut self, reply: Reply<'i>) -> Event<'i> {
        self.client.abort();
        match &mut self.current {
            // Some servers refuse the rest of the content with a reply at once, and close. RFC 5321
            // §4.1.1.4 does not allow it, but the reply is the outcome of the recipients.
            Some(current) if self.stage == Stage::Content && !reply.code().is_positive() => {
                current.flags.failed = true;
                current.flags.decided = true;
                Event::Refused { part: Some(current.rest()), to: Verb::Message, reply }
            }
            _ => Event::Unsolicited(reply),
        }
    }

    fn unanswered(&mut self, to: Verb) -> Event<'static> {
        let of_transaction = matches!(
            to,
            Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::BdatLast | Verb::Message
        );
        if to == Verb::Ehlo {
            self.unanswered_hello();
        }
        let open = self.old.as_ref().or(self.current.as_ref());
        let Some(open) = open.filter(|_| of_transaction) else {
            return Event::Unanswered { part: None, to };
        };
        // A message whose last chunk is incomplete was not delivered.
        if !matches!(to, Verb::Message | Verb::BdatLast) || !open.flags.ended {
            let to = if to == Verb::BdatLast { Verb::Bdat } else { to };
            return Event::Unanswered { part: Some(open.rest()), to };
        }
        let part = open.part();
        self.finish_old();
        Event::Unanswered { part: Some(part), to }
    }

    /// Ends the old transaction; returns whether there was one.
    fn finish_old(&mut self) -> bool {
        match self.old.take() {
            Some(Transaction { number, .. }) => {
                self.later = false;
                self.due.finished = Some(number);
                true
            }
            None => false,
        }
    }
}
