//! A server machine with its application: bytes in, replies out, no socket.

use ehlo::server::Event;
use ehlo::{Server, ServerConfig};

use crate::application::Application;

/// The server's side of a connection.
///
/// ```
/// use ehlo::ServerConfig;
/// use ehlo_testkit::peer::Peer;
///
/// let mut peer = Peer::new(ServerConfig::DEFAULT);
/// assert_eq!(peer.feed(b"NOOP\r\nQU"), [220, 250]);
/// assert_eq!(peer.feed(b"IT\r\n"), [221]);
/// assert!(peer.is_closed());
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    /// The machine.
    pub server: Server,
    /// The application of the server.
    pub application: Application,
    /// All bytes that were sent to the client.
    pub sent: Vec<u8>,
    /// The bytes that the machine has not taken.
    pub unread: Vec<u8>,
    closed: bool,
}

impl Peer {
    /// A peer at the start of a connection. It sends its greeting with the first call.
    pub fn new(config: ServerConfig) -> Self {
        Self {
            server: Server::new(config),
            application: Application::default(),
            sent: Vec::new(),
            unread: Vec::new(),
            closed: false,
        }
    }

    /// Takes bytes of the client; returns the codes of the replies to them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u16> {
        self.unread.extend_from_slice(bytes);
        let mut codes = Vec::new();
        loop {
            let received = self.server.receive(&self.unread);
            assert!(received.consumed <= self.unread.len());
            let at_end =
                matches!(received.event, Event::NeedInput | Event::StartTls | Event::Closed);
            self.closed |= received.event == Event::Closed;
            if let Some(reply) = self.application.answer(&received.event, &self.server) {
                let mut out = [0; 4096];
                let written = self.server.reply(&reply, &mut out).expect("the reply fits");
                codes.push(reply.code().number());
                self.sent.extend_from_slice(&out[..written]);
            }
            self.unread.drain(..received.consumed);
            if at_end {
                return codes;
            }
        }
    }

    /// Takes bytes in pieces; returns the codes of the replies to all of them.
    pub fn feed_pieces(&mut self, pieces: &[&[u8]]) -> Vec<u16> {
        pieces.iter().flat_map(|piece| self.feed(piece)).collect()
    }

    /// Tells the server that the client sends no more.
    pub fn end_of_input(&mut self) -> Vec<u16> {
        ehlo::machine::Machine::end_of_input(&mut self.server);
        self.feed(b"")
    }

    /// Continues the connection inside TLS, with no bytes left over.
    pub fn establish_tls(&mut self) {
        self.server.tls_established(&self.unread).expect("nothing is left over");
    }

    /// Returns `true` if the session is over.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}
