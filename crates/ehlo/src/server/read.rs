//! The server's reading half: framing, and the events.

use super::config::Role;
use super::event::{Event, Reason, Refusal};
use super::foreign;
use super::server::{Pending, Reading, Server, Transaction};
use crate::data::{Before, Content, DataDecoder, NewlineError, Newlines};
use crate::machine::{Received, Wants};
use crate::session::{self, State};
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::words::line_feed;
use crate::syntax::parameter::Body;
use crate::syntax::sasl::Response;

impl Server {
    /// The next event of `input`, all that is unread so far.
    #[inline]
    pub fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        match self.goes_on(input) {
            Some(consumed) => Received { consumed, event: Event::NeedInput },
            None => self.next_event(input),
        }
    }

    fn next_event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let mut consumed = 0;
        let mut rest = input;
        while let Wants::Input { consumed: more } = self.wants_next(rest) {
            consumed += more;
            rest = rest.get(more..).unwrap_or_default();
            if more == 0 {
                return Received { consumed, event: Event::NeedInput };
            }
        }
        let received = self.event(rest);
        Received { consumed: consumed + received.consumed, event: received.event }
    }

    #[inline]
    pub(super) fn wants(&mut self, input: &[u8]) -> Wants {
        match self.goes_on(input) {
            Some(consumed) => Wants::Input { consumed },
            None => self.wants_next(input),
        }
    }

    /// Whether `input` is what was there before and one octet more of the same line, which does not
    /// end it: a way around all else for lines that come octet by octet. Gives the octets consumed.
    #[inline]
    fn goes_on(&mut self, input: &[u8]) -> Option<usize> {
        let &last = input.last()?;
        if input.len() != usize::from(self.longer) || last == b'\n' {
            return None;
        }
        if let Reading::LongLine { cr, skipped } = &mut self.reading {
            if *skipped >= self.config.limits.discarded.saturating_sub(1) {
                return None;
            }
            *skipped += 1;
            *cr = last == b'\r';
            return Some(1);
        }
        if input.len() > self.command_line() {
            return None;
        }
        self.scanned += 1;
        // 0 where no longer line is a command.
        self.longer = self.longer.wrapping_add(1);
        Some(0)
    }

    fn wants_next(&mut self, input: &[u8]) -> Wants {
        self.longer = 0;
        if let Some(pending) = self.pending {
            self.early |= pending.verb == Verb::Greeting && !input.is_empty();
            return Wants::Event;
        }
        if matches!(self.state, State::Closed | State::Tls) {
            return Wants::Event;
        }
        let wants = match self.reading {
            Reading::Line => self.wants_line(input),
            Reading::LongLine { cr, skipped } => self.wants_end_of_long_line(input, cr, skipped),
            Reading::Data(_) => self.wants_data(input),
            Reading::Chunk(left) => self.wants_chunk(input, left, Reading::Chunk),
            Reading::LastChunk(left) => self.wants_chunk(input, left, Reading::LastChunk),
        };
        // RFC 5321 §4.1.1.5 and §3.8: a connection that is lost is as good as QUIT; a message
        // without its end is none.
        if self.end_of_input && wants == (Wants::Input { consumed: 0 }) {
            self.state = State::Closed;
            return Wants::Event;
        }
        self.longer = match self.reading {
            _ if self.ready => 0,
            Reading::Line if self.scanned > 0 => u16::try_from(self.scanned + 1).unwrap_or(0),
            Reading::LongLine { .. } => 1,
            _ => 0,
        };
        wants
    }

    fn wants_line(&mut self, input: &[u8]) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        let from = self.scanned as usize;
        let first = input.first().filter(|_| from == 0 && self.state != State::Auth);
        if first.is_some_and(|octet| foreign::begins_with(*octet)) {
            self.scanned = 1;
            self.ready = true;
            return Wants::Event;
        }
        let end = line_feed(input.get(from..).unwrap_or_default()).map(|at| from + at + 1);
        let seen = end.unwrap_or(input.len());
        if seen > self.command_line() && seen > self.longest_line() {
            let start = input.get(..self.longest_line()).unwrap_or(input);
            self.scanned = 0;
            self.verdict = begins_chunk(start).then_some(TOO_LONG);
            self.reading = Reading::LongLine { cr: start.last() == Some(&b'\r'), skipped: 0 };
            return Wants::Input { consumed: start.len() };
        }
        self.scanned = length(seen);
        if end.is_none() {
            return Wants::Input { consumed: 0 };
        }
        self.ready = true;
        // RFC 3030 §2: "the receiver-SMTP MUST accept and discard the associated message data
        // before sending the appropriate 5XX or 4XX code".
        if let Some((reading, reason)) = self.refused_chunk(input) {
            let consumed = self.take_item();
            self.verdict = Some(reason);
            self.reading = reading;
            return Wants::Input { consumed };
        }
        Wants::Event
    }

    fn refused_chunk(&self, input: &[u8]) -> Option<(Reading, Reason)> {
        let line = input.get(..self.scanned as usize)?.strip_suffix(b"\r\n")?;
        let is_chunk = Command::verb_of(line) == Verb::Bdat;
        if self.state == State::Auth || !is_chunk {
            return None;
        }
        let command = self.parse(line).ok()?;
        let Command::Bdat { size, last } = command else { return None };
        let reason = self.is_spent().or_else(|| self.judge(&command).err())?;
        let most = u64::from(self.config.limits.discarded);
        let (left, reason) =
            if size > most { (most, Reason::ChunkTooLarge) } else { (size, reason) };
        Some((Reading::chunk(left, last), reason))
    }

    fn wants_end_of_long_line(&mut self, input: &[u8], cr: bool, skipped: u32) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        // A line that never ends is skipped up to the same limit as a chunk.
        let left = self.config.limits.discarded.saturating_sub(skipped);
        let input = at_most(left.into(), input);
        let mut from = 0;
        while let Some(at) = line_feed(input.get(from..).unwrap_or_default()) {
            let end = from + at + 1;
            let before = end.checked_sub(2).and_then(|i| input.get(i));
            if before == Some(&b'\r') || (end == 1 && cr) {
                self.ready = true;
                return Wants::Input { consumed: end };
            }
            from = end;
        }
        if input.len() == left as usize {
            self.verdict = Some(Reason::EndlessLine);
            self.ready = true;
            if left == 0 {
                return Wants::Event;
            }
        }
        let cr = input.last().map_or(cr, |last| *last == b'\r');
        self.reading = Reading::LongLine { cr, skipped: skipped + length(input.len()) };
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
            let Reading::Data(decoder) = &mut self.reading else { break };
            let found = decoder.decode(rest);
            consumed += found.consumed;
            if let Content::End(_) = found.content {
                self.ready = true;
                break;
            }
        }
        Wants::Input { consumed }
    }

    fn wants_chunk(&mut self, input: &[u8], left: u64, rest: fn(u64) -> Reading) -> Wants {
        if left == 0 || (self.verdict.is_none() && !input.is_empty()) {
            return Wants::Event;
        }
        let consumed = at_most(left, input).len();
        self.reading = rest(left - consumed as u64);
        Wants::Input { consumed }
    }

    /// The event that `wants` has promised.
    fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let nothing = |event| Received { consumed: 0, event };
        if let Some(pending) = &mut self.pending {
            let announced = pending.has(Pending::ANNOUNCED);
            pending.marks |= Pending::ANNOUNCED;
            let greets = !announced && pending.verb == Verb::Greeting;
            if greets && self.early && self.config.refuse_early {
                return nothing(self.refuse(Verb::Greeting, Reason::EarlyTalker, 0, None));
            }
            return nothing(match pending.refused {
                _ if announced => Event::NeedReply,
                None => Event::Greeting,
                // In LMTP, to the next recipient: nobody is to take it for accepted.
                Some(reason) => {
                    Event::Refused(Refusal { verb: pending.verb, reason, offset: 0, command: None })
                }
            });
        }
        match self.state {
            State::Closed => return nothing(Event::Closed),
            State::Tls => return nothing(Event::StartTls),
            _ => {}
        }
        match self.reading {
            Reading::Line => {
                let consumed = self.take_item();
                let (line, behind) = input.split_at_checked(consumed).unwrap_or_default();
                Received { consumed, event: self.line(line, !behind.is_empty()) }
            }
            Reading::LongLine { .. } => {
                let consumed = self.take_item();
                self.reading = Reading::Line;
                Received { consumed, event: self.line_too_long(self.longest_line()) }
            }
            Reading::Data(_) if self.ready => {
                self.take_item();
                nothing(self.end_of_data())
            }
            Reading::Data(_) => self.mail_data(input),
            Reading::Chunk(left) => self.chunk(input, left, Reading::Chunk),
            Reading::LastChunk(left) => self.chunk(input, left, Reading::LastChunk),
        }
    }

    fn take_item(&mut self) -> usize {
        self.ready = false;
        core::mem::take(&mut self.scanned) as usize
    }

    fn line<'i>(&mut self, line: &'i [u8], more_behind: bool) -> Event<'i> {
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
            Command::Bdat { size, last } => {
                // A chunk of no octets carries no mail forward, unless it ends the message.
                self.idle = self.idle.saturating_add(u16::from(size == 0 && !last));
                self.reading = Reading::chunk(size, last);
                return Event::Chunk { size, last };
            }
            _ => {}
        }
        self.pend(verb, None);
        Event::Command(command)
    }

    /// A line that is no command: what the verb alone is refused for comes first.
    #[cold]
    fn refuse_wrong<'i>(&mut self, body: &[u8], error: SyntaxError) -> Event<'i> {
        let verb = Command::verb_of(body);
        let reason = Reason::Syntax(error.kind);
        let reason = match self.judge_verb(verb) {
            _ if reason.is_fatal() => reason,
            _ if verb == Verb::Other && foreign::is_line(body) => Reason::ForeignProtocol,
            // RFC 4954 §4: AUTH is not offered where TLS is wanted first, and that comes before what
            // is wrong with it.
            Ok(()) if self.is_auth_in_clear(verb) => Reason::EncryptionRequired,
            Ok(()) => reason,
            Err(reason) => reason,
        };
        if begins_chunk(body) {
            return self.refuse_chunk_line(verb, reason, error.offset as u64);
        }
        self.refuse(verb, reason, error.offset as u64, None)
    }

    /// A BDAT whose size cannot be read. Its chunk follows, and where that ends is not known: none of
    /// it is to be taken for commands, so the session ends with the reply.
    fn refuse_chunk_line<'i>(&mut self, verb: Verb, reason: Reason, offset: u64) -> Event<'i> {
        let event = self.refuse(verb, reason, offset, None);
        self.mark(Pending::FATAL);
        event
    }

    fn is_auth_in_clear(&self, verb: Verb) -> bool {
        verb == Verb::Auth
            && self.extended
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

    fn line_too_long<'i>(&mut self, limit: usize) -> Event<'i> {
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

    fn mail_data<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let Reading::Data(decoder) = &mut self.reading else {
            return Received { consumed: 0, event: Event::NeedInput };
        };
        let found = decoder.decode(input);
        let event = match found.content {
            Content::NeedInput => Event::MailData(&[]),
            Content::Data(data) => Event::MailData(self.fitting(data)),
            Content::End(Ok(())) => self.end_of_data(),
            Content::End(Err(NewlineError { kind, offset })) => {
                self.reading = Reading::Line;
                self.refuse(Verb::Message, Reason::Newlines(kind), offset, None)
            }
        };
        Received { consumed: found.consumed, event }
    }

    /// As much of `data` as a message may have; what is more refuses it, RFC 1870 §6.3.
    fn fitting<'i>(&mut self, data: &'i [u8]) -> &'i [u8] {
        let fits = at_most(self.largest_message().saturating_sub(self.transaction.size), data);
        if fits.len() < data.len() {
            self.verdict = Some(Reason::MessageTooLarge);
        }
        self.transaction.size += fits.len() as u64;
        fits
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

    fn chunk<'i>(
        &mut self,
        input: &'i [u8],
        left: u64,
        rest: fn(u64) -> Reading,
    ) -> Received<Event<'i>> {
        if left > 0 {
            let (consumed, data) = self.content(at_most(left, input));
            self.reading = rest(left - consumed as u64);
            return Received { consumed, event: Event::MailData(data) };
        }
        let last = matches!(self.reading, Reading::LastChunk(_));
        if last && self.verdict.is_none() {
            if let Some(data) = self.end_of_content() {
                return Received { consumed: 0, event: Event::MailData(data) };
            }
        }
        self.reading = Reading::Line;
        let verb = if last { Verb::BdatLast } else { Verb::Bdat };
        let event = match self.verdict.take() {
            Some(reason @ Reason::Newlines(_)) => {
                self.refuse(verb, reason, self.transaction.size, None)
            }
            Some(reason) => self.refuse(verb, reason, 0, None),
            None if last => self.end_of_message(verb),
            None => {
                self.pend(verb, None);
                Event::EndOfChunk
            }
        };
        Received { consumed: 0, event }
    }

    /// Takes the front of `input`, octets of a chunk: how many, and what of them is handed out.
    ///
    /// RFC 3030 §3 lets BODY=BINARYMIME alone have content without lines, so all other content is
    /// under the same policy as by DATA.
    fn content<'i>(&mut self, input: &'i [u8]) -> (usize, &'i [u8]) {
        let Some(mut decoder) = self.content_decoder() else {
            return (input.len(), self.fitting(input));
        };
        let found = decoder.content(input);
        let (before, line) = decoder.place();
        (self.transaction.before, self.transaction.line) = (Some(before), line);
        let data = match found.content {
            Content::Data(data) => self.fitting(data),
            Content::NeedInput | Content::End(_) => &[],
        };
        if let Some(error) = decoder.error() {
            self.refuse_content(error);
        }
        (found.consumed, data)
    }

    /// What the end of the last chunk adds to the content, if anything, or what is wrong with it.
    fn end_of_content(&mut self) -> Option<&'static [u8]> {
        match self.content_decoder()?.end_of_content() {
            Content::Data(data) => {
                self.transaction.before = Some(Before::Start);
                Some(self.fitting(data))
            }
            Content::End(Err(error)) => {
                self.refuse_content(error);
                None
            }
            Content::End(Ok(())) | Content::NeedInput => None,
        }
    }

    fn refuse_content(&mut self, error: NewlineError) {
        self.verdict = Some(Reason::Newlines(error.kind));
        self.transaction.size = error.offset;
    }

    /// The policy on what comes in chunks, where the last one left it; `None` where anything goes.
    fn content_decoder(&self) -> Option<DataDecoder> {
        let Transaction { size, line, before, .. } = self.transaction;
        let (newlines, text_line) = (self.config.newlines, self.config.limits.text_line);
        if newlines == Newlines::Keep && text_line == 0 {
            return None;
        }
        let decoder = DataDecoder::resumed(newlines, size, before?, line);
        Some(decoder.with_line_limit(Some(text_line)))
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
        self.pending = Some(Pending { verb, marks: Pending::ANNOUNCED, refused, owed });
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
        self.pend(verb, Some(reason));
        Event::Refused(Refusal { verb, reason, offset, command })
    }
}

/// Whether a line, up to its end or not, is meant for a BDAT: what is wrong with it may be the blank
/// behind the verb.
fn begins_chunk(line: &[u8]) -> bool {
    line.split_at_checked(4).is_some_and(|(verb, rest)| {
        verb.eq_ignore_ascii_case(b"BDAT") && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
    })
}

const TOO_LONG: Reason = Reason::Syntax(SyntaxErrorKind::LineTooLong);

/// The first octets of `input`, `left` at most.
fn at_most(left: u64, input: &[u8]) -> &[u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

/// A length that is never more than the longest line.
fn length(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}
