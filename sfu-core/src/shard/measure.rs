//! What is measured of a participant's connection anyway, gathered once a second. Nothing is kept for it per packet.

use super::Shard;
use super::allocate::videos;
use crate::allocation;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::link_report::{LinkReport, TrackReport, Way};
use crate::participant::{Participant, Subscription};
use crate::publication::Publication;
use crate::slot::Slot;
use nearcast_protocol::{LayerReason, RoomMode};
use std::time::{Duration, Instant};

/// A transport of which nothing authentic came for so long is lost. Browsers check consent every 5 s, 20 % more at random (RFC 7675 §5.1).
const LOST_AFTER: Duration = Duration::from_secs(7);

/// Receivers report once a second; three of them missing is no accident.
const UNREPORTED: Duration = Duration::from_secs(3);

/// Packets that must have been sent meanwhile for that.
const UNREPORTED_PACKETS: u32 = 20;

/// Fewer packets say nothing about a share that was lost.
const FEW: u64 = 10;

impl Shard {
    /// The last second of a participant's connection.
    pub(super) fn measure(&mut self, now: Instant, key: ParticipantKey) -> LinkReport {
        let path_loss = self.path_loss(key);
        let Some(participant) = self.participants.get(key) else { return LinkReport::default() };
        let Some(peer) = participant.peer.as_ref().filter(|peer| peer.srtp.is_some()) else { return LinkReport::default() };
        let heard = peer.heard.max(peer.ice.last_check());
        let mut report = LinkReport {
            round_trip: peer.round_trip,
            lost: heard.is_some_and(|heard| now.saturating_duration_since(heard) > LOST_AFTER),
            tracks: self.measure_down(now, participant, path_loss),
        };
        let direct = self.mode_of(participant.room) == RoomMode::P2p;
        for publication in participant.publications.clone() {
            report.tracks.extend(self.measure_up(publication, direct));
        }
        report
    }

    /// Share of the packets to a participant that its path lost, as feedback on each of them says; none: there is none, or too little.
    fn path_loss(&mut self, key: ParticipantKey) -> Option<f32> {
        let participant = self.participants.get_mut(key)?;
        let stats = participant.peer.as_ref()?.congestion.stats();
        let (answered, lost) = std::mem::replace(&mut participant.rated.answered, (stats.answered, stats.lost));
        // A new transport counts from zero.
        let (answered, lost) = (stats.answered.checked_sub(answered)?, stats.lost.checked_sub(lost)?);
        (answered >= FEW).then(|| lost as f32 / answered as f32)
    }

    /// What arrives of one publication. `direct`: it may go past the edge.
    fn measure_up(&mut self, publication: PublicationKey, direct: bool) -> Option<TrackReport> {
        let known = self.publications.get_mut(publication)?;
        let (video, muted) = (known.info.video, known.info.muted);
        let wanted = !known.has_choices() || (0..known.encodings().len()).any(|encoding| known.dynacast.told(encoding) > 0);
        let (mut begun, mut expected, mut received, mut jitter) = (false, 0_u64, 0_u64, Duration::ZERO);
        for reception in known.streams_mut().filter_map(|stream| stream.reception.as_mut()) {
            let interval = reception.interval();
            begun = true;
            expected = expected.saturating_add(interval.expected);
            received = received.saturating_add(interval.received);
            if interval.received > 0 {
                jitter = jitter.max(reception.jitter());
            }
        }
        let silent = received == 0 && wanted && !muted && !direct;
        if !begun || (received == 0 && !silent) {
            return None;
        }
        let loss = (expected >= FEW).then(|| expected.saturating_sub(received) as f32 / expected as f32);
        known.upstream_loss = loss.unwrap_or(0.0);
        Some(TrackReport { video, way: Way::Up, silent, loss, jitter: (received > 0).then_some(jitter), reason: None, lines: None })
    }

    /// What the receiver says of everything it is sent.
    fn measure_down(&self, now: Instant, participant: &Participant, path_loss: Option<f32>) -> Vec<TrackReport> {
        let speaker = self.rooms.get(participant.room).and_then(|room| room.active_speaker);
        let (viewed, sources) = videos(participant, &self.publications, speaker);
        let wanted: Vec<_> = viewed.iter().map(|view| view.subscription).zip(allocation::wanted(&sources)).collect();
        let slots = participant.peer.as_ref().map(|peer| peer.slots.as_slice()).unwrap_or_default();
        let tracks = participant.subscriptions.iter().enumerate().filter_map(|(index, wish)| {
            let known = self.publications.get(wish.publication).filter(|known| !known.info.muted)?;
            let slot = slots.get(wish.slot?)?;
            let best = wanted.iter().find(|(subscription, _)| *subscription == index).and_then(|(_, rung)| *rung);
            let asked = best.map(|rung| rung.width.min(rung.height));
            measure_slot(now, slot, known, wish, asked).map(|track| TrackReport { loss: path_loss.or(track.loss), ..track })
        });
        tracks.collect()
    }
}

/// None: nothing is sent, nor would be.
fn measure_slot(now: Instant, slot: &Slot, known: &Publication, wish: &Subscription, asked: Option<u16>) -> Option<TrackReport> {
    let sends = slot.forwarder.current().is_some();
    let reason = wish.decided.filter(|_| slot.video).map(|decided| decided.reason);
    let held = matches!(reason, Some(LayerReason::Bandwidth | LayerReason::Priority | LayerReason::HoldDown | LayerReason::Publisher));
    if !sends && !held {
        return None;
    }
    let reported = slot.reported.filter(|_| sends);
    let age = reported.map(|reported| now.saturating_duration_since(reported.at));
    let since = reported.map_or(0, |reported| slot.forwarder.counters().packets.wrapping_sub(reported.packets));
    let silent = age.is_some_and(|age| age > UNREPORTED) && since > UNREPORTED_PACKETS;
    let fresh = reported.filter(|_| age.is_some_and(|age| age <= UNREPORTED));
    let rate = if slot.video { 90_000 } else { 48_000 };
    let lines = asked.filter(|_| held).map(|asked| (sent_lines(known, wish), asked)).filter(|(_, asked)| *asked > 0);
    Some(TrackReport {
        video: slot.video,
        way: Way::Down,
        silent,
        // A receiver counts what its publisher lost too.
        loss: fresh.map(|reported| (f32::from(reported.fraction_lost) / 256.0 - known.upstream_loss).max(0.0)),
        jitter: fresh.map(|reported| ticks(reported.jitter, rate)),
        reason,
        lines,
    })
}

fn ticks(ticks: u32, rate: u64) -> Duration {
    Duration::from_micros(u64::from(ticks).saturating_mul(1_000_000).checked_div(rate).unwrap_or(0))
}

/// The shorter side of the pictures that were decided on; 0: paused.
fn sent_lines(known: &Publication, wish: &Subscription) -> u16 {
    let Some(layer) = wish.decided.and_then(|decided| decided.layer) else { return 0 };
    let rung = known.offer.rungs().iter().find(|rung| (rung.encoding, rung.target) == (layer.encoding, layer.target));
    rung.map_or(0, |rung| rung.width.min(rung.height))
}
