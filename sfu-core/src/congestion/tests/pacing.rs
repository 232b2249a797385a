//! The pacer's word.

use super::super::pacer::{Backlog, Carries, Pacer};

const M: f64 = 1e6;

fn pacer(bps: f64) -> Pacer {
    let mut pacer = Pacer::default();
    pacer.follow(Some(Carries { bps, limited: true }));
    pacer
}

/// Sends packets of 1,200 bytes as they may go, with a look every 5 ms; returns how many went when.
fn spread(pacer: &mut Pacer, packets: usize) -> Vec<(i64, usize)> {
    let (mut left, mut sent) = (packets, Vec::new());
    for now in (0..).step_by(5_000) {
        let room = pacer.room(now, Backlog { bytes: left * 1_200, age_us: now });
        let now_sent = room.div_ceil(1_200).min(left);
        (0..now_sent).for_each(|_| pacer.on_sent(1_200));
        left -= now_sent;
        sent.push((now, now_sent));
        if left == 0 {
            return sent;
        }
    }
    sent
}

#[test]
fn nothing_waits_while_nothing_is_known() {
    let mut pacer = Pacer::default();
    for _ in 0..1_000 {
        assert_eq!(pacer.room(0, Backlog::default()), usize::MAX);
        pacer.on_sent(1_200);
    }
    pacer.follow(Some(Carries { bps: M, limited: true }));
    assert!(pacer.room(0, Backlog::default()) >= 12_000, "what went before costs nothing");
    pacer.follow(None);
    assert_eq!(pacer.room(0, Backlog::default()), usize::MAX);
}

#[test]
fn a_frame_of_ordinary_size_passes_whole() {
    let mut pacer = pacer(1.8 * M);
    // 1.5 Mbit/s at 30 frames a second.
    for frame in 0..90 {
        assert!(pacer.room(frame * 33_333, Backlog::default()) >= 6 * 1_040);
        (0..6).for_each(|_| pacer.on_sent(1_040));
    }
}

#[test]
fn a_key_frame_over_a_slow_link_is_spread_at_the_pace() {
    let mut pacer = pacer(1.5 * M);
    let sent = spread(&mut pacer, 85);
    let (ended, _) = *sent.last().unwrap();
    // 102 kB, 12 of them at once, at 1.75 times 1.5 Mbit/s: 0.27 s.
    assert!((250_000..290_000).contains(&ended), "{ended}");
    assert!(sent.iter().skip(1).all(|(_, packets)| *packets <= 3), "{sent:?}");
}

#[test]
fn nothing_waits_for_more_than_half_a_second() {
    let mut pacer = pacer(0.1 * M);
    let sent = spread(&mut pacer, 250);
    let (ended, _) = *sent.last().unwrap();
    assert!((400_000..=500_000).contains(&ended), "{ended}");
    assert!(sent.iter().skip(1).all(|(_, packets)| *packets <= 5), "evenly, not at the end: {sent:?}");
}

#[test]
fn an_estimate_that_little_made_is_not_believed() {
    let mut pacer = pacer(0.03 * M);
    let (ended, _) = *spread(&mut pacer, 42).last().unwrap();
    // 50 kB, 12 of them at once, at 1.75 times 0.5 Mbit/s: 0.35 s.
    assert!((320_000..370_000).contains(&ended), "{ended}");
}

#[test]
fn a_path_without_a_known_limit_carries_a_camera() {
    let mut pacer = Pacer::default();
    pacer.follow(Some(Carries { bps: 0.3 * M, limited: false }));
    let (ended, _) = *spread(&mut pacer, 42).last().unwrap();
    // 50 kB, 18 of them at once, at 1.75 times 2.5 Mbit/s: 0.06 s.
    assert!((45_000..75_000).contains(&ended), "{ended}");
}
