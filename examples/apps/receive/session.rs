//! A session: what the machine reports, and what this server answers.

use std::io;
use std::sync::Arc;

use ehlo::server::Event;
use ehlo::syntax::code::EnhancedCode;
use ehlo::{Code, Command, Reply, Server};
use ehlo_apps::places::Place;
use ehlo_io::{PendingEvent, Responder};
use ehlo_tokio::Shutdown;
use serde_json::json;

use crate::Service;
use crate::authentication::{Attempt, Said};
use crate::client::{Client, Origin};
use crate::connection::Connection;
use crate::transaction::{Stored, Transaction};
use crate::xclient;

/// What this server remembers of a session; the machine remembers all that the protocol needs.
pub(crate) struct Session {
    pub(crate) service: Arc<Service>,
    /// Says that the server stops.
    shutdown: Shutdown,
    pub(crate) client: Client,
    /// Its place among the connections of its address.
    pub(crate) place: Option<Place>,
    /// What binds an authentication to this TLS connection, RFC 9266.
    pub(crate) binding: Option<Box<[u8; 32]>>,
    pub(crate) attempt: Option<Box<Attempt>>,
    pub(crate) transaction: Option<Box<Transaction>>,
    /// What became of the last message, in LMTP the answer to each recipient.
    pub(crate) stored: Stored,
}

/// How a session goes on.
enum Next {
    /// With the next event.
    Event,
    /// With an answer to the greeting, when the DNS has been asked.
    Greeting,
    /// With more of the message, when what was gathered of it is written.
    Spill,
    /// With an answer for a message of so many bytes, when it is on the disk.
    Store(u64),
    /// Inside TLS.
    StartTls,
    /// Not at all.
    Closed,
}

impl Session {
    pub(crate) fn new(
        service: Arc<Service>,
        shutdown: Shutdown,
        session: u64,
        origin: Origin,
        place: Option<Place>,
    ) -> Self {
        Self {
            service,
            shutdown,
            client: Client::new(session, origin),
            place,
            binding: None,
            attempt: None,
            transaction: None,
            stored: Stored::Failed,
        }
    }

    /// Answers events until the session is over.
    pub(crate) async fn run(&mut self, connection: &mut Connection) -> io::Result<()> {
        loop {
            if !connection.endpoint().machine().state().is_transaction() {
                self.transaction = None;
            }
            let pending = connection.next_until(&mut self.shutdown, &self.service.host).await?;
            // What is not the client is waited for apart from the session, which lasts longer.
            match self.next_event(pending)? {
                Next::Event => {}
                Next::Greeting => Box::pin(self.greeting(connection)).await?,
                Next::Spill => Box::pin(self.spill()).await,
                Next::Store(size) => Box::pin(self.store(connection, size)).await?,
                Next::StartTls => Box::pin(self.start_tls(connection)).await?,
                Next::Closed => return Ok(()),
            }
        }
    }

    /// Answers an event, unless there is something to wait for first.
    fn next_event(&mut self, pending: PendingEvent<'_, Server>) -> io::Result<Next> {
        let PendingEvent { event, responder } = pending;
        match event {
            Event::Command(Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name)) => {
                self.client.helo = name.to_string().into();
                if self.service.greetings.is_some() {
                    return Ok(Next::Greeting);
                }
                self.hello(responder)?;
            }
            Event::Command(command) => self.command(&command, responder)?,
            Event::Refused(refusal) => self.refused(&refusal, responder)?,
            Event::AuthResponse(response) => {
                self.authenticate(&Said::Response(&response), responder)?;
            }
            Event::Chunk { .. } => self.begin(responder.machine())?,
            Event::MailData(bytes) => {
                if self.content(bytes) {
                    return Ok(Next::Spill);
                }
            }
            // RFC 2033 §4.2: the same once more, for the next recipient.
            Event::NeedReply => self.answer_message(responder)?,
            Event::EndOfMailData { size } => return Ok(Next::Store(size)),
            Event::StartTls => return Ok(Next::StartTls),
            Event::Closed => return Ok(Next::Closed),
            _ => self.standard_reply(responder)?,
        }
        Ok(Next::Event)
    }

    /// The session is over.
    pub(crate) fn end(&self, result: io::Result<()>) {
        let reason = result.map_or_else(|error| error.to_string(), |()| "closed".to_owned());
        self.service.log.disconnect(self.client.session, &reason);
    }

    fn command(&mut self, command: &Command<'_>, answer: Responder<'_, Server>) -> io::Result<()> {
        match command {
            Command::Auth { mechanism, initial_response } => {
                self.attempt = mechanism.known().and_then(|mechanism| self.attempt(mechanism));
                self.authenticate(&Said::Initial(initial_response.as_ref()), answer)
            }
            Command::Mail { reverse_path, parameters } => {
                self.mail(reverse_path, parameters, answer)
            }
            Command::Rcpt { forward_path, parameters } => {
                self.recipient(forward_path, parameters, answer)
            }
            Command::Xclient(attributes) => self.state(attributes, answer),
            Command::Xforward(attributes) => {
                // What it forwards is for the log.
                self.service.log.event(|| {
                    json!({"event": "xforward", "session": self.client.session,
                        "attributes": xclient::object(attributes)})
                });
                self.standard_reply(answer)
            }
            Command::Data => {
                self.begin(answer.machine())?;
                self.standard_reply(answer)
            }
            _ => self.standard_reply(answer),
        }
    }

    pub(crate) fn standard_reply(&self, answer: Responder<'_, Server>) -> io::Result<()> {
        Ok(answer.standard_reply(&self.service.host)?)
    }
}

pub(crate) fn reply(code: Code, (class, subject, detail): (u8, u16, u16), text: &str) -> Reply<'_> {
    match EnhancedCode::new(class, subject, detail) {
        Some(enhanced) => Reply::enhanced(code, enhanced, text),
        None => Reply::new(code, text),
    }
}
