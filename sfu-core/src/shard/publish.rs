//! Sources come and go.

use super::Shard;
use super::relay::names;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::publication::Publication;
use crate::relay::Relayed;
use crate::sdp::{NegotiatedSection, Section, SectionKind};
use nearcast_protocol::{ErrorCode, ErrorInfo, Moderation, ModerationAction, PublicationInfo, PublishIntent, ServerMessage};
use std::time::Instant;

/// Bytes kept of a publication's name.
const MAX_NAME: usize = 256;

impl Shard {
    /// Makes a publication of a sending section. The room hears of it when the offer has been answered.
    pub(super) fn publish(
        &mut self,
        key: ParticipantKey,
        section: &Section,
        negotiated: &NegotiatedSection,
        intent: &PublishIntent,
    ) -> Result<PublicationKey, ErrorInfo> {
        let gone = || ErrorInfo::new(ErrorCode::Internal, "the participant vanished while it was publishing");
        let participant = self.participants.get(key).ok_or_else(gone)?;
        if !participant.admission.permissions.publish {
            return Err(ErrorInfo::new(ErrorCode::NotPermitted, "the token doesn't grant publishing (can_publish)"));
        }
        let limit = self.config.limits.publications_per_participant;
        if participant.publications.len() >= limit {
            return Err(ErrorInfo::new(ErrorCode::LimitReached, format!("a participant publishes at most {limit} tracks; unpublish one")));
        }
        if !negotiated.is_usable() {
            let why = "none of the section's codecs is supported: use Opus for audio, VP8, VP9, AV1 or H.264 for video";
            return Err(ErrorInfo::new(ErrorCode::NoCommonCodec, why));
        }
        let room = participant.room;
        // Publishing anew is no way around a moderator's mute.
        let video = section.kind == SectionKind::Video;
        let identity = &participant.admission.identity;
        let blocked = self.rooms.get(room).is_some_and(|room| room.decisions.silences(identity, video));
        let mut name = intent.name.clone();
        name.truncate(floor_char_boundary(&name, MAX_NAME));
        let generation = participant.incarnation.first_generation();
        let carried_on = intent.publication.clone().filter(|id| generation > 0 && names(&participant.id, id.as_str()));
        let carried_on = carried_on.filter(|id| !self.publications_by_id.contains_key(id));
        let own = participant.id.as_str().trim_start_matches("p_").to_owned();
        let fresh = format!("t_{own}{}", self.random_name(6));
        let goes_on = carried_on.is_some();
        let id = carried_on.unwrap_or_else(|| fresh.as_str().into());
        let info = PublicationInfo { id: id.clone(), video, source: intent.source, name, muted: intent.muted || blocked, blocked };
        let repairable = negotiated.codecs.iter().any(|codec| codec.feedback.nack);
        let mut source = Publication::new(info, key, room, section.mid.clone(), repairable, &negotiated.rids);
        if goes_on {
            source.begin_at(generation);
        }
        let publication = self.publications.insert(source);
        self.publications_by_id.insert(id, publication);
        if let Some(participant) = self.participants.get_mut(key) {
            participant.publications.push(publication);
            if let Some(peer) = participant.peer.as_mut() {
                peer.ingress.set_sender(&section.mid, publication, negotiated.rids.clone());
            }
        }
        Ok(publication)
    }

    /// Tells the room of publications it doesn't know yet, and subscribes whoever wants everything.
    pub(super) fn announce_new_publications(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let (id, room) = (participant.id.clone(), participant.room);
        for publication in participant.publications.clone() {
            let Some(known) = self.publications.get_mut(publication) else { continue };
            if std::mem::replace(&mut known.announced, true) {
                continue;
            }
            let message = ServerMessage::PublicationAdded { participant: id.clone(), publication: known.info.clone() };
            let (video, blocked) = (known.info.video, known.info.blocked);
            self.announce_of(room, Some(key), (key, video), &message);
            if blocked {
                self.tell_blocked(key, publication);
            }
            self.subscribe_room_to(now, key, publication);
            self.relay_publication(publication);
        }
    }

    /// The same for publications that `participant_joined` has told of already.
    pub(super) fn publish_announced(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        for publication in participant.publications.clone() {
            if let Some(known) = self.publications.get_mut(publication) {
                known.announced = true;
                if known.info.blocked {
                    self.tell_blocked(key, publication);
                }
            }
            self.subscribe_room_to(now, key, publication);
        }
    }

    /// Its publisher doesn't know yet that it begins muted, for good.
    fn tell_blocked(&mut self, key: ParticipantKey, publication: PublicationKey) {
        let Some(target) = self.publications.get(publication).map(|known| known.id().0.clone()) else { return };
        self.signal(key, ServerMessage::Moderated(Moderation { action: ModerationAction::Mute, target }));
    }

    pub(super) fn mute(&mut self, now: Instant, key: ParticipantKey, publication: PublicationKey, muted: bool) {
        let Some(known) = self.publications.get_mut(publication) else { return };
        if known.info.muted == muted {
            return;
        }
        known.info.muted = muted;
        let (room, id, ours, video) = (known.room, known.id().clone(), known.from.is_none(), known.info.video);
        self.allocate_subscribers_of(now, publication);
        self.announce_of(room, Some(key), (key, video), &ServerMessage::PublicationMuted { publication: id, muted });
        if ours {
            self.tell_parts(room, || Relayed::Muted { publication: Self::handle_of(publication), muted });
        }
    }

    /// Ends a publication at its publisher's wish.
    pub(super) fn unpublish(&mut self, now: Instant, key: ParticipantKey, publication: PublicationKey) {
        if let Some(participant) = self.participants.get_mut(key) {
            participant.publications.retain(|known| *known != publication);
        }
        self.remove_publication(now, publication);
    }

    /// Takes a publication out of every table and every slot.
    pub(super) fn remove_publication(&mut self, now: Instant, publication: PublicationKey) {
        let Some(gone) = self.publications.remove(publication) else { return };
        if let Some(room) = self.rooms.get_mut(gone.room) {
            room.loudest.remove(publication);
        }
        self.publications_by_id.remove(gone.id());
        for way in gone.branch.ways() {
            if self.branches.get(&way) == Some(&publication) {
                self.branches.remove(&way);
            }
        }
        for other in [gone.before, gone.next].into_iter().flatten() {
            if self.relayed.get(&other) == Some(&publication) {
                self.relayed.remove(&other);
            }
        }
        match gone.from {
            // Whoever it was got from may have given the name away since.
            Some(from) if self.relayed.get(&from) == Some(&publication) => drop(self.relayed.remove(&from)),
            Some(_) => {}
            None => self.tell_parts(gone.room, || Relayed::Unpublished { publication: Self::handle_of(publication) }),
        }
        if let Some(peer) = self.peer_mut(gone.owner) {
            peer.ingress.remove(publication);
        }
        // Everybody who wished for it, also those who still wait for a slot.
        let wishing: Vec<_> = self.rooms.get(gone.room).map(|room| room.participants.clone()).unwrap_or_default();
        for participant in wishing {
            self.forget_subscription(now, participant, publication);
        }
        if let Some(owner) = self.participants.get(gone.owner).map(|owner| owner.id.clone()) {
            let message = ServerMessage::PublicationRemoved { participant: owner, publication: gone.info.id.clone() };
            self.announce_of(gone.room, Some(gone.owner), (gone.owner, gone.info.video), &message);
        }
    }
}

/// The largest cut at or below `limit` that doesn't split a character.
fn floor_char_boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|cut| text.is_char_boundary(*cut)).unwrap_or(0)
}
