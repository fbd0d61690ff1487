//! A server for those who do not want to see events.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use std::io;

use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::ClientName;
use ehlo::{Code, ForwardPath, Reply, ReversePath};

use super::Transaction;

/// What a server does with a session: one method for each thing that an application decides.
/// [`Connection::handle`](crate::Connection::handle) asks it. Every method but two has a default that accepts.
///
/// The methods are asynchronous, and an implementation writes `async fn`. At a blocking connection they
/// may block. A method that refuses gives any reply, as `421`, `450` or `550`.
///
/// ```
/// use ehlo::{Code, ForwardPath, Reply, ReversePath};
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
/// use ehlo::{Code, ForwardPath, Reply, ReversePath};
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
