//! The names of an address.

use core::cmp::Ordering;

use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::grammar::{split, whole};
use crate::syntax::path::Domain;
use crate::syntax::path::domain;
use crate::syntax::policy::Policy;

/// The limit of RFC 7208 §4.6.4 for a checker of SPF.
pub(super) const MAX_NAMES: usize = 10;

/// Ten names of a hundred bytes; a name has 255 at most.
pub(super) const BYTES: usize = 1024;

/// The first names of an address, concatenated and sorted: by length, then by letters in any case.
/// A set of records has no order (RFC 1034 §3.6), and a server may return another order each time.
#[derive(Clone, Debug)]
pub(super) struct ReverseNames {
    bytes: [u8; BYTES],
    /// The end of each name.
    ends: [u16; MAX_NAMES],
    count: usize,
}

impl ReverseNames {
    pub(super) const NONE: Self = Self { bytes: [0; BYTES], ends: [0; MAX_NAMES], count: 0 };

    /// The first of `names` that fit, without `known`. A name may have the dot of the root behind
    /// it; text that is not a name is skipped.
    pub(super) fn of(names: &[&str], known: Option<Domain<'_>>) -> Self {
        let mut kept = Self::NONE;
        let mut last: Option<&[u8]> = None;
        loop {
            let is_next = |name: &&[u8]| {
                last.is_none_or(|last| in_any_case(name, last).is_gt())
                    && Some(Domain::known(name)) != known
            };
            let all = names.iter().filter_map(|name| host_name(name));
            let next = all.filter(is_next).min_by(|a, b| in_any_case(a, b).then(a.cmp(b)));
            match next {
                Some(name) if kept.push(name) => last = Some(name),
                _ => return kept,
            }
        }
    }

    /// Keeps a name; `false` if it does not fit.
    fn push(&mut self, name: &[u8]) -> bool {
        let start = self.end(self.count);
        let room = self.bytes.get_mut(start..).and_then(|rest| rest.get_mut(..name.len()));
        let (Some(room), Some(end)) = (room, self.ends.get_mut(self.count)) else { return false };
        room.copy_from_slice(name);
        *end = u16::try_from(start + name.len()).unwrap_or(u16::MAX);
        self.count += 1;
        true
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn nth(&self, at: usize) -> Option<Domain<'_>> {
        let (start, end) = (self.end(at), self.end(at + 1));
        (at < self.count).then(|| Domain::known(split(split(&self.bytes, end).0, start).1))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Domain<'_>> {
        (0..self.count).map_while(|at| self.nth(at))
    }

    /// The end of the first `count` names.
    fn end(&self, count: usize) -> usize {
        count.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |end| (*end).into())
    }
}

/// Returns `true` if `domain` is one of `names`.
pub(super) fn contains(names: &[&str], domain: Domain<'_>) -> bool {
    names.iter().filter_map(|name| host_name(name)).any(|name| Domain::known(name) == domain)
}

/// The name without the dot of the root, if it is one.
fn host_name(name: &str) -> Option<&[u8]> {
    let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
    whole(name, SyntaxErrorKind::Domain, |i| domain(i, &HOST_NAME)).is_ok().then_some(name)
}

/// The order of names, regardless of case.
fn in_any_case(name: &[u8], other: &[u8]) -> Ordering {
    let letters = name.iter().map(u8::to_ascii_lowercase);
    let others = other.iter().map(u8::to_ascii_lowercase);
    name.len().cmp(&other.len()).then(letters.cmp(others))
}

/// The DNS has names with underscores, but no names in UTF-8.
const HOST_NAME: Policy = Policy { underscore_in_domain: true, ..Policy::STRICT };
