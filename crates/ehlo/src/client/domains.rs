//! The domains of the recipients of a session, for the RCPTDOMAINMAX of RFC 9422 §4.3.

use core::hash::{Hash, Hasher};

use crate::syntax::path::forward_path::ForwardPath;

/// The domains of the RCPT commands that were sent, up to a fixed number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Domains {
    /// Digests, because a machine of fixed size has no room for the names. If two names have the
    /// same digest, the client sends one domain too many, and the server refuses it.
    seen: [u16; CAPACITY],
    count: u8,
}

impl Domains {
    pub(super) const NONE: Self = Self { seen: [0; CAPACITY], count: 0 };

    /// Returns `true` if a recipient's domain is one of the first `max` of the session. The server
    /// counts the domains beyond [`CAPACITY`].
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

    fn seen(&self) -> &[u16] {
        self.seen.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// The digest of the domain; `None` for the postmaster without a domain.
fn digest(forward_path: &ForwardPath<'_>) -> Option<u16> {
    let mut digest = Fnv(0x811C_9DC5);
    forward_path.path()?.mailbox().domain().hash(&mut digest);
    let [a, b, c, d] = digest.0.to_le_bytes();
    Some(u16::from_le_bytes([a ^ c, b ^ d]))
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

/// The number of domains that are remembered; a server with a larger limit counts for itself.
const CAPACITY: usize = 8;
