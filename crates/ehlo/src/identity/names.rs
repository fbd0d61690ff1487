//! The names of an address.

use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::grammar::{split, whole};
use crate::syntax::path::Domain;
use crate::syntax::path::domain;
use crate::syntax::policy::Policy;

/// As RFC 7208 §4.6.4 limits a reverse lookup: "If this limit is exceeded, all records other than
/// the first 10 MUST be ignored."
pub(super) const MAX_NAMES: usize = 10;

/// Ten names of a hundred octets; a name has 255 at most.
pub(super) const OCTETS: usize = 1024;

/// The first names that were given, one behind the other.
#[derive(Clone, Debug)]
pub(super) struct ReverseNames {
    octets: [u8; OCTETS],
    /// Where each name ends.
    ends: [u16; MAX_NAMES],
    count: usize,
}

impl ReverseNames {
    pub(super) const NONE: Self = Self { octets: [0; OCTETS], ends: [0; MAX_NAMES], count: 0 };

    /// Keeps a name, with or without the dot of the root behind it, if it is one and has room.
    pub(super) fn push(&mut self, name: &str) {
        let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
        let is_name = whole(name, SyntaxErrorKind::Domain, |i| domain(i, &HOST_NAME)).is_ok();
        let start = self.end(self.count);
        let room = self.octets.get_mut(start..).and_then(|rest| rest.get_mut(..name.len()));
        if let (true, Some(room), Some(end)) = (is_name, room, self.ends.get_mut(self.count)) {
            room.copy_from_slice(name);
            *end = u16::try_from(start + name.len()).unwrap_or(u16::MAX);
            self.count += 1;
        }
    }

    pub(super) fn nth(&self, at: usize) -> Option<Domain<'_>> {
        let (start, end) = (self.end(at), self.end(at + 1));
        (at < self.count).then(|| Domain::known(split(split(&self.octets, end).0, start).1))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Domain<'_>> {
        (0..self.count).map_while(|at| self.nth(at))
    }

    /// Where the first `count` names end.
    fn end(&self, count: usize) -> usize {
        count.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |end| (*end).into())
    }
}

/// The DNS has names with underscores, and none in UTF-8.
const HOST_NAME: Policy = Policy { underscore_in_domain: true, ..Policy::STRICT };
