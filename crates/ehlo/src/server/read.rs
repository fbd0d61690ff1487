//! The server's reading half: framing, the verdicts that the RFCs make, and the events.

use memchr::memchr;

use super::{Event, Pending, Reading, Reason, Refusal, Role, Server, Transaction};
use crate::parameter::allowance;
use crate::sasl::Response;
use crate::{
    Body, Command, Content, Extension, NewlineError, Parameter, Parameters, Received, State,
    SyntaxError, SyntaxErrorKind, Verb, Wants, limits, session,
};

impl Server {
    /// The next event of `input`, all that is unread so far.
    pub fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let mut consumed = 0;
        let mut rest = input;
        loop {
            match self.wants(rest) {
                Wants::Event => break,
                Wants::Input { consumed: 0 } => {
                    return Received { consumed, event: Event::NeedInput };
                }
                Wants::Input { consumed: more } => {
                    consumed += more;
                    rest = rest.get(more..).unwrap_or_default();
                }
            }
        }
        let received = self.event(rest);
        Received { consumed: consumed + received.consumed, event: received.event }
    }

    pub(super) fn wants(&mut self, input: &[u8]) -> Wants {
        if self.pending.is_some() || matches!(self.state, State::Closed | State::Tls) {
            return Wants::Event;
        }
        let wants = match self.reading {
            Reading::Line => self.wants_line(input),
            Reading::LongLine { cr } => self.wants_end_of_long_line(input, cr),
            Reading::Data => self.wants_data(input),
            Reading::Chunk { .. } => self.wants_chunk(input),
        };
        // RFC 5321 §4.1.1.5 and §3.8: a connection that is lost is as good as QUIT; a message
        // without its end is none.
        if self.end_of_input && wants == (Wants::Input { consumed: 0 }) {
            self.state = State::Closed;
            return Wants::Event;
        }
        wants
    }

    fn wants_line(&mut self, input: &[u8]) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        let from = self.scanned as usize;
        let end = memchr(b'\n', input.get(from..).unwrap_or_default()).map(|at| from + at + 1);
        let seen = end.unwrap_or(input.len());
        if seen > limits::COMMAND_LINE && seen > self.longest_line() {
            let start = input.get(..self.longest_line()).unwrap_or(input);
            self.scanned = 0;
            self.reading = Reading::LongLine { cr: start.last() == Some(&b'\r') };
            return Wants::Input { consumed: start.len() };
        }
        self.scanned = length(seen);
        if end.is_none() {
            return Wants::Input { consumed: 0 };
        }
        self.ready = true;
        // RFC 3030 §2: "the receiver-SMTP MUST accept and discard the associated message data
        // before sending the appropriate 5XX or 4XX code".
        if let Some((size, last, reason)) = self.refused_chunk(input) {
            let consumed = self.take_item();
            self.verdict = Some(reason);
            self.reading = Reading::Chunk { last };
            self.chunk = size;
            return Wants::Input { consumed };
        }
        Wants::Event
    }

    fn refused_chunk(&self, input: &[u8]) -> Option<(u64, bool, Reason)> {
        let line = input.get(..self.scanned as usize)?.strip_suffix(b"\r\n")?;
        if self.state == State::Auth || !line.get(..4)?.eq_ignore_ascii_case(b"BDAT") {
            return None;
        }
        let command = Command::parse_line(line, &self.config.policy).ok()?;
        let Command::Bdat { size, last } = command else { return None };
        Some((size, last, self.judge(&command).err()?))
    }

    fn wants_end_of_long_line(&mut self, input: &[u8], cr: bool) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        let mut from = 0;
        while let Some(at) = memchr(b'\n', input.get(from..).unwrap_or_default()) {
            let end = from + at + 1;
            let before = end.checked_sub(2).and_then(|i| input.get(i));
            if before == Some(&b'\r') || (end == 1 && cr) {
                self.ready = true;
                return Wants::Input { consumed: end };
            }
            from = end;
        }
        if let Some(last) = input.last() {
            self.reading = Reading::LongLine { cr: *last == b'\r' };
        }
        Wants::Input { consumed: input.len() }
    }

    fn wants_data(&mut self, input: &[u8]) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        if input.is_empty() || self.verdict.is_none() {
            return if input.is_empty() { Wants::Input { consumed: 0 } } else { Wants::Event };
        }
        let mut consumed = 0;
        while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) {
            let found = self.decoder.decode(rest);
            consumed += found.consumed;
            if let Content::End(_) = found.content {
                self.ready = true;
                break;
            }
        }
        Wants::Input { consumed }
    }

    fn wants_chunk(&mut self, input: &[u8]) -> Wants {
        if self.chunk == 0 || (self.verdict.is_none() && !input.is_empty()) {
            return Wants::Event;
        }
        let consumed = at_most(self.chunk, input).len();
        self.chunk -= consumed as u64;
        Wants::Input { consumed }
    }

    /// The event that `wants` has promised.
    fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let nothing = |event| Received { consumed: 0, event };
        if let Some(pending) = &mut self.pending {
            let announced = core::mem::replace(&mut pending.announced, true);
            return nothing(if announced { Event::NeedReply } else { Event::Greeting });
        }
        match self.state {
            State::Closed => return nothing(Event::Closed),
            State::Tls => return nothing(Event::StartTls),
            _ => {}
        }
        match self.reading {
            Reading::Line => {
                let consumed = self.take_item();
                Received { consumed, event: self.line(input.get(..consumed).unwrap_or_default()) }
            }
            Reading::LongLine { .. } => {
                let consumed = self.take_item();
                self.reading = Reading::Line;
                Received { consumed, event: self.line_too_long(self.longest_line()) }
            }
            Reading::Data if self.ready => {
                self.take_item();
                nothing(self.end_of_data())
            }
            Reading::Data => self.mail_data(input),
            Reading::Chunk { last } => self.chunk(input, last),
        }
    }

    fn take_item(&mut self) -> usize {
        self.ready = false;
        core::mem::take(&mut self.scanned) as usize
    }

    fn line<'i>(&mut self, line: &'i [u8]) -> Event<'i> {
        // RFC 5321 §2.3.8: "conforming implementations MUST NOT recognize or generate any other
        // character or character sequence as a line terminator".
        let Some(body) = line.strip_suffix(b"\r\n") else {
            let error = SyntaxError { kind: SyntaxErrorKind::BareLf, offset: line.len() - 1 };
            return self.refuse_line(Verb::Other, error);
        };
        if self.state == State::Auth {
            return self.auth_response(line, body);
        }
        if self.shutting_down {
            return self.refuse(Verb::Other, Reason::ShuttingDown, 0, None);
        }
        if line.len() > limits::COMMAND_LINE
            && line.len() > self.longest_command()
            && !starts_with(body, b"AUTH ")
        {
            return self.line_too_long(self.longest_command());
        }
        let mut policy = self.config.policy;
        policy.smtputf8 = self.in_force(Extension::SmtpUtf8);
        let command = match Command::parse_line(body, &policy) {
            Ok(command) => command,
            Err(error) => return self.refuse_line(Verb::Other, error),
        };
        if let Err(reason) = self.judge(&command) {
            return self.refuse(command.verb(), reason, 0, Some(command));
        }
        match command {
            Command::Mail { parameters, .. } => {
                self.transaction = Transaction {
                    smtputf8: parameters.smtputf8(),
                    binary: parameters.body() == Some(Body::BinaryMime),
                    ..Transaction::NONE
                };
            }
            Command::Bdat { size, last } => {
                self.reading = Reading::Chunk { last };
                self.chunk = size;
                return Event::Chunk { size, last };
            }
            _ => {}
        }
        self.pend(command.verb(), None);
        Event::Command(command)
    }

    fn auth_response<'i>(&mut self, line: &[u8], body: &'i [u8]) -> Event<'i> {
        // RFC 4954 §4: "the server fails the AUTH command with the 500 reply".
        if line.len() > limits::AUTH_LINE {
            return self.refuse(Verb::AuthResponse, Reason::ResponseTooLong, 0, None);
        }
        match Response::parse(body) {
            // RFC 4954 §4: "the server MUST reject the AUTH command by sending a 501 reply".
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

    fn line_too_long<'i>(&mut self, limit: usize) -> Event<'i> {
        if self.state == State::Auth {
            return self.refuse(Verb::AuthResponse, Reason::ResponseTooLong, 0, None);
        }
        let error = SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: limit };
        self.refuse_line(Verb::Other, error)
    }

    fn mail_data<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let found = self.decoder.decode(input);
        let event = match found.content {
            Content::NeedInput => Event::MailData(&[]),
            Content::Data(data) => {
                let fits = at_most(self.largest_message() - self.transaction.size, data);
                if fits.len() < data.len() {
                    self.verdict = Some(Reason::MessageTooLarge);
                }
                self.transaction.size += fits.len() as u64;
                Event::MailData(fits)
            }
            Content::End(Ok(())) => self.end_of_data(),
            Content::End(Err(NewlineError { kind, offset })) => {
                self.reading = Reading::Line;
                self.refuse(Verb::Message, Reason::Newlines(kind), offset, None)
            }
        };
        Received { consumed: found.consumed, event }
    }

    fn end_of_data<'i>(&mut self) -> Event<'i> {
        self.reading = Reading::Line;
        match self.verdict.take() {
            Some(reason) => self.refuse(Verb::Message, reason, 0, None),
            None => self.end_of_message(Verb::Message),
        }
    }

    fn end_of_message<'i>(&mut self, verb: Verb) -> Event<'i> {
        self.pend(verb, None);
        Event::EndOfMailData { size: self.transaction.size }
    }

    fn chunk<'i>(&mut self, input: &'i [u8], last: bool) -> Received<Event<'i>> {
        if self.chunk > 0 {
            let data = at_most(self.chunk, input);
            self.transaction.size += data.len() as u64;
            self.chunk -= data.len() as u64;
            return Received { consumed: data.len(), event: Event::MailData(data) };
        }
        self.reading = Reading::Line;
        let verb = if last { Verb::BdatLast } else { Verb::Bdat };
        let event = match self.verdict.take() {
            Some(reason) => self.refuse(verb, reason, 0, None),
            None if last => self.end_of_message(verb),
            None => {
                self.pend(verb, None);
                Event::EndOfChunk
            }
        };
        Received { consumed: 0, event }
    }

    fn pend(&mut self, verb: Verb, refused: Option<Reason>) {
        // RFC 2033 §4.2: after the data "the server returns one reply for each previously
        // successful RCPT command".
        let owed = match verb {
            Verb::Message | Verb::BdatLast if self.config.role == Role::Lmtp => {
                self.transaction.recipients.max(1)
            }
            _ => 1,
        };
        self.pending = Some(Pending { verb, announced: true, refused, owed });
    }

    fn refuse_line<'i>(&mut self, verb: Verb, error: SyntaxError) -> Event<'i> {
        self.refuse(verb, Reason::Syntax(error.kind), error.offset as u64, None)
    }

    fn refuse<'i>(
        &mut self,
        verb: Verb,
        reason: Reason,
        offset: u64,
        command: Option<Command<'i>>,
    ) -> Event<'i> {
        self.errors = self.errors.saturating_add(1);
        let reason = if self.errors > self.config.limits.errors && !reason.is_fatal() {
            Reason::TooManyErrors
        } else {
            reason
        };
        self.pend(verb, Some(reason));
        Event::Refused(Refusal { verb, reason, offset, command })
    }

    /// What the RFCs say of a command that is well formed, before the application is asked.
    fn judge(&self, command: &Command<'_>) -> Result<(), Reason> {
        let verb = command.verb();
        // RFC 2033 §4.1: LHLO in place of HELO and EHLO, which get a 500.
        if match self.config.role {
            Role::Lmtp => matches!(verb, Verb::Ehlo | Verb::Helo),
            Role::Smtp | Role::Submission => verb == Verb::Lhlo,
        } {
            return Err(Reason::Syntax(SyntaxErrorKind::UnknownVerb));
        }
        let extension = command.extension();
        // RFC 3207 §4.2 and RFC 4954 §4: not a second time.
        if (verb == Verb::StartTls && self.tls) || (verb == Verb::Auth && self.authenticated) {
            return Err(Reason::BadSequence);
        }
        if extension.is_some_and(|e| !self.config.offered.contains(e)) {
            return Err(Reason::NotImplemented);
        }
        // RFC 3207 §4: 530 "to every command other than NOOP, EHLO, STARTTLS, or QUIT".
        if self.config.require_tls
            && !self.tls
            && !matches!(verb, Verb::Noop | Verb::Ehlo | Verb::Lhlo | Verb::StartTls | Verb::Quit)
        {
            return Err(Reason::TlsRequired);
        }
        if !session::is_valid(self.state, verb) {
            return Err(match (self.state, verb) {
                // RFC 5321 §3.3: "if … all such commands were rejected, the server MAY return a
                // "command out of sequence" (503) or "no valid recipients" (554) reply".
                (State::Mail, Verb::Data | Verb::Bdat | Verb::BdatLast) => {
                    Reason::NoValidRecipients
                }
                _ => Reason::BadSequence,
            });
        }
        if verb == Verb::Auth && !self.offers(Extension::Auth) {
            return Err(Reason::EncryptionRequired);
        }
        // An extension is offered in the reply to EHLO; to a client of HELO it never was.
        if extension.is_some() && !self.extended && verb != Verb::Xclient {
            return Err(Reason::BadSequence);
        }
        // RFC 4954 §6: 530 to any command other than AUTH, EHLO, HELO, NOOP, RSET or QUIT.
        if self.config.require_auth
            && !self.authenticated
            && !matches!(
                verb,
                Verb::Auth
                    | Verb::Ehlo
                    | Verb::Helo
                    | Verb::Lhlo
                    | Verb::Noop
                    | Verb::Rset
                    | Verb::Quit
                    | Verb::StartTls
            )
        {
            return Err(Reason::AuthenticationRequired);
        }
        match command {
            Command::Mail { parameters, .. } => self.judge_mail(parameters),
            Command::Rcpt { forward_path, parameters } => {
                self.judge_parameters(parameters)?;
                // RFC 6531 §3.4: an address in UTF-8 only in a transaction that said SMTPUTF8.
                if !forward_path.is_ascii() && !self.transaction.smtputf8 {
                    return Err(Reason::Syntax(SyntaxErrorKind::NeedsSmtpUtf8));
                }
                if self.transaction.recipients >= self.config.limits.recipients {
                    return Err(Reason::TooManyRecipients);
                }
                Ok(())
            }
            Command::Data if self.transaction.binary => Err(Reason::BinaryByData),
            Command::Bdat { size, .. }
                if self
                    .transaction
                    .size
                    .checked_add(*size)
                    .is_none_or(|size| size > self.largest_message()) =>
            {
                Err(Reason::MessageTooLarge)
            }
            _ => Ok(()),
        }
    }

    fn judge_mail(&self, parameters: &Parameters<'_>) -> Result<(), Reason> {
        if self.messages >= self.config.limits.messages {
            return Err(Reason::TooManyMessages);
        }
        self.judge_parameters(parameters)?;
        // RFC 1870 §6.1: 552 when the declared size exceeds the fixed maximum.
        if parameters.size().is_some_and(|size| size > self.largest_message()) {
            return Err(Reason::MessageTooLarge);
        }
        Ok(())
    }

    // RFC 5321 §4.1.1.11: "If the server-SMTP does not recognize or cannot implement one or more of
    // the parameters …, it will return code 555."
    fn judge_parameters(&self, parameters: &Parameters<'_>) -> Result<(), Reason> {
        for parameter in parameters.iter() {
            match parameter.extension() {
                Some(extension) if self.in_force(extension) => {}
                Some(extension) => return Err(Reason::NotOffered(extension)),
                None if matches!(parameter, Parameter::Other { .. }) => {
                    return Err(Reason::UnknownParameter);
                }
                None => {}
            }
        }
        Ok(())
    }

    fn in_force(&self, extension: Extension) -> bool {
        self.extended && self.offers(extension)
    }

    /// RFC 1870 §4: the fixed maximum, where there is one.
    fn largest_message(&self) -> u64 {
        match self.config.offered.size() {
            None | Some(0) => u64::MAX,
            Some(size) => size,
        }
    }

    /// RFC 5321 §4.5.3.1.4: 512 octets and what the offered extensions add.
    fn longest_command(&self) -> usize {
        limits::COMMAND_LINE + allowance(&self.config.offered)
    }

    fn longest_line(&self) -> usize {
        if self.config.offered.contains(Extension::Auth) {
            limits::AUTH_LINE
        } else {
            self.longest_command()
        }
    }
}

fn starts_with(line: &[u8], verb: &[u8]) -> bool {
    line.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb))
}

/// The first octets of `input`, `left` at most.
fn at_most(left: u64, input: &[u8]) -> &[u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

/// A length that is never more than the longest line.
fn length(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}
