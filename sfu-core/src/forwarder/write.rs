//! One packet of the subscriber's stream, from the publisher's: written once, where it will be sealed.

use super::Written;
use super::format::{Accepted, SlotFormat};
use super::picture::{self, PictureNumbers, PictureShift};
use crate::codec::dependency_descriptor::{ActiveTargets, LONGEST, frame_number, tell_active_targets};
use crate::codec::{Codec, red};
use crate::packet::MediaPacket;
use crate::rtp::{EgressHeader, Seq, append_padding, rtx_encode};
use crate::sdp::CodecKey;

/// What is written anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rewrite {
    pub(super) payload_type: u8,
    pub(super) seq: Seq,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) marker: bool,
    pub(super) with_mid: bool,
    pub(super) pictures: PictureShift,
    /// To be told with the dependency descriptor.
    pub(super) active: Option<ActiveTargets>,
    /// On the RTX stream: the number that the packet was first sent under.
    pub(super) original: Option<u16>,
}

impl Rewrite {
    fn header(&self) -> EgressHeader {
        EgressHeader {
            marker: self.marker,
            payload_type: self.payload_type,
            seq: self.seq.wire(),
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Writes the packet into `out`. None: it doesn't fit.
    pub(super) fn write(
        &self,
        packet: &MediaPacket<'_>,
        accepted: &Accepted<'_>,
        format: &SlotFormat,
        out: &mut [u8],
    ) -> Option<(Written, PictureNumbers)> {
        let mut told;
        let mut frame = picture::descriptor(packet);
        if let Some(active) = self.active.filter(|_| !frame.is_empty()) {
            told = [0; LONGEST];
            if let Some(len) = tell_active_targets(frame, active, &mut told) {
                frame = told.get(..len)?;
            }
        }
        let frame = frame_number(frame).map(|number| (frame, number.wrapping_add(self.pictures.frame)));
        let header = format.write_header(&self.header(), Some(packet), frame, self.with_mid, out)?;
        let room = out.get_mut(header.len..)?;
        let payload = accepted.payload;
        let written = match self.original {
            Some(original) => rtx_encode(original, payload, room)?,
            None => {
                room.get_mut(..payload.len())?.copy_from_slice(payload);
                payload.len()
            }
        };
        let body = room.get_mut(written.saturating_sub(payload.len())..written)?;
        let codec = accepted.codec;
        let numbers = picture::shift(codec.codec, self.pictures, body);
        if codec.codec == Codec::Red
            && let Some(opus) = format.payload_type(CodecKey { codec: Codec::Opus, ..codec })
        {
            red::rewrite_block_types(body, opus);
        }
        let written = Written {
            len: header.len.saturating_add(written),
            header_len: header.len,
            index: self.seq.packet_index()?,
            transport_cc_at: header.transport_cc_at,
        };
        Some((written, PictureNumbers { frame: frame.map(|(_, number)| number), ..numbers }))
    }

    /// Writes a packet without media, to take a number that nobody is to wait for; on the RTX stream, the original's number alone.
    pub(super) fn empty(&self, format: &SlotFormat, out: &mut [u8]) -> Option<Written> {
        match self.original {
            None => self.padding(1, format, out),
            Some(original) => self.bare(format, out, |out, len| Some(len.saturating_add(rtx_encode(original, &[], out.get_mut(len..)?)?))),
        }
    }

    /// Writes a packet of nothing but `padding` bytes of RTP padding (RFC 3550 §5.1), at least one.
    pub(super) fn padding(&self, padding: u8, format: &SlotFormat, out: &mut [u8]) -> Option<Written> {
        self.bare(format, out, |out, len| append_padding(out, len, padding).ok())
    }

    fn bare(&self, format: &SlotFormat, out: &mut [u8], finish: impl FnOnce(&mut [u8], usize) -> Option<usize>) -> Option<Written> {
        let header = EgressHeader { marker: false, ..self.header() };
        let header = format.write_header(&header, None, None, self.with_mid, out)?;
        let len = finish(out, header.len)?;
        Some(Written { len, header_len: header.len, index: self.seq.packet_index()?, transport_cc_at: header.transport_cc_at })
    }
}
