//! The content of a message, apart from everything else.

use ehlo::Server;
use ehlo::machine::Machine;
use ehlo::server::Event;

/// A machine that hands out the content of messages in pieces.
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{Collect, Piece};
///
/// assert_eq!(Server::piece(&Event::MailData(b"Subject: x")), Piece::Content(b"Subject: x"));
/// assert_eq!(Server::piece(&Event::EndOfMailData { size: 10 }), Piece::End(Some(10)));
/// assert_eq!(Server::piece(&Event::Closed), Piece::End(None));
/// ```
pub trait Collect: Machine {
    /// What an event has to do with content.
    fn piece<'e>(event: &'e Self::Event<'_>) -> Piece<'e>;
}

/// What an event has to do with content: see [`Collect`].
///
/// ```
/// use ehlo::server::Event;
/// use ehlo::Server;
/// use ehlo_io::{Collect, Piece};
///
/// // A message that is refused ends, too.
/// assert_eq!(Server::piece(&Event::EndOfChunk), Piece::End(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'e> {
    /// It is some.
    Content(&'e [u8]),
    /// It ends it. The size of the message in octets when it is complete, and is to be answered;
    /// none when it is refused, when a chunk of it has ended, or the session.
    End(Option<u64>),
}

impl Collect for Server {
    fn piece<'e>(event: &'e Event<'_>) -> Piece<'e> {
        match event {
            Event::MailData(content) => Piece::Content(content),
            Event::EndOfMailData { size } => Piece::End(Some(*size)),
            _ => Piece::End(None),
        }
    }
}
