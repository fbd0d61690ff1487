//! Connections that break at every byte: no message is acknowledged and lost, and none is kept that
//! could not be acknowledged. RFC 5321 §4.2.5 and §6.1.

mod link;

use std::fs;
use std::path::Path;

use ehlo::delivery::{ChunkingPolicy, Fate};
use ehlo::server::Role;
use ehlo::syntax::capability::Capabilities;
use ehlo::{DeliveryConfig, Envelope, Extension, ForwardPath, ReversePath, ServerConfig};
use ehlo_testkit::peer::Peer;
use ehlo_testkit::transcript::{Item, Transcript};
use link::{Cut, Report, acceptances, complete_messages, deliver};

/// Content with what ends a message and does not.
const FIRST: &[u8] = b"Subject: 1\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nMAIL FROM:<>\r\n";
const SECOND: &[u8] = b"";
const THIRD: &[u8] = b"BDAT 3 LAST\r\nabc\r\nlast line";

const BARE: Capabilities = Capabilities::NONE.with(Extension::EnhancedStatusCodes);
const PIPELINING: Capabilities = BARE.with(Extension::Pipelining);
const CHUNKING: Capabilities = PIPELINING.with(Extension::Chunking);

#[test]
fn data_in_lock_step() {
    check(Role::Smtp, BARE, DeliveryConfig::DEFAULT);
}

#[test]
fn data_pipelined() {
    check(Role::Smtp, PIPELINING, DeliveryConfig::DEFAULT);
}

#[test]
fn chunks_in_lock_step() {
    let chunking = ChunkingPolicy::Offered;
    let offered = BARE.with(Extension::Chunking);
    check(Role::Smtp, offered, DeliveryConfig { chunking, ..DeliveryConfig::DEFAULT });
}

#[test]
fn chunks_pipelined() {
    check(Role::Smtp, CHUNKING, DeliveryConfig::DEFAULT);
}

#[test]
fn lmtp() {
    for offered in [BARE, PIPELINING, CHUNKING] {
        check(Role::Lmtp, offered, DeliveryConfig::DEFAULT);
    }
}

/// Where every recipient was refused, and where the message is, both sides count the same replies:
/// the next message goes on.
#[test]
fn what_is_refused_leaves_both_in_step() {
    let nobody = [ForwardPath::new("nobody@d.example").expect("an address")];
    let two = ["a@d.example", "b@d.example"].map(|to| ForwardPath::new(to).expect("an address"));
    let large: &[u8] = &b"0123456789\r\n".repeat(20);
    let sender = ReversePath::Null;
    let early = |content: &[u8]| Some(content.len() as u64);
    let envelopes = [
        (Envelope { size: early(FIRST), ..Envelope::new(sender, &nobody) }, FIRST),
        (Envelope::new(sender, &two), large),
        (Envelope { size: early(THIRD), ..Envelope::new(sender, &two) }, THIRD),
    ];
    for offered in [BARE, PIPELINING, CHUNKING, BARE.with(Extension::Chunking)] {
        for (role, lmtp) in [(Role::Smtp, false), (Role::Lmtp, true)] {
            let chunking = ChunkingPolicy::Offered;
            let client = DeliveryConfig { lmtp, chunking, ..DeliveryConfig::DEFAULT };
            let offered = offered.with_size(100);
            let server = ServerConfig { role, offered, ..ServerConfig::DEFAULT };
            let report = deliver(&envelopes, client, server, Cut::NEVER, usize::MAX);
            let fates: Vec<Fate> =
                report.outcomes.iter().flatten().map(|outcome| outcome.fate).collect();
            let (no, yes) = (Fate::Refused, Fate::Accepted);
            assert_eq!(fates, [no, no, no, yes, yes], "{role:?} {offered:?}");
            assert_eq!(report.store.kept.len(), 2, "{role:?} {offered:?} {:?}", report.store);
        }
    }
}

/// Three messages, one, three and four recipients, over connections that break at every byte of
/// either direction, or of both at once.
fn check(role: Role, offered: Capabilities, client: DeliveryConfig) {
    let path = |address| ForwardPath::new(address).expect("an address");
    let one = [path("a@d.example")];
    let three = [path("b@d.example"), path("nobody@d.example"), path("c@d.example")];
    let four =
        [path("full@d.example"), path("a@d.example"), path("full@d.example"), path("b@d.example")];
    let sender = ReversePath::new("s@c.example").expect("a path");
    let size = |content: &[u8]| Some(content.len() as u64);
    let envelopes = [
        (Envelope { size: size(FIRST), ..Envelope::new(sender, &one) }, FIRST),
        (Envelope { size: size(SECOND), ..Envelope::new(sender, &three) }, SECOND),
        (Envelope { size: size(THIRD), ..Envelope::new(sender, &four) }, THIRD),
    ];
    let client = DeliveryConfig { lmtp: role == Role::Lmtp, ..client };
    let server = ServerConfig { role, offered, ..ServerConfig::DEFAULT };
    let run = |cut, piece| deliver(&envelopes, client, server, cut, piece);
    let wanted = |envelope: usize, index: usize| {
        let recipient = envelopes[envelope].0.recipients.recipient(index).expect("a recipient");
        // What has no line end at its end is given one, but for chunks.
        let mut content = envelopes[envelope].1.to_vec();
        if !content.is_empty() && !content.ends_with(b"\r\n") {
            content.extend(b"\r\n");
        }
        (recipient.forward_path.to_string(), content)
    };

    let whole = run(Cut::NEVER, usize::MAX);
    let fates: Vec<Vec<Fate>> =
        whole.outcomes.iter().map(|all| all.iter().map(|outcome| outcome.fate).collect()).collect();
    let (taken, full) = match role {
        Role::Lmtp => (Fate::Accepted, Fate::Deferred),
        _ => (Fate::Accepted, Fate::Accepted),
    };
    assert_eq!(fates[0], [taken]);
    assert_eq!(fates[1], [taken, Fate::Refused, taken]);
    assert_eq!(fates[2], [full, taken, full, taken]);
    assert_eq!(whole.to_client, whole.from_server.len());

    for piece in [13, usize::MAX] {
        for to_server in 0..=whole.to_server.len() {
            for both in [false, true] {
                let cut = Cut { to_server, both, ..Cut::NEVER };
                hold(&run(cut, piece), &wanted, role, &format!("{cut:?}, pieces of {piece}"));
            }
        }
        for to_client in 0..=whole.from_server.len() {
            for both in [false, true] {
                let cut = Cut { to_client, both, ..Cut::NEVER };
                hold(&run(cut, piece), &wanted, role, &format!("{cut:?}, pieces of {piece}"));
            }
        }
    }
}

/// What must be so however a session ended.
fn hold(
    report: &Report,
    wanted: &impl Fn(usize, usize) -> (String, Vec<u8>),
    role: Role,
    cut: &str,
) {
    let mut kept = report.store.kept.clone();
    for (envelope, outcomes) in report.outcomes.iter().enumerate() {
        for (index, outcome) in outcomes.iter().enumerate() {
            let wanted = wanted(envelope, index);
            let at = kept.iter().position(|kept| *kept == wanted);
            match outcome.fate {
                // Acknowledged: it is there.
                Fate::Accepted => assert!(at.is_some(), "{cut}: {wanted:?} is lost"),
                Fate::Unknown => {}
                // To be sent again, or given up: it is not there.
                Fate::Deferred | Fate::Refused | Fate::Pending => {
                    assert_eq!(at, None, "{cut}: {wanted:?} is there, {outcome:?}");
                }
            }
            if let Some(at) = at {
                kept.swap_remove(at);
            }
        }
    }
    assert!(kept.is_empty(), "{cut}: nobody sent {kept:?}, or not as often");
    // It is there because its end has come, and was answered.
    assert_eq!(acceptances(&report.from_server), answers(report, role), "{cut}");
    let complete = complete_messages(&report.to_server);
    let mut contents: Vec<&Vec<u8>> =
        report.store.kept.iter().map(|(_, content)| content).collect();
    contents.dedup();
    assert_eq!(contents.len(), complete, "{cut}");
}

/// The acceptances that what is kept was worth.
fn answers(report: &Report, role: Role) -> usize {
    match role {
        Role::Lmtp => report.store.kept.len(),
        _ => complete_messages(&report.to_server),
    }
}

/// Every transcript, cut off behind every byte: the messages are the first of those of the whole
/// session, and so are the replies.
#[test]
fn every_transcript_cut_off_at_every_byte() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut messages = 0;
    for entry in fs::read_dir(directory).expect("transcripts") {
        let path = entry.expect("a transcript").path();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let transcript = Transcript::parse(&text).expect("a transcript");
        let lines = transcript.items.iter().map_while(|item| match item {
            Item::Tls => None,
            Item::Client(line) => Some(line.as_slice()),
            _ => Some(b"".as_slice()),
        });
        let sent: Vec<u8> = lines.flatten().copied().collect();
        let run = |end: usize| {
            let mut peer = Peer::new(transcript.config);
            peer.feed(b"");
            peer.feed(&sent[..end]);
            let replies = peer.sent.len();
            peer.end_of_input();
            (peer.application.messages.clone(), peer.sent.clone(), replies)
        };
        let (whole, replies, _) = run(sent.len());
        let mut before = 0;
        for end in 0..=sent.len() {
            let (messages, sent, said) = run(end);
            let path = path.display();
            assert_eq!(messages, whole[..messages.len()], "{path} cut at {end}");
            assert!(replies.starts_with(&sent), "{path} cut at {end}");
            assert_eq!(sent.len(), said, "{path}: the end of the input is answered with nothing");
            assert!(messages.len() >= before, "{path}: a message is gone at {end}");
            before = messages.len();
        }
        messages += whole.len();
    }
    assert!(messages > 20, "{messages}");
}
