//! Names and fingerprints as others write them.

use super::*;

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Fingerprint(core::array::from_fn(|index| (index * 9) as u8));
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    assert_eq!(fingerprint.to_string().to_uppercase().parse(), Ok(fingerprint));
    for bad in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g0".repeat(32), &"é".repeat(32)] {
        assert_eq!(bad.parse::<Fingerprint>(), Err(BadFingerprint), "{bad}");
    }
}

#[test]
fn a_name_goes_into_keys_and_logs() {
    assert!(NodeId::parse("edge-1.eu_central:7700").is_ok());
    for bad in ["", "a b", "a/b", "a\n", "é", &"a".repeat(LONGEST_NAME + 1)] {
        assert_eq!(NodeId::parse(bad), Err(BadName), "{bad:?}");
    }
}
