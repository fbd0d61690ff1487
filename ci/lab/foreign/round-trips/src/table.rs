//! The measurement, client by client, and the table of it.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use ehlo::delivery::ChunkingPolicy;
use ehlo::{DeliveryConfig, Envelope, ForwardPath, ReversePath};
use ehlo_testkit::simulation::Simulation;

use crate::Failure;
use crate::clients::{self, Order};
use crate::relay::relay;
use crate::server::{self, CONFIG, Taken};

/// The table, in Markdown.
pub fn table() -> Result<String, Failure> {
    let mut table = String::from(
        "| client | session of one message, 1 recipient | 5 recipients | each message more, \
         1 recipient | 5 recipients |\n| --- | --: | --: | --: | --: |\n",
    );
    for (name, client) in CLIENTS {
        let [one, five] = [1, 5].map(|recipients| measure(client, recipients));
        let ((session, each), (session_of_five, each_of_five)) = (one?, five?);
        eprintln!("{name}: {session} and {each}, {session_of_five} and {each_of_five}");
        table += &format!("| {name} | {session} | {session_of_five} | {each} | {each_of_five} |\n");
    }
    Ok(table)
}

#[derive(Clone, Copy)]
enum Client {
    /// PIPELINING is used, and chunks by this policy.
    Ehlo(bool, ChunkingPolicy),
    Peer(fn(SocketAddr, Order<'_>) -> Result<(), Failure>),
}

const CLIENTS: [(&str, Client); 7] = [
    ("ehlo, `BDAT`", Client::Ehlo(true, ChunkingPolicy::Pipelined)),
    ("ehlo, `DATA`", Client::Ehlo(true, ChunkingPolicy::Never)),
    ("ehlo without PIPELINING, `DATA`", Client::Ehlo(false, ChunkingPolicy::Never)),
    ("lettre 0.11.23", Client::Peer(clients::lettre)),
    ("mail-send 0.7.0", Client::Peer(clients::mail_send)),
    ("io-smtp 0.6.0", Client::Peer(clients::io_smtp)),
    ("smtp-source (Postfix)", Client::Peer(clients::smtp_source)),
];

/// Round trips of a session of one message, and of each message more.
fn measure(client: Client, recipients: usize) -> Result<(u32, u32), Failure> {
    let count = |messages| {
        let counted = on_a_socket(client, messages, recipients)?;
        if let Client::Ehlo(pipelining, chunking) = client {
            let simulated = simulated(pipelining, chunking, messages, recipients)?;
            if simulated != counted {
                return Err(format!("{counted} on a socket, {simulated} in the simulation").into());
            }
        }
        Ok::<u32, Failure>(counted)
    };
    let (first, all) = (count(1)?, count(1 + MORE)?);
    let more = u32::try_from(MORE)?;
    // A client that paused for longer than the relay waits was counted too often.
    let each = all.checked_sub(first).filter(|rest| rest % more == 0);
    Ok((first, each.ok_or_else(|| format!("{first}, and {all} with {MORE} messages more"))? / more))
}

fn on_a_socket(client: Client, messages: usize, recipients: usize) -> Result<u32, Failure> {
    let to: Vec<String> = (0..recipients).map(|n| format!("u{n}@x.example")).collect();
    let order = Order { from: FROM, to: &to, content: CONTENT, messages };
    let taken = Taken::default();
    let server = server::start(&taken)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let relayed = thread::spawn(move || relay(&listener, server));
    match client {
        Client::Ehlo(pipelining, chunking) => {
            clients::ehlo(address, order, pipelining, chunking)?;
        }
        Client::Peer(client) => client(address, order)?,
    }
    let turns = relayed.join().map_err(|_| "the relay has failed")??;
    let taken = taken.lock().map_err(|error| error.to_string())?;
    if taken.len() != messages || taken.iter().any(|message| message.to.len() != recipients) {
        return Err(format!("{} of {messages} messages have come: {taken:?}", taken.len()).into());
    }
    Ok(turns)
}

/// What the client itself counts, which the simulation compares with its clock.
fn simulated(
    pipelining: bool,
    chunking: ChunkingPolicy,
    messages: usize,
    recipients: usize,
) -> Result<u32, Failure> {
    let to: Vec<String> = (0..recipients).map(|n| format!("u{n}@x.example")).collect();
    let paths = to.iter().map(|address| ForwardPath::new(address));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    let paths = paths.as_slice();
    let size = Some(CONTENT.len() as u64);
    let envelope = Envelope { size, ..Envelope::new(ReversePath::new(FROM)?, &paths) };
    let envelopes = vec![envelope; messages];
    let latency = Duration::from_millis(50);
    let mut simulation = Simulation::new(CONFIG, latency, &envelopes);
    simulation.client = DeliveryConfig { chunking, ..DeliveryConfig::default() };
    simulation.client.client.pipelining = pipelining;
    simulation.content = CONTENT;
    let report = simulation.run()?;
    let trips = report.statistics.round_trips;
    // The greeting comes by itself.
    if report.elapsed != latency * (1 + 2 * trips) || report.messages.len() != messages {
        return Err(format!("{trips} round trips in {:?}", report.elapsed).into());
    }
    Ok(trips)
}

const FROM: &str = "s@x.example";

const CONTENT: &[u8] =
    b"From: s@x.example\r\nTo: u0@x.example\r\nSubject: round trips\r\n\r\nText.\r\n";

/// Messages beside the first.
const MORE: usize = 3;
