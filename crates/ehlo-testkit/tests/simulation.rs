//! Deliveries over a simulated link: no deadlock, honest outcomes wherever it breaks, and the round
//! trips that a message costs.

use std::time::Duration;

use ehlo::data::Newlines;
use ehlo::delivery::{ChunkingPolicy, Fate};
use ehlo::server::Role;
use ehlo::syntax::capability::{Capabilities, Limits};
use ehlo::syntax::reply::ReplyLimits;
use ehlo::{Delivery, DeliveryConfig, Envelope, Extension, ForwardPath, ReversePath, ServerConfig};
use ehlo_testkit::simulation::{Link, Report, Room, Simulation, refusals};

const LATENCY: Duration = Duration::from_millis(50);

/// Bytes of the longest reply of the servers here, which is that to EHLO.
const LONGEST_REPLY: u32 = 130;

/// A code alone.
const SHORTEST_REPLY: u32 = 5;

const PIPELINING: Capabilities = Capabilities::NONE
    .with(Extension::Pipelining)
    .with(Extension::EnhancedStatusCodes)
    .with(Extension::EightBitMime);
const CHUNKING: Capabilities = PIPELINING.with(Extension::Chunking).with_size(1 << 30);

const FIVE: [&str; 5] =
    ["a@x.example", "b@x.example", "bad@x.example", "d@x.example", "e@x.example"];
const SENDERS: [&str; 9] = ["0@s", "1@s", "2@s", "3@s", "4@s", "5@s", "6@s", "7@s", "8@s"];

fn five() -> [ForwardPath<'static>; 5] {
    FIVE.map(|address| ForwardPath::new(address).expect("an address"))
}

fn envelopes<'e>(recipients: &'e [ForwardPath<'e>; 5], count: usize) -> Vec<Envelope<'e>> {
    let sender = |text| ReversePath::new(text).expect("a path");
    let envelope = |text| Envelope {
        repeatable: true,
        size: Some(20),
        ..Envelope::new(sender(text), recipients)
    };
    SENDERS.into_iter().take(count).map(envelope).collect()
}

fn server(offered: Capabilities) -> ServerConfig {
    ServerConfig { offered, ..ServerConfig::DEFAULT }
}

/// Every way for a message to go that there is.
fn ways() -> Vec<(&'static str, DeliveryConfig, ServerConfig)> {
    let usual = DeliveryConfig::default();
    let late = DeliveryConfig { early_content: 0, ..usual };
    let alone = DeliveryConfig { pipeline_messages: false, ..late };
    let waiting = DeliveryConfig { chunking: ChunkingPolicy::Offered, ..usual };
    let lmtp = DeliveryConfig { lmtp: true, ..usual };
    let limited = Limits::NONE.with_rcpt_max(2);
    let as_lmtp = |offered| ServerConfig { role: Role::Lmtp, ..server(offered) };
    vec![
        ("lines", usual, server(PIPELINING)),
        ("lines, one at a time", alone, server(PIPELINING)),
        ("lines, in lock-step", usual, server(Capabilities::NONE)),
        ("early chunks", usual, server(CHUNKING)),
        ("chunks", late, server(CHUNKING)),
        ("chunks, one at a time", alone, server(CHUNKING)),
        ("chunks, in lock-step", waiting, server(CHUNKING.without(Extension::Pipelining))),
        ("few recipients", late, server(PIPELINING.with_limits(limited))),
        ("few recipients, early chunks", usual, server(CHUNKING.with_limits(limited))),
        ("LMTP", lmtp, as_lmtp(PIPELINING)),
        ("LMTP, early chunks", lmtp, as_lmtp(CHUNKING)),
    ]
}

#[track_caller]
fn carry(simulation: &Simulation<'_>, what: &str) -> Report {
    let report = simulation.run().unwrap_or_else(|deadlock| panic!("{what}: {deadlock}"));
    if let Err(why) = report.check(simulation) {
        panic!("{what}: {why}");
    }
    report
}

fn expect_all(report: &Report, count: usize, what: &str) {
    use Fate::{Accepted, Refused};
    assert_eq!(report.outcomes.len(), count, "{what}");
    for outcomes in &report.outcomes {
        let fates: Vec<Fate> = outcomes.iter().map(|outcome| outcome.fate).collect();
        assert_eq!(fates, [Accepted, Accepted, Refused, Accepted, Accepted], "{what}");
    }
}

#[test]
fn every_way_of_sending_arrives() {
    let recipients = five();
    let envelopes = envelopes(&recipients, 3);
    for (name, client, server) in ways() {
        let mut simulation = Simulation::new(server, LATENCY, &envelopes);
        simulation.client = client;
        let report = carry(&simulation, name);
        expect_all(&report, 3, name);
        assert!(report.messages.iter().all(|message| message.content == simulation.content));
        let delivered: usize = report.messages.iter().map(|message| message.to.len()).sum();
        assert_eq!(delivered, 12, "{name}");
    }
}

/// The connection breaks after every byte, in both directions, of sessions of two messages to five
/// recipients: each has one outcome, which is accepted only if the server has said so, and nothing
/// else but unknown if it has.
#[test]
fn outcomes_are_true_wherever_the_connection_is_cut() {
    let recipients = five();
    let envelopes = envelopes(&recipients, 2);
    let mut unknown = 0;
    for (name, client, server) in ways() {
        let mut simulation = Simulation::new(server, LATENCY, &envelopes);
        simulation.client = client;
        simulation.piece = 7;
        let whole = carry(&simulation, name);
        expect_all(&whole, 2, name);
        // Replies come one by one, so that there are more states to break in.
        simulation.down.segment = 40;
        for cut in 0..=whole.sent {
            simulation.up.cut = Some(cut);
            let report = carry(&simulation, &format!("{name}, up {cut}"));
            unknown += count(&report, Fate::Unknown);
        }
        simulation.up.cut = None;
        for cut in 0..=whole.received {
            simulation.down.cut = Some(cut);
            let report = carry(&simulation, &format!("{name}, down {cut}"));
            unknown += count(&report, Fate::Unknown);
        }
    }
    assert!(unknown > 1000, "only {unknown} outcomes are unknown");
}

fn count(report: &Report, fate: Fate) -> usize {
    report.outcomes.iter().flatten().filter(|outcome| outcome.fate == fate).count()
}

/// Buffers as small as the documents allow: the longest reply by the limits, and the longest
/// command, or [`Delivery::CONTENT_ROOM`]; and links that hold next to nothing.
#[test]
fn ends_never_wait_for_each_other() {
    let recipients = five();
    let envelopes = envelopes(&recipients, 3);
    let longest_command = "MAIL FROM:<0@s> SIZE=20\r\n".len();
    let least = longest_command.max(Delivery::CONTENT_ROOM);
    for (name, client, server) in ways() {
        for outbox in [least, least + 1, least + 2, 64, 1024] {
            for window in [1, 2, 100, usize::MAX] {
                for (segment, piece) in [(1, usize::MAX), (50, 1), (50, 19), (usize::MAX, 7)] {
                    let mut simulation = Simulation::new(server, LATENCY, &envelopes);
                    simulation.client = client;
                    simulation.client.client.reply.bytes = LONGEST_REPLY;
                    let inbox = usize::try_from(LONGEST_REPLY).expect("few");
                    simulation.client_room = Room { inbox, outbox };
                    simulation.server_room = Room { inbox: 64, outbox: inbox };
                    (simulation.up.window, simulation.down.window) = (window, window);
                    (simulation.up.segment, simulation.down.segment) = (segment, segment);
                    simulation.piece = piece;
                    let what = format!("{name}: {outbox}, {window}, {segment}, {piece}");
                    expect_all(&carry(&simulation, &what), 3, &what);
                }
            }
        }
    }
}

/// Of what has no room one is told: the session ends with a reply that is too long, and an outbox
/// that no command fits in is an error for its owner.
#[test]
fn a_buffer_that_is_too_small_is_an_error() {
    let recipients = five();
    let envelopes = envelopes(&recipients, 1);
    for (name, client, server) in ways() {
        let mut simulation = Simulation::new(server, LATENCY, &envelopes);
        simulation.client = client;
        for bytes in SHORTEST_REPLY..LONGEST_REPLY {
            simulation.client.client.reply.bytes = bytes;
            simulation.client_room.inbox = usize::try_from(bytes).expect("few");
            carry(&simulation, name);
        }
        simulation = Simulation { client, ..Simulation::new(server, LATENCY, &envelopes) };
        simulation.client_room.outbox = 20;
        let deadlock = simulation.run().expect_err("EHLO does not fit").to_string();
        assert!(deadlock.contains("stage: Hello"), "{name}: {deadlock}");
    }
}

/// An input of 4 KiB and an output of 1 KiB carry a message of any size to any number of
/// recipients.
#[test]
fn a_large_message_passes_through_small_buffers() {
    let content = b"Subject: large\r\n\r\n.0123456789abcdef\n".repeat(10_000);
    let addresses: Vec<String> = (0..300).map(|n| format!("u{n}@x.example")).collect();
    let recipients: Vec<ForwardPath<'_>> =
        addresses.iter().map(|address| ForwardPath::new(address).expect("one")).collect();
    let recipients = recipients.as_slice();
    let envelopes = [Envelope::new(ReversePath::Null, &recipients)];
    let arrives = String::from_utf8_lossy(&content).replace("f\n", "f\r\n");
    for (name, client, server) in ways() {
        let limits = ehlo::server::ServerLimits { recipients: 1000, ..server.limits };
        let mut simulation =
            Simulation::new(ServerConfig { limits, ..server }, LATENCY, &envelopes);
        simulation.client = client;
        // A reply that is longer than the input ends the session.
        simulation.client.client.reply = ReplyLimits { bytes: 4096, ..ReplyLimits::DEFAULT };
        simulation.client.client.newlines = Newlines::Normalise;
        simulation.content = &content;
        simulation.piece = 32 * 1024;
        (simulation.up.window, simulation.down.window) = (8192, 8192);
        let report = carry(&simulation, name);
        let taken = if name.starts_with("few") { 2 } else { 300 };
        assert_eq!(count(&report, Fate::Accepted), taken, "{name}");
        assert_eq!(count(&report, Fate::Deferred), 300 - taken, "{name}");
        assert!(report.messages.iter().all(|message| message.content == arrives.as_bytes()));
    }
}

/// What a message costs, by the clock of the link: with PIPELINING every message but the first one
/// round trip, and with chunks the first one too.
#[test]
fn a_message_costs_its_round_trips() {
    let recipients = five();
    for (name, first, each) in [
        ("lines", 2, 1),
        ("lines, one at a time", 2, 2),
        // MAIL, five RCPT, DATA, the content.
        ("lines, in lock-step", 8, 8),
        ("early chunks", 1, 1),
        ("chunks", 2, 1),
        ("chunks, one at a time", 2, 2),
        ("LMTP", 2, 1),
        ("LMTP, early chunks", 1, 1),
    ] {
        let all = ways();
        let (_, client, server) = *all.iter().find(|(way, ..)| *way == name).expect("a way");
        for messages in 1..=9 {
            let envelopes = envelopes(&recipients, messages);
            let mut simulation = Simulation::new(server, LATENCY, &envelopes);
            simulation.client = client;
            let report = carry(&simulation, name);
            expect_all(&report, messages, name);
            let trips = report.statistics.round_trips;
            // EHLO, and QUIT where it goes behind nothing.
            let apart =
                u32::from(!client.pipeline_messages || name.contains("lock-step") || first == 1);
            let messages = u32::try_from(messages).expect("few");
            let expected = 1 + first + (messages - 1) * each + apart;
            assert_eq!(trips, expected, "{name}, {messages} messages");
            // The greeting comes by itself.
            assert_eq!(report.elapsed, LATENCY + 2 * LATENCY * trips, "{name}");
            assert_eq!(usize::try_from(messages), Ok(report.messages.len() / delivered(name)));
        }
    }
}

/// Records of one message at the server: in LMTP each recipient has its own.
fn delivered(name: &str) -> usize {
    if name.starts_with("LMTP") { 4 } else { 1 }
}

/// Messages that the server takes its time for follow each other as fast as it lets them.
#[test]
fn a_slow_server_and_a_thin_link_end_well() {
    let recipients = five();
    let envelopes = envelopes(&recipients, 9);
    let (_, client, server) = ways()[3];
    let mut simulation = Simulation::new(server, LATENCY, &envelopes);
    simulation.client = client;
    simulation.delivery_time = Duration::from_millis(300);
    let content = [b'x'; 1000];
    simulation.content = &content;
    simulation.up = Link { bandwidth: 10_000, segment: 100, ..simulation.up };
    let report = carry(&simulation, "a slow server");
    expect_all(&report, 9, "a slow server");
    assert_eq!(report.messages[0].content.len(), 1002);
    let least = Duration::from_millis(9 * (300 + 100));
    assert!(report.elapsed > least, "{:?}", report.elapsed);
    // The envelope of the next message goes while the server is busy with the one before.
    let alone = DeliveryConfig { pipeline_messages: false, ..client };
    simulation.client = alone;
    let one_by_one = carry(&simulation, "one at a time");
    assert!(one_by_one.elapsed > report.elapsed, "{:?}", one_by_one.elapsed);
}

/// What is stored for whom equals what was meant, whatever the server refuses. `--example simulate_refusals`
/// carries a million.
#[test]
fn v116_content_goes_to_its_own_recipients() {
    for seed in 0..20_000 {
        if let Err(why) = refusals::conversation(seed) {
            panic!("conversation {seed}: {why}");
        }
    }
}
