//! The server machine against any client.

use ehlo::data::Newlines;
use ehlo::machine::{Machine, Wants};
use ehlo::server::Event;
use ehlo::server::{Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Verb;
use ehlo::syntax::reply::ReplyLimits;
use ehlo::syntax::sasl::SaslMechanism;
use ehlo::{Code, Extension, Parsed, Policy, Reply, ReplyError, Server, ServerConfig, session};

use super::{choices, pieces, wire};

/// Any bytes of a client against a scripted server: the events and the replies are the same however
/// the bytes are cut; the machine reads nothing while a reply is due; it accepts every standard
/// reply; it never stops making progress.
pub fn server(input: &[u8]) {
    let ([flags, offers, answers, cuts @ ..], bytes) = choices::<6>(input);
    let config = config(flags, offers);
    // The parities of the cuts choose, too.
    let odd = |cut: u8| cut & 1 != 0;
    let config = ServerConfig {
        newlines: match (config.newlines, odd(cuts[0])) {
            (Newlines::Normalise, true) => Newlines::Keep,
            (_, true) => Newlines::RejectAroundDot,
            (newlines, false) => newlines,
        },
        policy: config
            .policy
            .with_mail_before_hello(odd(cuts[1]))
            .with_any_reply_code(odd(cuts[2])),
        ..config
    };
    let whole = run(config, answers, &[bytes], false);
    assert_eq!(run(config, answers, &pieces(bytes, cuts), true), whole, "{cuts:?}");
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(config, answers, &single, false), whole, "byte by byte");
    run(ServerConfig { refuse_early: true, ..config }, answers, &pieces(bytes, cuts), true);
}

/// A step of a session that is visible from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Event(String),
    /// Adjacent mail data, joined.
    Data(Vec<u8>),
    Reply(String),
}

fn run(config: ServerConfig, answers: u8, input: &[&[u8]], in_two_steps: bool) -> Vec<Step> {
    let mut host = Host { in_two_steps, ..Host::new(config, answers) };
    let mut unread = Vec::new();
    host.take(&mut unread);
    for piece in input {
        unread.extend_from_slice(piece);
        host.take(&mut unread);
        // The bytes that follow STARTTLS are as good as any inside TLS.
        while host.server.state() == State::Tls {
            host.handshake();
            host.take(&mut unread);
        }
    }
    host.server.end_of_input();
    host.take(&mut unread);
    assert!(host.server.is_at_end(), "{:?} after the end of the input", host.server);
    host.steps
}

pub(super) fn config(flags: u8, offers: u8) -> ServerConfig {
    let bit = |bit: u8| flags >> bit & 1 != 0;
    let small = bit(7);
    let mut offered = Capabilities::NONE;
    for (place, extension) in Extension::ALL.iter().enumerate() {
        if offers == 255 || offers >> (place % 7) & 1 != 0 {
            offered = offered.with(*extension);
        }
    }
    if offered.contains(Extension::Auth) {
        offered = offered.with_mechanisms(offered.mechanisms().with(SaslMechanism::Plain));
    }
    if offers >> 7 != 0 {
        offered = offered.with_size(if small { 20 } else { 0 });
    }
    ServerConfig {
        role: [Role::Smtp, Role::Submission, Role::Lmtp, Role::Smtp][usize::from(flags & 3)],
        offered,
        policy: if bit(2) { Policy::LENIENT } else { Policy::STRICT },
        newlines: if bit(2) { Newlines::Normalise } else { Newlines::Reject },
        implicit_tls: bit(3),
        require_tls: bit(4),
        require_auth: bit(5),
        plaintext_auth: bit(6),
        // Whether bytes came early is a matter of how they came.
        refuse_early: false,
        limits: if small {
            ServerLimits {
                recipients: 2,
                messages: 2,
                errors: 3,
                idle: 3,
                unknown: 2,
                text_line: 30,
                discarded: 40,
                ..ServerLimits::DEFAULT
            }
        } else {
            ServerLimits::DEFAULT
        },
    }
}

/// A server that answers as the bits of a number say.
pub(super) struct Host {
    pub(super) server: Server,
    /// Asks what the machine wants before it asks for the event, as the adapters do.
    in_two_steps: bool,
    answers: u8,
    count: u32,
    message: Vec<u8>,
    /// The content after each DATA; `None` if it was refused.
    pub(super) messages: Vec<Option<Vec<u8>>>,
    pub(super) steps: Vec<Step>,
    /// The output that was not yet fetched.
    pub(super) sent: Vec<u8>,
}

impl Host {
    pub(super) fn new(config: ServerConfig, answers: u8) -> Self {
        Self {
            server: Server::new(config),
            in_two_steps: false,
            answers,
            count: 0,
            message: Vec::new(),
            messages: Vec::new(),
            steps: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Passes all unread bytes to the machine, and answers its events.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) {
        // Every event takes bytes or asks for an answer, but for withheld bytes of mail data.
        for _ in 0..3 * unread.len() + 1000 {
            if self.in_two_steps {
                match self.server.wants(unread) {
                    Wants::Event => {}
                    Wants::Input { consumed: 0 } => return,
                    Wants::Input { consumed } => {
                        unread.drain(..consumed);
                        continue;
                    }
                }
            }
            let before = self.server.state();
            let received = self.server.receive(unread);
            assert!(received.consumed <= unread.len());
            let owed = self.record(&received.event, before);
            let event = received.event;
            let is_end = matches!(event, Event::NeedInput | Event::StartTls | Event::Closed);
            assert!(!(self.in_two_steps && event == Event::NeedInput), "an event was promised");
            let consumed = received.consumed;
            unread.drain(..consumed);
            if owed {
                self.answer(unread);
            }
            if is_end {
                return;
            }
        }
        panic!("the server does not come to an end: {:?}", self.server);
    }

    pub(super) fn handshake(&mut self) {
        let mut other = self.server.clone();
        assert!(other.tls_established(b"N").is_err());
        assert_eq!(other.receive(b"NOOP\r\n").event, Event::Closed);
        assert_eq!(self.server.tls_established(b""), Ok(()));
        assert!(self.server.is_tls() && !self.server.is_extended());
    }

    /// Notes an event; whether it wants an answer.
    fn record(&mut self, event: &Event<'_>, before: State) -> bool {
        match event {
            Event::NeedInput => return false,
            Event::MailData(data) => {
                assert!(self.server.recipients() > 0, "mail data for nobody");
                self.message.extend_from_slice(data);
                match self.steps.last_mut() {
                    _ if data.is_empty() => {}
                    Some(Step::Data(all)) => all.extend_from_slice(data),
                    _ => self.steps.push(Step::Data(data.to_vec())),
                }
                return false;
            }
            Event::EndOfMailData { size } => {
                assert!(self.server.recipients() > 0, "a message for nobody");
                assert_eq!(*size, self.message.len() as u64);
                let message = std::mem::take(&mut self.message);
                if self.server.pending() == Some(Verb::Message) {
                    self.messages.push(Some(message));
                }
            }
            Event::Command(command) => {
                let verb = command.verb();
                // By `Policy::mail_before_hello` alone.
                let is_early = (before, verb) == (State::Start, Verb::Mail);
                let is_valid = session::is_valid(before, verb) || is_early;
                assert!(is_valid, "{command:?} in {before:?}");
                // It can be handed on as it is.
                let bytes = wire(command);
                assert!(bytes.ends_with(b"\r\n"));
            }
            Event::Refused(refusal) => {
                assert!(!refusal.reply().code().is_positive());
                if matches!(refusal.verb, Verb::Message | Verb::BdatLast) {
                    self.message.clear();
                }
                // In LMTP it comes for each recipient.
                if refusal.verb == Verb::Message && self.server.state() == State::Data {
                    self.messages.push(None);
                }
            }
            Event::Chunk { size, .. } => assert!(*size <= self.largest()),
            _ => {}
        }
        let step = Step::Event(format!("{event:?}"));
        // What is over stays over.
        if self.steps.last() != Some(&step) || !matches!(event, Event::Closed | Event::StartTls) {
            self.steps.push(step);
        }
        !matches!(event, Event::Chunk { .. } | Event::StartTls | Event::Closed)
    }

    fn largest(&self) -> u64 {
        self.server.offered().size().filter(|size| *size > 0).unwrap_or(u64::MAX)
    }

    fn answer(&mut self, unread: &[u8]) {
        let verb = self.server.pending().expect("an answer is owed");
        if self.in_two_steps {
            let before = format!("{:?}", self.server);
            let owing = self.server.receive(unread);
            assert_eq!((owing.consumed, owing.event), (0, Event::NeedReply));
            let refused = self.server.reply(&Reply::new(Code::OK, "yes"), &mut []);
            assert!(refused.is_err(), "a reply in no bytes");
            assert_eq!(format!("{:?}", self.server), before);
        }

        let standard = self.server.standard_reply("mx.example");
        assert_eq!(standard, self.server.standard_reply("mx.example"));
        let state = self.server.state();
        let mut out = vec![0; 4096];
        let chosen = self.choose(verb);
        let (reply, written) = match self.server.reply(&chosen.unwrap_or(standard), &mut out) {
            Ok(written) => (chosen.unwrap_or(standard), written),
            Err(ReplyError::NotAllowed { .. }) if chosen.is_some() => {
                let written = self.server.reply(&standard, &mut out);
                (standard, written.expect("the standard reply"))
            }
            other => panic!("{other:?} to {verb:?}"),
        };
        self.count += 1;
        out.truncate(written);
        let parsed = Reply::parse(&out, &Policy::STRICT);
        let Ok(Parsed::Complete { value, consumed }) = parsed else {
            panic!("{} is {parsed:?}", out.escape_ascii())
        };
        assert_eq!((consumed, value.code()), (out.len(), reply.code()));
        assert!(
            out.split(|byte| *byte == b'\n')
                .all(|line| line.len() < usize::from(ReplyLimits::STRICT.line))
        );
        // The state moves as the table says, or, after a verdict of the machine, not at all.
        let next = session::next(state, verb, reply.code());
        let now = self.server.state();
        assert!(now == next || now == state || now == State::Closed, "{state:?} to {now:?}");
        assert_eq!(session::next(now, verb, Code::SERVICE_NOT_AVAILABLE), State::Closed);
        if !now.is_transaction() {
            assert_eq!(self.server.recipients(), 0);
        }
        if self.server.recipients() == 0 {
            self.message.clear();
        }
        self.steps.push(Step::Reply(out.escape_ascii().to_string()));
        self.sent.append(&mut out);
    }

    /// The reply of one's own, if it is not the standard one.
    fn choose(&self, verb: Verb) -> Option<Reply<'static>> {
        let number = self.answers >> (2 * (self.count % 4)) & 3;
        match (number, verb) {
            (1, _) => Some(Reply::new(Code::MAILBOX_UNAVAILABLE, "no\r\n250 yes")),
            (2, _) => Some(Reply::new(Code::LOCAL_ERROR, "4.3.0 not now")),
            (3, Verb::Auth) => Some(Reply::new(Code::AUTHENTICATION_CONTINUES, "VXNlcm5hbWU6")),
            (3, Verb::AuthResponse) => Some(Reply::new(Code::AUTHENTICATION_SUCCEEDED, "come in")),
            (3, Verb::Rcpt) => Some(Reply::new(Code::WILL_FORWARD, "elsewhere")),
            (3, Verb::Burl | Verb::BurlLast | Verb::Etrn | Verb::Expn | Verb::Other) => {
                Some(Reply::new(Code::OK, "done"))
            }
            // By `Policy::any_reply_code` alone, for most verbs.
            (3, _) if self.count % 8 == 3 => Some(Reply::new(Code::START_MAIL_INPUT, "odd")),
            (3, _) if self.count % 8 == 6 => Some(Reply::new(Code::WILL_FORWARD, "odd")),
            (3, _) if self.count % 16 == 15 => {
                Some(Reply::new(Code::SERVICE_NOT_AVAILABLE, "").with_domain("mx.example"))
            }
            _ => None,
        }
    }
}
