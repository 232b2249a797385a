//! Feedback bytes of the draft's chunk forms, and the ways to lie in them.

use super::*;
use crate::rtcp::{RtcpPacket, packets};
use crate::rtp::test_bytes::hex;

fn feedback(rest: &str) -> Vec<u8> {
    let body = hex(rest);
    let body = [&hex("00000001 00000002")[..], &body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
    [&[0x8f, 205, 0, (body.len() / 4) as u8], &body[..]].concat()
}

fn parse(bytes: &[u8]) -> Option<TransportFeedback<'_>> {
    match packets(bytes).next() {
        Some(Ok(RtcpPacket::TransportFeedback(feedback))) => Some(feedback),
        _ => None,
    }
}

fn arrivals(rest: &str) -> Option<Vec<(u16, Option<i64>)>> {
    let bytes = feedback(rest);
    parse(&bytes).map(|feedback| feedback.arrivals().map(|status| (status.seq, status.arrival_us)).collect())
}

#[test]
fn a_packet_captured_from_chromium() {
    // One run of nine small deltas, with RTCP padding; dissected in olivermichel/webrtc-analysis, test/include/data.h.
    let bytes = hex("afcd0007 00000001 dd586eb6 00010009 5e911000 20091c0c 2c380004 00081801");
    let feedback = parse(&bytes).unwrap();
    assert_eq!((feedback.base_seq, feedback.status_count, feedback.feedback_count), (1, 9, 0));
    assert_eq!((feedback.media_ssrc, feedback.reference_time), (0xdd58_6eb6, 6_197_520));
    let start = 6_197_520 * 64_000;
    let expected = [7_000, 10_000, 21_000, 35_000, 35_000, 36_000, 36_000, 38_000, 44_000].map(|us| Some(start + us));
    assert_eq!(feedback.arrivals().map(|status| status.arrival_us).collect::<Vec<_>>(), expected);
    assert_eq!(feedback.arrivals().map(|status| status.seq).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
}

#[test]
fn every_chunk_form_and_a_wrap() {
    // Run of two lost; one-bit vector of 14; two-bit vector of which three count.
    let statuses = arrivals("fffe 0013 000001 05  0002 a800 e100  04 08 fffc 02").unwrap();
    assert_eq!(statuses.len(), 19);
    let received: Vec<_> = statuses.into_iter().filter_map(|(seq, arrival)| Some((seq, arrival?))).collect();
    // a800: bit 15 vector, bit 13 is the first symbol: received at 0 and 2 of its 14; e100: large, lost, small.
    assert_eq!(received, [(0, 65_000), (2, 67_000), (14, 66_000), (16, 66_500)]);
}

#[test]
fn the_reference_time_is_signed() {
    assert_eq!(arrivals("0000 0001 ffffff 00 2001 04"), Some(vec![(0, Some(-64_000 + 1_000))]));
}

#[test]
fn what_chunks_or_deltas_do_not_carry_is_refused() {
    assert_eq!(arrivals("0000 ffff 000000 00 3fff 0000"), None); // 8191 symbols said to be 65535
    assert_eq!(arrivals("0000 0008 000000 00 2008 00000000 0000"), None); // eight deltas in six bytes
    assert_eq!(arrivals("0000 0002 000000 00 4002 0000"), None); // two large deltas in two bytes
    assert_eq!(arrivals("0000 0001 000000 00"), None); // no chunk at all
}

#[test]
fn the_reserved_symbol_is_refused() {
    assert_eq!(arrivals("0000 0001 000000 00 6001 0000"), None);
    assert_eq!(arrivals("0000 0003 000000 00 c300 0000 0000"), None);
    // Past the counted symbols it is filling.
    assert_eq!(arrivals("0000 0001 000000 00 d300 0400"), Some(vec![(0, Some(1_000))]));
}

#[test]
fn a_report_of_nothing_is_empty() {
    assert_eq!(arrivals("0007 0000 000000 00"), Some(vec![]));
}

#[test]
fn empty_runs_are_passed_over() {
    assert_eq!(arrivals("0007 0001 000000 00 2000 2001 04 000000"), Some(vec![(7, Some(1_000))]));
}

#[test]
fn what_a_chunk_asks_for_is_the_sum_of_its_symbols() {
    for word in 0..=u16::MAX {
        let chunk = Chunk::parse(word.to_be_bytes());
        for count in [0, 1, 6, 7, 13, 14, 9_000] {
            let mut symbols = chunk;
            let bits = std::iter::from_fn(|| symbols.next_bits()).take(usize::from(count));
            let sum = bits.map(|bits| Some(Symbol::from_bits(bits)?.delta_len())).sum::<Option<usize>>();
            // Of a run the symbol is looked at even where it counts for nothing.
            let nothing = matches!(chunk, Chunk::Run { .. }) && chunk.left().min(count) == 0;
            if !nothing {
                assert_eq!(chunk.delta_len(count), sum, "{word:#06x}, {count}");
            }
        }
    }
}
