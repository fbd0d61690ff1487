//! A whole conversation with every server and every content that there is.

use ehlo::data::Newlines;
use ehlo::delivery::{AuthPolicy, ChunkingPolicy, Event, Fate, Outcome, Outcomes, TlsPolicy};
use ehlo::machine::{Machine, Wants};
use ehlo::syntax::parameter::Body;
use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath, SendError};
use ehlo_sasl::{AnyClient, ClientExchange, ClientStep, Credentials};
use ehlo_testkit::transcript::Item;

use ehlo_testkit::vectors;

use crate::{free, mail_data_vectors, transcripts};

/// The buffers of a caller, as small as the documents allow for these servers and more.
struct Memory {
    outcomes: [Outcome; 2],
    message: [u8; 256],
    out: [u8; 1024],
}

/// Carries a delivery of two messages against these replies, which come one at a time; bytes
/// that were written.
fn carry(
    config: DeliveryConfig,
    envelope: &Envelope<'_>,
    replies: &[&[u8]],
    content: &[u8],
    memory: &mut Memory,
) -> usize {
    let credentials = Credentials::password("anna", "secret").expect("credentials");
    let mut delivery = Delivery::new(HeloName::new("client.example").expect("a name"), config);
    memory.outcomes = [Outcome::PENDING; 2];
    let mut outcomes = Outcomes::resume(&mut memory.outcomes, 0);
    let mut exchange = None;
    let (mut replies, mut unread, mut written) = (replies.iter(), &[][..], 0);
    for _ in 0..10_000 {
        written += delivery.transmit(&mut memory.out).expect("room for a line");
        if let Wants::Input { consumed } = Machine::wants(&mut delivery, unread) {
            unread = &unread[consumed..];
            match replies.next().filter(|_| unread.is_empty()) {
                Some(reply) => unread = reply,
                None => delivery.end_of_input(),
            }
            continue;
        }
        let received = delivery.receive(unread);
        outcomes.record(&received.event);
        if let Some((reply, exchange)) = received.event.authentication().zip(exchange.as_mut()) {
            let step = ClientExchange::receive(exchange, reply, &mut memory.message);
            if let ClientStep::Respond(response) = step {
                written += delivery.respond(&response, &mut memory.out).unwrap_or(0);
            }
        }
        match received.event {
            Event::NeedEnvelope if delivery.statistics().envelopes < 2 => {
                assert!(delivery.envelope(envelope));
            }
            Event::NeedEnvelope => delivery.quit(),
            Event::NeedContent { offset, .. } => {
                let rest = content.get(usize::try_from(offset).expect("an offset")..);
                match delivery.last_mail_data(rest.unwrap_or_default(), &mut memory.out) {
                    Ok(progress) => written += progress.written,
                    Err(error) => delivery.abandon(error),
                }
            }
            Event::StartTls => delivery.tls_established(b"").expect("nothing is left over"),
            Event::NeedAuthentication(offered) => {
                // rsasl's SCRAM allocates, with the feature that brings it.
                let mut frugal = offered.iter().filter(|one| !one.name().starts_with("SCRAM"));
                let mechanism = frugal.find_map(|one| AnyClient::new(one, &credentials));
                let mut attempt = mechanism.map(ClientExchange::new);
                let sent = attempt.as_mut().map_or(Err(SendError::NoContent), |attempt| {
                    let command = attempt.start(&mut memory.message).expect("room");
                    delivery.authenticate(&command, &mut memory.out)
                });
                match sent {
                    Ok(bytes) => written += bytes,
                    Err(_) => delivery.skip_authentication(),
                }
                exchange = attempt;
            }
            Event::Closed => return written,
            _ => {}
        }
        unread = &unread[received.consumed..];
    }
    panic!("it comes to no end: {delivery:?}");
}

/// The same in every configuration.
fn in_every_way(replies: &[&[u8]], content: &[u8]) -> [usize; 5] {
    let recipients =
        ["a@x.example", "b@x.example"].map(|text| ForwardPath::new(text).expect("one"));
    let sender = ReversePath::new("s@x.example").expect("a path");
    let envelope = Envelope { repeatable: true, ..Envelope::new(sender, &recipients) };
    let known = Envelope { size: Some(content.len() as u64), ..envelope };
    let binary = Envelope { body: Body::BinaryMime, ..known };
    let usual = DeliveryConfig { auth: AuthPolicy::Optional, ..DeliveryConfig::default() };
    let mut chunks = DeliveryConfig { chunking: ChunkingPolicy::Offered, ..usual };
    chunks.client.newlines = Newlines::Normalise;
    chunks.client.any_content = true;
    let strict = DeliveryConfig { tls: TlsPolicy::Require, auth: AuthPolicy::Require, ..usual };
    let lmtp = DeliveryConfig { lmtp: true, ..chunks };
    let mut memory = Memory { outcomes: [Outcome::PENDING; 2], message: [0; 256], out: [0; 1024] };
    [(usual, envelope), (chunks, known), (strict, known), (lmtp, envelope), (chunks, binary)]
        .map(|(config, envelope)| free(|| carry(config, &envelope, replies, content, &mut memory)))
}

#[test]
fn deliveries_of_every_transcript_and_content_allocate_nothing() {
    let mut written = 0;
    for transcript in transcripts() {
        let said = transcript.items.iter().filter_map(|item| match item {
            Item::Server(reply) => Some(&reply[..]),
            _ => None,
        });
        let replies: Vec<&[u8]> = said.collect();
        written += in_every_way(&replies, b"Subject: x\r\n\r\n.dot\r\n").iter().sum::<usize>();
    }
    let replies: Vec<Vec<u8>> = vectors::replies().map(|vector| vector.input).collect();
    for reply in &replies {
        in_every_way(&[b"220 mx\r\n", reply, reply, reply], b"");
    }
    for content in mail_data_vectors() {
        written += in_every_way(&SERVER, &content).iter().sum::<usize>();
    }
    assert!(written > 100_000, "{written}");
}

/// Negative control: it is a conversation that is counted, by TLS and AUTH to BDAT and DATA.
#[test]
fn a_conversation_to_its_end() {
    let recipients =
        ["a@x.example", "b@x.example"].map(|text| ForwardPath::new(text).expect("one"));
    let sender = ReversePath::new("s@x.example").expect("a path");
    let mut memory = Memory { outcomes: [Outcome::PENDING; 2], message: [0; 256], out: [0; 1024] };
    for size in [None, Some(3)] {
        let envelope = Envelope { size, ..Envelope::new(sender, &recipients) };
        let config = DeliveryConfig {
            tls: TlsPolicy::Require,
            auth: AuthPolicy::Require,
            ..DeliveryConfig::default()
        };
        let written = free(|| carry(config, &envelope, &SERVER, b".\r\n", &mut memory));
        assert!(written > 150, "{written}");
        let fates = memory.outcomes.map(|outcome| outcome.fate);
        assert_eq!(fates, [Fate::Accepted, Fate::Refused]);
    }
}

/// A server that has everything, and refuses the second recipient.
const SERVER: [&[u8]; 9] = [
    b"220 mx\r\n",
    b"250-mx\r\n250 STARTTLS\r\n",
    b"220 go\r\n",
    b"250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 AUTH LOGIN PLAIN\r\n",
    b"235 2.7.0 welcome\r\n",
    b"250 2.1.0 sender\r\n",
    b"250 2.1.5 one\r\n",
    b"550 5.1.1 two\r\n",
    b"250 2.6.0 taken\r\n",
];
