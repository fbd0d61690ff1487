//! What the mail transaction of a session has collected.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use ehlo::syntax::path::{ClientName, Host};
use ehlo::trace::{Atom, Protocol, ReceivedField, Timestamp};
use ehlo::{Code, Command, Encode as _, ForwardPath, Server, SyntaxError};

/// A mail transaction, owned: what the client said of itself, the reverse-path, the recipients that
/// were accepted, and their parameters.
///
/// [`Connection::handle`](crate::Connection::handle) keeps one. An application that sees events keeps its
/// own: it calls [`record`](Self::record) with each command and the code of its reply, and
/// [`clear`](Self::clear) at the end of a message.
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::{Server, ServerConfig};
/// use ehlo_io::Transaction;
///
/// let mut transaction = Transaction::new(Some("192.0.2.1".parse()?));
/// let (mut server, mut out) = (Server::new(ServerConfig::DEFAULT), [0; 99]);
/// server.reply(&server.standard_reply("mx.example"), &mut out)?;
/// for line in ["HELO c.example\r\n", "MAIL FROM:<a@x.example>\r\n", "RCPT TO:<b@y.example>\r\n"] {
///     let Event::Command(command) = server.receive(line.as_bytes()).event else { panic!() };
///     let reply = server.standard_reply("mx.example");
///     transaction.record(&command, reply.code(), &server);
///     server.reply(&reply, &mut out)?;
/// }
/// assert_eq!((transaction.reverse_path(), transaction.recipients().len()), ("<a@x.example>", 1));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    peer: Option<IpAddr>,
    client_name: Option<String>,
    identity: Option<String>,
    lmtp: bool,
    extended: bool,
    tls: bool,
    authenticated: bool,
    smtputf8: bool,
    reverse_path: String,
    parameters: String,
    recipients: Vec<TransactionRecipient>,
}

/// A recipient that was accepted.
///
/// ```
/// use ehlo_io::TransactionRecipient;
///
/// fn domain(recipient: &TransactionRecipient) -> Option<&str> {
///     recipient.forward_path.trim_end_matches('>').rsplit_once('@').map(|(_, domain)| domain)
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionRecipient {
    /// The forward-path in its angle brackets, as RFC 5321 §4.1.2 writes it.
    pub forward_path: String,
    /// The parameters of RCPT, with a space between them.
    pub parameters: String,
}

impl Transaction {
    /// No transaction, of a client at this address.
    pub fn new(peer: Option<IpAddr>) -> Self {
        Self { peer, ..Self::default() }
    }

    /// Records a command that is answered with `code`. `server` is the machine that reported it, as
    /// [`Responder::machine`](crate::Responder::machine) before the reply has it. MAIL, RSET, EHLO, HELO and LHLO
    /// clear what was there, as RFC 5321 §4.1.4 and §4.1.1.5 have it. A command that was not accepted
    /// changes nothing.
    pub fn record(&mut self, command: &Command<'_>, code: Code, server: &Server) {
        (self.tls, self.authenticated) = (server.is_tls(), server.is_authenticated());
        if !code.is_positive() {
            return;
        }
        match command {
            Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
                self.clear();
                self.lmtp = matches!(command, Command::Lhlo(_));
                self.extended = !matches!(command, Command::Helo(_));
                self.client_name = Some(name.to_string());
            }
            Command::Mail { reverse_path, parameters } => {
                self.clear();
                self.reverse_path = reverse_path.to_string();
                self.parameters = parameters.to_string();
                self.smtputf8 = parameters.smtputf8();
            }
            Command::Rcpt { forward_path, parameters } => {
                let (forward_path, parameters) = (forward_path.to_string(), parameters.to_string());
                self.recipients.push(TransactionRecipient { forward_path, parameters });
            }
            Command::Rset => self.clear(),
            // XCLIENT_README: the session starts again, for another client.
            Command::Xclient(_) => *self = Self::new(None),
            _ => {}
        }
    }

    /// Ends the transaction, as after the reply to its content; what the client said of itself stays.
    pub fn clear(&mut self) {
        self.reverse_path.clear();
        self.parameters.clear();
        self.recipients.clear();
        self.smtputf8 = false;
    }

    /// The client's address.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Sets the client's address, as after XCLIENT.
    pub const fn set_peer(&mut self, peer: Option<IpAddr>) {
        self.peer = peer;
    }

    /// The name of EHLO, HELO or LHLO; `None` before it.
    pub fn client_name(&self) -> Option<&str> {
        self.client_name.as_deref()
    }

    /// The identity that was authenticated, if the application has set it.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref().filter(|_| self.authenticated)
    }

    /// Sets the identity that AUTH has proved.
    pub fn set_identity(&mut self, identity: &str) {
        self.identity = Some(identity.to_string());
    }

    /// The client has authenticated.
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The connection is inside TLS.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The reverse-path in its angle brackets; empty before MAIL.
    pub fn reverse_path(&self) -> &str {
        &self.reverse_path
    }

    /// The parameters of MAIL, with a space between them.
    pub fn parameters(&self) -> &str {
        &self.parameters
    }

    /// The recipients that were accepted, in their order.
    pub fn recipients(&self) -> &[TransactionRecipient] {
        &self.recipients
    }

    /// The trace line of the message with its CRLF, RFC 5321 §4.4: `by` is the name of this server.
    ///
    /// # Errors
    ///
    /// Where the client has not said its name: `MissingArgument`, or that of the name.
    pub fn received(
        &self,
        by: Host<'_>,
        id: Option<Atom<'_>>,
        date: Timestamp,
    ) -> Result<String, SyntaxError> {
        let claimed = ClientName::new(self.client_name().unwrap_or_default())?;
        let Self { lmtp, extended, tls, authenticated, smtputf8, .. } = *self;
        let with = Protocol { lmtp, extended, tls, authenticated, smtputf8 };
        let recipient = match &self.recipients[..] {
            // RFC 5321 §7.6: the recipient only if there is no other.
            [one] => ForwardPath::try_from(one.forward_path.as_str()).ok(),
            _ => None,
        };
        let peer = self.peer;
        let field =
            ReceivedField { peer, id, recipient, ..ReceivedField::new(claimed, by, with, date) };
        let mut out = alloc::vec![0; field.encoded_len()];
        // It has that length.
        let written = field.encode(&mut out).unwrap_or_default();
        out.truncate(written);
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}
