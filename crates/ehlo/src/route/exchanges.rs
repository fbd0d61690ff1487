//! The exchanges of a domain in the order of the attempts.

use crate::syntax::grammar::as_str;

/// The most exchanges that a plan keeps; of more, it keeps the most preferred.
pub(super) const MAX_EXCHANGES: usize = 16;
/// A name of the DNS in text, without the dot of the root, RFC 1035 §2.3.4.
const MAX_NAME: usize = 253;

/// A copy of a name of the DNS.
#[derive(Clone, Copy)]
pub(super) struct Name {
    bytes: [u8; MAX_NAME],
    length: u8,
}

impl Name {
    pub(super) const EMPTY: Self = Self { bytes: [0; MAX_NAME], length: 0 };

    /// The name, without the dot of the root. `None` if it is empty or too long for a name, or has
    /// a byte that no name in text has.
    pub(super) fn new(name: &str) -> Option<Self> {
        let name = without_root(name).as_bytes();
        let mut kept = Self::EMPTY;
        let room = kept.bytes.get_mut(..name.len())?;
        if name.is_empty() || !name.iter().all(|byte| matches!(byte, b'!'..=b'~')) {
            return None;
        }
        room.copy_from_slice(name);
        kept.length = u8::try_from(name.len()).ok()?;
        Some(kept)
    }

    pub(super) fn as_str(&self) -> &str {
        as_str(self.bytes.get(..self.length.into()).unwrap_or_default())
    }

    /// Returns `true` if `other` is the same name, in any case: RFC 4343 §3.
    pub(super) fn is(&self, other: &str) -> bool {
        self.as_str().eq_ignore_ascii_case(without_root(other))
    }
}

/// One exchange.
#[derive(Clone, Copy)]
pub(super) struct Exchange {
    pub(super) preference: u16,
    /// The random part: among exchanges of one preference, the lowest is tried first.
    key: u64,
    pub(super) name: Name,
}

/// The exchanges, sorted.
#[derive(Clone)]
pub(super) struct Exchanges {
    list: [Exchange; MAX_EXCHANGES],
    count: usize,
}

impl Exchanges {
    pub(super) const NONE: Self = Self {
        list: [Exchange { preference: 0, key: 0, name: Name::EMPTY }; MAX_EXCHANGES],
        count: 0,
    };

    /// Adds an exchange. A name that is there already keeps its better preference.
    ///
    /// RFC 5321 §5.1: of those with one preference "the sender-SMTP MUST randomize them to spread
    /// the load". `key` is the random part.
    pub(super) fn insert(&mut self, preference: u16, key: u64, name: Name) {
        let kept = self.list.get(..self.count).unwrap_or_default();
        if let Some(same) = kept.iter().position(|exchange| exchange.name.is(name.as_str())) {
            if kept.get(same).is_some_and(|exchange| exchange.preference <= preference) {
                return;
            }
            self.remove(same);
        }
        let kept = self.list.get(..self.count).unwrap_or_default();
        let place =
            kept.partition_point(|other| (other.preference, other.key) <= (preference, key));
        if place == MAX_EXCHANGES {
            return;
        }
        self.count = (self.count + 1).min(MAX_EXCHANGES);
        if let Some(moved) = self.list.get_mut(place..self.count) {
            moved.rotate_right(1);
            if let Some(free) = moved.first_mut() {
                *free = Exchange { preference, key, name };
            }
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Exchange> {
        self.list.get(..self.count)?.get(index)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The end of the exchanges with the preference of the one at `index`.
    pub(super) fn end_of_level(&self, index: usize) -> usize {
        let kept = self.list.get(..self.count).unwrap_or_default();
        let Some(first) = kept.get(index) else { return index };
        let level = kept.get(index..).unwrap_or_default();
        index + level.partition_point(|exchange| exchange.preference == first.preference)
    }

    /// Drops the exchanges of `preference` and of higher numbers.
    pub(super) fn truncate(&mut self, preference: u16) {
        let kept = self.list.get(..self.count).unwrap_or_default();
        self.count = kept.partition_point(|exchange| exchange.preference < preference);
    }

    fn remove(&mut self, index: usize) {
        if let Some(moved) = self.list.get_mut(index..self.count) {
            moved.rotate_left(1);
            self.count -= 1;
        }
    }
}

fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}
