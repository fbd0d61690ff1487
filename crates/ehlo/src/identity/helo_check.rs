//! The check of a greeting, question by question.

use core::net::IpAddr;
use core::time::Duration;

use super::names::{self, ReverseNames};
use super::{Claim, DnsAnswer, DnsQuery, Forgery, Iprev, NameSyntax, UnexpectedAnswer, Verdict};
use super::{generic, syntax};
use crate::syntax::path::{ClientName, Domain, Host};

/// The check of one greeting: questions for a resolver, and conclusions from the answers.
///
/// It asks for the names of the peer's address, then for the addresses of each of these names until
/// one leads back to the peer, and last for the addresses of the name that the peer claims. If the
/// claimed name is one of the address's names, it comes before the others, because it is the most
/// likely to lead back. The check asks at most [`MAX_QUERIES`](Self::MAX_QUERIES) questions,
/// whatever the answers.
///
/// It keeps at most [`MAX_NAMES`](Self::MAX_NAMES) other names of the address, the shortest first,
/// that fit in [`NAMES_BYTES`](Self::NAMES_BYTES) bytes together. The order of records in an answer
/// changes neither the choice nor the verdict. The check compares addresses and does not keep them.
///
/// The verdict is available at any time: a question without an answer counts as a temporary
/// failure, so a caller may stop at a deadline. [`time_for_query`](Self::time_for_query) says how
/// long one question may take, so that time is left for the others.
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
    /// The claimed name, if a resolver can look it up.
    resolvable: Option<Domain<'a>>,
    claim: Claim,
    /// The addresses of the claimed name were asked for, or cannot be.
    is_claim_known: bool,
    /// The claimed name is one of the names of the address.
    is_claim_reverse: bool,
    iprev: Iprev,
    /// The names of the address except the claimed one.
    names: ReverseNames,
    /// The name that leads back to the peer.
    confirmed: Option<Step>,
    /// The resolver could not answer for the names, or for the addresses of one of them.
    undecided: bool,
    step: Step,
}

/// The open question, or the name that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The names of the peer's address.
    Pointer,
    /// The addresses of the claimed name.
    Claimed,
    /// The addresses of one of the names.
    Name(usize),
    /// No question.
    Done,
}

impl<'a> HeloCheck<'a> {
    /// The most names of the peer's address that are checked beside the claimed one: the limit of
    /// RFC 7208 §4.6.4 for a checker of SPF.
    pub const MAX_NAMES: usize = names::MAX_NAMES;

    /// The most bytes that these names may have together.
    pub const NAMES_BYTES: usize = names::BYTES;

    /// The most questions of one check.
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
            is_claim_known: resolvable.is_none(),
            is_claim_reverse: false,
            iprev: Iprev::TempError,
            names: ReverseNames::NONE,
            confirmed: None,
            undecided: false,
            step: Step::Pointer,
        }
    }

    /// Sets the receiver's own names and addresses. A client that claims one of them is a forger,
    /// unless it is the receiver.
    #[must_use]
    pub const fn with_own(mut self, own: &'a [Host<'a>]) -> Self {
        self.own = own;
        self
    }

    /// The open question; `None` when there is nothing left to ask.
    pub fn query(&self) -> Option<DnsQuery<'_>> {
        match self.step {
            Step::Pointer => Some(DnsQuery::Pointer(self.peer)),
            Step::Claimed => self.resolvable.map(DnsQuery::Addresses),
            Step::Name(at) => self.names.nth(at).map(DnsQuery::Addresses),
            Step::Done => None,
        }
    }

    /// The time that the open question may take, if `left` is the time left for the whole check:
    /// half of it for the names of the address, and after that equal parts for the questions that
    /// may follow. Zero if no question is open.
    ///
    /// If no answer comes in that time, answer with [`DnsAnswer::TemporaryFailure`].
    pub fn time_for_query(&self, left: Duration) -> Duration {
        let is_claim_open = usize::from(!self.is_claim_known);
        let questions = match self.step {
            Step::Pointer => 2,
            Step::Claimed if self.confirmed.is_some() || !self.is_claim_reverse => 1,
            Step::Claimed => 1 + self.names.count(),
            Step::Name(at) => self.names.count().saturating_sub(at) + is_claim_open,
            Step::Done => return Duration::ZERO,
        };
        let questions = u32::try_from(questions).unwrap_or(u32::MAX);
        left.checked_div(questions).unwrap_or(left)
    }

    /// Takes the answer to the open question.
    ///
    /// An empty list of names or addresses means the same as [`DnsAnswer::DoesNotExist`].
    ///
    /// # Errors
    ///
    /// [`UnexpectedAnswer`] if no question is open, for addresses in answer to a question for
    /// names, and the reverse. An open question then stays open.
    pub fn answer(&mut self, answer: DnsAnswer<'_>) -> Result<(), UnexpectedAnswer> {
        match self.step {
            Step::Pointer => self.pointer(answer),
            step @ (Step::Claimed | Step::Name(_)) => {
                let lead = self.addresses(answer)?;
                let is_reverse = match step {
                    Step::Claimed => {
                        (self.claim, self.is_claim_known) = (lead, true);
                        self.is_claim_reverse
                    }
                    _ => true,
                };
                match lead {
                    Claim::Matches if is_reverse => self.confirmed = Some(step),
                    Claim::TemporaryFailure if is_reverse => self.undecided = true,
                    _ => {}
                }
                self.step = self.next(match step {
                    Step::Name(at) => at + 1,
                    _ if self.is_claim_reverse => 0,
                    _ => self.names.count(),
                });
                Ok(())
            }
            Step::Done => Err(UnexpectedAnswer),
        }
    }

    /// The facts that are known so far.
    pub fn verdict(&self) -> Verdict<'_> {
        let reverse_name = match self.confirmed {
            Some(Step::Name(at)) => self.names.nth(at),
            Some(_) => self.resolvable,
            None => self.reverse_names().next(),
        };
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

    /// The names of the peer's address that are checked, in the order of the questions.
    pub fn reverse_names(&self) -> impl Iterator<Item = Domain<'_>> {
        self.resolvable.filter(|_| self.is_claim_reverse).into_iter().chain(self.names.iter())
    }

    fn pointer(&mut self, answer: DnsAnswer<'_>) -> Result<(), UnexpectedAnswer> {
        match answer {
            DnsAnswer::Addresses(_) => return Err(UnexpectedAnswer),
            DnsAnswer::DoesNotExist | DnsAnswer::Names([]) => self.iprev = Iprev::PermError,
            DnsAnswer::TemporaryFailure => self.undecided = true,
            DnsAnswer::Names(names) => {
                self.is_claim_reverse =
                    self.resolvable.is_some_and(|claimed| names::contains(names, claimed));
                self.names = ReverseNames::of(names, self.resolvable);
                // Records that are not host names lead nowhere, as if there were no records.
                if self.reverse_names().next().is_none() {
                    self.iprev = Iprev::PermError;
                }
            }
        }
        self.step = self.next(0);
        Ok(())
    }

    /// Whether the addresses in `answer` include that of the peer.
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

    /// The next question, if the names from `start` on were not asked for.
    fn next(&mut self, start: usize) -> Step {
        // RFC 8601 §3: one name that leads back is enough.
        if self.confirmed.is_some() {
            self.iprev = Iprev::Pass;
        } else if self.is_claim_reverse && !self.is_claim_known {
            return Step::Claimed;
        } else if start < self.names.count() {
            return Step::Name(start);
        } else if self.iprev == Iprev::TempError && !self.undecided {
            self.iprev = Iprev::Fail;
        }
        if self.is_claim_known { Step::Done } else { Step::Claimed }
    }

    fn forgery(&self) -> Option<Forgery> {
        let is_own = |claimed: Host<'_>| self.own.contains(&claimed);
        let host = match self.claimed {
            ClientName::AddressLiteral(literal) => Host::AddressLiteral(literal),
            _ => Host::Domain(self.resolvable.or_else(|| syntax::domain_of(self.claimed))?),
        };
        // The peer is this host, or may be.
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
