//! One connection: what the machine reports, and what this server answers.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ehlo::server::{Event, Refusal};
use ehlo::{
    Answer, Code, Command, EnhancedCode, ForwardPath, Mailbox, Parameters, Reply, ReplyError,
    ReversePath, Role, Server, Verb,
};
use ehlo_tokio::Connection;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Service;
use crate::log::Message;
use crate::maildir::{Draft, Stamp};
use crate::trace::Trace;

/// How long a session may go on once the server is stopping.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// Serves one client until the session is over, the client is silent for too long, or the server
/// stops.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    service: &Service,
    mut stopped: watch::Receiver<bool>,
) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut connection = Connection::new(stream, Server::new(service.config));
    let mut session = Session::new(service, number, peer);
    service.log.event(|| json!({"event": "connect", "session": number, "peer": peer}));
    let end = session.run(&mut connection, &mut stopped).await;
    let reason = match end {
        Ok(reason) => reason.to_owned(),
        Err(error) => error.to_string(),
    };
    // What the client still sends is read, so that the last reply is not lost to a reset.
    let _ = timeout(LINGER, connection.close()).await;
    service.log.event(|| json!({"event": "disconnect", "session": number, "reason": reason}));
}

/// What this server remembers of a session; the machine remembers all that the protocol needs.
struct Session<'s> {
    service: &'s Service,
    number: u64,
    peer: SocketAddr,
    helo: String,
    from: String,
    to: Vec<String>,
    smtputf8: bool,
    /// The message that is coming in, where it is stored.
    draft: Option<(Stamp, Option<Draft>)>,
    /// Whether the last message may have the standard reply, in LMTP to each recipient: it was
    /// stored, or the machine has refused it.
    stored: bool,
}

impl<'s> Session<'s> {
    fn new(service: &'s Service, number: u64, peer: SocketAddr) -> Self {
        Self {
            service,
            number,
            peer,
            helo: String::new(),
            from: String::new(),
            to: Vec::new(),
            smtputf8: false,
            draft: None,
            stored: false,
        }
    }

    /// Answers events until the session is over, and says why it is.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        connection: &mut Connection<S, Server>,
        stopped: &mut watch::Receiver<bool>,
    ) -> io::Result<&'static str> {
        let mut last_call = None;
        loop {
            // An open transaction goes on; RFC 5321 §3.8: what follows it is answered 421.
            let server = connection.endpoint().machine_mut();
            if last_call.is_some() && !server.state().is_transaction() {
                server.shut_down();
            }
            let patience = Instant::now() + self.service.timeout;
            let until = last_call.map_or(patience, |last_call| patience.min(last_call));
            let turn = tokio::select! {
                // What comes in after the interrupt is not to be answered as before it.
                biased;
                _ = stopped.wait_for(|stopped| *stopped), if last_call.is_none() => {
                    last_call = Some(Instant::now() + GRACE);
                    continue;
                }
                turn = timeout_at(until, connection.next()) => turn,
            };
            let Ok(turn) = turn else {
                let stopping = last_call.is_some_and(|last_call| last_call <= Instant::now());
                let (detail, text) =
                    if stopping { ((4, 3, 2), "shutting down") } else { ((4, 4, 2), "timeout") };
                self.break_off(connection, detail, text).await?;
                return Ok(text);
            };
            let turn = turn?;
            match turn.event {
                Event::Command(command) => self.command(&command, turn.answer)?,
                Event::Refused(refusal) => self.refused(&refusal, turn.answer)?,
                Event::Chunk { .. } => self.begin(turn.answer.machine()),
                Event::MailData(data) => {
                    if let Some((_, Some(draft))) = &mut self.draft {
                        draft.push(data);
                        draft.relieve().await;
                    }
                }
                Event::EndOfMailData { size } => {
                    self.stored = self.store(size, turn.answer.machine()).await;
                    self.answer_message(turn.answer)?;
                }
                // RFC 2033 §4.2: the same once more, for the next recipient.
                Event::NeedReply => self.answer_message(turn.answer)?,
                Event::Closed => return Ok("closed"),
                _ => self.standard_reply(turn.answer)?,
            }
        }
    }

    fn command(&mut self, command: &Command<'_>, answer: Answer<'_, Server>) -> io::Result<()> {
        let (log, session) = (&self.service.log, self.number);
        match command {
            Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
                self.forget();
                self.helo = name.to_string();
                log.event(|| {
                    let verb = format!("{:?}", command.verb()).to_uppercase();
                    json!({"event": "helo", "session": session, "verb": verb, "name": self.helo})
                });
            }
            Command::Mail { reverse_path, parameters } => {
                self.forget();
                self.from = match reverse_path {
                    ReversePath::Null => "<>".to_owned(),
                    ReversePath::Path(path) => path.without_route().to_string(),
                };
                self.smtputf8 = parameters.smtputf8();
                let parameters = texts(parameters);
                log.event(|| {
                    json!({"event": "mail", "session": session, "from": self.from,
                        "parameters": parameters})
                });
            }
            Command::Rcpt { forward_path, parameters } => {
                let parameters = texts(parameters);
                return self.recipient(forward_path, &parameters, answer);
            }
            Command::Rset => self.forget(),
            Command::Data => self.begin(answer.machine()),
            _ => {}
        }
        self.standard_reply(answer)
    }

    fn recipient(
        &mut self,
        path: &ForwardPath<'_>,
        parameters: &[String],
        answer: Answer<'_, Server>,
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
            json!({"event": "rcpt", "session": self.number, "to": address,
                "parameters": parameters, "code": reply.code().number()})
        });
        if reply.code().is_positive() {
            self.to.push(address);
        }
        answer.reply(&reply).map_err(io::Error::other)
    }

    /// The machine refuses on its own: a command, which changes nothing, or what came of a message.
    fn refused(&mut self, refusal: &Refusal<'_>, answer: Answer<'_, Server>) -> io::Result<()> {
        let reply = refusal.reply();
        self.service.log.event(|| {
            json!({"event": "refused", "session": self.number,
                "verb": format!("{:?}", refusal.verb), "reply": reply.to_string()})
        });
        if matches!(refusal.verb, Verb::Message | Verb::Bdat | Verb::BdatLast) {
            self.draft = None;
            // In LMTP the machine's verdict is the standard reply to every recipient.
            self.stored = true;
        }
        self.standard_reply(answer)
    }

    /// A message begins: with DATA, or with the first chunk.
    fn begin(&mut self, server: &Server) {
        if self.draft.is_some() {
            return;
        }
        let stamp = Stamp::now();
        let draft = self.service.maildir.as_ref().map(|maildir| {
            let trace = Trace {
                from: &self.from,
                to: &self.to,
                helo: &self.helo,
                peer: self.peer,
                host: &self.service.host,
                protocol: self.protocol(server),
            };
            maildir.begin(&stamp, &trace.header(&stamp))
        });
        self.draft = Some((stamp, draft));
    }

    /// The message is complete: from the positive answer on, this server is responsible for it.
    async fn store(&mut self, size: u64, server: &Server) -> bool {
        let Some((stamp, draft)) = self.draft.take() else { return false };
        let file = match draft {
            Some(draft) => match draft.store().await {
                Ok(file) => Some(file),
                Err(error) => {
                    crate::log::error(&format!("cannot store message {}: {error}", stamp.id));
                    return false;
                }
            },
            None => None,
        };
        self.service.log.message(&Message {
            session: self.number,
            id: &stamp.id,
            from: &self.from,
            to: &self.to,
            size,
            protocol: self.protocol(server),
            helo: &self.helo,
            file: file.as_deref(),
        });
        true
    }

    fn answer_message(&self, answer: Answer<'_, Server>) -> io::Result<()> {
        if self.stored {
            self.standard_reply(answer)
        } else {
            let reply = reply(Code::LOCAL_ERROR, (4, 3, 0), "cannot store the message now");
            answer.reply(&reply).map_err(io::Error::other)
        }
    }

    fn standard_reply(&self, answer: Answer<'_, Server>) -> io::Result<()> {
        match answer.standard_reply(&self.service.host) {
            // An event that asks for none.
            Ok(()) | Err(ReplyError::NothingPending) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// The mail transaction is over.
    fn forget(&mut self) {
        self.from.clear();
        self.to.clear();
        self.smtputf8 = false;
        self.draft = None;
    }

    /// The keyword after `with`, RFC 3848 and RFC 6531 §4.3.
    fn protocol(&self, server: &Server) -> &'static str {
        match (self.service.config.role, self.smtputf8, server.is_extended()) {
            (Role::Lmtp, true, _) => "UTF8LMTP",
            (Role::Lmtp, false, _) => "LMTP",
            (_, true, _) => "UTF8SMTP",
            (_, false, true) => "ESMTP",
            (_, false, false) => "SMTP",
        }
    }

    /// Says 421 without having been asked, RFC 5321 §3.8.
    async fn break_off<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        connection: &mut Connection<S, Server>,
        detail: (u8, u16, u16),
        text: &str,
    ) -> io::Result<()> {
        let reply =
            reply(Code::SERVICE_NOT_AVAILABLE, detail, text).with_domain(&self.service.host);
        connection.endpoint().close(&reply).map_err(io::Error::other)?;
        timeout(LINGER, connection.flush()).await?
    }
}

fn reply(code: Code, (class, subject, detail): (u8, u16, u16), text: &str) -> Reply<'_> {
    match EnhancedCode::new(class, subject, detail) {
        Some(enhanced) => Reply::enhanced(code, enhanced, text),
        None => Reply::new(code, text),
    }
}

/// Whether the list has this mailbox; addresses are compared as RFC 5321 §2.4 says.
fn is_listed(list: &[String], path: &ForwardPath<'_>) -> bool {
    list.iter().any(|listed| {
        ForwardPath::new(listed).is_ok_and(|listed| mailbox(&listed) == mailbox(path))
    })
}

/// The mailbox without brackets.
fn address(path: &ForwardPath<'_>) -> String {
    mailbox(path).map_or_else(|| "Postmaster".to_owned(), |mailbox| mailbox.to_string())
}

/// The mailbox, unless it is the postmaster of this server.
fn mailbox<'p>(path: &ForwardPath<'p>) -> Option<Mailbox<'p>> {
    path.path().map(|path| path.mailbox())
}

fn texts(parameters: &Parameters<'_>) -> Vec<String> {
    parameters.iter().map(|parameter| parameter.to_string()).collect()
}

/// How long the end of a connection may take.
const LINGER: Duration = Duration::from_secs(1);
