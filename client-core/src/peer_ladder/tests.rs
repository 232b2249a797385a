//! The ladder follows a path of known capacity down and up, and does not swing at its edge.

use super::*;

fn at(second: u64) -> MonoTime {
    MonoTime::from_micros(second * 1_000_000)
}

/// A path, and a sender's belief in it: it grows by a third each second, and not far beyond what is sent.
struct Path {
    believed: f32,
}

impl Path {
    fn second(&mut self, capacity: u32, sent: u32) -> PathSample {
        self.believed = (self.believed * 1.33).min(sent as f32 * 1.5).min(capacity as f32);
        PathSample { available: Some(self.believed as u32), loss: Some(0.0), rtt: Some(Duration::from_millis(40)) }
    }
}

type Steps = Vec<(u64, u16, PeerReason)>;

fn run(ladder: &mut PeerLadder, seconds: core::ops::Range<u64>, mut second: impl FnMut(u64, PeerRung) -> PathSample) -> Steps {
    let mut steps = Vec::new();
    for now in seconds {
        let sample = second(now, ladder.rung());
        steps.extend(ladder.observe(at(now), sample).map(|(rung, reason)| (now, rung.height, reason)));
    }
    steps
}

/// Runs against a path of this capacity at each second.
fn over(ladder: &mut PeerLadder, seconds: core::ops::Range<u64>, capacity: impl Fn(u64) -> u32) -> Steps {
    let mut path = Path { believed: 1_500_000.0 };
    run(ladder, seconds, |now, rung| path.second(capacity(now), rung.bitrate))
}

#[test]
fn a_wide_path_gets_the_size_of_the_picture_and_no_more() {
    for (lines, height) in [(2160, 2160), (1080, 1080), (720, 720), (700, 720), (480, 480), (200, 240), (0, 720)] {
        let mut ladder = PeerLadder::new(lines);
        let steps = over(&mut ladder, 0..60, |_| 50_000_000);
        assert_eq!(ladder.rung().height, height, "{lines} lines: {steps:?}");
    }
}

#[test]
fn each_capacity_ends_on_the_rung_that_eighty_percent_of_it_hold() {
    for (capacity, height) in [(600_000, 240), (1_000_000, 240), (1_300_000, 480), (2_600_000, 720), (5_100_000, 1080), (11_000_000, 2160)]
    {
        let mut ladder = PeerLadder::new(2160);
        let steps = over(&mut ladder, 0..100, |_| capacity);
        // A probe may be under way: what counts is where it stands most of the time.
        let mut held = 0;
        let mut path = Path { believed: capacity as f32 };
        for now in 100..200 {
            held += u32::from(ladder.rung().height == height);
            ladder.observe(at(now), path.second(capacity, ladder.rung().bitrate));
        }
        assert!(held >= 85, "{capacity} bit/s: {held} of 100 s in {height}; {steps:?}");
    }
}

#[test]
fn a_cut_is_followed_in_two_seconds_and_its_end_within_half_a_minute() {
    let mut ladder = PeerLadder::new(720);
    let capacity = |now: u64| if (20..40).contains(&now) { 400_000 } else { 3_000_000 };
    let steps = over(&mut ladder, 0..100, capacity);
    assert_eq!(steps.first(), Some(&(21, 240, PeerReason::Bandwidth)), "{steps:?}");
    assert!(steps.iter().skip(1).all(|(when, ..)| *when >= 40), "no probe where not even the lowest holds: {steps:?}");
    assert_eq!(steps.last().map(|(when, height, _)| (*when <= 70, *height)), Some((true, 720)), "{steps:?}");
}

#[test]
fn loss_and_delay_force_it_low_until_they_have_gone() {
    let good = PathSample { available: Some(20_000_000), loss: Some(0.0), rtt: Some(Duration::from_millis(40)) };
    let lossy = (PathSample { loss: Some(0.06), ..good }, PeerReason::Loss);
    let slow = (PathSample { rtt: Some(Duration::from_millis(210)), ..good }, PeerReason::Delay);
    for (bad, reason) in [lossy, slow] {
        let mut ladder = PeerLadder::new(1080);
        let steps = run(&mut ladder, 0..30, |now, _| if now < 20 { good } else { bad });
        assert_eq!(steps.last(), Some(&(21, 240, reason)), "two samples: {steps:?}");
        assert_eq!(run(&mut ladder, 30..90, |_, _| bad), [], "no probe meanwhile");
        let between = PathSample { loss: Some(0.04), rtt: Some(Duration::from_millis(180)), ..good };
        assert_eq!(run(&mut ladder, 90..120, |_, _| between), [], "a little better is not good");
        let steps = run(&mut ladder, 120..150, |_, _| good);
        assert_eq!(ladder.rung().height, 1080, "{steps:?}");
    }
    let mut ladder = PeerLadder::new(1080);
    let glitches = run(&mut ladder, 0..60, |now, _| if now % 2 == 0 { good } else { lossy.0 });
    assert!(glitches.iter().all(|(_, height, _)| *height >= 720), "{glitches:?}");
}

#[test]
fn what_fits_only_when_tried_is_found_by_trying() {
    // A belief that never goes beyond what is sent by more than a tenth: nothing above ever seems to fit.
    let mut ladder = PeerLadder::new(1080);
    let steps = run(&mut ladder, 0..120, |_, rung| PathSample { available: Some(rung.bitrate / 100 * 126), ..PathSample::default() });
    assert!(steps.iter().any(|(_, height, reason)| (*height, *reason) == (1080, PeerReason::Probe)), "{steps:?}");
    assert_eq!(ladder.rung().height, 1080);
}

#[test]
fn probes_that_fail_become_rare() {
    let mut ladder = PeerLadder::new(2160);
    // Holds 720 lines, never 1080.
    let steps = over(&mut ladder, 0..600, |_| 3_000_000);
    let probes: Vec<_> = steps.iter().filter(|(_, _, reason)| *reason == PeerReason::Probe).map(|(when, ..)| *when).collect();
    assert!((3..=8).contains(&probes.len()), "{steps:?}");
    let gaps: Vec<_> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.is_sorted(), "{gaps:?}");
    assert!(steps.iter().all(|(_, height, _)| [720, 1080].contains(height)), "{steps:?}");
}

#[test]
fn a_capacity_that_wobbles_around_a_rung_switches_seldom() {
    let mut ladder = PeerLadder::new(720);
    let steps = over(&mut ladder, 0..600, |now| if now % 7 < 3 { 2_350_000 } else { 2_650_000 });
    assert!(steps.len() <= 20, "{} switches in ten minutes: {steps:?}", steps.len());
}

#[test]
fn without_an_estimate_it_tries_and_loss_decides() {
    let mut ladder = PeerLadder::new(1080);
    let blind = |rung: PeerRung| PathSample { loss: Some(if rung.height > 720 { 0.2 } else { 0.0 }), ..PathSample::default() };
    let steps = run(&mut ladder, 0..20, |_, rung| blind(rung));
    assert_eq!(steps.first().map(|(_, height, reason)| (*height, *reason)), Some((1080, PeerReason::Probe)));
    assert_eq!(steps.get(1).map(|(_, height, reason)| (*height, *reason)), Some((240, PeerReason::Loss)));
    assert_eq!(run(&mut PeerLadder::new(720), 0..600, |_, _| PathSample::default()), [], "nothing known, nothing to gain");
}
