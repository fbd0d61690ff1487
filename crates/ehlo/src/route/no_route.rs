//! The reasons why a domain has no route.

use crate::syntax::code::{Code, EnhancedStatus};
use crate::syntax::reply::Reply;

/// The reason why a plan has no address, or no further address, to try.
///
/// ```
/// use ehlo::route::NoRoute;
///
/// let reply = NoRoute::NullMx.reply();
/// assert_eq!(reply.to_string(), "556 5.1.10 the domain accepts no mail");
/// assert!(NoRoute::NullMx.is_permanent() && !NoRoute::LookupFailed.is_permanent());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoRoute {
    /// The domain has a null MX, RFC 7505.
    NullMx,
    /// There is no such domain.
    DoesNotExist,
    /// The domain has MX records that lead to no address, or it has neither MX records nor an
    /// address.
    Unusable,
    /// This host is the best exchange of the domain, RFC 5321 §5.1.
    Loop,
    /// Aliases lead in a circle, or there are more than eight of them.
    AliasLoop,
    /// The resolver could not answer a question that the plan depends on.
    LookupFailed,
    /// The plan has returned every address, and the caller asked for another.
    Exhausted,
    /// The address literal is of a kind that is not an IP address.
    UnknownLiteral,
}

impl NoRoute {
    /// Returns `true` if another attempt later is useless, as far as the DNS shows.
    pub const fn is_permanent(self) -> bool {
        !matches!(self, Self::LookupFailed | Self::Exhausted)
    }

    /// The reply for a client, or for a notification.
    pub const fn reply(self) -> Reply<'static> {
        let (code, enhanced) = match self {
            // RFC 7505 §4.1: "it SHOULD use a 556 reply code"
            Self::NullMx => {
                (Code::DOMAIN_ACCEPTS_NO_MAIL, EnhancedStatus::RECIPIENT_NULL_MX.permanent())
            }
            Self::DoesNotExist => {
                (Code::MAILBOX_UNAVAILABLE, EnhancedStatus::BAD_DESTINATION_SYSTEM.permanent())
            }
            Self::Unusable | Self::AliasLoop | Self::UnknownLiteral => {
                (Code::MAILBOX_UNAVAILABLE, EnhancedStatus::UNABLE_TO_ROUTE.permanent())
            }
            Self::Loop => (Code::TRANSACTION_FAILED, EnhancedStatus::ROUTING_LOOP.permanent()),
            Self::LookupFailed => {
                (Code::LOCAL_ERROR, EnhancedStatus::DIRECTORY_FAILURE.transient())
            }
            Self::Exhausted => (Code::LOCAL_ERROR, EnhancedStatus::NO_ANSWER.transient()),
        };
        Reply::enhanced(code, enhanced, self.text())
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NullMx => "the domain accepts no mail",
            Self::DoesNotExist => "there is no such domain",
            Self::Unusable => "the domain has no mail exchange with an address",
            Self::Loop => "mail for the domain would come back to this host",
            Self::AliasLoop => "the domain has too many aliases, or a loop of them",
            Self::LookupFailed => "the DNS does not answer for the domain",
            Self::Exhausted => "no mail exchange of the domain could be reached",
            Self::UnknownLiteral => "the address literal is not an IP address",
        }
    }
}

impl core::fmt::Display for NoRoute {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for NoRoute {}
