//! The content of a message, apart from everything else.

use ehlo::Server;
use ehlo::server::Event;

use crate::serve::GracefulShutdown;

/// A machine that hands out the content of messages in pieces: what
/// [`collect`](crate::Connection::collect) asks of it.
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{ContentEvent, MessageContent};
///
/// assert_eq!(Server::content(&Event::MailData(b"Subject: x")), ContentEvent::Content(b"Subject: x"));
/// assert_eq!(Server::content(&Event::EndOfMailData { size: 10 }), ContentEvent::End { size: 10 });
/// assert_eq!(Server::content(&Event::Closed), ContentEvent::Incomplete);
/// ```
pub trait MessageContent: GracefulShutdown {
    /// What an event has to do with content.
    fn content<'e>(event: &'e Self::Event<'_>) -> ContentEvent<'e>;
}

/// What an event has to do with content: see [`MessageContent`].
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{ContentEvent, MessageContent};
///
/// // More chunks are to come before the message is complete.
/// assert_eq!(Server::content(&Event::EndOfChunk), ContentEvent::Incomplete);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentEvent<'e> {
    /// A piece of it.
    Content(&'e [u8]),
    /// The message is complete, and is to be answered.
    End {
        /// Bytes of the message.
        size: u64,
    },
    /// The content ended before the message was complete: the message is refused, a chunk has ended,
    /// or the session.
    Incomplete,
}

impl MessageContent for Server {
    fn content<'e>(event: &'e Event<'_>) -> ContentEvent<'e> {
        match event {
            Event::MailData(content) => ContentEvent::Content(content),
            Event::EndOfMailData { size } => ContentEvent::End { size: *size },
            _ => ContentEvent::Incomplete,
        }
    }
}
