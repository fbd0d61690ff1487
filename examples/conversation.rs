//! A whole SMTP session in memory: a client and a server of this crate talk to each other, and no
//! socket is opened.
//!
//! Two endpoints hold one machine each; what one has in its outbox goes to the other's inbox.
#![allow(clippy::print_stdout)] // the transcript is the point

use std::error::Error;

use clap::Parser;
use ehlo::machine::Machine;
use ehlo::server::Event as ServerEvent;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Mechanisms, SaslData, SaslMechanism};
use ehlo::{
    Client, ClientConfig, Code, Command, Encode, Extension, ForwardPath, Reply, ReversePath,
    Server, ServerConfig, client,
};
use ehlo_io::Buffered;

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

/// Both peers, and what passed between them.
struct Session {
    client: Buffered<Client>,
    server: Buffered<Server>,
    capabilities: Capabilities,
    /// The replies to RCPT, in order.
    recipients: Vec<(Code, String)>,
    message: Option<(Code, String)>,
    to_server: usize,
    to_client: usize,
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
            client: Buffered::new(Client::new(ClientConfig::DEFAULT)),
            server: Buffered::new(Server::new(config)),
            capabilities: Capabilities::NONE,
            recipients: Vec::new(),
            message: None,
            to_server: 0,
            to_client: 0,
            round_trips: 0,
        }
    }

    /// Sends a group of commands and waits for their replies.
    fn send(&mut self, group: &[Command<'_>]) -> Result<()> {
        for command in group {
            self.client.send(command)?;
        }
        self.until_answered()
    }

    fn content(&mut self, content: &[u8]) -> Result<()> {
        let mut sender = self.client.responder();
        sender.mail_data(content)?;
        sender.end_mail_data()?;
        self.until_answered()
    }

    /// TLS would begin here; the machines only need to know that it did.
    fn upgrade(&mut self) -> Result<()> {
        println!("   (TLS)");
        self.server.tls_established()?;
        self.client.tls_established()?;
        Ok(())
    }

    fn until_answered(&mut self) -> Result<()> {
        self.round_trips += 1;
        while self.client.machine().awaits().is_some() {
            self.to_server += pass("C: ", &mut self.client, &mut self.server);
            self.serve()?;
            self.to_client += pass("S: ", &mut self.server, &mut self.client);
            while self.client.machine().awaits().is_some() && self.client.is_ready() {
                if let client::Event::Reply { to, reply } = self.client.next_event().event {
                    let text = String::from_utf8_lossy(reply.text()).into_owned();
                    match to {
                        Verb::Rcpt => self.recipients.push((reply.code(), text)),
                        Verb::Message => self.message = Some((reply.code(), text)),
                        Verb::Ehlo => self.capabilities = Capabilities::from_reply(&reply),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// The server's application: it knows one mailbox and one password.
    fn serve(&mut self) -> Result<()> {
        while self.server.is_ready() {
            let turn = self.server.next_event();
            match turn.event {
                ServerEvent::Closed | ServerEvent::StartTls => break,
                ServerEvent::MailData(_) => {}
                ServerEvent::Command(Command::StartTls) => turn
                    .responder
                    .reply(&Reply::enhanced(Code::SERVICE_READY, code(2, 0, 0), "go ahead"))?,
                ServerEvent::Command(Command::Auth { initial_response, .. }) => {
                    let mut credentials = [0; 64];
                    let known = initial_response
                        .and_then(|response| response.decode(&mut credentials).ok())
                        .is_some_and(|length| &credentials[..length] == b"\0user\0secret");
                    turn.responder.reply(&if known {
                        Reply::enhanced(Code::AUTHENTICATION_SUCCEEDED, code(2, 7, 0), "welcome")
                    } else {
                        Reply::enhanced(Code::CREDENTIALS_INVALID, code(5, 7, 8), "no")
                    })?;
                }
                ServerEvent::Command(Command::Rcpt { forward_path, .. })
                    if forward_path != ForwardPath::new("jones@example.org")? =>
                {
                    turn.responder.reply(&Reply::enhanced(
                        Code::MAILBOX_UNAVAILABLE,
                        code(5, 1, 1),
                        "no such user here",
                    ))?;
                }
                _ => turn.responder.standard_reply("mx.example.org")?,
            }
        }
        Ok(())
    }

    fn summary(&self, recipients: &[&str]) {
        println!("\ncapabilities negotiated:");
        for capability in self.capabilities.iter() {
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
        println!("octets from the client: {}", self.to_server);
        println!("octets from the server: {}", self.to_client);
        println!("round trips: {}", self.round_trips);
    }
}

/// Moves all of one outbox to the other inbox, and prints it.
fn pass<A: Machine, B: Machine>(sign: &str, from: &mut Buffered<A>, to: &mut Buffered<B>) -> usize {
    let octets = from.output().to_vec();
    from.advance_write(octets.len());
    for line in String::from_utf8_lossy(&octets).lines() {
        // A secret has no place in a transcript.
        let shown = if line.starts_with("AUTH PLAIN ") { "AUTH PLAIN (redacted)" } else { line };
        println!("{sign}{shown}");
    }
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let space = to.read_buffer();
        let length = space.len().min(rest.len());
        space[..length].copy_from_slice(&rest[..length]);
        to.advance_read(length);
        rest = &rest[length..];
    }
    octets.len()
}

fn code(class: u8, subject: u16, detail: u16) -> EnhancedCode {
    EnhancedCode::new(class, subject, detail).expect("these codes exist")
}

const MESSAGE: &[u8] = b"From: <smith@example.com>\r\n\
    To: <jones@example.org>\r\n\
    Subject: dots\r\n\
    \r\n\
    A line with a single dot does not end the message:\r\n\
    .\r\n\
    ...nor does this one.\r\n";
