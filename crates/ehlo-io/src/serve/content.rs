//! The content of a message, apart from everything else.

use ehlo::Server;
use ehlo::machine::Machine;
use ehlo::server::Event;

/// A machine that hands out the content of messages in pieces.
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{MessageContent, ContentEvent};
///
/// assert_eq!(Server::piece(&Event::MailData(b"Subject: x")), ContentEvent::Content(b"Subject: x"));
/// assert_eq!(Server::piece(&Event::EndOfMailData { size: 10 }), ContentEvent::End(Some(10)));
/// assert_eq!(Server::piece(&Event::Closed), ContentEvent::End(None));
/// ```
pub trait MessageContent: Machine {
    /// What an event has to do with content.
    fn piece<'e>(event: &'e Self::Event<'_>) -> ContentEvent<'e>;
}

/// What an event has to do with content: see [`MessageContent`].
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{MessageContent, ContentEvent};
///
/// // A message that is refused ends, too.
/// assert_eq!(Server::piece(&Event::EndOfChunk), ContentEvent::End(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEvent<'e> {
    /// It is some.
    Content(&'e [u8]),
    /// It ends it. The size of the message in octets when it is complete, and is to be answered;
    /// none when it is refused, when a chunk of it has ended, or the session.
    End(Option<u64>),
}

impl MessageContent for Server {
    fn piece<'e>(event: &'e Event<'_>) -> ContentEvent<'e> {
        match event {
            Event::MailData(content) => ContentEvent::Content(content),
            Event::EndOfMailData { size } => ContentEvent::End(Some(*size)),
            _ => ContentEvent::End(None),
        }
    }
}
