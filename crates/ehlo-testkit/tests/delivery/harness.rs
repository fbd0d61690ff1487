//! A delivery against a script: a reply for each line of the client.

use ehlo::data::Progress;
use ehlo::delivery::DeliveryStatistics;
use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::machine::{Machine, Wants};
use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath, SendError};

pub const CONTENT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";

pub const PIPELINING: &str = "250-mx.example\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n";
pub const CHUNKING: &str = "250-mx.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
pub const CHUNKING_ALONE: &str = "250-mx.example\r\n250 CHUNKING\r\n";
pub const PLAIN: &str = "250 mx.example\r\n";

/// What a caller does, and how much it reads at once.
pub struct Run<'e> {
    pub config: DeliveryConfig,
    pub envelopes: Vec<Envelope<'e>>,
    /// Bytes of the server that are read at once.
    pub pieces: usize,
    /// Answers [`Event::NeedContent`].
    pub give: fn(&mut Caller<'_, '_>, u64) -> Result<(), SendError>,
    /// Answers the events before the first envelope.
    pub secure: fn(&mut Caller<'_, '_>, &Event<'_>),
    /// Called before the first event, and before each envelope but the first.
    pub begin: fn(&mut Delivery<'_>),
    pub between: fn(&mut Delivery<'_>),
    /// The server answers BDAT before it has the bytes behind it.
    pub early: bool,
}

/// The machine, and what it wrote for the server.
pub struct Caller<'c, 'e> {
    pub delivery: &'c mut Delivery<'e>,
    lines: &'c mut Vec<u8>,
    pub unread: &'c [u8],
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub struct Report {
    /// By envelope.
    pub outcomes: Vec<Vec<Outcome>>,
    /// That of the first recipient, recorded from the first event of the session on.
    pub first: Outcome,
    /// All that the client sent.
    pub sent: String,
    /// Every event, as it prints.
    pub events: Vec<String>,
    pub statistics: DeliveryStatistics,
}

impl Caller<'_, '_> {
    /// Hands `write` room of its own for as long as it is not done.
    pub fn put(
        &mut self,
        mut content: &[u8],
        mut write: impl FnMut(&mut Delivery<'_>, &[u8], &mut [u8]) -> Result<Progress, SendError>,
    ) -> Result<(), SendError> {
        loop {
            let mut room = [0; Delivery::CONTENT_ROOM];
            let progress = write(self.delivery, content, &mut room)?;
            self.lines.extend(&room[..progress.written]);
            content = &content[progress.consumed..];
            if content.is_empty() {
                return Ok(());
            }
        }
    }

    /// Notes bytes that the machine wrote.
    pub fn wrote(&mut self, bytes: &[u8]) {
        self.lines.extend(bytes);
    }

    /// The last piece, once, in so much room.
    pub fn put_once(&mut self, content: &mut &[u8], room: usize) -> Result<(), SendError> {
        let mut out = vec![0; room];
        let progress = self.delivery.last_mail_data(content, &mut out)?;
        self.lines.extend(&out[..progress.written]);
        *content = &content[progress.consumed..];
        Ok(())
    }

    pub fn piece(&mut self, content: &[u8]) -> Result<(), SendError> {
        self.put(content, |delivery, content, room| delivery.mail_data(content, room))
    }

    pub fn last(&mut self, content: &[u8]) -> Result<(), SendError> {
        self.put(content, |delivery, content, room| delivery.last_mail_data(content, room))
    }

    pub fn end(&mut self) -> Result<(), SendError> {
        self.write(|delivery, room| delivery.end_mail_data(room))
    }

    pub fn write(
        &mut self,
        write: impl FnOnce(&mut Delivery<'_>, &mut [u8]) -> Result<usize, SendError>,
    ) -> Result<(), SendError> {
        let mut room = [0; 512];
        let written = write(self.delivery, &mut room)?;
        self.lines.extend(&room[..written]);
        Ok(())
    }
}

impl<'e> Run<'e> {
    pub fn new(envelopes: &[Envelope<'e>]) -> Self {
        Self {
            config: DeliveryConfig::default(),
            envelopes: envelopes.to_vec(),
            pieces: usize::MAX,
            give: |caller, _| {
                caller.piece(CONTENT)?;
                caller.end()
            },
            secure: |_, _| {},
            begin: |_| {},
            between: |_| {},
            early: false,
        }
    }

    /// Carries the delivery against `server`, which gives the replies to a line, or to a BDAT with
    /// its bytes.
    ///
    /// Every envelope is finished once, and an outcome that was given stays, unless the recipient
    /// is sent again.
    pub fn carry(&self, mut server: impl FnMut(&[u8]) -> Vec<u8>) -> Report {
        let name = HeloName::new("client.example").expect("a name");
        let mut delivery = Delivery::new(name, self.config);
        (self.begin)(&mut delivery);
        let mut outcomes: Vec<Vec<Outcome>> = self.envelopes.iter().map(pending).collect();
        let mut finished = vec![0; outcomes.len()];
        let (mut to_client, mut lines, mut sent) = (server(b""), Vec::new(), Vec::new());
        let mut first = [Outcome::PENDING];
        let (mut unread, mut begun, mut events) = (Vec::new(), 0, Vec::new());
        let (mut ended, mut asked_between) = (false, false);
        for _ in 0..200_000 {
            let mut out = [0; 1024];
            let written = delivery.transmit(&mut out).expect("room for a line");
            lines.extend(&out[..written]);
            match Machine::wants(&mut delivery, &unread) {
                Wants::Event => {
                    let received = delivery.receive(&unread);
                    record(&mut outcomes[..begun], &received.event);
                    Outcomes::resume(&mut first, 0).record(&received.event);
                    events.push(format!("{:?}", received.event));
                    let mut caller = Caller {
                        delivery: &mut delivery,
                        lines: &mut lines,
                        unread: &unread[received.consumed..],
                    };
                    match &received.event {
                        Event::NeedInput => panic!("an event was promised"),
                        Event::NeedEnvelope => match self.envelopes.get(begun) {
                            Some(_) if begun > 0 && !asked_between => {
                                asked_between = true;
                                (self.between)(&mut delivery);
                            }
                            Some(envelope) => {
                                begun += 1;
                                assert!(delivery.envelope(envelope));
                            }
                            None => delivery.quit(),
                        },
                        Event::NeedContent { offset, .. } => {
                            if let Err(error) = (self.give)(&mut caller, *offset) {
                                delivery.abandon(error);
                            }
                        }
                        Event::Finished { envelope } => finished[*envelope] += 1,
                        Event::Closed => {
                            sent.extend(&lines);
                            assert_eq!(finished[..begun], vec![1; begun]);
                            assert!(finished[begun..].iter().all(|times| *times == 0));
                            let statistics = delivery.statistics();
                            let sent = String::from_utf8(sent).expect("text");
                            return Report { outcomes, first: first[0], sent, events, statistics };
                        }
                        event => (self.secure)(&mut caller, event),
                    }
                    let is_content = matches!(received.event, Event::NeedContent { .. });
                    unread.drain(..received.consumed);
                    // The server may speak in the middle of it.
                    if is_content {
                        let piece = self.pieces.min(to_client.len());
                        unread.extend(to_client.drain(..piece));
                    }
                    if self.early && lines.starts_with(b"BDAT") {
                        unread.extend(server(&lines));
                        sent.append(&mut lines);
                    }
                }
                Wants::Input { consumed } if consumed > 0 => drop(unread.drain(..consumed)),
                Wants::Input { .. } => {
                    assert!(!ended, "waits for a server that is gone");
                    if self.early && lines.starts_with(b"x") {
                        let end = lines.iter().position(|byte| !b"x\r\n".contains(byte));
                        sent.extend(lines.drain(..end.unwrap_or(lines.len())));
                    }
                    while let Some(unit) = unit(&lines) {
                        to_client.extend(server(&lines[..unit]));
                        sent.extend(lines.drain(..unit));
                    }
                    let piece = self.pieces.min(to_client.len());
                    if piece == 0 {
                        ended = true;
                        Machine::end_of_input(&mut delivery);
                    }
                    unread.extend(to_client.drain(..piece));
                }
            }
        }
        panic!("the delivery does not come to an end: {:?}", &events[events.len() - 9..]);
    }
}

impl Run<'_> {
    /// The same against a server that answers a last chunk before it has its bytes, of which there
    /// are more than there is room for at once.
    pub fn carry_early(&mut self, offered: &'static str, reply: &'static str) -> Report {
        self.give = |caller, offset| {
            let content = [b'x'; 200];
            let mut rest = &content[usize::try_from(offset).expect("an offset")..];
            caller.put_once(&mut rest, Delivery::CONTENT_ROOM)
        };
        self.early = true;
        self.carry(script(offered, Vec::from([("BDAT", reply)]).leak()))
    }
}

/// The length of the first line, with its bytes if it is BDAT.
fn unit(lines: &[u8]) -> Option<usize> {
    let line = lines.windows(2).position(|two| two == b"\r\n")? + 2;
    let text = String::from_utf8_lossy(&lines[..line]);
    let size = text.strip_prefix("BDAT ").map_or(0, |rest| {
        let size = rest.split([' ', '\r']).next().expect("a size");
        size.parse::<usize>().expect("a number")
    });
    (lines.len() >= line + size).then_some(line + size)
}

fn pending(envelope: &Envelope<'_>) -> Vec<Outcome> {
    let recipients = (0..).take_while(|index| envelope.recipients.recipient(*index).is_some());
    recipients.map(|_| Outcome::PENDING).collect()
}

fn record(outcomes: &mut [Vec<Outcome>], event: &Event<'_>) {
    for (number, outcomes) in outcomes.iter_mut().enumerate() {
        let kept = if outcomes.len() < 100 { outcomes.clone() } else { Vec::new() };
        Outcomes::resume(outcomes, number).record(event);
        let again = matches!(event, Event::Split { .. });
        for (old, new) in kept.iter().zip(outcomes.iter()) {
            let may_change = old.fate == Fate::Pending || (again && new.fate == Fate::Pending);
            assert!(may_change || old == new, "{old:?} became {new:?}");
        }
    }
}

/// A server that refuses `bad@…`, and is changed by `overrides`: replies to lines that begin so.
pub fn script(
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
            (None, "DATA" | "BDAT") if accepted == 0 => {
                "554 5.5.1 no valid recipients\r\n".to_owned()
            }
            (None, "DATA") => "354 go\r\n".to_owned(),
            (None, "STARTTLS") => "220 go\r\n".to_owned(),
            (None, "QUIT") => "221 bye\r\n".to_owned(),
            (None, _) => "250 ok\r\n".to_owned(),
        };
        if verb == "RCPT" && reply.starts_with('2') {
            accepted += 1;
        }
        data |= reply.starts_with("354") || (verb == "DATA" && reply.starts_with('3'));
        reply.into_bytes()
    }
}

pub fn five() -> [ForwardPath<'static>; 5] {
    ["a@x.example", "b@x.example", "bad@x.example", "d@x.example", "e@x.example"]
        .map(|address| ForwardPath::new(address).expect("an address"))
}

pub fn sender() -> ReversePath<'static> {
    ReversePath::new("s@x.example").expect("a path")
}

pub fn fates(outcomes: &[Outcome]) -> Vec<Fate> {
    outcomes.iter().map(|outcome| outcome.fate).collect()
}

pub const ONE_REFUSED: [Fate; 5] =
    [Fate::Accepted, Fate::Accepted, Fate::Refused, Fate::Accepted, Fate::Accepted];

/// One envelope to five recipients, whose replies come whole and in pieces.
pub fn run(
    offered: &'static str,
    overrides: &'static [(&'static str, &'static str)],
) -> (Vec<Outcome>, String) {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    let mut reports = [1, 3, usize::MAX].map(|pieces| {
        run.pieces = pieces;
        let mut report = run.carry(script(offered, overrides));
        // When the next envelope is asked for depends on what has been read by then.
        report.events.retain(|event| event != "NeedEnvelope");
        report.statistics.round_trips = 0;
        report
    });
    assert_eq!(reports[0], reports[1], "{overrides:?}");
    assert_eq!(reports[0], reports[2], "{overrides:?}");
    let report = &mut reports[0];
    (report.outcomes.remove(0), std::mem::take(&mut report.sent))
}
