//! How well everybody is connected, as the room is told.
//!
//! Each participant is looked at once a second, at a time of its own, so that a big room's work is spread. What changed is told at most once
//! a second, and a big room's more seldom: bounded are the entries of a message ([`MAX_TOLD`]) and the messages a room causes in a second
//! ([`MESSAGES_PER_SECOND`]), so that a room of hundreds doesn't cost the square of it.
//!
//! Not here: the score (`LinkScorer`), what is measured ([`measure`](super::measure)).

use super::Shard;
use crate::keys::{ParticipantKey, RoomKey};
use crate::link_report::{LinkScore, LinkScorer};
use crate::relay::Relayed;
use nearcast_protocol::{ParticipantId, ParticipantQuality, QualityLevel, ServerMessage};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// Between two looks at one participant, and between two messages to one room.
const INTERVAL: Duration = Duration::from_secs(1);

/// Participants told of in one message; those whose level changed go first, the others wait.
const MAX_TOLD: usize = 32;

/// Messages about qualities that one room may cause a second. With more participants than that it is told more seldom.
const MESSAGES_PER_SECOND: u32 = 500;

/// A smaller change of the score is no news while the level stays.
const SCORE_STEP: u8 = 5;

/// Participants from which on only changes of level are news: nobody watches the scores of so many.
const BIG: usize = 32;

/// One participant's score.
#[derive(Debug)]
pub(crate) struct Rated {
    scorer: Option<Box<dyn LinkScorer>>,
    due: Instant,
    pub(super) now: LinkScore,
    told: LinkScore,
    told_at: Option<Instant>,
    /// Packets that its receiver has answered for, and those of them that were lost, when it was last looked at.
    pub(super) answered: (u64, u64),
}

impl Rated {
    /// Of somebody who came now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { scorer: None, due: now + INTERVAL, now: LinkScore::default(), told: LinkScore::default(), told_at: None, answered: (0, 0) }
    }

    /// How much of a change there is to tell; none: nothing worth it.
    fn news(&self, big: bool) -> Option<News> {
        if self.now.level != self.told.level {
            return Some(News::Level);
        }
        let moved = !big && self.now.score.abs_diff(self.told.score) >= SCORE_STEP;
        moved.then_some(News::Score)
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum News {
    Score,
    Level,
}

impl Shard {
    /// Scores a participant of this shard when its time has come.
    pub(super) fn score_when_due(&mut self, now: Instant, key: ParticipantKey) {
        let Some(make) = self.config.scorer else { return };
        let Some(participant) = self.participants.get_mut(key).filter(|participant| participant.home.is_none()) else { return };
        if now < participant.rated.due {
            return;
        }
        participant.rated.due = now + INTERVAL;
        let report = self.measure(now, key);
        let Some(participant) = self.participants.get_mut(key) else { return };
        let rated = &mut participant.rated;
        rated.now = rated.scorer.get_or_insert_with(make).score(now, &report);
        let score = rated.now;
        self.count_quality(score, report.round_trip);
        self.note_stay(key);
    }

    /// Counts a second of a participant.
    fn count_quality(&mut self, LinkScore { score, level, .. }: LinkScore, round_trip: Option<Duration>) {
        let seconds = match level {
            QualityLevel::Unknown => return,
            QualityLevel::Lost => &mut self.stats.quality_lost,
            QualityLevel::Poor => &mut self.stats.quality_poor,
            QualityLevel::Good => &mut self.stats.quality_good,
            QualityLevel::Excellent => &mut self.stats.quality_excellent,
        };
        *seconds = seconds.saturating_add(1);
        self.stats.quality_score_sum = self.stats.quality_score_sum.saturating_add(score.into());
        if let Some(round_trip) = round_trip {
            self.timing.round_trips.note(round_trip, 1);
        }
    }

    /// Tells every room what changed in it and is due.
    pub(super) fn tell_qualities(&mut self, now: Instant) {
        if self.config.scorer.is_none() {
            return;
        }
        let due: Vec<_> = self.rooms.iter().filter(|(_, room)| room.qualities_due <= now).map(|(key, _)| key).collect();
        for room in due {
            self.tell_qualities_of(now, room);
        }
    }

    fn tell_qualities_of(&mut self, now: Instant, key: RoomKey) {
        let Some(room) = self.rooms.get(key) else { return };
        let big = room.participants.len() > BIG;
        let news = |key: &ParticipantKey| {
            let rated = &self.participants.get(*key)?.rated;
            Some((Reverse(rated.news(big)?), rated.told_at, *key))
        };
        let mut changed: Vec<_> = room.participants.iter().filter_map(news).collect();
        if changed.is_empty() {
            return;
        }
        // Among equals those go first of whom nothing was said for longest: who changes all the time must not hide the others.
        changed.sort_by_key(|(news, told_at, _)| (*news, *told_at));
        changed.truncate(MAX_TOLD);
        let receivers = u32::try_from(room.participants.len()).unwrap_or(u32::MAX);
        let pause = (INTERVAL.saturating_mul(receivers) / MESSAGES_PER_SECOND).max(INTERVAL);
        let mut ours = Vec::new();
        let mut qualities = Vec::with_capacity(changed.len());
        for (_, _, key) in changed {
            let Some(participant) = self.participants.get_mut(key) else { continue };
            let score = participant.rated.now;
            (participant.rated.told, participant.rated.told_at) = (score, Some(now));
            qualities.push(as_told(&participant.id, score));
            if participant.home.is_none() {
                ours.push((participant.id.clone(), score));
            }
        }
        if let Some(room) = self.rooms.get_mut(key) {
            room.qualities_due = now + pause;
        }
        self.announce(key, None, &ServerMessage::Qualities { qualities });
        self.relay_qualities(key, &ours);
    }

    fn relay_qualities(&mut self, room: RoomKey, ours: &[(ParticipantId, LinkScore)]) {
        let Some(name) = self.rooms.get(room).filter(|room| !room.parts.is_empty()).map(|room| room.name.clone()) else { return };
        if !ours.is_empty() {
            self.tell_parts(room, || Relayed::Qualities { room: name.clone(), scores: ours.to_vec() });
        }
    }

    /// Scores of participants of another part of a room: told here with the next message.
    pub(super) fn on_relayed_qualities(&mut self, from: crate::shard::ShardId, room: &str, scores: Vec<(ParticipantId, LinkScore)>) {
        let Some(room) = self.rooms_by_name.get(room).copied() else { return };
        for (id, score) in scores {
            let found = self.relayed_participant(from, room, &id);
            if let Some(participant) = found.and_then(|key| self.participants.get_mut(key)) {
                participant.rated.now = score;
            }
        }
    }

    /// Somebody who comes in, or back, hears what is known of everybody.
    pub(super) fn tell_qualities_to(&mut self, key: ParticipantKey) {
        let Some(room) = self.participants.get(key).and_then(|participant| self.rooms.get(participant.room)) else { return };
        let told = room.participants.iter().filter_map(|key| self.participants.get(*key));
        let known = told.filter(|participant| participant.rated.told.level != QualityLevel::Unknown);
        let qualities: Vec<_> = known.map(|participant| as_told(&participant.id, participant.rated.told)).collect();
        if !qualities.is_empty() {
            self.signal(key, ServerMessage::Qualities { qualities });
        }
    }
}

fn as_told(id: &ParticipantId, score: LinkScore) -> ParticipantQuality {
    ParticipantQuality { participant: id.clone(), score: score.score, level: score.level, cause: score.cause }
}
