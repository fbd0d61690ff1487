//! Who is greeting, and is it true: what a receiver can find out about the name in EHLO or HELO.
//!
//! [`HeloCheck`] asks the questions, any resolver answers them, and a [`Verdict`] holds the facts.
//! What may be done about them is in [`Finding`] and [`Advice`]: RFC 5321 §4.1.4 lets a receiver
//! verify the name, and forbids it to refuse mail because the name does not match the address.

mod a_label;
mod finding;
mod generic;
mod helo_name;
mod names;
mod query;
mod syntax;
mod verdict;

use core::net::IpAddr;

pub use finding::{Advice, Enforcement, Finding, Forgery};
pub use helo_name::{HeloName, HeloNameError, OwnHost};
pub use query::{DnsAnswer, DnsQuery, UnexpectedAnswer};
pub use syntax::NameSyntax;
pub use verdict::{Claim, Iprev, Verdict};

use crate::syntax::path::{ClientName, Domain, Host};
use names::ReverseNames;

/// The check of one greeting: questions for a resolver, and what follows from the answers.
///
/// It asks for the names of the peer's address, for the addresses of the name that the peer claims,
/// and for those of the names that its address has, until one of them leads back: at most
/// [`MAX_QUERIES`](Self::MAX_QUERIES) questions, whatever is answered. It keeps the first
/// [`MAX_NAMES`](Self::MAX_NAMES) names of the address, as many as have room in
/// [`NAMES_OCTETS`](Self::NAMES_OCTETS) octets together; addresses are compared and not kept.
///
/// The verdict can be had at any time: what is not answered yet counts as a temporary failure, so a
/// caller may stop asking when a time is over.
///
/// ```
/// use core::net::IpAddr;
/// use ehlo::HeloCheck;
/// use ehlo::identity::{DnsAnswer, Claim, Iprev, DnsQuery};
/// use ehlo::syntax::path::ClientName;
///
/// let peer: IpAddr = "192.0.2.1".parse()?;
/// let mut check = HeloCheck::new(peer, ClientName::new("mx.example.org")?);
/// while let Some(query) = check.query() {
///     let answer = match query {
///         DnsQuery::Pointer(_) => DnsAnswer::Names(&["mail.example.org."]),
///         DnsQuery::Addresses(name) if name.as_str() == "mail.example.org" => {
///             DnsAnswer::Addresses(&[peer])
///         }
///         DnsQuery::Addresses(_) => DnsAnswer::DoesNotExist,
///     };
///     check.answer(answer)?;
/// }
/// let verdict = check.verdict();
/// assert_eq!(verdict.iprev, Iprev::Pass);
/// assert_eq!(verdict.verified_name().unwrap().as_str(), "mail.example.org");
/// assert_eq!(verdict.claim, Claim::NoAddress);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeloCheck<'a> {
    peer: IpAddr,
    claimed: ClientName<'a>,
    own: &'a [Host<'a>],
    syntax: NameSyntax,
    /// The claimed name, where a resolver can be asked for it.
    resolvable: Option<Domain<'a>>,
    claim: Claim,
    iprev: Iprev,
    names: ReverseNames,
    /// Which of the names leads back to the peer.
    confirmed: Option<usize>,
    /// The names, or the addresses of one of them, could not be had.
    undecided: bool,
    step: Step,
}

/// The question that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The names of the peer's address.
    Pointer,
    /// The addresses of the claimed name.
    Claimed,
    /// The addresses of one of the names.
    Name(usize),
    /// None.
    Done,
}

impl<'a> HeloCheck<'a> {
    /// Names of the peer's address that are considered: as many as RFC 7208 §4.6.4 lets a checker
    /// look at.
    pub const MAX_NAMES: usize = names::MAX_NAMES;

    /// Octets that these names may have together.
    pub const NAMES_OCTETS: usize = names::OCTETS;

    /// Questions of one check.
    pub const MAX_QUERIES: usize = 2 + Self::MAX_NAMES;

    /// The check of a client at `peer` that calls itself `claimed`.
    ///
    /// An IPv4-mapped address is the IPv4 address that it maps.
    pub fn new(peer: IpAddr, claimed: ClientName<'a>) -> Self {
        let peer = peer.to_canonical();
        let (syntax, resolvable) = syntax::judge(claimed);
        let claim = match claimed {
            ClientName::AddressLiteral(literal) => match literal.ip() {
                Some(address) if address.to_canonical() == peer => Claim::Matches,
                Some(_) => Claim::Elsewhere,
                None => Claim::Unchecked,
            },
            _ if resolvable.is_some() => Claim::TemporaryFailure,
            _ => Claim::Unchecked,
        };
        Self {
            peer,
            claimed,
            own: &[],
            syntax,
            resolvable,
            claim,
            iprev: Iprev::TempError,
            names: ReverseNames::NONE,
            confirmed: None,
            undecided: false,
            step: Step::Pointer,
        }
    }

    /// The same where the receiver has these names and addresses: whoever else claims one of them
    /// forges it.
    #[must_use]
    pub const fn with_own(mut self, own: &'a [Host<'a>]) -> Self {
        self.own = own;
        self
    }

    /// The question that is open; none when all is known that can be.
    pub fn query(&self) -> Option<DnsQuery<'_>> {
        match self.step {
            Step::Pointer => Some(DnsQuery::Pointer(self.peer)),
            Step::Claimed => self.resolvable.map(DnsQuery::Addresses),
            Step::Name(at) => self.names.nth(at).map(DnsQuery::Addresses),
            Step::Done => None,
        }
    }

    /// The answer to the question that is open.
    ///
    /// No names and no addresses are the same as [`DnsAnswer::DoesNotExist`].
    ///
    /// # Errors
    ///
    /// [`UnexpectedAnswer`] when none is open, and for addresses where names were asked for or the
    /// reverse; the question then stays open.
    pub fn answer(&mut self, answer: DnsAnswer<'_>) -> Result<(), UnexpectedAnswer> {
        match self.step {
            Step::Pointer => self.pointer(answer),
            Step::Claimed => {
                self.claim = self.addresses(answer)?;
                let is_claimed = |name| Some(name) == self.resolvable;
                if self.claim == Claim::Matches {
                    self.confirmed = self.names.iter().position(is_claimed);
                }
                self.next(0);
                Ok(())
            }
            Step::Name(at) => {
                match self.addresses(answer)? {
                    Claim::Matches => self.confirmed = Some(at),
                    Claim::TemporaryFailure => self.undecided = true,
                    _ => {}
                }
                self.next(at + 1);
                Ok(())
            }
            Step::Done => Err(UnexpectedAnswer),
        }
    }

    /// The facts as they are known so far.
    pub fn verdict(&self) -> Verdict<'_> {
        let reverse_name = self.names.nth(self.confirmed.unwrap_or(0));
        Verdict {
            claimed: self.claimed,
            peer: self.peer,
            syntax: self.syntax,
            claim: self.claim,
            iprev: self.iprev,
            reverse_name,
            generic: reverse_name.is_some_and(|name| generic::is_generic(name, self.peer)),
            forgery: self.forgery(),
        }
    }

    /// The names of the peer's address that are considered, in the order in which they were given.
    pub fn reverse_names(&self) -> impl Iterator<Item = Domain<'_>> {
        self.names.iter()
    }

    fn pointer(&mut self, answer: DnsAnswer<'_>) -> Result<(), UnexpectedAnswer> {
        match answer {
            DnsAnswer::Addresses(_) => return Err(UnexpectedAnswer),
            DnsAnswer::DoesNotExist | DnsAnswer::Names([]) => self.iprev = Iprev::PermError,
            DnsAnswer::TemporaryFailure => self.undecided = true,
            DnsAnswer::Names(names) => {
                for name in names {
                    self.names.push(name);
                }
            }
        }
        if self.resolvable.is_some() {
            self.step = Step::Claimed;
        } else {
            self.next(0);
        }
        Ok(())
    }

    /// Whether these addresses have that of the peer among them.
    fn addresses(&self, answer: DnsAnswer<'_>) -> Result<Claim, UnexpectedAnswer> {
        match answer {
            DnsAnswer::Names(_) => Err(UnexpectedAnswer),
            DnsAnswer::DoesNotExist | DnsAnswer::Addresses([]) => Ok(Claim::NoAddress),
            DnsAnswer::TemporaryFailure => Ok(Claim::TemporaryFailure),
            DnsAnswer::Addresses(addresses) => {
                let is_peer = |address: &IpAddr| address.to_canonical() == self.peer;
                let is_match = addresses.iter().any(is_peer);
                Ok(if is_match { Claim::Matches } else { Claim::Elsewhere })
            }
        }
    }

    /// Goes on with the names from `start` on, unless one was confirmed.
    fn next(&mut self, start: usize) {
        // RFC 8601 §3: one name that leads back is enough.
        if self.confirmed.is_some() {
            self.iprev = Iprev::Pass;
            self.step = Step::Done;
            return;
        }
        let mut at = start;
        while let Some(name) = self.names.nth(at) {
            if Some(name) != self.resolvable {
                self.step = Step::Name(at);
                return;
            }
            // It was asked for already.
            self.undecided |= self.claim == Claim::TemporaryFailure;
            at += 1;
        }
        if self.iprev == Iprev::TempError && !self.undecided {
            self.iprev = Iprev::Fail;
        }
        self.step = Step::Done;
    }

    fn forgery(&self) -> Option<Forgery> {
        let is_own = |claimed: Host<'_>| self.own.contains(&claimed);
        let host = match self.claimed {
            ClientName::AddressLiteral(literal) => Host::AddressLiteral(literal),
            _ => Host::Domain(self.resolvable.or_else(|| syntax::domain_of(self.claimed))?),
        };
        // It is this host itself, or may be.
        let is_self = is_own(Host::AddressLiteral(self.peer.into()))
            || matches!(self.claim, Claim::Matches | Claim::TemporaryFailure);
        if self.peer.is_loopback() {
            None
        } else if syntax::is_loopback(host) {
            Some(Forgery::Loopback)
        } else {
            (is_own(host) && !is_self).then_some(Forgery::Own)
        }
    }
}
