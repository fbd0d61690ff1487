//! Faults of a greeting, and the reactions that a receiver may choose.

use super::NameSyntax;
use crate::syntax::code::{Code, EnhancedCode, EnhancedStatus};
use crate::syntax::reply::Reply;

/// A fault of a greeting.
///
/// ```
/// use ehlo::identity::Finding;
///
/// let reply = Finding::NoReverseName.reply().unwrap();
/// assert_eq!(reply.to_string(), "550 5.7.25 your address has no reverse DNS name");
/// // RFC 5321 §4.1.4 forbids to refuse mail for this.
/// assert!(Finding::NameElsewhere.reply().is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// The argument is not a name, or not a name to greet with.
    Syntax(NameSyntax),
    /// Only this host may use the name.
    Forgery(Forgery),
    /// The peer's address has no name: iprev `permerror`.
    NoReverseName,
    /// The peer's address has names, but no name has the address: iprev `fail`.
    ReverseMismatch,
    /// The resolver could not say whether a name has the address: iprev `temperror`.
    ReverseUnknown,
    /// The name has addresses, but not the peer's; or the literal is not the peer's address.
    NameElsewhere,
    /// The name has no address.
    NameWithoutAddress,
    /// The resolver could not say whether the name has the address.
    NameUnknown,
    /// The name of the peer's address looks generic, as if a provider gave one to each of its addresses.
    GenericReverseName,
}

impl Finding {
    /// The reply of a receiver that refuses for this reason; `None` if it must not refuse, or if no
    /// standard allows it.
    ///
    /// It fits EHLO, MAIL and RCPT. At EHLO many clients take it for a server without extensions and
    /// try HELO; at RCPT the refusal can be logged with the addresses.
    pub const fn reply(self) -> Option<Reply<'static>> {
        let (code, enhanced) = match self {
            // RFC 5321 §4.1.2: a server that finds invalid characters in a command "MUST reject that
            // command with a 501 response"; §2.3.5: "Only resolvable, fully-qualified domain names
            // (FQDNs) are permitted".
            Self::Syntax(_) => {
                (Code::ARGUMENT_SYNTAX_ERROR, EnhancedStatus::INVALID_ARGUMENTS.permanent())
            }
            // RFC 5321 §7.9: a site may refuse by its own policy.
            Self::Forgery(_) => {
                (Code::MAILBOX_UNAVAILABLE, EnhancedStatus::NOT_AUTHORISED.permanent())
            }
            // RFC 7372 §3.3.
            Self::NoReverseName | Self::ReverseMismatch => (Code::MAILBOX_UNAVAILABLE, REVERSE_DNS),
            Self::ReverseUnknown => {
                (Code::LOCAL_ERROR, EnhancedStatus::REVERSE_DNS_FAILED.transient())
            }
            // RFC 5321 §4.1.4: "if the verification fails, the server MUST NOT refuse to accept a
            // message on that basis". No RFC judges the look of a name.
            Self::NameElsewhere
            | Self::NameWithoutAddress
            | Self::NameUnknown
            | Self::GenericReverseName => return None,
        };
        Some(Reply::enhanced(code, enhanced, self.text()))
    }

    /// A description, addressed to the client.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Syntax(syntax) => syntax.text(),
            Self::Forgery(Forgery::Own) => "the name you greet with is mine, not yours",
            Self::Forgery(Forgery::Loopback) => {
                "the name you greet with means this host, not yours"
            }
            Self::NoReverseName => "your address has no reverse DNS name",
            Self::ReverseMismatch => {
                "the reverse DNS name of your address does not lead back to it"
            }
            Self::ReverseUnknown => "the reverse DNS of your address cannot be checked now",
            Self::NameElsewhere => "the name you greet with has other addresses than yours",
            Self::NameWithoutAddress => "the name you greet with has no address",
            Self::NameUnknown => "the name you greet with cannot be checked now",
            Self::GenericReverseName => {
                "the reverse DNS name of your address looks like one of many"
            }
        }
    }
}

impl core::fmt::Display for Finding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.text())
    }
}

const REVERSE_DNS: EnhancedCode = EnhancedStatus::REVERSE_DNS_FAILED.permanent();

/// A claim that only this host can make, made by another host.
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::{DnsAnswer, Forgery};
/// use ehlo::syntax::path::{ClientName, Host};
///
/// let own = [Host::new("mx.example.net")?];
/// let peer = "192.0.2.1".parse()?;
/// let mut check = HeloCheck::new(peer, ClientName::new("mx.example.net")?).with_own(&own);
/// check.answer(DnsAnswer::DoesNotExist)?;
/// check.answer(DnsAnswer::Addresses(&["198.51.100.1".parse()?]))?;
/// assert_eq!(check.verdict().forgery, Some(Forgery::Own));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forgery {
    /// A name or an address of this host that does not lead to the peer.
    Own,
    /// `localhost`, a loopback address or the unspecified one, from a peer at another address.
    Loopback,
}

impl Forgery {
    /// The name of the value, as `Display` prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Loopback => "loopback",
        }
    }
}

impl core::fmt::Display for Forgery {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a receiver refuses mail because of a finding.
///
/// Enforcement suits the port for mail from other servers alone: a client that authenticates, or one in
/// the receiver's own network, often has neither a host name nor reverse DNS.
///
/// ```
/// use ehlo::identity::Enforcement;
///
/// assert_eq!(Enforcement::default(), Enforcement::Record);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enforcement {
    /// Never: findings are recorded.
    #[default]
    Record,
    /// For every finding that has a [`reply`](Finding::reply).
    Enforce,
}

/// A suggestion to the receiver: see [`Verdict::advice`](super::Verdict::advice).
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::{Advice, DnsAnswer, Enforcement, Finding};
/// use ehlo::syntax::path::ClientName;
///
/// let mut check = HeloCheck::new("192.0.2.1".parse()?, ClientName::new("[192.0.2.1]")?);
/// check.answer(DnsAnswer::TemporaryFailure)?;
/// let verdict = check.verdict();
/// let finding = Finding::ReverseUnknown;
/// assert_eq!(verdict.advice(Enforcement::Record), Advice::Record(finding));
/// let Advice::Refuse { reply, .. } = verdict.advice(Enforcement::Enforce) else { panic!() };
/// assert_eq!(reply.code().number(), 451);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// No finding.
    Accept,
    /// Accept, and record this finding, the most serious one.
    Record(Finding),
    /// Refuse with this reply.
    Refuse {
        /// The reason.
        finding: Finding,
        /// The standard reply: 5yz, or 4yz if the result may change later.
        reply: Reply<'static>,
    },
}
