//! A delivery against any server.

use std::collections::VecDeque;

use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::{
    ClientName, Command, Delivery, DeliveryConfig, Envelope, ForwardPath, Machine, Parsed, Policy,
    Reply, ReversePath, Severity, Verb, Wants,
};

use super::operation::client_config;
use super::{choices, pieces};

/// Any octets of a server against a delivery of two messages: every recipient gets exactly one
/// outcome, and it is "accepted" if and only if a 2yz answered its RCPT and a 2yz the message, by
/// the place of the replies alone.
pub fn delivery(input: &[u8]) {
    let ([flags, recipients, cuts @ ..], octets) = choices::<5>(input);
    let config = DeliveryConfig { client: client_config(flags), lmtp: flags & 16 != 0 };
    let recipients = &RECIPIENTS[..=usize::from(recipients) % RECIPIENTS.len()];
    let recipients: Vec<ForwardPath<'_>> =
        recipients.iter().map(|text| ForwardPath::new(text).expect("an address")).collect();
    Run::new(config, recipients.len()).carry(config, &recipients, &[octets]);
    Run::new(config, recipients.len()).carry(config, &recipients, &pieces(octets, cuts));
    let single: Vec<&[u8]> = octets.chunks(1).collect();
    Run::new(config, recipients.len()).carry(config, &recipients, &single);
}

/// What is known of a delivery without asking it.
struct Run {
    lmtp: bool,
    /// What was sent and has no reply yet, with the place of a recipient.
    flight: VecDeque<(Verb, usize)>,
    /// For each recipient of the current message, whether its RCPT and the message were accepted.
    rcpt: Vec<bool>,
    message: Vec<bool>,
    /// The recipients that the replies of an LMTP server to the message speak of.
    owed: VecDeque<usize>,
    outcomes: Vec<Outcome>,
    begun: usize,
}

impl Run {
    fn new(config: DeliveryConfig, recipients: usize) -> Self {
        Self {
            lmtp: config.lmtp,
            flight: VecDeque::from([(Verb::Greeting, 0)]),
            rcpt: vec![false; recipients],
            message: vec![false; recipients],
            owed: VecDeque::new(),
            outcomes: vec![Outcome::PENDING; recipients],
            begun: 0,
        }
    }

    fn carry(mut self, config: DeliveryConfig, recipients: &[ForwardPath<'_>], input: &[&[u8]]) {
        let envelope = Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients);
        let name = ClientName::new("client.example").expect("a name");
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
                        Event::NeedEnvelope if self.begun < 2 => {
                            if self.begun > 0 {
                                self.settled();
                            }
                            self.begun += 1;
                            self.outcomes.fill(Outcome::PENDING);
                            self.rcpt.fill(false);
                            self.message.fill(false);
                            delivery.envelope(&envelope);
                        }
                        Event::NeedEnvelope => delivery.quit(),
                        Event::NeedContent => self.content(&mut delivery),
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
        self.settled();
    }

    /// Notes the commands that were sent.
    fn sent(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.flight.back().is_none() && octets == b".\r\n" {
                self.flight.push_back((Verb::Message, 0));
                return;
            }
            let policy = Policy { smtputf8: true, ..Policy::STRICT };
            let Ok(Parsed::Complete { value, consumed }) = Command::parse(octets, &policy) else {
                panic!("{} is no command", octets.escape_ascii())
            };
            let place = match value {
                Command::Rcpt { forward_path, .. } => RECIPIENTS
                    .iter()
                    .position(|text| ForwardPath::new(text) == Ok(forward_path))
                    .expect("a recipient"),
                _ => 0,
            };
            self.flight.push_back((value.verb(), place));
            octets = &octets[consumed..];
        }
    }

    fn content(&mut self, delivery: &mut Delivery<'_>) {
        assert!(self.rcpt.contains(&true), "content for nobody");
        let mut out = [0; 64];
        let Ok(progress) = delivery.mail_data(CONTENT, &mut out) else {
            return delivery.poison();
        };
        assert_eq!(progress.consumed, CONTENT.len());
        match delivery.end_mail_data(&mut out) {
            Ok(_) => self.flight.push_back((Verb::Message, 0)),
            Err(_) => delivery.poison(),
        }
    }

    /// Notes a reply by its place, and the outcomes.
    fn record(&mut self, event: &Event<'_>) {
        let kept = self.outcomes.clone();
        Outcomes::resume(&mut self.outcomes, self.lmtp).record(event);
        for (old, new) in kept.iter().zip(&self.outcomes) {
            assert!(old.fate == Fate::Pending || old == new, "{old:?} became {new:?}");
        }
        let positive = |reply: &Reply<'_>| reply.severity() == Severity::PositiveCompletion;
        match event {
            Event::Recipient { index, reply } => {
                let (verb, place) = self.flight.pop_front().expect("a command");
                assert_eq!((verb, place), (Verb::Rcpt, *index));
                self.rcpt[place] = positive(reply);
            }
            Event::Message { reply } => self.answer(Verb::Message, positive(reply)),
            Event::Refused { to, reply } | Event::Reply { to, reply } => {
                self.answer(*to, positive(reply));
            }
            Event::Unanswered { to } => {
                let (verb, _) = self.flight.pop_front().expect("a command");
                assert_eq!(verb, *to);
                self.owed.clear();
            }
            _ => {}
        }
    }

    fn answer(&mut self, to: Verb, positive: bool) {
        let (verb, place) = *self.flight.front().expect("a command");
        assert_eq!(verb, to);
        if verb == Verb::Rcpt {
            self.rcpt[place] = positive;
        }
        if verb == Verb::Message && self.lmtp {
            if self.owed.is_empty() {
                self.owed = (0..self.rcpt.len()).filter(|place| self.rcpt[*place]).collect();
            }
            if let Some(place) = self.owed.pop_front() {
                self.message[place] = positive;
            }
            if !self.owed.is_empty() {
                return;
            }
        } else if verb == Verb::Message {
            self.message.fill(positive);
        }
        self.flight.pop_front();
    }

    /// Every recipient has the outcome that the replies give it.
    fn settled(&self) {
        for (place, outcome) in self.outcomes.iter().enumerate() {
            assert_ne!(outcome.fate, Fate::Pending, "recipient {place}");
            let accepted = self.rcpt[place] && self.message[place];
            assert_eq!(outcome.fate == Fate::Accepted, accepted, "recipient {place}: {outcome:?}");
        }
    }
}

/// The last needs SMTPUTF8.
const RECIPIENTS: [&str; 4] = ["a@x.example", "b@x.example", "c@x.example", "d@bücher.example"];

const CONTENT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";
