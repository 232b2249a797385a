//! Who is in the room, what they publish, and which slot carries what: the edge's messages, applied.

use crate::Notice;
use crate::received::Received;
use nearcast_protocol::client::Source;
use nearcast_protocol::{Joined, ParticipantId, ParticipantInfo, PublicationId, PublicationInfo, ServerMessage, SlotBinding};
use std::collections::HashMap;

#[derive(Default)]
pub(crate) struct Room {
    /// Identities. The edge bounds how many there are in a room.
    people: HashMap<ParticipantId, String>,
    publications: HashMap<PublicationId, (String, Source)>,
}

impl Room {
    /// The room as it was when we came, told as if everybody came now.
    pub(crate) fn enter(&mut self, joined: Joined) -> Vec<Notice> {
        self.people.insert(joined.participant.id, joined.participant.identity);
        joined.others.into_iter().flat_map(|other| self.participant(other)).collect()
    }

    /// The identity of a participant, or its id when it is none of the room.
    pub(crate) fn identity(&self, participant: &ParticipantId) -> String {
        self.people.get(participant).unwrap_or(&participant.0).clone()
    }

    /// Applies an event and says what it meant. Replies have no meaning here.
    pub(crate) fn apply(&mut self, message: ServerMessage, received: &mut Received) -> Vec<Notice> {
        match message {
            ServerMessage::ParticipantJoined { participant } => self.participant(participant),
            ServerMessage::ParticipantLeft { participant, .. } => {
                let identity = self.identity(&participant);
                self.people.remove(&participant);
                vec![Notice::ParticipantLeft { identity }]
            }
            ServerMessage::PublicationAdded { participant, publication } => vec![self.publication(&participant, publication)],
            ServerMessage::PublicationRemoved { publication, .. } => {
                self.publications.remove(&publication);
                vec![Notice::PublicationRemoved { publication: publication.0 }]
            }
            ServerMessage::Slot { binding } => vec![self.bind(binding, received)],
            ServerMessage::Speakers { speakers } => {
                vec![Notice::Speakers { identities: speakers.iter().map(|speaker| self.identity(&speaker.participant)).collect() }]
            }
            ServerMessage::Closed { error } => vec![Notice::Closed { why: format!("{}: {}", error.code.name(), error.message) }],
            _ => Vec::new(),
        }
    }

    /// What it carries last stays in the figures when a slot is freed: that is what was recorded.
    pub(crate) fn bind(&mut self, binding: SlotBinding, received: &mut Received) -> Notice {
        if let Some(publication) = &binding.publication {
            let slot = received.slot(binding.mid.as_str());
            if slot.publication.as_ref() != Some(&publication.0) {
                slot.publications += 1;
            }
            slot.publication = Some(publication.0.clone());
            if let Some((identity, source)) = self.publications.get(publication) {
                (slot.identity, slot.source) = (Some(identity.clone()), Some(*source));
            }
        }
        Notice::Slot { mid: binding.mid.0, publication: binding.publication.map(|publication| publication.0) }
    }

    fn participant(&mut self, info: ParticipantInfo) -> Vec<Notice> {
        self.people.insert(info.id.clone(), info.identity.clone());
        let mut notices = vec![Notice::ParticipantJoined { identity: info.identity, participant: info.id.0.clone() }];
        notices.extend(info.publications.into_iter().map(|publication| self.publication(&info.id, publication)));
        notices
    }

    fn publication(&mut self, participant: &ParticipantId, info: PublicationInfo) -> Notice {
        let identity = self.identity(participant);
        self.publications.insert(info.id.clone(), (identity.clone(), info.source));
        Notice::PublicationAdded { publication: info.id.0, identity, source: info.source }
    }
}
