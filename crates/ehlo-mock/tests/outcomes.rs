//! `ehlo_owned::OutcomeList` over whole sessions: it says what `Outcomes` says, with the server's words.
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::net::TcpStream;

use ehlo::delivery::{Event, Fate, Outcome};
use ehlo::{Delivery, DeliveryConfig, Envelope, HeloName};
use ehlo_blocking::{Connection, configure_tcp};
use ehlo_io::{MessageSource, RecipientReport};
use ehlo_mock::{Action, MockBuilder, MockServer, Stage};
use ehlo_owned::{EnvelopeBuf, OutcomeList, RecipientOutcome};

#[test]
fn each_recipient_has_the_reply_that_decided() {
    let server = MockServer::smtp()
        .refuse("nobody@example.org")
        .to("busy@example.org", Action::reply("450 4.2.1 mailbox locked"));
    let all = deliver(server, false);
    let shown: Vec<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "<jones@example.org>: accepted by the reply to the message: 250 2.0.0 queued as 1",
            "<nobody@example.org>: refused by the reply to RCPT: 550 5.1.1 no such user",
            "<busy@example.org>: deferred by the reply to RCPT: 450 4.2.1 mailbox locked",
        ]
    );
}

#[test]
fn each_recipient_of_lmtp_has_its_own() {
    let full = Action::reply("452 4.2.2 mailbox full");
    let server = MockServer::lmtp()
        .refuse("nobody@example.org")
        .message_to("busy@example.org", full)
        .message_to("jones@example.org", Action::reply("250 2.1.5 filed in the inbox"));
    let texts: Vec<_> = deliver(server, true).iter().map(text).collect();
    assert_eq!(texts, ["filed in the inbox", "no such user", "mailbox full"]);
}

#[test]
fn one_reply_may_decide_for_all() {
    for (stage, fate) in [(Stage::Mail, Fate::Refused), (Stage::EndOfData, Fate::Refused)] {
        let server = MockServer::smtp().at(stage, Action::reply("554 5.7.1 blocked by policy"));
        for outcome in deliver(server, false) {
            assert_eq!((outcome.fate, text(&outcome).as_str()), (fate, "blocked by policy"));
        }
    }
}

#[test]
fn what_is_not_answered_has_no_reply() {
    for (action, kept) in [(Action::disconnect(), 0), (Action::lose_reply(), 1)] {
        let server = MockServer::smtp().refuse("nobody@example.org").at(Stage::EndOfData, action);
        let server = server.start().unwrap();
        let all = deliver_to(&server, false);
        let fates: Vec<_> = all.iter().map(|outcome| outcome.fate).collect();
        assert_eq!(fates, [Fate::Unknown, Fate::Refused, Fate::Unknown]);
        assert_eq!((&all[0].reply, text(&all[1]).as_str()), (&None, "no such user"));
        assert_eq!(server.messages().len(), kept);
    }
}

fn text(outcome: &RecipientOutcome) -> String {
    outcome.reply.as_ref().map(|reply| reply.text().into_owned()).unwrap_or_default()
}

fn deliver(server: MockBuilder, lmtp: bool) -> Vec<RecipientOutcome> {
    deliver_to(&server.start().unwrap(), lmtp)
}

fn deliver_to(server: &MockServer, lmtp: bool) -> Vec<RecipientOutcome> {
    let to = ["jones@example.org", "nobody@example.org", "busy@example.org"];
    let to = to.map(|address| address.parse().unwrap());
    let envelope = EnvelopeBuf::new("smith@example.com".parse().unwrap(), to);
    let envelope = envelope.as_envelope();
    let mut one = One {
        envelope: &envelope,
        is_begun: false,
        outcomes: OutcomeList::begin(&envelope, 0),
        finished: Vec::new(),
    };
    let stream = TcpStream::connect(server.address()).unwrap();
    configure_tcp(&stream).unwrap();
    let config = DeliveryConfig { lmtp, ..DeliveryConfig::DEFAULT };
    let delivery = Delivery::new(HeloName::new("client.example").unwrap(), config);
    let _end = Connection::new(stream, delivery).deliver(&mut one).unwrap();
    assert_eq!(one.outcomes.outcomes(), one.finished);
    one.outcomes.into_vec()
}

/// One message, whose events are recorded.
struct One<'v> {
    envelope: &'v Envelope<'v>,
    is_begun: bool,
    outcomes: OutcomeList,
    /// What the delivery itself has found.
    finished: Vec<Outcome>,
}

impl<'v> MessageSource<'v> for One<'v> {
    type Content = &'static [u8];

    fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        (!std::mem::replace(&mut self.is_begun, true)).then_some(self.envelope)
    }

    fn content(&mut self, _: usize) -> Option<&'static [u8]> {
        Some(b"Subject: lunch\r\n\r\nAt noon?\r\n")
    }

    fn finished(&mut self, _: usize, outcomes: &[RecipientReport]) {
        self.finished = outcomes.iter().map(|report| report.outcome).collect();
    }

    fn event(&mut self, event: &Event<'_>) {
        self.outcomes.record(event);
    }
}
