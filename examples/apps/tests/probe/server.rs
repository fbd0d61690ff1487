//! A mail server that answers by a list.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What it says, with CRLFs: to a connection, to the first word of a command, and to EHLO inside TLS.
pub(crate) struct Script {
    pub(crate) greeting: &'static str,
    pub(crate) replies: Vec<(&'static str, String)>,
    pub(crate) ehlo_in_tls: &'static str,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Script {
    /// A server that is sound: it has no extension.
    pub(crate) fn sound() -> Self {
        Self {
            greeting: "220 mx.test ESMTP\r\n",
            replies: vec![],
            ehlo_in_tls: "250 mx.test\r\n",
            tls: None,
        }
    }

    /// The same with another answer.
    pub(crate) fn with(mut self, verb: &'static str, reply: impl Into<String>) -> Self {
        self.replies.push((verb, reply.into()));
        self
    }

    /// Serves every connection until the test is over; the address.
    pub(crate) fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("it is bound").to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // It ends when the client has gone.
                let _ = stream.and_then(|stream| self.serve(stream));
            }
        });
        address
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.write_all(self.greeting.as_bytes())?;
        if !self.talk(&mut stream, false)? {
            return Ok(());
        }
        let tls = self.tls.clone().expect("STARTTLS is answered 220 by who has TLS");
        let tls = ServerConnection::new(tls).map_err(std::io::Error::other)?;
        self.talk(&mut StreamOwned::new(tls, stream), true).map(drop)
    }

    /// Answers until the end, or until TLS begins.
    fn talk(&self, stream: &mut (impl Read + Write), in_tls: bool) -> std::io::Result<bool> {
        loop {
            let mut line = String::new();
            // One byte at a time: nothing is taken that belongs to TLS.
            if BufReader::with_capacity(1, &mut *stream).read_line(&mut line)? == 0 {
                return Ok(false);
            }
            let verb = line.split_whitespace().next().unwrap_or_default();
            let reply = match self.replies.iter().find(|(one, _)| *one == verb) {
                _ if in_tls && verb == "EHLO" => self.ehlo_in_tls,
                Some((_, reply)) => reply,
                None if verb == "QUIT" => "221 mx.test\r\n",
                None => "250 mx.test\r\n",
            };
            stream.write_all(reply.as_bytes())?;
            match verb {
                "QUIT" => return Ok(false),
                "STARTTLS" if reply.starts_with("220") => return Ok(true),
                // Nothing was said: it closes the connection.
                _ if reply.is_empty() => return Ok(false),
                _ => {}
            }
        }
    }
}
