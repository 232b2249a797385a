//! A fresh transport for the same session.

use super::{CHANNELS, Client, channel_config};
use nearcast_protocol::{MediaOffer, PublishIntent};
use std::time::Instant;
use str0m::media::{Direction, MediaKind, Simulcast, SimulcastLayer};

impl Client {
    /// Throws its transport away without a word and makes another one, whose sections have other names and SSRCs and whose streams have
    /// other numbers. Encoders are in the middle of a picture: nothing but a request makes them send a key frame.
    pub(crate) fn renew_transport(&mut self, now: Instant) -> MediaOffer {
        self.rtc = Self::make_rtc(&self.joining, self.inside, now);
        (self.timeout, self.transport_closed) = (now, false);
        (self.pending, self.unanswered, self.wanted) = (None, None, None);
        self.channels.clear();
        self.open_channels.clear();
        let (mut sources, mut slots) = (std::mem::take(&mut self.sources), std::mem::take(&mut self.slots));
        let mut channels = Vec::new();
        let data = self.joining.data;
        let sdp = self.offer(|changes| {
            for slot in &mut slots {
                let kind = if slot.video { MediaKind::Video } else { MediaKind::Audio };
                slot.mid = changes.add_media(kind, Direction::RecvOnly, None, None, None);
                slot.publication = None;
            }
            for source in &mut sources {
                let kind = if source.plan.video { MediaKind::Video } else { MediaKind::Audio };
                let layers: Vec<_> = source.plan.encodings.iter().map(|encoding| SimulcastLayer::new(encoding.rid)).collect();
                let simulcast = (!layers.is_empty()).then(|| Simulcast { send: layers, recv: Vec::new() });
                source.move_to(changes.add_media(kind, Direction::SendOnly, None, None, simulcast));
            }
            if data {
                channels.extend(
                    CHANNELS.map(|(label, stream, reliable)| changes.add_channel_with_config(channel_config(label, stream, reliable))),
                );
            }
        });
        (self.sources, self.slots, self.channels) = (sources, slots, channels);
        let publish = (0..self.sources.len())
            .map(|source| PublishIntent {
                publication: self.sources[source].publication.clone(),
                muted: self.sources[source].silent,
                ..self.intent(source)
            })
            .collect();
        MediaOffer { sdp: sdp.expect("sections to offer"), publish }
    }
}
