use super::*;
use crate::media::Codec;
use crate::trace::{Kind, Selection};

fn trace() -> Trace {
    let packet = |millis, marker| TracePacket {
        at: Duration::from_millis(millis),
        kind: Kind::Video,
        rtp_timestamp: 0,
        marker,
        payload: 100,
        layer: 0,
    };
    let selection = Selection { file: "", codec: Codec::Vp8, video: &["-"], audio: false };
    Trace { selection, packets: vec![packet(0, false), packet(1, true), packet(33, true)] }
}

/// Offsets of all packets of a play, taken as fast as they come.
fn offsets(replay: &mut Replay, length: Duration) -> Vec<(u128, bool)> {
    let start = Instant::now();
    replay.play(start, length);
    let mut offsets = Vec::new();
    while let Some(due) = replay.next_due() {
        assert!(replay.take_due(due - Duration::from_micros(1)).is_none(), "taken early");
        let Some(taken) = replay.take_due(due) else { break };
        offsets.push(((due - start).as_millis(), taken.restarts));
    }
    assert!(!replay.is_playing());
    offsets
}

#[test]
fn every_window_replays_the_same_packets() {
    let mut replay = Replay::new(&trace());
    let first = offsets(&mut replay, Duration::from_millis(34));
    assert_eq!(first, [(0, true), (1, false), (33, false)]);
    assert_eq!(offsets(&mut replay, Duration::from_millis(34)), first);
    assert_eq!(offsets(&mut replay, Duration::from_millis(33)).len(), 2);
}

#[test]
fn a_long_play_goes_round() {
    let mut replay = Replay::new(&trace());
    // The period is 33 ms and a mean gap of 11.
    assert_eq!(offsets(&mut replay, Duration::from_millis(78)), [(0, true), (1, false), (33, false), (44, true), (45, false), (77, false)]);
}
