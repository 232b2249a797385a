//! Receivers that lie.

use super::super::rate::{MAX_BPS, MIN_BPS};
use super::super::{CongestionController, Demand, SentClass};
use super::feedback::give;
use super::link::Random;
use std::time::{Duration, Instant};

/// A feedback packet with these chunks and deltas.
fn feedback(base: u16, count: u16, reference: u32, chunks: &[u16], deltas: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2];
    body.extend(base.to_be_bytes());
    body.extend(count.to_be_bytes());
    body.extend(&reference.to_be_bytes()[1..]);
    body.push(0);
    chunks.iter().for_each(|chunk| body.extend(chunk.to_be_bytes()));
    body.extend(deltas);
    body.resize(body.len().next_multiple_of(4), 0);
    let mut packet = vec![0x8f, 205];
    packet.extend((body.len() as u16 / 4).to_be_bytes());
    packet.extend(body);
    packet
}

#[test]
fn hostile_feedback_moves_only_its_senders_estimate() {
    let start = Instant::now();
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut controller = CongestionController::new(start);
        controller.set_demand(Demand { allocated_bps: 1_000_000, wanted_bps: 5_000_000, max_bps: 5_000_000 });
        for step in 0..2_000_u64 {
            let now = start + Duration::from_millis(5 * step);
            controller.on_sent(now, (random.unit() * 1_400.0) as usize, SentClass::Video);
            controller.handle_tick(now);
            while let Some(bytes) = controller.poll_padding(now) {
                assert!(bytes < 1_000_000);
                controller.on_sent(now, bytes.clamp(200, 1_200), SentClass::Padding);
            }
            let pick = |random: &mut Random, most: f64| (random.unit() * most) as u32;
            let near = u32::from(controller.next_number()).wrapping_sub(pick(&mut random, 30.0));
            let base = if random.unit() < 0.7 { near } else { pick(&mut random, 65_536.0) } as u16;
            let reference = if random.unit() < 0.5 { step as u32 / 13 } else { pick(&mut random, 16_777_216.0) };
            let count = 1 + pick(&mut random, 20.0) as u16;
            // Runs of large deltas, of small ones, or of losses as long as a chunk can say.
            let (chunk, len) = match pick(&mut random, 3.0) {
                0 => (0x4000 | count, count * 2),
                1 => (0x2000 | count, count),
                _ => (0x1fff, 0),
            };
            let count = if len == 0 { 8_191 } else { count };
            let deltas: Vec<_> = (0..len).map(|_| pick(&mut random, 256.0) as u8).collect();
            give(&mut controller, now, &feedback(base, count, reference, &[chunk], &deltas));
            if let Some(estimate) = controller.estimate(now) {
                assert!((MIN_BPS as u64..=MAX_BPS as u64).contains(&estimate.bps), "{estimate:?}");
                assert!(estimate.media_bps <= estimate.bps);
            }
        }
    }
}

#[test]
fn a_receiver_that_claims_instant_arrival_earns_no_more_than_was_sent() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    for step in 0..1_000_u64 {
        let now = start + Duration::from_millis(10 * step);
        let number = controller.next_number();
        controller.on_sent(now, 1_200, SentClass::Video);
        // Everything "arrived" within 250 µs of the one before.
        give(
            &mut controller,
            now + Duration::from_millis(1),
            &feedback(number, 1, 1 + (step / 256) as u32, &[0x2001], &[(step % 256) as u8]),
        );
    }
    let estimate = controller.estimate(start + Duration::from_secs(10)).unwrap().bps;
    assert!(estimate < 40_000_000, "{estimate}");
}
