//! One m-line and its attributes.

use super::Sdp;
use crate::sdp::Setup;
use crate::sdp::answer::{Answer, AnswerSection, EgressStream};
use crate::sdp::offer::{Direction, HeaderExtension, OfferedCodec, Section, SectionKind};
use std::fmt;

/// Port and address of a description whose candidates stand elsewhere (RFC 8839 §4.4.1; also what RFC 8829 §5.2.1 writes).
const ANY_ADDRESS: &str = "c=IN IP4 0.0.0.0";

/// Port 0 and nothing but what the grammar and RFC 8829 §5.3.1 ask for.
pub(super) fn reject(sdp: &mut Sdp, section: &Section) -> fmt::Result {
    let line = &section.line;
    sdp.line(format_args!("m={} 0 {} {}", line.media, line.protocol, line.first_format))?;
    sdp.line(format_args!("{ANY_ADDRESS}"))?;
    if !section.mid.as_str().is_empty() {
        sdp.line(format_args!("a=mid:{}", section.mid))?;
    }
    sdp.line(format_args!("a=inactive"))
}

pub(super) fn accept(sdp: &mut Sdp, answer: &Answer<'_>, section: &Section, choice: &AnswerSection) -> fmt::Result {
    let line = &section.line;
    let formats = formats(section, choice);
    sdp.line(format_args!("m={} 9 {} {formats}", line.media, line.protocol))?;
    sdp.line(format_args!("{ANY_ADDRESS}"))?;
    sdp.line(format_args!("a=ice-ufrag:{}", answer.ice.ufrag))?;
    sdp.line(format_args!("a=ice-pwd:{}", answer.ice.pwd))?;
    let setup = if answer.offer.setup == Setup::Passive { "active" } else { "passive" };
    sdp.line(format_args!("a=setup:{setup}"))?;
    sdp.line(format_args!("a=mid:{}", section.mid))?;
    if section.kind == SectionKind::Data {
        sdp.line(format_args!("a=sctp-port:5000"))?;
        return sdp.line(format_args!("a=max-message-size:{}", answer.max_message_size));
    }
    for extension in &choice.negotiated.extensions {
        write_extension(sdp, extension)?;
    }
    let sent = choice.send.as_ref().filter(|_| section.receives());
    let direction = Direction::new(sent.is_some(), choice.receive && section.sends());
    sdp.line(format_args!("a={}", direction.as_str()))?;
    if let Some(stream) = sent {
        sdp.line(format_args!("a=msid:{} {}", stream.stream_id, stream.track_id))?;
    }
    sdp.line(format_args!("a=rtcp-mux"))?;
    if section.rtcp_rsize {
        sdp.line(format_args!("a=rtcp-rsize"))?;
    }
    for codec in &choice.negotiated.codecs {
        write_codec(sdp, codec)?;
    }
    if direction.receives() {
        write_layers(sdp, &choice.negotiated.rids)?;
    }
    let can_resend = choice.negotiated.codecs.iter().any(|codec| codec.rtx_payload_type.is_some());
    sent.map_or(Ok(()), |stream| write_stream(sdp, stream, can_resend))
}

fn formats(section: &Section, choice: &AnswerSection) -> String {
    if section.kind == SectionKind::Data {
        return section.line.first_format.clone();
    }
    let codecs = choice.negotiated.codecs.iter();
    let payload_types = codecs.flat_map(|codec| [Some(codec.payload_type), codec.rtx_payload_type]).flatten();
    payload_types.map(|payload_type| payload_type.to_string()).collect::<Vec<_>>().join(" ")
}

/// A one-way extension is answered with the other way (RFC 8285 §6).
fn write_extension(sdp: &mut Sdp, extension: &HeaderExtension) -> fmt::Result {
    let HeaderExtension { id, kind, direction } = extension;
    match direction {
        Direction::SendRecv => sdp.line(format_args!("a=extmap:{id} {}", kind.uri())),
        one_way => sdp.line(format_args!("a=extmap:{id}/{} {}", one_way.reversed().as_str(), kind.uri())),
    }
}

fn write_codec(sdp: &mut Sdp, codec: &OfferedCodec) -> fmt::Result {
    let OfferedCodec { payload_type, key, rtx_payload_type, fmtp, feedback } = codec;
    let clock_rate = key.codec.clock_rate();
    let channels = if key.codec.is_video() { "" } else { "/2" };
    sdp.line(format_args!("a=rtpmap:{payload_type} {}/{clock_rate}{channels}", key.codec.sdp_name()))?;
    let messages = [
        (feedback.remb, "goog-remb"),
        (feedback.transport_cc, "transport-cc"),
        (feedback.fir, "ccm fir"),
        (feedback.nack, "nack"),
        (feedback.pli, "nack pli"),
    ];
    for (_, message) in messages.iter().filter(|(is_answered, _)| *is_answered) {
        sdp.line(format_args!("a=rtcp-fb:{payload_type} {message}"))?;
    }
    if let Some(fmtp) = fmtp {
        sdp.line(format_args!("a=fmtp:{payload_type} {fmtp}"))?;
    }
    if let Some(rtx) = rtx_payload_type {
        sdp.line(format_args!("a=rtpmap:{rtx} rtx/{clock_rate}{channels}"))?;
        sdp.line(format_args!("a=fmtp:{rtx} apt={payload_type}"))?;
    }
    Ok(())
}

/// What the offerer sends in layers, the edge receives in layers (RFC 8853 §5.3.2).
fn write_layers(sdp: &mut Sdp, rids: &[String]) -> fmt::Result {
    for rid in rids {
        sdp.line(format_args!("a=rid:{rid} recv"))?;
    }
    if rids.is_empty() { Ok(()) } else { sdp.line(format_args!("a=simulcast:recv {}", rids.join(";"))) }
}

/// The RTX SSRC is announced only where an RTX payload type was.
fn write_stream(sdp: &mut Sdp, stream: &EgressStream, can_resend: bool) -> fmt::Result {
    let EgressStream { ssrc, rtx_ssrc, cname, .. } = stream;
    let rtx_ssrc = rtx_ssrc.filter(|_| can_resend);
    if let Some(rtx) = rtx_ssrc {
        sdp.line(format_args!("a=ssrc-group:FID {ssrc} {rtx}"))?;
    }
    sdp.line(format_args!("a=ssrc:{ssrc} cname:{cname}"))?;
    rtx_ssrc.map_or(Ok(()), |rtx| sdp.line(format_args!("a=ssrc:{rtx} cname:{cname}")))
}
