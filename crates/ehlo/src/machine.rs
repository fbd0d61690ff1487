//! What every machine has in common: bytes in, one event out.

use core::time::Duration;

use crate::syntax::encode::BufferTooSmall;

/// What one call to `receive` took from the input, and what came of it.
///
/// The caller drops `consumed` octets from the front of its buffer once it has done with the
/// event; until then the event borrows them.
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
    /// Octets taken from the front of the input.
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
    /// [`Machine::receive`] gives an event for this input.
    Event,
    /// Drop `consumed` octets from the front of the input. If there were any, ask again; else read
    /// more first.
    Input {
        /// Octets that the machine has done with.
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

/// A client or a server: fed with octets, it gives events; it owns no buffer and does no I/O.
///
/// An event borrows the input, so it cannot leave the loop that reads. Hence two steps: ask
/// [`wants`](Machine::wants) until it says [`Wants::Event`], then call
/// [`receive`](Machine::receive) once. The machine remembers how far it has looked, so the second
/// call scans nothing again.
///
/// ```
/// use ehlo::machine::{Machine, Wants};
///
/// /// Takes the first event of `input`, if there is one; how many octets it took.
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

    /// Whether `input`, all that is unread so far, is enough for an event.
    fn wants(&mut self, input: &[u8]) -> Wants;

    /// The next event of `input`, all that is unread so far.
    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Self::Event<'i>>;

    /// Writes what the machine has to say of its own accord into `out`; returns its length in
    /// octets, 0 when there is nothing more.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when not even the next line fits.
    fn transmit(&mut self, _out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Ok(0)
    }

    /// The peer will send no more: its side of the connection is closed.
    fn end_of_input(&mut self);

    /// Nothing more is read before what is written has been sent: the session is over, or goes on
    /// inside TLS.
    fn is_at_end(&self) -> bool;

    /// How long the wait for the peer may last now, RFC 5321 §4.5.3.2.
    fn timeout(&self) -> Duration;

    /// What the peer sends next: how the owner of the buffers sizes them, and what the peer's time is
    /// measured by.
    fn expects(&self) -> Expects {
        Expects::Command
    }

    /// Whether what was taken or written last may be a credential, as within AUTH, RFC 4954 §4: who
    /// holds the octets overwrites them when they have gone their way, as an `Buffered` does.
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
/// // Nobody said STARTTLS.
/// let mut client = Client::new(ClientConfig::DEFAULT);
/// assert_eq!(Upgrade::tls_established(&mut client, b""), Err(PlaintextInjection));
/// ```
pub trait Upgrade: Machine {
    /// Whether TLS begins now: both peers have said so.
    fn awaits_tls(&self) -> bool;

    /// TLS is established on the connection. `leftover` is what was read and not yet taken by the
    /// machine before the handshake.
    ///
    /// # Errors
    ///
    /// [`PlaintextInjection`] when there is any, or when no upgrade was agreed on; the session is then over.
    fn tls_established(&mut self, leftover: &[u8]) -> Result<(), PlaintextInjection>;
}

/// Octets that came in clear before TLS was established: somebody on the way may have put them
/// there. CVE-2011-0411 and its kin.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::machine::PlaintextInjection;
///
/// let mut server = Server::new(ServerConfig::DEFAULT);
/// // Nobody has said STARTTLS.
/// assert_eq!(server.tls_established(b""), Err(PlaintextInjection));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaintextInjection;

impl core::fmt::Display for PlaintextInjection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("octets in clear between STARTTLS and the handshake")
    }
}

impl core::error::Error for PlaintextInjection {}
