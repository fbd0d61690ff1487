//! A transcript through the server machine.

use ehlo::server::Event;
use ehlo::{Parsed, Policy, Reply, Server, State, Verb};

use super::{Expected, Segment, Transcript, show};
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
    if trailing == whole { Ok(()) } else { Err(format!("octets behind: {trailing:?}")) }
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
    Ok(responder.events)
}

/// A server that answers as the transcript says, and complains where the machine does otherwise.
pub(super) struct Responder {
    pub(super) server: Server,
    segments: std::vec::IntoIter<Segment>,
    replies: std::vec::IntoIter<Expected>,
    messages: std::vec::IntoIter<Vec<u8>>,
    message: Vec<u8>,
    /// What was reported, with adjacent mail data joined.
    events: Vec<String>,
    /// What was sent and not yet fetched.
    pub(super) sent: Vec<u8>,
}

impl Responder {
    pub(super) fn new(transcript: &Transcript) -> Self {
        let mut segments = transcript.segments().into_iter();
        let replies = segments.next().unwrap_or_default().replies.into_iter();
        Self {
            server: Server::new(transcript.config),
            segments,
            replies,
            messages: transcript.messages().into_iter(),
            message: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn tls(&mut self) -> Result<(), String> {
        self.replies = self.segments.next().unwrap_or_default().replies.into_iter();
        self.server.tls_established(b"").map_err(|error| error.to_string())
    }

    /// Gives the machine all that is unread, and answers what it reports.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let received = self.server.receive(unread);
            let (owed, refused, end) = match received.event {
                Event::NeedInput | Event::StartTls | Event::Closed => (false, None, true),
                Event::MailData(data) => {
                    self.message.extend(data);
                    (false, None, false)
                }
                Event::Chunk { .. } => (false, None, false),
                Event::EndOfMailData { size } => {
                    self.check_message(size)?;
                    (true, None, false)
                }
                Event::Refused(refusal) => {
                    if matches!(refusal.verb, Verb::Message | Verb::Bdat | Verb::BdatLast) {
                        self.message.clear();
                    }
                    // In LMTP it comes for each recipient.
                    if self.server.state() == State::Data && refusal.verb == Verb::Message {
                        self.messages.next();
                    }
                    (true, Some(refusal), false)
                }
                _ => (true, None, false),
            };
            if owed {
                self.events.push(format!("{:?}", received.event));
                let refused = refused.map(|refusal| (format!("{:?}", refusal.reason), refusal));
                let expected = self
                    .replies
                    .next()
                    .ok_or_else(|| format!("no reply is left for {:?}", self.events.last()))?;
                if let Some((reason, refusal)) = &refused {
                    let standard = refusal.reply();
                    let same = parse(&expected.reply)?;
                    if (standard.code(), standard.enhanced_code())
                        != (same.code(), same.enhanced_code().or(standard.enhanced_code()))
                    {
                        return Err(format!("{reason} is answered with {standard:?}"));
                    }
                }
                self.answer(&expected, refused.as_ref().map(|(reason, _)| reason.as_str()))?;
            }
            unread.drain(..received.consumed);
            if end {
                return Ok(());
            }
        }
    }

    fn answer(&mut self, expected: &Expected, refused: Option<&str>) -> Result<(), String> {
        let given = refused.map(|reason| reason.split(['(', ' ']).next().unwrap_or(""));
        let wanted = expected.refused.as_deref();
        if wanted.is_some() && given != wanted && refused != wanted {
            return Err(format!("{:?}: {refused:?} instead of {wanted:?}", self.events.last()));
        }
        if refused.is_some() && wanted.is_none() {
            return Err(format!("{refused:?} before {}", show(&expected.reply)));
        }
        // To EHLO the machine adds the extensions itself: it is given the first line only.
        let whole = parse(&expected.reply)?;
        let is_hello = matches!(self.server.pending(), Some(Verb::Ehlo | Verb::Lhlo));
        let first = String::from_utf8_lossy(whole.lines().next().unwrap_or_default()).into_owned();
        let reply = if is_hello { Reply::new(whole.code(), &first) } else { whole };
        let mut out = [0; 4096];
        let written = self
            .server
            .reply(&reply, &mut out)
            .map_err(|error| format!("{}: {error}", show(&expected.reply)))?;
        if out[..written] != expected.reply[..] {
            return Err(format!("{} instead of {}", show(&out[..written]), show(&expected.reply)));
        }
        self.sent.extend(&out[..written]);
        let state = self.server.state();
        if !state.is_transaction() || state == State::Failed {
            self.message.clear();
        }
        match expected.state {
            Some(state) if state != self.server.state() => Err(format!(
                "{:?} instead of {state:?} after {}",
                self.server.state(),
                show(&expected.reply)
            )),
            _ => Ok(()),
        }
    }

    fn check_message(&mut self, size: u64) -> Result<(), String> {
        let message = std::mem::take(&mut self.message);
        if size != message.len() as u64 {
            return Err(format!("a size of {size} for {} octets", message.len()));
        }
        // A message that came in chunks stands in the transcript as it is.
        if self.server.pending() != Some(Verb::Message) {
            return Ok(());
        }
        match self.messages.next() {
            Some(wanted) if wanted == message => Ok(()),
            wanted => Err(format!("{} instead of {wanted:?}", show(&message))),
        }
    }

    pub(super) fn finish(&self, unread: &[u8], trailing: &[u8]) -> Result<(), String> {
        if let Some(expected) = self.replies.clone().next() {
            return Err(format!("{} was never sent", show(&expected.reply)));
        }
        let closed = self.server.state() == State::Closed;
        if unread != trailing && !unread.is_empty() && !closed {
            return Err(format!("{} is left", show(unread)));
        }
        Ok(())
    }
}

pub(super) fn parse(octets: &[u8]) -> Result<Reply<'_>, String> {
    match Reply::parse(octets, &Policy::LENIENT) {
        Ok(Parsed::Complete { value, .. }) => Ok(value),
        other => Err(format!("{} is no reply: {other:?}", show(octets))),
    }
}
