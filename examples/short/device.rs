//! A session of a device that takes mail: over any line of `embedded-io`, in a buffer that is given to
//! it, without an allocator.

use core::fmt;

use ehlo::machine::Received;
use ehlo::server::{ACCEPTED, Event};
use ehlo::{ReplyError, Server, ServerConfig};
use embedded_io::{Read, Write};

/// What ends a session too early.
#[derive(Debug)]
pub(crate) enum Broken<E> {
    /// The line.
    Line(E),
    /// A reply that is not to be written.
    Reply(ReplyError),
    /// Something is longer than the buffer.
    TooLong,
}

impl<E: fmt::Debug> fmt::Display for Broken<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(error) => write!(f, "the line is broken: {error:?}"),
            Self::Reply(error) => write!(f, "a reply cannot be written: {error}"),
            Self::TooLong => f.write_str("something is longer than the buffer"),
        }
    }
}

/// Serves one session on `line`. `take` gets the content in the pieces in which it comes; an empty one
/// is the end of a message.
pub(crate) fn session<L: Read + Write>(
    line: &mut L,
    buffer: &mut [u8; 2048],
    mut take: impl FnMut(&[u8]),
) -> Result<(), Broken<L::Error>> {
    let (out, input) = buffer.split_at_mut(512);
    let mut server = Server::new(ServerConfig::DEFAULT);
    let mut filled = 0;
    loop {
        let Received { consumed, event } = server.receive(&input[..filled]);
        match event {
            Event::NeedInput if consumed == 0 => {
                let Some(space @ [_, ..]) = input.get_mut(filled..) else {
                    return Err(Broken::TooLong);
                };
                match line.read(space).map_err(Broken::Line)? {
                    0 => return Ok(()),
                    bytes => filled += bytes,
                }
            }
            Event::Closed => return line.flush().map_err(Broken::Line),
            Event::MailData(content) => take(content),
            Event::NeedInput | Event::Chunk { .. } | Event::StartTls => {}
            event => {
                let reply = match event {
                    Event::EndOfMailData { .. } => {
                        take(b"");
                        ACCEPTED
                    }
                    _ => server.standard_reply("device.example"),
                };
                let bytes = server.reply(&reply, out).map_err(Broken::Reply)?;
                line.write_all(&out[..bytes]).map_err(Broken::Line)?;
            }
        }
        input.copy_within(consumed..filled, 0);
        filled -= consumed;
    }
}
