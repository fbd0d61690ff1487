//! `A-d-l`, the source route, RFC 5321 §4.1.2 and appendix C.

use core::cmp::Ordering;

use super::domain::{Domain, UTF8, after_domain_of_route, any_domain};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{Fault, IResult, of_byte, split, whole, wire_text};
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// `A-d-l = At-domain *( "," At-domain )`, `At-domain = "@" Domain`, RFC 5321 §4.1.2.
///
/// "MUST BE accepted, SHOULD NOT be generated, and SHOULD be ignored."
///
/// ```
/// use ehlo::syntax::path::SourceRoute;
///
/// let route = SourceRoute::new("@one.example,@two.example")?;
/// let names: Vec<_> = route.domains().map(|domain| domain.to_string()).collect();
/// assert_eq!(names, ["one.example", "two.example"]);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct SourceRoute<'a>(&'a [u8]);

impl<'a> SourceRoute<'a> {
    /// The route of this text, without the colon that ends it.
    ///
    /// # Errors
    ///
    /// `Path`, `Domain`, or `PathTooLong` over 256 bytes, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let route = whole(text.as_bytes(), SyntaxErrorKind::Path, |i| at_domains(i, &UTF8))?;
        if text.len() > limits::PATH {
            return Err(SyntaxError { kind: SyntaxErrorKind::PathTooLong, offset: text.len() });
        }
        Ok(route)
    }

    /// A route that is known to be valid.
    pub(super) const fn known(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The domains, in the order in which the message was to visit them.
    pub fn domains(&self) -> impl Iterator<Item = Domain<'a>> + use<'a> {
        self.0.split(|&byte| byte == b',').map(|at| Domain::known(at.get(1..).unwrap_or(at)))
    }
}

wire_text!(SourceRoute);

impl PartialEq for SourceRoute<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for SourceRoute<'_> {}

impl PartialOrd for SourceRoute<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the domains in their order.
impl Ord for SourceRoute<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.domains().cmp(other.domains())
    }
}

impl core::hash::Hash for SourceRoute<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.domains().for_each(|domain| domain.hash(state));
    }
}

/// `A-d-l ":"`.
pub(super) fn a_d_l<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, SourceRoute<'i>> {
    let (rest, route) = at_domains(input, policy)?;
    match rest.split_first() {
        Some((b':', rest)) => Ok((rest, route)),
        _ => Fault::error(rest, of_byte(rest, SyntaxErrorKind::Path)),
    }
}

/// `At-domain *( "," At-domain )`.
fn at_domains<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, SourceRoute<'i>> {
    let mut rest = input;
    loop {
        let Some((b'@', name)) = rest.split_first() else {
            return Fault::error(rest, of_byte(rest, SyntaxErrorKind::Path));
        };
        rest = match after_domain_of_route(name) {
            Some(rest) => rest,
            None => any_domain(name, &Policy { trailing_dot: false, ..*policy })?.0,
        };
        match rest.split_first() {
            Some((b',', next)) => rest = next,
            _ => return Ok((rest, SourceRoute(split(input, input.len() - rest.len()).0))),
        }
    }
}
