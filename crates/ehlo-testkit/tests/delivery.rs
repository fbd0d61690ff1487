//! `Delivery` against servers that behave and servers that do not: every recipient gets exactly one
//! outcome.

use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::{
    Body, ClientConfig, ClientName, Code, Delivery, DeliveryConfig, Envelope, ForwardPath, Machine,
    Recipient, Recipients, Reply, ReversePath, SendError, Verb, Wants,
};

const CONTENT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";

/// Carries a delivery of `envelopes` against the server's `script`: a reply for each line of the
/// client, by the line. Returns the outcomes of each, and all that the client sent.
fn deliver(
    config: DeliveryConfig,
    envelopes: &[Envelope<'_>],
    recipients: usize,
    pieces: usize,
    mut server: impl FnMut(&[u8]) -> Vec<u8>,
) -> (Vec<Vec<Outcome>>, Vec<u8>) {
    let name = ClientName::new("client.example").expect("a name");
    let mut delivery = Delivery::new(name, config);
    let mut memory = vec![vec![Outcome::PENDING; recipients]; envelopes.len()];
    let (mut to_client, mut lines, mut sent) = (server(b""), Vec::new(), Vec::new());
    let (mut unread, mut current) = (Vec::new(), None::<usize>);
    for _ in 0..100_000 {
        let mut out = [0; 1024];
        let written = delivery.transmit(&mut out).expect("room for a line");
        lines.extend(&out[..written]);
        match Machine::wants(&mut delivery, &unread) {
            Wants::Event => {
                let received = delivery.receive(&unread);
                if let Some(outcomes) = current.and_then(|current| memory.get_mut(current)) {
                    let kept = outcomes.clone();
                    Outcomes::resume(outcomes, config.lmtp).record(&received.event);
                    for (old, new) in kept.iter().zip(outcomes.iter()) {
                        assert!(old.fate == Fate::Pending || old == new, "{old:?} became {new:?}");
                    }
                }
                match received.event {
                    Event::NeedEnvelope => {
                        let next = current.map_or(0, |current| current + 1);
                        match envelopes.get(next) {
                            Some(envelope) => {
                                current = Some(next);
                                delivery.envelope(envelope);
                            }
                            None => delivery.quit(),
                        }
                    }
                    Event::NeedContent => {
                        let mut room = [0; 64];
                        let Ok(progress) = delivery.mail_data(CONTENT, &mut room) else {
                            delivery.poison();
                            continue;
                        };
                        assert_eq!(progress.consumed, CONTENT.len());
                        lines.extend(&room[..progress.written]);
                        let end = delivery.end_mail_data(&mut room).expect("the end");
                        lines.extend(&room[..end]);
                    }
                    Event::Closed => {
                        sent.extend(&lines);
                        return (memory, sent);
                    }
                    _ => {}
                }
                unread.drain(..received.consumed);
            }
            Wants::Input { consumed } if consumed > 0 => drop(unread.drain(..consumed)),
            Wants::Input { .. } => {
                while let Some(end) = lines.windows(2).position(|two| two == b"\r\n") {
                    let line: Vec<u8> = lines.drain(..end + 2).collect();
                    to_client.extend(server(&line));
                    sent.extend(line);
                }
                let piece = pieces.min(to_client.len());
                if piece == 0 {
                    Machine::end_of_input(&mut delivery);
                }
                unread.extend(to_client.drain(..piece));
            }
        }
    }
    panic!("the delivery does not come to an end");
}

/// A server that offers PIPELINING and refuses `bad@…`, and is changed by `overrides`.
fn script(
    offered: &'static str,
    overrides: &'static [(&'static str, &'static str)],
) -> impl FnMut(&[u8]) -> Vec<u8> {
    let mut data = false;
    let mut accepted = 0;
    move |line| {
        let line = String::from_utf8_lossy(line).into_owned();
        if data {
            data = line != ".\r\n";
            let reply = overrides.iter().find(|(start, _)| *start == "." && line == ".\r\n");
            return match reply {
                _ if data => Vec::new(),
                Some((_, reply)) => reply.as_bytes().to_vec(),
                None => b"250 2.6.0 taken\r\n".to_vec(),
            };
        }
        let verb = line.split(['\r', ':', ' ']).next().unwrap_or_default().to_owned();
        let over = overrides.iter().find(|(start, _)| !start.is_empty() && line.starts_with(start));
        let reply = match (over, verb.as_str()) {
            (Some((_, reply)), _) => (*reply).to_owned(),
            (None, "") => "220 mx.example\r\n".to_owned(),
            (None, "EHLO" | "LHLO") => offered.to_owned(),
            (None, "MAIL") => {
                accepted = 0;
                "250 2.1.0 ok\r\n".to_owned()
            }
            (None, "RCPT") if line.contains("bad@") => "550 5.1.1 no such user\r\n".to_owned(),
            (None, "DATA") if accepted == 0 => "554 5.5.1 no valid recipients\r\n".to_owned(),
            (None, "DATA") => "354 go\r\n".to_owned(),
            (None, "QUIT") => "221 bye\r\n".to_owned(),
            (None, _) => "250 ok\r\n".to_owned(),
        };
        if verb == "RCPT" && reply.starts_with('2') {
            accepted += 1;
        }
        if reply.starts_with("354") {
            data = true;
        }
        reply.into_bytes()
    }
}

const PIPELINING: &str = "250-mx.example\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n";
const PLAIN: &str = "250 mx.example\r\n";

fn five() -> [ForwardPath<'static>; 5] {
    ["a@x.example", "b@x.example", "bad@x.example", "d@x.example", "e@x.example"]
        .map(|address| ForwardPath::new(address).expect("an address"))
}

fn fates(outcomes: &[Outcome]) -> Vec<Fate> {
    outcomes.iter().map(|outcome| outcome.fate).collect()
}

fn run(
    offered: &'static str,
    overrides: &'static [(&'static str, &'static str)],
) -> (Vec<Outcome>, String) {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients);
    let mut results = [1, 3, usize::MAX].map(|pieces| {
        let script = script(offered, overrides);
        deliver(DeliveryConfig::default(), &[envelope], 5, pieces, script)
    });
    assert_eq!(results[0], results[1], "{overrides:?}");
    assert_eq!(results[0], results[2], "{overrides:?}");
    let (outcomes, sent) = &mut results[0];
    (outcomes.remove(0), String::from_utf8_lossy(sent).into_owned())
}

const ONE_REFUSED: [Fate; 5] =
    [Fate::Accepted, Fate::Accepted, Fate::Refused, Fate::Accepted, Fate::Accepted];

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
    for code in ["500", "501", "502", "504", "550"] {
        let refusal: &'static str = format!("{code} no\r\n").leak();
        let overrides: &'static [_] = Vec::from([("EHLO", refusal)]).leak();
        let (outcomes, sent) = run(PLAIN, overrides);
        assert_eq!(fates(&outcomes), ONE_REFUSED);
        assert!(sent.starts_with("EHLO client.example\r\nHELO client.example\r\nMAIL FROM:"));
    }
    let (outcomes, sent) = run(PLAIN, &[("EHLO", "554 go away\r\n")]);
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
        // RFC 5321 §4.5.3.1.10: "treat a 552 … as if … 452".
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
        assert!(sent.ends_with("DATA\r\nRSET\r\nQUIT\r\n"), "{sent}");
        let (outcomes, sent) = run(offered, &[("EHLO", "334 what\r\n")]);
        assert_eq!(fates(&outcomes), [Fate::Pending; 5]);
        assert!(sent.ends_with("EHLO client.example\r\nQUIT\r\n"), "{sent}");
    }
    let mut memory = [Outcome::PENDING];
    let greeting = Event::Refused { to: Verb::Greeting, reply: Reply::new(Code::OK, "hi") };
    Outcomes::new(&mut memory).record(&greeting);
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

/// The connection breaks after every octet that the server sends.
#[test]
fn a_cut_at_every_octet() {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients);
    for offered in [PIPELINING, PLAIN] {
        let mut whole = 0;
        let mut count = script(offered, &[]);
        deliver(DeliveryConfig::default(), &[envelope], 5, usize::MAX, |line| {
            let reply = count(line);
            whole += reply.len();
            reply
        });
        for cut in 0..whole {
            let mut left = cut;
            let mut said = Vec::new();
            let mut server = script(offered, &[]);
            let (outcomes, sent) =
                deliver(DeliveryConfig::default(), &[envelope], 5, usize::MAX, |line| {
                    let mut reply = server(line);
                    reply.truncate(left);
                    left -= reply.len();
                    said.extend(&reply);
                    reply
                });
            let taken = said.windows(11).any(|octets| octets == b"2.6.0 taken");
            let complete = said.ends_with(b"\r\n") || !said.ends_with(b"taken");
            for outcome in &outcomes[0] {
                match outcome.fate {
                    Fate::Accepted => assert!(taken && complete, "cut {cut}"),
                    Fate::Unknown => assert!(sent.ends_with(b"\r\n.\r\n"), "cut {cut}"),
                    Fate::Pending => assert!(!sent.starts_with(b"EHLO client.example\r\nMAIL")),
                    Fate::Deferred | Fate::Refused => {}
                }
            }
        }
    }
}

#[test]
fn what_the_server_does_not_offer_is_not_sent() {
    let recipients = five();
    let path = ReversePath::new("s@x.example").expect("a path");
    let mut envelope = Envelope::new(path, &recipients);
    envelope.body = Body::EightBitMime;
    let server = script(PLAIN, &[]);
    let (outcomes, sent) = deliver(
        DeliveryConfig::default(),
        &[envelope, Envelope::new(path, &recipients)],
        5,
        9,
        server,
    );
    assert_eq!(fates(&outcomes[0]), [Fate::Refused; 5]);
    assert_eq!(fates(&outcomes[1]), ONE_REFUSED);
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.starts_with("EHLO client.example\r\nMAIL FROM:<s@x.example>\r\n"), "{sent}");
}

#[test]
fn a_recipient_that_cannot_be_sent_is_left_out_alone() {
    let mut recipients = five();
    recipients[1] = ForwardPath::new("jürgen@x.example").expect("an address");
    let path = ReversePath::new("s@x.example").expect("a path");
    for offered in [PIPELINING, PLAIN] {
        let envelope = Envelope::new(path, &recipients);
        let (outcomes, _) =
            deliver(DeliveryConfig::default(), &[envelope], 5, 9, script(offered, &[]));
        let mut wanted = ONE_REFUSED;
        wanted[1] = Fate::Refused;
        assert_eq!(fates(&outcomes[0]), wanted);
        assert_eq!(outcomes[0][1].code, None);
    }
}

#[test]
fn many_envelopes_on_one_connection() {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::new("").expect("null"), &recipients);
    for offered in [PIPELINING, PLAIN] {
        let (outcomes, sent) =
            deliver(DeliveryConfig::default(), &[envelope; 7], 5, 5, script(offered, &[]));
        assert!(outcomes.iter().all(|outcomes| fates(outcomes) == ONE_REFUSED));
        let mails = sent.windows(13).filter(|octets| octets == b"MAIL FROM:<>\r").count();
        assert_eq!(mails, 7);
    }
}

#[test]
fn lmtp_answers_each_recipient() {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::new("").expect("null"), &recipients);
    let config = DeliveryConfig { lmtp: true, ..DeliveryConfig::default() };
    let replies = "250 2.0.0 a\r\n452 4.2.2 full\r\n250 2.0.0 d\r\n550 5.0.0 no\r\n";
    let overrides: &'static [_] = Vec::from([(".", replies)]).leak();
    let (outcomes, sent) = deliver(config, &[envelope], 5, 5, script(PIPELINING, overrides));
    assert_eq!(
        fates(&outcomes[0]),
        [Fate::Accepted, Fate::Deferred, Fate::Refused, Fate::Accepted, Fate::Refused]
    );
    assert!(sent.starts_with(b"LHLO client.example\r\n"));
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
    let envelope = Envelope::new(ReversePath::new("").expect("null"), &recipients);
    let server = script(PIPELINING, &[]);
    let (outcomes, _) = deliver(DeliveryConfig::default(), &[envelope], 20_000, 4096, server);
    assert!(outcomes[0].iter().all(|outcome| outcome.fate == Fate::Accepted));
}

#[test]
fn content_is_refused_where_none_is_wanted() {
    let name = ClientName::new("client.example").expect("a name");
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
            ("DATA", "334 \r\n"),
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

/// With TLS required, a server that has none gets nothing to read.
#[test]
fn v37_no_mail_without_tls() {
    let recipients = five();
    let envelope = Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients);
    let client = ClientConfig { require_tls: true, ..ClientConfig::DEFAULT };
    let config = DeliveryConfig { client, ..DeliveryConfig::default() };
    let (outcomes, sent) = deliver(config, &[envelope], 5, 9, script(PIPELINING, &[]));
    assert_eq!(fates(&outcomes[0]), [Fate::Deferred; 5]);
    assert_eq!(String::from_utf8_lossy(&sent), "EHLO client.example\r\nQUIT\r\n");
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
        let envelope = Envelope::new(ReversePath::new("s@x.example").expect("a path"), &recipients);
        let (outcomes, sent) =
            deliver(DeliveryConfig::default(), &[envelope], 5, usize::MAX, |line| {
                let usual = server(line);
                let hit =
                    if to.is_empty() { line.is_empty() } else { line.starts_with(to.as_bytes()) };
                if hit { reply.as_bytes().to_vec() } else { usual }
            });
        assert!(!fates(&outcomes[0]).contains(&Fate::Accepted), "{reply} to {to}");
        let sent = String::from_utf8_lossy(&sent).into_owned();
        assert!(!sent.contains("Subject") && !sent.contains("QUIT"), "{sent}");
    }
}

#[test]
fn a_transaction_without_a_recipient_ends() {
    let path = ReversePath::new("s@x.example").expect("a path");
    let utf8 = ["jürgen@x.example", "jörg@x.example"].map(|a| ForwardPath::new(a).expect("one"));
    let good = five();
    for offered in [PIPELINING, PLAIN] {
        let none: [ForwardPath<'_>; 0] = [];
        for (recipients, count) in [(&none as &dyn Recipients, 0), (&utf8, 2)] {
            let envelopes = [Envelope::new(path, recipients), Envelope::new(path, &good)];
            let config = DeliveryConfig::default();
            let (outcomes, sent) = deliver(config, &envelopes, 5, 9, script(offered, &[]));
            assert_eq!(fates(&outcomes[0])[..count], [Fate::Refused; 2][..count]);
            assert_eq!(fates(&outcomes[1]), ONE_REFUSED);
            let sent = String::from_utf8_lossy(&sent);
            assert!(sent.contains("MAIL FROM:<s@x.example>\r\nRSET\r\n"), "{sent}");
        }
    }
}
