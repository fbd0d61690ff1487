//! Errors of a machine and of TLS, for conversion into those of an application.

use core::error::Error;
use core::fmt;

use ehlo::{ReplyError, SendError};

/// An error of a machine: a [`ReplyError`] or a [`SendError`].
///
/// The wrapper lets the operator `?` work: with the feature `std` it converts into
/// `std::io::Error`, the error of all other calls of a connection, which then contains the
/// machine's error; without that feature it converts into the machine's error.
///
/// ```
/// use ehlo::{Client, ClientConfig, Command, SendError};
/// use ehlo_io::{Buffered, MachineError};
///
/// fn send(client: &mut Buffered<Client>) -> std::io::Result<()> {
///     client.send(&Command::Noop(None))?;
///     Ok(())
/// }
///
/// // The greeting has not come.
/// let mut client = Buffered::new(Client::new(ClientConfig::DEFAULT));
/// let MachineError(error) = client.send(&Command::Noop(None)).unwrap_err();
/// let inside = send(&mut client).unwrap_err();
/// assert_eq!(inside.get_ref().and_then(|inner| inner.downcast_ref()), Some(&error));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineError<E>(pub E);

impl<E: fmt::Display> fmt::Display for MachineError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Error> Error for MachineError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl From<MachineError<ReplyError>> for ReplyError {
    fn from(MachineError(error): MachineError<Self>) -> Self {
        error
    }
}

impl From<MachineError<SendError>> for SendError {
    fn from(MachineError(error): MachineError<Self>) -> Self {
        error
    }
}

/// The kind is `InvalidInput`, and the machine's error is inside.
#[cfg(feature = "std")]
impl<E: Error + Send + Sync + 'static> From<MachineError<E>> for std::io::Error {
    fn from(MachineError(error): MachineError<E>) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

/// The reason why TLS cannot begin, or a stream cannot be used: inside the `std::io::Error` of
/// [`Connection::start_tls`](crate::Connection::start_tls) and similar calls.
///
/// ```
/// use ehlo_io::TlsStateError;
/// use std::io::{Error, ErrorKind};
///
/// let error = Error::from(TlsStateError::NotAgreed);
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert_eq!(error.to_string(), "STARTTLS was not agreed on");
/// ```
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsStateError {
    /// The machine does not expect TLS: STARTTLS was not sent, or not accepted.
    NotAgreed,
    /// The stream is inside TLS already.
    AlreadyTls,
    /// TLS was to begin with the first byte, and bytes were read before it.
    AlreadyRead,
    /// TLS was to begin with the first byte, and bytes wait to be written before it.
    AlreadyWritten,
    /// A handshake failed, or its future was dropped, and the stream is gone.
    HandshakeFailed,
    /// The policy is [`TlsPolicy::Require`](ehlo::delivery::TlsPolicy::Require), and this connection
    /// cannot begin TLS: use `deliver_tls`.
    NoTls,
}

#[cfg(feature = "std")]
impl fmt::Display for TlsStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAgreed => "STARTTLS was not agreed on",
            Self::AlreadyTls => "the stream is inside TLS already",
            Self::AlreadyRead => "TLS cannot begin: bytes were read before it",
            Self::AlreadyWritten => "TLS cannot begin: bytes wait to be written before it",
            Self::HandshakeFailed => "the stream is gone: its TLS handshake did not succeed",
            Self::NoTls => "TLS is required, and this connection cannot begin it",
        })
    }
}

#[cfg(feature = "std")]
impl Error for TlsStateError {}

#[cfg(feature = "std")]
impl From<TlsStateError> for std::io::Error {
    fn from(error: TlsStateError) -> Self {
        let kind = match error {
            TlsStateError::HandshakeFailed => std::io::ErrorKind::NotConnected,
            _ => std::io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
