//! Payloads that look like a browser's where servers look: payload descriptors of four video codecs and VP8's frame tag (RFC 6386
//! §9.1), an Opus table of contents (RFC 6716 §3.1). The rest is noise, but for a stamp that tells a receiver when the packet was sent.

use crate::trace::TracePacket;
use std::time::{Duration, SystemTime};

/// Where the stamp stands: behind descriptor (6 bytes) and key-frame header (10).
const STAMP_AT: usize = 16;

/// Tells a stamp from noise.
const STAMP_MARK: [u8; 4] = *b"nc-t";

/// Mark and nanoseconds.
const STAMP_LENGTH: usize = 12;

/// Opus: 20 ms of fullband CELT, one frame, mono.
const OPUS_CONFIGURATION: u8 = 0xf8;

/// The largest payload of a recording, with room to spare.
const LARGEST: usize = 1500;

/// Frames of one turn through the temporal layers of L1T3, and whether they refer to layer 0 only (the Y bit), so that viewers who get
/// less may go up there: without it nobody who began with layer 0 would ever get the others.
const TEMPORAL_LAYERS: [(u8, bool); 4] = [(0, false), (2, true), (1, true), (2, false)];

/// What payloads are encoded with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codec {
    /// Audio.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// The AV1 RTP specification, without dependency descriptor.
    Av1,
    /// RFC 6184, packetization mode 1.
    H264,
}

impl Codec {
    /// As session descriptions name it, in small letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::Av1 => "av1",
            Self::H264 => "h264",
        }
    }
}

/// Writes the payloads of one stream.
#[derive(Debug)]
pub struct PayloadWriter {
    codec: Codec,
    buffer: Vec<u8>,
    picture: u16,
    /// Frames since the last key frame.
    frame: usize,
    tl0: u8,
    layer: u8,
    sync: bool,
    keyframe: bool,
    starts_frame: bool,
    keyframe_wanted: bool,
}

impl PayloadWriter {
    /// The first frame is a key frame.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        // Noise that is the same in every run (a linear congruential generator, Numerical Recipes).
        let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let buffer = std::iter::successors(Some(7_u32), step).map(|state| state.to_be_bytes()[0]).take(LARGEST).collect();
        Self {
            codec,
            buffer,
            picture: 0,
            frame: 0,
            tl0: 0,
            layer: 0,
            sync: false,
            keyframe: true,
            starts_frame: true,
            keyframe_wanted: true,
        }
    }

    /// The next video frame is to be a key frame.
    pub fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// The payload of `packet`, of the recorded size, stamped with `now` when it is long enough to hold a stamp.
    pub fn write(&mut self, packet: &TracePacket, now: SystemTime) -> &[u8] {
        let starts = std::mem::replace(&mut self.starts_frame, packet.marker);
        if starts {
            self.begin_frame();
        }
        match self.codec {
            Codec::Opus => put(&mut self.buffer, 0, &[OPUS_CONFIGURATION]),
            Codec::Vp8 => self.write_vp8(starts),
            Codec::Vp9 => self.write_vp9(starts, packet.marker),
            Codec::Av1 => self.write_av1(starts, packet.marker),
            Codec::H264 => self.write_h264(starts, packet.marker),
        }
        put(&mut self.buffer, STAMP_AT, &STAMP_MARK);
        put(&mut self.buffer, STAMP_AT + STAMP_MARK.len(), &since_epoch(now).to_be_bytes());
        self.buffer.get(..packet.payload).unwrap_or(&self.buffer)
    }

    fn write_vp8(&mut self, starts: bool) {
        // X; S on the first packet of the frame; then I, L, T; 15 bits of picture id, TL0PICIDX, TID and Y.
        let [high, low] = (self.picture | 0x8000).to_be_bytes();
        let first = if starts { 0x90 } else { 0x80 };
        put(&mut self.buffer, 0, &[first, 0xe0, high, low, self.tl0, (self.layer << 6) | (u8::from(self.sync) << 5)]);
        if starts && self.keyframe {
            // Frame tag: key frame (bit 0 clear), shown (bit 4), size of the first partition; start code; 1280, 720.
            put(&mut self.buffer, 6, &[0x10, 0x20, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]);
        } else if starts {
            put(&mut self.buffer, 6, &[0x11, 0x20, 0x00]);
        }
    }

    /// RFC 9628 §4.2, non-flexible mode, one layer: I, P, B, E, and on a key frame's first packet V.
    fn write_vp9(&mut self, starts: bool, ends: bool) {
        let describes = starts && self.keyframe;
        let flags = [(true, 0x80), (!self.keyframe, 0x40), (starts, 0x08), (ends, 0x04), (describes, 0x02)];
        let first = flags.iter().filter(|(set, _)| *set).fold(0, |byte, (_, bit)| byte | bit);
        let [high, low] = (self.picture | 0x8000).to_be_bytes();
        put(&mut self.buffer, 0, &[first, high, low]);
        if describes {
            // One spatial layer, its size, a group of one picture that refers to the one before.
            put(&mut self.buffer, 3, &[0x18, 0x05, 0x00, 0x02, 0xd0, 1, 1 << 2, 1]);
        }
    }

    /// The AV1 RTP specification §4.4: one element, cut into packets; N at the start of a coded video sequence.
    fn write_av1(&mut self, starts: bool, ends: bool) {
        let flags = [(!starts, 0x80), (!ends, 0x40), (true, 0x10), (starts && self.keyframe, 0x08)];
        let header = flags.iter().filter(|(set, _)| *set).fold(0, |byte, (_, bit)| byte | bit);
        // A frame OBU without size.
        put(&mut self.buffer, 0, &[header, 6 << 3]);
    }

    /// RFC 6184 §5.6 and §5.8: a slice in one packet, or cut into FU-A.
    fn write_h264(&mut self, starts: bool, ends: bool) {
        let kind = if self.keyframe { 5 } else { 1 };
        if starts && ends {
            // The slice begins with the picture's first macroblock.
            put(&mut self.buffer, 0, &[0x60 | kind, 0x88]);
        } else {
            let bits = if starts { 0x80 } else { 0 } | if ends { 0x40 } else { 0 };
            put(&mut self.buffer, 0, &[0x60 | 28, bits | kind, 0x88]);
        }
    }

    fn begin_frame(&mut self) {
        self.keyframe = std::mem::take(&mut self.keyframe_wanted);
        self.frame = if self.keyframe { 0 } else { self.frame + 1 };
        self.picture = self.picture.wrapping_add(1) & 0x7fff;
        (self.layer, self.sync) = TEMPORAL_LAYERS.get(self.frame % TEMPORAL_LAYERS.len()).copied().unwrap_or_default();
        if self.layer == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
    }
}

/// When a payload was written; none when it carries no stamp.
#[must_use]
pub fn stamp(payload: &[u8]) -> Option<Duration> {
    let nanos = payload.get(STAMP_AT..STAMP_AT + STAMP_LENGTH)?.strip_prefix(&STAMP_MARK)?;
    Some(Duration::from_nanos(u64::from_be_bytes(nanos.try_into().ok()?)))
}

fn since_epoch(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buffer.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
