//! What comes back from a store is what went there, or nothing.

use super::*;
use proptest::prelude::*;

fn taught(quarter: u64, values: &[Option<f64>]) -> Learned {
    let mut learned = Learned::nothing(quarter);
    values.iter().for_each(|value| learned.pass(*value));
    learned
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_read_back_says_the_same_for_ever(
        quarter in 2_000_000_u64..3_000_000,
        values in prop::collection::vec(prop::option::weighted(0.9, 0.0..1e6), 0..1_500),
        more in prop::collection::vec(0.0..1e6, 0..100),
    ) {
        let mut learned = taught(quarter, &values);
        let mut read = Learned::from_bytes(&learned.to_bytes()).unwrap();
        prop_assert_eq!(&read, &learned);
        for value in more {
            learned.pass(Some(value));
            read.pass(Some(value));
            for steps in [1, 4, 96, 700] {
                prop_assert_eq!(read.forecast.predict(steps).to_bits(), learned.forecast.predict(steps).to_bits());
            }
        }
    }

    #[test]
    fn one_byte_changed_is_noticed(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = taught(2_000_000, &[Some(40.0); 200]).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        // A changed version may look like a newer one.
        prop_assert!(Learned::from_bytes(&bytes).is_err());
    }

    #[test]
    fn anything_else_is_passed_over(bytes in prop::collection::vec(any::<u8>(), 0..2 * LONGEST)) {
        prop_assert!(Learned::from_bytes(&bytes).is_err());
    }
}

#[test]
fn all_have_the_same_size() {
    for values in [0, 1, 96, 700, 5_000] {
        let bytes = taught(2_000_000, &vec![Some(3.5); values]).to_bytes();
        assert!(bytes.len() <= LONGEST && bytes.len() > BODY, "{}", bytes.len());
        assert!(bytes.starts_with(format!("1 0 {}\n", 2_000_000 + values).as_bytes()));
    }
}

#[test]
fn a_newer_version_is_told_apart_from_nonsense() {
    let bytes = taught(2_000_000, &[Some(1.0)]).to_bytes();
    let newer = [b"2 7 {}\n", &bytes[..]].concat();
    assert_eq!(Learned::from_bytes(&newer), Err(Unreadable::Newer(2)));
    for nonsense in [&b""[..], b"\n", b"1\n", b"1 0\n", b"one 0 2\n", &bytes[..bytes.len() - 1], &[&bytes[..], b"0"].concat()] {
        assert_eq!(Learned::from_bytes(nonsense), Err(Unreadable::Damaged));
    }
}

/// Right by its check, and yet nothing that could have been learned.
#[test]
fn numbers_that_cannot_be_are_damage() {
    let good = taught(2_000_000, &[Some(1.0); 10]);
    let broken = |change: &dyn Fn(&mut Learned)| {
        let mut learned = good.clone();
        change(&mut learned);
        Learned::from_bytes(&learned.to_bytes())
    };
    assert!(broken(&|_| ()).is_ok());
    assert_eq!(broken(&|learned| learned.whole = 11), Err(Unreadable::Damaged));
    assert_eq!(broken(&|learned| learned.quarter = 9), Err(Unreadable::Damaged));
    for value in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(broken(&|learned| learned.forecast.ratio = value), Err(Unreadable::Damaged), "{value}");
        assert_eq!(broken(&|learned| learned.forecast.week[7] = value), Err(Unreadable::Damaged), "{value}");
    }
}
