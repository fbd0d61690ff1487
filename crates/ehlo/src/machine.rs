//! What every machine has in common: bytes in, one event out.

use core::time::Duration;

use crate::syntax::encode::BufferTooSmall;

/// What one call to `receive` took from the input, and what came of it.
///
/// The caller removes `consumed` bytes from the front of its buffer after it has handled the event;
/// until then the event borrows them.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::machine::Received;
/// use ehlo::server::Event;
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// assert_eq!(server.receive(b""), Received { consumed: 0, event: Event::Greeting });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<E> {
    /// Bytes taken from the front of the input.
    pub consumed: usize,
    /// What they meant.
    pub event: E,
}

/// What a machine needs before it can go on.
///
/// ```
/// use ehlo::{Client, ClientConfig};
/// use ehlo::machine::{Machine, Wants};
///
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// assert_eq!(client.wants(b"220 mx.exam"), Wants::Input { consumed: 0 });
/// assert_eq!(client.wants(b"220 mx.example\r\n"), Wants::Event);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// [`Machine::receive`] returns an event for this input.
    Event,
    /// Remove `consumed` bytes from the front of the input. If that is not 0, ask again; otherwise read
    /// more first.
    Input {
        /// Bytes that the machine no longer needs.
        consumed: usize,
    },
}

/// What a peer sends, as its [`Machine`] expects it.
///
/// ```
/// use ehlo::machine::{Expects, Machine};
/// use ehlo::{Client, ClientConfig, Server, ServerConfig};
///
/// assert_eq!(Server::new(ServerConfig::DEFAULT).expects(), Expects::Command);
/// assert_eq!(Client::new(ClientConfig::DEFAULT).expects(), Expects::Reply);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expects {
    /// A command line, or a client's response within AUTH.
    Command,
    /// A server's reply.
    Reply,
    /// Content of a message: mail data, or chunks up to the last one.
    Content,
}

/// A client or a server: it takes bytes and returns events; it owns no buffer and does no I/O.
///
/// An event borrows the input, so it cannot leave the loop that reads. This takes two steps: ask
/// [`wants`](Machine::wants) until it returns [`Wants::Event`], then call
/// [`receive`](Machine::receive) once. The machine remembers how far it has looked, so the second
/// call scans nothing twice.
///
/// ```
/// use ehlo::machine::{Machine, Wants};
///
/// /// Takes the first event of `input`, if there is one; how many bytes it took.
/// fn step<M: Machine>(machine: &mut M, input: &[u8]) -> usize {
///     match machine.wants(input) {
///         Wants::Input { consumed } => consumed,
///         Wants::Event => machine.receive(input).consumed,
///     }
/// }
///
/// let mut client = ehlo::Client::new(ehlo::ClientConfig::DEFAULT);
/// assert_eq!(step(&mut client, b"220 mx.example\r\n"), 16);
/// ```
pub trait Machine {
    /// What this machine reports, borrowed from the input.
    type Event<'i>;

    /// Whether `input`, all unread input, is enough for an event.
    fn wants(&mut self, input: &[u8]) -> Wants;

    /// The next event of `input`, all unread input.
    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Self::Event<'i>>;

    /// Writes what the machine sends without being asked into `out`; returns its length in bytes, 0 if
    /// there is nothing more.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when not even the next line fits.
    fn transmit(&mut self, _out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Ok(0)
    }

    /// The peer will send no more: its side of the connection is closed.
    fn end_of_input(&mut self);

    /// The machine reads nothing more until its output is sent: the session is over, or goes on inside
    /// TLS.
    fn is_at_end(&self) -> bool;

    /// How long the wait for the peer may last now, RFC 5321 §4.5.3.2.
    fn timeout(&self) -> Duration;

    /// What the peer sends next. It decides the size of buffers, and how the peer's time is measured.
    fn expects(&self) -> Expects {
        Expects::Command
    }

    /// Whether the last input or output may be a credential, as within AUTH, RFC 4954 §4. The owner of
    /// the buffers then overwrites them after use, as `Buffered` of `ehlo-io` does.
    fn is_secret(&self) -> bool {
        false
    }
}

/// A [`Machine`] whose session may go on inside TLS, RFC 3207.
///
/// ```
/// use ehlo::{Client, ClientConfig};
/// use ehlo::machine::{PlaintextInjection, Upgrade};
///
/// // Without STARTTLS.
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// assert_eq!(Upgrade::tls_established(&mut client, b""), Err(PlaintextInjection));
/// ```
pub trait Upgrade: Machine {
    /// Whether the TLS handshake comes now: STARTTLS was said and accepted.
    fn awaits_tls(&self) -> bool;

    /// Goes on inside TLS. `leftover` is the input that was read before the handshake and that the
    /// machine has not taken.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] if `leftover` is not empty, or if STARTTLS was not accepted; the session is
    /// then over.
    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection>;
}

/// Plaintext bytes that came before TLS was established: an attacker on the path may have injected
/// them. CVE-2011-0411 and similar ones.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::machine::PlaintextInjection;
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// // Without STARTTLS.
/// assert_eq!(server.tls_established(b""), Err(PlaintextInjection));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaintextInjection;

impl core::fmt::Display for PlaintextInjection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("plaintext between STARTTLS and the TLS handshake")
    }
}

impl core::error::Error for PlaintextInjection {}
