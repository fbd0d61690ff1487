//! A mail transaction: its reverse-path, its recipients, and the message as it comes in.

use std::io;

use ehlo::server::ACCEPTED;
use ehlo::syntax::path::Mailbox;
use ehlo::trace::Protocol;
use ehlo::{Code, ForwardPath, Reply, ReversePath};

use crate::Service;
use crate::client::Client;
use crate::log::Message;
use crate::maildir::{Draft, Stamp};
use crate::session::reply;
use crate::trace::Trace;

/// What this server remembers of a transaction; the machine remembers all that the protocol needs.
#[derive(Default)]
pub(crate) struct Transaction {
    /// The reverse-path with its brackets.
    pub(crate) from: String,
    /// The recipients that were accepted, without brackets.
    pub(crate) to: Vec<String>,
    pub(crate) smtputf8: bool,
    /// The message that is coming in, where it is stored.
    message: Option<(Stamp, Option<Draft>)>,
}

impl Transaction {
    /// MAIL.
    pub(crate) fn new(reverse_path: &ReversePath<'_>, smtputf8: bool) -> Self {
        let from = match reverse_path {
            ReversePath::Path(path) => path.without_route().to_string(),
            other => other.to_string(),
        };
        Self { from, smtputf8, ..Self::default() }
    }

    /// A message begins: with DATA, or with the first chunk.
    pub(crate) fn begin(
        &mut self,
        service: &Service,
        client: &Client,
        protocol: Protocol,
    ) -> io::Result<()> {
        if self.message.is_some() {
            return Ok(());
        }
        let stamp = Stamp::now();
        let draft = match &service.maildir {
            Some(maildir) => {
                let trace = Trace {
                    from: &self.from,
                    to: &self.to,
                    helo: &client.helo,
                    peer: client.origin.ip(),
                    findings: client.findings.as_deref(),
                    host: &service.host,
                    protocol,
                };
                let header = trace.header(&stamp).map_err(io::Error::other)?;
                Some(maildir.begin(&stamp, header))
            }
            None => None,
        };
        self.message = Some((stamp, draft));
        Ok(())
    }

    /// More of the message. Whether it is time to [`spill`](Self::spill).
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        match &mut self.message {
            Some((_, Some(draft))) => draft.push(bytes),
            _ => false,
        }
    }

    /// Writes what was gathered of the message.
    pub(crate) async fn spill(&mut self) {
        if let Some((_, Some(draft))) = &mut self.message {
            draft.spill().await;
        }
    }

    /// The message was refused.
    pub(crate) fn discard(&mut self) {
        self.message = None;
    }

    /// The message is complete. From the positive answer on, this server is responsible for it.
    pub(crate) async fn store(
        self: Box<Self>,
        service: &Service,
        client: &Client,
        protocol: Protocol,
        size: u64,
    ) -> Stored {
        let Self { from, to, message: Some((stamp, draft)), .. } = *self else {
            return Stored::Failed;
        };
        let file = match draft {
            Some(draft) => match draft.store().await {
                Ok(file) => Some(file),
                Err(error) => {
                    let text = format!("{error}, message {}", stamp.id);
                    service.log.warn("cannot store a message", &text);
                    return Stored::from(&error);
                }
            },
            None => None,
        };
        service.log.message(&Message {
            session: client.session,
            id: &stamp.id,
            from: &from,
            to: &to,
            size,
            protocol: protocol.as_str(),
            helo: &client.helo,
            user: client.user.as_deref(),
            file: file.as_deref(),
        });
        Stored::Ok
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Ok,
    /// The machine has refused it, and the standard reply says so.
    Refused,
    /// There is no room for it.
    Full,
    Failed,
}

impl Stored {
    /// The reply, where it is not the machine's.
    pub(crate) fn reply(self) -> Option<Reply<'static>> {
        match self {
            Self::Ok => Some(ACCEPTED),
            Self::Refused => None,
            // RFC 5321 §4.2.3: "452 Requested action not taken: insufficient system storage".
            Self::Full => Some(reply(
                Code::INSUFFICIENT_STORAGE,
                (4, 3, 1),
                "the disk of this server is full",
            )),
            Self::Failed => {
                Some(reply(Code::LOCAL_ERROR, (4, 3, 0), "cannot store the message now"))
            }
        }
    }
}

impl From<&io::Error> for Stored {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match error.kind() {
            // A limit on the size of files is one of this server, not one of messages.
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full,
            _ => Self::Failed,
        }
    }
}

/// Whether the list has this mailbox; addresses are compared as RFC 5321 §2.4 says.
pub(crate) fn is_listed(list: &[String], path: &ForwardPath<'_>) -> bool {
    list.iter().any(|listed| {
        ForwardPath::new(listed).is_ok_and(|listed| mailbox(&listed) == mailbox(path))
    })
}

/// The mailbox without brackets.
pub(crate) fn address(path: &ForwardPath<'_>) -> String {
    mailbox(path).map_or_else(|| "Postmaster".to_owned(), |mailbox| mailbox.to_string())
}

/// The mailbox, unless it is the postmaster of this server.
fn mailbox<'p>(path: &ForwardPath<'p>) -> Option<Mailbox<'p>> {
    path.path().map(|path| path.mailbox())
}
