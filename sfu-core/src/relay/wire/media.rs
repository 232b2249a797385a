//! The compact form of one media packet; see the table in [`super`].

use super::WireError;
use crate::codec::Codec;
use crate::layer::{LayerTag, MAX_ENCODINGS, MAX_SPATIAL, MAX_TEMPORAL, Target, Targets};
use crate::packet::PacketInfo;
use crate::relay::{Handle, Relayed};
use crate::rtp::{AudioLevel, Seq};
use crate::sdp::CodecKey;

/// The only form there is so far; one that isn't known is skipped, packet by packet.
const FORMAT: u8 = 1;

const MARKER: u16 = 1;
const KEYFRAME: u16 = 1 << 1;
const STARTS_FRAME: u16 = 1 << 2;
const ENDS_FRAME: u16 = 1 << 3;
const NESTED: u16 = 1 << 4;
/// The layer and the sets of targets follow; else it is [`LayerTag::single`].
const LAYERS: u16 = 1 << 5;
const LEVEL: u16 = 1 << 6;
const ORIENTATION: u16 = 1 << 7;
const DESCRIPTOR: u16 = 1 << 8;

/// The bit of an audio level that says voice, as in RFC 6464 §3.
const VOICE: u8 = 0x80;

pub(super) fn encode(publication: Handle, encoding: u8, info: &PacketInfo, dependency: usize, bytes: &[u8], out: &mut Vec<u8>) {
    let layer = &info.layer;
    let single = LayerTag { encoding, ..LayerTag::single(info.keyframe, layer.starts_frame, layer.ends_frame) };
    let has_layers = LayerTag { encoding, ..*layer } != single;
    let flags = [
        (info.marker, MARKER),
        (info.keyframe, KEYFRAME),
        (layer.starts_frame, STARTS_FRAME),
        (layer.ends_frame, ENDS_FRAME),
        (layer.nested, NESTED),
        (has_layers, LAYERS),
        (info.audio_level.is_some(), LEVEL),
        (info.video_orientation.is_some(), ORIENTATION),
        (dependency > 0, DESCRIPTOR),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set).fold(0, |flags, (_, bit)| flags | bit);
    out.push(FORMAT);
    out.extend(u16::to_be_bytes(flags));
    varint(publication.0, out);
    varint(info.generation.into(), out);
    varint(info.seq.value(), out);
    out.extend(info.timestamp.to_be_bytes());
    let codec = Codec::ALL.iter().position(|codec| *codec == info.codec.codec).unwrap_or_default();
    out.extend([encoding << 4 | u8::try_from(codec).unwrap_or_default(), info.codec.profile, info.payload_type]);
    if has_layers {
        out.push(layer.layer.spatial << 4 | layer.layer.temporal);
        for targets in [layer.present, layer.switch, layer.sync, layer.known, layer.produced] {
            out.extend(targets.bits().to_be_bytes());
        }
    }
    if let Some(level) = info.audio_level {
        out.push(level.level & !VOICE | if level.voice { VOICE } else { 0 });
    }
    out.extend(info.video_orientation);
    if dependency > 0 {
        out.extend(u16::try_from(dependency).unwrap_or(u16::MAX).to_be_bytes());
    }
    out.extend(bytes);
}

pub(super) fn decode(bytes: &[u8]) -> Result<Relayed, WireError> {
    let mut reader = Reader(bytes);
    if reader.byte()? != FORMAT {
        return Err(WireError::Unknown);
    }
    let flags = reader.u16()?;
    let has = |bit: u16| flags & bit != 0;
    let publication = Handle(reader.varint()?);
    let generation = u32::try_from(reader.varint()?).map_err(|_| WireError::Malformed)?;
    let seq = Seq::from_value(reader.varint()?);
    let timestamp = u32::from_be_bytes([reader.byte()?, reader.byte()?, reader.byte()?, reader.byte()?]);
    let kinds = reader.byte()?;
    let (encoding, codec) = (kinds >> 4, kinds & 0x0f);
    let codec = *Codec::ALL.get(usize::from(codec)).ok_or(WireError::Unknown)?;
    let codec = CodecKey { codec, profile: reader.byte()? };
    let payload_type = reader.byte()?;
    if usize::from(encoding) >= MAX_ENCODINGS {
        return Err(WireError::Malformed);
    }
    let (keyframe, starts_frame, ends_frame) = (has(KEYFRAME), has(STARTS_FRAME), has(ENDS_FRAME));
    let mut layer = LayerTag { encoding, ..LayerTag::single(keyframe, starts_frame, ends_frame) };
    if has(LAYERS) {
        let of = reader.byte()?;
        layer.layer = Target { spatial: of >> 4, temporal: of & 0x0f };
        if layer.layer.spatial >= MAX_SPATIAL || layer.layer.temporal >= MAX_TEMPORAL {
            return Err(WireError::Malformed);
        }
        for targets in [&mut layer.present, &mut layer.switch, &mut layer.sync, &mut layer.known, &mut layer.produced] {
            *targets = Targets::from_bits(reader.u16()?);
        }
        layer.nested = has(NESTED);
    }
    let level = |byte: u8| AudioLevel { voice: byte & VOICE != 0, level: byte & !VOICE };
    let audio_level = if has(LEVEL) { Some(level(reader.byte()?)) } else { None };
    let video_orientation = if has(ORIENTATION) { Some(reader.byte()?) } else { None };
    let dependency = if has(DESCRIPTOR) { usize::from(reader.u16()?) } else { 0 };
    if dependency > reader.0.len() {
        return Err(WireError::Malformed);
    }
    let marker = has(MARKER);
    let info = PacketInfo { generation, seq, timestamp, marker, payload_type, codec, keyframe, layer, audio_level, video_orientation };
    Ok(Relayed::Media { publication, encoding, info, dependency, bytes: reader.0.into() })
}

/// LEB128: seven bits a byte, lowest first.
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, WireError> {
        let (first, rest) = self.0.split_first().ok_or(WireError::Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(WireError::Malformed);
            }
            value |= bits.wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed)
    }
}
