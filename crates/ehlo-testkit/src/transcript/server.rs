//! A transcript through the server machine.

use ehlo::server::Event;
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::{Parsed, Policy, Reply, Server};

use super::format::{Expected, Segment, Transcript, show};
use crate::split::{cuts, pieces};

pub(super) fn check(transcript: &Transcript) -> Result<(), String> {
    let segments = transcript.segments();
    let whole = run(transcript, &vec![vec![]; segments.len()], &[])?;
    for (place, segment) in segments.iter().enumerate() {
        for cut in cuts(segment.client.len()) {
            let mut all = vec![vec![]; segments.len()];
            all[place].clone_from(&cut);
            let events = run(transcript, &all, &[]).map_err(|why| format!("cut {cut:?}: {why}"))?;
            if events != whole {
                return Err(format!("cut {cut:?}: {events:?} instead of {whole:?}"));
            }
        }
    }
    let trailing = run(transcript, &vec![vec![]; segments.len()], b"NOO")?;
    if trailing == whole { Ok(()) } else { Err(format!("bytes behind: {trailing:?}")) }
}

fn run(
    transcript: &Transcript,
    cuts: &[Vec<usize>],
    trailing: &[u8],
) -> Result<Vec<String>, String> {
    let mut responder = Responder::new(transcript);
    let segments = transcript.segments();
    for (place, (segment, cut)) in segments.iter().zip(cuts).enumerate() {
        if place > 0 {
            responder.tls()?;
        }
        let mut client = segment.client.clone();
        if place + 1 == segments.len() {
            client.extend(trailing);
        }
        let mut unread = Vec::new();
        for piece in pieces(&client, cut) {
            unread.extend(piece);
            responder.take(&mut unread)?;
        }
        responder.finish(&unread, trailing)?;
    }
    Ok(responder.script.events)
}

/// A server that answers as the transcript says, and complains where the machine does otherwise.
pub(super) struct Responder {
    pub(super) server: Server,
    script: Script,
    /// The output that was not yet fetched.
    pub(super) sent: Vec<u8>,
}

impl Responder {
    pub(super) fn new(transcript: &Transcript) -> Self {
        Self {
            server: Server::new(transcript.config),
            script: Script::new(transcript),
            sent: Vec::new(),
        }
    }

    pub(super) fn tls(&mut self) -> Result<(), String> {
        self.script.tls();
        self.server.tls_established(b"").map_err(|error| error.to_string())
    }

    /// Passes all unread bytes to the machine, and answers its events.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let received = self.server.receive(unread);
            let end = matches!(received.event, Event::NeedInput | Event::StartTls | Event::Closed);
            if let Some(wanted) = self.script.wanted(&received.event, &self.server)? {
                self.answer(&wanted)?;
            }
            unread.drain(..received.consumed);
            if end {
                return Ok(());
            }
        }
    }

    fn answer(&mut self, wanted: &Wanted) -> Result<(), String> {
        let mut out = [0; 4096];
        let bytes = wanted.bytes();
        let written = self
            .server
            .reply(&wanted.reply()?, &mut out)
            .map_err(|error| format!("{}: {error}", show(bytes)))?;
        if out[..written] != *bytes {
            return Err(format!("{} instead of {}", show(&out[..written]), show(bytes)));
        }
        self.sent.extend(&out[..written]);
        self.script.answered(wanted, self.server.state())
    }

    pub(super) fn finish(&self, unread: &[u8], trailing: &[u8]) -> Result<(), String> {
        self.script.finish()?;
        let closed = self.server.state() == State::Closed;
        if unread != trailing && !unread.is_empty() && !closed {
            return Err(format!("{} is left", show(unread)));
        }
        Ok(())
    }
}

/// The answers of a transcript's server to the events of its machine.
///
/// ```
/// use ehlo::Server;
/// use ehlo_testkit::transcript::{Script, Transcript};
///
/// let session = Transcript::parse("S: 220 mx\nC: QUIT\nS: 221 bye\n")?;
/// let (mut script, mut server) = (Script::new(&session), Server::new(session.config));
/// let event = server.receive(b"").event;
/// let greeting = script.wanted(&event, &server)?.expect("the session begins with a greeting");
/// assert_eq!(greeting.bytes(), b"220 mx\r\n");
/// assert!(script.finish().is_err(), "221 is not sent yet");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Script {
    segments: std::vec::IntoIter<Segment>,
    replies: std::vec::IntoIter<Expected>,
    messages: std::vec::IntoIter<Vec<u8>>,
    message: Vec<u8>,
    /// The events, with adjacent mail data joined.
    events: Vec<String>,
}

impl Script {
    /// The script of a session from its beginning.
    pub fn new(transcript: &Transcript) -> Self {
        let mut segments = transcript.segments().into_iter();
        let replies = segments.next().unwrap_or_default().replies.into_iter();
        Self {
            segments,
            replies,
            messages: transcript.messages().into_iter(),
            message: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Continues the session inside TLS.
    pub fn tls(&mut self) {
        self.replies = self.segments.next().unwrap_or_default().replies.into_iter();
    }

    /// The answer to an event of `server`, if the event needs one.
    ///
    /// # Errors
    ///
    /// The difference between the machine and the transcript.
    pub fn wanted(&mut self, event: &Event<'_>, server: &Server) -> Result<Option<Wanted>, String> {
        let refused = match event {
            Event::NeedInput | Event::StartTls | Event::Closed | Event::Chunk { .. } => {
                return Ok(None);
            }
            Event::MailData(data) => {
                self.message.extend(*data);
                return Ok(None);
            }
            Event::EndOfMailData { size } => {
                self.check_message(*size, server)?;
                None
            }
            Event::Refused(refusal) => {
                if matches!(refusal.verb, Verb::Message | Verb::Bdat | Verb::BdatLast) {
                    self.message.clear();
                }
                // In LMTP it comes for each recipient.
                if server.state() == State::Data && refusal.verb == Verb::Message {
                    self.messages.next();
                }
                Some(refusal)
            }
            _ => None,
        };
        self.events.push(format!("{event:?}"));
        let expected = self
            .replies
            .next()
            .ok_or_else(|| format!("no reply is left for {:?}", self.events.last()))?;
        if let Some(refusal) = refused {
            let standard = refusal.reply();
            let same = parse(&expected.reply)?;
            if (standard.code(), standard.enhanced_code())
                != (same.code(), same.enhanced_code().or(standard.enhanced_code()))
            {
                return Err(format!("{:?} is answered with {standard:?}", refusal.reason));
            }
        }
        let refused = refused.map(|refusal| format!("{:?}", refusal.reason));
        self.check_refusal(refused.as_deref(), &expected)?;
        let is_hello = matches!(server.pending(), Some(Verb::Ehlo | Verb::Lhlo));
        Ok(Some(Wanted { expected, is_hello }))
    }

    fn check_refusal(&self, refused: Option<&str>, expected: &Expected) -> Result<(), String> {
        let given = refused.map(|reason| reason.split(['(', ' ']).next().unwrap_or(""));
        let wanted = expected.refused.as_deref();
        if wanted.is_some() && given != wanted && refused != wanted {
            return Err(format!("{:?}: {refused:?} instead of {wanted:?}", self.events.last()));
        }
        if refused.is_some() && wanted.is_none() {
            return Err(format!("{refused:?} before {}", show(&expected.reply)));
        }
        Ok(())
    }

    fn check_message(&mut self, size: u64, server: &Server) -> Result<(), String> {
        let message = std::mem::take(&mut self.message);
        if size != message.len() as u64 {
            return Err(format!("a size of {size} for {} bytes", message.len()));
        }
        // A message that came in chunks stands in the transcript as it is.
        if server.pending() != Some(Verb::Message) {
            return Ok(());
        }
        match self.messages.next() {
            Some(wanted) if wanted == message => Ok(()),
            wanted => Err(format!("{} instead of {wanted:?}", show(&message))),
        }
    }

    /// Records that the answer was sent, and led the server to this state.
    ///
    /// # Errors
    ///
    /// The state in the transcript, if it is another one.
    pub fn answered(&mut self, wanted: &Wanted, state: State) -> Result<(), String> {
        if !state.is_transaction() || state == State::Failed {
            self.message.clear();
        }
        match wanted.expected.state {
            Some(expected) if expected != state => Err(format!(
                "{state:?} instead of {expected:?} after {}",
                show(&wanted.expected.reply)
            )),
            _ => Ok(()),
        }
    }

    /// Checks that the session is over, and that every reply was used.
    ///
    /// # Errors
    ///
    /// The first reply that was not used.
    pub fn finish(&self) -> Result<(), String> {
        match self.replies.clone().next() {
            Some(expected) => Err(format!("{} was never sent", show(&expected.reply))),
            None => Ok(()),
        }
    }
}

/// A reply of a transcript.
///
/// ```
/// use ehlo::Server;
/// use ehlo_testkit::transcript::{Script, Transcript};
///
/// let session = Transcript::parse("S: 220 mx\n")?;
/// let mut server = Server::new(session.config);
/// let event = server.receive(b"").event;
/// let wanted = Script::new(&session).wanted(&event, &server)?.expect("a greeting");
/// assert_eq!(wanted.reply()?.code().number(), 220);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Wanted {
    expected: Expected,
    is_hello: bool,
}

impl Wanted {
    /// The reply to pass to the machine: to EHLO only the first line, because the machine adds the
    /// extensions.
    ///
    /// # Errors
    ///
    /// The transcript has no valid reply there.
    pub fn reply(&self) -> Result<Reply<'_>, String> {
        let whole = parse(&self.expected.reply)?;
        if !self.is_hello {
            return Ok(whole);
        }
        let first = whole.lines().next().unwrap_or_default();
        let first = std::str::from_utf8(first).map_err(|error| error.to_string())?;
        Ok(Reply::new(whole.code(), first))
    }

    /// The bytes that the machine must send.
    pub fn bytes(&self) -> &[u8] {
        &self.expected.reply
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Reply<'_>, String> {
    match Reply::parse(bytes, &Policy::LENIENT) {
        Ok(Parsed::Complete { value, .. }) => Ok(value),
        other => Err(format!("{} is no reply: {other:?}", show(bytes))),
    }
}
