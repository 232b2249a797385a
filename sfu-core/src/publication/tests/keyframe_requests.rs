use super::*;
use crate::keys::{ParticipantKey, RoomKey};
use keyframes::{KeyframeRequests, Need, Sent};
use nearcast_protocol::client::Source;

/// A single encoding.
const ONE: Sent = Sent { several: false, live: 1, off: 0, first_hand: true };

/// Three that are being sent.
const THREE: Sent = Sent { several: true, live: 7, off: 0, first_hand: true };

/// What was asked, in milliseconds, and which encodings.
type Asked = Vec<(u64, u8)>;

/// Plays `time` milliseconds. `wants` says who comes in each; the publisher answers after 40 ms, for all encodings or for those asked for.
fn play(
    requests: &mut KeyframeRequests,
    sent: Sent,
    answers_for_all: bool,
    time: u64,
    wants: impl Fn(u64, &mut KeyframeRequests, Instant),
) -> Asked {
    let start = Instant::now();
    let mut asked: Asked = Vec::new();
    for at in 0..time {
        let now = start + ms(at);
        wants(at, requests, now);
        let due = requests.take_due(now, sent);
        if due != 0 {
            asked.push((at, due));
        }
        let answered = asked.iter().filter(|(asked, _)| asked + 40 == at).fold(0, |all, (_, encodings)| all | encodings);
        let answered = if answers_for_all && answered != 0 { sent.live } else { answered & sent.live };
        (0..3).filter(|encoding| answered & (1 << encoding) != 0).for_each(|encoding| requests.on_keyframe(encoding, now));
    }
    asked
}

fn times(asked: &Asked) -> Vec<u64> {
    asked.iter().map(|(at, _)| *at).collect()
}

fn count(asked: &Asked) -> u32 {
    asked.iter().map(|(_, encodings)| encodings.count_ones()).sum()
}

#[test]
fn the_first_wish_is_asked_at_once() {
    let mut requests = KeyframeRequests::default();
    let now = Instant::now();
    assert_eq!(requests.take_due(now, ONE), 0, "nobody wants one");
    requests.want(0, Need::Picture, now);
    assert_eq!(requests.take_due(now, ONE), 1);
    assert_eq!(requests.take_due(now, ONE), 0, "once");
}

#[test]
fn a_crowd_of_viewers_asks_four_times_in_two_seconds_at_most() {
    let asked = play(&mut KeyframeRequests::default(), ONE, false, 2_700, |_, requests, now| {
        requests.welcome(1);
        requests.want(0, Need::Picture, now);
    });
    assert_eq!(times(&asked), [0, 750, 1_500, 2_250]);
}

#[test]
fn a_few_are_served_twice_a_second() {
    let asked = play(&mut KeyframeRequests::default(), ONE, false, 1_500, |at, requests, now| {
        if at % 300 == 0 {
            requests.welcome(1);
            requests.want(0, Need::Picture, now);
        }
    });
    assert_eq!(times(&asked)[..2], [0, 500]);
}

/// Each begins with the smallest and is to have the largest half a second later, whatever the publisher's manner.
#[test]
fn a_crowd_that_climbs_asks_four_times_all_in_all() {
    for answers_for_all in [false, true] {
        let asked = play(&mut KeyframeRequests::default(), THREE, answers_for_all, 6_000, |at, requests, now| {
            if at < 2_000 {
                requests.welcome(1);
                requests.want(0, Need::Picture, now);
            }
            if (500..2_700).contains(&at) {
                requests.want(2, Need::Larger, now);
            }
        });
        assert!(count(&asked) <= 4, "{asked:?}");
        assert!(asked.iter().any(|(at, encodings)| answers_for_all || (*at > 2_000 && encodings & 4 != 0)), "{asked:?}");
    }
}

/// Half of them begin with the smallest, half with the largest: a browser, whose manner showed when the first two viewers came, answers
/// one request for both.
#[test]
fn a_crowd_before_a_browser_costs_the_same_whatever_it_begins_with() {
    let asked = play(&mut KeyframeRequests::default(), THREE, true, 9_000, |at, requests, now| match at {
        0 | 2_000 => requests.want(0, Need::Picture, now),
        5_000..7_000 => {
            requests.welcome(1);
            requests.want(if at % 2 == 0 { 0 } else { 2 }, Need::Picture, now);
        }
        _ => {}
    });
    let crowd: Asked = asked.into_iter().filter(|(at, _)| *at >= 5_000).collect();
    assert!(count(&crowd) <= 4, "{crowd:?}");
}

/// What looked like one answer for all was a coincidence: who was left out is asked for within a tenth of a second.
#[test]
fn a_publisher_that_answers_for_one_is_asked_for_each() {
    let mut requests = KeyframeRequests::default();
    let begin = Instant::now();
    let start = begin + ms(2_000);
    for at in [begin, begin + ms(1_500)] {
        requests.want(0, Need::Picture, at);
        assert_eq!(requests.take_due(at, THREE), 1);
        requests.on_keyframe(0, at + ms(40));
        requests.on_keyframe(2, at + ms(45));
    }
    // Twice is no chance: one stands for both.
    for encoding in [0, 2] {
        requests.want(encoding, Need::Picture, start + ms(1_000));
    }
    assert_eq!(requests.take_due(start + ms(1_000), THREE), 1);
    requests.on_keyframe(0, start + ms(1_040));
    let asked: Vec<_> = (1_041..1_300).filter(|at| requests.take_due(start + ms(*at), THREE) == 4).collect();
    assert_eq!(asked, [1_140]);
    requests.on_keyframe(2, start + ms(1_180));
    for encoding in [0, 2] {
        requests.want(encoding, Need::Picture, start + ms(3_000));
    }
    assert_eq!(requests.take_due(start + ms(3_000), THREE), 5, "each by itself from now on");
}

#[test]
fn whoever_sees_too_much_for_its_path_does_not_wait_for_another_encoding() {
    let mut requests = KeyframeRequests::default();
    let start = Instant::now();
    requests.want(2, Need::Larger, start);
    assert_eq!(requests.take_due(start, THREE), 4);
    requests.want(0, Need::Picture, start + ms(20));
    assert_eq!(requests.take_due(start + ms(20), THREE), 1);
}

/// An encoding that is off can't answer, and begins with a key frame when it is turned on.
#[test]
fn what_is_off_is_not_asked_for() {
    let mut requests = KeyframeRequests::default();
    let start = Instant::now();
    requests.want(0, Need::Picture, start);
    let off = Sent { live: 0, off: 7, ..THREE };
    assert!((0..2_000).all(|at| requests.take_due(start + ms(at), off) == 0));
    requests.on_turned_on(0, start + ms(2_000));
    let on = Sent { live: 0, off: 6, ..THREE };
    let asked: Vec<_> = (2_000..3_100).filter(|at| requests.take_due(start + ms(*at), on) == 1).collect();
    assert_eq!(asked, [2_500, 3_000], "it doesn't come");
}

#[test]
fn an_unanswered_request_is_repeated_until_a_key_frame_comes() {
    let mut requests = KeyframeRequests::default();
    let start = Instant::now();
    requests.want(0, Need::Picture, start);
    let sent = (0..1_400).filter(|at| requests.take_due(start + ms(*at), ONE) != 0).collect::<Vec<_>>();
    assert_eq!(sent, [0, 500, 1_000]);
    requests.on_keyframe(0, start + ms(1_400));
    assert!(!requests.is_wanted());
    assert!((1_400..4_000).all(|at| requests.take_due(start + ms(at), ONE) == 0));
}

fn camera() -> Publication {
    let info = PublicationInfo { id: "p".into(), video: true, source: Source::Camera, name: String::new(), muted: false, blocked: false };
    Publication::new(info, ParticipantKey::default(), RoomKey::default(), "0".into(), true, &[])
}

#[test]
fn a_key_frame_serves_whoever_waited() {
    let mut publication = camera();
    let now = Instant::now();
    publication.keyframes.want(0, Need::Picture, now);
    for (number, keyframe, waited) in [(0, false, true), (1, true, false)] {
        let packet = MediaPacket { info: info(number, Codec::Vp8, keyframe), payload: &[0], dependency: &[] };
        publication.on_packet(0, &packet, now, false);
        assert_eq!(publication.keyframes.is_wanted(), waited);
    }
}

#[test]
fn a_wish_survives_the_restart_of_the_stream() {
    let mut publication = camera();
    publication.note_ssrc(0, 76);
    publication.keyframes.want(0, Need::Picture, Instant::now());
    publication.note_ssrc(0, 77);
    assert!(publication.keyframes.is_wanted());
}

/// A second of sound missing is no reason to ask for a picture; of video it is.
#[test]
fn sound_has_no_key_frames_to_ask_for() {
    for (codec, wanted) in [(Codec::Opus, false), (Codec::Vp8, true)] {
        let mut publication = camera();
        let now = Instant::now();
        for number in [0, 1_000] {
            publication.on_packet(0, &MediaPacket { info: info(number, codec, false), payload: &[0], dependency: &[] }, now, false);
        }
        assert_eq!(publication.keyframes.is_wanted(), wanted);
    }
}
