//! More recipients, or messages, than the server takes at once.

use ehlo::delivery::{Fate, Outcome};
use ehlo::syntax::command::Verb;
use ehlo::{Code, Envelope, ForwardPath};

use crate::harness::{ONE_REFUSED, Run, fates, five, script, sender};

const RCPTMAX: &str = "250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n";
const RCPTMAX_CHUNKING: &str =
    "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 LIMITS RCPTMAX=2\r\n";
const MAILMAX: &str = "250-mx\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=2\r\n";
const PIPELINING: &str = "250-mx\r\n250 PIPELINING\r\n";

fn twice<'e>(recipients: &'e [ForwardPath<'static>; 5], repeatable: bool) -> Run<'e> {
    let envelope = Envelope { repeatable, ..Envelope::new(sender(), recipients) };
    Run::new(&[envelope; 2])
}

/// A server that takes so many recipients, and says `reply` to the rest.
fn takes(most: usize, reply: &'static str, offered: &'static str) -> impl FnMut(&[u8]) -> Vec<u8> {
    let mut usual = script(offered, &[]);
    let mut refusing = script(offered, Vec::from([("RCPT", reply)]).leak());
    let mut count = 0;
    move |line| {
        let is_rcpt = line.starts_with(b"RCPT");
        if line.starts_with(b"MAIL") {
            count = 0;
        }
        if is_rcpt && count == most {
            refusing(line)
        } else {
            let said = usual(line);
            count += usize::from(is_rcpt && said.starts_with(b"2"));
            said
        }
    }
}

#[test]
fn more_recipients_than_rcptmax() {
    let recipients = five();
    for offered in [RCPTMAX, RCPTMAX_CHUNKING] {
        for size in [None, Some(20)] {
            for pieces in [1, usize::MAX] {
                let mut run = twice(&recipients, true);
                run.envelopes.iter_mut().for_each(|envelope| envelope.size = size);
                run.pieces = pieces;
                let report = run.carry(script(offered, &[]));
                assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == ONE_REFUSED));
                assert_eq!(report.statistics.transactions, 6);
                assert_eq!(report.sent.matches("Subject").count(), 6);
                let splits: Vec<_> =
                    report.events.iter().filter(|event| event.starts_with("Split")).collect();
                assert_eq!(splits.len(), 4);
                assert_eq!(splits[0], "Split { envelope: 0, first: 2 }");
            }
        }
    }
    // Content that goes once: the rest waits for another session.
    let report = twice(&recipients, false).carry(script(RCPTMAX, &[]));
    for outcomes in &report.outcomes {
        let all = [Fate::Accepted, Fate::Accepted, Fate::Deferred, Fate::Deferred, Fate::Deferred];
        assert_eq!(fates(outcomes), all);
        assert_eq!(outcomes[4].code, None);
    }
}

/// What is said of the message decides for the recipients that were not tried.
#[test]
fn a_refusal_ends_the_envelope() {
    let recipients = five();
    for overrides in [
        &[(".", "550 5.7.1 spam\r\n")],
        &[("DATA", "550 5.7.1 spam\r\n")],
        &[("MAIL", "550 5.7.1 spam\r\n")],
    ] {
        let mut server = script(RCPTMAX, overrides);
        let mut refused = false;
        let report = twice(&recipients, true).carry(|line| {
            // MAIL refused refuses all that follows.
            refused |= overrides[0].0 == "MAIL" && line.starts_with(b"MAIL");
            if refused && (line.starts_with(b"RCPT") || line.starts_with(b"DATA")) {
                return b"503 5.5.1 MAIL first\r\n".to_vec();
            }
            server(line)
        });
        for outcomes in &report.outcomes {
            assert_eq!(fates(outcomes), [Fate::Refused; 5]);
            assert!(outcomes.iter().all(|outcome| outcome.code == Code::new(550)), "{report:#?}");
        }
        assert_eq!(report.statistics.transactions, 2);
    }
    // But recipients that were refused by themselves do not.
    let report = twice(&recipients, true)
        .carry(script(RCPTMAX, &[("RCPT TO:<a", "550 no\r\n"), ("RCPT TO:<b", "550 no\r\n")]));
    let rest = [Fate::Refused, Fate::Refused, Fate::Refused, Fate::Accepted, Fate::Accepted];
    assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == rest));
}

/// RFC 5321 §4.5.3.1.10: recipients beyond the server's own limit go in further transactions.
#[test]
fn too_many_recipients_by_their_replies() {
    let recipients = five();
    for reply in ["452 4.5.3 too many\r\n", "552 5.5.3 too many\r\n", "452 too many\r\n"] {
        for pieces in [1, usize::MAX] {
            let mut run = twice(&recipients, true);
            run.pieces = pieces;
            let report = run.carry(takes(2, reply, PIPELINING));
            for outcomes in &report.outcomes {
                assert_eq!(fates(outcomes), ONE_REFUSED, "{report:#?}");
            }
            assert_eq!(report.statistics.transactions, 4);
            run.config.split_recipients = false;
            let report = run.carry(takes(2, reply, PIPELINING));
            let all =
                [Fate::Accepted, Fate::Accepted, Fate::Deferred, Fate::Deferred, Fate::Deferred];
            assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == all));
        }
    }
    // Not when it is about something else, or nobody was accepted, or somebody behind them was.
    let report = twice(&recipients, true).carry(takes(2, "452 4.2.2 full\r\n", PIPELINING));
    assert_eq!(report.statistics.transactions, 2);
    let report = twice(&recipients, true).carry(takes(0, "452 4.5.3 too many\r\n", PIPELINING));
    assert_eq!(report.statistics.transactions, 2);
    assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == [Fate::Deferred; 5]));
    let odd = script(PIPELINING, &[("RCPT TO:<b@", "452 4.5.3 too many\r\n")]);
    let report = twice(&recipients, true).carry(odd);
    assert_eq!(report.statistics.transactions, 2);
    let all = [Fate::Accepted, Fate::Deferred, Fate::Refused, Fate::Accepted, Fate::Accepted];
    assert!(report.outcomes.iter().all(|outcomes| fates(outcomes) == all));
}

/// Both limits, and a recipient that cannot be sent among those that are sent again.
#[test]
fn recipients_again() {
    let mut recipients = five();
    recipients[3] = ForwardPath::new("jürgen@x.example").expect("an address");
    let run = twice(&recipients, true);
    let report = run.carry(takes(1, "452 4.5.3 too many\r\n", RCPTMAX));
    for outcomes in &report.outcomes {
        let all = [Fate::Accepted, Fate::Accepted, Fate::Refused, Fate::Refused, Fate::Accepted];
        assert_eq!(fates(outcomes), all, "{report:#?}");
        assert_eq!(outcomes[3].code, None);
    }
}

/// MAILMAX: the session ends, and the rest is for another one.
#[test]
fn more_messages_than_mailmax() {
    let recipients = five();
    for pieces in [1, usize::MAX] {
        let mut run = Run::new(&[Envelope::new(sender(), &recipients); 4]);
        run.pieces = pieces;
        let report = run.carry(script(MAILMAX, &[]));
        assert_eq!(fates(&report.outcomes[1]), ONE_REFUSED);
        assert_eq!(report.outcomes[2], [Outcome::PENDING; 5]);
        assert_eq!(report.statistics.envelopes, 2);
        assert!(report.events.iter().any(|event| event == "Unusable(MailMax)"));
        assert!(report.sent.ends_with("QUIT\r\n"));
    }
    // A further transaction that is one too many.
    let both = "250-mx\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=2 RCPTMAX=2\r\n";
    let report = twice(&recipients, true).carry(script(both, &[]));
    let all = [Fate::Accepted, Fate::Accepted, Fate::Refused, Fate::Accepted, Fate::Deferred];
    assert_eq!(fates(&report.outcomes[0]), all);
    assert_eq!(report.statistics.envelopes, 1);
}

/// RFC 9422 §4.3: RCPTDOMAINMAX is of the session, so another one is needed for the rest.
#[test]
fn more_domains_than_rcptdomainmax() {
    let recipients = ["a@x.example", "b@y.example", "c@X.example", "d@z.example", "e@y.example"]
        .map(|address| ForwardPath::new(address).expect("an address"));
    for (offered, size) in [
        ("250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTDOMAINMAX=2\r\n", None),
        ("250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTDOMAINMAX=2 RCPTMAX=2\r\n", None),
        ("250-mx\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 LIMITS RCPTDOMAINMAX=2\r\n", Some(20)),
        ("250-mx\r\n250 LIMITS RCPTDOMAINMAX=2\r\n", None),
    ] {
        let mut envelope = Envelope::new(sender(), &recipients);
        (envelope.repeatable, envelope.size) = (true, size);
        for pieces in [1, usize::MAX] {
            let mut run = Run::new(&[envelope; 2]);
            run.pieces = pieces;
            let report = run.carry(script(offered, &[]));
            for outcomes in &report.outcomes {
                let mut all = [Fate::Accepted; 5];
                all[3] = Fate::Deferred;
                assert_eq!(fates(outcomes), all, "{offered}");
                assert_eq!((outcomes[3].code, outcomes[3].stage), (None, Verb::Rcpt));
            }
            assert!(!report.sent.contains("z.example"), "{}", report.sent);
            let why = "error: TooManyDomains }";
            assert_eq!(report.events.iter().filter(|event| event.ends_with(why)).count(), 2);
        }
    }
}
