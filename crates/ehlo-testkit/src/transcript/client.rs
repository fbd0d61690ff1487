//! A transcript through the client machine.

use ehlo::client::Event;
use ehlo::data::Newlines;
use ehlo::session::State;
use ehlo::syntax::sasl::Response;
use ehlo::{Client, ClientConfig, Command, Parsed, Policy};
use ehlo_io::Buffered;

use super::format::{Expected, Item, Transcript, show};
use crate::split::cuts;

pub(super) fn check(transcript: &Transcript) -> Result<(), String> {
    let runs: Vec<Vec<u8>> = transcript.segments().iter().map(|s| s.replies.concat()).collect();
    let whole = run(transcript, &vec![vec![]; runs.len()], b"")?;
    for (place, bytes) in runs.iter().enumerate() {
        for cut in cuts(bytes.len()) {
            let mut all = vec![vec![]; runs.len()];
            all[place].clone_from(&cut);
            let events = run(transcript, &all, b"").map_err(|why| format!("cut {cut:?}: {why}"))?;
            if events != whole {
                return Err(format!("cut {cut:?}: {events:?} instead of {whole:?}"));
            }
        }
    }
    let trailing = run(transcript, &vec![vec![]; runs.len()], b"25")?;
    if trailing == whole { Ok(()) } else { Err(format!("bytes behind: {trailing:?}")) }
}

trait Concat {
    fn concat(&self) -> Vec<u8>;
}

impl Concat for Vec<Expected> {
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
    let mut runs = runs.into_iter().zip(cuts).map(|(bytes, cuts)| Replies::new(bytes, cuts));
    let (mut sender, mut client) = (Sender::new(transcript), transcript.client());
    let mut replies = runs.next().expect("there is a segment");
    for (place, item) in transcript.items.iter().enumerate() {
        match item {
            Item::Tls => {
                client.tls_established().map_err(|error| error.to_string())?;
                replies = runs.next().expect("a segment begins here");
            }
            Item::Server(reply) => {
                let behind = &transcript.items[place..];
                let is_last = !behind.iter().any(|item| matches!(item, Item::Client(_)));
                let burst = if is_last { usize::MAX } else { burst(behind) };
                while !sender.take(client.machine_mut(), &mut replies.unread)? {
                    replies.read(burst)?;
                }
                replies.taken += reply.len();
            }
            _ => {}
        }
        sender.step(item, &mut client)?;
        client.advance_write(client.output().len());
    }
    Ok(sender.events)
}

/// Bytes of the replies that come before the client says something again.
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
    bytes: Vec<u8>,
    cuts: &'c [usize],
    read: usize,
    /// Bytes of whole replies that were taken.
    taken: usize,
    unread: Vec<u8>,
}

impl<'c> Replies<'c> {
    const fn new(bytes: Vec<u8>, cuts: &'c [usize]) -> Self {
        Self { bytes, cuts, read: 0, taken: 0, unread: Vec::new() }
    }

    /// Reads up to the next cut, or to the end of the burst that began with the reply that is
    /// taken next.
    fn read(&mut self, burst: usize) -> Result<(), String> {
        let due = self.taken.saturating_add(burst).min(self.bytes.len());
        let end = self.cuts.iter().copied().find(|cut| *cut > self.read).unwrap_or(due).min(due);
        if end <= self.read {
            return Err("the replies come to an end".into());
        }
        self.unread.extend(&self.bytes[self.read..end]);
        self.read = end;
        Ok(())
    }
}

impl Transcript {
    /// A client for the session.
    pub fn client(&self) -> Buffered<Client> {
        Buffered::new(Client::new(ClientConfig {
            newlines: Newlines::Keep,
            implicit_tls: self.config.implicit_tls,
            plaintext_auth: self.config.plaintext_auth,
            ..ClientConfig::DEFAULT
        }))
    }
}

/// Sends the client's lines of a transcript, and reports any difference of the machine.
///
/// ```
/// use ehlo_testkit::transcript::{Item, Sender, Transcript};
///
/// let session = Transcript::parse("S: 220 mx\nC: QUIT\nS: 221 bye\n")?;
/// let (mut sender, mut client) = (Sender::new(&session), session.client());
/// let greeting = client.machine_mut().receive(b"220 mx\r\n").event;
/// assert!(sender.heard(&greeting)?);
/// sender.step(&Item::Client(b"QUIT\r\n".to_vec()), &mut client)?;
/// assert_eq!(client.output(), b"QUIT\r\n");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Sender {
    content: Vec<u8>,
    messages: std::vec::IntoIter<Vec<u8>>,
    events: Vec<String>,
}

impl Sender {
    /// A sender for the session from its beginning.
    pub fn new(transcript: &Transcript) -> Self {
        Self {
            content: Vec::new(),
            messages: transcript.messages().into_iter(),
            events: Vec::new(),
        }
    }

    /// Sends a line of the client into the outbox, or checks a state.
    ///
    /// # Errors
    ///
    /// The difference of the machine.
    pub fn step(&mut self, item: &Item, client: &mut Buffered<Client>) -> Result<(), String> {
        match item {
            Item::Client(line) => self.send(line, client),
            // The transcript's state is that of the server, which may be ahead by what is in flight.
            Item::State(state)
                if *state != client.machine().state() && client.machine().awaits().is_none() =>
            {
                Err(format!("{:?} instead of {state:?}", client.machine().state()))
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, line: &[u8], client: &mut Buffered<Client>) -> Result<(), String> {
        let before = client.output().len();
        let (is_content, state) = (client.machine().wants_content(), client.machine().state());
        let mut answer = client.responder();
        self.content.extend(line);
        if is_content {
            if line != b".\r\n" {
                return Ok(());
            }
            let message = self.messages.next().ok_or("no message is left")?;
            answer.mail_data(&message).map_err(|error| error.to_string())?;
            answer.end_mail_data().map_err(|error| error.to_string())?;
        } else if state == State::Auth {
            let text = line.strip_suffix(b"\r\n").unwrap_or(line);
            let response = Response::parse(text).map_err(|error| error.to_string())?;
            answer.respond(&response).map_err(|error| error.to_string())?;
        } else {
            match Command::parse(line, &Policy::LENIENT) {
                Ok(Parsed::Complete { value, .. }) => {
                    answer.send(&value).map_err(|error| format!("{}: {error}", show(line)))?;
                }
                other => return Err(format!("{} is no command: {other:?}", show(line))),
            }
        }
        let (written, wanted) = (&client.output()[before..], std::mem::take(&mut self.content));
        if written == wanted {
            Ok(())
        } else {
            Err(format!("{} instead of {}", show(written), show(&wanted)))
        }
    }

    /// Takes one reply; whether there was one.
    pub(super) fn take(
        &mut self,
        client: &mut Client,
        unread: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let received = client.receive(unread);
        let taken = self.heard(&received.event)?;
        unread.drain(..received.consumed);
        Ok(taken)
    }

    /// Returns whether an event is a reply, as it should be.
    ///
    /// # Errors
    ///
    /// The event that came instead.
    pub fn heard(&mut self, event: &Event<'_>) -> Result<bool, String> {
        match event {
            Event::NeedInput => Ok(false),
            Event::Reply { .. } => {
                self.events.push(format!("{event:?}"));
                Ok(true)
            }
            other => Err(format!("{other:?}")),
        }
    }
}
