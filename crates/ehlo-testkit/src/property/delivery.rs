//! A delivery against any server.

use std::collections::VecDeque;

use ehlo::delivery::{
    AuthPolicy, ChunkingPolicy, Event, Fate, HelloPolicy, Outcome, Outcomes, TlsPolicy,
};
use ehlo::machine::{Machine, Wants};
use ehlo::syntax::code::Severity;
use ehlo::syntax::command::{Mechanism, Verb};
use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{
    Command, Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, Parsed, Policy, Reply,
    ReversePath, SendError,
};

use super::operation::client_config;
use super::{choices, pieces};

/// Any bytes of a server against a delivery of two messages, the first of which may have content
/// that cannot be sent: every recipient gets exactly one outcome, and it is "accepted" if and only
/// if a 2yz answered its RCPT and a 2yz the message, judged by the place of the replies alone.
/// Content follows only commands of its transaction.
pub fn delivery(input: &[u8]) {
    let ([flags, more, cuts @ ..], bytes) = choices::<5>(input);
    let config = DeliveryConfig {
        client: client_config(flags),
        lmtp: flags & 16 != 0,
        pipeline_messages: more & 64 == 0,
        chunking: if more & 128 == 0 { ChunkingPolicy::Pipelined } else { ChunkingPolicy::Offered },
        ..spare_choices(bytes.len())
    };
    let recipients = &RECIPIENTS[..=usize::from(more) % RECIPIENTS.len()];
    let recipients: Vec<ForwardPath<'_>> =
        recipients.iter().map(|text| ForwardPath::new(text).expect("an address")).collect();
    let recipients = recipients.as_slice();
    let envelope = Envelope {
        repeatable: more & 16 != 0,
        size: (more & 32 != 0).then_some(CONTENT.len() as u64),
        ..Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients)
    };
    let fault = [Fault::None, Fault::Unreadable, Fault::CutOff, Fault::BareLf];
    let fault = fault[usize::from(more >> 2) % fault.len()];
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    for input in [vec![bytes], pieces(bytes, cuts), single] {
        Run::new(config, recipients.len(), fault).carry(config, &envelope, &input);
    }
}

/// Further choices, from the length of the rest, because the first bytes have no room for them.
fn spare_choices(length: usize) -> DeliveryConfig {
    let hello = [
        HelloPolicy::Fallback,
        HelloPolicy::EhloOnly,
        HelloPolicy::Reconnect,
        HelloPolicy::HeloOnly,
        HelloPolicy::HeloFirst,
    ];
    let tls = [TlsPolicy::Opportunistic, TlsPolicy::Forbid, TlsPolicy::Require];
    let auth = [AuthPolicy::Never, AuthPolicy::Optional, AuthPolicy::Require];
    DeliveryConfig {
        early_content: if length % 7 == 0 { 0 } else { 64 * 1024 },
        split_recipients: length % 11 > 0,
        hello: hello[(length % 13).saturating_sub(8)],
        tls: tls[(length % 17).saturating_sub(14)],
        auth: auth[(length % 19).saturating_sub(16)],
        ..DeliveryConfig::DEFAULT
    }
}

/// The fault in the content of the first message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Unreadable,
    CutOff,
    BareLf,
}

/// The facts about a delivery that are known without asking it.
struct Run {
    lmtp: bool,
    /// The commands without a reply so far, each with its message and the index of a recipient.
    flight: VecDeque<(Verb, usize, usize)>,
    messages: Vec<Message>,
    /// The recipients that the replies of an LMTP server to the message speak of.
    owed: VecDeque<usize>,
    recipients: usize,
    fault: Fault,
}

/// The facts about one message.
#[derive(Default)]
struct Message {
    /// For each recipient, whether its last RCPT was accepted, and whether it was delivered to.
    rcpt: Vec<bool>,
    delivered: Vec<bool>,
    /// MAIL or a chunk was refused: the server's next replies do not concern this message.
    failed: bool,
    /// A chunk was refused: its recipients are gone, RFC 3030 §2.
    chunk_failed: bool,
    outcomes: Vec<Outcome>,
    finished: bool,
}

impl Run {
    fn new(config: DeliveryConfig, recipients: usize, fault: Fault) -> Self {
        Self {
            lmtp: config.lmtp,
            flight: VecDeque::from([(Verb::Greeting, 0, 0)]),
            messages: Vec::new(),
            owed: VecDeque::new(),
            recipients,
            fault,
        }
    }

    fn carry(mut self, config: DeliveryConfig, envelope: &Envelope<'_>, input: &[&[u8]]) {
        let name = HeloName::new("client.example").expect("a name");
        let mut delivery = Delivery::new(name, config);
        let mut input = input.iter();
        let mut unread = Vec::new();
        for _ in 0..100_000 {
            let mut out = [0; 512];
            let written = delivery.transmit(&mut out).expect("room for a line");
            self.sent(&out[..written]);
            match Machine::wants(&mut delivery, &unread) {
                Wants::Event => {
                    let received = delivery.receive(&unread);
                    assert!(received.consumed <= unread.len());
                    self.record(&received.event);
                    match received.event {
                        Event::NeedEnvelope if self.messages.len() < 2 => {
                            self.messages.push(Message {
                                rcpt: vec![false; self.recipients],
                                delivered: vec![false; self.recipients],
                                outcomes: vec![Outcome::PENDING; self.recipients],
                                ..Message::default()
                            });
                            assert!(delivery.envelope(envelope));
                        }
                        Event::NeedEnvelope => delivery.quit(),
                        Event::NeedContent { offset, .. } => self.content(&mut delivery, offset),
                        Event::StartTls if unread.len() % 2 == 0 => delivery.tls_failed(),
                        Event::StartTls => {
                            let leftover = &unread[received.consumed..];
                            let established = delivery.tls_established(leftover);
                            assert_eq!(established.is_ok(), leftover.is_empty());
                        }
                        Event::NeedAuthentication(offered) => {
                            if offered.contains(SaslMechanism::Plain) {
                                self.log_in(&mut delivery);
                            } else {
                                delivery.skip_authentication();
                            }
                        }
                        Event::Challenge(_) => {
                            let mut out = [0; 8];
                            delivery.respond(&Response::Cancel, &mut out).expect("a response");
                            self.flight.push_back((Verb::AuthResponse, 0, 0));
                        }
                        Event::Closed => break,
                        _ => {}
                    }
                    unread.drain(..received.consumed);
                }
                Wants::Input { consumed } if consumed > 0 => drop(unread.drain(..consumed)),
                Wants::Input { .. } => match input.next() {
                    Some(piece) => unread.extend_from_slice(piece),
                    None => delivery.end_of_input(),
                },
            }
        }
        assert!(delivery.is_at_end(), "the delivery does not come to an end: {delivery:?}");
        for message in &self.messages {
            assert!(message.finished);
            message.settled();
        }
    }

    /// Notes the commands that were sent.
    fn sent(&mut self, mut bytes: &[u8]) {
        let current = self.messages.len().saturating_sub(1);
        while !bytes.is_empty() {
            if self.flight.back().is_none() && bytes == b".\r\n" {
                self.flight.push_back((Verb::Message, current, 0));
                return;
            }
            let policy = Policy::STRICT.with_smtputf8(true);
            let Ok(Parsed::Complete { value, consumed }) = Command::parse(bytes, &policy) else {
                panic!("{} is no command", bytes.escape_ascii())
            };
            bytes = &bytes[consumed..];
            let place = match value {
                Command::Rcpt { forward_path, .. } => RECIPIENTS
                    .iter()
                    .position(|text| ForwardPath::new(text) == Ok(forward_path))
                    .expect("a recipient"),
                _ => 0,
            };
            match value {
                Command::Mail { .. } => {
                    let message = &mut self.messages[current];
                    (message.failed, message.chunk_failed) = (false, false);
                    message.rcpt.fill(false);
                }
                Command::Bdat { size, .. } => {
                    let is_own = |(verb, message, _): &(Verb, usize, usize)| {
                        matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Bdat) && *message == current
                    };
                    assert!(self.flight.iter().all(is_own), "behind {:?}", self.flight);
                    let size = usize::try_from(size).expect("a size");
                    bytes = bytes.get(size..).expect("a whole chunk");
                }
                _ => {}
            }
            self.flight.push_back((value.verb(), current, place));
        }
    }

    fn log_in(&mut self, delivery: &mut Delivery<'_>) {
        let mut out = [0; 64];
        let command = Command::Auth {
            mechanism: Mechanism::new("PLAIN").expect("a name"),
            initial_response: Some(SaslData::new(b"\0a\0b")),
        };
        let written = delivery.authenticate(&command, &mut out).expect("AUTH was asked for");
        self.sent(&out[..written]);
    }

    fn content(&mut self, delivery: &mut Delivery<'_>, offset: u64) {
        let message = self.messages.last().expect("a message");
        let is_early = self.flight.iter().any(|(verb, ..)| *verb == Verb::Rcpt);
        assert!(is_early || message.rcpt.contains(&true), "content for nobody");
        let mut out = [0; 128];
        let before = self.flight.len();
        let fault = if self.messages.len() == 1 { self.fault } else { Fault::None };
        if fault == Fault::Unreadable || (fault == Fault::CutOff && offset > 0) {
            return delivery.abandon(SendError::NoContent);
        }
        let content = if fault == Fault::BareLf { BARE_LF } else { CONTENT };
        let written = if offset == 0 {
            let progress = delivery.mail_data(content, &mut out);
            assert!(progress.is_err() || progress.is_ok_and(|p| p.consumed == content.len()));
            progress.map(|progress| progress.written)
        } else {
            Ok(0)
        };
        if fault == Fault::CutOff && written.is_ok() {
            if let Ok(written) = written
                && out.starts_with(b"BDAT ")
            {
                self.sent(&out[..written]);
            }
            return;
        }
        let written = written.and_then(|first| {
            let end = delivery.end_mail_data(&mut out[first..])?;
            Ok(first + end)
        });
        match written {
            Err(error) => delivery.abandon(error),
            Ok(written) if out.starts_with(b"BDAT ") => self.sent(&out[..written]),
            // Without PIPELINING it comes by itself.
            Ok(0) => {}
            Ok(_) => {
                let current = self.messages.len() - 1;
                self.flight.push_back((Verb::Message, current, 0));
                assert_eq!(self.flight.len(), before + 1);
            }
        }
    }

    /// Notes a reply by its place, and the outcomes.
    fn record(&mut self, event: &Event<'_>) {
        for (number, message) in self.messages.iter_mut().enumerate() {
            message.record(number, event);
        }
        let positive = |reply: &Reply<'_>| reply.severity() == Severity::PositiveCompletion;
        match event {
            Event::Recipient { envelope, index, reply } => {
                let command = self.flight.pop_front().expect("a command");
                assert_eq!(command, (Verb::Rcpt, *envelope, *index));
                self.messages[*envelope].rcpt[*index] = positive(reply);
            }
            // What comes before the end of the content answers nothing else.
            Event::Refused { to: Verb::Message, .. } if self.flight.is_empty() => {}
            Event::Message { reply, .. } => self.answer(None, positive(reply)),
            // 355 takes MAIL too, RFC 1845.
            Event::Refused { to, reply, .. } | Event::Reply { to, reply } => {
                let is_positive =
                    if *to == Verb::Mail { reply.code().is_positive() } else { positive(reply) };
                self.answer(Some(*to), is_positive);
            }
            Event::Unanswered { to, part } => {
                let (verb, message, _) = self.flight.pop_front().expect("a command");
                assert_eq!(verb, *to);
                assert!(part.is_none_or(|part| part.envelope == message));
                self.owed.clear();
            }
            _ => {}
        }
    }

    fn answer(&mut self, to: Option<Verb>, positive: bool) {
        let (verb, message, place) = *self.flight.front().expect("a command");
        assert!(to.is_none_or(|to| to == verb), "{verb:?} is answered as {to:?}");
        let is_end = matches!(verb, Verb::Message | Verb::BdatLast);
        let Some(message) = self.messages.get_mut(message).filter(|_| verb != Verb::Quit) else {
            self.flight.pop_front();
            return;
        };
        match verb {
            Verb::Rcpt => message.rcpt[place] = positive,
            Verb::Mail | Verb::Bdat => {
                message.failed |= !positive;
                message.chunk_failed |= !positive && verb == Verb::Bdat;
            }
            // RFC 2033 §4.2: one reply for each recipient that was accepted.
            _ if is_end && self.lmtp => {
                if self.owed.is_empty() && !message.chunk_failed {
                    self.owed = (0..message.rcpt.len()).filter(|p| message.rcpt[*p]).collect();
                }
                if let Some(place) = self.owed.pop_front() {
                    message.delivered[place] |= positive && !message.failed;
                }
                if !self.owed.is_empty() {
                    return;
                }
            }
            _ if is_end && positive && !message.failed => {
                let accepted = message.delivered.iter_mut().zip(&message.rcpt);
                accepted.for_each(|(delivered, accepted)| *delivered |= accepted);
            }
            _ => {}
        }
        self.flight.pop_front();
    }
}

impl Message {
    fn record(&mut self, number: usize, event: &Event<'_>) {
        let kept = self.outcomes.clone();
        Outcomes::resume(&mut self.outcomes, number).record(event);
        let again = matches!(event, Event::Split { .. });
        for (old, new) in kept.iter().zip(&self.outcomes) {
            let may_change = old.fate == Fate::Pending || (again && new.fate == Fate::Pending);
            assert!(may_change || old == new, "{old:?} became {new:?}");
        }
        if matches!(event, Event::Finished { envelope } if *envelope == number) {
            assert!(!self.finished, "finished twice");
            self.finished = true;
        }
    }

    /// Every recipient has the outcome that the replies give it.
    fn settled(&self) {
        for (place, outcome) in self.outcomes.iter().enumerate() {
            assert_ne!(outcome.fate, Fate::Pending, "recipient {place}");
            let delivered = self.delivered[place];
            assert_eq!(outcome.fate == Fate::Accepted, delivered, "recipient {place}: {outcome:?}");
        }
    }
}

/// The last needs SMTPUTF8.
const RECIPIENTS: [&str; 4] = ["a@x.example", "b@x.example", "c@x.example", "d@bücher.example"];

const CONTENT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";

const BARE_LF: &[u8] = b"a bare\nLF\r\n";
