//! What the edge accepts of one media section. A pure function of the section and the options; who may publish is decided elsewhere.

use super::offer::{Feedback, HeaderExtension, OfferedCodec, Section};
use super::{CodecKey, fmtp};
use crate::codec::Codec;
use crate::rtp::{ExtensionKind, ExtensionMap};

/// Which abilities of the edge to put into an answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AnswerOptions {
    /// Accept all simulcast layers of a sending section. Default: no, and the offerer sends its first one only.
    pub simulcast: bool,
}

/// The common ground of one media section. Payload types and extension ids are the offerer's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NegotiatedSection {
    /// In the offerer's order of preference, format parameters and feedback as the answer has them.
    pub codecs: Vec<OfferedCodec>,
    /// Directions are as the offerer sees them.
    pub extensions: Vec<HeaderExtension>,
    /// Simulcast layers that the offerer will send; empty when it sends one stream.
    pub rids: Vec<String>,
}

impl NegotiatedSection {
    /// There is a codec that carries media on its own (RED doesn't). If not, the section has to be rejected.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.codecs.iter().any(|codec| codec.key.codec != Codec::Red)
    }

    /// The payload type under which this peer knows `key`: its most preferred, if it has several.
    #[must_use]
    pub fn payload_type_for(&self, key: &CodecKey) -> Option<u8> {
        self.codec_for(key).map(|codec| codec.payload_type)
    }

    /// The payload type of retransmissions that goes with [`payload_type_for`](Self::payload_type_for).
    #[must_use]
    pub fn rtx_payload_type_for(&self, key: &CodecKey) -> Option<u8> {
        self.codec_for(key).and_then(|codec| codec.rtx_payload_type)
    }

    /// The codec for `key`: this peer's most preferred, if it has several.
    #[must_use]
    pub fn codec_for(&self, key: &CodecKey) -> Option<&OfferedCodec> {
        self.codecs.iter().find(|codec| codec.key == *key)
    }

    /// What a payload type means.
    #[must_use]
    pub fn codec(&self, payload_type: u8) -> Option<&OfferedCodec> {
        self.codecs.iter().find(|codec| codec.payload_type == payload_type)
    }

    /// The codec whose retransmissions have this payload type.
    #[must_use]
    pub fn codec_of_rtx(&self, rtx_payload_type: u8) -> Option<&OfferedCodec> {
        self.codecs.iter().find(|codec| codec.rtx_payload_type == Some(rtx_payload_type))
    }

    /// Extensions that the offerer may put on packets to the edge.
    #[must_use]
    pub fn ingress_extensions(&self) -> ExtensionMap {
        extension_map(self.extensions.iter().filter(|extension| extension.direction.sends()))
    }

    /// Extensions that the edge may put on packets to the offerer.
    #[must_use]
    pub fn egress_extensions(&self) -> ExtensionMap {
        extension_map(self.extensions.iter().filter(|extension| extension.direction.receives()))
    }
}

fn extension_map<'a>(extensions: impl Iterator<Item = &'a HeaderExtension>) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    for extension in extensions {
        // Parsing let no reserved id through, so there is no error to report.
        let _valid = map.insert(extension.id, extension.kind);
    }
    map
}

/// What the edge accepts of `section`: nothing of one that is rejected or carries no RTP.
#[must_use]
pub fn negotiate(section: &Section, options: &AnswerOptions) -> NegotiatedSection {
    if section.rejected {
        return NegotiatedSection::default();
    }
    NegotiatedSection {
        codecs: codecs(section),
        extensions: section.extensions.iter().filter(|extension| serves(extension.kind, section)).copied().collect(),
        rids: if options.simulcast && section.sends() && tells_layers_apart(section) { section.rids.clone() } else { Vec::new() },
    }
}

/// Layers are told apart by the stream id on their packets or by announced SSRCs; without either, one stream is all there can be.
fn tells_layers_apart(section: &Section) -> bool {
    let has = |kind| section.extensions.iter().any(|extension| extension.kind == kind && extension.direction.sends());
    (has(ExtensionKind::Mid) && has(ExtensionKind::Rid)) || section.ssrcs.len() == section.rids.len()
}

fn codecs(section: &Section) -> Vec<OfferedCodec> {
    let accepted: Vec<&OfferedCodec> = section.codecs.iter().filter(|codec| is_for_everybody(codec.key)).collect();
    let is_opus =
        |payload_type: &str| accepted.iter().any(|codec| codec.key.codec == Codec::Opus && payload_type.parse() == Ok(codec.payload_type));
    // RED names the payload types of its blocks (RFC 2198 §5): without all of them it means nothing.
    let is_whole = |codec: &OfferedCodec| match (codec.key.codec, codec.fmtp.as_deref()) {
        (Codec::Red, blocks) => blocks.is_some_and(|blocks| blocks.split('/').all(is_opus)),
        _ => true,
    };
    accepted
        .iter()
        .filter(|codec| is_whole(codec))
        .map(|codec| OfferedCodec { fmtp: answered_fmtp(codec), feedback: answered_feedback(codec.feedback, section), ..(*codec).clone() })
        .collect()
}

/// Only profiles that every client of ours decodes, since nothing here re-encodes: VP9 and AV1 profile 0 (8 bit 4:2:0), H.264 baseline.
fn is_for_everybody(key: CodecKey) -> bool {
    key.profile == 0
}

/// The offerer's own words, but for what says how much the edge can take.
fn answered_fmtp(codec: &OfferedCodec) -> Option<String> {
    let offered = codec.fmtp.as_deref();
    match codec.key.codec {
        Codec::Opus => Some(opus_fmtp(offered.unwrap_or_default())),
        Codec::Vp8 | Codec::Vp9 => offered.and_then(without_receiver_limits),
        _ => offered.map(str::to_owned),
    }
}

/// Asks the sender for in-band FEC, and for packets of 10 ms where the path is short (RFC 7587 §6.1). Stereo stays as offered.
fn opus_fmtp(offered: &str) -> String {
    let mut answered = offered.to_owned();
    for (name, value) in [("minptime", "10"), ("useinbandfec", "1")] {
        if fmtp::value(&answered, name).is_none() {
            let separator = if answered.is_empty() { "" } else { ";" };
            answered = format!("{answered}{separator}{name}={value}");
        }
    }
    answered
}

/// `max-fs` and `max-fr` state the decoder of who writes them (RFC 7741 §6.1, RFC 9628 §7.1). The edge has none, and Firefox's own
/// limits, repeated, would keep it from sending a screen above 2048x1536.
fn without_receiver_limits(offered: &str) -> Option<String> {
    let is_limit = |name: &str| name.eq_ignore_ascii_case("max-fs") || name.eq_ignore_ascii_case("max-fr");
    let kept: Vec<String> =
        fmtp::pairs(offered).filter(|(name, _)| !is_limit(name)).map(|(name, value)| format!("{name}={value}")).collect();
    (!kept.is_empty()).then(|| kept.join(";"))
}

/// What one side asks of the other, where the edge does its part: it sends PLI, NACK and transport feedback to publishers, and obeys
/// those and REMB from subscribers.
fn answered_feedback(offered: Feedback, section: &Section) -> Feedback {
    let flows = section.sends() || section.receives();
    Feedback {
        nack: offered.nack && flows,
        pli: offered.pli && flows,
        fir: offered.fir && flows,
        transport_cc: offered.transport_cc && transport_cc(section),
        remb: offered.remb && section.receives(),
    }
}

/// Reports need the number on the packets: GStreamer offers the feedback without the extension.
///
/// Answered alike whatever way a section flows: where bundled sections disagree, Chromium logs "Inconsistent congestion control
/// feedback types" and estimates nothing, and its video stays at 30 kbit/s.
fn transport_cc(section: &Section) -> bool {
    section.extensions.iter().any(|extension| extension.kind == ExtensionKind::TransportCc)
}

/// Whether an extension has work to do in this section. Those of simulcast and of the sender's own layers mean nothing on the way out:
/// a subscriber sees one stream.
fn serves(kind: ExtensionKind, section: &Section) -> bool {
    match kind {
        ExtensionKind::Rid | ExtensionKind::RepairedRid | ExtensionKind::VideoLayersAllocation => section.sends(),
        ExtensionKind::TransportCc => transport_cc(section),
        _ => true,
    }
}
