//! What can be wrong with a header.

use core::error::Error;
use core::fmt;

/// Why a connection does not begin with a header that can be taken.
///
/// ```
/// use ehlo_io::proxy_header::{ProxyHeader, ProxyHeaderError, Versions};
///
/// let mut header = ProxyHeader::new(Versions::Any);
/// assert_eq!(header.take(b"EHLO client.example\r\n"), Err(ProxyHeaderError::Signature));
/// assert_eq!(
///     ProxyHeaderError::Signature.to_string(),
///     "the connection does not begin with a PROXY header"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyHeaderError {
    /// The first bytes are those of no version that is taken.
    Signature,
    /// The line of version 1 does not end within 107 bytes, its CRLF included.
    TooLong,
    /// The line of version 1 does not end with CRLF, or has a bare CR or LF.
    LineEnd,
    /// The protocol of version 1 is neither TCP4, TCP6 nor UNKNOWN, or fields are missing or too many.
    Fields,
    /// An address that is not one of its family.
    Address,
    /// A port that is not a number of 16 bits, or has leading zeros.
    Port,
    /// The binary header has another version than 2.
    Version,
    /// The command is neither LOCAL nor PROXY.
    Command,
    /// The address family or the transport is reserved.
    Family,
    /// The length has no room for the addresses of the family.
    Length,
}

impl fmt::Display for ProxyHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "the connection does not begin with a PROXY header",
            Self::TooLong => "the PROXY line is too long",
            Self::LineEnd => "the PROXY line does not end with CRLF",
            Self::Fields => "the PROXY line has not the fields of a protocol",
            Self::Address => "the PROXY line has a bad address",
            Self::Port => "the PROXY line has a bad port",
            Self::Version => "the PROXY header has an unknown version",
            Self::Command => "the PROXY header has an unknown command",
            Self::Family => "the PROXY header has an unknown address family",
            Self::Length => "the PROXY header is too short for its addresses",
        })
    }
}

impl Error for ProxyHeaderError {}

#[cfg(feature = "std")]
impl From<ProxyHeaderError> for std::io::Error {
    fn from(error: ProxyHeaderError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}
