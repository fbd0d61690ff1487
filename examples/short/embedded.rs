//! A server for a device: over `embedded-io`, in a buffer of 2 KiB and without an allocator. It hands
//! each message on in the pieces in which it comes.
//!
//! `proofs/freestanding` links such sessions into a program without an operating system.
#![allow(clippy::print_stdout)] // that is what it is for

use ehlo::server::Event;
use ehlo::{Received, ReplyError, Server, ServerConfig};
use embedded_io::{Read, Write};

/// What ends a session too early.
#[derive(Debug)]
pub(crate) enum Broken<E> {
    Line(E),
    Machine(ReplyError),
    /// Something is longer than the buffer.
    TooLong,
}

/// Serves one session on `line`. `take` gets the content; an empty piece is the end of a message.
pub(crate) fn session<L: Read + Write>(
    line: &mut L,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Broken<L::Error>> {
    let mut server = Server::new(ServerConfig::DEFAULT);
    let (mut input, mut out) = ([0; 2048 - 512], [0; 512]);
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
                    octets => filled += octets,
                }
            }
            Event::Closed => return line.flush().map_err(Broken::Line),
            Event::MailData(content) => take(content),
            Event::NeedInput | Event::Chunk { .. } | Event::StartTls => {}
            event => {
                if matches!(event, Event::EndOfMailData { .. }) {
                    take(b"");
                }
                let reply = server.standard_reply("device.example");
                let octets = server.reply(&reply, &mut out).map_err(Broken::Machine)?;
                line.write_all(&out[..octets]).map_err(Broken::Line)?;
            }
        }
        input.copy_within(consumed..filled, 0);
        filled -= consumed;
    }
}

/// A line that is in memory.
pub(crate) struct Memory<'m> {
    pub(crate) input: &'m [u8],
    pub(crate) output: Vec<u8>,
}

impl embedded_io::ErrorType for Memory<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Memory<'_> {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Self::Error> {
        self.input.read(space)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, octets: &[u8]) -> Result<usize, Self::Error> {
        self.output.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn main() {
    let mut line = Memory { input: b"NOOP\r\nQUIT\r\n", output: Vec::new() };
    if let Err(Broken::Machine(error)) = session(&mut line, |_| {}) {
        println!("{error}");
    }
    println!("{}", String::from_utf8_lossy(&line.output));
}
