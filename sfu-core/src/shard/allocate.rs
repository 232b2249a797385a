//! Who looks at what, and what becomes of it: gathers a participant's videos for the [allocator](crate::allocation), gives its forwarders
//! their layers and tells the participant.
//!
//! When: within a tick of a wish, a subscription, a mute, a voice that becomes loudest or a layer that comes or goes; while bandwidth is
//! short every [`WHEN_SHORT`], else every [`WHEN_PLENTY`]. Never per packet.

use super::{Event, Shard, ShardStats};
use crate::allocation::{self, Budget, Choice, Class, Decision, Demand, Showing, Source};
use crate::congestion::{self, Estimate, EstimateState};
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::layer::{LayerChoice, Target};
use crate::participant::Participant;
use crate::publication::Publication;
use nearcast_protocol::client::Source as SourceKind;
use nearcast_protocol::{ErrorCode, ErrorInfo, LayerReason, LayerState, Priority, ServerMessage, Wish};
use slotmap::SlotMap;
use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// While bandwidth is short: a little more often than an estimator's feedback matters (50 to 100 ms each).
const WHEN_SHORT: Duration = Duration::from_millis(200);

/// While there is enough for everything that is wanted.
const WHEN_PLENTY: Duration = Duration::from_secs(1);

/// A room's change of speaker reaches its participants over this many ticks, so that a big room's work is spread.
const SPREAD: u32 = 5;

/// An estimate that fell within this time is one that was found, not one that is out of date. Two round trips of a bad path and the time
/// a decision takes; guess.
const FELL_LATELY: Duration = Duration::from_secs(3);

/// An estimate that lost this part of its height fell, in percent; smaller moves are its noise.
const FALL: u64 = 15;

/// Estimates below this aren't believed while the path shows neither a queue nor loss: so little was sent that a busy receiver's jitter looks
/// like a full path. Two or three of the smallest pictures with their voices; guess. Bits per second.
const FLOOR: u64 = 500_000;

/// A queue shorter than this isn't one, for [`FLOOR`]: what the whole system aims to stay below.
const CLEAR_QUEUE: Duration = Duration::from_millis(100);

/// Loss below this isn't a full path's, for [`FLOOR`]: the 10 % at which GCC begins to reduce (draft-ietf-rmcat-gcc-02 §6), halved.
const CLEAR_LOSS: f64 = 0.05;

/// An estimate that moved by this part, in percent, is worth a new decision.
const ESTIMATE_STEP: u64 = 5;

/// Between two messages about layers: what people can notice, and ten times what a decision takes.
const TELL_INTERVAL: Duration = Duration::from_millis(250);

/// Between two messages that only change a reason or a bitrate.
const TELL_DETAILS_INTERVAL: Duration = Duration::from_secs(1);

/// A bitrate that moved by more than one part in so many is worth telling.
const BITRATE_PART: u32 = 4;

/// Wishes of one message: twice what a participant can receive.
const MAX_WISHES: usize = 256;

/// What one audible voice is taken to cost: Opus at 32 kbit/s, 50 packets a second with 60 bytes of headers each, and room for RED.
/// Bits per second.
const VOICE_COST: u64 = 64_000;

/// A voice that was silent this long costs nothing (DTX, or next to it).
const VOICE_LASTS: Duration = Duration::from_secs(3);

/// What a participant said about one of its subscriptions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) showing: Showing,
    pub(crate) priority: Priority,
}

/// What was last told of one subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Told {
    width: u16,
    height: u16,
    fps: u8,
    bitrate: u32,
    paused: bool,
    reason: LayerReason,
}

/// How news matter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum News {
    None,
    Detail,
    Visible,
}

impl Told {
    fn of(decision: &Decision) -> Option<Self> {
        let nothing = Self { width: 0, height: 0, fps: 0, bitrate: 0, paused: true, reason: decision.reason };
        match decision.choice {
            Choice::Await => None,
            Choice::Pause => Some(nothing),
            Choice::Forward(_) if decision.reason == LayerReason::Muted => Some(nothing),
            Choice::Forward(rung) => {
                let bitrate = u32::try_from(rung.bitrate).unwrap_or(u32::MAX);
                Some(Self { width: rung.width, height: rung.height, fps: rung.fps, bitrate, paused: false, reason: decision.reason })
            }
        }
    }

    fn news_since(&self, before: Option<Self>) -> News {
        let Some(before) = before else { return News::Visible };
        let frames = self.fps.abs_diff(before.fps) > self.fps.max(before.fps) / 4;
        if (self.width, self.height, self.paused) != (before.width, before.height, before.paused) || frames {
            return News::Visible;
        }
        let bitrate = self.bitrate.abs_diff(before.bitrate) > before.bitrate / BITRATE_PART;
        if bitrate || self.reason != before.reason { News::Detail } else { News::None }
    }
}

/// When a participant is looked at, and what it was told.
#[derive(Debug)]
pub(crate) struct Allocating {
    /// The next look.
    pub(crate) due: Instant,
    told_at: Option<Instant>,
    link: Link,
    demand: Demand,
}

impl Allocating {
    pub(crate) fn new(now: Instant) -> Self {
        Self { due: now, told_at: None, link: Link::default(), demand: Demand::default() }
    }

    /// The participant comes back on another connection, and may not have heard the last.
    pub(crate) fn tell_anew(&mut self, now: Instant) {
        (self.due, self.told_at) = (now, None);
    }

    fn next_look(&self, now: Instant) -> Instant {
        let short = self.link.limit().is_some_and(|estimate| estimate < self.demand.most);
        now + if short { WHEN_SHORT } else { WHEN_PLENTY }
    }
}

/// What is known of the way to a participant.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// The estimate, bits per second of RTP packets; none: there is none.
    media_bps: Option<u64>,
    /// The most it was since it last fell.
    highest: u64,
    fell: Option<Instant>,
    /// What is above the estimate has to go.
    congested: bool,
    /// Less is sent than the estimate allows.
    untested: bool,
    /// The receiver answers, so that the estimate is one of the path and not a bound that the receiver named.
    measured: bool,
    /// The first probes are under way.
    starting: bool,
}

impl Link {
    fn follow(&mut self, estimate: Option<&Estimate>, now: Instant) {
        self.media_bps = estimate.map(|estimate| {
            let clear = estimate.queue_delay < CLEAR_QUEUE && estimate.path_loss < CLEAR_LOSS;
            if clear { estimate.media_bps.max(FLOOR) } else { estimate.media_bps }
        });
        let Some(estimate) = estimate else { return };
        let cut = estimate.since_last_decrease.and_then(|since| now.checked_sub(since));
        if estimate.media_bps.saturating_mul(100) < self.highest.saturating_mul(100 - FALL) {
            (self.highest, self.fell) = (estimate.media_bps, Some(now));
        }
        self.highest = self.highest.max(estimate.media_bps);
        self.measured = estimate.answered;
        self.starting = estimate.state == EstimateState::Starting;
        self.fell = self.fell.max(cut);
        self.untested = estimate.in_alr;
        let lately = self.fell.is_some_and(|fell| now.saturating_duration_since(fell) < FELL_LATELY);
        self.congested = lately || matches!(estimate.state, EstimateState::Overusing | EstimateState::Silent);
    }

    /// The estimate as a limit. A bound that a receiver names (REMB) grows with what it receives; until it has fallen once it isn't one.
    fn limit(&self) -> Option<u64> {
        self.media_bps.filter(|_| self.measured || self.congested || self.fell.is_some())
    }
}

/// One of a participant's videos while it is looked at.
pub(super) struct Viewed {
    pub(super) subscription: usize,
    pub(super) slot: usize,
    pub(super) publication: PublicationKey,
}

/// The videos that a participant has a slot for, each also as the allocator sees it.
pub(super) fn videos<'a>(
    participant: &Participant,
    publications: &'a SlotMap<PublicationKey, Publication>,
    speaker: Option<ParticipantKey>,
) -> (Vec<Viewed>, Vec<Source<'a>>) {
    let slotted = participant.subscriptions.iter().enumerate().filter_map(|(subscription, wish)| {
        let (slot, known) = (wish.slot?, publications.get(wish.publication).filter(|known| known.info.video)?);
        let source = Source {
            class: class(known, wish.wanted.priority, speaker),
            showing: wish.wanted.showing,
            muted: known.info.muted,
            rungs: known.offer.rungs(),
            memory: wish.memory,
        };
        Some((Viewed { subscription, slot, publication: wish.publication }, source))
    });
    slotted.unzip()
}

impl Shard {
    /// Decides anew for a participant when it is time to.
    pub(super) fn allocate_when_due(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let estimate = participant.peer.as_ref().and_then(|peer| {
            let will_answer = || peer.slots.iter().any(|slot| slot.video && slot.format.has_transport_cc());
            peer.congestion.estimate(now).or_else(|| will_answer().then(|| peer.congestion.first_guess(now)).flatten())
        });
        let Some(participant) = self.participants.get_mut(key) else { return };
        let link = &mut participant.allocating.link;
        let before = *link;
        link.follow(estimate.as_ref(), now);
        let moved = match (before.media_bps, link.media_bps) {
            _ if before.congested != link.congested => true,
            (Some(before), Some(estimate)) => before.abs_diff(estimate).saturating_mul(100) >= before.saturating_mul(ESTIMATE_STEP),
            (before, estimate) => before != estimate,
        };
        if moved || participant.allocating.due <= now {
            self.allocate(now, key);
        }
    }

    fn allocate(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let speaker = self.rooms.get(participant.room).and_then(|room| room.active_speaker);
        let (viewed, sources) = videos(participant, &self.publications, speaker);
        let reserved = audio_cost(participant, &self.publications, now);
        let link = participant.allocating.link;
        let budget =
            Budget { estimate: link.limit(), reserved, congested: link.congested, untested: link.untested, starting: link.starting };
        let outcome = allocation::allocate(&sources, budget, now);
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.allocating.demand = outcome.demand;
        participant.allocating.due = participant.allocating.next_look(now);
        if let Some(peer) = participant.peer.as_mut() {
            let Demand { allocated, next, most } = outcome.demand;
            // The controller counts what is on the wire, headers and all.
            let (wire, media) = peer.congestion.estimate(now).map_or((1, 1), |estimate| (estimate.bps, estimate.media_bps.max(1)));
            let on_wire = |bits: u64| bits.saturating_mul(wire).checked_div(media).unwrap_or(bits);
            let demand = congestion::Demand { allocated_bps: on_wire(allocated), wanted_bps: on_wire(next), max_bps: on_wire(most) };
            peer.congestion.set_demand(demand);
        }
        let mut keyframes = Vec::new();
        for (view, decision) in viewed.iter().zip(&outcome.decisions) {
            count(&mut self.stats, decision);
            if let Some(wish) = participant.subscriptions.get_mut(view.subscription) {
                wish.memory = decision.memory;
                wish.note(decision, now);
            }
            if let Some(needed) = apply(participant, view, decision) {
                keyframes.push((view.publication, needed));
            }
        }
        self.tell_layers(now, key, &viewed, &outcome.decisions);
        for (publication, Needed { encoding, wanted, current }) in keyframes {
            let Some(known) = self.publications.get_mut(publication) else { continue };
            known.keyframes.want(encoding, known.need(wanted, current), now);
            let owner = known.owner;
            self.request_due_keyframe(now, owner, publication);
        }
    }

    fn tell_layers(&mut self, now: Instant, key: ParticipantKey, viewed: &[Viewed], decisions: &[Decision]) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(connection) = participant.connection else { return };
        let mut layers = Vec::new();
        let mut most = News::None;
        for (view, decision) in viewed.iter().zip(decisions) {
            let wish = participant.subscriptions.get(view.subscription);
            let (Some(wish), Some(told)) = (wish, Told::of(decision)) else { continue };
            let news = told.news_since(wish.told);
            if news > News::None
                && let Some(known) = self.publications.get(view.publication)
            {
                most = most.max(news);
                layers.push((view.subscription, told, known.id().clone()));
            }
        }
        for (subscription, told, id) in voices(participant, &self.publications, self.config.audio_top_k) {
            most = most.max(News::Detail);
            layers.push((subscription, told, id));
        }
        if layers.is_empty() {
            return;
        }
        let pause = if most == News::Visible { TELL_INTERVAL } else { TELL_DETAILS_INTERVAL };
        if let Some(next) = participant.allocating.told_at.map(|told| told + pause).filter(|next| *next > now) {
            participant.allocating.due = participant.allocating.due.min(next);
            return;
        }
        participant.allocating.told_at = Some(now);
        let estimate = participant.allocating.link.media_bps.map_or(0, |estimate| u32::try_from(estimate).unwrap_or(u32::MAX));
        let mut states = Vec::with_capacity(layers.len());
        for (subscription, told, publication) in layers {
            if let Some(wish) = participant.subscriptions.get_mut(subscription) {
                wish.told = Some(told);
            }
            let Told { width, height, fps, bitrate, paused, reason } = told;
            states.push(LayerState { publication, width, height, fps, bitrate, paused, reason });
        }
        let message = ServerMessage::Layers { estimate, layers: states };
        self.events.push_back(Event::Signal { connection, message });
    }

    /// What a participant says about how it shows what it receives. Unknown publications are skipped: they may just have ended.
    pub(super) fn wish(&mut self, now: Instant, key: ParticipantKey, wishes: &[Wish]) -> Result<(), ErrorInfo> {
        if wishes.len() > MAX_WISHES {
            let why = format!("{} wishes in one message; send at most {MAX_WISHES}, those that changed", wishes.len());
            return Err(ErrorInfo::new(ErrorCode::LimitReached, why));
        }
        self.stats.wishes_received = self.stats.wishes_received.saturating_add(wishes.len() as u64);
        let Some(participant) = self.participants.get_mut(key) else { return Ok(()) };
        for wish in wishes {
            let Some(publication) = self.publications_by_id.get(&wish.publication) else { continue };
            let Some(known) = participant.subscriptions.iter_mut().find(|known| known.publication == *publication) else { continue };
            let Wish { width, height, visible, max_fps, priority, .. } = *wish;
            let wanted = Wanted { showing: Showing { width, height, max_fps, visible }, priority };
            if wants_more(&known.wanted, &wanted) {
                known.memory.forgive();
            }
            known.wanted = wanted;
        }
        participant.allocating.due = now;
        Ok(())
    }

    /// Something about a publication changed that its subscribers' layers depend on.
    pub(super) fn allocate_subscribers_of(&mut self, now: Instant, publication: PublicationKey) {
        let Some(known) = self.publications.get(publication) else { return };
        for subscriber in &known.subscribers {
            if let Some(participant) = self.participants.get_mut(subscriber.participant) {
                participant.allocating.due = participant.allocating.due.min(now);
            }
        }
    }

    /// Another voice is a room's loudest: its face goes before the others.
    pub(super) fn allocate_room(&mut self, now: Instant, room: RoomKey) {
        let Some(room) = self.rooms.get(room) else { return };
        for (index, key) in (0_u32..).zip(&room.participants) {
            if let Some(participant) = self.participants.get_mut(*key) {
                let turn = now + super::tick::TICK.saturating_mul(index % SPREAD);
                participant.allocating.due = participant.allocating.due.min(turn);
            }
        }
    }

    /// Measures what publications can be had in.
    pub(super) fn refresh_offers(&mut self, now: Instant) {
        let mut changed = Vec::new();
        for (key, known) in &mut self.publications {
            if known.info.video && known.refresh_offer(now) {
                changed.push(key);
            }
        }
        for publication in changed {
            self.allocate_subscribers_of(now, publication);
        }
    }
}

fn class(publication: &Publication, priority: Priority, speaker: Option<ParticipantKey>) -> Class {
    let screen = publication.info.source == SourceKind::Screen;
    match priority {
        Priority::Auto | Priority::OnStage if screen => Class::Screen,
        Priority::OnStage => Class::OnStage,
        Priority::Speaker => Class::Speaker,
        Priority::Auto if speaker == Some(publication.owner) => Class::Speaker,
        Priority::Auto | Priority::Thumbnail => Class::Thumbnail,
    }
}

/// More is wanted than before: larger, faster, sooner.
fn wants_more(before: &Wanted, after: &Wanted) -> bool {
    let unlimited = |limit: u32| if limit == 0 { u32::MAX } else { limit };
    let area = |wanted: &Wanted| unlimited(u32::from(wanted.showing.width).saturating_mul(u32::from(wanted.showing.height)));
    let fps = |wanted: &Wanted| unlimited(u32::from(wanted.showing.max_fps));
    after.priority > before.priority || area(after) > area(before) || fps(after) > fps(before)
}

/// What the voices that a participant hears cost it, bits per second.
fn audio_cost(participant: &Participant, publications: &SlotMap<PublicationKey, Publication>, now: Instant) -> u64 {
    let audible = participant.subscriptions.iter().filter(|wish| {
        let known = publications.get(wish.publication).filter(|known| wish.slot.is_some() && !known.info.video && known.heard);
        let last = known.and_then(|known| known.loudness.last_sound());
        last.is_some_and(|last| now.saturating_duration_since(last) < VOICE_LASTS)
    });
    (audible.count() as u64).saturating_mul(VOICE_COST)
}

/// A key frame that somebody needs.
struct Needed {
    encoding: u8,
    wanted: Option<LayerChoice>,
    current: Option<LayerChoice>,
}

/// Gives a slot what was decided; returns what key frame is needed now.
fn apply(participant: &mut Participant, view: &Viewed, decision: &Decision) -> Option<Needed> {
    let peer = participant.peer.as_mut()?;
    let ready = peer.srtp.is_some();
    let slot = peer.slots.get_mut(view.slot)?;
    let choice = match decision.choice {
        // Of what isn't there yet it isn't known which layers it will have.
        Choice::Forward(rung) => Some(LayerChoice { encoding: rung.encoding, target: if rung.live { rung.target } else { Target::TOP } }),
        Choice::Await => Some(LayerChoice::FIRST),
        Choice::Pause => None,
    };
    let pursued = decision.pursued.map(|rung| LayerChoice { encoding: rung.encoding, target: rung.target });
    slot.wants = [choice, pursued];
    if slot.chosen == Some(choice) {
        return None;
    }
    let encoding = slot.chosen.flatten().map(|before| before.encoding);
    slot.chosen = Some(choice);
    slot.forwarder.set_layer(choice);
    // Later it asks for itself, with the frames it can't use.
    let encoding = slot.forwarder.needs_keyframe().filter(|needed| ready && encoding != Some(*needed))?;
    Some(Needed { encoding, wanted: choice, current: slot.forwarder.current() })
}

/// Audio that is held back, or no longer.
fn voices(
    participant: &Participant,
    publications: &SlotMap<PublicationKey, Publication>,
    limit: usize,
) -> Vec<(usize, Told, nearcast_protocol::PublicationId)> {
    if limit == 0 {
        return Vec::new();
    }
    let held_back = Told { width: 0, height: 0, fps: 0, bitrate: 0, paused: true, reason: LayerReason::NotAmongLoudest };
    let passed_on = Told { paused: false, reason: LayerReason::Best, ..held_back };
    let state = |(index, wish): (usize, &crate::participant::Subscription)| {
        let known = publications.get(wish.publication).filter(|known| !known.info.video && wish.slot.is_some())?;
        let told = match (known.is_held_back(), wish.told) {
            (true, told) if told != Some(held_back) => held_back,
            (false, Some(told)) if told == held_back => passed_on,
            _ => return None,
        };
        Some((index, told, known.id().clone()))
    };
    participant.subscriptions.iter().enumerate().filter_map(state).collect()
}

fn count(stats: &mut ShardStats, decision: &Decision) {
    match (decision.moved, &decision.choice) {
        (Ordering::Less, Choice::Pause) => stats.layer_pauses = stats.layer_pauses.saturating_add(1),
        (Ordering::Less, _) => stats.layer_switches_down = stats.layer_switches_down.saturating_add(1),
        (Ordering::Greater, _) => stats.layer_switches_up = stats.layer_switches_up.saturating_add(1),
        (Ordering::Equal, _) => {}
    }
}
