//! Offers out, answers and events in.

use super::{CHANNELS, Client, RESENDABLE, SlotSection, channel_config};
use crate::source::SourcePlan;
use nearcast_protocol::{ClientMessage, Join, MediaAnswer, MediaOffer, PublishIntent, Resume, ServerMessage};
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpApi};
use str0m::media::{Direction, MediaKind, Rid, Simulcast, SimulcastLayer};

impl Client {
    /// The join with its first offer: everything it was to bring.
    pub(crate) fn first_join(&mut self) -> Join {
        let (plans, audio, video) = (std::mem::take(&mut self.joining.sources), self.joining.audio_slots, self.joining.video_slots);
        let offer = self.grow(plans, audio, video, self.joining.data);
        Join { token: String::new(), auto_subscribe: self.joining.auto_subscribe, offer, ..Join::default() }
    }

    /// The join that comes back to a session.
    pub(crate) fn resuming_join(&self) -> Join {
        let offer = self.unanswered.as_ref().map(|(_, offer)| offer.clone());
        Join { auto_subscribe: self.joining.auto_subscribe, resume: Some(Resume { session: self.session() }), offer, ..Join::default() }
    }

    /// An offer with more sections: sources, slots, data channels.
    pub(crate) fn grow(&mut self, plans: Vec<SourcePlan>, audio: usize, video: usize, data: bool) -> Option<MediaOffer> {
        let first = self.sources.len();
        let id = self.id;
        let mut sources = Vec::new();
        let mut slots = Vec::new();
        let mut channels = Vec::new();
        let offer = self.offer(|changes| {
            for (index, plan) in plans.into_iter().enumerate() {
                let kind = if plan.video { MediaKind::Video } else { MediaKind::Audio };
                let layers: Vec<_> = plan.encodings.iter().map(|encoding| SimulcastLayer::new(encoding.rid)).collect();
                let simulcast = (!layers.is_empty()).then(|| Simulcast { send: layers, recv: Vec::new() });
                let mid = changes.add_media(kind, Direction::SendOnly, None, None, simulcast);
                sources.push(crate::source::Source::new(plan, mid, id.0, (first + index) as u16));
            }
            for (kind, count) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
                for _ in 0..count {
                    let mid = changes.add_media(kind, Direction::RecvOnly, None, None, None);
                    slots.push(SlotSection { mid, video: kind == MediaKind::Video, publication: None });
                }
            }
            if data {
                channels.extend(
                    CHANNELS.map(|(label, stream, reliable)| changes.add_channel_with_config(channel_config(label, stream, reliable))),
                );
            }
        });
        self.slots.extend(slots);
        self.channels.extend(channels);
        let intents = sources.iter().map(|source| PublishIntent {
            mid: source.mid.to_string().as_str().into(),
            source: source.plan.kind,
            name: String::new(),
            muted: source.plan.muted,
            publication: None,
        });
        let publish = intents.collect();
        self.sources.extend(sources);
        offer.map(|sdp| MediaOffer { sdp, publish })
    }

    /// Describes the changes that `change` makes; none when it made none.
    pub(crate) fn offer(&mut self, change: impl FnOnce(&mut SdpApi<'_>)) -> Option<String> {
        assert!(self.pending.is_none(), "{}: one offer at a time", self.name);
        let mut changes = self.rtc.sdp_api();
        change(&mut changes);
        let (offer, pending) = changes.apply()?;
        self.pending = Some(pending);
        Some((self.joining.tamper)(offer.to_sdp_string()))
    }

    /// An intent for a section that is there already.
    pub(crate) fn intent(&self, source: usize) -> PublishIntent {
        let source = &self.sources[source];
        PublishIntent {
            mid: source.mid.to_string().as_str().into(),
            source: source.plan.kind,
            name: String::new(),
            muted: false,
            publication: None,
        }
    }

    /// Whether an offer waits for its answer.
    #[must_use]
    pub fn is_negotiating(&self) -> bool {
        self.pending.is_some()
    }

    /// Takes a message of the edge; returns what it makes the client ask.
    pub(crate) fn hear(&mut self, now: Instant, message: ServerMessage) -> Option<ClientMessage> {
        match &message {
            ServerMessage::Joined(joined) => {
                if !joined.resumed || !joined.slots.is_empty() {
                    self.slots.iter_mut().for_each(|slot| slot.publication = None);
                }
                for binding in &joined.slots {
                    self.bind(binding.mid.as_str(), binding.publication.as_ref());
                }
                if let Some(answer) = &joined.answer {
                    self.accept(now, answer);
                }
            }
            // The answer to a request that was repeated since comes too late.
            ServerMessage::Answer { id, answer } if self.unanswered.as_ref().is_some_and(|(request, _)| request == id) => {
                self.accept(now, answer);
            }
            // Refused: as if it had never been offered.
            ServerMessage::Failed { id, .. } if self.unanswered.as_ref().is_some_and(|(request, _)| request == id) => {
                (self.pending, self.unanswered) = (None, None);
            }
            ServerMessage::Encodings { publication, encodings } => {
                let at = self.at(now);
                if let Some(source) = self.sources.iter_mut().find(|source| source.publication.as_ref() == Some(publication)) {
                    source.on_demand(at, encodings);
                }
            }
            ServerMessage::Slot { binding } => self.bind(binding.mid.as_str(), binding.publication.as_ref()),
            _ => {}
        }
        if let (true, ServerMessage::SlotsWanted { audio, video }) = (self.joining.grow_slots, &message) {
            self.wanted = Some((usize::from(*audio), usize::from(*video)));
        }
        self.signals.push((self.at(now), message));
        if self.is_negotiating() {
            return None;
        }
        let (audio, video) = self.wanted.take()?;
        let have = |video| self.slots.iter().filter(|slot| slot.video == video).count();
        let (audio, video) = (audio.saturating_sub(have(false)), video.saturating_sub(have(true)));
        self.grow(Vec::new(), audio, video, false).map(ClientMessage::Offer)
    }

    fn bind(&mut self, mid: &str, publication: Option<&nearcast_protocol::PublicationId>) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| &*slot.mid == mid) {
            slot.publication = publication.cloned();
        }
    }

    fn accept(&mut self, now: Instant, answer: &MediaAnswer) {
        let pending = self.pending.take().expect("an answer to an offer");
        self.unanswered = None;
        let sdp = SdpAnswer::from_sdp_string(&answer.sdp).expect("an answer that parses");
        self.rtc.sdp_api().accept_answer(pending, sdp).expect("an answer that fits");
        for published in &answer.published {
            let source = self.sources.iter_mut().find(|source| *source.mid == *published.mid.as_str());
            if let (Some(source), Some(publication)) = (source, &published.publication) {
                source.publication = Some(publication.clone());
                // Resends as much as it is asked to: what repair costs is the edge's to decide, and what the tests measure.
                for encoder in &source.encoders {
                    if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(source.mid, encoder.rid().map(Rid::from)) {
                        stream.set_rtx_cache(RESENDABLE.0, RESENDABLE.1, None);
                    }
                }
                if self.rtc.is_connected() {
                    source.start(now);
                }
            }
        }
        self.timeout = now;
    }
}
