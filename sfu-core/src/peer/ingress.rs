//! Which encoding of which publication an arriving packet belongs to: by SSRC once known, else by the MID extension (RFC 9143 §9.2) and,
//! in simulcast, the stream id (RFC 8852): Chromium announces no SSRCs then. Without a MID, by the payload type if that is of one section only.
//!
//! Browsers name a stream until somebody has confirmed to receive its SSRC, and not again when its section, stopped, sends something else
//! later under the same SSRC. So what a stream was called is remembered beyond the end of its publication.
//!
//! Bounds: [`MAX_SSRCS`] streams per transport, and as many that have ended; a publisher that keeps inventing more loses its own oldest.

#[cfg(test)]
mod tests;

use crate::keys::PublicationKey;
use crate::layer::MAX_ENCODINGS;
use crate::rtp::{ExtensionMap, Extensions};
use crate::sdp::{CodecKey, NegotiatedSection, OfferedCodec};
use nearcast_protocol::Mid;
use std::collections::VecDeque;

/// Media and repair streams of one publisher: 16 publications of four encodings.
const MAX_SSRCS: usize = 16 * MAX_ENCODINGS * 2;

/// What a payload type of this transport means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Meaning {
    #[default]
    Nothing,
    Media(CodecKey),
    /// Repair (RFC 4588) of a stream with the given payload type.
    Repair {
        payload_type: u8,
        codec: CodecKey,
    },
}

/// Whose stream it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct IncomingStream {
    pub(crate) ssrc: u32,
    pub(crate) publication: PublicationKey,
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
    pub(crate) repair: bool,
}

/// What a stream was called whose publication has ended.
#[derive(Debug)]
struct Ended {
    ssrc: u32,
    mid: Mid,
    /// Of a single stream: none.
    rid: Option<String>,
}

/// A section that sends.
#[derive(Debug)]
struct SendingSection {
    mid: Mid,
    publication: PublicationKey,
    /// Stream ids of the publication's encodings, by index; empty for a single stream.
    rids: Vec<String>,
    /// Payload types negotiated for it, repair included: bit 96 for 96.
    payload_types: u128,
}

impl SendingSection {
    /// The encoding called `rid`. Without a name there is but one.
    fn encoding(&self, rid: Option<&[u8]>) -> Option<u8> {
        let position = match (rid, self.rids.len()) {
            (_, 0) | (None, 1) => 0,
            (None, _) => return None,
            (Some(rid), _) => self.rids.iter().position(|known| known.as_bytes() == rid)?,
        };
        u8::try_from(position).ok()
    }
}

/// The receiving side of one transport.
#[derive(Debug)]
pub(crate) struct Ingress {
    streams: Vec<IncomingStream>,
    ended: VecDeque<Ended>,
    senders: Vec<SendingSection>,
    payload_types: [Meaning; 128],
    pub(crate) extensions: ExtensionMap,
}

impl Default for Ingress {
    fn default() -> Self {
        Self {
            streams: Vec::new(),
            ended: VecDeque::new(),
            senders: Vec::new(),
            payload_types: [Meaning::Nothing; 128],
            extensions: ExtensionMap::default(),
        }
    }
}

impl Ingress {
    /// Learns the payload types and extension ids of one sending section.
    pub(crate) fn learn(&mut self, publication: PublicationKey, negotiated: &NegotiatedSection) {
        if let Some(sender) = self.senders.iter_mut().find(|sender| sender.publication == publication) {
            let of_codec = |codec: &OfferedCodec| std::iter::once(codec.payload_type).chain(codec.rtx_payload_type);
            sender.payload_types = negotiated.codecs.iter().flat_map(of_codec).fold(0, |set, payload_type| set | bit(payload_type));
        }
        for codec in &negotiated.codecs {
            if let Some(meaning) = self.payload_types.get_mut(usize::from(codec.payload_type)) {
                *meaning = Meaning::Media(codec.key);
            }
            let repair = codec.rtx_payload_type.and_then(|rtx| self.payload_types.get_mut(usize::from(rtx)));
            if let Some(meaning) = repair {
                *meaning = Meaning::Repair { payload_type: codec.payload_type, codec: codec.key };
            }
        }
        for extension in &negotiated.extensions {
            if extension.direction.sends() {
                // The same id always means the same extension within a bundle, and is valid: checked when the offer is parsed.
                let _valid = self.extensions.insert(extension.id, extension.kind);
            }
        }
    }

    /// The section `mid` carries `publication`, whose encodings have the stream ids `rids`, from now on.
    pub(crate) fn set_sender(&mut self, mid: &Mid, publication: PublicationKey, rids: Vec<String>) {
        match self.senders.iter_mut().find(|sender| sender.publication == publication) {
            Some(sender) => sender.rids = rids,
            None => self.senders.push(SendingSection { mid: mid.clone(), publication, rids, payload_types: 0 }),
        }
    }

    pub(crate) fn publication_of(&self, mid: &Mid) -> Option<PublicationKey> {
        self.senders.iter().find(|sender| sender.mid == *mid).map(|sender| sender.publication)
    }

    /// Forgets a publication, but not what its streams were called.
    pub(crate) fn remove(&mut self, publication: PublicationKey) {
        if let Some(sender) = self.senders.iter().find(|sender| sender.publication == publication) {
            for stream in self.streams.iter().filter(|stream| stream.publication == publication) {
                self.ended.retain(|known| known.ssrc != stream.ssrc);
                if self.ended.len() >= MAX_SSRCS {
                    self.ended.pop_front();
                }
                let rid = sender.rids.get(usize::from(stream.encoding)).cloned();
                self.ended.push_back(Ended { ssrc: stream.ssrc, mid: sender.mid.clone(), rid });
            }
        }
        self.senders.retain(|sender| sender.publication != publication);
        self.streams.retain(|stream| stream.publication != publication);
    }

    /// Notes a stream announced by SSRC.
    pub(crate) fn announce(&mut self, stream: IncomingStream) {
        self.streams.retain(|known| known.ssrc != stream.ssrc);
        if self.streams.len() >= MAX_SSRCS {
            self.streams.remove(0);
        }
        self.streams.push(stream);
    }

    /// Whether a stream of ours has this SSRC.
    pub(crate) fn knows(&self, ssrc: u32) -> bool {
        self.streams.iter().any(|stream| stream.ssrc == ssrc)
    }

    pub(crate) fn meaning(&self, payload_type: u8) -> Meaning {
        self.payload_types.get(usize::from(payload_type)).copied().unwrap_or_default()
    }

    /// The stream with this SSRC, or a new one when the packet's MID (and stream id, where there are several) names one of ours.
    ///
    /// Without a MID, a payload type that only one section has tells as well (RFC 8843 §9.2): there are clients without extensions
    /// whose streams have other SSRCs than their offer says, or none there.
    pub(crate) fn resolve(&mut self, ssrc: u32, payload_type: u8, extensions: &Extensions<'_>, repair: bool) -> Option<IncomingStream> {
        // What a repair stream is called itself matters to nobody.
        let rid = if repair { extensions.repaired_rid.or(extensions.rid) } else { extensions.rid };
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            // SSRCs announced for several encodings are taken to be in their order; what the packets say counts more.
            if rid.is_some()
                && let Some(sender) = self.senders.iter().find(|sender| sender.publication == stream.publication)
                && let Some(encoding) = sender.encoding(rid)
            {
                stream.encoding = encoding;
            }
            return Some(*stream);
        }
        let called = |mid: &[u8]| self.senders.iter().find(|sender| sender.mid.as_str().as_bytes() == mid);
        let ended = self.ended.iter().find(|known| known.ssrc == ssrc);
        let rid = rid.or(ended.and_then(|known| known.rid.as_deref()).map(str::as_bytes));
        let sender = match (extensions.mid, ended.and_then(|known| called(known.mid.as_str().as_bytes()))) {
            (Some(mid), _) => called(mid)?,
            (None, Some(sender)) => sender,
            (None, None) => {
                let mut having = self.senders.iter().filter(|sender| sender.payload_types & bit(payload_type) != 0);
                having.next().filter(|_| having.next().is_none())?
            }
        };
        let stream = IncomingStream { ssrc, publication: sender.publication, encoding: sender.encoding(rid)?, repair };
        self.announce(stream);
        Some(stream)
    }
}

/// A set of one payload type.
fn bit(payload_type: u8) -> u128 {
    1_u128.checked_shl(u32::from(payload_type)).unwrap_or_default()
}
