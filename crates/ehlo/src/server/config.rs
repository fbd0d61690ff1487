//! What a server is, what it offers, and how much it bears.

use crate::data::Newlines;
use crate::syntax::capability::Capabilities;
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// What a server is for.
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

/// As a word.
impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Smtp => "SMTP",
            Self::Submission => "submission",
            Self::Lmtp => "LMTP",
        })
    }
}

/// The configuration of a [`Server`](crate::Server). What EHLO offers is built from it, so what is
/// offered and what is accepted cannot differ.
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
    /// The extensions that are offered, as far as the moment allows: STARTTLS only outside TLS,
    /// REQUIRETLS only inside it, plaintext mechanisms of AUTH only inside it or by
    /// [`plaintext_auth`](Self::plaintext_auth). Whatever is not offered is refused. What can be
    /// offered at no moment is left out; [`check`](Self::check) tells of it.
    ///
    /// XCLIENT and XFORWARD let the client say on whose behalf it speaks: offer them to a client
    /// that may, by its address, and to no other. With XCLIENT the address changes, and the offer ends:
    /// see [`Server::offer`](crate::Server::offer).
    pub offered: Capabilities,
    /// Leniencies.
    pub policy: Policy,
    /// What happens to bare CR, bare LF and NUL in mail data, by DATA and by BDAT alike. RFC 3030 §3:
    /// content that was declared BODY=BINARYMIME has no lines, and is handed out as it is.
    pub newlines: Newlines,
    /// The connection is inside TLS from its first octet, RFC 8314.
    pub implicit_tls: bool,
    /// 530 until TLS is established, RFC 3207 §4.
    pub require_tls: bool,
    /// 530 to every command but AUTH, EHLO, HELO, NOOP, RSET, QUIT and STARTTLS until the client has
    /// authenticated, RFC 4954 §6.
    pub require_auth: bool,
    /// Plaintext mechanisms of AUTH are offered and accepted outside TLS too.
    pub plaintext_auth: bool,
    /// 554 to a client that speaks before the greeting, and to one that sends more behind a command
    /// whose reply it has to await (RFC 2920 §3.1); the latter ends the session.
    ///
    /// Whether more is there depends on how the octets arrive and on when they are read, and so
    /// does the verdict: it is the only one that does. Without it every command is answered in its
    /// turn. To hear an early talker, read before the greeting is answered: see
    /// [`Server::talked_early`](crate::Server::talked_early).
    pub refuse_early: bool,
    /// How much one session may ask for.
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
        policy: Policy::STRICT,
        newlines: Newlines::Reject,
        implicit_tls: false,
        require_tls: false,
        require_auth: false,
        plaintext_auth: false,
        refuse_early: false,
        limits: ServerLimits::DEFAULT,
    };

    /// The same for message submission: MAIL wants a client that has authenticated, RFC 6409 §4.3.
    pub const SUBMISSION: Self =
        Self { role: Role::Submission, require_auth: true, ..Self::DEFAULT };

    /// The same for local delivery, RFC 2033.
    pub const LMTP: Self = Self { role: Role::Lmtp, ..Self::DEFAULT };
}

impl ServerConfig {
    /// Whether all that is [offered](Self::offered) can be: what the machine cannot carry out, or what
    /// does not fit the rest of the configuration, a server leaves out of the reply to EHLO, and
    /// refuses.
    ///
    /// # Errors
    ///
    /// [`CannotOffer`], with the first extension that is offered in vain: PRDR, CHECKPOINT (RFC 1845),
    /// UTF8SMTP (RFC 5336), SEND, SOML, SAML and TURN (RFC 821); ETRN and ATRN by a submission server,
    /// RFC 6409 §7; BINARYMIME without CHUNKING, RFC 3030 §3.
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
        Ok(())
    }

    /// Whether a server of this configuration may offer the extension at some moment.
    pub(super) const fn can_offer(&self, extension: Extension) -> bool {
        match extension {
            // RFC 1845 §3 and PRDR have replies within the transaction that this machine has not; RFC
            // 5336 has addresses that it does not read, RFC 821 verbs that nobody performs.
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
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An extension that a configuration offers, and that its server cannot.
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

/// How much one session may ask for. All of it is on by default; the largest message is what SIZE
/// [offers](ServerConfig::offered).
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
    /// Octets of a command line with its CRLF, to which extensions add; a longer one is answered
    /// 500. RFC 5321 §4.5.3.1.4: at least 512, and less is not meant.
    pub command_line: u16,
    /// Octets of a line of AUTH, or within its exchange, with its CRLF; a longer one is answered
    /// 500. RFC 4954 §4: "12288 octets is considered to be a sufficient line length limit".
    pub auth_line: u16,
    /// Octets of a line of mail data with its CRLF, by DATA and by BDAT alike; a message with a longer
    /// one is answered 500, unless it was declared BODY=BINARYMIME. 0, the default, for any number. RFC 5321 §4.5.3.1.6: at least 1,000; §4.5.3.1: "To the maximum
    /// extent possible, implementation techniques that impose no limits on the length of these
    /// objects should be used."
    pub text_line: u16,
    /// RCPT commands of one mail transaction, the refused ones too, as RCPTMAX of RFC 9422 §4.2
    /// counts them; one more is answered 452. RFC 5321 §4.5.3.1.8: at least 100. As many again are
    /// answered so without further ado, since a client may have pipelined them; then each is an error.
    /// [`u16::MAX`] for any number, of which 65,535 are counted. An offer of RCPTMAX holds besides.
    pub recipients: u16,
    /// MAIL commands of one session, the refused ones too, as MAILMAX of RFC 9422 §4.1 counts them;
    /// one more is answered 421. [`u32::MAX`] for any number. An offer of MAILMAX holds besides.
    pub messages: u32,
    /// Octets of a chunk that is refused which are read and dropped, RFC 3030 §2; a larger one is
    /// answered 552, and the session is over. So many octets of a line that is too long are dropped,
    /// too; where it has no end by then it is answered 500, and the session is over.
    pub discarded: u32,
    /// Commands answered 5yz since the last message that was accepted, and those answered 4yz that no
    /// other limit counts, as DATA or AUTH; then 421. [`u16::MAX`] for any number.
    pub errors: u16,
    /// Commands that carry no mail forward ([`session::is_idle`](crate::session::is_idle)) since the
    /// last message that was accepted, and chunks of no bytes; one more is answered 421.
    /// [`u16::MAX`] for any number.
    pub idle: u16,
    /// Lines that are no known command, answered 500, since the last message that was accepted;
    /// then 421. [`u16::MAX`] for any number.
    pub unknown: u16,
}

impl ServerLimits {
    /// 1,000 recipients of a message, 1,000 messages, 20 errors, of which 10 unknown commands, 100
    /// commands that carry no mail forward, 64 MiB of a chunk that is refused; lines as RFC 5321 and
    /// RFC 4954 have them.
    pub const DEFAULT: Self = Self {
        recipients: 1000,
        messages: 1000,
        discarded: 64 << 20,
        errors: 20,
        idle: 100,
        unknown: 10,
        ..Self::UNLIMITED
    };

    /// Lines as RFC 5321 and RFC 4954 have them, and as much as one likes of everything else.
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

/// Whether so many are as many as there may be.
pub(super) const fn is_reached(count: u16, limit: u16) -> bool {
    count >= limit && limit < u16::MAX
}

const _: () = assert!(ServerLimits::DEFAULT.command_line as usize == limits::COMMAND_LINE);
const _: () = assert!(ServerLimits::DEFAULT.auth_line as usize == limits::AUTH_LINE);
