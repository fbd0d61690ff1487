//! How many may come in.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::IpAddr;

/// Counts the sessions that are open: in all, and from each address. It knows nothing of what they
/// say.
///
/// Of an IPv6 address the first 64 bits count: whoever has one has all that begin like it (RFC 4291
/// §2.5.4).
///
/// ```
/// use ehlo::Door;
/// use std::net::Ipv4Addr;
///
/// let mut door = Door::new(3, 2);
/// let one = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// let two = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(one.is_welcome() && two.is_welcome());
///
/// // There is room for another session, though not for one from there.
/// let three = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(!three.is_welcome());
/// assert!(door.admit(Ipv4Addr::BROADCAST.into()).is_none());
/// drop((one, three));
/// assert!(door.admit(Ipv4Addr::LOCALHOST.into()).unwrap().is_welcome());
/// ```
#[derive(Debug)]
pub struct Door {
    most: usize,
    most_each: usize,
    all: Arc<()>,
    each: BTreeMap<u64, Arc<()>>,
}

impl Door {
    /// A door for at most so many sessions in all, and so many from one address.
    pub fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, all: Arc::new(()), each: BTreeMap::new() }
    }

    /// The sessions that are open.
    pub fn inside(&self) -> usize {
        Arc::strong_count(&self.all) - 1
    }

    /// Whether there is room for no other session.
    pub fn is_full(&self) -> bool {
        self.inside() >= self.most
    }

    /// Lets a session in; none when there is no room. A session that comes from an address with too
    /// many is let in to be told so: its pass says that it is not welcome.
    pub fn admit(&mut self, address: IpAddr) -> Option<Pass> {
        if self.is_full() {
            return None;
        }
        if self.each.len() > 2 * self.inside() {
            self.each.retain(|_, count| Arc::strong_count(count) > 1);
        }
        let each = self.each.entry(key(address)).or_default();
        let is_welcome = Arc::strong_count(each) <= self.most_each;
        let each = is_welcome.then(|| each.clone());
        Some(Pass { _all: self.all.clone(), each })
    }
}

/// A session's place behind a [`Door`], for as long as this is kept.
#[derive(Debug)]
pub struct Pass {
    _all: Arc<()>,
    each: Option<Arc<()>>,
}

impl Pass {
    /// Whether there were not too many from its address.
    pub const fn is_welcome(&self) -> bool {
        self.each.is_some()
    }
}

/// What of an address counts.
fn key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // No network begins with as many zeros.
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn those_who_have_left_are_forgotten() {
        let mut door = Door::new(10, 1);
        for last in 0..1000_u32 {
            let pass = door.admit(Ipv4Addr::from_bits(last).into()).expect("room");
            assert!(pass.is_welcome());
        }
        assert_eq!(door.inside(), 0);
        assert!(door.each.len() < 4);
    }

    #[test]
    fn one_network_is_one_address() {
        let mut door = Door::new(10, 1);
        let addresses = [1, 2, 1 << 64, 1 << 65].map(Ipv6Addr::from_bits);
        let passes = addresses.map(|address| door.admit(address.into()).expect("room"));
        let welcome: Vec<bool> = passes.iter().map(Pass::is_welcome).collect();
        assert_eq!(welcome, [true, false, true, true]);
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let passes = [Ipv4Addr::LOCALHOST.into(), mapped.into()].map(|ip| door.admit(ip));
        let welcome = passes.iter().flatten().filter(|pass| pass.is_welcome()).count();
        assert_eq!(welcome, 1);
    }
}
