//! Errors of a mock.

use std::{error, fmt, io};

use ehlo::SyntaxError;
use ehlo::server::CannotOffer;

/// Why a server cannot be started.
///
/// ```
/// use ehlo_mock::{Action, MockError, MockServer, Stage};
///
/// let no_address = MockServer::smtp().refuse("nobody").start().unwrap_err();
/// assert!(matches!(no_address, MockError::Address { .. }));
/// let no_reply = MockServer::smtp().at(Stage::Mail, Action::reply("no")).start().unwrap_err();
/// assert!(matches!(no_reply, MockError::Reply(_)));
/// assert!(matches!(MockServer::submission().start(), Err(MockError::NoUser)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MockError {
    /// The recipient of a rule is not an address.
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        error: SyntaxError,
    },
    /// The reply of a rule is not a reply.
    Reply(SyntaxError),
    /// [`times`](crate::MockBuilder::times) stands before any rule.
    NoRule,
    /// Clients must authenticate, and there is no user.
    NoUser,
    /// A server cannot offer this extension.
    CannotOffer(CannotOffer),
    /// The certificate cannot be made, or TLS not be configured.
    #[cfg(feature = "rustls")]
    Tls(Box<dyn error::Error + Send + Sync>),
    /// The port cannot be had.
    Io(io::Error),
}

impl fmt::Display for MockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, error } => write!(f, "{address:?} is not an address: {error}"),
            Self::Reply(error) => write!(f, "the reply of a rule is not a reply: {error}"),
            Self::NoRule => f.write_str("`times` stands before any rule"),
            Self::NoUser => f.write_str("clients must authenticate, and there is no user"),
            Self::CannotOffer(error) => error.fmt(f),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl error::Error for MockError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Address { error, .. } | Self::Reply(error) => Some(error),
            Self::CannotOffer(error) => Some(error),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => Some(error.as_ref()),
            Self::Io(error) => Some(error),
            Self::NoRule | Self::NoUser => None,
        }
    }
}

impl From<io::Error> for MockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<MockError> for io::Error {
    fn from(error: MockError) -> Self {
        match error {
            MockError::Io(error) => error,
            error => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

/// Fewer messages have come than a test has waited for.
///
/// ```
/// use std::time::Duration;
/// use ehlo_mock::MockServer;
///
/// let server = MockServer::smtp().start()?;
/// let error = server.wait_for_within(1, Duration::from_millis(1)).unwrap_err();
/// assert_eq!((error.wanted, error.received), (1, 0));
/// assert_eq!(error.to_string(), "0 messages of 1 have come");
/// # Ok::<(), ehlo_mock::MockError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotReceived {
    /// The messages that were waited for.
    pub wanted: usize,
    /// The messages that have come.
    pub received: usize,
    /// What went wrong in the sessions so far: [`Mock::errors`](crate::Mock::errors).
    pub errors: Vec<String>,
}

impl fmt::Display for NotReceived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages of {} have come", self.received, self.wanted)?;
        self.errors.iter().try_for_each(|error| write!(f, "; {error}"))
    }
}

impl error::Error for NotReceived {}
