//! How many connections of one address wait to be known, so that nobody takes all places by saying nothing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Places by address; an IPv6 network of 64 bits, which is one host's to choose from, counts as one.
#[derive(Debug)]
pub(super) struct Crowd {
    most: u32,
    /// As large as there are connections that wait.
    waiting: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Option<IpAddr>,
    waiting: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Crowd {
    /// `most` for each address but loopback.
    pub(super) fn new(most: u32) -> Self {
        Self { most, waiting: Arc::default() }
    }

    /// Takes a place; none: that address has all of its own.
    pub(super) fn enter(&self, from: IpAddr) -> Option<Place> {
        let of = (!from.is_loopback()).then(|| network(from));
        if let Some(of) = of {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.entry(of).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Place { of, waiting: Arc::clone(&self.waiting) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(of) = self.of else { return };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&of);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_places_and_gets_them_back() {
        let crowd = Crowd::new(2);
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let (first, second) = (enter("192.0.2.1").unwrap(), enter("192.0.2.1").unwrap());
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some(), "another address has its own");
        drop(first);
        let third = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        drop((second, third));
        assert!(crowd.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_loopback_none() {
        let crowd = Crowd::new(1);
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let _place = enter("2001:db8::1").unwrap();
        assert!(enter("2001:db8::ffff:2").is_none());
        assert!(enter("2001:db8:0:1::1").is_some());
        let _local = [enter("127.0.0.1").unwrap(), enter("127.0.0.1").unwrap(), enter("::1").unwrap(), enter("::1").unwrap()];
    }
}
