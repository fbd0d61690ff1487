//! The interface that every machine has: bytes in, one event out.

use core::time::Duration;

use crate::syntax::encode::BufferTooSmall;

/// The result of one call to `receive`: the bytes taken from the input, and the event.
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
    /// The number of bytes taken from the front of the input.
    pub consumed: usize,
    /// The event that they mean.
    pub event: E,
}

/// The need of a machine before it can continue.
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
    /// Remove `consumed` bytes from the front of the input. If `consumed` is not 0, call
    /// [`wants`](Machine::wants) again; otherwise read more first.
    Input {
        /// The number of bytes that the machine no longer needs.
        consumed: usize,
    },
}

/// The kind of input that a [`Machine`] expects from its peer.
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
/// An event borrows the input, so it cannot leave the loop that reads. Reading therefore takes two
/// steps: call [`wants`](Machine::wants) until it returns [`Wants::Event`], then call
/// [`receive`](Machine::receive) once. The machine remembers how far it has searched, so the second
/// call scans nothing twice.
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
    /// The event of this machine, borrowed from the input.
    type Event<'i>;

    /// Whether `input`, which holds all unread bytes, is enough for an event.
    fn wants(&mut self, input: &[u8]) -> Wants;

    /// The next event of `input`, which holds all unread bytes.
    fn receive<'i>(&mut self, input: &'i [u8]) -> Received<Self::Event<'i>>;

    /// Writes the output that the machine sends without a request into `out`; returns its length in
    /// bytes, 0 if there is no more.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when not even the next line fits.
    fn transmit(&mut self, _out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Ok(0)
    }

    /// Tells the machine that the peer has closed its side of the connection and sends no more.
    fn end_of_input(&mut self);

    /// Returns `true` if the machine reads nothing more until its output is sent: the session is
    /// over, or continues inside TLS.
    fn is_at_end(&self) -> bool;

    /// Returns `true` if the session is over and every command without a reply is reported: only the
    /// event that ends the session is left.
    fn is_over(&self) -> bool {
        self.is_at_end()
    }

    /// The longest wait for the peer at this moment, RFC 5321 §4.5.3.2.
    fn timeout(&self) -> Duration;

    /// The kind of input that the peer sends next. It decides the size of buffers, and the measure
    /// of the peer's time.
    fn expects(&self) -> Expects {
        Expects::Command
    }

    /// Returns `true` if the last input or output may be a credential, as within AUTH, RFC 4954 §4.
    /// The owner of the buffers then overwrites them after use, as `Buffered` of `ehlo-io` does.
    fn is_secret(&self) -> bool {
        false
    }
}

/// A [`Machine`] whose session may continue inside TLS, RFC 3207.
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
    /// Returns `true` if the TLS handshake is due: STARTTLS was accepted.
    fn awaits_tls(&self) -> bool;

    /// Continues the session inside TLS. `leftover` is the input that was read before the handshake
    /// and that the machine has not consumed.
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
