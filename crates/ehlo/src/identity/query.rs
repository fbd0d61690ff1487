//! The questions of a check, and the answers of a resolver.

use core::net::IpAddr;

use crate::syntax::path::Domain;

/// A question for a resolver.
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::DnsQuery;
/// use ehlo::syntax::path::ClientName;
///
/// let peer = "::ffff:192.0.2.1".parse()?;
/// let check = HeloCheck::new(peer, ClientName::new("mx.example.org")?);
/// assert_eq!(check.query(), Some(DnsQuery::Pointer("192.0.2.1".parse()?)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsQuery<'q> {
    /// The names of an address: PTR records.
    Pointer(IpAddr),
    /// The addresses of a name: its A records if the peer has an IPv4 address, its AAAA records if
    /// it has an IPv6 address. The answer may include those of the other kind; they show that the
    /// name exists. The name is absolute: no search list applies.
    Addresses(Domain<'q>),
}

/// A resolver's answer to a [`DnsQuery`].
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::DnsAnswer;
/// use ehlo::syntax::path::ClientName;
///
/// let mut check = HeloCheck::new("192.0.2.1".parse()?, ClientName::new("[192.0.2.1]")?);
/// // The trailing dot of an absolute name may be there or not.
/// check.answer(DnsAnswer::Names(&["mx.example.org."]))?;
/// check.answer(DnsAnswer::Addresses(&["192.0.2.1".parse()?]))?;
/// assert!(check.query().is_none());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsAnswer<'n> {
    /// The answer to [`DnsQuery::Pointer`]. Names that are not host names in US-ASCII are skipped;
    /// if no other name is left, the answer counts as [`DoesNotExist`](Self::DoesNotExist).
    Names(&'n [&'n str]),
    /// The answer to [`DnsQuery::Addresses`].
    Addresses(&'n [IpAddr]),
    /// There is no such name, or it has no such record: NXDOMAIN, or NOERROR without a record.
    DoesNotExist,
    /// The resolver cannot answer now: SERVFAIL, no answer in time, or an answer that DNSSEC proves
    /// false.
    TemporaryFailure,
}

/// An answer that does not fit the open question.
///
/// ```
/// use ehlo::HeloCheck;
/// use ehlo::identity::{DnsAnswer, UnexpectedAnswer};
/// use ehlo::syntax::path::ClientName;
///
/// let mut check = HeloCheck::new("192.0.2.1".parse()?, ClientName::new("mx.example.org")?);
/// assert_eq!(check.answer(DnsAnswer::Addresses(&[])), Err(UnexpectedAnswer));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedAnswer;

impl core::fmt::Display for UnexpectedAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the answer does not fit the open question")
    }
}

impl core::error::Error for UnexpectedAnswer {}
