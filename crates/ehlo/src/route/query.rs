//! The questions of a plan, and the answers of a resolver.

use core::net::IpAddr;

/// A question for the DNS. The name is absolute: no search list applies.
///
/// ```
/// use ehlo::route::{MxPlan, MxQuery, MxStep, OwnHosts};
/// use ehlo::syntax::path::Host;
///
/// let mut plan = MxPlan::new(Host::new("example.org")?, OwnHosts::NONE, 0);
/// assert_eq!(plan.step(), MxStep::Query(MxQuery::Exchanges("example.org")));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MxQuery<'q> {
    /// The MX records of a name.
    Exchanges(&'q str),
    /// The addresses of a name: its A and AAAA records, as far as this host can reach them.
    Addresses(&'q str),
}

/// A resolver's answer to an [`MxQuery`].
///
/// Most resolvers follow aliases and answer for the last name. A resolver that does not follow them
/// answers [`Alias`](Self::Alias).
///
/// ```
/// use ehlo::route::{MxAnswer, MxPlan, MxQuery, MxStep, OwnHosts};
/// use ehlo::syntax::path::Host;
///
/// let mut plan = MxPlan::new(Host::new("example.org")?, OwnHosts::NONE, 0);
/// plan.step();
/// // The dot of the root may be there or not.
/// plan.answer(MxAnswer::Exchanges(&[(20, "b.example.net."), (10, "a.example.net")]))?;
/// assert_eq!(plan.step(), MxStep::Query(MxQuery::Addresses("a.example.net")));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MxAnswer<'n> {
    /// The answer to [`MxQuery::Exchanges`]: each record's preference and exchange, `"."` for that
    /// of a null MX (RFC 7505 §3). Empty if the name exists and has no MX record.
    Exchanges(&'n [(u16, &'n str)]),
    /// The answer to [`MxQuery::Addresses`], in the order of the attempts (RFC 6724). Empty if the
    /// name exists and has no address.
    Addresses(&'n [IpAddr]),
    /// The name is an alias of this one: a CNAME record.
    Alias(&'n str),
    /// There is no such name: NXDOMAIN.
    DoesNotExist,
    /// The resolver cannot answer now: SERVFAIL, no answer in time, or an answer that DNSSEC proves
    /// false.
    TemporaryFailure,
}

/// An answer that does not fit the open question.
///
/// ```
/// use ehlo::route::{MxAnswer, MxPlan, OwnHosts, UnexpectedAnswer};
/// use ehlo::syntax::path::Host;
///
/// let mut plan = MxPlan::new(Host::new("example.org")?, OwnHosts::NONE, 0);
/// plan.step();
/// assert_eq!(plan.answer(MxAnswer::Addresses(&[])), Err(UnexpectedAnswer));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedAnswer;

impl core::fmt::Display for UnexpectedAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the answer does not fit the open question")
    }
}

impl core::error::Error for UnexpectedAnswer {}
