//! Errors of a machine, on their way into an application's own.

use core::error::Error;
use core::fmt;

use ehlo::{ReplyError, SendError};

/// An error of a machine: a [`ReplyError`] or a [`SendError`].
///
/// The wrapper exists for the operator `?`: with the feature `std` it converts into
/// `std::io::Error`, the error of everything else that a connection does, and without it into the
/// machine's own error. That is also inside the `std::io::Error`.
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
