//! One stay of one person (or bot) in a room.

use crate::allocation::{Choice, Decision, Memory};
use crate::clock::Ntp;
use crate::forwarding_policy::ForwardingPolicy;
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::layer::LayerChoice;
use crate::loudest::Loudest;
use crate::moderation::Decisions;
use crate::peer::Peer;
use crate::relay::RelayedParticipant;
use crate::room_mode::{Mode, ModePolicy, Terms};
use crate::shard::ShardId;
use crate::shard::allocate::{Allocating, Told, Wanted};
use crate::shard::peer_messages::PeerBudget;
use crate::shard::qualities::Rated;
use crate::shard::relay::{Keeping, Settling};
use crate::shard::stays::Noted;
use nearcast_protocol::{LayerReason, ParticipantId, Permissions, SessionId};
use std::sync::Arc;
use std::time::Instant;

/// Who a token says somebody is and what it may do. The edge has verified the token.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Name of the room.
    pub room: String,
    /// Who it is; a second join with the same identity replaces the first.
    pub identity: String,
    /// What to show.
    pub name: String,
    /// From the token.
    pub role: Option<String>,
    /// From the token's grants.
    pub permissions: Permissions,
    /// How the room decides whether media goes directly, if this is its first participant.
    pub mode: ModePolicy,
    /// Participants the room may have, this one included; what the first one's token says holds for all.
    pub max_participants: Option<u32>,
    /// Who gets what from whom, if this is the room's first participant; who comes later with another one than the room's is refused.
    pub forwarding: Option<Arc<ForwardingPolicy>>,
}

/// A stay that began at another edge and goes on here. Whoever makes one has checked that who joins may say so.
#[derive(Clone, Debug)]
pub struct Continuation {
    /// As which participant.
    pub participant: ParticipantId,
    /// When the stay began.
    pub since: Ntp,
    /// Counts how often it went on elsewhere, from 1.
    pub count: u16,
}

/// Which of the places that a stay has been at holds it: of two that say they do, the higher.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Incarnation {
    /// How often it went on elsewhere.
    pub(crate) count: u16,
    /// NTP time of coming here.
    pub(crate) at: u64,
}

/// Who has said that a participant of this part is elsewhere now, and when it is let go of at the latest.
#[derive(Debug)]
pub(crate) struct Yielding {
    pub(crate) to: ShardId,
    pub(crate) relayed: RelayedParticipant,
    pub(crate) until: Instant,
}

impl Incarnation {
    /// Generations of its publications' streams begin here, so that none of an earlier place is taken for one of this. Far more than encoders restart.
    pub(crate) fn first_generation(self) -> u32 {
        u32::from(self.count) << 16
    }
}

/// One WebSocket; numbered by the edge, never reused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// A participant's wish for one publication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    pub(crate) publication: PublicationKey,
    /// The slot that carries it; none: waiting for one.
    pub(crate) slot: Option<usize>,
    /// How it is shown, as far as that was said.
    pub(crate) wanted: Wanted,
    /// Of the last decision about its layer.
    pub(crate) memory: Memory,
    /// What was last told of it.
    pub(crate) told: Option<Told>,
    /// The last decision that changed something.
    pub(crate) decided: Option<Decided>,
}

/// What was decided of a subscription's layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided {
    /// None: paused, or nothing is known of its layers yet.
    pub(crate) layer: Option<LayerChoice>,
    /// Why not more.
    pub(crate) reason: LayerReason,
    /// Since when the layer and the reason are these.
    pub(crate) since: Instant,
}

impl Subscription {
    pub(crate) fn new(publication: PublicationKey) -> Self {
        Self { publication, slot: None, wanted: Wanted::default(), memory: Memory::default(), told: None, decided: None }
    }

    /// Takes note of a decision.
    pub(crate) fn note(&mut self, decision: &Decision, now: Instant) {
        let layer = match decision.choice {
            Choice::Forward(rung) => Some(LayerChoice { encoding: rung.encoding, target: rung.target }),
            Choice::Await | Choice::Pause => None,
        };
        if self.decided.is_none_or(|before| (before.layer, before.reason) != (layer, decision.reason)) {
            self.decided = Some(Decided { layer, reason: decision.reason, since: now });
        }
    }
}

/// One stay.
#[derive(Debug)]
pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    pub(crate) admission: Admission,
    pub(crate) room: RoomKey,
    /// NTP time of joining.
    pub(crate) since: u64,
    pub(crate) incarnation: Incarnation,
    /// The shard whose part of the room it is in; none: this one.
    pub(crate) home: Option<ShardId>,
    /// Since when that can't be reached, or has let go of it: it may go on elsewhere.
    pub(crate) missing: Option<Instant>,
    /// It was told to go on at another edge.
    pub(crate) sent_on: bool,
    /// It goes on here since then, and nothing has come over its transport: whoever had it before may keep what works.
    pub(crate) arriving: Option<Instant>,
    /// It goes on elsewhere and arrives there; until then it is kept.
    pub(crate) yielding: Option<Box<Yielding>>,
    /// Messages for it since it was told to go on elsewhere.
    pub(crate) keeping: Option<Box<Keeping>>,
    /// Messages to it since it came from elsewhere.
    pub(crate) settling: Option<Box<Settling>>,
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    /// Came by WHIP or WHEP: there is no WebSocket to show that somebody is there, only the transport.
    pub(crate) by_http: bool,
    /// When signalling was last known to live: the loss of the WebSocket starts the resume window. Who has none never had.
    pub(crate) disconnected_at: Option<Instant>,
    pub(crate) auto_subscribe: bool,
    pub(crate) publications: Vec<PublicationKey>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) peer: Option<Peer>,
    /// Slots of each kind (audio, video) last asked for, so that one need is asked once.
    pub(crate) slots_asked: (u16, u16),
    /// When its layers are decided anew.
    pub(crate) allocating: Allocating,
    /// Of the messages that it sends to other participants' software.
    pub(crate) peer_budget: PeerBudget,
    /// How well it is connected.
    pub(crate) rated: Rated,
    /// What is told when it ends.
    pub(crate) noted: Noted,
}

impl Participant {
    /// Somebody in another shard's part of the room: no transport, no WebSocket, no session here.
    pub(crate) fn elsewhere(home: ShardId, room: RoomKey, relayed: RelayedParticipant, now: Instant) -> Self {
        let incarnation = relayed.incarnation();
        let RelayedParticipant { id, admission, since, joined, by_http, .. } = relayed;
        let since = if joined == 0 { since } else { joined };
        Self {
            id,
            admission,
            room,
            since,
            incarnation,
            home: Some(home),
            missing: None,
            sent_on: false,
            arriving: None,
            yielding: None,
            keeping: None,
            settling: None,
            session: SessionId(String::new()),
            connection: None,
            by_http,
            disconnected_at: None,
            auto_subscribe: false,
            publications: Vec::new(),
            subscriptions: Vec::new(),
            peer: None,
            slots_asked: (0, 0),
            allocating: Allocating::new(now),
            peer_budget: PeerBudget::default(),
            rated: Rated::new(now),
            noted: Noted::default(),
        }
    }
}

/// A room: whoever is in it. Its publications belong to its participants.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) participants: Vec<ParticipantKey>,
    /// Other shards that hold a part of it.
    pub(crate) parts: Vec<ShardId>,
    /// What was last said about speakers.
    pub(crate) speakers: Vec<(ParticipantKey, u8)>,
    /// Whose face goes before the others': the one last heard loudest.
    pub(crate) active_speaker: Option<ParticipantKey>,
    /// Whose audio is passed on.
    pub(crate) loudest: Loudest,
    pub(crate) terms: Terms,
    pub(crate) mode: Mode,
    /// Of moderators.
    pub(crate) decisions: Decisions,
    /// When it may be told of qualities again.
    pub(crate) qualities_due: Instant,
}
