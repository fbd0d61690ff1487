//! The events that a client reports.

use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxError;
use crate::syntax::reply::Reply;

/// An event that a [`Client`](crate::Client) reports.
///
/// ```
/// use ehlo::client::Event;
/// use ehlo::{Client, ClientConfig};
/// use ehlo::syntax::command::Verb;
///
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// let Event::Reply { to, reply } = client.receive(b"220 mx.example ESMTP\r\n").event else {
///     panic!("it is a reply");
/// };
/// assert_eq!((to, reply.code().number()), (Verb::Greeting, 220));
/// // Nothing was asked.
/// assert!(matches!(client.receive(b"250 ok\r\n").event, Event::Unsolicited(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'i> {
    /// The input holds no whole reply; read more.
    NeedInput,
    /// The reply to a command in flight, or to the greeting or the mail data.
    Reply {
        /// The command that it answers.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// A reply to no command: client and server are out of step, and the session is over.
    Unsolicited(Reply<'i>),
    /// The session ended before the server answered this command.
    Unanswered {
        /// The command without a reply. For [`Verb::Message`] and [`Verb::BdatLast`] the server may
        /// have delivered the message, or not.
        to: Verb,
    },
    /// The bytes are not a reply; the session is over.
    Violation(SyntaxError),
    /// STARTTLS was accepted: hand the connection to TLS and call
    /// [`tls_established`](crate::Client::tls_established).
    StartTls,
    /// The session is over, and every command has had its event.
    Closed,
}
