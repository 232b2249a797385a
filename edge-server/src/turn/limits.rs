//! How much of the TURN server one address and one user may have.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Messages without an allocation that one address may send at once: what a browser with three interfaces sends to begin, and a family behind
/// one NAT. A 401 is up to 2.5 times as large as what it answers, so what a forged address can be sent is bounded by this.
const BURST: f64 = 60.0;

/// More of them a second.
const PER_SECOND: f64 = 10.0;

/// Addresses that are remembered; when there are more, those that have been quiet are forgotten, and then strangers are refused.
const MOST_ADDRESSES: usize = 10_000;

/// Allocations of one user: for each of a few interfaces by UDP, TCP and TLS, twice while ICE restarts.
const MOST_OF_ONE: u32 = 24;

/// Allocations of all.
const MOST: u32 = 4_096;

/// Messages of an address that has no allocation.
#[derive(Debug, Default)]
pub struct Pace {
    buckets: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

impl Pace {
    /// Whether one more message is answered.
    pub fn allows(&self, from: IpAddr, now: Instant) -> bool {
        let network = match from {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |(tokens, at): (f64, Instant)| (tokens + now.saturating_duration_since(at).as_secs_f64() * PER_SECOND).min(BURST);
        if buckets.len() >= MOST_ADDRESSES && !buckets.contains_key(&network) {
            buckets.retain(|_, bucket| left(*bucket) < BURST);
            if buckets.len() >= MOST_ADDRESSES {
                return false;
            }
        }
        let bucket = buckets.entry(network).or_insert((BURST, now));
        let tokens = left(*bucket);
        let allowed = tokens >= 1.0;
        *bucket = (if allowed { tokens - 1.0 } else { tokens }, now);
        allowed
    }
}

/// Allocations by user.
#[derive(Debug, Default)]
pub struct Quota {
    held: Mutex<HashMap<String, u32>>,
}

impl Quota {
    /// Takes one for `user`; false: there are too many.
    pub fn take(&self, user: &str) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.values().sum::<u32>() >= MOST {
            return false;
        }
        let count = held.entry(user.to_owned()).or_default();
        let allowed = *count < MOST_OF_ONE;
        *count += u32::from(allowed);
        allowed
    }

    /// Gives one back.
    pub fn give_back(&self, user: &str) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn an_address_that_comes_to_nothing_is_answered_ever_more_seldom() {
        let (pace, now) = (Pace::default(), crate::clock::now());
        let from: IpAddr = "192.0.2.1".parse().unwrap();
        let answered = |at| (0..1000).filter(|_| pace.allows(from, at)).count();
        assert_eq!(answered(now), 60);
        assert_eq!(answered(now + Duration::from_secs(1)), 10);
        assert_eq!(answered(now + Duration::from_secs(3600)), 60);
        assert!(pace.allows("192.0.2.2".parse().unwrap(), now), "others are not held up");
    }

    #[test]
    fn addresses_are_not_remembered_for_ever() {
        let (pace, now) = (Pace::default(), crate::clock::now());
        let from = |number: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        assert!((0..10_000).all(|number| pace.allows(from(number), now)));
        assert!(!pace.allows(from(10_000), now), "a flood from everywhere");
        assert!(pace.allows(from(10_000), now + Duration::from_secs(10)));
        assert_eq!(pace.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_user_has_so_many_allocations_and_gets_them_back() {
        let quota = Quota::default();
        assert_eq!((0..100).filter(|_| quota.take("1:ann")).count(), 24);
        assert!(quota.take("1:ben"));
        quota.give_back("1:ann");
        assert!(quota.take("1:ann") && !quota.take("1:ann"));
        (0..24).for_each(|_| quota.give_back("1:ann"));
        quota.give_back("1:ben");
        assert!(quota.held.lock().unwrap().is_empty());
    }
}
