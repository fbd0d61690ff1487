//! A session: what the machine reports, and what this server answers.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ehlo::server::{ACCEPTED, Event, Refusal, Role};
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Attributes;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::SaslMechanism;
use ehlo::trace::Protocol;
use ehlo::{Code, Command, ForwardPath, Reply, Server};
use ehlo_io::{PendingEvent, Responder};
use ehlo_tokio::Shutdown;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::Service;
use crate::authentication::{Attempt, Said};
use crate::client::Client;
use crate::connection::{Connection, LINGER};
use crate::transaction::{Transaction, address, is_listed};
use crate::trust::{self, Stated};
use crate::users::BOUND_MECHANISMS;

/// How long a session may go on once the server is stopping.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// What this server remembers of a session; the machine remembers all that the protocol needs.
pub(crate) struct Session {
    service: Arc<Service>,
    /// Says that the server stops.
    stop: Shutdown,
    client: Client,
    /// What binds an authentication to this TLS connection, RFC 9266.
    binding: Option<Box<[u8; 32]>>,
    attempt: Option<Box<Attempt>>,
    transaction: Option<Box<Transaction>>,
    /// Whether the last message may have the standard reply, in LMTP to each recipient: it was
    /// stored, or the machine has refused it.
    stored: bool,
}

/// How a session goes on.
enum Next {
    /// With the next event.
    Event,
    /// With an answer to the greeting, when the DNS has been asked.
    Greeting,
    /// With an answer for a message of so many octets, when it is on the disk.
    Store(u64),
    /// Inside TLS.
    StartTls,
    /// Not at all.
    Closed,
}

impl Session {
    pub(crate) fn new(
        service: Arc<Service>,
        stop: Shutdown,
        session: u64,
        address: SocketAddr,
    ) -> Self {
        Self {
            service,
            stop,
            client: Client::new(session, address),
            binding: None,
            attempt: None,
            transaction: None,
            stored: false,
        }
    }

    /// Answers events until the session is over, and says why it is.
    pub(crate) async fn run(&mut self, connection: &mut Connection) -> io::Result<&'static str> {
        // One timer that is put off costs less than one for each event.
        let mut limit = pin!(sleep(self.service.timeout));
        let mut last_call = None;
        loop {
            let server = connection.endpoint().machine_mut();
            if !server.state().is_transaction() {
                self.transaction = None;
                // An open transaction goes on; RFC 5321 §3.8: what follows it is answered 421.
                if last_call.is_some() {
                    server.shut_down();
                }
            }
            limit.as_mut().reset(self.patience(last_call));
            let turn = tokio::select! {
                // What comes in after the interrupt is not to be answered as before it.
                biased;
                () = &mut self.stop, if last_call.is_none() => {
                    last_call = Some(Instant::now() + GRACE);
                    continue;
                }
                turn = connection.next() => Some(turn?),
                () = &mut limit => None,
            };
            let Some(turn) = turn else {
                let stopping = last_call.is_some_and(|last_call| last_call <= Instant::now());
                let (detail, text) =
                    if stopping { ((4, 3, 2), "shutting down") } else { ((4, 4, 2), "timeout") };
                Box::pin(self.break_off(connection, detail, text)).await?;
                return Ok(text);
            };
            // What is not the client is waited for apart from the session, which lasts longer.
            match self.next_event(turn)? {
                Next::Event => {}
                Next::Greeting => Box::pin(self.greeting(connection)).await?,
                Next::Store(size) => Box::pin(self.store(connection, size)).await?,
                Next::StartTls => Box::pin(self.start_tls(connection)).await?,
                Next::Closed => return Ok("closed"),
            }
        }
    }

    /// Answers an event, unless there is something to wait for first.
    fn next_event(&mut self, turn: PendingEvent<'_, Server>) -> io::Result<Next> {
        let PendingEvent { event, responder } = turn;
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
            Event::MailData(octets) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.push(octets);
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

    /// Until when the client may be silent.
    fn patience(&self, last_call: Option<Instant>) -> Instant {
        let patience = Instant::now() + self.service.timeout;
        last_call.map_or(patience, |last_call| patience.min(last_call))
    }

    /// The session is over.
    pub(crate) fn end(&self, reason: io::Result<&str>) {
        match reason {
            Ok(reason) => self.service.log.disconnect(self.client.session, reason),
            Err(error) => self.service.log.disconnect(self.client.session, &error.to_string()),
        }
    }

    /// Asks the DNS whether the client is who it says.
    async fn greeting(&mut self, connection: &mut Connection) -> io::Result<()> {
        if let Some(greetings) = &self.service.greetings {
            let name = ClientName::new(&self.client.helo).map_err(io::Error::other)?;
            let findings = greetings.check(self.client.address.ip(), name).await;
            self.client.findings = Some(Box::new(findings));
        }
        self.hello(connection.endpoint().responder())
    }

    /// The client has said who it is.
    fn hello(&mut self, mut answer: Responder<'_, Server>) -> io::Result<()> {
        if self.client.user.is_some() {
            // A proxy has said so; or AUTH has been answered 235, and it stays so.
            answer.machine_mut().assume_authenticated();
        }
        self.service.log.event(|| {
            let verb = answer.machine().pending().map(|verb| format!("{verb:?}").to_uppercase());
            json!({"event": "helo", "session": self.client.session, "verb": verb,
                "name": self.client.helo, "verdict": self.client.verdict()})
        });
        self.standard_reply(answer)
    }

    fn command(&mut self, command: &Command<'_>, answer: Responder<'_, Server>) -> io::Result<()> {
        let (log, session) = (&self.service.log, self.client.session);
        match command {
            Command::Auth { mechanism, initial_response } => {
                self.attempt = mechanism.known().and_then(|mechanism| self.attempt(mechanism));
                return self.authenticate(&Said::Initial(initial_response.as_ref()), answer);
            }
            Command::Mail { reverse_path, parameters } => {
                if let Some(refusal) = self.refusal(answer.machine()) {
                    return Ok(answer.reply(&refusal)?);
                }
                let transaction = Transaction::new(reverse_path, parameters.smtputf8());
                log.event(|| {
                    json!({"event": "mail", "session": session, "from": transaction.from,
                        "parameters": texts(parameters)})
                });
                self.transaction = Some(Box::new(transaction));
            }
            Command::Rcpt { forward_path, parameters } => {
                return self.recipient(forward_path, parameters, answer);
            }
            Command::Xclient(attributes) => return self.state(attributes, answer),
            // What it forwards is for the log.
            Command::Xforward(attributes) => log.event(|| {
                let attributes = trust::object(attributes);
                json!({"event": "xforward", "session": session, "attributes": attributes})
            }),
            Command::Data => self.begin(answer.machine())?,
            _ => {}
        }
        self.standard_reply(answer)
    }

    /// The reply to MAIL of a client that does not say who it is. One that has authenticated need
    /// not: it may come from anywhere.
    fn refusal(&self, server: &Server) -> Option<Reply<'static>> {
        let findings = self.client.findings.as_ref()?;
        findings.refusal.filter(|_| !server.is_authenticated())
    }

    /// A trusted client says on whose behalf it goes on. The session begins anew.
    fn state(
        &mut self,
        attributes: &Attributes<'_>,
        answer: Responder<'_, Server>,
    ) -> io::Result<()> {
        let Some(stated) = Stated::new(attributes) else {
            let reply = reply(Code::ARGUMENT_SYNTAX_ERROR, (5, 5, 4), "no such address or port");
            return Ok(answer.reply(&reply)?);
        };
        let session = self.client.session;
        self.service.log.event(|| {
            let attributes = trust::object(attributes);
            json!({"event": "xclient", "session": session, "attributes": attributes})
        });
        let address = &self.client.address;
        let ip = stated.address.unwrap_or(address.ip());
        let address = (ip, stated.port.unwrap_or(address.port())).into();
        self.client = Client { user: stated.user.map(Into::into), ..Client::new(session, address) };
        self.standard_reply(answer)
    }

    /// RFC 3207 §4.2: what the client has said in clear is forgotten.
    async fn start_tls(&mut self, connection: &mut Connection) -> io::Result<()> {
        let Some(tls) = &self.service.tls else { return Ok(()) };
        timeout(self.service.timeout, connection.start_tls(tls)).await??;
        self.client = Client::new(self.client.session, self.client.address);
        self.bind(connection);
        Ok(())
    }

    /// Offers the mechanisms that are bound to the TLS connection, where it can be.
    pub(crate) fn bind(&mut self, connection: &mut Connection) {
        let session = self.client.session;
        if !connection.endpoint().machine().is_tls() {
            return;
        }
        self.service.log.event(|| json!({"event": "tls", "session": session}));
        self.binding = connection.channel_binding().map(Box::new);
        if self.binding.is_some() && !self.service.config.offered.mechanisms().is_empty() {
            connection.endpoint().machine_mut().offer_mechanisms(BOUND_MECHANISMS);
        }
    }

    fn attempt(&self, mechanism: SaslMechanism) -> Option<Box<Attempt>> {
        let binding = self.binding.as_ref().map(|binding| binding.as_slice());
        Attempt::new(mechanism, &self.service.users, binding, &self.service.host).map(Box::new)
    }

    fn authenticate(&mut self, said: &Said<'_>, answer: Responder<'_, Server>) -> io::Result<()> {
        let Some(mut attempt) = self.attempt.take() else { return self.standard_reply(answer) };
        let code = attempt.answer(said, &self.service.users, answer)?;
        if code == Code::AUTHENTICATION_CONTINUES {
            self.attempt = Some(attempt);
            return Ok(());
        }
        // RFC 4954 §4: 235 alone says that the client has authenticated. Whose attempt it is may be
        // known before, as with SCRAM, and the exchange fail after that.
        let Attempt { mechanism, user, .. } = *attempt;
        let user = user.filter(|_| code == Code::AUTHENTICATION_SUCCEEDED);
        self.service.log.event(|| {
            json!({"event": "auth", "session": self.client.session, "mechanism": mechanism.name(),
                "user": user, "code": code.number()})
        });
        self.client.user = user.map(String::into_boxed_str);
        Ok(())
    }

    fn recipient(
        &mut self,
        path: &ForwardPath<'_>,
        parameters: &Parameters<'_>,
        answer: Responder<'_, Server>,
    ) -> io::Result<()> {
        let reply = if is_listed(&self.service.reject, path) {
            reply(Code::MAILBOX_UNAVAILABLE, (5, 1, 1), "no such mailbox")
        } else if is_listed(&self.service.defer, path) {
            reply(Code::LOCAL_ERROR, (4, 3, 0), "mailbox not available now")
        } else {
            answer.machine().standard_reply(&self.service.host)
        };
        let address = address(path);
        self.service.log.event(|| {
            json!({"event": "rcpt", "session": self.client.session, "to": address,
                "parameters": texts(parameters), "code": reply.code().number()})
        });
        if let Some(transaction) = self.transaction.as_mut().filter(|_| reply.code().is_positive())
        {
            transaction.to.push(address);
        }
        Ok(answer.reply(&reply)?)
    }

    /// The machine refuses on its own: a command, which changes nothing, or what came of a message.
    fn refused(&mut self, refusal: &Refusal<'_>, answer: Responder<'_, Server>) -> io::Result<()> {
        let reply = refusal.reply();
        self.service.log.event(|| {
            json!({"event": "refused", "session": self.client.session,
                "verb": format!("{:?}", refusal.verb), "reply": reply.to_string()})
        });
        if matches!(refusal.verb, Verb::Message | Verb::Bdat | Verb::BdatLast) {
            if let Some(transaction) = &mut self.transaction {
                transaction.discard();
            }
            // In LMTP the machine's verdict is the standard reply to every recipient.
            self.stored = true;
        }
        self.standard_reply(answer)
    }

    fn begin(&mut self, server: &Server) -> io::Result<()> {
        let protocol = self.protocol(server);
        match &mut self.transaction {
            Some(transaction) => transaction.begin(&self.service, &self.client, protocol),
            None => Ok(()),
        }
    }

    /// Waits for the disk, and answers for the message.
    async fn store(&mut self, connection: &mut Connection, size: u64) -> io::Result<()> {
        // Nothing is kept for the client meanwhile that holds nothing.
        connection.endpoint().release_buffers();
        let protocol = self.protocol(connection.endpoint().machine());
        self.stored = match self.transaction.take() {
            Some(transaction) => {
                transaction.store(&self.service, &self.client, protocol, size).await
            }
            None => false,
        };
        self.answer_message(connection.endpoint().responder())
    }

    fn answer_message(&self, answer: Responder<'_, Server>) -> io::Result<()> {
        if self.stored {
            Ok(answer.reply(&ACCEPTED)?)
        } else {
            let reply = reply(Code::LOCAL_ERROR, (4, 3, 0), "cannot store the message now");
            Ok(answer.reply(&reply)?)
        }
    }

    fn standard_reply(&self, answer: Responder<'_, Server>) -> io::Result<()> {
        Ok(answer.standard_reply(&self.service.host)?)
    }

    /// The keyword after `with`, RFC 3848 and RFC 6531 §4.3.
    fn protocol(&self, server: &Server) -> Protocol {
        Protocol {
            lmtp: self.service.config.role == Role::Lmtp,
            extended: server.is_extended(),
            tls: server.is_tls(),
            authenticated: server.is_authenticated(),
            smtputf8: self.transaction.as_ref().is_some_and(|it| it.smtputf8),
        }
    }

    /// Says 421 without having been asked, RFC 5321 §3.8.
    async fn break_off(
        &mut self,
        connection: &mut Connection,
        detail: (u8, u16, u16),
        text: &str,
    ) -> io::Result<()> {
        let reply =
            reply(Code::SERVICE_NOT_AVAILABLE, detail, text).with_domain(&self.service.host);
        connection.endpoint().close(&reply)?;
        timeout(LINGER, connection.flush()).await?
    }
}

fn reply(code: Code, (class, subject, detail): (u8, u16, u16), text: &str) -> Reply<'_> {
    match EnhancedCode::new(class, subject, detail) {
        Some(enhanced) => Reply::enhanced(code, enhanced, text),
        None => Reply::new(code, text),
    }
}

fn texts(parameters: &Parameters<'_>) -> Vec<String> {
    parameters.iter().map(|parameter| parameter.to_string()).collect()
}
