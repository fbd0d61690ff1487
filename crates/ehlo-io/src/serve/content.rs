//! The content of a message, separated from other events.

use ehlo::Server;
use ehlo::server::Event;

use crate::serve::GracefulShutdown;

/// A machine that reports the content of messages in pieces, as
/// [`collect`](crate::Connection::collect) needs it.
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
    /// The part of an event that concerns content.
    fn content<'e>(event: &'e Self::Event<'_>) -> ContentEvent<'e>;
}

/// The part of an event that concerns content: see [`MessageContent`].
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
    /// A piece of the content.
    Content(&'e [u8]),
    /// The message is complete and needs an answer.
    End {
        /// The size of the message in bytes.
        size: u64,
    },
    /// The content ended before the message was complete: the message was refused, or a chunk or
    /// the session ended.
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
