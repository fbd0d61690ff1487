//! The configuration of a delivery.

use crate::client::config::ClientConfig;

/// The behaviour of a [`Delivery`](crate::Delivery).
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
    /// The configuration of the client machine. With [`implicit_tls`](ClientConfig::implicit_tls)
    /// the connection is inside TLS from its first byte, and the delivery sends no STARTTLS.
    pub client: ClientConfig,
    /// Use LMTP, RFC 2033.
    pub lmtp: bool,
    /// The choice between EHLO and HELO.
    pub hello: HelloPolicy,
    /// The use of STARTTLS.
    pub tls: TlsPolicy,
    /// The use of AUTH. Mechanisms that need TLS,
    /// [`Mechanisms::NEED_TLS`](crate::syntax::sasl::Mechanisms::NEED_TLS), are used outside TLS
    /// only with [`plaintext_auth`](ClientConfig::plaintext_auth).
    pub auth: AuthPolicy,
    /// The choice between BDAT and DATA.
    pub chunking: ChunkingPolicy,
    /// The largest content, by [`Envelope::size`](crate::Envelope::size) in bytes, that is sent
    /// behind its RCPT commands before the server answers them. It applies to content in chunks if
    /// the server offers PIPELINING. If the server refuses every recipient, the content was sent in
    /// vain. 0 means never.
    pub early_content: u64,
    /// Ask for the next envelope as soon as the content of a message is written, so that MAIL
    /// follows it directly, RFC 2920 §3.1. Two envelopes are then open at a time. If false, the
    /// delivery asks for an envelope when the one before it is finished.
    pub pipeline_messages: bool,
    /// Send recipients again that the server answered with "too many recipients" (452 or 552, RFC
    /// 5321 §4.5.3.1.10) behind others that it accepted, in a further transaction. As with RCPTMAX,
    /// this needs an envelope that is [`repeatable`](crate::Envelope::repeatable).
    pub split_recipients: bool,
}

impl DeliveryConfig {
    /// SMTP; HELO if the server refuses EHLO; TLS if it offers STARTTLS; no authentication; chunks
    /// if it offers CHUNKING and PIPELINING; 64 KiB of early content; the next envelope directly
    /// behind the content; excess recipients in a further transaction.
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

/// The greeting of a delivery, RFC 5321 §3.2. In LMTP it is always LHLO.
///
/// A session with HELO has no extensions. If TLS or authentication is
/// [required](TlsPolicy::Require), the delivery sends no HELO after a refused EHLO, under any
/// policy. If an envelope needs an extension, the delivery reports
/// [`NotSent`](super::Event::NotSent) when the envelope comes. `docs/helo.md` lists the losses.
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
    /// EHLO alone, for envelopes that need an extension: a refusal makes the session unusable.
    EhloOnly,
    /// EHLO, then HELO if the server refuses EHLO with any 5yz.
    #[default]
    Fallback,
    /// The same, and a connection that the server closes at EHLO is reported as
    /// [`EhloClosed`](super::UnusableSession::EhloClosed), so that the caller can open another with
    /// [`HeloOnly`](Self::HeloOnly).
    Reconnect,
    /// HELO alone: no extension is in force.
    HeloOnly,
    /// HELO, then EHLO if the server refuses HELO with any 5yz: for servers that fail at EHLO,
    /// where a few others insist on it.
    HeloFirst,
}

/// The use of STARTTLS in a session that begins without TLS, RFC 3207.
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
    /// The delivery never sends STARTTLS.
    Forbid,
    /// The delivery sends STARTTLS if the server offers it. If the server refuses, the session
    /// continues without TLS. A failed handshake makes the connection unusable.
    #[default]
    Opportunistic,
    /// Without TLS the delivery sends neither credentials nor an envelope.
    Require,
}

/// The use of AUTH, RFC 4954.
///
/// An application that has credentials should send no mail without them: it calls
/// [`require_authentication`](crate::Delivery::require_authentication), which turns
/// [`Never`](Self::Never) into [`Require`](Self::Require). Only [`Optional`](Self::Optional) lets
/// mail go without the credentials.
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
    /// No authentication, unless the application [requires
    /// it](crate::Delivery::require_authentication).
    #[default]
    Never,
    /// Authentication if the server offers a usable mechanism; if it fails, the session continues
    /// without.
    Optional,
    /// Without authentication the delivery sends no envelope.
    Require,
}

/// The command for the content: BDAT in chunks, RFC 3030, or DATA. A message of BODY=BINARYMIME is
/// always sent by BDAT.
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
    /// Always DATA.
    Never,
    /// Chunks if the server also offers PIPELINING: otherwise each chunk would wait for a reply.
    #[default]
    Pipelined,
    /// Chunks if the server offers CHUNKING. Without PIPELINING there is one chunk for each
    /// [`NeedContent`](super::Event::NeedContent).
    Offered,
}

/// The configuration without that of the client.
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
