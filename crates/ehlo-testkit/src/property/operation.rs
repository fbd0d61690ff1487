//! A client that follows a list of bytes as a script.

use std::collections::VecDeque;

use ehlo::client::Event;
use ehlo::data::Newlines;
use ehlo::session::State;
use ehlo::syntax::code::Severity;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::{Body, Parameter, Parameters};
use ehlo::syntax::path::{ClientName, Domain};
use ehlo::syntax::sasl::{Response, SaslData};
use ehlo::{
    Client, ClientConfig, Command, Encode, ForwardPath, Parsed, Policy, ReversePath, SendError,
};

use crate::mail_data::reference::normalised;

/// A client with a script, and a model of what it has in flight.
pub(super) struct Sender<'s> {
    pub(super) client: Client,
    script: &'s [u8],
    flight: VecDeque<Verb>,
    lmtp: bool,
    owed: u32,
    /// Bytes of the chunk that are still to be sent.
    chunk: u64,
    content: Vec<u8>,
    newlines: Newlines,
    /// The messages that DATA brought to their ends.
    pub(super) messages: Vec<Vec<u8>>,
    /// The events, and the output after each of them.
    pub(super) trace: Vec<String>,
    /// The output that was not yet fetched.
    pub(super) sent: Vec<u8>,
    /// Its content was refused within a message, so that it has left.
    pub(super) has_given_up: bool,
}

impl<'s> Sender<'s> {
    pub(super) fn new(config: ClientConfig, script: &'s [u8]) -> Self {
        Self {
            client: Client::new(config),
            script,
            flight: VecDeque::from([Verb::Greeting]),
            lmtp: false,
            owed: 0,
            chunk: 0,
            content: Vec::new(),
            newlines: config.newlines,
            messages: Vec::new(),
            trace: Vec::new(),
            sent: Vec::new(),
            has_given_up: false,
        }
    }

    fn give_up(&mut self) {
        self.client.abort();
        self.has_given_up = true;
    }

    /// Follows the script, until the client must wait for something.
    pub(super) fn go(&mut self) {
        while let Some((operation, rest)) = self.script.split_first() {
            if !self.perform(*operation) {
                return;
            }
            self.script = rest;
        }
    }

    /// Completes what the script has left open.
    pub(super) fn finish(&mut self) {
        self.script = &[];
        for _ in 0..100_000 {
            if self.client.wants_content() {
                self.perform(END);
            } else if self.client.state() == State::Auth && self.flight.is_empty() {
                self.perform(0);
            } else {
                return;
            }
            if self.client.state() == State::Closed {
                return;
            }
        }
        panic!("the content does not come to an end: {:#?}", self.trace);
    }

    /// Returns `true` if the operation is done; otherwise it must wait.
    fn perform(&mut self, operation: u8) -> bool {
        let before = self.client.clone();
        let mut out = [0; 1024];
        let result = if self.client.wants_content() {
            self.content(operation, &mut out)
        } else if self.client.state() == State::Auth && self.flight.is_empty() {
            let data = Response::Data(SaslData::new(b"secret"));
            let response = if operation & 1 == 0 { Response::Cancel } else { data };
            self.client.respond(&response, &mut out).inspect(|_| {
                self.flight.push_back(Verb::AuthResponse);
            })
        } else {
            self.command(operation, &mut out)
        };
        match result {
            Ok(written) => {
                self.trace.push(format!("sent {}", out[..written].escape_ascii()));
                self.sent.extend_from_slice(&out[..written]);
                true
            }
            Err(error) => {
                if !matches!(error, SendError::Newlines(_)) {
                    let (now, before) = (format!("{:?}", self.client), format!("{before:?}"));
                    assert_eq!(now, before, "{error:?}");
                }
                !matches!(
                    error,
                    SendError::WaitForReply | SendError::NotPipelining | SendError::WindowFull
                )
            }
        }
    }

    fn content(&mut self, operation: u8, out: &mut [u8]) -> Result<usize, SendError> {
        assert!(self.client.send(&Command::Noop(None), out).is_err(), "a command in the content");
        if self.chunk > 0 {
            let most = if operation == END { usize::MAX } else { usize::from(operation & 7) };
            let content = &CHUNK[..most.min(CHUNK.len())];
            let mut result = self.client.mail_data(content, out);
            // What fills the chunk would need a byte behind it.
            if result == Err(SendError::ChunkIncomplete) {
                result = self.client.mail_data(b"x", out);
            }
            // A chunk whose content was refused cannot be completed.
            if let Err(SendError::Newlines(_)) = result {
                self.give_up();
            }
            let progress = result?;
            if self.newlines != Newlines::Normalise {
                assert_eq!(progress.consumed, progress.written);
            }
            self.chunk -= progress.written as u64;
            return Ok(progress.written);
        }
        if operation >= 128 {
            let written = match self.client.end_mail_data(out) {
                Ok(written) => written,
                // Content that was refused cannot be completed.
                Err(error @ SendError::Newlines(_)) => {
                    self.give_up();
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            self.flight.push_back(Verb::Message);
            let mut message = std::mem::take(&mut self.content);
            if self.newlines == Newlines::Normalise {
                message = normalised(&message);
            }
            if !message.is_empty() && !message.ends_with(b"\r\n") {
                message.extend_from_slice(b"\r\n");
            }
            self.messages.push(message);
            return Ok(written);
        }
        let content = CONTENT[usize::from(operation) % CONTENT.len()];
        let progress = self.client.mail_data(content, out)?;
        assert_eq!(progress.consumed, content.len());
        self.content.extend_from_slice(content);
        Ok(progress.written)
    }

    fn command(&mut self, operation: u8, out: &mut [u8]) -> Result<usize, SendError> {
        let name = ClientName::Domain(Domain::new("client.example").expect("a domain"));
        let sender = ReversePath::new("a@b.example").expect("a path");
        let body = [Parameter::Body(Body::EightBitMime)];
        let binary = [Parameter::Size(10), Parameter::Body(Body::BinaryMime)];
        let utf8 = [Parameter::SmtpUtf8];
        let mail = |list| Command::Mail {
            reverse_path: sender,
            parameters: Parameters::mail(list).expect("parameters"),
        };
        let rcpt = |text| Command::Rcpt {
            forward_path: ForwardPath::new(text).expect("a path"),
            parameters: Parameters::NONE,
        };
        let auth = |response| Command::Auth {
            mechanism: Mechanism::new("PLAIN").expect("a name"),
            initial_response: response,
        };
        let command = match operation & 31 {
            0 => Command::Ehlo(name),
            1 => Command::Helo(name),
            2 => Command::Lhlo(name),
            3 | 4 => mail(&[]),
            5 => mail(&body),
            6 => mail(&binary),
            7 => mail(&utf8),
            8..=11 => rcpt("c@d.example"),
            12 => rcpt("<ü@d.example>"),
            13 | 14 => Command::Data,
            15 => Command::Bdat { size: 0, last: true },
            16 => Command::Bdat { size: u64::from(operation >> 5), last: true },
            17 => Command::Bdat { size: u64::from(operation >> 5), last: false },
            18 => Command::Rset,
            19 => Command::Noop(None),
            20 => Command::Quit,
            21 => Command::StartTls,
            22 => auth(None),
            23 => auth(Some(SaslData::new(b"\0a\0b"))),
            24 => line(b"VRFY staff\r\n"),
            25 => line(b"EXPN staff\r\n"),
            26 => line(b"HELP\r\n"),
            27 => line(b"ETRN example.org\r\n"),
            28 => line(b"XCLIENT NAME=a.example\r\n"),
            29 => line(b"XYZZY 1 2\r\n"),
            30 => line(b"BURL imap://a.example/b LAST\r\n"),
            _ => line(b"ATRN example.org\r\n"),
        };
        let written = self.client.send(&command, out)?;
        assert_eq!(written, command.encoded_len());
        let policy = Policy::STRICT.with_smtputf8(true);
        let parsed = Command::parse(&out[..written], &policy);
        assert_eq!(parsed, Ok(Parsed::Complete { value: command, consumed: written }));
        if let Command::Bdat { size, .. } = command {
            self.chunk = size;
        }
        self.flight.push_back(command.verb());
        Ok(written)
    }

    /// Takes one event of `unread`; whether there was one.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> bool {
        // A failed chunk is the end of its recipients.
        let failed = self.client.state() == State::Failed;
        let accepted = if failed { 0 } else { self.client.accepted() };
        let received = self.client.receive(unread);
        assert!(received.consumed <= unread.len());
        match &received.event {
            Event::NeedInput => {
                assert_eq!(received.consumed, 0);
                return false;
            }
            Event::Reply { to, reply } => {
                assert!(received.consumed > 0);
                assert_eq!(self.flight.front(), Some(to), "{reply}");
                if self.lmtp && matches!(to, Verb::Message | Verb::BdatLast) {
                    if self.owed == 0 {
                        self.owed = accepted.max(1);
                    }
                    self.owed -= 1;
                }
                if self.owed == 0 {
                    self.flight.pop_front();
                }
                if reply.severity() == Severity::PositiveCompletion {
                    match to {
                        Verb::Lhlo => self.lmtp = true,
                        Verb::Ehlo => self.lmtp = false,
                        _ => {}
                    }
                }
            }
            Event::Unsolicited(_) => assert!(self.flight.is_empty()),
            Event::Unanswered { to } => {
                assert_eq!((self.flight.pop_front().as_ref(), received.consumed), (Some(to), 0));
            }
            Event::Violation(error) => assert!(error.offset <= unread.len()),
            Event::StartTls | Event::Closed => {
                assert!(self.flight.is_empty() && received.consumed == 0);
                return false;
            }
        }
        self.trace.push(format!("{:?}", received.event));
        unread.drain(..received.consumed);
        assert_eq!(self.client.awaits(), self.flight.front().copied(), "{:#?}", self.trace);
        true
    }

    pub(super) fn handshake(&mut self) {
        let mut other = self.client.clone();
        assert!(other.tls_established(b"250 x").is_err());
        assert_eq!(other.receive(b"250 x\r\n").event, Event::Closed);
        assert_eq!(self.client.tls_established(b""), Ok(()));
        assert!(self.client.is_tls() && self.client.capabilities().is_empty());
        self.lmtp = false;
    }
}

fn line(line: &'static [u8]) -> Command<'static> {
    match Command::parse(line, &Policy::STRICT) {
        Ok(Parsed::Complete { value, .. }) => value,
        other => panic!("{other:?}"),
    }
}

/// Ends the content, whatever is open.
const END: u8 = 255;

const CHUNK: &[u8] = b".\r\nab\n\0";

/// Pieces of content; the last is one that strict policies refuse.
const CONTENT: [&[u8]; 8] =
    [b"text\r\n", b".\r\n", b".", b"..two\r\n", b"\r\n", b"x", b"\r\n.\r\nMAIL", b"bare\n.\n"];

/// The client configuration that these flags choose.
pub(super) fn client_config(flags: u8) -> ClientConfig {
    let bit = |bit: u8| flags >> bit & 1 != 0;
    ClientConfig {
        policy: Policy::STRICT.with_any_reply_text(bit(0)).with_any_reply_code(bit(7)),
        newlines: match (bit(1), bit(4)) {
            (false, false) => Newlines::Reject,
            (true, false) => Newlines::Keep,
            (false, true) => Newlines::RejectAroundDot,
            (true, true) => Newlines::Normalise,
        },
        pipelining: !bit(2),
        implicit_tls: bit(3),
        require_tls: bit(5),
        plaintext_auth: bit(6),
        any_content: bit(4),
        ..ClientConfig::DEFAULT
    }
}
