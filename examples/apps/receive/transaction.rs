//! A mail transaction: whom it is from, whom it goes to, and the message as it comes in.

use std::io;

use ehlo::syntax::path::Mailbox;
use ehlo::trace::Protocol;
use ehlo::{ForwardPath, ReversePath};

use crate::Service;
use crate::client::Client;
use crate::log::Message;
use crate::maildir::{Draft, Stamp};
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
            ReversePath::Null => "<>".to_owned(),
            ReversePath::Path(path) => path.without_route().to_string(),
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
                    peer: client.address.ip(),
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

    /// More of the message.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if let Some((_, Some(draft))) = &mut self.message {
            draft.push(octets);
        }
    }

    /// The message was refused.
    pub(crate) fn discard(&mut self) {
        self.message = None;
    }

    /// The message is complete: whether it is stored. From the positive answer on, this server is
    /// responsible for it.
    pub(crate) async fn store(
        self: Box<Self>,
        service: &Service,
        client: &Client,
        protocol: Protocol,
        size: u64,
    ) -> bool {
        let Self { from, to, message: Some((stamp, draft)), .. } = *self else { return false };
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
        true
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
