//! The syntax of the argument of EHLO or HELO.

use super::a_label::is_a_label;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::grammar::whole;
use crate::syntax::limits;
use crate::syntax::path::{AddressLiteral, ClientName, Domain, Host};
use crate::syntax::path::{domain, ipv4_address_literal, ipv6_addr};
use crate::syntax::policy::Policy;

/// The kind of an argument of EHLO or HELO: RFC 5321 §2.3.5, §4.1.1.1 and §4.1.2.
///
/// ```
/// use ehlo::identity::NameSyntax;
/// use ehlo::syntax::path::ClientName;
///
/// let of = |text| ClientName::any(text).map(NameSyntax::of);
/// assert_eq!(of("mx.example.org")?, NameSyntax::FullyQualified);
/// assert_eq!(of("mx")?, NameSyntax::NotFullyQualified);
/// assert_eq!(of("192.0.2.1")?, NameSyntax::BareAddress);
/// assert_eq!(of("my_host.example.org")?, NameSyntax::Underscore);
/// assert!(!NameSyntax::Underscore.is_valid());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameSyntax {
    /// A name of at least two labels: the required form.
    FullyQualified,
    /// An IPv4 or IPv6 address in brackets: the required form of a host without a name.
    AddressLiteral,
    /// A single label, or a name whose last label is a number: the DNS cannot have either. RFC 5321
    /// §2.3.5: "Only resolvable, fully-qualified domain names (FQDNs) are permitted".
    NotFullyQualified,
    /// An address without brackets. RFC 5321 §4.1.3.
    BareAddress,
    /// An IPv6 address in brackets without `IPv6:` before it. RFC 5321 §4.1.3.
    MissingIpv6Tag,
    /// A literal that is not an IP address. RFC 5321 §4.1.3.
    OtherLiteral,
    /// A name with an underscore. RFC 5321 §4.1.2.
    Underscore,
    /// A name with the dot of the root behind it. RFC 5321 §4.1.2.
    TrailingDot,
    /// A name of more than 255 bytes, or a label of more than 63. RFC 5321 §4.5.3.1.2.
    TooLong,
    /// A label that begins with `xn--` and is not the form of a U-label. RFC 5890 §2.3.2.1.
    InvalidALabel,
    /// A name that is not in US-ASCII. RFC 6531 §3.7.1.
    NotAscii,
    /// Neither a name nor an address literal. RFC 5321 §4.1.1.1.
    Invalid,
}

impl NameSyntax {
    /// The kind of this argument.
    pub fn of(claimed: ClientName<'_>) -> Self {
        judge(claimed).0
    }

    /// Returns `true` if the argument has the form that RFC 5321 requires.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::FullyQualified | Self::AddressLiteral)
    }

    /// The name of the value, as `Display` prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullyQualified => "fully-qualified",
            Self::AddressLiteral => "address-literal",
            Self::NotFullyQualified => "not-fully-qualified",
            Self::BareAddress => "bare-address",
            Self::MissingIpv6Tag => "missing-ipv6-tag",
            Self::OtherLiteral => "other-literal",
            Self::Underscore => "underscore",
            Self::TrailingDot => "trailing-dot",
            Self::TooLong => "too-long",
            Self::InvalidALabel => "invalid-a-label",
            Self::NotAscii => "not-ascii",
            Self::Invalid => "invalid",
        }
    }

    /// A description, fit for the text of a reply.
    pub const fn text(self) -> &'static str {
        match self {
            Self::FullyQualified => "the name is fully qualified",
            Self::AddressLiteral => "the name is an address literal",
            Self::NotFullyQualified => "the name is not fully qualified",
            Self::BareAddress => "an address needs brackets around it",
            Self::MissingIpv6Tag => "an IPv6 address literal begins with [IPv6:",
            Self::OtherLiteral => "the address literal is no IP address",
            Self::Underscore => "a host name has no underscore",
            Self::TrailingDot => "the name ends with a dot",
            Self::TooLong => "the name is too long",
            Self::InvalidALabel => "a label with xn-- is no valid A-label",
            Self::NotAscii => "the name is not in US-ASCII: its A-labels are to be sent",
            Self::Invalid => "it is neither a host name nor an address literal",
        }
    }
}

impl core::fmt::Display for NameSyntax {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of the argument, and the name in it that a resolver can look up.
pub(super) fn judge(claimed: ClientName<'_>) -> (NameSyntax, Option<Domain<'_>>) {
    let domain = match claimed {
        ClientName::AddressLiteral(literal) => return (of_literal(literal), None),
        ClientName::Domain(_) | ClientName::Irregular(_) => domain_of(claimed),
    };
    let Some(name) = domain else {
        let text = match claimed {
            ClientName::Irregular(text) => text.as_str(),
            _ => "",
        };
        return (of_irregular(text), None);
    };
    let syntax = of_domain(name);
    // A name that the DNS cannot have is not looked up.
    let resolvable = matches!(syntax, NameSyntax::FullyQualified | NameSyntax::Underscore)
        && !is_loopback(Host::Domain(name));
    let is_absolute =
        matches!(claimed, ClientName::Irregular(text) if text.as_str().ends_with('.'));
    let syntax = if is_absolute { NameSyntax::TrailingDot } else { syntax };
    (syntax, resolvable.then_some(name))
}

/// The argument as a name, if it is one apart from underscores and the dot of the root.
pub(super) fn domain_of(claimed: ClientName<'_>) -> Option<Domain<'_>> {
    match claimed {
        ClientName::Domain(domain) => Some(domain),
        ClientName::AddressLiteral(_) => None,
        ClientName::Irregular(text) => {
            let name = text.as_bytes();
            let name = name.strip_suffix(b".").unwrap_or(name);
            whole(name, SyntaxErrorKind::Domain, |input| domain(input, &UNDERSCORE)).ok()
        }
    }
}

/// Returns `true` if every host takes the name for itself: `localhost` and names below it, RFC 6761
/// §6.3, and the loopback and unspecified addresses, RFC 1122 §3.2.1.3 and RFC 4291 §2.5. Hosts
/// files use `localhost.localdomain` for the same; other names below `localdomain` belong to hosts.
pub(super) fn is_loopback(host: Host<'_>) -> bool {
    match host {
        Host::Domain(domain) => {
            let name = domain.as_bytes();
            let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
            last.eq_ignore_ascii_case(b"localhost")
                || name.eq_ignore_ascii_case(b"localhost.localdomain")
        }
        Host::AddressLiteral(literal) => {
            let address = literal.ip().map(|address| address.to_canonical());
            address.is_some_and(|address| address.is_loopback() || address.is_unspecified())
        }
    }
}

fn of_literal(literal: AddressLiteral<'_>) -> NameSyntax {
    match literal {
        AddressLiteral::Ipv4(_) | AddressLiteral::Ipv6(_) => NameSyntax::AddressLiteral,
        AddressLiteral::General(general) => {
            let is_ipv6 = ipv6_addr(general.as_str().as_bytes()).is_some();
            if is_ipv6 { NameSyntax::MissingIpv6Tag } else { NameSyntax::OtherLiteral }
        }
    }
}

fn of_domain(domain: Domain<'_>) -> NameSyntax {
    let name = domain.as_bytes();
    let labels = || name.split(|byte| *byte == b'.');
    let last = labels().next_back().unwrap_or_default();
    if !domain.is_ascii() {
        NameSyntax::NotAscii
    } else if ipv4_address_literal(name).is_some() {
        NameSyntax::BareAddress
    } else if !name.contains(&b'.') || last.iter().all(u8::is_ascii_digit) {
        NameSyntax::NotFullyQualified
    } else if name.contains(&b'_') {
        NameSyntax::Underscore
    } else if !labels().all(is_a_label) {
        NameSyntax::InvalidALabel
    } else {
        NameSyntax::FullyQualified
    }
}

fn of_irregular(text: &str) -> NameSyntax {
    let is_too_long = |name: &str| {
        let is_long =
            name.len() > limits::DOMAIN || name.split('.').any(|label| label.len() > limits::LABEL);
        is_long && !name.contains(' ')
    };
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if inside.is_some_and(|inside| ipv6_addr(inside.as_bytes()).is_some()) {
        NameSyntax::MissingIpv6Tag
    } else if ipv6_addr(text.as_bytes()).is_some() {
        NameSyntax::BareAddress
    } else if inside.is_none() && is_too_long(text) {
        NameSyntax::TooLong
    } else {
        NameSyntax::Invalid
    }
}

const UNDERSCORE: Policy = Policy { underscore_in_domain: true, ..Policy::STRICT };
