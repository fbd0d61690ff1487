//! What a delivery does where it has a choice.

use crate::client::config::ClientConfig;

/// How a [`Delivery`](crate::Delivery) behaves.
///
/// ```
/// use ehlo::DeliveryConfig;
/// use ehlo::delivery::TlsPolicy;
///
/// let config = DeliveryConfig { tls: TlsPolicy::Require, ..DeliveryConfig::default() };
/// assert_eq!(config.early_content, 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// The client machine's part. With [`implicit_tls`](ClientConfig::implicit_tls) the connection
    /// is inside TLS from its first byte, and no STARTTLS is said.
    pub client: ClientConfig,
    /// Speak LMTP, RFC 2033.
    pub lmtp: bool,
    /// What to greet with.
    pub hello: HelloPolicy,
    /// Whether the session goes on inside TLS.
    pub tls: TlsPolicy,
    /// Whether the client authenticates. Mechanisms that need TLS, by
    /// [`Mechanisms::NEED_TLS`](crate::syntax::sasl::Mechanisms::NEED_TLS), are used outside it only
    /// where [`plaintext_auth`](ClientConfig::plaintext_auth) says so.
    pub auth: AuthPolicy,
    /// How the content goes.
    pub chunking: ChunkingPolicy,
    /// Content of at most so many bytes, by [`Envelope::size`](crate::Envelope::size), goes behind
    /// its RCPT commands before they are answered, where it goes in chunks and PIPELINING is
    /// offered. It goes in vain when every recipient is refused. 0 for never.
    pub early_content: u64,
    /// Ask for the next envelope as soon as the content of a message is written, so that MAIL goes
    /// behind its end, RFC 2920 §3.1. Two envelopes are then open at a time. Otherwise an envelope
    /// is asked for when the one before it is finished.
    pub pipeline_messages: bool,
    /// Send recipients again that were answered "too many recipients" (452 or 552, RFC 5321
    /// §4.5.3.1.10) behind others that were accepted, in a further transaction. As with RCPTMAX,
    /// only an envelope that is [`repeatable`](crate::Envelope::repeatable) can be.
    pub split_recipients: bool,
}

impl DeliveryConfig {
    /// SMTP; HELO where EHLO is refused; TLS where it is offered; no authentication; chunks where
    /// they are offered together with PIPELINING; 64 KiB of early content; the next envelope behind
    /// the content, and recipients again that were too many.
    pub const DEFAULT: Self = Self {
        client: ClientConfig::DEFAULT,
        lmtp: false,
        hello: HelloPolicy::Fallback,
        tls: TlsPolicy::Opportunistic,
        auth: AuthPolicy::Never,
        chunking: ChunkingPolicy::Pipelined,
        early_content: 64 * 1024,
        pipeline_messages: true,
        split_recipients: true,
    };
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a delivery greets with, RFC 5321 §3.2. LMTP has LHLO alone.
///
/// A session that was greeted by HELO has no extension. Where TLS or authentication is
/// [required](TlsPolicy::Require) an EHLO that is refused is not followed by HELO, whatever the
/// policy; what an envelope needs is seen when it comes, as
/// [`NotSent`](super::Event::NotSent). `docs/helo.md` lists what is lost.
///
/// ```
/// use ehlo::DeliveryConfig;
/// use ehlo::delivery::HelloPolicy;
///
/// let config = DeliveryConfig { hello: HelloPolicy::EhloOnly, ..DeliveryConfig::DEFAULT };
/// assert_ne!(config.hello, HelloPolicy::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HelloPolicy {
    /// EHLO alone, for envelopes that need an extension: a server that refuses it is of no use.
    EhloOnly,
    /// EHLO, and HELO when it is refused with any 5yz.
    #[default]
    Fallback,
    /// The same, and a connection that is closed at EHLO is reported as
    /// [`EhloClosed`](super::UnusableSession::EhloClosed), for the caller to open another with
    /// [`HeloOnly`](Self::HeloOnly).
    Reconnect,
    /// HELO alone: no extension is in force.
    HeloOnly,
    /// HELO, and EHLO when it is refused with any 5yz: for servers that stumble over EHLO where a few
    /// insist on it.
    HeloFirst,
}

/// Whether a session in clear goes on inside TLS, RFC 3207.
///
/// ```
/// use ehlo::Delivery;
/// use ehlo::delivery::{Event, TlsPolicy, UnusableSession};
/// use ehlo::{DeliveryConfig, HeloName};
/// use ehlo::machine::Machine;
///
/// let config = DeliveryConfig { tls: TlsPolicy::Require, ..DeliveryConfig::DEFAULT };
/// let mut delivery = Delivery::new(HeloName::new("client.example")?, config);
/// delivery.receive(b"220 mx.example ESMTP\r\n");
/// delivery.transmit(&mut [0; 512])?;
/// delivery.receive(b"250 mx.example\r\n");
/// assert_eq!(delivery.receive(b"").event, Event::Unusable(UnusableSession::TlsNotOffered));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// STARTTLS is not said.
    Forbid,
    /// STARTTLS is said where it is offered; where it is refused the session goes on in clear. A
    /// handshake that fails leaves the connection without use.
    #[default]
    Opportunistic,
    /// Without TLS neither credentials nor an envelope are sent.
    Require,
}

/// Whether a delivery authenticates, RFC 4954.
///
/// Credentials that an application has are used, or no mail is sent: it says
/// [`require_authentication`](crate::Delivery::require_authentication), and [`Never`](Self::Never)
/// becomes [`Require`](Self::Require). [`Optional`](Self::Optional) alone lets mail go without them.
///
/// ```
/// use ehlo::DeliveryConfig;
/// use ehlo::delivery::AuthPolicy;
///
/// let config = DeliveryConfig { auth: AuthPolicy::Require, ..DeliveryConfig::DEFAULT };
/// assert_ne!(config.auth, AuthPolicy::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthPolicy {
    /// It does not, unless the application
    /// [requires it](crate::Delivery::require_authentication).
    #[default]
    Never,
    /// Where a mechanism is offered that may be used; the session goes on without when that fails.
    Optional,
    /// Without it no envelope is sent.
    Require,
}

/// How the content goes: by BDAT in chunks, RFC 3030, or by DATA. A message of BODY=BINARYMIME goes
/// by BDAT whatever this says.
///
/// ```
/// use ehlo::DeliveryConfig;
/// use ehlo::delivery::ChunkingPolicy;
///
/// let config = DeliveryConfig { chunking: ChunkingPolicy::Never, ..DeliveryConfig::DEFAULT };
/// assert_ne!(config.chunking, ChunkingPolicy::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChunkingPolicy {
    /// By DATA.
    Never,
    /// In chunks where PIPELINING is offered too: elsewhere each chunk would wait for a reply.
    #[default]
    Pipelined,
    /// In chunks wherever that is offered. Without PIPELINING there is one chunk for each
    /// [`NeedContent`](super::Event::NeedContent).
    Offered,
}

/// The configuration without the client's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) lmtp: bool,
    pub(super) hello: HelloPolicy,
    pub(super) tls: TlsPolicy,
    pub(super) auth: AuthPolicy,
    pub(super) plaintext_auth: bool,
    pub(super) chunking: ChunkingPolicy,
    pub(super) pipelining: bool,
    pub(super) early_content: u64,
    pub(super) overlap: bool,
    pub(super) split: bool,
}

impl Config {
    pub(super) const fn of(config: &DeliveryConfig) -> Self {
        Self {
            lmtp: config.lmtp,
            hello: config.hello,
            tls: config.tls,
            auth: config.auth,
            plaintext_auth: config.client.plaintext_auth,
            chunking: config.chunking,
            pipelining: config.client.pipelining,
            early_content: config.early_content,
            overlap: config.pipeline_messages,
            split: config.split_recipients,
        }
    }
}
