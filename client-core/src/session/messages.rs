//! What the edge says, message by message.

use super::{Session, SocketId};
use crate::link::Link;
use crate::recovery::Reason;
use crate::requests::Settled;
use crate::room::Room;
use crate::wire::{self, WireError};
use crate::{Code, Event, MonoTime, Output, SessionError, SlotCounts};
use alloc::vec::Vec;
use nearcast_protocol::{ErrorInfo, Moderation, ModerationAction, PublicationId, ServerMessage};

impl Session {
    pub(super) fn socket_message(&mut self, now: MonoTime, socket: SocketId, bytes: &[u8]) {
        if self.link.socket() != Some(socket) {
            return;
        }
        if let Link::Up { heartbeat, .. } = &mut self.link {
            heartbeat.heard(now);
        }
        match wire::server_message(bytes) {
            Ok(message) => self.server_message(now, message),
            // A newer edge tells something that this version doesn't know.
            Err(WireError::Unknown) => {}
            // Something was said that we didn't get: only a new snapshot puts that right.
            Err(WireError::Malformed) => self.link_lost(now, Reason::BadMessage),
        }
    }

    fn server_message(&mut self, now: MonoTime, message: ServerMessage) {
        match message {
            ServerMessage::Joined(joined) => self.joined(now, *joined),
            // Going away is no reason to end: it may come back, or others take its place.
            ServerMessage::Closed { mut error } if error.retryable && self.stay.is_some() => {
                if !error.edge.take().is_some_and(|edge| self.recovery.edges.go(now, edge)) {
                    self.recovery.edges.leave(now);
                }
                self.rejoin(now, Reason::Failed(Code::Edge(error.code)));
            }
            ServerMessage::Closed { error } => self.end(Some(error.into())),
            ServerMessage::Failed { id, error } => self.refused(now, id, error),
            _ if !self.link.is_up() => {}
            ServerMessage::Answer { id, answer } => {
                if self.negotiation.is_sent_as(id)
                    && let Some(sdp) = self.negotiation.answered(answer)
                {
                    self.push(Output::ApplyAnswer { sdp });
                }
            }
            ServerMessage::Done { id } => self.request_ended(id, Ok(())),
            ServerMessage::Pong { .. } => {}
            ServerMessage::ParticipantJoined { participant } => {
                self.with_room(|room, events| room.participant_joined(&participant, events));
                self.choose_again(Some(&participant.id));
            }
            ServerMessage::ParticipantLeft { participant, reason } => {
                self.with_room(|room, events| room.participant_left(&participant, reason, events));
            }
            ServerMessage::PublicationAdded { participant, publication } => {
                self.with_room(|room, events| room.publication_added(&participant, &publication, events));
            }
            ServerMessage::PublicationRemoved { participant, publication } => {
                self.with_room(|room, events| room.publication_removed(&participant, &publication, events));
            }
            ServerMessage::PublicationMuted { publication, muted } => {
                self.with_room(|room, events| room.publication_muted(&publication, muted, events));
            }
            ServerMessage::Slot { binding } => self.with_room(|room, events| room.bind(&binding, events)),
            ServerMessage::SlotsWanted { audio, video } => {
                self.negotiation.want_slots(SlotCounts { audio, video });
                self.negotiate();
            }
            ServerMessage::Layers { estimate, layers } => {
                self.adapt.set_estimate(estimate);
                self.watch.layers(&layers);
                // Of what comes directly the edge has nothing to send, and that is no news to anybody.
                let layers = layers.into_iter().filter(|layer| !self.direct.has(&layer.publication)).collect();
                self.event(Event::Layers { estimate, layers });
            }
            ServerMessage::Encodings { publication, encodings } => self.demand(publication, encodings),
            ServerMessage::Speakers { speakers } => self.event(Event::Speakers(speakers)),
            ServerMessage::Qualities { qualities } => self.qualities(qualities),
            ServerMessage::Peer { from, payload } => self.directly(|direct, room, acts| direct.heard(now, room, &from, &payload, acts)),
            ServerMessage::Mode { mode } => self.direct.mode = mode,
            ServerMessage::Moderated(Moderation { action, target }) => self.moderated(action, PublicationId(target)),
            ServerMessage::Move { to, deadline_ms } => self.move_to(now, to, deadline_ms),
            ServerMessage::IceServers { servers } => {
                self.name_ice_servers(now, servers);
            }
        }
    }

    /// A publication of ours that begins muted is told of ahead of the end of its request: the façade keeps it in mind. It also mutes what is ours,
    /// as an app would.
    fn moderated(&mut self, action: ModerationAction, publication: PublicationId) {
        if matches!(action, ModerationAction::Mute | ModerationAction::AllowUnmute) {
            self.room.blocked(&publication, action == ModerationAction::Mute);
        }
        self.event(Event::Moderated { action, publication });
    }

    fn refused(&mut self, now: MonoTime, id: u32, error: ErrorInfo) {
        if matches!(self.link, Link::Joining { join, .. } if join == id) {
            self.join_refused(now, error);
        } else if self.negotiation.is_sent_as(id) {
            self.push(Output::RollBack);
            self.negotiation_failed(now, &error.into());
        } else {
            self.request_ended(id, Err(error.into()));
        }
    }

    fn request_ended(&mut self, id: u32, result: Result<(), SessionError>) {
        let Some(Settled { request: Some(request), result }) = self.requests.settle(id, result) else {
            return;
        };
        match result {
            Ok(()) => self.event(Event::Done { request }),
            Err(error) => self.fail(request, error),
        }
    }

    /// Changes the room and tells what changed.
    pub(super) fn with_room(&mut self, change: impl FnOnce(&mut Room, &mut Vec<Event>)) {
        let mut events = Vec::new();
        change(&mut self.room, &mut events);
        self.tell(events);
    }

    // Once, not once for each kind of change.
    #[inline(never)]
    fn tell(&mut self, events: Vec<Event>) {
        for event in events {
            match &event {
                Event::LocalUnpublished { publication } => {
                    self.watch.unpublished(publication);
                    self.negotiation.forget(publication);
                    self.push(Output::ReleaseSender { publication: publication.clone() });
                }
                Event::PublicationRemoved { publication, .. } => {
                    self.wishes.forget(publication);
                    self.watch.forget(publication);
                }
                Event::PublicationRenamed { was, id } => {
                    self.wishes.rename(was, id);
                    self.requests.rename(was, id);
                    self.watch.forget(was);
                }
                _ => {}
            }
            self.event(event);
        }
    }
}
