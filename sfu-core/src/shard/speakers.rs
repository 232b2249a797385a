//! Whose voice is passed on, and telling a room who speaks.

use super::Shard;
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::loudest::Entry;
use nearcast_protocol::{ServerMessage, Speaker};
use std::time::Instant;

/// Speakers told at a time: a lively meeting has three.
const MAX_SPEAKERS: usize = 8;

/// Changes of loudness smaller than this aren't told.
const LEVEL_STEP: u8 = 12;

impl Shard {
    /// Somebody whose audio isn't passed on sends some: true when it is from now on.
    pub(super) fn becomes_heard(&mut self, now: Instant, publication: PublicationKey) -> bool {
        let limit = self.config.audio_top_k;
        let Some(known) = self.publications.get(publication) else { return false };
        let entry = match self.rooms.get_mut(known.room) {
            Some(room) if limit > 0 => {
                room.loudest.enter(limit, publication, &known.loudness, now, |other| Some(&self.publications.get(other)?.loudness))
            }
            _ => Entry::Free,
        };
        match entry {
            Entry::Refused => {
                self.stats.packets_not_among_loudest = self.stats.packets_not_among_loudest.saturating_add(1);
                return false;
            }
            Entry::Free => {}
            Entry::Replacing(other) => {
                self.stats.loudest_changes = self.stats.loudest_changes.saturating_add(1);
                self.fall_silent(now, other);
                self.allocate_subscribers_of(now, other);
            }
        }
        if let Some(known) = self.publications.get_mut(publication) {
            (known.heard, known.heard_since) = (true, Some(now));
        }
        self.allocate_subscribers_of(now, publication);
        true
    }

    /// Stops passing on an audio publication. When it comes back, its streams go on with the next number and the time that has passed.
    fn fall_silent(&mut self, now: Instant, publication: PublicationKey) {
        let Some(known) = self.publications.get_mut(publication) else { return };
        (known.heard, known.heard_since) = (false, Some(now));
        for subscriber in &known.subscribers {
            let peer = self.participants.get_mut(subscriber.participant).and_then(|participant| participant.peer.as_mut());
            if let Some(slot) = peer.and_then(|peer| peer.slots.get_mut(subscriber.slot)) {
                slot.forwarder.bind(publication);
            }
        }
    }

    pub(super) fn tell_speakers(&mut self, now: Instant) {
        let rooms: Vec<_> = self.rooms.keys().collect();
        for room in rooms {
            let speakers = self.speakers_of(now, room);
            self.relay_speakers(room, &speakers);
            let Some(known) = self.rooms.get_mut(room) else { continue };
            let same = known.speakers.len() == speakers.len()
                && known.speakers.iter().zip(&speakers).all(|(old, new)| old.0 == new.0 && old.1.abs_diff(new.1) < LEVEL_STEP);
            if same {
                continue;
            }
            known.speakers.clone_from(&speakers);
            self.follow_speaker(now, room);
            let message = self.speakers_message(&speakers);
            self.announce(room, None, &message);
        }
    }

    /// The loudest is the active speaker until somebody else is loudest and it has fallen silent, or is no longer among the speakers.
    fn follow_speaker(&mut self, now: Instant, room: RoomKey) {
        let Some(known) = self.rooms.get_mut(room) else { return };
        let Some((loudest, _)) = known.speakers.first() else { return };
        let speaking = |key: ParticipantKey| known.speakers.iter().any(|(speaker, _)| *speaker == key);
        if known.active_speaker.is_some_and(speaking) {
            return;
        }
        known.active_speaker = Some(*loudest);
        self.allocate_room(now, room);
    }

    /// Somebody who comes in hasn't heard what was last said; who comes back may remember somebody who fell silent.
    pub(super) fn tell_speakers_to(&mut self, key: ParticipantKey, resumed: bool) {
        let room = self.participants.get(key).and_then(|participant| self.rooms.get(participant.room));
        if let Some(room) = room.filter(|room| resumed || !room.speakers.is_empty()) {
            let message = self.speakers_message(&room.speakers);
            self.signal(key, message);
        }
    }

    fn speakers_message(&self, speakers: &[(ParticipantKey, u8)]) -> ServerMessage {
        let told = speakers
            .iter()
            .filter_map(|(key, level)| Some(Speaker { participant: self.participants.get(*key)?.id.clone(), level: *level }));
        ServerMessage::Speakers { speakers: told.collect() }
    }

    /// Loudest first.
    fn speakers_of(&self, now: Instant, room: RoomKey) -> Vec<(ParticipantKey, u8)> {
        let Some(room) = self.rooms.get(room) else { return Vec::new() };
        let mut speakers: Vec<_> = room
            .participants
            .iter()
            .filter_map(|key| {
                let publications = &self.participants.get(*key)?.publications;
                let heard = publications.iter().filter_map(|publication| self.publications.get(*publication));
                let speaking = heard.filter(|publication| !publication.info.muted && publication.loudness.is_speech(now));
                let level = speaking.map(|publication| publication.loudness.level()).max()?;
                Some((*key, level))
            })
            .collect();
        speakers.sort_by_key(|(_, level)| std::cmp::Reverse(*level));
        speakers.truncate(MAX_SPEAKERS);
        speakers
    }
}
