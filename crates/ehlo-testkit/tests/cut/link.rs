//! A connection in memory that breaks at a chosen byte, a client's and a server's endpoint at its
//! ends.

use ehlo::delivery::{Event as ClientEvent, Outcome, Outcomes};
use ehlo::machine::Machine;
use ehlo::server::{ACCEPTED, Event as ServerEvent, Role};
use ehlo::syntax::code::EnhancedCode;
use ehlo::{
    Code, Command, Delivery, DeliveryConfig, Envelope, HeloName, Reply, Server, ServerConfig,
};
use ehlo_io::Buffered;

/// Bytes that each direction carries before it breaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) to_server: usize,
    pub(crate) to_client: usize,
    /// The other direction breaks with it.
    pub(crate) both: bool,
}

impl Cut {
    pub(crate) const NEVER: Self =
        Self { to_server: usize::MAX, to_client: usize::MAX, both: false };
}

/// What a session leaves.
#[derive(Debug)]
pub(crate) struct Report {
    /// By envelope, what the client knows of each recipient.
    pub(crate) outcomes: Vec<Vec<Outcome>>,
    pub(crate) store: Store,
    /// What has reached the server.
    pub(crate) to_server: Vec<u8>,
    /// What the server has written, whether it reached the client or not.
    pub(crate) from_server: Vec<u8>,
    /// How much of it has reached the client.
    pub(crate) to_client: usize,
}

/// A server's application that keeps what it has accepted: before it says so, and for good.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Recipient and content, as often as they were stored.
    pub(crate) kept: Vec<(String, Vec<u8>)>,
    recipients: Vec<String>,
    content: Vec<u8>,
    /// Recipients of the message in hand that were answered.
    answered: usize,
}

impl Store {
    /// Answers the event; `nobody` is no recipient, and in LMTP `full` has no room.
    fn answer(&mut self, event: &ServerEvent<'_>, server: &Server, role: Role) -> Reply<'static> {
        let standard = server.standard_reply("mx.example");
        match event {
            ServerEvent::Command(Command::Rcpt { forward_path, .. }) => {
                let recipient = forward_path.to_string();
                if recipient.starts_with("<nobody@") {
                    return reply(Code::MAILBOX_UNAVAILABLE, (5, 1, 1));
                }
                self.recipients.push(recipient);
            }
            ServerEvent::Command(
                Command::Mail { .. }
                | Command::Rset
                | Command::Ehlo(_)
                | Command::Helo(_)
                | Command::Lhlo(_),
            ) => *self = Self { kept: std::mem::take(&mut self.kept), ..Self::default() },
            ServerEvent::EndOfMailData { size } => {
                assert_eq!(*size, self.content.len() as u64);
                self.answered = 0;
                return self.accept(ACCEPTED, role);
            }
            ServerEvent::NeedReply => return self.accept(ACCEPTED, role),
            ServerEvent::EndOfChunk => return Reply::new(Code::OK, "go on"),
            _ => {}
        }
        standard
    }

    fn accept(&mut self, standard: Reply<'static>, role: Role) -> Reply<'static> {
        if role != Role::Lmtp {
            for recipient in self.recipients.drain(..) {
                self.kept.push((recipient, self.content.clone()));
            }
            self.content.clear();
            return standard;
        }
        // RFC 2033 §4.2: each recipient has its own answer.
        let recipient = self.recipients[self.answered].clone();
        self.answered += 1;
        if recipient.starts_with("<full@") {
            return reply(Code::INSUFFICIENT_STORAGE, (4, 2, 2));
        }
        self.kept.push((recipient, self.content.clone()));
        standard
    }
}

fn reply(code: Code, (class, subject, detail): (u8, u16, u16)) -> Reply<'static> {
    Reply::enhanced(code, EnhancedCode::new(class, subject, detail).expect("a code"), "no")
}

/// Delivers the envelopes, each with its content, over a connection that breaks at `cut` and carries
/// `piece` bytes at a time.
pub(crate) fn deliver(
    envelopes: &[(Envelope<'_>, &[u8])],
    client: DeliveryConfig,
    server: ServerConfig,
    cut: Cut,
    piece: usize,
) -> Report {
    let name = HeloName::new("client.example").expect("a name");
    let mut here = Buffered::new(Delivery::new(name, client));
    let mut there = Buffered::new(Server::new(server));
    let mut outcomes: Vec<Vec<Outcome>> = envelopes
        .iter()
        .map(|(envelope, _)| {
            let recipients = (0..).take_while(|at| envelope.recipients.recipient(*at).is_some());
            recipients.map(|_| Outcome::PENDING).collect()
        })
        .collect();
    let (mut begun, mut store) = (0, Store::default());
    let (mut forth, mut back) = (Wire::new(cut.to_server), Wire::new(cut.to_client));
    let (mut client_left, mut server_left) = (false, false);
    loop {
        while !client_left && here.is_ready() {
            let mut turn = here.next_event();
            for (number, outcomes) in outcomes.iter_mut().enumerate().take(begun) {
                Outcomes::resume(outcomes, number).record(&turn.event);
            }
            match turn.event {
                ClientEvent::NeedEnvelope => match envelopes.get(begun) {
                    Some((envelope, _)) => {
                        begun += 1;
                        turn.responder.envelope(envelope);
                    }
                    None => turn.responder.quit(),
                },
                // In two pieces, so that there are two chunks where it goes in chunks.
                ClientEvent::NeedContent { envelope, offset } => {
                    let content = envelopes[envelope].1;
                    let (first, last) = content.split_at(content.len() / 2);
                    let given = match offset {
                        0 if !first.is_empty() => turn.responder.mail_data(first),
                        _ => turn.responder.last_mail_data(last),
                    };
                    given.expect("content that may be sent");
                }
                ClientEvent::Closed => client_left = true,
                _ => {}
            }
        }
        while !server_left && there.is_ready() {
            let turn = there.next_event();
            match turn.event {
                ServerEvent::Closed => server_left = true,
                ServerEvent::MailData(data) => store.content.extend(data),
                ServerEvent::Chunk { .. } => {}
                event => {
                    let reply = store.answer(&event, turn.responder.machine(), server.role);
                    turn.responder.reply(&reply).expect("an answer is owed");
                }
            }
        }
        let moved = forth.carry(&mut here, &mut there, client_left, piece)
            | back.carry(&mut there, &mut here, server_left, piece);
        if cut.both && (forth.is_broken() || back.is_broken()) {
            (forth.left, back.left) = (0, 0);
        }
        if !moved {
            assert!(client_left && server_left, "both wait for the other at {cut:?}");
            let to_client = back.carried.len() - back.lost;
            return Report {
                outcomes,
                store,
                to_server: forth.carried[..forth.carried.len() - forth.lost].to_vec(),
                from_server: back.carried,
                to_client,
            };
        }
    }
}

/// One direction.
struct Wire {
    /// Bytes before it breaks.
    left: usize,
    /// All that was written, what is lost at the end of it.
    carried: Vec<u8>,
    lost: usize,
    /// The reader was told that no more comes.
    ended: bool,
}

impl Wire {
    const fn new(left: usize) -> Self {
        Self { left, carried: Vec::new(), lost: 0, ended: false }
    }

    const fn is_broken(&self) -> bool {
        self.left == 0
    }

    /// Carries what was written, `piece` bytes at most, and the end of it; whether there was any.
    fn carry<A: Machine, B: Machine>(
        &mut self,
        from: &mut Buffered<A>,
        to: &mut Buffered<B>,
        writer_left: bool,
        piece: usize,
    ) -> bool {
        let bytes = from.output().len().min(piece);
        if bytes > 0 {
            let passes = bytes.min(self.left);
            self.carried.extend(&from.output()[..bytes]);
            self.left -= passes;
            // A system takes what nobody will receive any more.
            self.lost += bytes - passes;
            let mut rest = &from.output()[..passes];
            while !rest.is_empty() && !self.ended {
                let space = to.read_buffer();
                let length = space.len().min(rest.len());
                space[..length].copy_from_slice(&rest[..length]);
                to.advance_read(length);
                rest = &rest[length..];
            }
            from.advance_write(bytes);
            return true;
        }
        if !self.ended && (writer_left || self.is_broken()) {
            self.ended = true;
            to.advance_read(0);
            return true;
        }
        false
    }
}

/// The messages that are complete in what a client has sent, found without the machines, for a
/// server that takes all of it.
pub(crate) fn complete_messages(mut sent: &[u8]) -> usize {
    let mut messages = 0;
    while let Some(end) = sent.windows(2).position(|two| two == b"\r\n") {
        let line = String::from_utf8_lossy(&sent[..end]).to_uppercase();
        sent = &sent[end + 2..];
        if line == "DATA" {
            // The CRLF of the command is that of an empty message.
            let Some(end) =
                [b"\r\n", sent].concat().windows(5).position(|five| five == b"\r\n.\r\n")
            else {
                return messages;
            };
            sent = &sent[end + 3..];
            messages += 1;
        } else if let Some(argument) = line.strip_prefix("BDAT ") {
            let size: usize =
                argument.split(' ').next().expect("a size").parse().expect("a number");
            let Some(rest) = sent.get(size..) else { return messages };
            sent = rest;
            messages += usize::from(argument.ends_with(" LAST"));
        }
    }
    messages
}

/// The positive replies to messages, for each recipient in LMTP.
pub(crate) fn acceptances(sent: &[u8]) -> usize {
    let text = String::from_utf8_lossy(sent);
    text.split_inclusive("\r\n").filter(|line| *line == "250 2.6.0 accepted\r\n").count()
}
