//! A transcript through the client machine.

use ehlo::client::Event;
use ehlo::sasl::Response;
use ehlo::{Client, ClientConfig, Command, Newlines, Parsed, Policy, State};

use super::{Item, Transcript, show};
use crate::split::cuts;

pub(super) fn check(transcript: &Transcript) -> Result<(), String> {
    let runs: Vec<Vec<u8>> = transcript.segments().iter().map(|s| s.replies.concat()).collect();
    let whole = run(transcript, &vec![vec![]; runs.len()], b"")?;
    for (place, octets) in runs.iter().enumerate() {
        for cut in cuts(octets.len()) {
            let mut all = vec![vec![]; runs.len()];
            all[place].clone_from(&cut);
            let events = run(transcript, &all, b"").map_err(|why| format!("cut {cut:?}: {why}"))?;
            if events != whole {
                return Err(format!("cut {cut:?}: {events:?} instead of {whole:?}"));
            }
        }
    }
    let trailing = run(transcript, &vec![vec![]; runs.len()], b"25")?;
    if trailing == whole { Ok(()) } else { Err(format!("octets behind: {trailing:?}")) }
}

trait Concat {
    fn concat(&self) -> Vec<u8>;
}

impl Concat for Vec<super::Expected> {
    fn concat(&self) -> Vec<u8> {
        self.iter().flat_map(|expected| expected.reply.iter().copied()).collect()
    }
}

fn run(
    transcript: &Transcript,
    cuts: &[Vec<usize>],
    trailing: &[u8],
) -> Result<Vec<String>, String> {
    let mut runs: Vec<Vec<u8>> =
        transcript.segments().iter().map(|segment| segment.replies.concat()).collect();
    runs.last_mut().expect("there is a segment").extend(trailing);
    let mut runs = runs.into_iter().zip(cuts).map(|(octets, cuts)| Replies::new(octets, cuts));
    let mut sender = Sender::new(transcript);
    let mut replies = runs.next().expect("there is a segment");
    for (place, item) in transcript.items.iter().enumerate() {
        match item {
            Item::Tls => {
                sender.tls()?;
                replies = runs.next().expect("a segment begins here");
            }
            Item::Server(reply) => {
                let behind = &transcript.items[place..];
                let is_last = !behind.iter().any(|item| matches!(item, Item::Client(_)));
                let burst = if is_last { usize::MAX } else { burst(behind) };
                while !sender.take(&mut replies.unread)? {
                    replies.read(burst)?;
                }
                replies.taken += reply.len();
            }
            _ => {}
        }
        sender.step(item)?;
        sender.sent.clear();
    }
    Ok(sender.events)
}

/// Octets of the replies that come before the client says something again.
fn burst(items: &[Item]) -> usize {
    items
        .iter()
        .map_while(|item| match item {
            Item::Server(reply) => Some(reply.len()),
            Item::State(_) | Item::Refused(_) => Some(0),
            Item::Client(_) | Item::Tls => None,
        })
        .sum()
}

/// What the server sends between the beginning, or TLS, and TLS or the end. A server does not
/// answer what was not said, so the client gets no more than was due when it reads.
struct Replies<'c> {
    octets: Vec<u8>,
    cuts: &'c [usize],
    read: usize,
    /// Octets of whole replies that were taken.
    taken: usize,
    unread: Vec<u8>,
}

impl<'c> Replies<'c> {
    const fn new(octets: Vec<u8>, cuts: &'c [usize]) -> Self {
        Self { octets, cuts, read: 0, taken: 0, unread: Vec::new() }
    }

    /// Reads up to the next cut, or to the end of the burst that began with the reply that is
    /// taken next.
    fn read(&mut self, burst: usize) -> Result<(), String> {
        let due = self.taken.saturating_add(burst).min(self.octets.len());
        let end = self.cuts.iter().copied().find(|cut| *cut > self.read).unwrap_or(due).min(due);
        if end <= self.read {
            return Err("the replies come to an end".into());
        }
        self.unread.extend(&self.octets[self.read..end]);
        self.read = end;
        Ok(())
    }
}

/// A client that sends what the transcript says, and complains where the machine does otherwise.
pub(super) struct Sender {
    pub(super) client: Client,
    content: Vec<u8>,
    messages: std::vec::IntoIter<Vec<u8>>,
    events: Vec<String>,
    /// What was sent and not yet fetched.
    pub(super) sent: Vec<u8>,
}

impl Sender {
    pub(super) fn new(transcript: &Transcript) -> Self {
        let config = ClientConfig {
            newlines: Newlines::Keep,
            implicit_tls: transcript.config.implicit_tls,
            plaintext_auth: transcript.config.plaintext_auth,
            ..ClientConfig::DEFAULT
        };
        Self {
            client: Client::new(config),
            content: Vec::new(),
            messages: transcript.messages().into_iter(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn tls(&mut self) -> Result<(), String> {
        self.client.tls_established(b"").map_err(|error| error.to_string())
    }

    /// Sends a line of the client; checks a state.
    pub(super) fn step(&mut self, item: &Item) -> Result<(), String> {
        match item {
            Item::Client(line) => self.send(line),
            // The transcript's state is that of the server, which may be ahead by what is in flight.
            Item::State(state)
                if *state != self.client.state() && self.client.awaits().is_none() =>
            {
                Err(format!("{:?} instead of {state:?}", self.client.state()))
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, line: &[u8]) -> Result<(), String> {
        let mut out = vec![0; 64 * 1024];
        let written = if self.client.wants_content() {
            self.content.extend(line);
            if line != b".\r\n" {
                return Ok(());
            }
            let message = self.messages.next().ok_or("no message is left")?;
            let mut written = if message.is_empty() {
                0
            } else {
                self.client.mail_data(&message, &mut out).map_err(|e| e.to_string())?.written
            };
            written += self.client.end_mail_data(&mut out[written..]).map_err(|e| e.to_string())?;
            written
        } else if self.client.state() == State::Auth {
            let text = line.strip_suffix(b"\r\n").unwrap_or(line);
            let response = Response::parse(text).map_err(|error| error.to_string())?;
            self.content.extend(line);
            self.client.respond(&response, &mut out).map_err(|e| e.to_string())?
        } else {
            self.content.extend(line);
            match Command::parse(line, &Policy::LENIENT) {
                Ok(Parsed::Complete { value, .. }) => self
                    .client
                    .send(&value, &mut out)
                    .map_err(|error| format!("{}: {error}", show(line)))?,
                other => return Err(format!("{} is no command: {other:?}", show(line))),
            }
        };
        let wanted = std::mem::take(&mut self.content);
        if out[..written] != wanted[..] {
            return Err(format!("{} instead of {}", show(&out[..written]), show(&wanted)));
        }
        self.sent.extend(wanted);
        Ok(())
    }

    /// Takes one reply; whether there was one.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> Result<bool, String> {
        let received = self.client.receive(unread);
        let taken = match received.event {
            Event::NeedInput => false,
            Event::Reply { .. } => true,
            other => return Err(format!("{other:?}")),
        };
        if taken {
            self.events.push(format!("{:?}", received.event));
        }
        unread.drain(..received.consumed);
        Ok(taken)
    }
}
