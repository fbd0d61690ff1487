//! Content by BDAT, and content that comes to no end.

use ehlo::data::Newlines;
use ehlo::delivery::{ChunkingPolicy, Fate, HelloPolicy};
use ehlo::syntax::parameter::Body;
use ehlo::{Delivery, Envelope, Extension, SendError};

use crate::harness::{
    CHUNKING, CHUNKING_ALONE, Caller, ONE_REFUSED, PIPELINING, PLAIN, Run, fates, five, script,
    sender,
};

const RCPTS: &str = "RCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<bad@x.example>\r\n\
    RCPT TO:<d@x.example>\r\nRCPT TO:<e@x.example>\r\n";

/// What is sent between the last RCPT and QUIT.
fn content_of(sent: &str) -> &str {
    let (_, content) = sent.rsplit_once("RCPT TO:<e@x.example>\r\n").expect("recipients");
    content.strip_suffix("QUIT\r\n").expect("an orderly end")
}

type Give = fn(&mut Caller<'_, '_>, u64) -> Result<(), SendError>;

fn in_three(caller: &mut Caller<'_, '_>, _: u64) -> Result<(), SendError> {
    caller.piece(b"Subject: x\r\n")?;
    caller.piece(b"\r\n.\r")?;
    caller.last(b"\n.dot")
}

#[test]
fn each_call_is_a_chunk() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    let report = run.carry(script(CHUNKING, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    let content = "BDAT 20\r\nSubject: x\r\n\r\n.dot\r\nBDAT 0 LAST\r\n";
    assert_eq!(content_of(&report.sent), content);

    run.give = in_three;
    for offered in [CHUNKING, PIPELINING] {
        for pieces in [1, 7, usize::MAX] {
            run.pieces = pieces;
            let report = run.carry(script(offered, &[]));
            assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
            let content = if offered == CHUNKING {
                "BDAT 12\r\nSubject: x\r\nBDAT 4\r\n\r\n.\rBDAT 7 LAST\r\n\n.dot\r\n"
            } else {
                "DATA\r\nSubject: x\r\n\r\n..\r\n..dot\r\n.\r\n"
            };
            assert_eq!(content_of(&report.sent), content);
        }
    }
}

#[test]
fn without_pipelining_each_chunk_waits() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    run.config.chunking = ChunkingPolicy::Offered;
    let report = run.carry(script(CHUNKING_ALONE, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    let content = "BDAT 20\r\nSubject: x\r\n\r\n.dot\r\nBDAT 0 LAST\r\n";
    assert_eq!(content_of(&report.sent), content);

    // EHLO, MAIL, five RCPT, two BDAT, QUIT.
    assert_eq!(report.statistics.round_trips, 10);
    run.give = |caller, offset| match offset {
        0 => caller.piece(b"Subject: x\r\n"),
        12 => caller.piece(b"\r\n"),
        _ => caller.last(b".dot\r\n"),
    };
    let report = run.carry(script(CHUNKING_ALONE, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    let content = "BDAT 12\r\nSubject: x\r\nBDAT 2\r\n\r\nBDAT 6 LAST\r\n.dot\r\n";
    assert_eq!(content_of(&report.sent), content);

    run.config.chunking = ChunkingPolicy::Pipelined;
    let report = run.carry(script(CHUNKING_ALONE, &[]));
    assert!(content_of(&report.sent).starts_with("DATA\r\n"));
    run.config.chunking = ChunkingPolicy::Never;
    let report = run.carry(script(CHUNKING, &[]));
    assert!(content_of(&report.sent).starts_with("DATA\r\n"));
}

#[test]
fn a_small_message_goes_with_its_envelope() {
    let recipients = five();
    let envelope = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    let mut run = Run::new(&[envelope]);
    run.give = |caller, _| caller.last(b"Subject: x\r\n\r\n.dot\r\n");
    let all = format!(
        "EHLO client.example\r\nMAIL FROM:<s@x.example>\r\n{RCPTS}\
        BDAT 20 LAST\r\nSubject: x\r\n\r\n.dot\r\nQUIT\r\n"
    );
    let report = run.carry(script(CHUNKING, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    assert_eq!(report.sent, all);
    // EHLO, all of the message, QUIT.
    assert_eq!(report.statistics.round_trips, 3);
    run.config.early_content = 19;
    let report = run.carry(script(CHUNKING, &[]));
    assert_eq!((report.sent, report.statistics.round_trips), (all, 3));
    assert!(report.events.iter().any(|event| event.contains("offset: 0")));
}

/// Early content for nobody is thrown away by the server, and RSET follows.
#[test]
fn early_content_for_nobody() {
    const NOBODY: &[(&str, &str)] = &[("RCPT", "550 5.1.1 no\r\n")];
    let recipients = five();
    let envelope = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    let mut run = Run::new(&[envelope, envelope]);
    for pieces in [1, 20, usize::MAX] {
        run.pieces = pieces;
        for overrides in [NOBODY, &[("RCPT", "550 5.1.1 no\r\n"), ("BDAT", "250 why not\r\n")]] {
            let report = run.carry(script(CHUNKING, overrides));
            for outcomes in &report.outcomes {
                assert_eq!(fates(outcomes), [Fate::Refused; 5]);
                assert!(outcomes.iter().all(|outcome| outcome.enhanced_code.is_some()));
            }
        }
        let report = run.carry(script(CHUNKING, NOBODY));
        // The second waits for the reply to RSET, and those to its RCPT may come with it.
        assert!(matches!(report.sent.matches("LAST").count(), 1 | 2), "{}", report.sent);
        assert!(report.sent.contains("LAST\r\nRSET\r\nMAIL"), "{}", report.sent);
        let report = run.carry(script(CHUNKING, &[("MAIL", "451 4.7.1 later\r\n")]));
        for outcomes in &report.outcomes {
            assert_eq!(fates(outcomes), [Fate::Deferred; 5]);
        }
    }
}

#[test]
fn a_chunk_that_is_refused() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients); 2]);
    run.give = |caller, offset| {
        if offset < 200 { caller.piece(&[b'x'; 50]) } else { caller.end() }
    };
    for chunking in [ChunkingPolicy::Pipelined, ChunkingPolicy::Offered] {
        run.config.chunking = chunking;
        for offered in [CHUNKING, CHUNKING_ALONE] {
            let mut server = script(offered, &[]);
            let (mut chunks, mut failed) = (0, false);
            let report = run.carry(|line| {
                let usual = server(line);
                if line.starts_with(b"RSET") {
                    failed = false;
                }
                if line.starts_with(b"BDAT") {
                    chunks += 1;
                    let was_failed = failed;
                    let is_last = line.starts_with(b"BDAT 2 LAST");
                    failed = (failed || chunks == 2) && !is_last;
                    if chunks == 2 {
                        return b"552 5.3.4 too large\r\n".to_vec();
                    }
                    if was_failed {
                        return b"503 5.5.1 not now\r\n".to_vec();
                    }
                }
                usual
            });
            if offered == CHUNKING_ALONE && chunking == ChunkingPolicy::Pipelined {
                assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
                continue;
            }
            assert_eq!(fates(&report.outcomes[0]), [Fate::Refused; 5]);
            let codes = report.outcomes[0].iter().map(|outcome| outcome.code.map(|c| c.number()));
            assert!(codes.eq([552, 552, 550, 552, 552].map(Some)));
            assert_eq!(fates(&report.outcomes[1]), ONE_REFUSED, "{report:#?}");
            // Where all chunks are sent at once, MAIL is too.
            let resets = usize::from(offered == CHUNKING_ALONE);
            assert_eq!(report.sent.matches("RSET").count(), resets, "{}", report.sent);
        }
    }
}

#[test]
fn binary_content_goes_by_bdat_or_not_at_all() {
    const OFFERED: &str = "250-mx\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 PIPELINING\r\n";
    let recipients = five();
    let envelope = Envelope { body: Body::BinaryMime, ..Envelope::new(sender(), &recipients) };
    let mut run = Run::new(&[envelope]);
    run.config.chunking = ChunkingPolicy::Never;
    run.give = |caller, _| caller.last(b"\0\n.\r\x01\r\n.\r\nx");
    let report = run.carry(script(OFFERED, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    assert!(report.sent.contains("BODY=BINARYMIME\r\n"));
    assert_eq!(content_of(&report.sent), "BDAT 11 LAST\r\n\0\n.\r\x01\r\n.\r\nx");
    for offered in [CHUNKING, PIPELINING, PLAIN] {
        let report = run.carry(script(offered, &[]));
        assert_eq!(fates(&report.outcomes[0]), [Fate::Refused; 5]);
        assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
        let why = format!("{:?}", SendError::NotOffered(Extension::BinaryMime));
        assert!(report.events.iter().any(|event| event.contains(&why)));
    }
}

/// The same bytes arrive by BDAT and by DATA, whatever the pieces and the policy.
#[test]
fn chunks_follow_the_newline_policy() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    let contents: [Give; 9] = [
        |caller, _| caller.end(),
        |caller, _| caller.last(b"a\nb\rc\r\n.\nd"),
        |caller, _| caller.last(b"a\r"),
        |caller, _| caller.last(b"\r\n\r\n"),
        |caller, _| caller.last(&[b'\n'; 99]),
        |caller, _| caller.last(&[b'\r'; 99]),
        |caller, _| {
            caller.piece(&[b'\n'; 48])?;
            caller.piece(b"\r")?;
            caller.piece(b"\n\r")?;
            caller.piece(b"")?;
            caller.piece(b"x")?;
            caller.end()
        },
        |caller, _| {
            caller.piece(b"no newline at all, and longer than what there is room for at once\r")?;
            caller.last(b"\n.")
        },
        |caller, _| {
            caller.piece(b"\r\r\r\n\n\r\n\n")?;
            caller.end()
        },
    ];
    for newlines in [Newlines::Keep, Newlines::Normalise] {
        run.config.client.newlines = newlines;
        for give in contents {
            run.give = give;
            let chunks = run.carry(script(CHUNKING, &[]));
            assert_eq!(fates(&chunks.outcomes[0]), ONE_REFUSED, "{chunks:#?}");
            let lines = run.carry(script(PIPELINING, &[]));
            let lines = content_of(&lines.sent).strip_prefix("DATA\r\n").expect("DATA");
            let lines = lines.strip_suffix(".\r\n").expect("the end");
            let lines = unstuffed(lines);
            assert_eq!(dechunked(content_of(&chunks.sent)), lines, "{newlines:?}");
        }
    }
    // Nothing of a chunk is sent that has what is refused, and the session goes on.
    run.config.client.newlines = Newlines::Reject;
    run.envelopes = vec![run.envelopes[0]; 2];
    for give in contents.into_iter().skip(1) {
        run.give = give;
        let report = run.carry(script(CHUNKING, &[]));
        for outcomes in &report.outcomes {
            let is_clean = report.sent.contains("LAST");
            assert_eq!(fates(outcomes)[0] == Fate::Accepted, is_clean, "{report:#?}");
        }
        assert!(report.sent.ends_with("QUIT\r\n"));
    }
}

fn unstuffed(lines: &str) -> String {
    let lines = lines.split_inclusive("\r\n");
    lines.map(|line| line.strip_prefix('.').unwrap_or(line)).collect()
}

fn dechunked(mut sent: &str) -> String {
    let mut content = String::new();
    while let Some(rest) = sent.strip_prefix("BDAT ") {
        let (command, rest) = rest.split_once("\r\n").expect("a line");
        let size = command.trim_end_matches(" LAST").parse().expect("a size");
        let (chunk, rest) = rest.split_at(size);
        content.push_str(chunk);
        assert_eq!(rest.is_empty(), command.ends_with(" LAST"), "{sent}");
        sent = rest;
    }
    assert_eq!(sent, "");
    content
}

/// A chunk in a slice that has no room for it, one byte more at a time.
#[test]
fn a_chunk_in_little_room() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    run.give = |caller, _| {
        let mut content: &[u8] = b"0123456789\n0123456789\n0123456789\n0123456789\n0123456789\r";
        let mut room = Delivery::CONTENT_ROOM;
        while !content.is_empty() {
            caller.put_once(&mut content, room)?;
            room = 7;
        }
        Ok(())
    };
    run.config.client.newlines = Newlines::Normalise;
    let report = run.carry(script(CHUNKING, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    let lines = "0123456789\r\n".repeat(5);
    assert_eq!(content_of(&report.sent), format!("BDAT 60 LAST\r\n{lines}"));
}

/// More content than a chunk was begun for goes in the next; none of it is lost.
#[test]
fn a_chunk_takes_no_more_than_it_was_begun_for() {
    const CONTENT: &[u8] = b"0123456789\n0123456789\n0123456789\n0123456789\n0123456789\n\r\nend";
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    for newlines in [Newlines::Keep, Newlines::Normalise] {
        run.config.client.newlines = newlines;
        run.give = |caller, _| {
            let mut given = 0;
            while given < CONTENT.len() {
                // 10 bytes more are at hand at each call, and the first has room for few.
                let content = &CONTENT[given..CONTENT.len().min(given + 49)];
                let mut out = vec![0; if given == 0 { Delivery::CONTENT_ROOM } else { 64 }];
                let progress = caller.delivery.mail_data(content, &mut out)?;
                caller.wrote(&out[..progress.written]);
                given += progress.consumed;
            }
            caller.end()
        };
        let chunks = run.carry(script(CHUNKING, &[]));
        assert_eq!(fates(&chunks.outcomes[0]), ONE_REFUSED, "{chunks:#?}");
        let lines = run.carry(script(PIPELINING, &[]));
        let lines = content_of(&lines.sent).strip_prefix("DATA\r\n").expect("DATA");
        let lines = unstuffed(lines.strip_suffix(".\r\n").expect("the end"));
        assert_eq!(dechunked(content_of(&chunks.sent)), lines, "{newlines:?}");
        assert!(chunks.sent.matches("BDAT").count() > 2, "{}", chunks.sent);
    }
}

/// The end of the last line goes behind all of what the chunk was measured for, or nowhere.
#[test]
fn a_chunk_that_is_given_less_is_not_completed() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    for newlines in [Newlines::Keep, Newlines::Normalise] {
        run.config.client.newlines = newlines;
        run.give = |caller, _| {
            let mut content: &[u8] = b"0123456789\n0123456789\n0123456789\n0123456789\nno end";
            caller.put_once(&mut content, Delivery::CONTENT_ROOM)?;
            caller.put_once(&mut &b"x"[..], Delivery::CONTENT_ROOM)
        };
        let report = run.carry(script(CHUNKING, &[]));
        assert!(!fates(&report.outcomes[0]).contains(&Fate::Accepted), "{report:#?}");
        assert!(!report.sent.ends_with("\r\n"), "{}", report.sent);
        assert!(report.sent.contains(" LAST\r\n0123456789"), "{}", report.sent);
    }
}

#[test]
fn content_that_cannot_be_had() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients); 2]);
    run.give = |caller, _| {
        caller.piece(b"Subject: x\r\n")?;
        Err(SendError::NoContent)
    };
    let report = run.carry(script(CHUNKING, &[]));
    for outcomes in &report.outcomes {
        let all = [Fate::Deferred, Fate::Deferred, Fate::Refused, Fate::Deferred, Fate::Deferred];
        assert_eq!(fates(outcomes), all);
    }
    assert_eq!(report.sent.matches("Subject: x\r\nRSET\r\n").count(), 2, "{}", report.sent);
    assert!(report.sent.ends_with("RSET\r\nQUIT\r\n"));
    // Behind 354 nothing but the end of the connection ends a message without delivering it.
    let report = run.carry(script(PIPELINING, &[]));
    assert_eq!(fates(&report.outcomes[0])[0], Fate::Deferred);
    assert!(report.sent.ends_with("DATA\r\nSubject: x\r\n"));
    assert_eq!(report.statistics.envelopes, 1);
}

/// A server that has read enough says so, and it is heard.
#[test]
fn an_early_reply_to_the_content() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    run.give = |caller, _| caller.piece(b"Subject: x\r\n\r\n");
    for (reply, fate) in [
        ("552 5.3.4 too large\r\n", Fate::Refused),
        ("451 4.3.0 no\r\n", Fate::Deferred),
        ("421 4.3.2 closing\r\n", Fate::Deferred),
        ("250 2.6.0 taken\r\n", Fate::Deferred),
    ] {
        for pieces in [1, usize::MAX] {
            run.pieces = pieces;
            let mut server = script(PIPELINING, &[]);
            let mut data = false;
            let report = run.carry(|line| {
                if data {
                    return Vec::new();
                }
                data = line.starts_with(b"DATA");
                let mut said = server(line);
                if data {
                    said.extend(reply.as_bytes());
                }
                said
            });
            let mut all = [fate; 5];
            all[2] = Fate::Refused;
            assert_eq!(fates(&report.outcomes[0]), all, "{reply}");
            let is_told = report.outcomes[0][0].code.is_some();
            assert_eq!(is_told, !reply.starts_with('2'), "{reply}");
            assert!(!report.sent.ends_with(".\r\n"));
        }
    }
}

/// The answer to the last chunk comes before its bytes.
#[test]
fn an_early_reply_to_the_last_chunk() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients); 2]);
    run.config.chunking = ChunkingPolicy::Offered;
    for (reply, fate) in [("552 5.3.4 no\r\n", Fate::Refused), ("250 taken\r\n", Fate::Unknown)] {
        let report = run.carry_early(CHUNKING_ALONE, reply);
        assert_eq!(fates(&report.outcomes[0])[0], fate, "{report:#?}");
        if fate == Fate::Refused {
            assert_eq!(fates(&report.outcomes[1])[0], fate, "{report:#?}");
            assert!(report.sent.contains("RSET\r\nMAIL"), "{}", report.sent);
        }
    }
}

#[test]
fn helo_has_no_extensions() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    run.config.hello = HelloPolicy::HeloOnly;
    let report = run.carry(script(CHUNKING, &[("HELO", CHUNKING)]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    assert!(report.sent.starts_with("HELO client.example\r\nMAIL"));
    assert!(content_of(&report.sent).starts_with("DATA\r\n"));
}

/// RSET may be refused, and then the recipients of the message before are still those of the
/// transaction: no content goes before the reply, whatever the first message failed by.
#[test]
fn v116_content_waits_for_the_reply_to_rset() {
    type Give = fn(&mut Caller<'_, '_>, u64) -> Result<(), SendError>;
    const FAULTS: [Give; 4] = [
        |_, _| Err(SendError::NoContent),
        |caller, _| caller.last(b"bare\nLF\r\n"),
        |caller, _| caller.last("\u{e4}\r\n".as_bytes()),
        |caller, _| {
            caller.piece(b"half")?;
            Err(SendError::NoContent)
        },
    ];
    let recipients = five();
    let envelope = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    for give in FAULTS {
        for reply in
            ["452 4.3.1 not now\r\n", "554 5.0.0 no\r\n", "421 4.3.2 down\r\n", "250 ok\r\n"]
        {
            let mut run = Run::new(&[envelope; 2]);
            run.give = give;
            let overrides: &'static [_] = Vec::from([("RSET", reply)]).leak();
            let mut server = script(CHUNKING, overrides);
            let mut waits = false;
            let report = run.carry(|line| {
                assert!(!(waits && line.starts_with(b"BDAT")), "content behind RSET");
                waits |= line.starts_with(b"RSET") && !reply.starts_with("250");
                server(line)
            });
            let is_over = !reply.starts_with("250");
            assert_eq!(report.sent.matches("RSET").count(), if is_over { 1 } else { 2 });
            assert_eq!(report.sent.contains("QUIT"), !is_over, "{}", report.sent);
        }
    }
}

/// A server that keeps the transaction of a message that it refused behind DATA, against RFC 5321
/// §4.1.1.4, has the recipients of that message still when the next one comes.
#[test]
fn v116_content_waits_for_mail_behind_a_refused_message() {
    const OFFERED: &str = "250-mx\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 PIPELINING\r\n";
    let recipients = five();
    let lines = Envelope { size: Some(20), ..Envelope::new(sender(), &recipients) };
    let binary = Envelope { body: Body::BinaryMime, ..lines };
    for overlap in [true, false] {
        let mut run = Run::new(&[lines, binary]);
        run.config.chunking = ChunkingPolicy::Never;
        run.config.pipeline_messages = overlap;
        let mut server = script(OFFERED, &[(".", "452 4.3.1 no\r\n")]);
        let mut refused = false;
        let report = run.carry(|line| {
            let usual = server(line);
            refused |= line == b".\r\n";
            if refused && line.starts_with(b"MAIL") {
                return b"503 5.5.1 a transaction is open\r\n".to_vec();
            }
            usual
        });
        assert!(!report.sent.contains("BDAT"), "{}", report.sent);
        assert_eq!(fates(&report.outcomes[1]), [Fate::Refused; 5]);
    }
}
