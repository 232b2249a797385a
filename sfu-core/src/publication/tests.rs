use super::*;
use crate::codec::Codec;
use crate::packet::{MediaPacket, PacketInfo};
use crate::rtp::Seq;
use crate::sdp::CodecKey;
use std::time::Duration;

mod cache_of_packets;
mod encodings;
mod keyframe_requests;
mod missing_packets;
mod reception_reports;

fn info(number: u64, codec: Codec, keyframe: bool) -> PacketInfo {
    PacketInfo {
        generation: 0,
        seq: Seq::first(0).forward(number),
        timestamp: (number as u32).wrapping_mul(3_000),
        marker: true,
        payload_type: 96,
        codec: CodecKey::of(codec),
        keyframe,
        layer: crate::layer::LayerTag::single(keyframe, true, true),
        audio_level: None,
        video_orientation: None,
    }
}

/// Packet `number` of a video stream arrives on the stream itself; its payload is its number.
fn arrive(stream: &mut Stream, number: u64, now: Instant) -> Arrival {
    stream.on_packet(&MediaPacket { info: info(number, Codec::Vp8, false), payload: &number.to_be_bytes(), dependency: &[] }, now, false)
}

/// The numbers asked for at `now`.
fn asked(stream: &mut Stream, now: Instant, round_trip: Option<Duration>) -> Vec<u16> {
    let mut numbers = Vec::new();
    stream.nack.due(now, round_trip, &mut numbers);
    numbers
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
