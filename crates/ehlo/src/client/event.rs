//! What a client reports.

use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxError;
use crate::syntax::reply::Reply;

/// What a [`Client`](crate::Client) reports.
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
        /// What is answered.
        to: Verb,
        /// The answer.
        reply: Reply<'i>,
    },
    /// A reply that answers nothing: the two peers are out of step, and the session is over.
    Unsolicited(Reply<'i>),
    /// The session ended before this command was answered.
    Unanswered {
        /// What has no reply. For [`Verb::Message`] and [`Verb::BdatLast`] the message may have
        /// been delivered, or not.
        to: Verb,
    },
    /// The bytes are no reply; the session is over.
    Violation(SyntaxError),
    /// STARTTLS was accepted: hand the connection to TLS and call
    /// [`tls_established`](crate::Client::tls_established).
    StartTls,
    /// The session is over, and every command has had its event.
    Closed,
}
