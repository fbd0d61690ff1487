//! Servers that behave and servers that do not: every recipient gets exactly one outcome.

use ehlo::delivery::{Cause, Event, Fate, Outcome, Outcomes};
use ehlo::delivery::{Recipient, Recipients};
use ehlo::machine::Machine as _;
use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::{Body, OtherParameter, Parameter, Parameters};
use ehlo::{
    Code, Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, Reply, ReversePath, SendError,
};

use crate::harness::{
    CHUNKING, CHUNKING_ALONE, ONE_REFUSED, PIPELINING, PLAIN, Run, fates, five, run, script, sender,
};

#[test]
fn one_of_five_refused() {
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, sent) = run(offered, &[]);
        assert_eq!(fates(&outcomes), ONE_REFUSED);
        assert_eq!(outcomes[2].code.map(Code::number), Some(550));
        assert_eq!(
            outcomes[2].enhanced_code.map(|code| code.to_string()).as_deref(),
            Some("5.1.1")
        );
        assert_eq!((outcomes[2].stage, outcomes[0].stage), (Verb::Rcpt, Verb::Message));
        assert!(sent.ends_with("Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"), "{sent}");
    }
}

#[test]
fn helo_when_ehlo_is_refused() {
    for code in ["500", "501", "502", "503", "504", "550", "551", "552", "554", "555", "571", "599"]
    {
        let refusal: &'static str = format!("{code} no\r\n").leak();
        let overrides: &'static [_] = Vec::from([("EHLO", refusal)]).leak();
        let (outcomes, sent) = run(PLAIN, overrides);
        assert_eq!(fates(&outcomes), ONE_REFUSED);
        assert!(sent.starts_with("EHLO client.example\r\nHELO client.example\r\nMAIL FROM:"));
    }
    let (outcomes, sent) = run(PLAIN, &[("EHLO", "450 not now\r\n")]);
    assert_eq!(fates(&outcomes), [Fate::Pending; 5]);
    assert_eq!(sent, "EHLO client.example\r\nQUIT\r\n");
}

#[test]
fn refusals_speak_for_all() {
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, sent) = run(offered, &[("MAIL", "451 4.7.1 later\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Deferred; 5]);
        // This server accepts recipients all the same: nothing that it may take for a message
        // follows its 354.
        let end = if offered == PIPELINING { "DATA\r\n" } else { "<s@x.example>\r\nQUIT\r\n" };
        assert!(sent.ends_with(end), "{sent}");
        let (outcomes, sent) = run(offered, &[("DATA", "554 5.7.1 no\r\n")]);
        let mut all = [Fate::Refused; 5];
        assert_eq!(fates(&outcomes), all);
        assert!(sent.ends_with("DATA\r\nRSET\r\nQUIT\r\n"), "{sent}");
        let (outcomes, sent) = run(offered, &[("RCPT", "552 5.5.3 too many\r\n")]);
        // RFC 5321 §4.5.3.1.10: "Clients SHOULD treat a 552 code in this case as a temporary, rather
        // than permanent, failure".
        all = [Fate::Deferred; 5];
        assert_eq!(fates(&outcomes), all);
        assert!(sent.ends_with("RSET\r\nQUIT\r\n"), "{sent}");
        let (outcomes, _) = run(offered, &[(".", "550 5.7.1 spam\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Refused; 5]);
    }
}

/// RFC 2920 §3.1: 354 though every recipient was refused gets a lone dot, and that is no success.
#[test]
fn a_lone_dot() {
    let (outcomes, sent) = run(PIPELINING, &[("RCPT", "550 5.1.1 no\r\n"), ("DATA", "354 go\r\n")]);
    assert_eq!(fates(&outcomes), [Fate::Refused; 5]);
    assert!(sent.ends_with("DATA\r\n.\r\nQUIT\r\n"), "{sent}");
}

/// A positive reply takes the message for nobody unless it answers the message.
#[test]
fn a_positive_reply_out_of_place_is_no_success() {
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, _) = run(offered, &[("RCPT TO:<a", "334 go\r\n")]);
        assert_eq!(fates(&outcomes)[..2], [Fate::Deferred, Fate::Accepted]);
        let (outcomes, sent) = run(offered, &[("DATA", "250 taken\r\n")]);
        let open = |fate| if fate == Fate::Accepted { Fate::Deferred } else { fate };
        assert_eq!(fates(&outcomes), ONE_REFUSED.map(open));
        assert!(sent.ends_with("DATA\r\n"), "{sent}");
        let (outcomes, sent) = run(offered, &[("EHLO", "334 what\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Pending; 5]);
        assert!(sent.ends_with("EHLO client.example\r\nQUIT\r\n"), "{sent}");
    }
    let mut memory = [Outcome::PENDING];
    let greeting =
        Event::Refused { part: None, to: Verb::Greeting, reply: Reply::new(Code::OK, "hi") };
    Outcomes::resume(&mut memory, 0).record(&greeting);
    assert_eq!(memory[0].fate, Fate::Deferred);
}

#[test]
fn a_reply_that_never_comes_leaves_the_fate_open() {
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, _) = run(offered, &[(".", "")]);
        let open = |fate| if fate == Fate::Accepted { Fate::Unknown } else { fate };
        assert_eq!(fates(&outcomes), ONE_REFUSED.map(open));
        let (outcomes, _) = run(offered, &[("DATA", "")]);
        assert_eq!(fates(&outcomes)[0], Fate::Deferred);
        let (outcomes, _) = run(offered, &[("MAIL", "421 4.3.2 closing\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Deferred; 5]);
    }
}

/// The connection breaks after every byte that the server sends.
#[test]
fn a_cut_at_every_byte() {
    let recipients = five();
    let run = Run::new(&[Envelope::new(sender(), &recipients)]);
    for offered in [PIPELINING, CHUNKING, CHUNKING_ALONE, PLAIN] {
        let mut whole = 0;
        let mut count = script(offered, &[]);
        run.carry(|line| {
            let reply = count(line);
            whole += reply.len();
            reply
        });
        for cut in 0..whole {
            let mut left = cut;
            let mut said: Vec<u8> = Vec::new();
            let mut server = script(offered, &[("BDAT", "250 2.6.0 taken\r\n")]);
            let report = run.carry(|line| {
                let mut reply = server(line);
                reply.truncate(left);
                left -= reply.len();
                said.extend(&reply);
                reply
            });
            let taken = said.windows(13).any(|bytes| bytes == b"2.6.0 taken\r\n");
            let sent = &report.sent;
            for outcome in &report.outcomes[0] {
                match outcome.fate {
                    Fate::Accepted => assert!(taken, "cut {cut}"),
                    Fate::Unknown => {
                        assert!(sent.contains("\r\n.\r\n") || sent.contains("LAST"), "cut {cut}");
                    }
                    Fate::Pending => assert!(!sent.contains("MAIL"), "cut {cut}"),
                    Fate::Deferred => {}
                    Fate::Refused => assert!(outcome.code.is_some(), "cut {cut}"),
                }
            }
        }
    }
}

#[test]
fn what_the_server_does_not_offer_is_not_sent() {
    let recipients = five();
    let plain = Envelope::new(sender(), &recipients);
    let envelope = Envelope { body: Body::EightBitMime, ..plain };
    let report = Run::new(&[envelope, plain]).carry(script(PLAIN, &[]));
    assert_eq!(fates(&report.outcomes[0]), [Fate::Refused; 5]);
    assert_eq!(fates(&report.outcomes[1]), ONE_REFUSED);
    let start = "EHLO client.example\r\nMAIL FROM:<s@x.example>\r\n";
    assert!(report.sent.starts_with(start), "{}", report.sent);
}

/// What cannot stand together is said as what it is, and nothing of it is sent.
#[test]
fn parameters_that_do_not_go_together() {
    const SIZE: &str = "250-mx.example\r\n250-SIZE\r\n250 PIPELINING\r\n";
    let recipients = five();
    let twice = [Parameter::Size(20)];
    let names: Vec<String> = (0..25).map(|n| format!("X{n}")).collect();
    let other = |name| OtherParameter::new(name, None).expect("a parameter");
    let many: Vec<_> = names.iter().map(|name| Parameter::Other(other(name))).collect();
    let envelope = |parameters| Envelope {
        size: Some(20),
        parameters: Parameters::mail(parameters).expect("parameters"),
        ..Envelope::new(sender(), &recipients)
    };
    for (parameters, error) in [
        (&twice[..], SendError::Parameter(SyntaxErrorKind::DuplicateParameter)),
        (&many[..], SendError::TooManyParameters),
        (&many[..1], SendError::UnknownParameter),
    ] {
        let report = Run::new(&[envelope(parameters)]).carry(script(SIZE, &[]));
        assert_eq!(fates(&report.outcomes[0]), [Fate::Refused; 5]);
        assert_eq!(report.outcomes[0][0].stage, Verb::Mail);
        assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
        let why = format!("error: {error:?} }}");
        assert!(report.events.iter().any(|event| event.ends_with(&why)), "{:#?}", report.events);
    }
}

#[test]
fn a_recipient_that_cannot_be_sent_is_left_out_alone() {
    for offered in [PIPELINING, CHUNKING, PLAIN] {
        for odd in 0..5 {
            let mut recipients = five();
            recipients[odd] = ForwardPath::new("jürgen@x.example").expect("an address");
            let run = Run::new(&[Envelope::new(sender(), &recipients)]);
            let report = run.carry(script(offered, &[]));
            let mut wanted = ONE_REFUSED;
            wanted[odd] = Fate::Refused;
            assert_eq!(fates(&report.outcomes[0]), wanted);
            assert_eq!(report.outcomes[0][odd].code, None);
        }
    }
}

#[test]
fn nothing_is_sent_for_nobody() {
    let odd = ["jürgen@x.example", "用户@x.example"];
    let recipients = odd.map(|address| ForwardPath::new(address).expect("an address"));
    let none: [ForwardPath<'_>; 0] = [];
    let envelopes = [Envelope::new(sender(), &recipients), Envelope::new(sender(), &none)];
    let report = Run::new(&envelopes).carry(script(PIPELINING, &[]));
    assert_eq!(fates(&report.outcomes[0]), [Fate::Refused; 2]);
    assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
    let left_out = report.events.iter().filter(|event| event.contains("NeedsSmtpUtf8")).count();
    assert_eq!(left_out, 2);
}

#[test]
fn many_envelopes_on_one_connection() {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut run = Run::new(&[envelope; 7]);
    for overlap in [true, false] {
        for offered in [PIPELINING, CHUNKING, CHUNKING_ALONE, PLAIN] {
            for pieces in [5, usize::MAX] {
                run.pieces = pieces;
                run.config.pipeline_messages = overlap;
                let report = run.carry(script(offered, &[]));
                assert!(
                    report.outcomes.iter().all(|outcomes| fates(outcomes) == ONE_REFUSED),
                    "{report:#?}"
                );
                assert_eq!(report.sent.matches("MAIL FROM:<>\r").count(), 7);
                assert_eq!((report.statistics.envelopes, report.statistics.transactions), (7, 7));
            }
        }
    }
}

#[test]
fn lmtp_answers_each_recipient() {
    const REPLIES: &str = "250 2.0.0 a\r\n452 4.2.2 full\r\n250 2.0.0 d\r\n550 5.0.0 no\r\n";
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(ReversePath::Null, &recipients); 2]);
    run.config.lmtp = true;
    run.pieces = 5;
    for (offered, overrides) in
        [(PIPELINING, &[(".", REPLIES)]), (CHUNKING, &[("BDAT 0 LAST", REPLIES)])]
    {
        let report = run.carry(script(offered, overrides));
        for outcomes in &report.outcomes {
            assert_eq!(
                fates(outcomes),
                [Fate::Accepted, Fate::Deferred, Fate::Refused, Fate::Accepted, Fate::Refused]
            );
        }
        assert!(report.sent.starts_with("LHLO client.example\r\n"));
    }
}

/// A source of recipients that keeps none of them.
#[derive(Debug)]
struct Many(usize);

impl Recipients for Many {
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        (index < self.0).then(|| ForwardPath::new("u@x.example").expect("an address").into())
    }
}

#[test]
fn any_number_of_recipients_in_a_fixed_machine() {
    let recipients = Many(20_000);
    let mut run = Run::new(&[Envelope::new(ReversePath::Null, &recipients)]);
    run.pieces = 4096;
    let report = run.carry(script(PIPELINING, &[]));
    assert!(report.outcomes[0].iter().all(|outcome| outcome.fate == Fate::Accepted));
}

#[test]
fn content_is_refused_where_none_is_wanted() {
    let name = HeloName::new("client.example").expect("a name");
    let mut delivery = Delivery::new(name, DeliveryConfig::default());
    let refused = delivery.mail_data(b"x", &mut [0; 16]);
    assert!(matches!(refused, Err(SendError::OutOfState { .. })), "{refused:?}");
}

/// A positive reply where it makes no sense is no acceptance of the message.
#[test]
fn v21_v67_only_the_reply_to_the_message_accepts_it() {
    for offered in [PIPELINING, PLAIN] {
        for (to, reply) in [
            ("DATA", "250 taken\r\n"),
            ("DATA", "220 go\r\n"),
            ("MAIL", "354 go\r\n"),
            ("RCPT", "354 go\r\n"),
            (".", "354 again\r\n"),
            ("EHLO", "354 go\r\n"),
        ] {
            let overrides: &'static [_] = Vec::from([(to, reply)]).leak();
            let (outcomes, sent) = run(offered, overrides);
            assert!(!fates(&outcomes).contains(&Fate::Accepted), "{reply} to {to}");
            assert_eq!(sent.contains("Subject"), to == ".", "{reply} to {to}: {sent}");
        }
    }
}

/// 251 and 551 name another address: it is the caller's to read, and not followed.
#[test]
fn v66_forward_paths_are_data() {
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, sent) =
            run(offered, &[("RCPT", "251 will forward to <evil@y.example>\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Accepted; 5]);
        assert!(!sent.contains("evil@"), "{sent}");
        let (outcomes, sent) = run(offered, &[("RCPT", "551 please try <evil@y.example>\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Refused; 5]);
        assert!(!sent.contains("evil@"), "{sent}");
    }
}

/// A server that says more than it was asked is left, and nothing is sent to it any more.
#[test]
fn v62_a_server_out_of_step_is_left() {
    for (to, reply) in [
        ("", "220 mx.example\r\n250 more\r\n"),
        ("EHLO", "250 mx.example\r\n250 more\r\n"),
        ("RCPT TO:<e@", "250 ok\r\n250 more\r\n"),
        ("DATA", "354 go\r\n250 taken\r\n"),
    ] {
        let mut server = script(PLAIN, &[]);
        let recipients = five();
        let report = Run::new(&[Envelope::new(sender(), &recipients)]).carry(|line| {
            let usual = server(line);
            let hit = if to.is_empty() { line.is_empty() } else { line.starts_with(to.as_bytes()) };
            if hit { reply.as_bytes().to_vec() } else { usual }
        });
        assert!(!fates(&report.outcomes[0]).contains(&Fate::Accepted), "{reply} to {to}");
        let sent = report.sent;
        assert!(!sent.contains("Subject") && !sent.contains("QUIT"), "{sent}");
    }
}

/// RFC 5321 §4.3.2: a code that is not known is taken by its first digit, so any 3yz asks for the
/// content. After a 2yz the server may read content, too: no command goes there.
#[test]
fn v117_no_command_goes_into_the_mail_data() {
    for offered in [PIPELINING, PLAIN] {
        for reply in ["350 go\r\n", "351 more\r\n", "300 go\r\n", "355 go\r\n", "334 \r\n"] {
            let overrides: &'static [_] = Vec::from([("DATA", reply)]).leak();
            let (outcomes, sent) = run(offered, overrides);
            assert_eq!(fates(&outcomes), ONE_REFUSED, "{reply}");
            assert!(sent.ends_with("DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"), "{sent}");
        }
        for (reply, code) in [("250 taken\r\n", 250), ("220 go\r\n", 220), ("200 x\r\n", 200)] {
            for nobody in [false, true] {
                let mut all = vec![("DATA", reply)];
                all.extend(nobody.then_some(("RCPT", "550 5.1.1 no\r\n")));
                let (outcomes, sent) = run(offered, all.leak());
                let open = if nobody { Fate::Refused } else { Fate::Deferred };
                assert_eq!(fates(&outcomes)[0], open, "{reply}");
                assert_eq!(sent.contains("DATA"), !nobody || offered == PIPELINING);
                if sent.contains("DATA") {
                    assert!(sent.ends_with("DATA\r\n"), "{sent}");
                }
                if !nobody {
                    let said = (outcomes[0].code.map(Code::number), outcomes[0].stage);
                    assert_eq!(said, (Some(code), Verb::Data));
                }
            }
        }
    }
}

/// Without SMTPUTF8 an address whose domain alone is not in US-ASCII goes in A-labels, which the
/// application makes: it is told which addresses those are, before anything is sent.
#[test]
fn a_domain_in_utf8_needs_a_labels() {
    const UTF8: &str = "250-mx\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n";
    let path = |text| ForwardPath::new(text).expect("an address");
    let reverse = |text| ReversePath::new(text).expect("an address");
    let recipients = [path("a@x.example"), path("b@bücher.example"), path("ü@bücher.example")];
    let envelope = Envelope::new(sender(), &recipients);
    let report = Run::new(&[envelope]).carry(script(PIPELINING, &[]));
    let causes: Vec<Cause> = report.outcomes[0].iter().map(|outcome| outcome.cause).collect();
    let needs = [SendError::NeedsALabels, SendError::NeedsSmtpUtf8].map(Cause::NotSent);
    assert_eq!(causes, [Cause::Reply, needs[0], needs[1]]);
    for (offered, from, domain, both) in [
        (PIPELINING, "b@bücher.example", SendError::NeedsALabels, SendError::NeedsSmtpUtf8),
        (UTF8, "b@bücher.example", SendError::NeedsSmtpUtf8, SendError::NeedsSmtpUtf8),
    ] {
        let name = HeloName::new("client.example").expect("a name");
        let mut delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
        for said in ["220 mx\r\n", offered] {
            delivery.receive(said.as_bytes());
            delivery.transmit(&mut [0; 64]).expect("room");
        }
        let all = [
            delivery.plan(&Envelope::new(reverse(from), &recipients)).map(|_| ()),
            delivery.plan_recipient(&envelope, &path("b@bücher.example").into()),
            delivery.plan_recipient(&envelope, &path("ü@bücher.example").into()),
            delivery.plan_recipient(&envelope, &path("ü@x.example").into()),
            delivery.plan_recipient(&envelope, &path("b@xn--bcher-kva.example").into()),
        ];
        assert_eq!(all, [Err(domain), Err(domain), Err(both), Err(both), Ok(())], "{offered}");
        let utf8 = Envelope { smtputf8: true, ..envelope };
        let sent = delivery.plan_recipient(&utf8, &path("ü@bücher.example").into());
        assert_eq!(sent, Ok(()));
    }
}
