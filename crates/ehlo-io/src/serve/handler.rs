//! A server for those who do not want to see events.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use std::io;

use ehlo::server::Event;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::{Code, Command, ForwardPath, Reply, ReversePath, Server};

use super::{Shutdown, Transaction};
use crate::connection::Connection;
use crate::responder::PendingEvent;
use crate::stream::StreamIo;
use crate::time::Timer;

/// What a server does with a session: one method for each thing that an application decides.
/// [`Connection::handle`] asks it. Every method but two has a default that accepts.
///
/// The methods are asynchronous, and an implementation writes `async fn`. At a blocking connection they
/// may block. A method that refuses gives any reply, as `421`, `450` or `550`.
///
/// ```
/// use ehlo::{Code, ForwardPath, Reply};
/// use ehlo::server::ACCEPTED;
/// use ehlo::syntax::parameter::Parameters;
/// use ehlo_io::{Handler, ReplyBuf, Transaction};
///
/// #[derive(Default)]
/// struct Store(Vec<(Transaction, Vec<u8>)>);
///
/// impl Handler for Store {
///     type Content = Vec<u8>;
///
///     async fn rcpt(&mut self, _: &Transaction, to: ForwardPath<'_>, _: Parameters<'_>) -> Result<(), ReplyBuf> {
///         let here = to.to_string().ends_with("@mx.example>");
///         if here { Ok(()) } else { Err(Reply::new(Code::MAILBOX_UNAVAILABLE, "not here").into()) }
///     }
///
///     async fn content(&mut self, _: &Transaction) -> Result<Vec<u8>, ReplyBuf> {
///         Ok(Vec::new())
///     }
///
///     async fn message(&mut self, transaction: &Transaction, content: Vec<u8>) -> ReplyBuf {
///         self.0.push((transaction.clone(), content));
///         ACCEPTED.into()
///     }
/// }
/// ```
#[doc(alias = "callback")]
pub trait Handler: Send {
    /// Where the content of a message goes: a `Vec<u8>`, or anything that has [`Content`].
    type Content: Content;

    /// A client has connected. A refusal takes the place of the greeting: 554 or 421.
    fn connected(
        &mut self,
        transaction: &Transaction,
    ) -> impl Future<Output = Result<(), ReplyBuf>> + Send {
        let _ = transaction;
        async { Ok(()) }
    }

    /// EHLO, HELO or LHLO with this name.
    fn helo(
        &mut self,
        transaction: &Transaction,
        name: ClientName<'_>,
    ) -> impl Future<Output = Result<(), ReplyBuf>> + Send {
        let _ = (transaction, name);
        async { Ok(()) }
    }

    /// MAIL.
    fn mail(
        &mut self,
        transaction: &Transaction,
        reverse_path: ReversePath<'_>,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<(), ReplyBuf>> + Send {
        let _ = (transaction, reverse_path, parameters);
        async { Ok(()) }
    }

    /// RCPT.
    fn rcpt(
        &mut self,
        transaction: &Transaction,
        forward_path: ForwardPath<'_>,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<(), ReplyBuf>> + Send {
        let _ = (transaction, forward_path, parameters);
        async { Ok(()) }
    }

    /// Content is about to come, by DATA or in chunks: where it goes. It is dropped when the message is
    /// not completed.
    fn content(
        &mut self,
        transaction: &Transaction,
    ) -> impl Future<Output = Result<Self::Content, ReplyBuf>> + Send;

    /// The message is complete: its reply. RFC 5321 §6.1: a 250 makes the server responsible for the
    /// message. In LMTP it is the reply for each recipient.
    fn message(
        &mut self,
        transaction: &Transaction,
        content: Self::Content,
    ) -> impl Future<Output = ReplyBuf> + Send;
}

/// Where the content of a message goes, piece by piece.
///
/// ```
/// use ehlo_io::Content;
///
/// /// A file, on a thread that may block.
/// struct File(std::fs::File);
///
/// impl Content for File {
///     async fn write(&mut self, piece: &[u8]) -> std::io::Result<()> {
///         std::io::Write::write_all(&mut self.0, piece)
///     }
/// }
/// ```
pub trait Content: Send {
    /// Takes a piece. After an error nothing more comes, and the message is answered 451.
    fn write(&mut self, piece: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

impl Content for Vec<u8> {
    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.extend_from_slice(piece);
        Ok(())
    }
}

/// A reply that owns its text.
///
/// ```
/// use ehlo::{Code, Reply};
/// use ehlo_io::ReplyBuf;
///
/// let reply = ReplyBuf::from(Reply::new(Code::OK, "queued as 4F1B"));
/// assert_eq!(reply.as_reply().to_string(), "250 queued as 4F1B");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyBuf {
    code: Code,
    enhanced: Option<EnhancedCode>,
    text: Cow<'static, str>,
}

impl ReplyBuf {
    /// The reply.
    pub fn as_reply(&self) -> Reply<'_> {
        let reply = Reply::new(self.code, &self.text);
        self.enhanced.map_or(reply, |code| reply.with_enhanced_code(code))
    }
}

/// The codes and the lines; a name of [`Reply::with_domain`] becomes part of the text.
impl From<Reply<'_>> for ReplyBuf {
    fn from(reply: Reply<'_>) -> Self {
        let mut text = String::new();
        for line in reply.lines() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&String::from_utf8_lossy(line));
        }
        Self { code: reply.code(), enhanced: reply.enhanced_code(), text: text.into() }
    }
}

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
