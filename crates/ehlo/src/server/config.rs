//! What a server is, what it offers, and how much it bears.

use crate::{Capabilities, Newlines, Policy};

/// What a server is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Relay and delivery, RFC 5321.
    #[default]
    Smtp,
    /// Message submission, RFC 6409.
    Submission,
    /// Local delivery, RFC 2033: LHLO, and one reply for each recipient after the data.
    Lmtp,
}

/// The configuration of a [`Server`](crate::Server). What EHLO offers is built from it, so what is
/// offered and what is accepted cannot differ.
///
/// ```
/// use ehlo::{Capabilities, Extension, ServerConfig};
///
/// let config = ServerConfig {
///     offered: Capabilities::NONE
///         .with(Extension::Pipelining)
///         .with(Extension::EightBitMime)
///         .with_size(50 << 20),
///     ..ServerConfig::DEFAULT
/// };
/// assert_eq!(config.offered.size(), Some(50 << 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// SMTP, submission or LMTP.
    pub role: Role,
    /// The extensions that are offered, as far as the moment allows: STARTTLS only outside TLS,
    /// REQUIRETLS only inside it, AUTH only where [`plaintext_auth`](Self::plaintext_auth) or TLS
    /// lets it be used.
    pub offered: Capabilities,
    /// Leniencies of the grammar.
    pub policy: Policy,
    /// What happens to bare CR, bare LF and NUL in mail data.
    pub newlines: Newlines,
    /// The connection is inside TLS from its first octet, RFC 8314.
    pub implicit_tls: bool,
    /// 530 until TLS is established, RFC 3207 §4.
    pub require_tls: bool,
    /// 530 to MAIL until the client has authenticated, RFC 4954 §6.
    pub require_auth: bool,
    /// AUTH is offered and accepted outside TLS too.
    pub plaintext_auth: bool,
    /// How much one session may ask for.
    pub limits: ServerLimits,
}

impl ServerConfig {
    /// An SMTP server that offers PIPELINING, 8BITMIME and ENHANCEDSTATUSCODES, strict in all.
    pub const DEFAULT: Self = Self {
        role: Role::Smtp,
        offered: Capabilities::NONE
            .with(crate::Extension::Pipelining)
            .with(crate::Extension::EightBitMime)
            .with(crate::Extension::EnhancedStatusCodes),
        policy: Policy::STRICT,
        newlines: Newlines::Reject,
        implicit_tls: false,
        require_tls: false,
        require_auth: false,
        plaintext_auth: false,
        limits: ServerLimits::DEFAULT,
    };
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How much one session may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Recipients of one message; one more is answered 452. RFC 5321 §4.5.3.1.8: at least 100.
    pub recipients: u32,
    /// Messages in one session; after them MAIL is answered 421.
    pub messages: u32,
    /// Refused commands before 421.
    pub errors: u16,
}

impl ServerLimits {
    /// 1,000 recipients, any number of messages, 20 errors.
    pub const DEFAULT: Self = Self { recipients: 1000, messages: u32::MAX, errors: 20 };
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
