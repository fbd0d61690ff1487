//! The part of a session that is about messages.

use std::io;

use ehlo::server::{Refusal, Role};
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::Parameters;
use ehlo::trace::Protocol;
use ehlo::{Code, ForwardPath, ReversePath, Server};
use ehlo_io::Responder;
use serde_json::json;

use crate::connection::Connection;
use crate::session::{Session, reply};
use crate::transaction::{Stored, Transaction, address, is_listed};

impl Session {
    pub(crate) fn mail(
        &mut self,
        reverse_path: &ReversePath<'_>,
        parameters: &Parameters<'_>,
        answer: Responder<'_, Server>,
    ) -> io::Result<()> {
        if let Some(refusal) = self.refusal(answer.machine()) {
            return Ok(answer.reply(&refusal)?);
        }
        let transaction = Transaction::new(reverse_path, parameters.smtputf8());
        self.service.log.event(|| {
            json!({"event": "mail", "session": self.client.session, "from": transaction.from,
                "parameters": texts(parameters)})
        });
        self.transaction = Some(Box::new(transaction));
        self.standard_reply(answer)
    }

    pub(crate) fn recipient(
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

    /// The machine refuses by itself: a command, which changes nothing, or a message.
    pub(crate) fn refused(
        &mut self,
        refusal: &Refusal<'_>,
        answer: Responder<'_, Server>,
    ) -> io::Result<()> {
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
            self.stored = Stored::Refused;
        }
        self.standard_reply(answer)
    }

    /// A message begins.
    pub(crate) fn begin(&mut self, server: &Server) -> io::Result<()> {
        let protocol = self.protocol(server);
        match &mut self.transaction {
            Some(transaction) => transaction.begin(&self.service, &self.client, protocol),
            None => Ok(()),
        }
    }

    /// More of it. Whether it is time to [`spill`](Self::spill).
    pub(crate) fn content(&mut self, bytes: &[u8]) -> bool {
        self.transaction.as_mut().is_some_and(|transaction| transaction.push(bytes))
    }

    /// Waits for the disk.
    pub(crate) async fn spill(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.spill().await;
        }
    }

    /// Waits for the disk, and answers for the message.
    pub(crate) async fn store(&mut self, connection: &mut Connection, size: u64) -> io::Result<()> {
        // A client that waits needs no buffers.
        connection.endpoint().release_buffers();
        let protocol = self.protocol(connection.endpoint().machine());
        self.stored = match self.transaction.take() {
            Some(transaction) => {
                transaction.store(&self.service, &self.client, protocol, size).await
            }
            None => Stored::Failed,
        };
        self.answer_message(connection.endpoint().responder())
    }

    pub(crate) fn answer_message(&self, answer: Responder<'_, Server>) -> io::Result<()> {
        match self.stored.reply() {
            Some(reply) => Ok(answer.reply(&reply)?),
            None => self.standard_reply(answer),
        }
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
}

fn texts(parameters: &Parameters<'_>) -> Vec<String> {
    parameters.iter().map(|parameter| parameter.to_string()).collect()
}
