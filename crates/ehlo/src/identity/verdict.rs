//! The result of a check.

use core::net::IpAddr;

use super::{Advice, Enforcement, Finding, Forgery, NameSyntax};
use crate::syntax::path::{ClientName, Domain};

/// The facts about a greeting: see [`HeloCheck`](crate::HeloCheck).
///
/// It prints as one line without spaces in its values, for a log.
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::DnsAnswer;
/// use ehlo::syntax::path::ClientName;
///
/// let mut check = HeloCheck::new("192.0.2.1".parse()?, ClientName::new("mx.example.org")?);
/// check.answer(DnsAnswer::DoesNotExist)?;
/// check.answer(DnsAnswer::Addresses(&["192.0.2.1".parse()?]))?;
/// assert_eq!(
///     check.verdict().to_string(),
///     "helo=mx.example.org syntax=fully-qualified claim=matches iprev=permerror"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'c> {
    /// The argument of EHLO or HELO.
    pub claimed: ClientName<'c>,
    /// The client's address; never an IPv4-mapped one.
    pub peer: IpAddr,
    /// The kind of the claimed name.
    pub syntax: NameSyntax,
    /// The addresses to which the claimed name leads.
    pub claim: Claim,
    /// Whether the names of the peer's address lead back to it.
    pub iprev: Iprev,
    /// The name that leads back, or else the first name of the address.
    pub reverse_name: Option<Domain<'c>>,
    /// Whether that name looks generic, as names that a provider gives to each of its addresses: a
    /// guess.
    pub generic: bool,
    /// The claim of something that only this host may claim, if it is one.
    pub forgery: Option<Forgery>,
}

impl<'c> Verdict<'c> {
    /// The forward-confirmed name of the peer: it has the address, and the address has it.
    pub const fn verified_name(&self) -> Option<Domain<'c>> {
        match self.iprev {
            Iprev::Pass => self.reverse_name,
            _ => None,
        }
    }

    /// All findings, the most serious first.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + use<> {
        let claim = match self.claim {
            Claim::Matches | Claim::Unchecked => None,
            Claim::Elsewhere => Some(Finding::NameElsewhere),
            Claim::NoAddress => Some(Finding::NameWithoutAddress),
            Claim::TemporaryFailure => Some(Finding::NameUnknown),
        };
        let reverse = match self.iprev {
            Iprev::Pass => None,
            Iprev::Fail => Some(Finding::ReverseMismatch),
            Iprev::PermError => Some(Finding::NoReverseName),
            Iprev::TempError => Some(Finding::ReverseUnknown),
        };
        let syntax = (!self.syntax.is_valid()).then_some(Finding::Syntax(self.syntax));
        let generic = self.generic.then_some(Finding::GenericReverseName);
        [syntax, self.forgery.map(Finding::Forgery), reverse, claim, generic].into_iter().flatten()
    }

    /// The reaction that a receiver's policy suggests.
    pub fn advice(&self, enforcement: Enforcement) -> Advice {
        let refusal = self.findings().find_map(|finding| Some((finding, finding.reply()?)));
        match (enforcement, refusal) {
            (Enforcement::Enforce, Some((finding, reply))) => Advice::Refuse { finding, reply },
            _ => self.findings().next().map_or(Advice::Accept, Advice::Record),
        }
    }
}

impl core::fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("helo=")?;
        match self.claimed {
            // Only this value may have spaces in it.
            ClientName::Irregular(text) => write!(f, "{:?}", text.as_str())?,
            name => write!(f, "{name}")?,
        }
        write!(f, " syntax={} claim={} iprev={}", self.syntax.as_str(), self.claim, self.iprev)?;
        if let Some(name) = self.reverse_name {
            write!(f, " reverse={name}")?;
        }
        if self.generic {
            f.write_str(" generic")?;
        }
        match self.forgery {
            Some(forgery) => write!(f, " forgery={}", forgery.as_str()),
            None => Ok(()),
        }
    }
}

/// The addresses to which the claimed name leads. RFC 5321 §4.1.4: a server may verify it, and must
/// not refuse mail because "the verification fails".
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::Claim;
/// use ehlo::syntax::path::ClientName;
///
/// let check = HeloCheck::new("2001:db8::1".parse()?, ClientName::new("[IPv6:2001:db8::2]")?);
/// assert_eq!(check.verdict().claim, Claim::Elsewhere);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The peer: the name has its address, or the literal is it.
    Matches,
    /// Other addresses.
    Elsewhere,
    /// No address: the name has none.
    NoAddress,
    /// The resolver could not say, or was not asked yet.
    TemporaryFailure,
    /// The argument is neither an address nor a name that the DNS can have.
    Unchecked,
}

impl Claim {
    /// The name of the value, as `Display` prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Elsewhere => "elsewhere",
            Self::NoAddress => "no-address",
            Self::TemporaryFailure => "temporary-failure",
            Self::Unchecked => "unchecked",
        }
    }
}

impl core::fmt::Display for Claim {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The result of "iprev", RFC 8601 §2.7.3 and §3: whether a name of the peer's address has that
/// address.
///
/// ```
/// use ehlo::identity::Iprev;
///
/// assert_eq!(Iprev::PermError.to_string(), "permerror");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Iprev {
    /// `pass`: a name has the address.
    Pass,
    /// `fail`: there are names, but no name has the address.
    Fail,
    /// `temperror`: the resolver could not answer.
    TempError,
    /// `permerror`: the address has no name.
    PermError,
}

impl Iprev {
    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl core::fmt::Display for Iprev {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}
