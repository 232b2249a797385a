//! `a=rtpmap`, `a=fmtp` and `a=rtcp-fb`, joined by payload type.

use super::Attributes;
use crate::codec::Codec;
use crate::sdp::offer::{Feedback, OfferedCodec, SectionKind};
use crate::sdp::{CodecKey, fmtp, limits};
use std::collections::HashMap;

/// What the attributes say of one payload type.
#[derive(Default)]
struct Payload<'a> {
    name: &'a str,
    clock_rate: u32,
    channels: u8,
    fmtp: Option<&'a str>,
    feedback: Feedback,
}

/// Codecs that the edge knows, in the order of the m-line's formats, with their RTX payload types folded in.
pub(super) fn parse(kind: SectionKind, formats: &[String], attributes: Attributes<'_>) -> Vec<OfferedCodec> {
    let payloads = collect(attributes);
    let mut codecs: Vec<OfferedCodec> = Vec::new();
    let mut retransmissions = Vec::new();
    for payload_type in formats.iter().filter_map(|format| payload_type(format)) {
        let Some(payload) = payloads.get(&payload_type) else { continue };
        if payload.name.eq_ignore_ascii_case("rtx") {
            retransmissions.push((payload_type, payload));
        } else if codecs.len() < limits::MAX_CODECS
            && !codecs.iter().any(|codec| codec.payload_type == payload_type)
            && let Some(codec) = recognise(kind, payload_type, payload)
        {
            codecs.push(codec);
        }
    }
    for (payload_type, payload) in retransmissions {
        let repaired: Option<u8> = payload.fmtp.and_then(|parameters| fmtp::value(parameters, "apt")).and_then(|apt| apt.parse().ok());
        if let Some(codec) = codecs.iter_mut().find(|codec| Some(codec.payload_type) == repaired) {
            codec.rtx_payload_type.get_or_insert(payload_type);
        }
    }
    codecs
}

/// Payload types are seven bits; 64 to 95 read as RTCP where both share a port (RFC 5761 §4).
fn payload_type(format: &str) -> Option<u8> {
    format.parse().ok().filter(|payload_type| matches!(payload_type, 0..=63 | 96..=127))
}

/// At most one entry for each payload type, so at most 96.
fn collect<'a>(attributes: Attributes<'a>) -> HashMap<u8, Payload<'a>> {
    let mut payloads: HashMap<u8, Payload<'a>> = HashMap::new();
    for (payload_type, mapping) in attributes.values("rtpmap").filter_map(split_payload_type) {
        let payload = payloads.entry(payload_type).or_default();
        if payload.name.is_empty() {
            let mut parts = mapping.split('/');
            payload.name = parts.next().unwrap_or_default();
            payload.clock_rate = parts.next().and_then(|rate| rate.parse().ok()).unwrap_or_default();
            payload.channels = parts.next().map_or(1, |channels| channels.parse().unwrap_or_default());
        }
    }
    for (payload_type, parameters) in attributes.values("fmtp").filter_map(split_payload_type) {
        if let Some(payload) = payloads.get_mut(&payload_type) {
            payload.fmtp.get_or_insert(parameters);
        }
    }
    for feedback in attributes.values("rtcp-fb") {
        if let Some(message) = feedback.strip_prefix("* ") {
            payloads.values_mut().for_each(|payload| add(&mut payload.feedback, message));
        } else if let Some((payload_type, message)) = split_payload_type(feedback)
            && let Some(payload) = payloads.get_mut(&payload_type)
        {
            add(&mut payload.feedback, message);
        }
    }
    payloads
}

fn split_payload_type(value: &str) -> Option<(u8, &str)> {
    let (format, rest) = value.split_once(' ')?;
    Some((payload_type(format)?, rest.trim()))
}

fn add(feedback: &mut Feedback, message: &str) {
    match message {
        "nack" => feedback.nack = true,
        "nack pli" => feedback.pli = true,
        "ccm fir" => feedback.fir = true,
        "transport-cc" => feedback.transport_cc = true,
        "goog-remb" => feedback.remb = true,
        _ => {}
    }
}

fn recognise(kind: SectionKind, payload_type: u8, payload: &Payload<'_>) -> Option<OfferedCodec> {
    let codec = Codec::from_sdp_name(payload.name)?;
    let is_whole = codec.is_video() == (kind == SectionKind::Video)
        && codec.clock_rate() == payload.clock_rate
        && payload.channels == if codec.is_video() { 1 } else { 2 }
        && payload.fmtp.is_none_or(|parameters| parameters.len() <= limits::MAX_FMTP_BYTES);
    if !is_whole {
        return None;
    }
    let key = CodecKey::from_fmtp(codec, payload.fmtp)?;
    Some(OfferedCodec { payload_type, key, rtx_payload_type: None, fmtp: payload.fmtp.map(str::to_owned), feedback: payload.feedback })
}
