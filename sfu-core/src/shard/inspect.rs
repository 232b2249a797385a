//! What a shard says about its rooms to whoever runs the edge: who is there, what each publishes in which layers, and which layer of
//! what everybody gets, and why.
//!
//! Answers come in pages, in the order of names (rooms) and ids (participants), so that the parts of a room on several shards can be
//! merged into one. A page is bounded in items and in the work it takes ([`SUBSCRIPTIONS_PER_PAGE`]). Nothing is kept for it but when a
//! decision was made; bitrates, sizes and paths are looked up when somebody asks.
//!
//! A participant is told of by the shard its transport is on, and by no other.

mod view;

pub use view::{
    Confidence, EncodingView, LayerView, ParticipantView, PathView, PublicationView, RoomView, RungView, SessionKind, SubscriptionView,
    WishView,
};

use super::Shard;
use super::allocate::videos;
use crate::allocation;
use crate::congestion::EstimateState;
use crate::keys::{ParticipantKey, RoomKey};
use crate::layer::{LayerChoice, MAX_SPATIAL, Rung};
use crate::participant::{Participant, Subscription};
use crate::publication::Publication;
use nearcast_protocol::LayerReason;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Subscriptions after which a page of participants ends: so many of audio took 5 ms in a build without optimisation; less in a release build.
/// The participant at which it is reached is told of whole.
const SUBSCRIPTIONS_PER_PAGE: usize = 500;

/// Most items of one page.
pub const LARGEST_PAGE: usize = 1_000;

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    /// Only what comes behind this name or id.
    pub after: Option<String>,
    /// Most items; [`LARGEST_PAGE`] is never exceeded.
    pub limit: usize,
}

/// A part of a list, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// There is something behind the last of them.
    pub more: bool,
}

impl Shard {
    /// The rooms of which a part is here. Participants and publications are those of this part.
    #[must_use]
    pub fn rooms(&self, query: &PageQuery) -> Page<RoomView> {
        let behind = |name: &&String| query.after.as_ref().is_none_or(|after| *name > after);
        let names = self.rooms_by_name.keys().filter(behind).collect();
        let (names, more) = first(names, query.limit);
        let view = |name: &String| {
            let room = self.rooms.get(*self.rooms_by_name.get(name)?)?;
            let here = room.participants.iter().filter_map(|key| self.participants.get(*key)).filter(|it| it.home.is_none());
            let mut view = RoomView { room: name.clone(), participants: 0, publications: 0, subscriptions: 0 };
            for participant in here {
                view.participants = view.participants.saturating_add(1);
                view.publications = view.publications.saturating_add(participant.publications.len());
                view.subscriptions = view.subscriptions.saturating_add(participant.subscriptions.len());
            }
            Some(view)
        };
        Page { items: names.into_iter().filter_map(view).collect(), more }
    }

    /// The participants of a room whose transports are here, perhaps only those of one identity; none: no part of the room is here.
    #[must_use]
    pub fn inspect(&self, now: Instant, room: &str, identity: Option<&str>, query: &PageQuery) -> Option<Page<ParticipantView>> {
        let key = *self.rooms_by_name.get(room)?;
        let room = self.rooms.get(key)?;
        let wanted = |participant: &&Participant| {
            participant.home.is_none()
                && identity.is_none_or(|identity| participant.admission.identity == identity)
                && query.after.as_ref().is_none_or(|after| participant.id.as_str() > after.as_str())
        };
        let here = room.participants.iter().filter_map(|key| self.participants.get(*key)).filter(wanted);
        let by_id: HashMap<_, _> = here.map(|participant| (&participant.id, participant)).collect();
        let (ids, mut more) = first(by_id.keys().copied().collect(), query.limit);
        let mut items = Vec::with_capacity(ids.len());
        let mut subscriptions = 0_usize;
        for id in ids {
            if subscriptions >= SUBSCRIPTIONS_PER_PAGE {
                more = true;
                break;
            }
            let Some(participant) = by_id.get(id) else { continue };
            let view = self.participant_view(now, key, participant);
            subscriptions = subscriptions.saturating_add(view.subscriptions.len());
            items.push(view);
        }
        Some(Page { items, more })
    }

    fn participant_view(&self, now: Instant, room: RoomKey, participant: &Participant) -> ParticipantView {
        let speaker = self.rooms.get(room).and_then(|room| room.active_speaker);
        let (viewed, sources) = videos(participant, &self.publications, speaker);
        let wanted: HashMap<_, _> = viewed
            .iter()
            .map(|view| view.subscription)
            .zip(allocation::wanted(&sources))
            .filter_map(|(at, rung)| Some((at, rung?)))
            .collect();
        let slotted = participant.subscriptions.iter().enumerate().filter(|(_, wish)| wish.slot.is_some());
        let view = |(at, wish)| self.subscription_view(now, participant, wish, wanted.get(&at));
        let subscriptions: Vec<_> = slotted.filter_map(view).collect();
        let publications = participant.publications.iter().filter_map(|key| self.publications.get(*key));
        ParticipantView {
            id: participant.id.clone(),
            identity: participant.admission.identity.clone(),
            name: participant.admission.name.clone(),
            role: participant.admission.role.clone(),
            session: if participant.by_http { SessionKind::Http } else { SessionKind::Websocket },
            signalling: participant.connection.is_some(),
            shard: u8::try_from(self.config.shard.0).unwrap_or(u8::MAX),
            path: participant.peer.as_ref().map(|peer| PathView::of(peer, now)),
            publications: publications.map(PublicationView::of).collect(),
            waiting: participant.subscriptions.len().saturating_sub(subscriptions.len()),
            subscriptions,
        }
    }

    fn subscription_view(
        &self,
        now: Instant,
        participant: &Participant,
        wish: &Subscription,
        wanted: Option<&Rung>,
    ) -> Option<SubscriptionView> {
        let known = self.publications.get(wish.publication)?;
        let slot = participant.peer.as_ref()?.slots.get(wish.slot?)?;
        let (reason, since) = if known.info.video {
            wish.decided.map_or((None, None), |decided| (Some(decided.reason), Some(decided.since)))
        } else {
            // Since when it is muted nobody keeps.
            (Some(audio_reason(known)), known.heard_since.filter(|_| !known.info.muted))
        };
        let layer = |choice: LayerChoice| LayerView::of(known, choice);
        Some(SubscriptionView {
            publication: known.id().clone(),
            participant: self.identity_of(known.owner),
            source: known.info.source,
            mid: slot.mid.clone(),
            wish: known.info.video.then(|| WishView::of(&wish.wanted)),
            forwarded: if known.info.video { slot.forwarder.current().map(layer) } else { None },
            decided: wish.decided.and_then(|decided| decided.layer).map(layer),
            wanted: wanted.map(|rung| layer(LayerChoice { encoding: rung.encoding, target: rung.target })),
            reason,
            unchanged_ms: since.map(|since| millis(now.saturating_duration_since(since))),
        })
    }

    fn identity_of(&self, key: ParticipantKey) -> String {
        self.participants.get(key).map(|owner| owner.admission.identity.clone()).unwrap_or_default()
    }
}

fn audio_reason(known: &Publication) -> LayerReason {
    match (known.info.muted, known.is_held_back()) {
        (true, _) => LayerReason::Muted,
        (false, true) => LayerReason::NotAmongLoudest,
        (false, false) => LayerReason::Best,
    }
}

/// The first `limit` of the list, in order, and whether there are more.
fn first<T: Ord>(mut list: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let limit = limit.clamp(1, LARGEST_PAGE);
    let more = list.len() > limit;
    if more {
        // Thousands of rooms needn't be sorted for the first hundred.
        list.select_nth_unstable(limit);
        list.truncate(limit);
    }
    list.sort_unstable();
    (list, more)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl PathView {
    fn of(peer: &crate::peer::Peer, now: Instant) -> Self {
        let estimate = peer.congestion.estimate(now);
        Self {
            connected: peer.srtp.is_some(),
            available_bps: estimate.map(|estimate| estimate.bps),
            state: estimate.map(|estimate| match estimate.state {
                EstimateState::Starting => Confidence::Starting,
                EstimateState::Steady => Confidence::Steady,
                EstimateState::Overusing => Confidence::Overusing,
                EstimateState::Recovering => Confidence::Recovering,
                EstimateState::Silent => Confidence::Silent,
            }),
            unused: estimate.is_some_and(|estimate| estimate.in_alr),
            round_trip_ms: peer.round_trip.map(millis),
            queue_ms: estimate.map(|estimate| millis(estimate.queue_delay)),
            loss: estimate.map(|estimate| estimate.path_loss),
        }
    }
}

impl PublicationView {
    fn of(known: &Publication) -> Self {
        let encoding = |(index, encoding): (usize, &crate::publication::Encoding)| {
            let number = u8::try_from(index).unwrap_or(u8::MAX);
            let rungs: Vec<_> = known.offer.rungs().iter().filter(|rung| rung.encoding == number).map(RungView::of).collect();
            let told = known.dynacast.told(index);
            EncodingView {
                encoding: number,
                rid: encoding.rid.clone(),
                spatial_layers_asked_for: if told < MAX_SPATIAL { Some(told) } else { None },
                rungs,
            }
        };
        let encodings = if known.info.video { known.encodings().iter().enumerate().map(encoding).collect() } else { Vec::new() };
        Self {
            id: known.id().clone(),
            source: known.info.source,
            name: known.info.name.clone(),
            video: known.info.video,
            muted: known.info.muted,
            blocked: known.info.blocked,
            held_back: known.is_held_back(),
            encodings,
        }
    }
}

impl RungView {
    fn of(rung: &Rung) -> Self {
        let Rung { target, bitrate, width, height, fps, live, .. } = *rung;
        Self { spatial: target.spatial, temporal: target.temporal, width, height, fps, bitrate, live }
    }
}

impl LayerView {
    /// A layer as it is measured now.
    fn of(known: &Publication, choice: LayerChoice) -> Self {
        let rungs = || known.offer.rungs().iter().filter(|rung| rung.encoding == choice.encoding);
        // What was chosen before anything was known of layers stands for the best that there is.
        let exact = rungs().find(|rung| rung.target == choice.target);
        let below = || {
            let fits = |rung: &&Rung| rung.target.spatial <= choice.target.spatial && rung.target.temporal <= choice.target.temporal;
            rungs().filter(fits).max_by_key(|rung| rung.target)
        };
        let rung = exact.or_else(below);
        let target = rung.map_or(choice.target, |rung| rung.target);
        let rid = known.encodings().get(usize::from(choice.encoding)).and_then(|encoding| encoding.rid.clone());
        let (width, height, fps, bitrate) = rung.map_or((0, 0, 0, 0), |rung| (rung.width, rung.height, rung.fps, rung.bitrate));
        Self { encoding: choice.encoding, rid, spatial: target.spatial, temporal: target.temporal, width, height, fps, bitrate }
    }
}

impl WishView {
    fn of(wanted: &super::allocate::Wanted) -> Self {
        let showing = wanted.showing;
        Self { width: showing.width, height: showing.height, visible: showing.visible, max_fps: showing.max_fps, priority: wanted.priority }
    }
}
