//! What is told of stays when they begin and when they end, for whoever keeps a history.
//!
//! A stay is told of by the shard whose it is, and by no other. Each that began ends, but for those of a shard that panics.

use super::{Event, Shard};
use crate::clock::Ntp;
use crate::keys::ParticipantKey;
use crate::link_report::LinkScore;
use crate::participant::Participant;
use nearcast_protocol::{LeaveReason, ParticipantId, QualityLevel, RoomMode};
use std::time::Instant;

/// One stay of a participant: from its join to its leave, however often it lost its connection in between.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// Which.
    pub id: ParticipantId,
    /// Name of the room.
    pub room: String,
    /// Who it is.
    pub identity: String,
    /// From the token.
    pub role: Option<String>,
    /// What its software calls itself, as it said when it joined.
    pub client: Option<Box<str>>,
    /// Came by WHIP or WHEP.
    pub by_http: bool,
    /// When it joined.
    pub since: Ntp,
    /// How it ended; none: it has begun.
    pub departure: Option<Departure>,
}

/// How a stay ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Departure {
    /// When.
    pub at: Ntp,
    /// Why.
    pub reason: LeaveReason,
    /// The last way of its media; none: it had none.
    pub path: Option<MediaPath>,
    /// How well it was connected; none: too short to be measured, or nothing was sent.
    pub quality: Option<QualitySummary>,
}

/// Which way media goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MediaPath {
    /// To the edge, over UDP.
    Udp,
    /// To the edge, over TCP (RFC 6544).
    Tcp,
    /// To the edge by a TURN server (RFC 8656).
    Turn,
    /// Between participants.
    Direct,
}

/// All scores of a stay in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualitySummary {
    /// Their mean, 0 to 100; there is one a second.
    pub mean: f64,
    /// The worst of them, 0 to 100.
    pub worst: u8,
    /// The worst in words.
    pub level: QualityLevel,
}

/// What is kept of a stay for its end.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) client: Option<Box<str>>,
    path: Option<MediaPath>,
    scores: u32,
    sum: u64,
    worst: LinkScore,
}

impl Noted {
    pub(crate) fn new(client: Option<&str>) -> Self {
        Self { client: client.map(Into::into), ..Self::default() }
    }

    fn score(&mut self, score: LinkScore) {
        if score.level == QualityLevel::Unknown {
            return;
        }
        if self.scores == 0 || score.score < self.worst.score {
            self.worst = score;
        }
        self.scores = self.scores.saturating_add(1);
        self.sum = self.sum.saturating_add(u64::from(score.score));
    }

    fn quality(&self) -> Option<QualitySummary> {
        // A day has 86,400 scores, and a sum of them is exact in an f64 for longer than anybody stays.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let mean = self.sum as f64 / f64::from(self.scores);
        (self.scores > 0).then_some(QualitySummary { mean, worst: self.worst.score, level: self.worst.level })
    }
}

impl Shard {
    /// Notes the score of a participant of this shard, and which way its media goes.
    pub(super) fn note_stay(&mut self, key: ParticipantKey) {
        let path = self.media_path(key);
        let Some(participant) = self.participants.get_mut(key) else { return };
        let score = participant.rated.now;
        participant.noted.score(score);
        participant.noted.path = path.or(participant.noted.path);
    }

    pub(super) fn tell_begun(&mut self, key: ParticipantKey) {
        let Some(stay) = self.participants.get(key).map(|participant| stay(participant, None)) else { return };
        self.events.push_back(Event::Stay(Box::new(stay)));
    }

    /// To be called while its transport is there.
    pub(super) fn tell_ended(&mut self, now: Instant, key: ParticipantKey, reason: LeaveReason) {
        let path = self.media_path(key);
        let Some(participant) = self.participants.get(key).filter(|participant| participant.home.is_none()) else { return };
        let at = self.config.wall_clock.ntp(now);
        let departure = Departure { at, reason, path: path.or(participant.noted.path), quality: participant.noted.quality() };
        self.events.push_back(Event::Stay(Box::new(stay(participant, Some(departure)))));
    }

    fn media_path(&self, key: ParticipantKey) -> Option<MediaPath> {
        let participant = self.participants.get(key)?;
        if let Some(room) = self.rooms.get(participant.room).filter(|room| room.mode.current() == RoomMode::P2p) {
            // To whom, when nobody else is there? What it was before stays.
            return (room.participants.len() > 1).then_some(MediaPath::Direct);
        }
        let remote = participant.peer.as_ref()?.remote()?;
        Some(match remote {
            remote if remote.is_tcp() => MediaPath::Tcp,
            remote if self.turn_servers.contains(&remote.address.ip()) => MediaPath::Turn,
            _ => MediaPath::Udp,
        })
    }
}

fn stay(participant: &Participant, departure: Option<Departure>) -> Stay {
    Stay {
        id: participant.id.clone(),
        room: participant.admission.room.clone(),
        identity: participant.admission.identity.clone(),
        role: participant.admission.role.clone(),
        client: participant.noted.client.clone(),
        by_http: participant.by_http,
        since: Ntp(participant.since),
        departure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(score: u8, level: QualityLevel) -> LinkScore {
        LinkScore { score, level, ..LinkScore::default() }
    }

    #[test]
    fn a_summary_has_the_mean_and_the_worst_of_what_was_measured() {
        let mut noted = Noted::new(Some("nearcast/0.1"));
        assert_eq!(noted.quality(), None);
        noted.score(LinkScore::default());
        assert_eq!(noted.quality(), None, "not measured yet is no score");
        for (points, level) in [(90, QualityLevel::Excellent), (20, QualityLevel::Poor), (70, QualityLevel::Good)] {
            noted.score(score(points, level));
        }
        assert_eq!(noted.quality(), Some(QualitySummary { mean: 60.0, worst: 20, level: QualityLevel::Poor }));
    }
}
