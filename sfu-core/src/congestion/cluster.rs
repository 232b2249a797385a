//! Probe clusters: a few packets sent faster than the estimate, to see whether they arrive as fast.
//!
//! Everything sent while a cluster runs is part of it, media too; padding fills up to its rate. The cluster ends on its line (bytes =
//! rate × time), so that a frame in it can't make it look faster than it was.
//!
//! Not here: when to probe and how fast (`probing`).

use super::throughput::bits_per_second;

/// A result needs this many packets. libwebrtc `kMinProbePacketsSent`.
const MIN_PACKETS: u32 = 5;
/// … and this part of the packets. libwebrtc `kMinReceivedProbesRatio`.
const MIN_RECEIVED: f64 = 0.8;
/// Arrived slower than sent by more than this: the path is full. libwebrtc `kMinRatioForUnsaturatedLink`.
const UNSATURATED: f64 = 0.9;
/// Bytes of one padding packet: 5 ms of the cluster's rate, within these.
const STEP_BYTES: (f64, f64) = (250.0, 1200.0);
const STEP_US: f64 = 5_000.0;
/// Clusters end after this many times their planned duration, whatever was (not) sent, or after the other: five packets at 100 kbit/s.
const OVERTIME: i64 = 3;
const OVERTIME_US: i64 = 200_000;
/// Results not in after this are given up, µs. libwebrtc `kMaxWaitingTimeForProbingResult`.
const PATIENCE_US: i64 = 1_000_000;
/// Clusters whose feedback is awaited at a time.
const KEPT: usize = 4;

/// What to probe with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) bps: f64,
    pub(super) duration_us: i64,
}

/// What became of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ended {
    Found(Found),
    /// Too few of its packets were sent or answered.
    Failed,
}

/// What a cluster found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) bps: f64,
    /// What it was sent with, lost or not.
    pub(super) sent_bps: f64,
    /// This is all the path carries.
    pub(super) limited: bool,
    /// Part of its packets that did not arrive.
    pub(super) lost: f64,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first_us: i64,
    last_us: i64,
    /// Bytes of all packets but the last sent (of sending) or the first received (of receiving).
    inner: u64,
    edge: u64,
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: u8,
    plan: Plan,
    started_us: i64,
    ended_us: Option<i64>,
    sent_bytes: u64,
    sent_packets: u32,
    arrived_packets: u32,
    lost_packets: u32,
    arrived_bytes: u64,
    sending: Option<Ends>,
    receiving: Option<Ends>,
}

#[derive(Debug, Default)]
pub(super) struct Clusters {
    last_id: u8,
    active: Option<Cluster>,
    awaited: [Option<Cluster>; KEPT],
}

impl Clusters {
    /// Whether a cluster runs or its result is awaited.
    pub(super) fn busy(&self) -> bool {
        self.active.is_some() || self.awaited.iter().any(Option::is_some)
    }

    pub(super) fn start(&mut self, now_us: i64, plan: Plan) {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.active = Some(Cluster {
            id: self.last_id,
            plan,
            started_us: now_us,
            ended_us: None,
            sent_bytes: 0,
            sent_packets: 0,
            arrived_packets: 0,
            lost_packets: 0,
            arrived_bytes: 0,
            sending: None,
            receiving: None,
        });
    }

    /// Ends what runs without a result: the path has just shown that it is full.
    pub(super) fn abandon(&mut self) {
        self.active = None;
        self.awaited = [None; KEPT];
    }

    /// The cluster that a packet sent now belongs to; 0: none.
    pub(super) fn on_sent(&mut self, now_us: i64, size: u16) -> u8 {
        let Some(cluster) = self.active.as_mut() else { return 0 };
        if cluster.sent_packets == 0 {
            cluster.started_us = now_us;
        }
        cluster.sent_bytes = cluster.sent_bytes.saturating_add(u64::from(size));
        cluster.sent_packets = cluster.sent_packets.saturating_add(1);
        let id = cluster.id;
        if cluster.is_complete(now_us) {
            self.finish(now_us);
        }
        id
    }

    fn finish(&mut self, now_us: i64) {
        let Some(cluster) = self.active.take() else { return };
        let place = usize::from(cluster.id) % KEPT;
        if let Some(place) = self.awaited.get_mut(place) {
            *place = (cluster.sent_packets > 0).then_some(Cluster { ended_us: Some(now_us), ..cluster });
        }
    }

    /// Bytes of padding to send now.
    pub(super) fn poll(&mut self, now_us: i64) -> Option<usize> {
        let cluster = self.active.as_ref()?;
        if now_us.saturating_sub(cluster.started_us) > cluster.plan.duration_us.saturating_mul(OVERTIME).max(OVERTIME_US) {
            self.finish(now_us);
            return None;
        }
        let step = cluster.step();
        let due = cluster.line(now_us).saturating_add(step).saturating_sub(cluster.sent_bytes);
        (due >= step).then_some(due as usize)
    }

    /// When [`Self::poll`] next has something to say.
    pub(super) fn poll_timeout_us(&self) -> Option<i64> {
        let cluster = self.active.as_ref()?;
        let bytes = cluster.sent_bytes as f64;
        Some(cluster.started_us.saturating_add((bytes * 8e6 / cluster.plan.bps.max(1.0)) as i64))
    }

    /// Feedback on a packet of a cluster; `arrival_us` on the receiver's clock, `None`: lost.
    pub(super) fn on_answer(&mut self, id: u8, sent_us: i64, arrival_us: Option<i64>, size: u16, was_lost: bool) {
        if id == 0 {
            return;
        }
        let active = self.active.as_mut().filter(|cluster| cluster.id == id);
        let awaited = self.awaited.iter_mut().flatten().find(|cluster| cluster.id == id);
        let Some(cluster) = active.or(awaited) else { return };
        let Some(arrival_us) = arrival_us else {
            cluster.lost_packets = cluster.lost_packets.saturating_add(1);
            return;
        };
        if was_lost {
            cluster.lost_packets = cluster.lost_packets.saturating_sub(1);
        }
        let size = u64::from(size);
        cluster.arrived_packets = cluster.arrived_packets.saturating_add(1);
        cluster.arrived_bytes = cluster.arrived_bytes.saturating_add(size);
        match cluster.sending.as_mut() {
            None => cluster.sending = Some(Ends { first_us: sent_us, last_us: sent_us, inner: 0, edge: size }),
            Some(ends) => {
                ends.first_us = ends.first_us.min(sent_us);
                let (inner, edge) = if sent_us >= ends.last_us { (ends.edge, size) } else { (size, ends.edge) };
                ends.inner = ends.inner.saturating_add(inner);
                ends.edge = edge;
                ends.last_us = ends.last_us.max(sent_us);
            }
        }
        match cluster.receiving.as_mut() {
            None => cluster.receiving = Some(Ends { first_us: arrival_us, last_us: arrival_us, inner: 0, edge: size }),
            Some(ends) => {
                ends.last_us = ends.last_us.max(arrival_us);
                let (inner, edge) = if arrival_us < ends.first_us { (ends.edge, size) } else { (size, ends.edge) };
                ends.inner = ends.inner.saturating_add(inner);
                ends.edge = edge;
                ends.first_us = ends.first_us.min(arrival_us);
            }
        }
    }

    /// A result that is in, if any. Call until `None`. `variation_ms`: of the path's delay.
    pub(super) fn poll_ended(&mut self, now_us: i64, variation_ms: f64) -> Option<Ended> {
        for place in &mut self.awaited {
            let Some(cluster) = place else { continue };
            let waited = now_us.saturating_sub(cluster.ended_us.unwrap_or(now_us));
            let answered = cluster.arrived_packets.saturating_add(cluster.lost_packets);
            if answered < cluster.sent_packets && waited < PATIENCE_US {
                continue;
            }
            let found = cluster.found(variation_ms);
            *place = None;
            return Some(found.map_or(Ended::Failed, Ended::Found));
        }
        None
    }
}

impl Cluster {
    fn line(&self, now_us: i64) -> u64 {
        (self.plan.bps * now_us.saturating_sub(self.started_us).max(0) as f64 / 8e6) as u64
    }

    /// Bytes of one padding packet.
    fn step(&self) -> u64 {
        let (least, most) = STEP_BYTES;
        (self.plan.bps * STEP_US / 8e6).clamp(least, most) as u64
    }

    fn is_complete(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.started_us) >= self.plan.duration_us
            && self.sent_packets >= MIN_PACKETS
            && self.line(now_us).saturating_add(self.step()) >= self.sent_bytes
    }

    fn found(&self, variation_ms: f64) -> Option<Found> {
        let (sending, receiving) = (self.sending?, self.receiving?);
        let answered = self.arrived_packets.saturating_add(self.lost_packets);
        if self.arrived_packets < MIN_PACKETS || f64::from(answered) < MIN_RECEIVED * f64::from(self.sent_packets) {
            return None;
        }
        let lost = f64::from(self.lost_packets) / f64::from(answered.max(1));
        let (sent_us, received_us) =
            (sending.last_us.saturating_sub(sending.first_us), receiving.last_us.saturating_sub(receiving.first_us));
        // Shorter than this, the 250 µs of the feedback's clock decide.
        if sent_us < 3_000 {
            return None;
        }
        let sent_bps = bits_per_second(sending.inner, sent_us);
        let received_bps = bits_per_second(receiving.inner, received_us.max(1));
        // The path's own variation may stretch or shorten the cluster by this much.
        let doubt = (2_000.0 * variation_ms / sent_us as f64).min(0.3);
        // Times, not rates: of few packets the one that a rate leaves out (the first to arrive, the last to leave) may be a third.
        let line_us = sending.inner as f64 * 8e6 / self.plan.bps.max(1.0);
        let limited = line_us.max(sent_us as f64) < (UNSATURATED - doubt) * received_us as f64;
        // With what was lost.
        let lasted_us = self.ended_us.unwrap_or(sending.last_us).saturating_sub(self.started_us).max(sent_us);
        Some(Found { bps: received_bps.min(sent_bps), sent_bps: bits_per_second(self.sent_bytes, lasted_us), limited, lost })
    }
}
