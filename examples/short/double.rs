//! A test double: a server in memory, for the tests of programs that send mail. The program under
//! test writes to it and reads from it as if it were a socket.
#![allow(clippy::print_stdout)] // that is what it is for

use std::io::{self, Read, Write};

use ehlo::server::{ACCEPTED, Event};
use ehlo::{Code, Command, Reply, Server, ServerConfig};
use ehlo_io::{Buffered, PendingEvent};

/// A server that keeps what it receives, and refuses recipients that begin with `nobody`.
pub(crate) struct Double {
    endpoint: Buffered<Server>,
    content: Vec<u8>,
    /// The content of every message that was accepted.
    pub(crate) messages: Vec<Vec<u8>>,
}

impl Double {
    pub(crate) fn new(config: ServerConfig) -> Self {
        let endpoint = Buffered::new(Server::new(config));
        Self { endpoint, content: Vec::new(), messages: Vec::new() }
    }

    /// Answers all that has come.
    fn answer(&mut self) -> io::Result<()> {
        while self.endpoint.is_ready() {
            let PendingEvent { event, responder } = self.endpoint.next_event();
            match event {
                Event::MailData(data) => self.content.extend_from_slice(data),
                Event::Closed => return Ok(()),
                Event::Command(Command::Rcpt { forward_path, .. })
                    if forward_path.to_string().starts_with("<nobody") =>
                {
                    let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "no such user");
                    responder.reply(&reply)?;
                }
                Event::EndOfMailData { .. } => {
                    self.messages.push(std::mem::take(&mut self.content));
                    responder.reply(&ACCEPTED)?;
                }
                _ => {
                    self.content.clear();
                    responder.standard_reply("double.example")?;
                }
            }
        }
        Ok(())
    }
}

impl Read for Double {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.answer()?;
        let bytes = self.endpoint.output().read(space)?;
        self.endpoint.advance_write(bytes);
        Ok(bytes)
    }
}

impl Write for Double {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.endpoint.push_input(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut double = Double::new(ServerConfig::DEFAULT);
    double.write_all(b"NOOP\r\n")?;
    let mut replies = [0; 64];
    let bytes = double.read(&mut replies)?;
    println!("{}", String::from_utf8_lossy(&replies[..bytes]));
    Ok(())
}
