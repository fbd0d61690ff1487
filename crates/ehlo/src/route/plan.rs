//! The plan of a route.

use core::net::{IpAddr, Ipv4Addr};

use super::exchanges::{Exchanges, Name};
use super::{MxAnswer, MxQuery, NoRoute, UnexpectedAnswer};
use crate::syntax::path::Host;

/// The route of mail for a domain, RFC 5321 §5.1: the hosts and addresses in their order.
///
/// The plan does no I/O. [`step`](Self::step) returns a question, which the application answers
/// with [`answer`](Self::answer), or the next address to try. An application that has delivered its
/// mail calls it no more; one that could not reach an address calls it for the next.
///
/// - Exchanges come in the order of their preference, equal ones in an order that `seed` decides. The
///   addresses of one host come in the order of the answer, and no address comes twice.
/// - Without MX records the domain is its own exchange. A null MX (RFC 7505) ends the plan.
/// - If this host is among the exchanges, by name or by address, the plan drops those of its
///   preference and of higher numbers.
/// - The plan asks at most 41 questions: for the domain and eight aliases, and for 16 exchanges
///   with one alias each. It keeps 16 exchanges and 64 addresses; of more, the most preferred.
///
/// ```
/// use ehlo::route::{MxAnswer, MxPlan, MxQuery, MxStep, NoRoute, OwnHosts};
/// use ehlo::syntax::path::Host;
/// use std::net::IpAddr;
///
/// // A resolver for one domain.
/// let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse()?, "2001:db8::1".parse()?);
/// let mut plan = MxPlan::new(Host::new("example.org")?, OwnHosts::NONE, 1);
/// let mut tried = Vec::new();
/// let end = loop {
///     match plan.step() {
///         MxStep::Query(MxQuery::Exchanges("example.org")) => {
///             plan.answer(MxAnswer::Exchanges(&[(10, "mx.example.org")]))?;
///         }
///         MxStep::Query(_) => plan.answer(MxAnswer::Addresses(&[a, b]))?,
///         // Connecting to it fails.
///         MxStep::Try(target) => tried.push((target.host.to_owned(), target.address)),
///         MxStep::End(why) => break why,
///     }
/// };
/// assert_eq!(tried, [("mx.example.org".to_owned(), a), ("mx.example.org".to_owned(), b)]);
/// assert_eq!(end, NoRoute::Exhausted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "MX")]
#[doc(alias = "mail exchanger")]
#[derive(Clone)]
pub struct MxPlan<'o> {
    own: OwnHosts<'o>,
    seed: u64,
    stage: Stage,
    /// The domain, or the target of its aliases; later the alias of an exchange.
    name: Name,
    aliases: u8,
    exchanges: Exchanges,
    /// The exchange whose addresses are asked for, and the end of its preference.
    current: usize,
    level_end: usize,
    addresses: [Address; MAX_ADDRESSES],
    found: usize,
    given: usize,
    /// A question that the plan depends on had no answer.
    unanswered: bool,
}

/// One address, and the index of its host.
#[derive(Clone, Copy)]
struct Address {
    ip: IpAddr,
    exchange: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Exchanges,
    Addresses {
        alias: bool,
    },
    Give,
    /// The address of a literal.
    Literal(Option<IpAddr>),
    End(NoRoute),
}

/// The names and addresses "by which it might be known in mail transactions", RFC 5321 §5.1, of
/// this host.
///
/// ```
/// use ehlo::route::OwnHosts;
///
/// let own = OwnHosts { names: &["mx.example.org"], addresses: &["192.0.2.25".parse()?] };
/// assert_ne!(own, OwnHosts::NONE);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnHosts<'o> {
    /// Its names, in any case, with or without the dot of the root.
    pub names: &'o [&'o str],
    /// Its addresses.
    pub addresses: &'o [IpAddr],
}

impl OwnHosts<'_> {
    /// A host that is the exchange of no domain, for example one that only sends.
    pub const NONE: Self = Self { names: &[], addresses: &[] };
}

/// An address to try.
///
/// ```
/// use ehlo::route::Target;
/// use std::net::SocketAddr;
///
/// let target = Target { host: "mx.example.org", preference: 10, address: "192.0.2.25".parse()? };
/// assert_eq!(SocketAddr::new(target.address, 25).to_string(), "192.0.2.25:25");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'p> {
    /// The name of the host, for TLS and for a log; empty for an address literal.
    pub host: &'p str,
    /// The preference of its MX record; 0 if the domain is its own exchange.
    pub preference: u16,
    /// The address.
    pub address: IpAddr,
}

/// The next step of a plan: see [`MxPlan::step`].
///
/// ```
/// use ehlo::route::{MxPlan, MxStep, OwnHosts};
/// use ehlo::syntax::path::Host;
///
/// let mut plan = MxPlan::new(Host::new("[192.0.2.25]")?, OwnHosts::NONE, 0);
/// assert!(matches!(plan.step(), MxStep::Try(target) if target.address.is_ipv4()));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MxStep<'p> {
    /// Answer this question with [`MxPlan::answer`].
    Query(MxQuery<'p>),
    /// Try to deliver to this address.
    Try(Target<'p>),
    /// No further attempt is possible.
    End(NoRoute),
}

impl<'o> MxPlan<'o> {
    /// The plan for mail to `domain`, made by a host that is known as `own`. `seed` decides the
    /// order of exchanges with one preference: use a new random number for each plan.
    pub fn new(domain: Host<'_>, own: OwnHosts<'o>, seed: u64) -> Self {
        let (stage, name) = match domain {
            Host::Domain(domain) => match Name::new(domain.as_str()) {
                Some(name) => (Stage::Exchanges, name),
                // A U-label has to be converted first, RFC 6531 §3.2; no name is longer.
                None => (Stage::End(NoRoute::DoesNotExist), Name::EMPTY),
            },
            Host::AddressLiteral(literal) => match literal.ip() {
                Some(ip) => (Stage::Literal(Some(ip)), Name::EMPTY),
                None => (Stage::End(NoRoute::UnknownLiteral), Name::EMPTY),
            },
        };
        Self {
            own,
            seed,
            stage,
            name,
            aliases: 0,
            exchanges: Exchanges::NONE,
            current: 0,
            level_end: 0,
            addresses: [NO_ADDRESS; MAX_ADDRESSES],
            found: 0,
            given: 0,
            unanswered: false,
        }
    }

    /// The next question, the next address to try, or the end. A question is returned until it is
    /// answered; an address is returned once.
    pub fn step(&mut self) -> MxStep<'_> {
        loop {
            match self.stage {
                Stage::Exchanges => {
                    return MxStep::Query(MxQuery::Exchanges(self.name.as_str()));
                }
                Stage::Addresses { alias: true } => {
                    return MxStep::Query(MxQuery::Addresses(self.name.as_str()));
                }
                Stage::Addresses { alias: false } => {
                    let name = self.exchanges.get(self.current).map_or("", |it| it.name.as_str());
                    return MxStep::Query(MxQuery::Addresses(name));
                }
                Stage::Give if self.given < self.found => {
                    let address = self.addresses.get(self.given).copied().unwrap_or(NO_ADDRESS);
                    self.given += 1;
                    let exchange = self.exchanges.get(address.exchange.into());
                    return MxStep::Try(Target {
                        host: exchange.map_or("", |exchange| exchange.name.as_str()),
                        preference: exchange.map_or(0, |exchange| exchange.preference),
                        address: address.ip,
                    });
                }
                Stage::Give => self.begin_level(self.level_end),
                Stage::Literal(Some(address)) => {
                    self.stage = Stage::Literal(None);
                    return MxStep::Try(Target { host: "", preference: 0, address });
                }
                Stage::Literal(None) => self.stage = Stage::End(NoRoute::Exhausted),
                Stage::End(why) => return MxStep::End(why),
            }
        }
    }

    /// Takes the answer to the question that [`step`](Self::step) returned.
    ///
    /// # Errors
    ///
    /// [`UnexpectedAnswer`] if the answer does not fit the question, or no question is open; the
    /// question stays open.
    pub fn answer(&mut self, answer: MxAnswer<'_>) -> Result<(), UnexpectedAnswer> {
        match (self.stage, answer) {
            (Stage::Exchanges, MxAnswer::Exchanges(records)) => self.take_exchanges(records),
            // RFC 5321 §5.1: "If a CNAME record is found, the resulting name is processed as if it
            // were the initial name."
            (Stage::Exchanges, MxAnswer::Alias(target)) => self.take_alias(target),
            // RFC 5321 §5.1: "If a non-existent domain error is returned, this situation MUST be
            // reported as an error."
            (Stage::Exchanges, MxAnswer::DoesNotExist) => self.end(NoRoute::DoesNotExist),
            // RFC 5321 §5.1: "If a temporary error is returned, the message MUST be queued and retried
            // later"
            (Stage::Exchanges, MxAnswer::TemporaryFailure) => self.end(NoRoute::LookupFailed),
            (Stage::Addresses { .. }, MxAnswer::Addresses(addresses)) => {
                self.take_addresses(addresses);
            }
            // RFC 2181 §10.3 forbids it, and domains do it: the plan follows one alias.
            (Stage::Addresses { alias: false }, MxAnswer::Alias(target)) => {
                match Name::new(target) {
                    Some(name) => {
                        self.name = name;
                        self.stage = Stage::Addresses { alias: true };
                    }
                    None => self.next_exchange(),
                }
            }
            (Stage::Addresses { .. }, MxAnswer::Alias(_) | MxAnswer::DoesNotExist) => {
                self.next_exchange();
            }
            (Stage::Addresses { .. }, MxAnswer::TemporaryFailure) => {
                self.unanswered = true;
                self.next_exchange();
            }
            _ => return Err(UnexpectedAnswer),
        }
        Ok(())
    }

    fn end(&mut self, why: NoRoute) {
        self.stage = Stage::End(why);
    }

    fn take_alias(&mut self, target: &str) {
        self.aliases += 1;
        match Name::new(target) {
            _ if self.aliases > MAX_ALIASES => self.end(NoRoute::AliasLoop),
            Some(name) if name.is(self.name.as_str()) => self.end(NoRoute::AliasLoop),
            Some(name) => self.name = name,
            None => self.end(NoRoute::DoesNotExist),
        }
    }

    fn take_exchanges(&mut self, records: &[(u16, &str)]) {
        // RFC 7505 §3: "a single MX RR"; beside other records "." is not a host.
        if let [(_, "." | "")] = records {
            return self.end(NoRoute::NullMx);
        }
        for (key, (preference, name)) in (0..).zip(records) {
            if let Some(name) = Name::new(name) {
                self.exchanges.insert(*preference, mix(self.seed.wrapping_add(key)), name);
            }
        }
        // RFC 5321 §5.1: "the "implicit MX" rule above applies only if there are no MX records
        // present."
        if records.is_empty() {
            self.exchanges.insert(0, 0, self.name);
        }
        if self.exchanges.is_empty() {
            return self.end(NoRoute::Unusable);
        }
        let own = (0..).map_while(|index| self.exchanges.get(index));
        let mut own = own.filter(|exchange| self.own.names.iter().any(|own| exchange.name.is(own)));
        let own = own.next().map(|exchange| exchange.preference);
        // RFC 5321 §5.1: "If a matching record is found, all records at that preference level and
        // higher-numbered ones MUST be discarded from consideration."
        if let Some(preference) = own {
            self.exchanges.truncate(preference);
        }
        self.begin_level(0);
    }

    /// Begins with the exchanges of one preference. The plan asks for all of their addresses before
    /// it returns one, because an address of this host drops the others.
    fn begin_level(&mut self, index: usize) {
        self.current = index;
        self.level_end = self.exchanges.end_of_level(index);
        self.stage = if self.current < self.level_end {
            Stage::Addresses { alias: false }
        } else if self.exchanges.is_empty() {
            // RFC 5321 §5.1: "If there are no records left at that point, it is an error condition"
            Stage::End(NoRoute::Loop)
        } else if self.unanswered {
            Stage::End(NoRoute::LookupFailed)
        } else if self.found == 0 {
            Stage::End(NoRoute::Unusable)
        } else {
            Stage::End(NoRoute::Exhausted)
        };
    }

    fn take_addresses(&mut self, addresses: &[IpAddr]) {
        if addresses.iter().any(|address| self.is_own(*address)) {
            let preference = self.exchanges.get(self.current).map_or(0, |it| it.preference);
            // As if one of the names were this host's.
            self.exchanges.truncate(preference);
            self.found = self.given;
            return self.begin_level(self.current);
        }
        for address in addresses {
            let kept = self.addresses.get(..self.found).unwrap_or_default();
            if kept.iter().any(|known| known.ip == address.to_canonical()) {
                continue;
            }
            if let Some(free) = self.addresses.get_mut(self.found) {
                let exchange = u8::try_from(self.current).unwrap_or(u8::MAX);
                *free = Address { ip: address.to_canonical(), exchange };
                self.found += 1;
            }
        }
        self.next_exchange();
    }

    fn is_own(&self, address: IpAddr) -> bool {
        let own = self.own.addresses.iter();
        own.map(IpAddr::to_canonical).any(|own| own == address.to_canonical())
    }

    /// Asks for the next exchange of this preference, or begins with the addresses found.
    fn next_exchange(&mut self) {
        self.current += 1;
        self.stage = if self.current < self.level_end {
            Stage::Addresses { alias: false }
        } else {
            Stage::Give
        };
    }
}

/// Shows the progress of the plan, not its tables.
impl core::fmt::Debug for MxPlan<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MxPlan")
            .field("name", &self.name.as_str())
            .field("found", &self.found)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

/// A number that shows no relation to its neighbours: the output function of `SplitMix64`.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The most aliases of the domain that the plan follows.
const MAX_ALIASES: u8 = 8;
/// The most addresses that the plan keeps.
const MAX_ADDRESSES: usize = 64;
const NO_ADDRESS: Address = Address { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), exchange: 0 };
