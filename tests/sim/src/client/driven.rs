//! A client whose signalling is somebody else's: it only does what a browser's `RTCPeerConnection` would be told to do.

use super::{CHANNELS, Client, RESENDABLE, SlotSection, channel_config};
use crate::source::{Source, SourcePlan};
use std::time::Instant;
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Rid, Simulcast, SimulcastLayer};

impl Client {
    /// A source that gets a section when an offer takes it in.
    pub(crate) fn add_source(&mut self, plan: SourcePlan) {
        let number = self.sources.len() as u16;
        self.sources.push(Source::new(plan, "none".into(), self.id.0, number));
    }

    /// An offer with sections for these sources (each another one than it had, if it had any) and so many receiving ones; with channels, if it
    /// is the first of its transport. None: nothing to offer.
    pub(crate) fn driven_offer(&mut self, sources: &[usize], audio: usize, video: usize, restart: bool) -> Option<String> {
        let mut channels = Vec::new();
        let mut slots = Vec::new();
        let mut mids = Vec::new();
        let first = self.channels.is_empty();
        let plans: Vec<_> = sources.iter().map(|source| self.sources[*source].plan.clone()).collect();
        let sdp = self.offer(|changes| {
            if restart {
                changes.ice_restart(true);
            }
            for plan in &plans {
                let kind = if plan.video { MediaKind::Video } else { MediaKind::Audio };
                let layers: Vec<_> = plan.encodings.iter().map(|encoding| SimulcastLayer::new(encoding.rid)).collect();
                let simulcast = (!layers.is_empty()).then(|| Simulcast { send: layers, recv: Vec::new() });
                mids.push(changes.add_media(kind, Direction::SendOnly, None, None, simulcast));
            }
            for (kind, count) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
                for _ in 0..count {
                    let mid = changes.add_media(kind, Direction::RecvOnly, None, None, None);
                    slots.push(SlotSection { mid, video: kind == MediaKind::Video, publication: None });
                }
            }
            if first {
                channels.extend(
                    CHANNELS.map(|(label, stream, reliable)| changes.add_channel_with_config(channel_config(label, stream, reliable))),
                );
            }
        });
        for (source, mid) in sources.iter().zip(mids) {
            self.sources[*source].move_to(mid);
        }
        self.slots.extend(slots);
        self.channels.extend(channels);
        sdp
    }

    /// Sets the answer. False: there is no offer that it answers, or it doesn't fit.
    pub(crate) fn driven_answer(&mut self, now: Instant, sdp: &str) -> bool {
        let (Some(pending), Ok(sdp)) = (self.pending.take(), SdpAnswer::from_sdp_string(sdp)) else { return false };
        let fits = self.rtc.sdp_api().accept_answer(pending, sdp).is_ok();
        for source in &self.sources {
            for encoder in &source.encoders {
                if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(source.mid, encoder.rid().map(Rid::from)) {
                    stream.set_rtx_cache(RESENDABLE.0, RESENDABLE.1, None);
                }
            }
        }
        self.timeout = now;
        fits
    }

    /// Takes back the offer.
    pub(crate) fn roll_back(&mut self) {
        self.pending = None;
    }

    /// Another transport in place of the one it has: nothing is offered in it yet.
    pub(crate) fn replace_transport(&mut self, now: Instant) {
        self.rtc = Self::make_rtc(&self.joining, self.inside, now);
        (self.timeout, self.transport_closed) = (now, false);
        self.pending = None;
        self.slots.clear();
        self.channels.clear();
        self.open_channels.clear();
        self.sources.iter_mut().for_each(|source| source.publication = None);
    }

    /// The source is published, in the section that it has, and sends as soon as the transport is up.
    pub(crate) fn published(&mut self, now: Instant, source: usize, publication: &nearcast_protocol::PublicationId) {
        let up = self.rtc.is_connected();
        let source = &mut self.sources[source];
        source.publication = Some(publication.clone());
        if up {
            source.start(now);
        }
    }
}
