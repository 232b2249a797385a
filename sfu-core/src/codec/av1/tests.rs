//! Aggregation as the AV1 RTP specification §4.4 describes it.

use super::*;
use crate::rtp::test_bytes::hex;

fn split(payload: &str) -> Vec<Vec<u8>> {
    elements(&hex(payload)).map(<[u8]>::to_vec).collect()
}

#[test]
fn header_bits() {
    let header = AggregationHeader::parse(&[0b1110_1000]).unwrap();
    let expected = AggregationHeader { continues: true, is_continued: true, element_count: 2, starts_sequence: true };
    assert_eq!(header, expected);
    assert_eq!(AggregationHeader::parse(&[]), None);
}

#[test]
fn counted_elements_leave_out_the_last_length() {
    assert_eq!(split("20 02 0a0b 320102"), [hex("0a0b"), hex("320102")]);
    assert_eq!(split("10 320102"), [hex("320102")]);
    assert_eq!(split("30 01 aa 01 bb cc"), [hex("aa"), hex("bb"), hex("cc")]);
}

#[test]
fn uncounted_elements_all_have_lengths() {
    assert_eq!(split("00 02 0a0b 03 320102"), [hex("0a0b"), hex("320102")]);
    let long = format!("00 8101 {}", "ab".repeat(129));
    assert_eq!(split(&long), [vec![0xab; 129]]);
}

#[test]
fn elements_beyond_the_packet_end_it() {
    assert_eq!(split("00 02 0a0b 09 320102"), [hex("0a0b")]);
    assert_eq!(split("20 09 0a0b"), Vec::<Vec<u8>>::new());
    assert_eq!(split("00 ffffff01 aa"), Vec::<Vec<u8>>::new());
    assert_eq!(split("20 02 0a0b"), [hex("0a0b")]);
}

#[test]
fn sequences_start_with_n_or_a_sequence_header() {
    // Sequence header (type 1) and frame (type 6), as Chromium sends them: two elements, N set.
    assert!(is_keyframe(&hex("28 03 0a0b00 320102")));
    assert!(is_keyframe(&hex("20 03 0a0b00 320102"))); // N forgotten
    assert!(is_keyframe(&hex("30 01 12 03 0a0b00 320102"))); // behind a temporal delimiter
    assert!(is_keyframe(&hex("18 32"))); // by its N bit alone
    assert!(!is_keyframe(&hex("10 320102"))); // frame alone
    assert!(!is_keyframe(&hex("20 02 3201 0a0b"))); // sequence header behind a frame
    assert!(!is_keyframe(&hex("98 320102"))); // a continued OBU starts nothing
}
