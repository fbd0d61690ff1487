//! Limits on the number of sessions.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::IpAddr;
use core::time::Duration;

/// Limits concurrent sessions: in total and for each client address. It is independent of SMTP.
///
/// A connection over a limit may still be accepted so that it can be answered 421. Its
/// [`Permit::is_over_limit`] is true, it does not count against the limits, and their number is
/// limited to the same total. Further connections are closed without a reply.
///
/// IPv6 clients are counted by their first 64 bits, because one host may use all addresses with the
/// same prefix (RFC 4291 §2.5.4).
///
/// ```
/// use ehlo_io::ConnectionLimits;
/// use std::net::Ipv4Addr;
///
/// let mut limits = ConnectionLimits::new(3, 2);
/// let one = limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// let two = limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(!one.is_over_limit() && !two.is_over_limit());
///
/// // There is room for another session, but not for one from that address.
/// let three = limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert!(three.is_over_limit() && !limits.is_full());
/// let four = limits.admit(Ipv4Addr::BROADCAST.into()).unwrap();
/// assert!(!four.is_over_limit() && limits.is_full());
/// drop((one, three));
/// assert!(!limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap().is_over_limit());
/// ```
#[doc(alias = "rate limit")]
#[doc(alias = "pool")]
#[doc(alias = "semaphore")]
#[doc(alias = "backpressure")]
#[derive(Debug)]
pub struct ConnectionLimits {
    total: usize,
    per_address: usize,
    rejects: bool,
    grace: Duration,
    within: Arc<()>,
    over: Arc<()>,
    addresses: BTreeMap<u64, Arc<()>>,
}

impl ConnectionLimits {
    /// At most `total` sessions, and `per_address` from one client. Connections over the total wait
    /// in the system's queue; those over the limit of their address are accepted and answered 421.
    pub fn new(total: usize, per_address: usize) -> Self {
        Self {
            total,
            per_address,
            rejects: false,
            grace: Duration::from_secs(5),
            within: Arc::new(()),
            over: Arc::new(()),
            addresses: BTreeMap::new(),
        }
    }

    /// Accepts connections over the total, so that they are answered 421, instead of letting them
    /// wait.
    ///
    /// ```
    /// use ehlo_io::ConnectionLimits;
    /// use std::net::Ipv4Addr;
    ///
    /// let mut limits = ConnectionLimits::new(1, 1).reject_when_full();
    /// let one = limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
    /// let two = limits.admit(Ipv4Addr::BROADCAST.into()).unwrap();
    /// assert!(!one.is_over_limit() && two.is_over_limit());
    /// assert!(limits.is_full());
    /// ```
    #[must_use]
    pub fn reject_when_full(self) -> Self {
        Self { rejects: true, ..self }
    }

    /// Sets the time that open sessions have to end at a shutdown; the default is five seconds.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The time that open sessions have to end at a shutdown.
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    /// The number of open sessions, those over the limits included.
    pub fn open(&self) -> usize {
        count(&self.within) + count(&self.over)
    }

    /// Returns `true` if no connection can be admitted now.
    pub fn is_full(&self) -> bool {
        !(self.has_room() || self.rejects && self.may_reject())
    }

    /// Admits a session; `None` if there is no room for it, not even for a 421.
    pub fn admit(&mut self, address: IpAddr) -> Option<Permit> {
        if self.is_full() {
            return None;
        }
        if self.addresses.len() > 2 * self.open() {
            self.addresses.retain(|_, sessions| count(sessions) > 0);
        }
        let has_room = self.has_room();
        let sessions = self.addresses.entry(key(address)).or_default();
        if has_room && count(sessions) < self.per_address {
            let address = Some(sessions.clone());
            return Some(Permit { _session: self.within.clone(), address });
        }
        self.may_reject().then(|| Permit { _session: self.over.clone(), address: None })
    }

    fn has_room(&self) -> bool {
        count(&self.within) < self.total
    }

    fn may_reject(&self) -> bool {
        count(&self.over) < self.total
    }
}

/// A session's place within [`ConnectionLimits`]; dropping it frees the place.
///
/// ```
/// use ehlo_io::ConnectionLimits;
/// use std::net::Ipv4Addr;
///
/// let mut limits = ConnectionLimits::new(100, 1);
/// let permit = limits.admit(Ipv4Addr::LOCALHOST.into()).unwrap();
/// assert_eq!((permit.is_over_limit(), limits.open()), (false, 1));
/// drop(permit);
/// assert_eq!(limits.open(), 0);
/// ```
#[derive(Debug)]
pub struct Permit {
    _session: Arc<()>,
    address: Option<Arc<()>>,
}

impl Permit {
    /// Returns `true` if there were too many sessions already: answer this one with 421, and close.
    pub const fn is_over_limit(&self) -> bool {
        self.address.is_none()
    }
}

/// The number of permits that share it.
fn count(permits: &Arc<()>) -> usize {
    Arc::strong_count(permits) - 1
}

/// The part of an address that is counted.
fn key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // No IPv6 network begins with as many zeros.
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
    fn addresses_without_sessions_are_forgotten() {
        let mut limits = ConnectionLimits::new(10, 1);
        for last in 0..1000_u32 {
            let permit = limits.admit(Ipv4Addr::from_bits(last).into()).expect("room");
            assert!(!permit.is_over_limit());
        }
        assert_eq!(limits.open(), 0);
        assert!(limits.addresses.len() < 4);
    }

    #[test]
    fn sessions_over_the_limit_take_no_place_and_are_limited() {
        let mut limits = ConnectionLimits::new(2, 1);
        let mut admit = |address| limits.admit(Ipv4Addr::from_bits(address).into());
        let one = admit(1).expect("room");
        let more = [admit(1), admit(1), admit(1)];
        let over = more.each_ref().map(|permit| permit.as_ref().map(Permit::is_over_limit));
        assert_eq!(over, [Some(true), Some(true), None]);
        let two = admit(2).expect("room");
        assert!(!one.is_over_limit() && !two.is_over_limit());
        assert!(admit(3).is_none());
        assert_eq!((limits.open(), limits.is_full()), (4, true));
        drop(more);
        assert_eq!((limits.open(), limits.is_full()), (2, true));
        drop(one);
        assert!(!limits.is_full());
    }

    #[test]
    fn a_connection_over_the_total_is_told_so_or_waits() {
        let mut limits = ConnectionLimits::new(1, 9).reject_when_full();
        let mut admit = |address| limits.admit(Ipv4Addr::from_bits(address).into());
        let permits = [admit(1), admit(2), admit(3)];
        let over = permits.each_ref().map(|permit| permit.as_ref().map(Permit::is_over_limit));
        assert_eq!(over, [Some(false), Some(true), None]);
        assert!(limits.is_full());
        drop(permits);
        assert!(
            limits
                .admit(Ipv4Addr::from_bits(3).into())
                .is_some_and(|permit| !permit.is_over_limit())
        );
    }

    #[test]
    fn one_network_is_one_address() {
        let mut limits = ConnectionLimits::new(10, 1);
        let addresses = [1, 2, 1 << 64, 1 << 65].map(Ipv6Addr::from_bits);
        let permits = addresses.map(|address| limits.admit(address.into()).expect("room"));
        let over: Vec<bool> = permits.iter().map(Permit::is_over_limit).collect();
        assert_eq!(over, [false, true, false, false]);
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let permits = [Ipv4Addr::LOCALHOST.into(), mapped.into()].map(|ip| limits.admit(ip));
        let within = permits.iter().flatten().filter(|permit| !permit.is_over_limit()).count();
        assert_eq!(within, 1);
    }
}
