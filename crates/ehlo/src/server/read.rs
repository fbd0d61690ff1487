//! The server's reading half: it frames lines and content, and reports events.

use super::event::{Event, Reason, Refusal};
use super::foreign;
use super::lines::{TOO_LONG, begins_chunk};
use super::server::{Facts, Pending, Reading, Server};
use crate::data::Content;
use crate::machine::{Received, Wants};
use crate::session::State;
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::grammar::words::line_feed;

impl Server {
    /// The next event of `input`, which holds all unread bytes.
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

    /// Whether `input` is the former input and one more byte of the same line, which does not end
    /// it: a shortcut for lines that arrive byte by byte. Returns the number of bytes consumed.
    #[inline]
    fn goes_on(&mut self, input: &[u8]) -> Option<usize> {
        let &last = input.last()?;
        if input.len() != usize::from(self.longer) || last == b'\n' {
            return None;
        }
        if let Reading::LongLine { last: before, more } = &mut self.reading {
            *before = last;
            *more = more.wrapping_sub(1);
            if *more == 0 {
                self.longer = 0;
            }
            return Some(1);
        }
        if input.len() > usize::from(self.config.limits.command_line) {
            return None;
        }
        self.scanned += 1;
        // 0 if a longer line cannot be a command.
        self.longer = self.longer.wrapping_add(1);
        Some(0)
    }

    fn wants_next(&mut self, input: &[u8]) -> Wants {
        self.longer = 0;
        if let Some(pending) = self.pending {
            if pending.verb == Verb::Greeting && !input.is_empty() {
                self.facts = self.facts.with(Facts::EARLY);
            }
            return Wants::Event;
        }
        if matches!(self.state, State::Closed | State::Tls) {
            return Wants::Event;
        }
        let wants = match self.reading {
            Reading::Line => self.wants_line(input),
            Reading::LongLine { last, more } => self.wants_end_of_long_line(input, last, more),
            Reading::Data(_) => self.wants_data(input),
            Reading::Chunk(left) => self.wants_chunk(input, left, false),
            Reading::LastChunk(left) => self.wants_chunk(input, left, true),
        };
        // RFC 5321 §4.1.1.5 and §3.8: a lost connection acts as QUIT; a message without its end is not
        // delivered.
        if self.facts.has(Facts::END_OF_INPUT) && wants == (Wants::Input { consumed: 0 }) {
            self.state = State::Closed;
            return Wants::Event;
        }
        self.longer = match self.reading {
            _ if self.ready => 0,
            Reading::Line if self.scanned > 0 => u16::try_from(self.scanned + 1).unwrap_or(0),
            Reading::LongLine { more: 1.., .. } => 1,
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
        if first.is_some_and(|byte| foreign::begins_with(*byte)) {
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
            let more = self.config.limits.discarded.saturating_sub(1);
            let last = start.last().copied().unwrap_or_default();
            self.reading = Reading::LongLine { last, more };
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

    fn wants_end_of_long_line(&mut self, input: &[u8], last: u8, more: u32) -> Wants {
        if self.ready {
            return Wants::Event;
        }
        // A line without an end is skipped up to the limit of a refused chunk.
        let left = u64::from(more) + 1;
        let input = at_most(left, input);
        let mut from = 0;
        while let Some(at) = line_feed(input.get(from..).unwrap_or_default()) {
            let end = from + at + 1;
            let before = end.checked_sub(2).and_then(|i| input.get(i));
            if before == Some(&b'\r') || (end == 1 && last == b'\r') {
                self.ready = true;
                return Wants::Input { consumed: end };
            }
            from = end;
        }
        if input.len() as u64 == left {
            self.verdict = Some(Reason::EndlessLine);
            self.ready = true;
        }
        let last = input.last().copied().unwrap_or(last);
        self.reading = Reading::LongLine { last, more: more.saturating_sub(length(input.len())) };
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

    fn wants_chunk(&mut self, input: &[u8], left: u64, last: bool) -> Wants {
        if left == 0 || (self.verdict.is_none() && !input.is_empty()) {
            return Wants::Event;
        }
        let consumed = at_most(left, input).len();
        self.reading = Reading::chunk(left - consumed as u64, last);
        Wants::Input { consumed }
    }

    /// The event that `wants` has announced.
    fn event<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let nothing = |event| Received { consumed: 0, event };
        if let Some(pending) = &mut self.pending {
            let announced = pending.has(Pending::ANNOUNCED);
            pending.marks |= Pending::ANNOUNCED;
            let greets = !announced && pending.verb == Verb::Greeting;
            if greets && self.facts.has(Facts::EARLY) && self.config.refuse_early {
                return nothing(self.refuse(Verb::Greeting, Reason::EarlyTalker, 0, None));
            }
            return nothing(match pending.refused {
                _ if announced => Event::NeedReply,
                None => Event::Greeting,
                // In LMTP, for the next recipient: the application must not take it for accepted.
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
            Reading::Chunk(left) => self.chunk(input, left, false),
            Reading::LastChunk(left) => self.chunk(input, left, true),
        }
    }

    fn take_item(&mut self) -> usize {
        self.ready = false;
        core::mem::take(&mut self.scanned) as usize
    }
}

/// The first bytes of `input`, at most `left`.
pub(super) fn at_most(left: u64, input: &[u8]) -> &[u8] {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.get(..length).unwrap_or_default()
}

/// A length that is never more than the longest line.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
