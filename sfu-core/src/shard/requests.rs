//! Every message after the join.

use super::{Event, Shard};
use crate::keys::{ParticipantKey, PublicationKey};
use crate::participant::ConnectionId;
use nearcast_protocol::{ClientEnvelope, ClientMessage, ErrorCode, ErrorInfo, LeaveReason, PublicationId, ServerMessage};
use std::time::Instant;

impl Shard {
    pub(super) fn request(&mut self, now: Instant, connection: ConnectionId, envelope: ClientEnvelope) {
        let ClientEnvelope { id, message } = envelope;
        let Some(key) = self.connections.get(&connection).copied() else {
            let error = ErrorInfo::new(ErrorCode::OutOfOrder, "join first");
            self.events.push_back(Event::Signal { connection, message: ServerMessage::Failed { id, error } });
            return;
        };
        let renews = matches!(message, ClientMessage::Transport(_));
        let outcome = match message {
            ClientMessage::Join(_) => Err(ErrorInfo::new(ErrorCode::OutOfOrder, "this connection has joined already")),
            ClientMessage::Offer(offer) => Self::read_offer(&offer)
                .and_then(|parsed| self.apply_offer(now, key, &parsed, &offer.publish))
                .map(|answer| ServerMessage::Answer { id, answer }),
            ClientMessage::Transport(offer) => self.renew_transport(now, key, &offer).map(|answer| ServerMessage::Answer { id, answer }),
            ClientMessage::Unpublish { publication } => self.own(key, &publication).map(|publication| {
                self.unpublish(now, key, publication);
                ServerMessage::Done { id }
            }),
            ClientMessage::Mute { publication, muted } => self.own(key, &publication).and_then(|publication| {
                if !muted && self.publications.get(publication).is_some_and(|known| known.info.blocked) {
                    let why = "a moderator muted this; it can be unmuted once a moderator allows it (allow_unmute)";
                    return Err(ErrorInfo::new(ErrorCode::NotPermitted, why));
                }
                self.mute(now, key, publication, muted);
                Ok(ServerMessage::Done { id })
            }),
            ClientMessage::Subscribe { publication } => self.subscribe(now, key, &publication).map(|()| ServerMessage::Done { id }),
            ClientMessage::Unsubscribe { publication } => self.unsubscribe(now, key, &publication).map(|()| ServerMessage::Done { id }),
            ClientMessage::Leave => {
                self.leave(now, key, LeaveReason::Left);
                return;
            }
            ClientMessage::Wishes { wishes } => self.wish(now, key, &wishes).map(|()| ServerMessage::Done { id }),
            ClientMessage::Ping => Ok(ServerMessage::Pong { id }),
            ClientMessage::Moderate(moderation) => self.moderate(now, key, id, &moderation).map(|()| ServerMessage::Done { id }),
            ClientMessage::Peer { to, payload } => self.pass_on(now, key, &to, payload).map(|()| ServerMessage::Done { id }),
        };
        let offered = matches!(outcome, Ok(ServerMessage::Answer { .. }));
        let reply = outcome.unwrap_or_else(|error| ServerMessage::Failed { id, error });
        if id != 0 {
            self.signal(key, reply);
        }
        if offered && renews {
            self.tell_publisher_anew(key);
        }
        if offered {
            self.announce_new_publications(now, key);
            self.fill_slots(now, key);
        }
    }

    /// One of the participant's own publications.
    fn own(&self, key: ParticipantKey, id: &PublicationId) -> Result<PublicationKey, ErrorInfo> {
        let found = self.publications_by_id.get(id).copied();
        found.filter(|found| self.publications.get(*found).is_some_and(|publication| publication.owner == key)).ok_or_else(|| {
            ErrorInfo::new(ErrorCode::PublicationUnknown, format!("none of your publications is called {id}; it may have ended"))
        })
    }
}
