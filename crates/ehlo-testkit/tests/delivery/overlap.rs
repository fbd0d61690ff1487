//! The next envelope behind the content of the one before it.

use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::machine::Machine;
use ehlo::{Delivery, DeliveryConfig, Envelope, HeloName};

use crate::harness::{
    CHUNKING, CHUNKING_ALONE, ONE_REFUSED, PIPELINING, PLAIN, Run, fates, five, script, sender,
};

/// RFC 2920 §3.1: MAIL goes behind the final dot, QUIT behind the last.
#[test]
fn each_message_costs_one_round_trip() {
    let recipients = five();
    let small = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    let unknown = Envelope::new(sender(), &recipients);
    // What comes before the second message and behind the last: EHLO, the envelope, the content;
    // QUIT goes behind that of the last.
    for (offered, envelope, overlap, rest, each) in [
        (PIPELINING, unknown, true, 2, 1),
        (PIPELINING, unknown, false, 2, 2),
        (CHUNKING, unknown, true, 2, 1),
        (CHUNKING, unknown, false, 2, 2),
        (CHUNKING, small, true, 2, 1),
        (CHUNKING, small, false, 2, 1),
        // MAIL, five RCPT, and two chunks, or DATA and the content.
        (CHUNKING_ALONE, unknown, true, 2, 8),
        (PLAIN, unknown, true, 2, 8),
    ] {
        for messages in [1, 2, 9] {
            let mut run = Run::new(&vec![envelope; messages as usize]);
            run.config.pipeline_messages = overlap;
            let report = run.carry(script(offered, &[]));
            assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == ONE_REFUSED));
            // The last but one: without overlap QUIT waits for the message.
            let expected = rest + messages * each;
            let trips = report.statistics.round_trips;
            assert_eq!(trips, expected, "{offered:?}, {overlap}, {messages} messages");
        }
    }
}

#[test]
fn what_goes_in_one_write() {
    let recipients = five();
    let envelope = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    let mut run = Run::new(&[envelope; 2]);
    run.config.early_content = 0;
    let report = run.carry(script(PIPELINING, &[]));
    assert!(report.sent.ends_with("\r\n.\r\nQUIT\r\n") && report.sent.contains("\r\n.\r\nMAIL"));
    let report = run.carry(script(CHUNKING, &[]));
    assert!(report.sent.contains("BDAT 0 LAST\r\nMAIL"), "{}", report.sent);
    let events: Vec<&str> = report.events.iter().map(String::as_str).collect();
    let place = |start: &str| {
        let found = events.iter().position(|event| event.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {events:#?}"))
    };
    // The second envelope is asked for before the first message is answered.
    let second =
        events.iter().skip(place("NeedContent")).position(|event| *event == "NeedEnvelope");
    assert!(place("NeedContent") + second.expect("asked twice") < place("Message"));
    assert!(place("Finished { envelope: 0 }") < place("Recipient { envelope: 1"));
}

/// The first message fails in every way, and the second is not harmed.
#[test]
fn a_failure_does_not_spread() {
    /// What the server offers, how it answers which line, and what is then said of the recipient.
    type Failure = (&'static str, &'static [(&'static str, &'static str)], Fate);
    const FAILURES: [Failure; 4] = [
        (PIPELINING, &[(".", "550 5.7.1 spam\r\n")], Fate::Refused),
        (PIPELINING, &[(".", "451 4.3.0 later\r\n")], Fate::Deferred),
        (CHUNKING, &[("BDAT 0", "550 5.7.1 spam\r\n")], Fate::Refused),
        (CHUNKING, &[("BDAT 2", "451 4.3.0 later\r\n")], Fate::Deferred),
    ];
    let recipients = five();
    for (offered, failure, fate) in FAILURES {
        for size in [None, Some(20)] {
            for pieces in [1, usize::MAX] {
                let envelope = Envelope { size, ..Envelope::new(sender(), &recipients) };
                let mut run = Run::new(&[envelope; 2]);
                run.pieces = pieces;
                let (mut first, mut second) = (script(offered, failure), script(offered, &[]));
                let mut ends = 0;
                let report = run.carry(|line| {
                    let [a, b] = [first(line), second(line)];
                    let reply = if ends == 0 { a } else { b };
                    ends += usize::from(line == b".\r\n" || line.starts_with(b"BDAT 0"));
                    reply
                });
                let mut all = [fate; 5];
                all[2] = Fate::Refused;
                assert_eq!(fates(&report.outcomes[0]), all, "{report:#?}");
                assert_eq!(fates(&report.outcomes[1]), ONE_REFUSED, "{report:#?}");
            }
        }
    }
}

/// A server that keeps the transaction of the message that it refused, as RFC 3030 lets it: the
/// next MAIL is answered 503, and comes again after RSET.
#[test]
fn mail_comes_again_behind_a_failure() {
    let recipients = five();
    let run = Run::new(&[Envelope::new(sender(), &recipients); 3]);
    let mut server = script(CHUNKING, &[]);
    let mut open = false;
    let mut ends = 0;
    let report = run.carry(|line| {
        let usual = server(line);
        if line.starts_with(b"BDAT 0") {
            ends += 1;
            open = ends == 1;
            return if open { b"451 4.3.0 later\r\n".to_vec() } else { usual };
        }
        if line.starts_with(b"RSET") {
            open = false;
        }
        if open { b"503 5.5.1 RSET first\r\n".to_vec() } else { usual }
    });
    let deferred = [Fate::Deferred, Fate::Deferred, Fate::Refused, Fate::Deferred, Fate::Deferred];
    assert_eq!(fates(&report.outcomes[0]), deferred);
    assert_eq!(fates(&report.outcomes[1]), ONE_REFUSED, "{report:#?}");
    assert_eq!(fates(&report.outcomes[2]), ONE_REFUSED);
    assert_eq!((report.statistics.envelopes, report.statistics.transactions), (3, 4));
}

/// The connection breaks when two envelopes are open: the one whose content is written may have
/// been delivered, the other was not.
#[test]
fn two_open_envelopes_at_the_end() {
    let recipients = five();
    let run = Run::new(&[Envelope::new(sender(), &recipients); 2]);
    for (offered, end) in [(PIPELINING, ".\r\n"), (CHUNKING, "BDAT 0 LAST\r\n")] {
        let mut server = script(offered, &[]);
        let mut gone = false;
        let report = run.carry(|line| {
            gone |= line == end.as_bytes();
            if gone { Vec::new() } else { server(line) }
        });
        let unknown = [Fate::Unknown, Fate::Unknown, Fate::Refused, Fate::Unknown, Fate::Unknown];
        assert_eq!(fates(&report.outcomes[0]), unknown);
        assert_eq!(fates(&report.outcomes[1]), [Fate::Deferred; 5]);
    }
}

#[test]
fn an_envelope_that_comes_later() {
    let recipients = five();
    let envelope = Envelope::new(sender(), &recipients);
    let name = HeloName::new("client.example").expect("a name");
    let mut delivery = Delivery::new(name, DeliveryConfig::default());
    let mut out = [0; 512];
    let mut say = |delivery: &mut Delivery<'_>, bytes: &[u8]| {
        let written = delivery.transmit(&mut out).expect("room");
        let event = format!("{:?}", delivery.receive(bytes).event);
        (String::from_utf8_lossy(&out[..written]).into_owned(), event)
    };
    say(&mut delivery, b"220 mx\r\n");
    assert!(!delivery.envelope(&envelope), "it was not asked for");
    say(&mut delivery, b"250-mx\r\n250 PIPELINING\r\n");
    assert_eq!(say(&mut delivery, b"").1, "NeedEnvelope");
    delivery.defer_envelope();
    assert_eq!(say(&mut delivery, b""), (String::new(), "NeedInput".into()));
    assert!(delivery.envelope(&envelope));
    assert!(!delivery.envelope(&envelope), "one at a time");
    say(&mut delivery, b"250 ok\r\n");
    for _ in 0..5 {
        say(&mut delivery, b"250 ok\r\n");
    }
    say(&mut delivery, b"354 go\r\n");
    assert!(say(&mut delivery, b"").1.starts_with("NeedContent"));
    delivery.end_mail_data(&mut [0; 5]).expect("room");
    assert_eq!(say(&mut delivery, b"").1, "NeedEnvelope");
    delivery.defer_envelope();
    assert_eq!(say(&mut delivery, b"").1, "NeedInput");
    assert!(say(&mut delivery, b"250 taken\r\n").1.starts_with("Message"));
    assert_eq!(say(&mut delivery, b"").1, "Finished { envelope: 0 }");
    assert_eq!(say(&mut delivery, b"").1, "NeedEnvelope");
    delivery.quit();
    assert_eq!(say(&mut delivery, b"221 bye\r\n").0, "QUIT\r\n");
    assert_eq!(say(&mut delivery, b"").1, "Closed");
}

/// The outcomes of one envelope do not take what is said of another.
#[test]
fn outcomes_of_their_own() {
    let mut memory = [Outcome::PENDING];
    let mut outcomes = Outcomes::resume(&mut memory, 3);
    outcomes.record(&Event::Finished { envelope: 2 });
    outcomes.record(&Event::Split { envelope: 4, first: 0 });
    assert_eq!(memory[0], Outcome::PENDING);
    Outcomes::resume(&mut memory, 3).record(&Event::Finished { envelope: 3 });
    assert_eq!(memory[0].fate, Fate::Deferred);
}
