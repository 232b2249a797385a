//! Several encodings in one publication.

use super::*;
use crate::codec::video_layers_allocation::VideoLayersAllocation;
use crate::keys::{ParticipantKey, RoomKey};
use crate::layer::LayerTag;
use nearcast_protocol::PublicationInfo;
use nearcast_protocol::client::Source;

fn camera(rids: &[&str]) -> Publication {
    let info = PublicationInfo { id: "t".into(), video: true, source: Source::Camera, name: String::new(), muted: false, blocked: false };
    let rids: Vec<_> = rids.iter().map(|rid| (*rid).to_owned()).collect();
    Publication::new(info, ParticipantKey::default(), RoomKey::default(), "0".into(), true, &rids)
}

/// One packet of each of `encodings` every 33 ms, 500 bytes large or twice that, between two times in milliseconds since `start`.
fn send(publication: &mut Publication, encodings: &[u8], start: Instant, from: u64, end: u64) {
    for millis in (from..end).step_by(33) {
        let now = start + ms(millis);
        for encoding in encodings {
            let tag = LayerTag { encoding: *encoding, ..LayerTag::single(false, true, true) };
            let info = PacketInfo { layer: tag, timestamp: millis as u32 * 90, ..info(1, Codec::Vp8, false) };
            publication.measure(&info, 500 * (usize::from(*encoding) + 1), now);
        }
    }
}

fn live(publication: &Publication, now: Instant) -> Vec<(u8, bool)> {
    let mut live: Vec<_> = publication.rungs(now).iter().map(|rung| (rung.encoding, rung.live)).collect();
    live.sort_unstable();
    live
}

#[test]
fn an_encoder_that_restarts_restarts_its_encoding_alone() {
    let mut publication = camera(&["q", "h"]);
    publication.note_ssrc(0, 10);
    publication.note_ssrc(1, 11);
    let generations = |publication: &Publication| [0, 1].map(|encoding| publication.stream(encoding).unwrap().generation);
    let before = generations(&publication);
    assert_ne!(before[0], before[1], "numbers of different streams have nothing to do with each other");
    publication.note_ssrc(1, 12);
    publication.note_ssrc(1, 12);
    let after = generations(&publication);
    assert_eq!(after[0], before[0]);
    assert!(!before.contains(&after[1]));
    assert!(publication.stream_of_generation(before[1]).is_none());
    assert_eq!(publication.stream_of_ssrc(12).unwrap().1.generation, after[1]);
}

#[test]
fn places_of_encodings_stay() {
    let names = |publication: &Publication| publication.encodings().iter().map(|encoding| encoding.rid.clone()).collect::<Vec<_>>();
    let mut publication = camera(&[]);
    assert_eq!(names(&publication), [None]);
    publication.add_encodings(&["f".to_owned(), "q".to_owned()]);
    assert_eq!(names(&publication), [Some("f".to_owned()), Some("q".to_owned())], "the only stream is the first");
    publication.add_encodings(&["q".to_owned(), "h".to_owned()]);
    assert_eq!(names(&publication), ["f", "q", "h"].map(|rid| Some(rid.to_owned())));
    publication.add_encodings(&["1".to_owned(), "2".to_owned()]);
    assert_eq!(publication.encodings().len(), MAX_ENCODINGS);
}

#[test]
fn rungs_are_ordered_by_cost_whatever_the_offer_says() {
    let (mut publication, start) = (camera(&["f", "h", "q"]), Instant::now());
    send(&mut publication, &[0, 1], start, 0, 2_000);
    let now = start + ms(2_000);
    let rungs = publication.rungs(now);
    let seen: Vec<_> = rungs.iter().map(|rung| (rung.encoding, rung.live)).collect();
    assert_eq!(seen, [(2, false), (0, true), (1, true)], "one that never sent can be wanted all the same");
    assert!((110_000..130_000).contains(&rungs[1].bitrate) && rungs[1].fps == 30, "{:?}", rungs[1]);
}

#[test]
fn a_top_encoding_that_stops_is_noticed() {
    let (mut publication, start) = (camera(&["q", "h"]), Instant::now());
    send(&mut publication, &[0, 1], start, 0, 1_000);
    send(&mut publication, &[0], start, 1_000, 1_600);
    assert_eq!(live(&publication, start + ms(1_450)), [(0, true), (1, true)]);
    assert_eq!(live(&publication, start + ms(1_600)), [(0, true), (1, false)]);
}

#[test]
fn a_source_that_is_silent_altogether_keeps_its_encodings_for_a_while() {
    let (mut publication, start) = (camera(&["q", "h"]), Instant::now());
    send(&mut publication, &[0, 1], start, 0, 1_000);
    assert_eq!(live(&publication, start + ms(3_000)), [(0, true), (1, true)]);
    assert_eq!(live(&publication, start + ms(8_000)), [(0, false), (1, false)]);
}

#[test]
fn the_publisher_says_what_it_has_on() {
    let (mut publication, start) = (camera(&["q", "h"]), Instant::now());
    send(&mut publication, &[0, 1], start, 0, 1_000);
    // Two streams, of which the second is on alone: 90 kbit/s, 640x360 at 15 frames/s.
    let only_second = VideoLayersAllocation::parse(&[0b0001_0000, 0x01, 0, 90, 0x02, 0x7f, 0x01, 0x67, 15]).unwrap();
    publication.note_allocation(0, only_second, start + ms(1_000));
    assert_eq!(live(&publication, start + ms(1_010)), [(0, false), (1, true)], "at once");
    let sizes: Vec<_> = publication.rungs(start).iter().map(|rung| (rung.width, rung.height)).collect();
    assert!(sizes.contains(&(640, 360)));
    // What it sends counts more than what it said.
    send(&mut publication, &[0, 1], start, 1_000, 1_400);
    assert_eq!(live(&publication, start + ms(1_400)), [(0, true), (1, true)]);
}

#[test]
fn an_allocation_names_streams_by_the_packet_it_is_on() {
    let (mut publication, start) = (camera(&["f", "q"]), Instant::now());
    send(&mut publication, &[0, 1], start, 0, 1_000);
    // Stream 0 alone is on, says stream 0, which is our second encoding; and stream 1 says the same of itself.
    let [by_zero, by_one] = [0b0001_0000, 0b0101_0000].map(|head| VideoLayersAllocation::parse(&[head, 0x10, 0, 90]).unwrap());
    publication.note_allocation(1, by_zero, start + ms(1_000));
    publication.note_allocation(0, by_one, start + ms(1_000));
    assert_eq!(live(&publication, start + ms(1_010)), [(0, false), (1, true)]);
}
