//! Packets that come late, twice, or on both sides of a rollover.

use proptest::prelude::*;

use super::*;

#[test]
fn rollover_is_followed() {
    for profile in SrtpProfile::ALL {
        let (sender, mut receiver) = pair(profile);
        for index in 65_500..65_600 {
            pass(&sender, &mut receiver, index);
        }
    }
}

#[test]
fn every_rollover_of_many_is_followed() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
    for step in 0..50u64 {
        pass(&sender, &mut receiver, 30_000 * step); // 22 rollovers
    }
}

#[test]
fn reordering_around_a_rollover_is_understood() {
    for profile in SrtpProfile::ALL {
        let (sender, mut receiver) = pair(profile);
        for index in [65_530, 65_537, 65_535, 65_536, 65_534, 65_533, 65_540, 65_531] {
            pass(&sender, &mut receiver, index);
        }
    }
}

#[test]
fn late_packets_inside_the_window_are_accepted() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
    pass(&sender, &mut receiver, 60_000);
    // The window promises 1984.
    for age in [1, 63, 64, 1023, 1024, 1984] {
        pass(&sender, &mut receiver, 60_000 - age);
    }
}

#[test]
fn packets_older_than_the_window_are_refused() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
    pass(&sender, &mut receiver, 60_000);
    for age in [2048, 5000, 30_000] {
        assert_eq!(open(&mut receiver, &sealed(&sender, SSRC, 60_000 - age)), Err(SrtpError::TooOld), "{age} old");
    }
}

#[test]
fn packets_from_before_the_first_are_refused_at_rollover_zero() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
    pass(&sender, &mut receiver, 2);
    assert_eq!(open(&mut receiver, &sealed(&sender, SSRC, 65_535)), Err(SrtpError::TooOld));
}

#[test]
fn replayed_packets_are_refused() {
    for profile in SrtpProfile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let indices = [65_534u64, 65_536, 65_535, 67_000, 66_999];
        for index in indices {
            pass(&sender, &mut receiver, index);
        }
        for index in indices {
            assert_eq!(open(&mut receiver, &sealed(&sender, SSRC, index)), Err(SrtpError::Replayed), "{profile:?} {index}");
        }
        let reports: Vec<_> = (0..3).map(|_| sealed_report(&mut sender, SSRC)).collect();
        for packet in [&reports[1], &reports[0], &reports[2]] {
            assert_eq!(open_report(&mut receiver, packet), Ok(report(SSRC)));
        }
        for packet in &reports {
            assert_eq!(open_report(&mut receiver, packet), Err(SrtpError::Replayed));
        }
    }
}

#[test]
fn sources_roll_over_apart() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm);
    for index in (0..200_000).step_by(20_000) {
        pass(&sender, &mut receiver, index);
    }
    let other = SSRC + 1;
    assert_eq!(open(&mut receiver, &sealed(&sender, other, 9)), Ok((plain(other, 9).0, 9)));
    pass(&sender, &mut receiver, 200_001);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order whose displacement stays inside the window is delivered once each, and never twice.
    #[test]
    fn any_near_order_is_delivered_exactly_once(
        start in 0u64..200_000,
        offsets in prop::collection::vec(0u64..1900, 1..200),
        which in 0usize..3,
    ) {
        let (sender, mut receiver) = pair(SrtpProfile::ALL[which]);
        let first = start & 0xffff;
        pass(&sender, &mut receiver, first);
        let mut seen = std::collections::HashSet::from([first]);
        for offset in offsets {
            let index = first + offset;
            let result = open(&mut receiver, &sealed(&sender, SSRC, index));
            if seen.insert(index) {
                prop_assert_eq!(result, Ok((plain(SSRC, index).0, index)));
            } else {
                prop_assert_eq!(result, Err(SrtpError::Replayed));
            }
        }
    }
}
