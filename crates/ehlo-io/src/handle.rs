//! A session that a handler serves.

use core::net::IpAddr;
use std::io;

use ehlo::server::Event;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Command, Reply, Server};

use crate::connection::Connection;
use crate::responder::PendingEvent;
use crate::serve::{Content as _, Handler, ReplyBuf, Shutdown, Transaction};
use crate::stream::StreamIo;
use crate::time::Timer;

/// What the content of the message that has begun is.
enum Taken<C> {
    Nothing,
    Content(C),
    Refused(ReplyBuf),
}

/// A session as its handler sees it.
pub(crate) struct Session<'h, H: Handler> {
    handler: &'h mut H,
    transaction: Transaction,
    taken: Taken<H::Content>,
    /// The reply to the message, for the other recipients of LMTP.
    last: Option<ReplyBuf>,
}

impl<'h, H: Handler> Session<'h, H> {
    pub(crate) fn new(handler: &'h mut H, peer: Option<IpAddr>) -> Self {
        let transaction = Transaction::new(peer);
        Self { handler, transaction, taken: Taken::Nothing, last: None }
    }

    /// Answers events until the session is over, or TLS is to begin; whether it is TLS.
    pub(crate) async fn run<S, A: StreamIo<S>, T: Timer>(
        &mut self,
        connection: &mut Connection<S, Server, A, T>,
        shutdown: &mut Shutdown,
        host: &str,
    ) -> io::Result<bool> {
        loop {
            let PendingEvent { event, responder } = connection.next_until(shutdown, host).await?;
            match event {
                Event::Closed => return Ok(false),
                Event::StartTls => return Ok(true),
                Event::MailData(piece) => {
                    if let Taken::Content(content) = &mut self.taken {
                        if content.write(piece).await.is_err() {
                            self.taken = Taken::Refused(not_taken());
                        }
                    }
                    continue;
                }
                Event::Chunk { .. } => {
                    self.open().await;
                    continue;
                }
                _ => {}
            }
            let reply = match &event {
                Event::Greeting => self.handler.connected(&self.transaction).await.err(),
                Event::Command(command) => self.command(command).await,
                Event::EndOfChunk => match &self.taken {
                    Taken::Refused(reply) => Some(reply.clone()),
                    _ => None,
                },
                Event::EndOfMailData { .. } => {
                    self.last = Some(self.message().await);
                    self.last.clone()
                }
                Event::NeedReply if is_message(responder.machine().pending()) => self.last.clone(),
                _ => None,
            };
            let standard = responder.machine().standard_reply(host);
            let answer = reply.as_ref().map_or(standard, ReplyBuf::as_reply);
            let ends_message = matches!(event, Event::EndOfMailData { .. });
            if let Event::Command(command) = &event {
                let code = answer.code();
                self.transaction.record(command, code, responder.machine());
                if code.is_positive() && begins_anew(command) {
                    self.taken = Taken::Nothing;
                }
            }
            responder.reply(&answer)?;
            // In LMTP the replies to the other recipients are due.
            let owes = is_message(connection.endpoint().machine().pending());
            if ends_message && !owes {
                self.transaction.clear();
            }
        }
    }

    async fn command(&mut self, command: &Command<'_>) -> Option<ReplyBuf> {
        let Self { handler, transaction, .. } = self;
        match command {
            Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
                handler.helo(transaction, *name).await.err()
            }
            Command::Mail { reverse_path, parameters } => {
                handler.mail(transaction, *reverse_path, *parameters).await.err()
            }
            Command::Rcpt { forward_path, parameters } => {
                handler.rcpt(transaction, *forward_path, *parameters).await.err()
            }
            Command::Data => {
                self.open().await;
                match core::mem::replace(&mut self.taken, Taken::Nothing) {
                    Taken::Refused(reply) => Some(reply),
                    taken => {
                        self.taken = taken;
                        None
                    }
                }
            }
            _ => None,
        }
    }

    /// Asks where the content of a message goes, once.
    async fn open(&mut self) {
        if let Taken::Nothing = self.taken {
            self.taken = match self.handler.content(&self.transaction).await {
                Ok(content) => Taken::Content(content),
                Err(reply) => Taken::Refused(reply),
            };
        }
    }

    async fn message(&mut self) -> ReplyBuf {
        match core::mem::replace(&mut self.taken, Taken::Nothing) {
            Taken::Content(content) => self.handler.message(&self.transaction, content).await,
            Taken::Refused(reply) => reply,
            Taken::Nothing => not_taken(),
        }
    }
}

impl<S, A: StreamIo<S>, T: Timer> Connection<S, Server, A, T> {
    /// Serves a session: asks `handler` what to do, and answers, until the session is over or
    /// `shutdown` is requested. Call [`close`](Self::close) then. `peer` is the client's address, `host` the name of this server.
    ///
    /// VRFY, AUTH and what else the handler has no method for gets the standard reply. A handler that
    /// needs more sees the events, by [`next_until`](Self::next_until).
    ///
    /// # Errors
    ///
    /// As of [`next_until`](Self::next_until); `InvalidInput` for a reply of the handler that does not
    /// answer its command, and where STARTTLS is offered: [`handle_tls`](Connection::handle_tls) has it.
    pub async fn handle<H: Handler>(
        &mut self,
        handler: &mut H,
        peer: Option<IpAddr>,
        shutdown: &mut Shutdown,
        host: &str,
    ) -> io::Result<()> {
        if Session::new(handler, peer).run(self, shutdown, host).await? {
            return Err(crate::TlsStateError::NoTls.into());
        }
        Ok(())
    }
}

/// Whether a command drops the message that has begun.
const fn begins_anew(command: &Command<'_>) -> bool {
    use Command::{Ehlo, Helo, Lhlo, Mail, Rset};
    matches!(command, Mail { .. } | Rset | Ehlo(_) | Helo(_) | Lhlo(_))
}

fn is_message(verb: Option<Verb>) -> bool {
    matches!(verb, Some(Verb::Message | Verb::BdatLast))
}

/// RFC 3463 §3.4: 4.3.0 is a status of the mail system.
fn not_taken() -> ReplyBuf {
    Reply::new(Code::LOCAL_ERROR, "4.3.0 message not taken").into()
}
