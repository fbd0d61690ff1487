//! One session: what the server answers, and what it keeps.

use std::io;
use std::sync::Arc;

use ehlo::server::Event;
use ehlo::{Code, Command, ForwardPath, Reply, Server};
use ehlo_io::{PendingEvent, Responder};
use ehlo_owned::{RecipientBuf, ReplyBuf};

use crate::action::Stage;
use crate::auth::{Attempt, Said};
use crate::message::Message;
use crate::rules::End;
use crate::shared::Shared;

/// The name of the server.
pub(crate) const HOST: &str = "mock.example";

/// What the session has learnt.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    client: String,
    user: Option<String>,
    pub(crate) tls: bool,
    attempt: Option<Attempt>,
    /// The transaction that is open.
    message: Option<Message>,
    /// The reply of a rule to BDAT, until it can be said.
    refusal: Option<ReplyBuf>,
    /// The content has begun.
    has_content: bool,
    /// In LMTP, recipients whose message was answered, and those of them that were accepted.
    answered: usize,
    accepted: Vec<RecipientBuf>,
}

/// How a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    StartTls,
    /// The connection breaks.
    Disconnect,
    Over,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            client: String::new(),
            user: None,
            tls: false,
            attempt: None,
            message: None,
            refusal: None,
            has_content: false,
            answered: 0,
            accepted: Vec::new(),
        }
    }

    /// RFC 3207 §4.2: what was learnt before is forgotten.
    #[cfg(feature = "rustls")]
    pub(crate) fn begin_tls(&mut self) {
        *self = Self { tls: true, ..Self::new(Arc::clone(&self.shared)) };
    }

    /// Answers one event.
    pub(crate) fn answer(&mut self, next: PendingEvent<'_, Server>) -> io::Result<Flow> {
        let PendingEvent { event, responder } = next;
        match event {
            Event::NeedInput => Ok(Flow::Next),
            Event::Closed => Ok(Flow::Over),
            Event::StartTls => Ok(Flow::StartTls),
            Event::Greeting => self.usual(Stage::Greeting, responder),
            Event::Command(command) => self.command(&command, responder),
            Event::Refused(refusal) => {
                self.shared.fail(refusal);
                responder.standard_reply(HOST)?;
                Ok(Flow::Next)
            }
            Event::Chunk { .. } if !self.has_content => {
                self.has_content = true;
                match self.shared.judge(Stage::Data, &[]) {
                    End::AsUsual => {}
                    End::Reply(reply) => self.refusal = Some(reply),
                    End::Disconnect | End::LoseReply => return Ok(Flow::Disconnect),
                }
                Ok(Flow::Next)
            }
            Event::MailData(piece) => {
                if let Some(message) = &mut self.message {
                    message.content.extend_from_slice(piece);
                }
                Ok(Flow::Next)
            }
            Event::EndOfChunk => {
                match self.refusal.take() {
                    Some(reply) => responder.reply(&reply.as_reply())?,
                    None => responder.standard_reply(HOST)?,
                }
                Ok(Flow::Next)
            }
            Event::EndOfMailData { .. } | Event::NeedReply => self.end_of_data(responder),
            Event::AuthResponse(response) => self.auth(&Said::Response(&response), responder),
            _ => {
                responder.standard_reply(HOST)?;
                Ok(Flow::Next)
            }
        }
    }

    fn command(
        &mut self,
        command: &Command<'_>,
        responder: Responder<'_, Server>,
    ) -> io::Result<Flow> {
        match command {
            Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
                let client = name.to_string();
                // RFC 5321 §4.1.4: after a refused EHLO the server "MUST stay in the same state".
                self.decide(Stage::Ehlo, &[], responder, |session| {
                    session.client = client;
                    session.message = None;
                })
            }
            Command::StartTls => self.usual(Stage::StartTls, responder),
            Command::Quit => self.usual(Stage::Quit, responder),
            Command::Auth { mechanism, initial_response } => {
                match self.shared.judge(Stage::Auth, &[]) {
                    End::AsUsual => {
                        self.attempt = Attempt::new(mechanism);
                        self.auth(&Said::Initial(initial_response.as_ref()), responder)
                    }
                    End::Reply(reply) => say(&reply, responder),
                    End::Disconnect | End::LoseReply => Ok(Flow::Disconnect),
                }
            }
            Command::Mail { reverse_path, parameters } => {
                self.message = None;
                let Ok(parameters) = parameters.try_into() else { return too_long(responder) };
                let message = Message {
                    client: self.client.clone(),
                    user: self.user.clone(),
                    tls: self.tls,
                    reverse_path: reverse_path.into(),
                    parameters,
                    recipients: Vec::new(),
                    content: Vec::new(),
                };
                self.decide(Stage::Mail, &[], responder, |session| {
                    session.message = Some(message);
                    session.refusal = None;
                    session.has_content = false;
                })
            }
            Command::Rcpt { forward_path, parameters } => {
                let Ok(parameters) = parameters.try_into() else { return too_long(responder) };
                let recipient = RecipientBuf { forward_path: forward_path.into(), parameters };
                self.decide(Stage::Rcpt, &[*forward_path], responder, |session| {
                    if let Some(message) = &mut session.message {
                        message.recipients.push(recipient);
                    }
                })
            }
            Command::Data => self.usual(Stage::Data, responder),
            Command::Rset => {
                self.message = None;
                responder.standard_reply(HOST)?;
                Ok(Flow::Next)
            }
            _ => {
                responder.standard_reply(HOST)?;
                Ok(Flow::Next)
            }
        }
    }

    /// The rules, or else the standard reply.
    fn usual(&mut self, stage: Stage, responder: Responder<'_, Server>) -> io::Result<Flow> {
        self.decide(stage, &[], responder, |_| {})
    }

    /// The rules, or else the standard reply; if the command is accepted, its effect.
    fn decide(
        &mut self,
        stage: Stage,
        recipients: &[ForwardPath<'_>],
        responder: Responder<'_, Server>,
        effect: impl FnOnce(&mut Self),
    ) -> io::Result<Flow> {
        match self.shared.judge(stage, recipients) {
            End::AsUsual => {
                responder.standard_reply(HOST)?;
                effect(self);
                Ok(Flow::Next)
            }
            End::Reply(reply) => {
                let flow = say(&reply, responder)?;
                if reply.code().is_positive() {
                    effect(self);
                }
                Ok(flow)
            }
            End::Disconnect | End::LoseReply => Ok(Flow::Disconnect),
        }
    }

    fn auth(&mut self, said: &Said<'_>, responder: Responder<'_, Server>) -> io::Result<Flow> {
        match &mut self.attempt {
            Some(attempt) => {
                if let Some(user) = attempt.answer(said, &self.shared.users, responder)? {
                    self.user = Some(user);
                }
            }
            None => responder.standard_reply(HOST)?,
        }
        Ok(Flow::Next)
    }

    /// Answers the message; in LMTP for one recipient, RFC 2033 §4.2.
    fn end_of_data(&mut self, responder: Responder<'_, Server>) -> io::Result<Flow> {
        let Some(message) = &self.message else {
            responder.standard_reply(HOST)?;
            return Ok(Flow::Next);
        };
        let is_lmtp = self.shared.config.role == ehlo::server::Role::Lmtp;
        let from = if is_lmtp { self.answered } else { 0 };
        let to = if is_lmtp { from.saturating_add(1) } else { message.recipients.len() };
        let concerned = message.recipients.get(from..to).unwrap_or_default().to_vec();
        let paths: Vec<_> = concerned.iter().map(|it| it.forward_path.as_forward_path()).collect();
        let end = match self.refusal.clone() {
            Some(reply) => End::Reply(reply),
            None => self.shared.judge(Stage::EndOfData, &paths),
        };
        self.answered = to;
        let is_last = self.answered >= message.recipients.len();
        let (is_accepted, flow) = match &end {
            End::AsUsual => (true, Flow::Next),
            End::Reply(reply) => (reply.code().is_positive(), Flow::Next),
            End::Disconnect => (false, Flow::Disconnect),
            End::LoseReply => (true, Flow::Disconnect),
        };
        if is_accepted {
            self.accepted.extend(concerned);
        }
        let closes =
            matches!(&end, End::Reply(reply) if reply.code() == Code::SERVICE_NOT_AVAILABLE);
        let number =
            if is_last || closes || flow == Flow::Disconnect { self.finish() } else { None };
        match end {
            End::Reply(reply) => responder.reply(&reply.as_reply())?,
            End::AsUsual => {
                let text = match number {
                    Some(number) => format!("2.0.0 queued as {number}"),
                    None => "2.0.0 queued".to_owned(),
                };
                responder.reply(&Reply::new(Code::OK, &text))?;
            }
            End::Disconnect | End::LoseReply => {}
        }
        Ok(flow)
    }

    /// Keeps the message for those recipients that were accepted, and gives its number.
    fn finish(&mut self) -> Option<usize> {
        let accepted = std::mem::take(&mut self.accepted);
        self.answered = 0;
        let message = self.message.take().filter(|_| !accepted.is_empty())?;
        Some(self.shared.keep(Message { recipients: accepted, ..message }))
    }
}

fn say(reply: &ReplyBuf, responder: Responder<'_, Server>) -> io::Result<Flow> {
    responder.reply(&reply.as_reply())?;
    Ok(Flow::Next)
}

/// No owned value holds parameters of a line beyond the limits of RFC 5321.
fn too_long(responder: Responder<'_, Server>) -> io::Result<Flow> {
    responder.reply(&Reply::new(Code::SYNTAX_ERROR, "5.5.2 line too long"))?;
    Ok(Flow::Next)
}
