//! Ways in for fuzzing and hostile tests, and nothing else: what is otherwise reached only through a whole call. Not part of the crate's
//! interface; `tests/fuzz` is the only user.
//!
//! Each function takes bytes as an attacker would shape them and checks what must hold whatever they are. A check that fails panics: that
//! is what a fuzzer looks for.

#![expect(clippy::arithmetic_side_effects, clippy::unreachable, reason = "a check that overflows or fails is what a fuzzer looks for")]

mod egress;
mod input;
mod transport;

pub use egress::egress;
pub use input::Plan;
pub use transport::{associations, channels, check, handshake};

use crate::congestion::{CongestionController, SentClass};
use crate::rtcp::{RtcpPacket, packets};
use std::time::{Duration, Instant};

/// Reads relay messages and the datagrams that carry them; what is read can be written again.
pub fn relay(bytes: &[u8]) {
    let mut again = Vec::new();
    if let Ok(read) = crate::wire::decode_control(bytes) {
        read.message.encode(read.from, &read.to, &mut again);
        let twice = crate::wire::decode_control(&again);
        assert!(twice.is_ok_and(|twice| format!("{twice:?}") == format!("{read:?}")), "what was read is written otherwise");
        again.clear();
    }
    if let Ok(read) = crate::wire::decode_media(bytes) {
        read.message.encode(read.from, &read.to, &mut again);
        let twice = crate::wire::decode_media(&again);
        assert!(twice.is_ok_and(|twice| format!("{twice:?}") == format!("{read:?}")), "what was read is written otherwise");
    }
    let (mut plan, mut now) = (Plan::new(bytes), Instant::now());
    let mut hop = crate::hop::Hop::new(now, Duration::from_millis(20));
    while let Some(step) = plan.byte() {
        now += Duration::from_millis(u64::from(step));
        if step % 4 == 0 {
            hop.send(now, &[0; 100], 90);
        }
        drop(hop.handle_datagram(now, bytes::Bytes::copy_from_slice(plan.chunk(100))));
        hop.handle_timeout(now);
        while hop.poll_transmit().is_some() {}
    }
}

/// Feeds RTCP to what estimates a path, while packets are sent over it; the estimate stays a number.
pub fn estimate(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let mut now = Instant::now();
    let mut controller = CongestionController::new(now);
    while let Some(step) = plan.byte() {
        now += Duration::from_millis(u64::from(step));
        for _ in 0..step % 16 {
            controller.on_sent(now, 1_200, SentClass::Video);
        }
        controller.handle_tick(now);
        let compound = plan.chunk(1_200);
        for packet in packets(compound).flatten() {
            match packet {
                RtcpPacket::TransportFeedback(feedback) => drop(controller.on_feedback(now, &feedback)),
                RtcpPacket::Remb(remb) => controller.on_remb(now, remb.bitrate),
                RtcpPacket::ReceiverReport(report) => {
                    report.reports().for_each(|block| controller.on_report_loss(now, f64::from(block.fraction_lost) / 256.0));
                }
                _ => {}
            }
        }
        for _ in 0..4 {
            let Some(padding) = controller.poll_padding(now) else { break };
            controller.on_sent(now, padding.clamp(200, 1_200), SentClass::Padding);
        }
        if let Some(estimate) = controller.estimate(now) {
            assert!(estimate.bps > 0 && estimate.bps < 1 << 40 && estimate.media_bps <= estimate.bps, "{estimate:?}");
        }
        assert!(controller.poll_timeout(now).is_none_or(|at| at < now + Duration::from_secs(3_600)), "an alarm in a far future");
    }
}
