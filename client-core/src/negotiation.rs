//! Offers and answers. We always offer, the edge always answers, and one offer is under way at a time: what is asked for meanwhile waits and
//! goes into the next one together. Unpublishing asks for none: the edge is told by a message, the section falls silent at once and becomes
//! inactive with whatever offer comes next, or carries the next track of its kind. When another transport takes over, its first offer carries
//! everything.
//!
//! Not here: the transport, whose work `session` asks for on our behalf, and which publication a slot carries (`room`).

use crate::{RequestId, SessionError};
use alloc::{string::String, vec::Vec};
use nearcast_protocol::client::Source;
use nearcast_protocol::{ErrorCode, MediaAnswer, MediaOffer, Mid, PublicationId, PublishIntent};

/// Receiving sections of one kind that a session may have. Guess: 64 pictures are more than a screen shows, and 128 sections make an offer of
/// 175 kB (audio 0.8, video 2.0 each), below the 256 that the edge reads.
pub const MAX_SLOTS: u16 = 64;

/// Slots come in batches of this many of a kind, so that people coming one by one don't cost an offer each. Guess.
const SLOT_BATCH: u16 = 4;

/// Tracks that may wait for the next offer. The edge's own limit on publications is far below.
const MAX_QUEUED: usize = 64;

/// How many receiving sections of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SlotCounts {
    /// Audio.
    pub audio: u16,
    /// Video.
    pub video: u16,
}

/// A track that shall be published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Publish {
    pub(crate) request: RequestId,
    pub(crate) source: Source,
    pub(crate) name: String,
    pub(crate) muted: bool,
    pub(crate) dtx: bool,
    /// What the edge calls it, once it has accepted it.
    pub(crate) publication: Option<PublicationId>,
    /// The app knows that it is published: its request has ended.
    pub(crate) told: bool,
    /// The section that carries it in the offer under way.
    pub(crate) mid: Mid,
    /// What became of it in that offer.
    pub(crate) result: Result<PublicationId, SessionError>,
}

impl Publish {
    /// A track that was not published before.
    pub(crate) fn new(request: RequestId, source: Source, name: String, muted: bool, dtx: bool) -> Self {
        let result = Err(ErrorCode::BadMessage.into());
        Self { request, source, name, muted, dtx, publication: None, told: false, mid: Mid(String::new()), result }
    }
}

#[derive(Debug)]
enum Stage {
    /// Nothing under way.
    Idle,
    /// The transport makes the offer for these.
    Making(Vec<Publish>),
    /// Made, and not sent on this connection.
    Ready(Made),
    /// Sent with this request id.
    Sent(u32, Made),
    /// The transport takes in the answer.
    Applying(Vec<Publish>),
}

#[derive(Clone, Debug)]
struct Made {
    offer: MediaOffer,
    batch: Vec<Publish>,
}

/// What an offer shall contain beyond what is there already.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) publish: Vec<RequestId>,
    pub(crate) grow: SlotCounts,
    /// With new ICE credentials.
    pub(crate) restart: bool,
}

/// The offer that is under way and what waits for the next.
#[derive(Debug)]
pub(crate) struct Negotiation {
    stage: Stage,
    /// What the present transport carries.
    carried: Vec<Publish>,
    queue: Vec<Publish>,
    /// The next offer shall restart ICE.
    restart: bool,
    /// Microphones send each frame twice.
    red: bool,
    /// The next offer is for an answer with what has changed here.
    again: bool,
    /// The offer under way is the first one of its transport.
    fresh: bool,
    slots: SlotCounts,
    wanted: SlotCounts,
    /// Sections that send audio with silence suppression.
    dtx: Vec<Mid>,
    /// The last answer of the present transport, as applied.
    answer: String,
    /// The offer under way is not for the edge.
    alone: bool,
}

impl Negotiation {
    pub(crate) fn new(slots: SlotCounts) -> Self {
        Self {
            stage: Stage::Idle,
            carried: Vec::new(),
            queue: Vec::new(),
            restart: false,
            red: false,
            again: false,
            fresh: true,
            slots: SlotCounts::default(),
            wanted: slots,
            dtx: Vec::new(),
            answer: String::new(),
            alone: false,
        }
    }

    /// Another transport: everything that the last one carried, or was about to, goes into its first offer.
    pub(crate) fn renew(&mut self) {
        let mut all = core::mem::take(&mut self.carried);
        all.append(&mut self.under_way());
        all.append(&mut self.queue);
        self.queue = all;
        (self.restart, self.fresh, self.slots) = (false, true, SlotCounts::default());
        self.dtx.clear();
        self.answer.clear();
    }

    /// The first offer of a transport is under way, or has yet to be made.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// ICE shall begin anew.
    pub(crate) fn restart(&mut self) {
        self.restart = true;
    }

    /// Whether microphones send each frame twice, where they may; tells whether that asks for an offer.
    pub(crate) fn set_red(&mut self, red: bool) -> bool {
        let changed = core::mem::replace(&mut self.red, red) != red;
        self.again |= changed && !self.carried.is_empty();
        changed
    }

    /// A publication was muted or unmuted, which another transport is told with its offer.
    pub(crate) fn muted(&mut self, publication: &PublicationId, muted: bool) {
        let all = self.carried.iter_mut().chain(&mut self.queue);
        all.filter(|one| one.publication.as_ref() == Some(publication)).for_each(|one| one.muted = muted);
    }

    /// A publication is sent with silence suppression.
    pub(crate) fn has_dtx(&self, publication: &PublicationId) -> bool {
        self.carried.iter().any(|one| one.dtx && one.publication.as_ref() == Some(publication))
    }

    /// A publication ended: no other transport will carry it.
    pub(crate) fn forget(&mut self, publication: &PublicationId) {
        for all in [&mut self.carried, &mut self.queue] {
            if let Some(at) = all.iter().position(|one| one.publication.as_ref() == Some(publication)) {
                all.remove(at);
            }
        }
    }

    /// Queues a track for the next offer.
    pub(crate) fn publish(&mut self, publish: Publish) -> Result<(), SessionError> {
        if self.queue.len() >= MAX_QUEUED {
            return Err(ErrorCode::LimitReached.into());
        }
        self.queue.push(publish);
        Ok(())
    }

    /// The edge has more for us than slots. Each kind grows to a whole number of batches, and by half at least, so that a big room costs few offers.
    pub(crate) fn want_slots(&mut self, wanted: SlotCounts) {
        let grown = |have: u16, wanted: u16| {
            if wanted <= have {
                return have;
            }
            let enough = wanted.max(have + have / 2).min(MAX_SLOTS);
            enough.next_multiple_of(SLOT_BATCH).min(MAX_SLOTS)
        };
        self.wanted.audio = self.wanted.audio.max(grown(self.slots.audio, wanted.audio));
        self.wanted.video = self.wanted.video.max(grown(self.slots.video, wanted.video));
    }

    /// Starts the next offer if nothing is under way and something is wanted.
    pub(crate) fn next(&mut self) -> Option<Plan> {
        let grow = SlotCounts {
            audio: self.wanted.audio.saturating_sub(self.slots.audio),
            video: self.wanted.video.saturating_sub(self.slots.video),
        };
        let nothing = self.queue.is_empty() && grow == SlotCounts::default() && !self.restart && !self.fresh && !self.again;
        if !matches!(self.stage, Stage::Idle) || nothing {
            return None;
        }
        let restart = core::mem::take(&mut self.restart);
        self.again = false;
        self.slots = self.wanted;
        let batch = core::mem::take(&mut self.queue);
        let publish = batch.iter().map(|one| one.request).collect();
        self.stage = Stage::Making(batch);
        Some(Plan { publish, grow, restart })
    }

    /// Starts an offer with new ICE credentials that the edge isn't told of, if nothing is under way: the answer to it is the one that we have.
    pub(crate) fn restart_alone(&mut self) -> bool {
        self.alone = matches!(self.stage, Stage::Idle) && !self.answer.is_empty();
        if self.alone {
            self.stage = Stage::Making(Vec::new());
        }
        self.alone
    }

    /// The offer that was made is not for the edge: the SDP to apply.
    pub(crate) fn answered_alone(&mut self) -> Option<String> {
        if !core::mem::take(&mut self.alone) {
            return None;
        }
        self.stage = Stage::Applying(Vec::new());
        Some(self.answer.clone())
    }

    /// The transport has made the offer; `mids` are the sections of the tracks in it. Returns tracks that got no section.
    pub(crate) fn made(&mut self, sdp: String, mids: &[(RequestId, Mid)]) -> Vec<Publish> {
        let Stage::Making(batch) = &mut self.stage else {
            return Vec::new();
        };
        let mut failed = Vec::new();
        let mut placed = Vec::with_capacity(batch.len());
        let mut publish = Vec::with_capacity(batch.len());
        for mut one in core::mem::take(batch) {
            let Some((_, mid)) = mids.iter().find(|(request, _)| *request == one.request) else {
                one.result = Err(ErrorCode::Internal.into());
                failed.push(one);
                continue;
            };
            self.dtx.retain(|known| known != mid);
            if one.dtx {
                self.dtx.push(mid.clone());
            }
            publish.push(PublishIntent {
                mid: mid.clone(),
                source: one.source,
                name: one.name.clone(),
                muted: one.muted,
                publication: one.publication.clone(),
            });
            one.mid = mid.clone();
            placed.push(one);
        }
        self.stage = Stage::Ready(Made { offer: MediaOffer { sdp, publish }, batch: placed });
        failed
    }

    /// An offer waits to be sent.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready(_))
    }

    /// The waiting offer, to be sent now with this request id.
    pub(crate) fn send(&mut self, id: u32) -> Option<MediaOffer> {
        let Stage::Ready(made) = core::mem::replace(&mut self.stage, Stage::Idle) else {
            return None;
        };
        let offer = made.offer.clone();
        self.stage = Stage::Sent(id, made);
        Some(offer)
    }

    /// Whether the offer under way was sent with this request id.
    pub(crate) fn is_sent_as(&self, id: u32) -> bool {
        matches!(self.stage, Stage::Sent(sent, _) if sent == id)
    }

    /// The connection is gone and perhaps the answer with it: the same offer is sent again. The edge answers it again.
    pub(crate) fn connection_lost(&mut self) {
        let stage = core::mem::replace(&mut self.stage, Stage::Idle);
        self.stage = match stage {
            Stage::Sent(_, made) => Stage::Ready(made),
            other => other,
        };
    }

    /// The edge has answered; returns the SDP to apply.
    pub(crate) fn answered(&mut self, mut answer: MediaAnswer) -> Option<String> {
        let Stage::Sent(_, Made { mut batch, .. }) = core::mem::replace(&mut self.stage, Stage::Idle) else {
            return None;
        };
        for one in &mut batch {
            let entry = answer.published.iter_mut().find(|entry| entry.mid == one.mid);
            one.result = match entry.map(|entry| (entry.publication.take(), entry.error.take())) {
                Some((Some(publication), _)) => Ok(publication),
                Some((None, Some(error))) => Err(error.into()),
                Some((None, None)) | None => Err(ErrorCode::BadMessage.into()),
            };
        }
        self.stage = Stage::Applying(batch);
        self.answer = crate::sdp::tune_answer(&answer.sdp, &self.dtx, self.red);
        Some(self.answer.clone())
    }

    /// The transport has taken in the answer.
    pub(crate) fn applied(&mut self) -> Vec<Publish> {
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Applying(batch) => {
                self.fresh = false;
                for one in &batch {
                    if let Ok(id) = &one.result {
                        self.carried.push(Publish { publication: Some(id.clone()), told: true, ..one.clone() });
                    }
                }
                batch
            }
            other => {
                self.stage = other;
                Vec::new()
            }
        }
    }

    /// The transport is taking in an answer.
    pub(crate) fn is_applying(&self) -> bool {
        matches!(self.stage, Stage::Applying(_))
    }

    /// Publications that the edge has accepted in an answer that isn't applied yet.
    pub(crate) fn accepted(&self) -> Vec<PublicationId> {
        match &self.stage {
            Stage::Applying(batch) => batch.iter().filter_map(|one| one.result.clone().ok()).collect(),
            _ => Vec::new(),
        }
    }

    /// What the offer under way carries, which is none any more.
    fn under_way(&mut self) -> Vec<Publish> {
        self.alone = false;
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => Vec::new(),
            Stage::Making(batch) => batch,
            Stage::Ready(made) | Stage::Sent(_, made) => made.batch,
            Stage::Applying(mut batch) => {
                for one in &mut batch {
                    if let Ok(id) = &one.result {
                        one.publication = Some(id.clone());
                    }
                }
                batch
            }
        }
    }

    /// The offer under way came to nothing, on this side or at the edge. Its tracks fail; slots stay and go into the next offer.
    pub(crate) fn failed(&mut self, error: &SessionError) -> Vec<Publish> {
        let mut batch = self.under_way();
        batch.iter_mut().for_each(|one| one.result = Err(error.clone()));
        batch
    }

    /// Everything that waits, for the end.
    pub(crate) fn drain(&mut self) -> Vec<Publish> {
        let mut all = self.under_way();
        all.append(&mut self.queue);
        all
    }
}

#[cfg(test)]
mod tests;
