//! The domains of the recipients of a session, for the RCPTDOMAINMAX of RFC 9422 §4.3.

use core::hash::{Hash, Hasher};

use crate::syntax::path::forward_path::ForwardPath;

/// The domains that RCPT commands were sent for, as far as there is room to remember them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Domains {
    /// Digests, because the names have no place in a fixed-size machine. Where two names have the
    /// same, one domain more goes than the server takes, and it is the server that says so.
    seen: [u32; CAPACITY],
    count: u8,
}

impl Domains {
    pub(super) const NONE: Self = Self { seen: [0; CAPACITY], count: 0 };

    /// Whether a recipient's domain is one of the first `max` of the session. What is more than
    /// there is room for is for the server to count.
    pub(super) fn permit(&self, forward_path: &ForwardPath<'_>, max: u32) -> bool {
        let room = usize::try_from(max).unwrap_or(usize::MAX);
        room > CAPACITY
            || self.seen().len() < room
            || digest(forward_path).is_none_or(|domain| self.seen().contains(&domain))
    }

    pub(super) fn note(&mut self, forward_path: &ForwardPath<'_>) {
        let Some(domain) = digest(forward_path) else { return };
        if self.seen().contains(&domain) {
            return;
        }
        if let Some(place) = self.seen.get_mut(usize::from(self.count)) {
            *place = domain;
            self.count += 1;
        }
    }

    fn seen(&self) -> &[u32] {
        self.seen.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// None for the postmaster without a domain.
fn digest(forward_path: &ForwardPath<'_>) -> Option<u32> {
    let mut digest = Fnv(0x811C_9DC5);
    forward_path.path()?.mailbox().domain().hash(&mut digest);
    Some(digest.0)
}

/// FNV-1a of 32 bits.
struct Fnv(u32);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn finish(&self) -> u64 {
        self.0.into()
    }
}

/// Domains that are remembered; a server with a larger limit counts for itself.
const CAPACITY: usize = 8;
