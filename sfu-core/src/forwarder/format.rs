//! What one slot's subscriber negotiated: its payload types and header-extension ids.

use crate::codec::dependency_descriptor::rewrite_frame_number;
use crate::codec::{Codec, red};
use crate::packet::MediaPacket;
use crate::rtp::{EgressHeader, ExtensionKind};
use crate::sdp::{CodecKey, NegotiatedSection};
use nearcast_protocol::Mid;

#[cfg(test)]
mod tests;

/// The subscriber's view of one slot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SlotFormat {
    mid: Mid,
    negotiated: NegotiatedSection,
    /// The payload types by codec, so that none is searched for: one profile of each is negotiated as a rule.
    routes: [Option<Route>; Codec::ALL.len()],
    mid_id: Option<u8>,
    audio_level_id: Option<u8>,
    orientation_id: Option<u8>,
    dependency_id: Option<u8>,
    transport_cc_id: Option<u8>,
    /// Extension blocks put together: of nothing but a number to be filled in, and of that and an audio level, of which the value is
    /// missing. None where the ids don't fit the one-byte form (RFC 8285 §4.2).
    numbered_block: Option<[u8; 8]>,
    level_block: Option<[u8; 12]>,
}

/// Where the audio level stands in its block.
const LEVEL_AT: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Route {
    key: CodecKey,
    payload_type: u8,
}

/// A packet as its subscriber can decode it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted<'a> {
    pub(super) codec: CodecKey,
    pub(super) payload_type: u8,
    pub(super) payload: &'a [u8],
}

/// What was written of a packet so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenHeader {
    pub(super) len: usize,
    pub(super) transport_cc_at: Option<usize>,
}

/// Bytes in front of the first extension element: the fixed header and the block's head.
const FIRST_ELEMENT: usize = 12 + 4;

impl SlotFormat {
    pub(crate) fn new(mid: Mid, negotiated: NegotiatedSection) -> Self {
        let map = negotiated.egress_extensions();
        let mut routes = [None; Codec::ALL.len()];
        for codec in negotiated.codecs.iter().rev() {
            if let Some(route) = routes.get_mut(codec.key.codec as usize) {
                *route = Some(Route { key: codec.key, payload_type: codec.payload_type });
            }
        }
        Self {
            routes,
            mid_id: map.id_of(ExtensionKind::Mid),
            audio_level_id: map.id_of(ExtensionKind::AudioLevel),
            orientation_id: map.id_of(ExtensionKind::VideoOrientation),
            dependency_id: map.id_of(ExtensionKind::DependencyDescriptor),
            transport_cc_id: None,
            numbered_block: None,
            level_block: None,
            mid,
            negotiated,
        }
    }

    /// Leaves room for transport-wide numbers in every packet, where they were negotiated. Whoever sends must then fill them in: a number
    /// that stays the same tells the receiver of endless loss.
    #[must_use]
    pub(crate) fn with_transport_cc(mut self) -> Self {
        self.transport_cc_id = self.negotiated.egress_extensions().id_of(ExtensionKind::TransportCc);
        let short = |id: Option<u8>| id.filter(|id| (1..=14).contains(id)).map(|id| id << 4);
        // Profile and length in words; id and length less one; two bytes for the number; zeros to the word's end.
        self.numbered_block = short(self.transport_cc_id).map(|number| [0xbe, 0xde, 0, 1, number | 1, 0, 0, 0]);
        let both = short(self.transport_cc_id).zip(short(self.audio_level_id));
        self.level_block = both.map(|(number, level)| [0xbe, 0xde, 0, 2, number | 1, 0, 0, level, 0, 0, 0, 0]);
        self
    }

    /// Packets have room for a transport-wide number.
    pub(crate) fn has_transport_cc(&self) -> bool {
        self.transport_cc_id.is_some()
    }

    pub(crate) fn payload_type(&self, codec: CodecKey) -> Option<u8> {
        let route = self.routes.get(codec.codec as usize).copied().flatten();
        match route.filter(|route| route.key == codec) {
            Some(route) => Some(route.payload_type),
            None => route.and_then(|_| self.negotiated.payload_type_for(&codec)),
        }
    }

    pub(crate) fn rtx_payload_type(&self, codec: CodecKey) -> Option<u8> {
        self.negotiated.rtx_payload_type_for(&codec)
    }

    /// Whether this subscriber can decode `codec` at all.
    pub(crate) fn takes(&self, codec: CodecKey) -> bool {
        let opus = CodecKey { codec: Codec::Opus, ..codec };
        self.payload_type(codec).is_some() || (codec.codec == Codec::Red && self.payload_type(opus).is_some())
    }

    /// The packet as this subscriber can decode it: as it is, or the audio unwrapped from RED. None: no codec in common.
    pub(super) fn accepted<'a>(&self, packet: &MediaPacket<'a>) -> Option<Accepted<'a>> {
        let codec = packet.info.codec;
        if let Some(payload_type) = self.payload_type(codec) {
            return Some(Accepted { codec, payload_type, payload: packet.payload });
        }
        let opus = CodecKey { codec: Codec::Opus, ..codec };
        let payload_type = self.payload_type(opus).filter(|_| codec.codec == Codec::Red)?;
        red::primary(packet.payload).map(|primary| Accepted { codec: opus, payload_type, payload: primary.block })
    }

    /// Writes header and extensions; the payload begins where they end. Without a packet: of padding. `frame`: a dependency descriptor,
    /// and the frame number to put into it.
    pub(super) fn write_header(
        &self,
        header: &EgressHeader,
        packet: Option<&MediaPacket<'_>>,
        frame: Option<(&[u8], u16)>,
        with_mid: bool,
        out: &mut [u8],
    ) -> Option<WrittenHeader> {
        let info = packet.map(|packet| &packet.info);
        let level = info.and_then(|info| info.audio_level).map(|level| [(u8::from(level.voice) << 7) | (level.level & 0x7f)]);
        let orientation = info.and_then(|info| info.video_orientation).map(|orientation| [orientation]);
        let ready =
            !with_mid && frame.is_none_or(|_| self.dependency_id.is_none()) && (orientation.is_none() || self.orientation_id.is_none());
        if ready {
            let level = level.filter(|_| self.audio_level_id.is_some());
            let written = match (level, self.numbered_block, self.level_block) {
                (None, Some(block), _) => Some(header.write_with_block(&block, out)),
                (Some([level]), _, Some(mut block)) => {
                    *block.get_mut(LEVEL_AT)? = level;
                    Some(header.write_with_block(&block, out))
                }
                _ => None,
            };
            if let Some(written) = written {
                return Some(WrittenHeader { len: written.ok()?, transport_cc_at: Some(FIRST_ELEMENT + 1) });
            }
        }
        // What is filled in later comes first, so that where it stands depends on nothing else.
        let frame = frame.filter(|_| self.dependency_id.is_some());
        let parts: [(Option<u8>, Option<&[u8]>); 5] = [
            (self.transport_cc_id, Some(&[0, 0])),
            (self.dependency_id, frame.map(|(descriptor, _)| descriptor)),
            (self.audio_level_id, level.as_ref().map(<[u8; 1]>::as_slice)),
            (self.orientation_id, orientation.as_ref().map(<[u8; 1]>::as_slice)),
            (self.mid_id, with_mid.then(|| self.mid.as_str().as_bytes())),
        ];
        let mut elements: [(u8, &[u8]); 5] = [(0, &[]); 5];
        let present = parts.into_iter().filter_map(|(id, bytes)| id.zip(bytes));
        let count = elements.iter_mut().zip(present).map(|(place, element)| *place = element).count();
        let len = header.write(elements.get(..count)?, out).ok()?;
        let head = if out.get(12..14) == Some(&[0xbe, 0xde]) { 1 } else { 2 };
        let transport_cc_at = self.transport_cc_id.map(|_| FIRST_ELEMENT.saturating_add(head));
        if let Some((descriptor, number)) = frame {
            let at = transport_cc_at.map_or(FIRST_ELEMENT, |at| at.saturating_add(2)).saturating_add(head);
            rewrite_frame_number(out.get_mut(at..at.saturating_add(descriptor.len()))?, number);
        }
        Some(WrittenHeader { len, transport_cc_at })
    }
}
