//! A [`Delivery`] against a [`Server`] whose application refuses any command, at random.
//!
//! The test compares the messages and recipients that the server has stored with those that were
//! meant, and with the reports of the delivery.

use ehlo::data::Newlines;
use ehlo::delivery::{ChunkingPolicy, Event, Fate, Outcome, Outcomes};
use ehlo::machine::{Machine, Wants};
use ehlo::server::{self, Role};
use ehlo::syntax::capability::{Capabilities, Limits};
use ehlo::syntax::code::Severity;
use ehlo::syntax::parameter::Body;
use ehlo::{
    Code, Command, Delivery, DeliveryConfig, Envelope, Extension, ForwardPath, HeloName, Policy,
    Reply, ReversePath, SendError, Server, ServerConfig,
};

use crate::application::HOST;

/// Runs one session, which `seed` decides: the offers of the server, the configuration of the
/// delivery, one to four envelopes, some of them with content that cannot be sent, the refusals,
/// and the cuts of the bytes.
///
/// # Errors
///
/// A difference: a message that is stored for a recipient of another one, or stored twice; an
/// outcome "accepted" without a stored message, or "refused" and "deferred" with one; an envelope
/// that is not finished exactly once; two sides that wait for each other.
///
/// ```
/// ehlo_testkit::simulation::refusals::conversation(1)?;
/// # Ok::<(), String>(())
/// ```
pub fn conversation(seed: u64) -> Result<(), String> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let plan = Plan::new(&mut random);
    let recipients = RECIPIENTS.map(|all| all.map(|text| ForwardPath::new(text).expect("one")));
    let lists: Vec<&[ForwardPath<'_>]> =
        plan.messages.iter().zip(&recipients).map(|(one, all)| &all[..one.recipients]).collect();
    let envelopes: Vec<Envelope<'_>> =
        (0..lists.len()).map(|number| plan.envelope(number, &lists[number])).collect();
    let mut run = Run::new(&plan, &envelopes, random);
    run.carry().and_then(|()| run.check()).map_err(|why| {
        let said = run.wire.iter().map(|(who, bytes)| format!("\n{who}: {}", bytes.escape_ascii()));
        why + &said.collect::<String>()
    })
}

/// The choices of one simulated session.
struct Plan {
    client: DeliveryConfig,
    server: ServerConfig,
    messages: Vec<Message>,
    /// One reply in this many is a refusal; 0 for no refusals.
    refuses: u64,
    /// Positive replies are replaced by others, too.
    is_odd: bool,
}

/// One of the messages that are meant to be sent.
struct Message {
    recipients: usize,
    content: Vec<u8>,
    fault: Fault,
    repeatable: bool,
    is_size_known: bool,
}

/// The fault in a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It cannot be read.
    Unreadable,
    /// It cannot be read to its end.
    CutOff,
    /// A bare LF.
    BareLf,
    /// A byte above 127 in an envelope that declares 7-bit.
    EightBit,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        let lmtp = random.one_in(3);
        let extensions = [
            (Extension::Pipelining, 4),
            (Extension::Chunking, 3),
            (Extension::Size, 2),
            (Extension::EnhancedStatusCodes, 2),
        ];
        let mut offered = Capabilities::NONE;
        for (extension, most) in extensions {
            if !random.one_in(most) {
                offered = offered.with(extension);
            }
        }
        if random.one_in(8) {
            let few = u32::try_from(random.below(3)).expect("few") + 1;
            offered = offered.with_limits(Limits::NONE.with_rcpt_max(few));
        }
        let is_odd = random.one_in(4);
        let server = ServerConfig {
            role: if lmtp { Role::Lmtp } else { Role::Smtp },
            offered,
            policy: Policy::STRICT.with_any_reply_code(is_odd),
            newlines: Newlines::Keep,
            ..ServerConfig::DEFAULT
        };
        let chunking = [ChunkingPolicy::Pipelined, ChunkingPolicy::Offered, ChunkingPolicy::Never];
        let mut client = DeliveryConfig {
            lmtp,
            chunking: chunking[usize::try_from(random.below(8)).expect("few").saturating_sub(5)],
            early_content: if random.one_in(4) { 0 } else { 64 * 1024 },
            pipeline_messages: !random.one_in(3),
            split_recipients: !random.one_in(3),
            ..DeliveryConfig::DEFAULT
        };
        client.client.pipelining = !random.one_in(8);
        let messages = (0..=random.below(4)).map(|number| Message::new(number, random)).collect();
        Self { client, server, messages, refuses: [0, 3, 6, 16][random.choice(4)], is_odd }
    }

    fn envelope<'e>(&self, number: usize, recipients: &'e &'e [ForwardPath<'e>]) -> Envelope<'e> {
        let message = &self.messages[number];
        Envelope {
            size: message.is_size_known.then_some(message.content.len() as u64),
            body: Body::SevenBit,
            repeatable: message.repeatable,
            ..Envelope::new(ReversePath::new(SENDERS[number]).expect("a path"), recipients)
        }
    }
}

impl Message {
    fn new(number: u64, random: &mut Random) -> Self {
        let faults = [
            Fault::None,
            Fault::None,
            Fault::None,
            Fault::Unreadable,
            Fault::CutOff,
            Fault::BareLf,
            Fault::EightBit,
        ];
        let fault = faults[random.choice(faults.len())];
        let mut content = format!("Subject: {number}\r\n\r\n.dot\r\n").into_bytes();
        content.extend(match fault {
            Fault::BareLf => &b"bare\nline\r\n"[..],
            Fault::EightBit => b"\xc3\xa4\r\n",
            _ => b"the last line\r\n",
        });
        Self {
            recipients: random.choice(3) + 1,
            content,
            fault,
            repeatable: random.one_in(2),
            is_size_known: !random.one_in(4),
        }
    }
}

/// Both sides, with the bytes on the way between them.
struct Run<'p, 'e> {
    plan: &'p Plan,
    envelopes: &'e [Envelope<'e>],
    random: Random,
    delivery: Delivery<'e>,
    outcomes: Vec<Vec<Outcome>>,
    finished: Vec<usize>,
    /// The server's bytes that the client has not read, and those that it has read and not taken.
    down: Vec<u8>,
    unread: Vec<u8>,
    server: Server,
    up: Vec<u8>,
    inbox: Vec<u8>,
    is_closed: bool,
    open: Stored,
    stored: Vec<Stored>,
    /// All bytes of the session, for a report.
    wire: Vec<(&'static str, Vec<u8>)>,
}

/// A message that the server has accepted.
#[derive(Clone, Debug, Default)]
struct Stored {
    from: String,
    to: Vec<String>,
    content: Vec<u8>,
}

impl<'p, 'e> Run<'p, 'e> {
    fn new(plan: &'p Plan, envelopes: &'e [Envelope<'e>], random: Random) -> Self {
        let name = HeloName::new("client.example").expect("a name");
        Self {
            plan,
            envelopes,
            random,
            delivery: Delivery::new(name, plan.client),
            outcomes: Vec::new(),
            finished: Vec::new(),
            down: Vec::new(),
            unread: Vec::new(),
            server: Server::new(plan.server),
            up: Vec::new(),
            inbox: Vec::new(),
            is_closed: false,
            open: Stored::default(),
            stored: Vec::new(),
            wire: Vec::new(),
        }
    }

    fn carry(&mut self) -> Result<(), String> {
        let mut has_ended = false;
        for _ in 0..10_000 {
            let mut out = [0; 1024];
            let written = self.delivery.transmit(&mut out).expect("room for a command");
            self.send(&out[..written]);
            match Machine::wants(&mut self.delivery, &self.unread) {
                Wants::Event => {
                    if self.event() {
                        // What was written before the end still arrives.
                        self.serve(usize::MAX);
                        return Ok(());
                    }
                }
                Wants::Input { consumed: 0 } => {
                    // Some of the commands, or all of them, before the client reads again.
                    if self.down.is_empty() || self.random.one_in(2) {
                        let all = self.up.len();
                        let some =
                            if self.random.one_in(2) { all } else { self.random.choice(64) + 1 };
                        self.serve(some);
                    }
                    let length = self.down.len().min(self.random.choice(256) + 1);
                    self.unread.extend(self.down.drain(..length));
                    if length == 0 && self.up.is_empty() {
                        if has_ended || !self.is_closed {
                            return Err("both wait for each other".to_owned());
                        }
                        has_ended = true;
                        self.delivery.end_of_input();
                    }
                }
                Wants::Input { consumed } => drop(self.unread.drain(..consumed)),
            }
        }
        Err("the conversation does not come to an end".to_owned())
    }

    fn send(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.wire.push(("C", bytes.to_vec()));
            self.up.extend_from_slice(bytes);
        }
    }

    /// Takes an event of the delivery; whether it was the last.
    fn event(&mut self) -> bool {
        let received = self.delivery.receive(&self.unread);
        for (number, outcomes) in self.outcomes.iter_mut().enumerate() {
            Outcomes::resume(outcomes, number).record(&received.event);
        }
        let consumed = received.consumed;
        let mut content = None;
        match received.event {
            Event::NeedEnvelope => match self.envelopes.get(self.outcomes.len()) {
                Some(envelope) => {
                    let recipients = self.plan.messages[self.outcomes.len()].recipients;
                    self.outcomes.push(vec![Outcome::PENDING; recipients]);
                    self.finished.push(0);
                    assert!(self.delivery.envelope(envelope), "it was asked for");
                }
                None => self.delivery.quit(),
            },
            Event::NeedContent { envelope, offset } => content = Some((envelope, offset)),
            Event::Finished { envelope } => self.finished[envelope] += 1,
            Event::Closed => return true,
            _ => {}
        }
        self.unread.drain(..consumed);
        if let Some((envelope, offset)) = content {
            self.give(envelope, usize::try_from(offset).expect("an offset"));
        }
        false
    }

    fn give(&mut self, number: usize, offset: usize) {
        let message = &self.plan.messages[number];
        let half = message.content.len() / 2;
        let is_unreadable = match message.fault {
            Fault::Unreadable => true,
            Fault::CutOff => offset >= half,
            _ => false,
        };
        if is_unreadable {
            return self.delivery.abandon(SendError::NoContent);
        }
        let most = if message.fault == Fault::CutOff { half } else { message.content.len() };
        let end = most.min(offset + self.random.choice(64) + 1);
        let piece = &message.content[offset..end];
        let mut out = [0; 512];
        let given = if end == message.content.len() {
            self.delivery.last_mail_data(piece, &mut out)
        } else {
            self.delivery.mail_data(piece, &mut out)
        };
        match given {
            Ok(progress) => self.send(&out[..progress.written]),
            Err(error) => self.delivery.abandon(error),
        }
    }

    /// Hands so many bytes to the server.
    fn serve(&mut self, bytes: usize) {
        let length = self.up.len().min(bytes);
        self.inbox.extend(self.up.drain(..length));
        while !self.is_closed {
            let inbox = std::mem::take(&mut self.inbox);
            let received = self.server.receive(&inbox);
            let step = match received.event {
                server::Event::NeedInput => None,
                server::Event::Closed | server::Event::StartTls => {
                    self.is_closed = true;
                    None
                }
                ref event => {
                    self.answer(event);
                    Some(())
                }
            };
            self.inbox = inbox[received.consumed..].to_vec();
            if step.is_none() {
                return;
            }
        }
    }

    /// The application: it performs exactly the commands that it answers with a 2yz.
    fn answer(&mut self, event: &server::Event<'_>) {
        let mut then: fn(&mut Self) = |_| {};
        let mut recipient = None;
        match event {
            server::Event::MailData(data) => return self.open.content.extend_from_slice(data),
            server::Event::Chunk { .. } => return,
            server::Event::Command(Command::Mail { reverse_path, .. }) => {
                let from = reverse_path.to_string();
                let said = self.reply(event);
                if said.is_positive() {
                    self.open = Stored { from, ..Stored::default() };
                }
                return;
            }
            server::Event::Command(Command::Rcpt { forward_path, .. }) => {
                recipient = Some(forward_path.to_string());
            }
            server::Event::Command(
                Command::Rset | Command::Ehlo(_) | Command::Helo(_) | Command::Lhlo(_),
            ) => then = |run| run.open = Stored::default(),
            server::Event::EndOfMailData { .. } | server::Event::NeedReply
                if self.plan.client.lmtp =>
            {
                then = |run| {
                    let to = run.open.to.first().cloned().into_iter().collect();
                    run.stored.push(Stored { to, ..run.open.clone() });
                };
            }
            server::Event::EndOfMailData { .. } => then = |run| run.stored.push(run.open.clone()),
            _ => {}
        }
        let said = self.reply(event);
        if said.severity() == Severity::PositiveCompletion {
            self.open.to.extend(recipient);
            then(self);
        }
        // RFC 5321 §4.1.1.4: the buffers are cleared whatever the reply.
        match event {
            server::Event::EndOfMailData { .. } | server::Event::NeedReply
                if self.plan.client.lmtp && self.open.to.len() > 1 =>
            {
                self.open.to.remove(0);
            }
            server::Event::EndOfMailData { .. } | server::Event::NeedReply => {
                self.open = Stored::default();
            }
            _ => {}
        }
    }

    /// The usual reply, or by chance another one; its code.
    fn reply(&mut self, event: &server::Event<'_>) -> Code {
        let usual = match event {
            server::Event::Refused(refusal) => refusal.reply(),
            server::Event::EndOfMailData { .. } | server::Event::NeedReply => server::ACCEPTED,
            _ => self.server.standard_reply(HOST),
        };
        let mut out = [0; 1024];
        let refuses = self.plan.refuses;
        if refuses > 0 && self.random.one_in(refuses) {
            let number = if self.plan.is_odd && self.random.one_in(3) {
                ODD[self.random.choice(ODD.len())]
            } else {
                REFUSALS[self.random.choice(REFUSALS.len())]
            };
            let code = Code::new(number).expect("a code");
            if let Ok(written) = self.server.reply(&Reply::new(code, "chance"), &mut out) {
                self.say(&out[..written]);
                return code;
            }
        }
        let written = self.server.reply(&usual, &mut out).expect("it may be said, and fits");
        self.say(&out[..written]);
        usual.code()
    }

    fn say(&mut self, bytes: &[u8]) {
        self.wire.push(("S", bytes.to_vec()));
        self.down.extend_from_slice(bytes);
    }

    fn check(&self) -> Result<(), String> {
        for stored in &self.stored {
            let meant = SENDERS.iter().position(|from| stored.from == format!("<{from}>"));
            let is_meant = meant.is_some_and(|number| {
                let message = self.plan.messages.get(number);
                message.is_some_and(|message| message.content == stored.content)
                    && stored.to.iter().all(|to| self.recipients(number).any(|one| one == *to))
            });
            if !is_meant {
                return Err(format!("nobody meant {stored:?}"));
            }
        }
        for (number, outcomes) in self.outcomes.iter().enumerate() {
            if self.finished[number] != 1 {
                return Err(format!(
                    "envelope {number} is finished {} times",
                    self.finished[number]
                ));
            }
            for (address, outcome) in self.recipients(number).zip(outcomes) {
                let times =
                    self.stored.iter().filter(|stored| stored.to.contains(&address)).count();
                let fits = match outcome.fate {
                    Fate::Accepted => times == 1,
                    Fate::Refused | Fate::Deferred => times == 0,
                    Fate::Unknown => times <= 1,
                    Fate::Pending => false,
                };
                if !fits {
                    return Err(format!("{address} is stored {times} times: {outcome:?}"));
                }
            }
        }
        Ok(())
    }

    fn recipients(&self, number: usize) -> impl Iterator<Item = String> + use<'_> {
        let recipients = self.envelopes[number].recipients;
        (0..).map_while(move |index| Some(recipients.recipient(index)?.forward_path.to_string()))
    }
}

/// The generator `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn choice(&mut self, most: usize) -> usize {
        usize::try_from(self.below(most as u64)).expect("it is below a usize")
    }

    fn one_in(&mut self, most: u64) -> bool {
        self.below(most) == 0
    }
}

const SENDERS: [&str; 4] = ["s0@s.example", "s1@s.example", "s2@s.example", "s3@s.example"];

const RECIPIENTS: [[&str; 3]; 4] = [
    ["a@0.example", "b@0.example", "c@0.example"],
    ["a@1.example", "b@1.example", "c@1.example"],
    ["a@2.example", "b@2.example", "c@2.example"],
    ["a@3.example", "b@3.example", "c@3.example"],
];

const REFUSALS: [u16; 12] = [421, 450, 451, 452, 452, 500, 502, 503, 550, 552, 553, 554];

/// Codes of success that do not fit the command.
const ODD: [u16; 8] = [200, 211, 220, 221, 250, 251, 300, 354];
