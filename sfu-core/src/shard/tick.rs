//! What time brings: every 20 ms, for everybody here.

use super::{Event, Shard};
use crate::keys::ParticipantKey;
use nearcast_protocol::LeaveReason;
use std::time::{Duration, Instant};

/// Granularity of everything that isn't triggered by a packet: resends and feedback need no finer one, and an idle transport costs
/// a few comparisons.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How long consent to receive lasts without a check (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(30);

/// Between two looks at what publications can be had in and who wants it. With it a layer that dies is noticed within 0.6 s, and one that
/// is wanted is asked for within 0.12 s.
const OFFERS_INTERVAL: Duration = Duration::from_millis(100);

/// Between two looks at who speaks.
const SPEAKERS_INTERVAL: Duration = Duration::from_millis(250);

/// How long somebody whose edge is gone is waited for, after it was missed, where sessions are kept no shorter: people are told of neither their going nor their coming when they go on
/// elsewhere within it. Guess: leaving a dead edge takes up to 6 s, and 3 s of these have passed.
const HELD: Duration = Duration::from_secs(10);

impl Shard {
    /// After a pause without participants the next tick is one interval away.
    pub(super) fn arm_tick(&mut self, now: Instant) {
        if self.next_tick < now {
            self.next_tick = now + TICK;
        }
    }

    pub(super) fn tick(&mut self, now: Instant) {
        self.next_tick = now + TICK;
        let look = now >= self.next_offers;
        // Who has no transport has nothing that is due sooner: to look at ten thousand who only listen to signalling took a twentieth of a core.
        let due: Vec<_> = if look { self.participants.keys().collect() } else { self.with_transport.iter().copied().collect() };
        if look {
            self.next_offers = now + OFFERS_INTERVAL;
            self.refresh_offers(now);
        }
        for key in due {
            self.tick_participant(now, key);
        }
        self.tick_relay(now);
        if look {
            self.tell_publishers(now);
            self.review_due_modes(now);
        }
        if now >= self.next_speakers {
            self.next_speakers = now + SPEAKERS_INTERVAL;
            self.tell_speakers(now);
            self.tell_qualities(now);
        }
    }

    fn tick_participant(&mut self, now: Instant, key: ParticipantKey) {
        if self.is_gone(now, key) {
            self.leave(now, key, LeaveReason::TimedOut);
            return;
        }
        self.note_arrival(now, key);
        if self.yield_if(now, key, false) {
            return;
        }
        self.withdraw_without_consent(now, key);
        self.score_when_due(now, key);
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(peer) = participant.peer.as_mut() else { return };
        peer.dtls.handle_timeout(now);
        peer.data.handle_timeout(now);
        let publications = participant.publications.len();
        self.after_dtls(now, key);
        for index in 0..publications {
            let publication = self.participants.get(key).and_then(|participant| participant.publications.get(index).copied());
            let Some(publication) = publication else { break };
            self.request_missing(now, key, publication);
            self.request_due_keyframe(now, key, publication);
        }
        self.send_transport_feedback(now, key);
        self.send_reports(now, key);
        if let Some(peer) = self.peer_mut(key) {
            peer.congestion.handle_tick(now);
            self.allocate_when_due(now, key);
            self.note_probe(now, key);
        }
    }

    /// Sends nothing more to an address that has closed its transport or no longer shows that it wants to receive. A check brings it back.
    fn withdraw_without_consent(&mut self, now: Instant, key: ParticipantKey) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        let silent = peer.ice.last_check().is_some_and(|at| now.saturating_duration_since(at) > CONSENT);
        if !(silent || peer.closed) || peer.tuples.is_empty() {
            return;
        }
        peer.ice.forget_nomination();
        for from in std::mem::take(&mut peer.tuples) {
            self.tuples.remove(&from);
            self.events.push_back(Event::TupleUnbound { from });
        }
    }

    /// Neither signalling nor media for the resume window; by HTTP, where nothing can be resumed, without consent for as long as it lasts.
    fn is_gone(&self, now: Instant, key: ParticipantKey) -> bool {
        let Some(participant) = self.participants.get(key) else { return false };
        if let Some(missing) = participant.missing {
            return now.saturating_duration_since(missing) >= HELD.min(self.config.resume_window);
        }
        let Some(disconnected) = participant.disconnected_at else { return false };
        let checked = participant.peer.as_ref().and_then(|peer| peer.ice.last_check());
        let last_sign = checked.map_or(disconnected, |checked| checked.max(disconnected));
        let patience = if participant.by_http { CONSENT } else { self.config.resume_window };
        now.saturating_duration_since(last_sign) >= patience
    }
}
