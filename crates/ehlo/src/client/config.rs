//! The configuration of a client.

use crate::data::Newlines;
use crate::syntax::capability::Offers;
use crate::syntax::policy::Policy;
use crate::syntax::reply::ReplyLimits;

/// The configuration of a [`Client`](crate::Client).
///
/// ```
/// use ehlo::{Client, ClientConfig};
/// use ehlo::data::Newlines;
///
/// let config = ClientConfig {
///     newlines: Newlines::Normalise,
///     require_tls: true,
///     ..ClientConfig::DEFAULT
/// };
/// let client = Client::new(config);
/// assert!(!client.is_tls());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The leniencies of the grammar of replies.
    pub policy: Policy,
    /// The limits on the size of a reply. The input buffer must have room for the longest.
    pub reply: ReplyLimits,
    /// The policy for bare CR and bare LF in the content.
    pub newlines: Newlines,
    /// The connection is inside TLS from its first byte, RFC 8314.
    pub implicit_tls: bool,
    /// Use PIPELINING if the server offers it, RFC 2920.
    pub pipelining: bool,
    /// Send neither mail nor credentials before TLS is established, whatever the server offers.
    pub require_tls: bool,
    /// Use mechanisms that need TLS outside it too: those that send passwords and tokens, and
    /// CRAM-MD5. RFC 4954 §4 forbids it.
    pub plaintext_auth: bool,
    /// Send bytes above 127 in content that was not declared as 8BITMIME or BINARYMIME. RFC 6152 §3
    /// forbids it, and many clients do it.
    pub any_content: bool,
    /// Private keywords whose parameters are sent where the server offers the keyword. A parameter of
    /// no known extension and of none of these is [`SendError::UnknownParameter`].
    ///
    /// [`SendError::UnknownParameter`]: crate::SendError::UnknownParameter
    pub offers: &'static Offers,
    /// For programs that test servers: send commands, parameters and mechanisms that the server does
    /// not offer. RFC 5321 §4.1.1.2 and §4.1.1.3 forbid it to all others.
    pub unoffered: bool,
}

impl ClientConfig {
    /// Strict except for the text of replies, in which servers write any bytes and on which RFC
    /// 5321 §4.2 tells a client not to depend.
    pub const DEFAULT: Self = Self {
        policy: Policy { any_reply_text: true, ..Policy::STRICT },
        reply: ReplyLimits::DEFAULT,
        newlines: Newlines::Reject,
        implicit_tls: false,
        pipelining: true,
        require_tls: false,
        plaintext_auth: false,
        any_content: false,
        offers: Offers::NONE,
        unoffered: false,
    };
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
