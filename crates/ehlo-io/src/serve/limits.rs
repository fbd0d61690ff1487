//! How many may come in.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::IpAddr;

/// Counts the sessions that are open: in all, and from each address. It knows nothing of what they
/// say.
///
/// A session too many may be let in to be told so. Such sessions are not welcome and take no place of
/// those that are; there are at most as many of them as of the others. Who comes when there are more
/// is not let in at all.
///
/// Of an IPv6 address the first 64 bits count: whoever has one has all that begin like it (RFC 4291
/// §2.5.4).
///
/// ```
/// use ehlo_io::ConnectionLimits;
/// use std::net::Ipv4Addr;
///
/// let mut door = ConnectionLimits::new(3, 2);
/// let one = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// let two = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(one.is_welcome() && two.is_welcome());
///
/// // There is room for another session, though not for one from there.
/// let three = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(!three.is_welcome() && !door.is_full());
/// let four = door.admit(Ipv4Addr::BROADCAST.into()).unwrap();
/// assert!(four.is_welcome() && door.is_full());
/// drop((one, three));
/// assert!(door.admit(Ipv4Addr::LOCALHOST.into()).unwrap().is_welcome());
/// ```
#[derive(Debug)]
pub struct ConnectionLimits {
    most: usize,
    most_each: usize,
    turns_away: bool,
    welcome: Arc<()>,
    unwelcome: Arc<()>,
    each: BTreeMap<u64, Arc<()>>,
}

impl ConnectionLimits {
    /// A door for at most so many sessions in all, and so many from one address. Those that are too
    /// many in all have to wait outside, those that are too many from their address are not welcome.
    pub fn new(most: usize, most_each: usize) -> Self {
        Self {
            most,
            most_each,
            turns_away: false,
            welcome: Arc::new(()),
            unwelcome: Arc::new(()),
            each: BTreeMap::new(),
        }
    }

    /// The same, where those that are too many in all need not wait: they are not welcome.
    ///
    /// ```
    /// use ehlo_io::ConnectionLimits;
    /// use std::net::Ipv4Addr;
    ///
    /// let mut door = ConnectionLimits::new(1, 1).reject_when_full();
    /// let one = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
    /// let two = door.admit(Ipv4Addr::BROADCAST.into()).unwrap();
    /// assert!(one.is_welcome() && !two.is_welcome());
    /// assert!(door.is_full());
    /// ```
    #[must_use]
    pub fn reject_when_full(self) -> Self {
        Self { turns_away: true, ..self }
    }

    /// The sessions that are open, also those that are not welcome.
    pub fn open(&self) -> usize {
        count(&self.welcome) + count(&self.unwelcome)
    }

    /// Whether whoever comes now had better wait.
    pub fn is_full(&self) -> bool {
        !(self.has_room() || self.turns_away && self.may_turn_away())
    }

    /// Lets a session in; none when there is no room. Its pass says whether it is welcome, or is let
    /// in to be told that it is not.
    pub fn admit(&mut self, address: IpAddr) -> Option<Permit> {
        if self.is_full() {
            return None;
        }
        if self.each.len() > 2 * self.open() {
            self.each.retain(|_, each| count(each) > 0);
        }
        let has_room = self.has_room();
        let each = self.each.entry(key(address)).or_default();
        if has_room && count(each) < self.most_each {
            return Some(Permit { _inside: self.welcome.clone(), each: Some(each.clone()) });
        }
        self.may_turn_away().then(|| Permit { _inside: self.unwelcome.clone(), each: None })
    }

    fn has_room(&self) -> bool {
        count(&self.welcome) < self.most
    }

    fn may_turn_away(&self) -> bool {
        count(&self.unwelcome) < self.most
    }
}

/// A session's place behind a [`ConnectionLimits`], for as long as this is kept.
///
/// ```
/// use ehlo_io::ConnectionLimits;
/// use std::net::Ipv4Addr;
///
/// let mut door = ConnectionLimits::new(100, 1);
/// let pass = door.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert_eq!((pass.is_welcome(), door.open()), (true, 1));
/// drop(pass);
/// assert_eq!(door.open(), 0);
/// ```
#[derive(Debug)]
pub struct Permit {
    _inside: Arc<()>,
    each: Option<Arc<()>>,
}

impl Permit {
    /// Whether there were not too many already.
    pub const fn is_welcome(&self) -> bool {
        self.each.is_some()
    }
}

/// The passes that share it.
fn count(passes: &Arc<()>) -> usize {
    Arc::strong_count(passes) - 1
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
        let mut door = ConnectionLimits::new(10, 1);
        for last in 0..1000_u32 {
            let pass = door.admit(Ipv4Addr::from_bits(last).into()).expect("room");
            assert!(pass.is_welcome());
        }
        assert_eq!(door.open(), 0);
        assert!(door.each.len() < 4);
    }

    #[test]
    fn those_who_are_not_welcome_take_no_place_and_are_not_without_number() {
        let mut door = ConnectionLimits::new(2, 1);
        let mut admit = |address| door.admit(Ipv4Addr::from_bits(address).into());
        let one = admit(1).expect("room");
        let unwelcome = [admit(1), admit(1), admit(1)];
        let welcome = unwelcome.each_ref().map(|pass| pass.as_ref().map(Permit::is_welcome));
        assert_eq!(welcome, [Some(false), Some(false), None]);
        let two = admit(2).expect("room");
        assert!(one.is_welcome() && two.is_welcome());
        assert!(admit(3).is_none());
        assert_eq!((door.open(), door.is_full()), (4, true));
        drop(unwelcome);
        assert_eq!((door.open(), door.is_full()), (2, true));
        drop(one);
        assert!(!door.is_full());
    }

    #[test]
    fn whoever_is_turned_away_is_told_so_or_waits() {
        let mut door = ConnectionLimits::new(1, 9).reject_when_full();
        let mut admit = |address| door.admit(Ipv4Addr::from_bits(address).into());
        let passes = [admit(1), admit(2), admit(3)];
        let welcome = passes.each_ref().map(|pass| pass.as_ref().map(Permit::is_welcome));
        assert_eq!(welcome, [Some(true), Some(false), None]);
        assert!(door.is_full());
        drop(passes);
        assert!(door.admit(Ipv4Addr::from_bits(3).into()).is_some_and(|pass| pass.is_welcome()));
    }

    #[test]
    fn one_network_is_one_address() {
        let mut door = ConnectionLimits::new(10, 1);
        let addresses = [1, 2, 1 << 64, 1 << 65].map(Ipv6Addr::from_bits);
        let passes = addresses.map(|address| door.admit(address.into()).expect("room"));
        let welcome: Vec<bool> = passes.iter().map(Permit::is_welcome).collect();
        assert_eq!(welcome, [true, false, true, true]);
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let passes = [Ipv4Addr::LOCALHOST.into(), mapped.into()].map(|ip| door.admit(ip));
        let welcome = passes.iter().flatten().filter(|pass| pass.is_welcome()).count();
        assert_eq!(welcome, 1);
    }
}
