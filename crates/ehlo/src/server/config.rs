//! The configuration of a server: its role, its offers, and its limits.

use super::domains::Domains;
use crate::data::Newlines;
use crate::syntax::capability::Capabilities;
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// The purpose of a server.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo::server::Role;
///
/// let server = Server::new(ServerConfig { role: Role::Lmtp, ..ServerConfig::DEFAULT });
/// assert_eq!(server.standard_reply("mx.example").to_string(), "220 mx.example LMTP ready");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Relay and delivery, RFC 5321.
    #[default]
    Smtp,
    /// Message submission, RFC 6409.
    Submission,
    /// Local delivery, RFC 2033: LHLO, and one reply for each recipient after the data.
    Lmtp,
}

/// The role as a word.
impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Smtp => "SMTP",
            Self::Submission => "submission",
            Self::Lmtp => "LMTP",
        })
    }
}

/// The configuration of a [`Server`](crate::Server). The reply to EHLO is built from it, so the
/// server offers exactly the extensions that it accepts.
///
/// Fields may be added in any version: take the others from [`DEFAULT`](Self::DEFAULT).
///
/// ```
/// use ehlo::{Extension, ServerConfig};
/// use ehlo::syntax::capability::Capabilities;
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
    /// The extensions that the server offers when they can be used: STARTTLS only outside TLS,
    /// REQUIRETLS only inside it, plaintext mechanisms of AUTH only inside it or with
    /// [`plaintext_auth`](Self::plaintext_auth). The server refuses extensions that it does not
    /// offer. It leaves out those that it can never offer; [`check`](Self::check) finds them.
    ///
    /// XCLIENT and XFORWARD let the client state another client: offer them only to the addresses of
    /// trusted proxies. XCLIENT changes the address and ends the offer: see
    /// [`Server::offer`](crate::Server::offer).
    pub offered: Capabilities,
    /// Leniencies.
    pub policy: Policy,
    /// The policy for bare CR, bare LF and NUL in mail data, by DATA and by BDAT. RFC 3030 §3: content
    /// that was declared BODY=BINARYMIME has no lines, and passes unchanged.
    pub newlines: Newlines,
    /// The connection is inside TLS from its first byte, RFC 8314.
    pub implicit_tls: bool,
    /// 530 until TLS is established, RFC 3207 §4.
    pub require_tls: bool,
    /// 530 to every command but AUTH, EHLO, HELO, NOOP, RSET, QUIT and STARTTLS until the client has
    /// authenticated, RFC 4954 §6.
    pub require_auth: bool,
    /// Offer and accept plaintext mechanisms of AUTH outside TLS too.
    pub plaintext_auth: bool,
    /// 554 to a client that sends input before the greeting, and to one that sends more after a command
    /// whose reply it must await (RFC 2920 §3.1); the latter ends the session.
    ///
    /// This verdict depends on how the input arrives and when it is read; no other verdict does. Without
    /// this setting every command is answered in order. To see early input, read before the greeting is
    /// answered: see [`Server::talked_early`](crate::Server::talked_early).
    pub refuse_early: bool,
    /// The limits of one session.
    pub limits: ServerLimits,
}

impl ServerConfig {
    /// An SMTP server that offers PIPELINING, 8BITMIME, ENHANCEDSTATUSCODES and messages of up to 50
    /// MiB, strict in all.
    pub const DEFAULT: Self = Self {
        role: Role::Smtp,
        offered: Capabilities::NONE
            .with(Extension::Pipelining)
            .with(Extension::EightBitMime)
            .with(Extension::EnhancedStatusCodes)
            .with_size(50 << 20),
        // RFC 5321 §4.5.3.1: the sizes bind clients, and are no reason to refuse their mail.
        policy: Policy::STRICT.with_any_length(true),
        newlines: Newlines::Reject,
        implicit_tls: false,
        require_tls: false,
        require_auth: false,
        plaintext_auth: false,
        refuse_early: false,
        limits: ServerLimits::DEFAULT,
    };

    /// [`DEFAULT`](Self::DEFAULT) for message submission: the client must authenticate, RFC 6409 §4.3.
    pub const SUBMISSION: Self =
        Self { role: Role::Submission, require_auth: true, ..Self::DEFAULT };

    /// [`DEFAULT`](Self::DEFAULT) for local delivery, RFC 2033.
    pub const LMTP: Self = Self { role: Role::Lmtp, ..Self::DEFAULT };
}

impl ServerConfig {
    /// Checks that a server can offer all extensions that are [offered](Self::offered). A server
    /// leaves out of its reply to EHLO, and refuses, those that the machine does not implement or
    /// that do not fit the rest of the configuration.
    ///
    /// # Errors
    ///
    /// [`CannotOffer`] with the first extension that the server leaves out: PRDR, CHECKPOINT (RFC 1845),
    /// UTF8SMTP (RFC 5336), SEND, SOML, SAML and TURN (RFC 821); ETRN and ATRN by a submission server,
    /// RFC 6409 §7; BINARYMIME without CHUNKING, RFC 3030 §3; LIMITS with an RCPTDOMAINMAX above 3, which
    /// is as many domains as the machine remembers, RFC 9422 §4.3.
    ///
    /// ```
    /// use ehlo::{Extension, ServerConfig};
    ///
    /// const CONFIG: ServerConfig = ServerConfig {
    ///     offered: ServerConfig::DEFAULT.offered.with(Extension::Chunking),
    ///     ..ServerConfig::DEFAULT
    /// };
    /// const _: () = assert!(CONFIG.check().is_ok());
    /// ```
    pub const fn check(&self) -> Result<(), CannotOffer> {
        let mut extensions = Extension::ALL;
        while let [extension, others @ ..] = extensions {
            if self.offered.contains(*extension) && !self.can_offer(*extension) {
                return Err(CannotOffer(*extension));
            }
            extensions = others;
        }
        if !self.keeps_limits() {
            return Err(CannotOffer(Extension::Limits));
        }
        Ok(())
    }

    /// Returns `true` if a server of this configuration may offer the extension at some moment.
    pub(super) const fn can_offer(&self, extension: Extension) -> bool {
        match extension {
            // RFC 1845 §3 and PRDR need replies within the transaction that this machine does not give,
            // RFC 5336 needs addresses that it does not read, RFC 821 has verbs that no server performs.
            Extension::Checkpoint
            | Extension::Prdr
            | Extension::Utf8Smtp
            | Extension::Turn
            | Extension::Send
            | Extension::Soml
            | Extension::Saml => false,
            // RFC 6409 §7: a submission server must not offer them.
            Extension::Etrn | Extension::Atrn => !matches!(self.role, Role::Submission),
            // RFC 3030 §3: BINARYMIME "can only be used with the "CHUNKING" service extension".
            Extension::BinaryMime => self.offered.contains(Extension::Chunking),
            _ => true,
        }
    }

    const fn keeps_limits(&self) -> bool {
        match self.offered.rcpt_domain_max() {
            Some(max) => max <= Domains::MAX,
            None => true,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An extension that a configuration offers and its server cannot offer.
///
/// ```
/// use ehlo::{Extension, ServerConfig};
/// use ehlo::server::CannotOffer;
///
/// let offered = ServerConfig::DEFAULT.offered.with(Extension::Prdr);
/// let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
/// assert_eq!(config.check(), Err(CannotOffer(Extension::Prdr)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CannotOffer(
    /// The extension.
    pub Extension,
);

impl core::fmt::Display for CannotOffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} cannot be offered by this server", self.0.keyword())
    }
}

impl core::error::Error for CannotOffer {}

/// The limits of one session. All are on by default; the largest message is the SIZE that is
/// [offered](ServerConfig::offered).
///
/// Fields may be added in any version: take the others from [`DEFAULT`](Self::DEFAULT).
///
/// ```
/// use ehlo::server::ServerLimits;
///
/// let limits = ServerLimits { messages: 10, ..ServerLimits::DEFAULT };
/// assert_eq!((limits.recipients, limits.errors), (1000, 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerLimits {
    /// Bytes of a command line with its CRLF, to which extensions add; a longer one is answered
    /// 500. RFC 5321 §4.5.3.1.4: at least 512.
    pub command_line: u16,
    /// Bytes of a line of AUTH, or within its exchange, with its CRLF; a longer one is answered
    /// 500. RFC 4954 §4: "12288 octets is considered to be a sufficient line length limit".
    pub auth_line: u16,
    /// Bytes of a line of mail data with its CRLF, by DATA and by BDAT; a message with a longer line is
    /// answered 500, unless it was declared BODY=BINARYMIME. 0, the default, means no limit. RFC 5321
    /// §4.5.3.1.6: at least 1,000; §4.5.3.1: "To the maximum extent possible, implementation
    /// techniques that impose no limits on the length of these objects should be used."
    pub text_line: u16,
    /// RCPT commands of one mail transaction, refused ones included, as RCPTMAX of RFC 9422 §4.2
    /// counts them; the next one is answered 452. RFC 5321 §4.5.3.1.8: at least 100. A client may have
    /// pipelined more, so the same number again is answered 452; each one after that counts as an
    /// error. [`u16::MAX`] means no limit, and counts up to 65,535. An offer of RCPTMAX is a limit, too.
    pub recipients: u16,
    /// MAIL commands of one session, refused ones included, as MAILMAX of RFC 9422 §4.1 counts them;
    /// the next one is answered 421. [`u32::MAX`] means no limit. An offer of MAILMAX is a limit, too.
    pub messages: u32,
    /// Bytes of a refused chunk that are read and dropped, RFC 3030 §2; a larger one is answered 552,
    /// and the session ends. The same number of bytes of a line that is too long is dropped; if the
    /// line has no end by then, it is answered 500, and the session ends.
    pub discarded: u32,
    /// Commands answered 5yz since the last accepted message, and commands answered 4yz that no other
    /// limit counts, such as DATA and AUTH; the next command is answered 421. [`u16::MAX`] means no
    /// limit.
    pub errors: u16,
    /// Commands that carry no mail forward ([`session::is_idle`](crate::session::is_idle)) and empty
    /// chunks since the last accepted message; the next one is answered 421. [`u16::MAX`] means no
    /// limit.
    pub idle: u16,
    /// Unknown commands, answered 500, since the last accepted message; the next command is answered
    /// 421. [`u16::MAX`] means no limit.
    pub unknown: u16,
}

impl ServerLimits {
    /// 1,000 recipients of a message, 1,000 messages, 20 errors, 10 unknown commands, 100 commands that
    /// carry no mail forward, 64 MiB of a refused chunk or line; the lines of RFC 5321 and RFC 4954.
    pub const DEFAULT: Self = Self {
        recipients: 1000,
        messages: 1000,
        discarded: 64 << 20,
        errors: 20,
        idle: 100,
        unknown: 10,
        ..Self::UNLIMITED
    };

    /// The lines of RFC 5321 and RFC 4954, and no limit on anything else.
    pub const UNLIMITED: Self = Self {
        command_line: 512,
        auth_line: 12_288,
        text_line: 0,
        recipients: u16::MAX,
        messages: u32::MAX,
        discarded: u32::MAX,
        errors: u16::MAX,
        idle: u16::MAX,
        unknown: u16::MAX,
    };
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Returns `true` if the limit is reached.
pub(super) const fn is_reached(count: u16, limit: u16) -> bool {
    count >= limit && limit < u16::MAX
}

const _: () = assert!(ServerLimits::DEFAULT.command_line as usize == limits::COMMAND_LINE);
const _: () = assert!(ServerLimits::DEFAULT.auth_line as usize == limits::AUTH_LINE);
