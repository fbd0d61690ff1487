//! How many connections one address may have.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::network::customer;

/// The connections of each address.
///
/// ```
/// use ehlo_apps::places::Places;
///
/// let places = Places::new(1);
/// let place = places.take([192, 0, 2, 7].into());
/// assert!(place.is_some() && places.take([192, 0, 2, 7].into()).is_none());
/// drop(place);
/// assert!(places.take([192, 0, 2, 7].into()).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Places {
    most: usize,
    taken: Taken,
}

type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

impl Places {
    /// So many for each address.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Taken::default() }
    }

    /// A place for a client at this address, if one is left.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let address = customer(address);
        let mut taken = lock(&self.taken);
        let count = taken.entry(address).or_default();
        if *count == self.most {
            return None;
        }
        *count += 1;
        Some(Place { address, taken: Arc::clone(&self.taken) })
    }
}

/// One of the connections of an address, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    address: IpAddr,
    taken: Taken,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let places = Places::new(2);
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let held = [places.take(ip("2001:db8::1")), places.take(ip("2001:db8::2"))];
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(ip("2001:db8::3")).is_none());
        assert!(places.take(ip("2001:db8:0:1::1")).is_some());
        drop(held);
        assert!(places.take(ip("2001:db8::3")).is_some());
        assert!(lock(&places.taken).is_empty());
    }
}
