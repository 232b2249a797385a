//! Packets and time in, packets out, everything seen noted down.

use super::{CHANNELS, Client, RESENDABLE};
use crate::received::{Packet, Payload, read_payload, read_vp9, unwrap_red};
use crate::source::red;
use nearcast_protocol::DataFrame;
use nearcast_protocol::wire::Cbor;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RawPacket, RtpPacket, RtpWrite};
use str0m::{Event, Input, Output};

/// A client whose stack asks to be woken at once gets this much later; a loop without progress would never end.
const SOONEST: Duration = Duration::from_millis(1);

/// What sources send that say nothing else.
fn usual_codecs(kind: MediaKind) -> &'static [Codec] {
    if kind == MediaKind::Video { &[Codec::Vp8, Codec::H264] } else { &[Codec::Opus] }
}

impl Client {
    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8], out: &mut Vec<Vec<u8>>) {
        // What isn't a datagram of WebRTC is dropped, as a browser would.
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.inside, bytes) {
            self.input(Input::Receive(now, receive));
            self.drain(now, out);
        }
    }

    pub(crate) fn wake(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        self.input(Input::Timeout(now));
        self.drain(now, out);
    }

    /// Sends whatever frame is due.
    pub(crate) fn capture(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        for index in 0..self.sources.len() {
            while self.sources[index].next_due().is_some_and(|due| due <= now) {
                self.send_frame(index, now, out);
            }
        }
    }

    /// Encoding by encoding, as encoders finish them: the stack would take turns between those that wait, in an order of its own.
    fn send_frame(&mut self, index: usize, now: Instant, out: &mut Vec<Vec<u8>>) {
        let source = &mut self.sources[index];
        let (mid, level) = (source.mid, source.plan.level);
        let kind = if source.plan.video { MediaKind::Video } else { MediaKind::Audio };
        let redundant = source.plan.redundant;
        let scalable = !source.plan.scalable.is_empty();
        let mut packets = source.frame(now, self.base);
        let (mut payload_type, wrapper) = self.payload_types(mid, if scalable { &[Codec::Vp9] } else { usual_codecs(kind) });
        if let (true, Some(wrapper)) = (redundant, wrapper) {
            for packet in &mut packets {
                let own = packet.payload.clone();
                packet.payload = red(*payload_type, &self.sources[index].earlier, &own);
                self.sources[index].earlier = own;
            }
            payload_type = wrapper;
        }
        let rids: Vec<_> = self.sources[index].encoders.iter().map(|encoder| encoder.rid().map(Rid::from)).collect();
        let mut before = None;
        for packet in packets {
            let encoding = packet.sent.tag.encoding;
            if before.replace(encoding).is_some_and(|before| before != encoding) {
                self.wake(now, out);
            }
            let mut direct = self.rtc.direct_api();
            // Of a scalable encoding all layers are one stream.
            let rid = rids.get(usize::from(encoding)).copied().flatten();
            let Some(stream) = direct.stream_tx_by_mid(mid, rid) else { continue };
            let extensions = match kind {
                MediaKind::Audio => {
                    ExtensionValues { audio_level: Some(level), voice_activity: Some(level > -50), ..ExtensionValues::default() }
                }
                MediaKind::Video => ExtensionValues::default(),
            };
            let write = RtpWrite::new(payload_type, packet.sent.seq.into(), packet.sent.timestamp, packet.captured, packet.payload);
            stream.write_rtp(write.marker(packet.marker).ext_vals(extensions).nackable(kind == MediaKind::Video));
        }
        self.wake(now, out);
    }

    /// The section's first negotiated codec of those that are `wanted`, and RED around it.
    fn payload_types(&self, mid: Mid, wanted: &[Codec]) -> (Pt, Option<Pt>) {
        let negotiated = self.rtc.media(mid).map(|media| media.remote_pts().to_vec()).unwrap_or_default();
        let codecs = self.rtc.codec_config();
        let found = codecs.iter().find(|codec| negotiated.contains(&codec.pt()) && wanted.contains(&codec.spec().codec));
        let found = found.expect("a negotiated codec");
        (found.pt(), found.red())
    }

    fn input(&mut self, input: Input<'_>) {
        if let Err(error) = self.rtc.handle_input(input) {
            self.broke(error);
        }
    }

    /// The stack gives up its transport.
    fn broke(&mut self, error: impl std::fmt::Display) {
        assert!(self.driven, "{}: {error}", self.name);
        self.transport_closed = true;
        self.rtc.disconnect();
    }

    pub(crate) fn drain(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.timeout = if at <= now { now + SOONEST } else { at };
                    return;
                }
                Ok(Output::Transmit(transmit)) => out.push(transmit.contents.to_vec()),
                Ok(Output::Event(event)) => self.note(now, event),
                Err(error) => self.broke(error),
            }
        }
    }

    fn note(&mut self, now: Instant, event: Event) {
        let at = self.at(now);
        match event {
            Event::Connected => {
                self.connected_at.push(at);
                self.sources.iter_mut().filter(|source| source.publication.is_some()).for_each(|source| source.start(now));
            }
            Event::RtpPacket(packet) => self.note_packet(at, &packet),
            Event::RawPacket(raw) => {
                if let RawPacket::RtcpRx(rtcp) = *raw {
                    self.rtcp.push((at, rtcp));
                }
            }
            Event::KeyframeRequest(request) => {
                if let Some(source) = self.sources.iter_mut().find(|source| source.mid == request.mid) {
                    source.on_keyframe_request(at, request.rid.as_deref());
                }
            }
            Event::ChannelOpen(id, _) => self.open_channels.push(id),
            Event::ChannelData(data) => {
                let stream = self.channels.iter().position(|id| *id == data.id).map_or(u16::MAX, |index| CHANNELS[index].1);
                self.data.push((at, stream, DataFrame::from_cbor(&data.data).expect("a data frame")));
            }
            Event::Closed => self.transport_closed = true,
            _ => {}
        }
    }

    fn note_packet(&mut self, at: Duration, packet: &RtpPacket) {
        let ssrc = packet.header.ssrc;
        let Some(mid) = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid()) else { return };
        let is_red = self.rtc.codec_config().iter().any(|codec| codec.red() == Some(packet.header.payload_type));
        let (redundancy, payload) = if is_red { unwrap_red(&packet.payload).expect("RED") } else { (0, &packet.payload[..]) };
        let is_vp9 =
            self.rtc.codec_config().iter().any(|codec| codec.pt() == packet.header.payload_type && codec.spec().codec == Codec::Vp9);
        let read = if is_vp9 { read_vp9(payload) } else { read_payload(payload) };
        let Some(Payload { picture, keyframe, tag }) = read else { return };
        self.packets.push(Packet {
            at,
            mid,
            ssrc: *ssrc,
            seq: *packet.seq_no,
            timestamp: packet.header.timestamp,
            payload_type: *packet.header.payload_type,
            marker: packet.header.marker,
            keyframe,
            picture,
            redundancy,
            audio_level: packet.header.ext_vals.audio_level,
            tag,
        });
    }

    /// Sends a message as it is, frame and all. False: the channel isn't open or its buffer is full.
    pub(crate) fn write_channel(&mut self, stream: u16, bytes: &[u8]) -> bool {
        let index = CHANNELS.iter().position(|(_, known, _)| *known == stream).expect("a known stream");
        let id = self.channels[index];
        self.rtc.channel(id).is_some_and(|mut channel| channel.write(true, bytes).unwrap_or(false))
    }

    /// Asks for a key frame in a receiving section, as a decoder does that lost its way.
    pub(crate) fn request_keyframe(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx_by_mid(mid, None).expect("a receiving section");
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }

    /// Tells how much it can take.
    pub(crate) fn send_remb(&mut self, mid: Mid, bits_per_second: u64) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx_by_mid(mid, None).expect("a receiving section");
        stream.request_remb(Bitrate::from(bits_per_second));
    }

    /// Sends a source's stream under other numbers from now on, as a restarted encoder does.
    pub(crate) fn restart_source(&mut self, source: usize, ssrc: u32, seq: u16, timestamp: u32) {
        self.restart_stream(source, 0, ssrc);
        self.sources[source].renumber(seq, timestamp);
    }

    /// Restarts one of a source's encodings alone: another SSRC, and other sequence numbers.
    pub(crate) fn restart_encoding(&mut self, source: usize, encoding: usize, ssrc: u32, seq: u16) {
        self.restart_stream(source, encoding, ssrc);
        self.sources[source].renumber_encoding(encoding, seq);
    }

    fn restart_stream(&mut self, source: usize, encoding: usize, ssrc: u32) {
        let source = &self.sources[source];
        let (mid, rid) = (source.mid, source.encoders[encoding].rid().map(Rid::from));
        let mut direct = self.rtc.direct_api();
        let old = direct.stream_tx_by_mid(mid, rid).expect("a stream to restart");
        // Another stream instead of `reset_stream_tx`: after that the library finds its stream by the old SSRC only and misses feedback.
        let (old, rtx) = (old.ssrc(), old.rtx().map(|_| (ssrc + 1).into()));
        direct.remove_stream_tx(old);
        direct.declare_stream_tx(ssrc.into(), rtx, mid, rid).set_rtx_cache(RESENDABLE.0, RESENDABLE.1, None);
    }
}
