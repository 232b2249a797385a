use super::*;
use crate::clock::Ntp;
use crate::codec::Codec;
use crate::codec::vp8::Vp8Descriptor;
use crate::packet::{MediaPacket, PacketInfo};
use crate::publication::{CaptureClock, CaptureClocks};
use crate::rtp::{RtpHeader, rtx_decode};
use crate::sdp::{NegotiatedSection, OfferedCodec};
use slotmap::SlotMap;
use std::time::{Duration, Instant};

mod active_targets;
mod descriptors;
mod encodings;
mod extensions;
mod late;
mod layers;
mod lost_upstream;
mod lying_clocks;
mod model;
mod pausing;
mod resends;
mod switching;
mod wrapping;

const SSRC: u32 = 0x5107;
const RTX_SSRC: u32 = 0x5108;
/// The subscriber's payload types; the publishers of these tests use others.
const VP8: u8 = 96;
const RTX: u8 = 97;
const VP9: u8 = 98;
const VP9_RTX: u8 = 99;
const OPUS: u8 = 111;

fn negotiated() -> NegotiatedSection {
    let codec = |payload_type, codec, rtx_payload_type| OfferedCodec {
        payload_type,
        key: CodecKey::of(codec),
        rtx_payload_type,
        fmtp: None,
        feedback: crate::sdp::Feedback::default(),
    };
    let codecs = vec![codec(VP8, Codec::Vp8, Some(RTX)), codec(OPUS, Codec::Opus, None), codec(VP9, Codec::Vp9, Some(VP9_RTX))];
    NegotiatedSection { codecs, ..NegotiatedSection::default() }
}

/// One publisher's stream, packet by packet; a packet is a frame.
#[derive(Clone)]
struct Source {
    publication: PublicationKey,
    codec: Codec,
    generation: u32,
    seq: Seq,
    timestamp: u32,
    picture: u16,
    tl0: u8,
}

/// A packet that owns its payload.
#[derive(Clone, Debug)]
struct Packet {
    info: PacketInfo,
    payload: Vec<u8>,
}

impl Source {
    fn packet(&self, keyframe: bool) -> Packet {
        let [high, low] = self.picture.to_be_bytes();
        let payload = match self.codec {
            Codec::Vp8 => vec![0x90, 0xe0, 0x80 | high, low, self.tl0, 0x00, u8::from(!keyframe), 1, 2, 3],
            _ => vec![7; 40],
        };
        let info = PacketInfo {
            generation: self.generation,
            seq: self.seq,
            timestamp: self.timestamp,
            marker: true,
            payload_type: 120,
            codec: CodecKey::of(self.codec),
            keyframe: keyframe || !self.codec.is_video(),
            layer: crate::layer::LayerTag::single(keyframe || !self.codec.is_video(), true, true),
            audio_level: None,
            video_orientation: None,
        };
        Packet { info, payload }
    }

    /// The next frame.
    fn next(&mut self, keyframe: bool) -> Packet {
        let packet = self.packet(keyframe);
        self.skip(1);
        packet
    }

    /// Frames that are lost on their way here.
    fn skip(&mut self, frames: u16) {
        self.seq = self.seq.forward(u64::from(frames));
        self.timestamp = self.timestamp.wrapping_add(3_000 * u32::from(frames));
        self.picture = self.picture.wrapping_add(frames) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(frames as u8);
    }
}

/// A subscriber's slot and the clock.
struct Stage {
    forwarder: Forwarder,
    format: SlotFormat,
    publications: SlotMap<PublicationKey, ()>,
    now: Instant,
}

/// What the subscriber sees of a packet.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    header: RtpHeader,
    index: u64,
    payload: Vec<u8>,
}

impl Stage {
    fn new(first_seq: u16) -> Self {
        Self {
            forwarder: Forwarder::new(SSRC, Some(RTX_SSRC), true, first_seq),
            format: SlotFormat::new("1".into(), negotiated()),
            publications: SlotMap::with_key(),
            now: Instant::now(),
        }
    }

    fn source(&mut self, first: u16, timestamp: u32, picture: u16) -> Source {
        let publication = self.publications.insert(());
        Source { publication, codec: Codec::Vp8, generation: 0, seq: Seq::first(first), timestamp, picture, tl0: picture as u8 }
    }

    /// Forwards a frame, 33 ms after the one before.
    fn forward(&mut self, packet: &Packet) -> Option<Seen> {
        self.now += Duration::from_micros(33_333);
        let mut out = vec![0; 1_500];
        let packet = MediaPacket { info: packet.info, payload: &packet.payload, dependency: &[] };
        let written = self.forwarder.forward(self.now, &packet, &CaptureClocks::default(), &self.format, &mut out)?;
        Some(seen(&out, written))
    }

    fn resend(&mut self, wire: u16, packet: &Packet) -> Option<Seen> {
        self.now += Duration::from_millis(100);
        let resend = self.forwarder.find_for_resend(wire, self.now, None)?;
        assert_eq!(resend.seq(), packet.info.seq, "names the packet in the publisher's numbers");
        let mut out = vec![0; 1_500];
        let packet = MediaPacket { info: packet.info, payload: &packet.payload, dependency: &[] };
        let written = self.forwarder.resend(&resend, &packet, &self.format, &mut out)?;
        Some(seen(&out, written))
    }
}

fn seen(out: &[u8], written: Written) -> Seen {
    let header = RtpHeader::parse(&out[..written.len]).unwrap();
    assert_eq!(header.header_len, written.header_len);
    assert_eq!(written.index as u16, header.seq, "sealed under its own number");
    Seen { header, index: written.index, payload: out[written.header_len..written.len].to_vec() }
}

fn picture(payload: &[u8]) -> (u16, u8) {
    let descriptor = Vp8Descriptor::parse(payload).unwrap();
    (descriptor.picture_id.unwrap().value, descriptor.tl0_pic_idx.unwrap())
}
