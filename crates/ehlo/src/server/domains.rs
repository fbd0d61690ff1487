//! The domains of the recipients of a session, for the RCPTDOMAINMAX of RFC 9422 §4.3.

use core::hash::{Hash, Hasher};

use crate::syntax::path::forward_path::ForwardPath;

/// Digests of the domains that a session named. They share [`BITS`], so there are more of them for one
/// domain than for three. A name with the digest of another passes: one that is refused is a new one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Domains([u8; 5]);

impl Domains {
    pub(super) const NONE: Self = Self([0; 5]);

    /// The largest limit that can be kept.
    pub(super) const MAX: u32 = 3;

    /// The domains with that of a recipient; `None` when that is one more than `max`.
    pub(super) fn with(self, forward_path: &ForwardPath<'_>, max: u32) -> Option<Self> {
        // The postmaster has no domain.
        let Some(path) = forward_path.path() else { return Some(self) };
        let width = BITS / max.clamp(1, Self::MAX);
        let mask = (1 << width) - 1;
        let mut digest = Fnv(0xCBF2_9CE4_8422_2325);
        path.mailbox().domain().hash(&mut digest);
        // A place that is free is zero.
        let domain = ((digest.0 ^ digest.0 >> 32) & mask).max(1);
        let seen = self.0.iter().rev().fold(0, |seen, byte| seen << 8 | u64::from(*byte));
        for place in 0..max.min(Self::MAX) {
            let shift = place * width;
            match seen >> shift & mask {
                0 => return Some(Self::of(seen | domain << shift)),
                known if known == domain => return Some(self),
                _ => {}
            }
        }
        None
    }

    const fn of(seen: u64) -> Self {
        let bytes = seen.to_le_bytes();
        Self([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]])
    }
}

/// FNV-1a of 64 bits.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

const BITS: u32 = 40;
