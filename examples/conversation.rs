//! A whole SMTP session in memory: a client and a server of this crate talk to each other, and no
//! socket is opened.
//!
//! Each peer is a machine between two buffers. What one has written goes to the other's input.
#![allow(clippy::print_stdout)] // the transcript is the point

use std::error::Error;

use clap::Parser;
use ehlo::machine::{PlaintextInjection, Received};
use ehlo::server::Event as ServerEvent;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::code::EnhancedStatus;
use ehlo::syntax::command::{Mechanism, Verb};
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Mechanisms, SaslData, SaslMechanism};
use ehlo::{
    Client, ClientConfig, Code, Command, Encode, Extension, ForwardPath, Reply, ReversePath,
    Server, ServerConfig, client,
};

/// Holds a whole SMTP session in memory and prints it.
#[derive(Parser)]
struct Arguments {}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    Arguments::parse();
    let mut session = Session::new();
    let name = ClientName::new("client.example")?;
    session.until_answered()?;
    session.send(&[Command::Ehlo(name)])?;
    session.send(&[Command::StartTls])?;
    session.upgrade()?;
    session.send(&[Command::Ehlo(name)])?;
    session.send(&[Command::Auth {
        mechanism: Mechanism::new("PLAIN")?,
        initial_response: Some(SaslData::new(b"\0user\0secret")),
    }])?;

    let recipients = ["jones@example.org", "nobody@example.org"];
    let mut group = vec![Command::Mail {
        reverse_path: ReversePath::new("smith@example.com")?,
        parameters: Parameters::NONE,
    }];
    for recipient in recipients {
        let forward_path = ForwardPath::new(recipient)?;
        group.push(Command::Rcpt { forward_path, parameters: Parameters::NONE });
    }
    group.push(Command::Data);
    session.send(&group)?;
    session.content(MESSAGE)?;
    session.send(&[Command::Quit])?;
    session.summary(&recipients);
    Ok(())
}

/// A machine, the bytes that it has yet to read, and those that it has written.
struct Peer<M> {
    machine: M,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl<M> Peer<M> {
    const fn new(machine: M) -> Self {
        Self { machine, input: Vec::new(), output: Vec::new() }
    }

    /// Prints the output and moves it to the input of `other`; returns its length in bytes.
    fn send_to<N>(&mut self, other: &mut Peer<N>, sign: &str) -> usize {
        for line in String::from_utf8_lossy(&self.output).lines() {
            // A password has no place in a transcript.
            let secret = line.starts_with("AUTH PLAIN ");
            println!("{sign}{}", if secret { "AUTH PLAIN (redacted)" } else { line });
        }
        let length = self.output.len();
        other.input.append(&mut self.output);
        length
    }
}

/// Both peers, and what passed between them.
struct Session {
    client: Peer<Client>,
    server: Peer<Server>,
    capabilities: Capabilities,
    /// The replies to RCPT, in order.
    recipients: Vec<(Code, String)>,
    message: Option<(Code, String)>,
    bytes_to_server: usize,
    bytes_to_client: usize,
    round_trips: usize,
}

impl Session {
    fn new() -> Self {
        let config = ServerConfig {
            offered: Capabilities::NONE
                .with_size(10 << 20)
                .with(Extension::EightBitMime)
                .with(Extension::Pipelining)
                .with(Extension::EnhancedStatusCodes)
                .with(Extension::StartTls)
                .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
            ..ServerConfig::DEFAULT
        };
        Self {
            client: Peer::new(Client::new(ClientConfig::DEFAULT)),
            server: Peer::new(Server::new(config)),
            capabilities: Capabilities::NONE,
            recipients: Vec::new(),
            message: None,
            bytes_to_server: 0,
            bytes_to_client: 0,
            round_trips: 0,
        }
    }

    /// Sends a group of commands and waits for their replies.
    fn send(&mut self, group: &[Command<'_>]) -> Result<()> {
        let mut line = [0; 512];
        for command in group {
            let length = self.client.machine.send(command, &mut line)?;
            self.client.output.extend_from_slice(&line[..length]);
        }
        self.until_answered()
    }

    /// Sends the mail data, with its dots stuffed, and waits for the reply.
    fn content(&mut self, mut content: &[u8]) -> Result<()> {
        let mut out = [0; 512];
        while !content.is_empty() {
            let progress = self.client.machine.mail_data(content, &mut out)?;
            self.client.output.extend_from_slice(&out[..progress.written]);
            content = &content[progress.consumed..];
        }
        let length = self.client.machine.end_mail_data(&mut out)?;
        self.client.output.extend_from_slice(&out[..length]);
        self.until_answered()
    }

    /// TLS would begin here. The machines need to know only that it did.
    fn upgrade(&mut self) -> std::result::Result<(), PlaintextInjection> {
        println!("   (TLS)");
        self.server.machine.tls_established(&self.server.input)?;
        self.client.machine.tls_established(&self.client.input)
    }

    fn until_answered(&mut self) -> Result<()> {
        self.round_trips += 1;
        while self.client.machine.awaits().is_some() {
            self.bytes_to_server += self.client.send_to(&mut self.server, "C: ");
            self.serve()?;
            self.bytes_to_client += self.server.send_to(&mut self.client, "S: ");
            self.read_replies();
        }
        Ok(())
    }

    /// The client's application: it notes what the server answers.
    fn read_replies(&mut self) {
        let Peer { machine, input, .. } = &mut self.client;
        while machine.awaits().is_some() {
            let Received { consumed, event } = machine.receive(input);
            if event == client::Event::NeedInput {
                break;
            }
            if let client::Event::Reply { to, reply } = event {
                let text = String::from_utf8_lossy(reply.text()).into_owned();
                match to {
                    Verb::Rcpt => self.recipients.push((reply.code(), text)),
                    Verb::Message => self.message = Some((reply.code(), text)),
                    Verb::Ehlo => self.capabilities = Capabilities::from_reply(&reply),
                    _ => {}
                }
            }
            input.drain(..consumed);
        }
    }

    /// The server's application: it knows one mailbox and one password.
    fn serve(&mut self) -> Result<()> {
        let Peer { machine, input, output } = &mut self.server;
        let mut out = [0; 1024];
        loop {
            let Received { consumed, event } = machine.receive(input);
            let reply = match event {
                ServerEvent::NeedInput | ServerEvent::Closed | ServerEvent::StartTls => {
                    input.drain(..consumed);
                    return Ok(());
                }
                ServerEvent::MailData(_) => None,
                ServerEvent::Command(Command::Auth { initial_response, .. }) => {
                    let mut credentials = [0; 64];
                    let known = initial_response
                        .and_then(|response| response.decode(&mut credentials).ok())
                        .is_some_and(|length| &credentials[..length] == b"\0user\0secret");
                    Some(if known { WELCOME } else { WRONG_PASSWORD })
                }
                ServerEvent::Command(Command::Rcpt { forward_path, .. })
                    if forward_path != ForwardPath::new("jones@example.org")? =>
                {
                    Some(UNKNOWN_USER)
                }
                ServerEvent::EndOfMailData { .. } => Some(ACCEPTED),
                _ => Some(machine.standard_reply("mx.example.org")),
            };
            if let Some(reply) = reply {
                let length = machine.reply(&reply, &mut out)?;
                output.extend_from_slice(&out[..length]);
            }
            input.drain(..consumed);
        }
    }

    fn summary(&self, recipients: &[&str]) {
        println!("\ncapabilities negotiated:");
        for capability in self.capabilities {
            let mut line = [0; 256];
            let length = capability.encode(&mut line).unwrap_or_default();
            println!("  {}", String::from_utf8_lossy(&line[..length]));
        }
        println!("outcomes:");
        for (recipient, (code, text)) in recipients.iter().zip(&self.recipients) {
            // The reply to the message speaks for every recipient that was accepted.
            let (code, text) = match &self.message {
                Some(message) if code.is_positive() => (&message.0, &message.1),
                _ => (code, text),
            };
            println!("  {recipient}: {code} {text}");
        }
        println!("bytes from the client: {}", self.bytes_to_server);
        println!("bytes from the server: {}", self.bytes_to_client);
        println!("round trips: {}", self.round_trips);
    }
}

const WELCOME: Reply<'_> = Reply::enhanced(
    Code::AUTHENTICATION_SUCCEEDED,
    EnhancedStatus::OTHER_SECURITY.success(),
    "welcome",
);
const WRONG_PASSWORD: Reply<'_> = Reply::enhanced(
    Code::CREDENTIALS_INVALID,
    EnhancedStatus::CREDENTIALS_INVALID.permanent(),
    "wrong user or password",
);
const UNKNOWN_USER: Reply<'_> = Reply::enhanced(
    Code::MAILBOX_UNAVAILABLE,
    EnhancedStatus::BAD_DESTINATION_MAILBOX.permanent(),
    "no such user here",
);
const ACCEPTED: Reply<'_> =
    Reply::enhanced(Code::OK, EnhancedStatus::OTHER_CONTENT.success(), "accepted");

const MESSAGE: &[u8] = b"From: <smith@example.com>\r\n\
    To: <jones@example.org>\r\n\
    Subject: dots\r\n\
    \r\n\
    A line with a single dot does not end the message:\r\n\
    .\r\n\
    ...nor does this one.\r\n";
