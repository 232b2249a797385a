//! One m-line with its attributes.

use super::{Attributes, Inherited, codecs, extensions, sources};
use crate::sdp::offer::{MediaLine, Section, SectionKind};
use crate::sdp::{SdpError, limits};
use nearcast_protocol::Mid;
use rtc_sdp::description::media::MediaDescription;

pub(super) fn parse(index: usize, media: &MediaDescription, inherited: &Inherited) -> Result<Section, SdpError> {
    let attributes = Attributes(&media.attributes);
    let line = media_line(media);
    let kind = kind(&line);
    let rejected = media.media_name.port.value == 0 && !attributes.has("bundle-only");
    let mut section = Section {
        mid: mid(index, attributes, rejected)?,
        kind,
        direction: attributes.direction().unwrap_or(inherited.direction),
        rejected,
        codecs: Vec::new(),
        extensions: Vec::new(),
        ssrcs: Vec::new(),
        rids: Vec::new(),
        msid: sources::msid(attributes),
        rtcp_rsize: inherited.rtcp_rsize || attributes.has("rtcp-rsize"),
        sctp_port: None,
        max_message_size: None,
        line,
    };
    match kind {
        SectionKind::Audio | SectionKind::Video => {
            if !(rejected || inherited.rtcp_mux || attributes.has("rtcp-mux")) {
                return Err(SdpError::MissingRtcpMux { mid: section.mid.to_string() });
            }
            section.codecs = codecs::parse(kind, &media.media_name.formats, attributes);
            section.extensions = extensions::parse(attributes, inherited.allows_mixed_extensions);
            section.extensions.extend(&inherited.extensions);
            section.ssrcs = sources::ssrcs(attributes);
            section.rids = sources::rids(attributes);
        }
        SectionKind::Data => {
            section.sctp_port = attributes.value("sctp-port").and_then(|port| port.parse().ok());
            section.max_message_size = Some(max_message_size(attributes));
        }
        SectionKind::Other => {}
    }
    Ok(section)
}

fn media_line(media: &MediaDescription) -> MediaLine {
    let name = &media.media_name;
    MediaLine {
        media: name.media.clone(),
        protocol: name.protos.join("/"),
        // The grammar wants one; "0" is what JSEP writes for a section that has none left.
        first_format: name.formats.first().map_or_else(|| "0".to_owned(), Clone::clone),
    }
}

/// Profiles as RFC 8829 §5.1.2 has them; all mean DTLS-SRTP or SCTP over DTLS.
fn kind(line: &MediaLine) -> SectionKind {
    let is_srtp = line.protocol.ends_with("RTP/SAVPF") || line.protocol.ends_with("RTP/SAVP");
    let is_sctp = matches!(line.protocol.as_str(), "UDP/DTLS/SCTP" | "TCP/DTLS/SCTP");
    match line.media.as_str() {
        "audio" if is_srtp => SectionKind::Audio,
        "video" if is_srtp => SectionKind::Video,
        "application" if is_sctp && line.first_format == "webrtc-datachannel" => SectionKind::Data,
        _ => SectionKind::Other,
    }
}

/// A rejected section may have lost its mid; everything else needs one to be in the bundle.
fn mid(index: usize, attributes: Attributes<'_>, rejected: bool) -> Result<Mid, SdpError> {
    let mid = match attributes.value("mid") {
        None if rejected => return Ok(Mid(String::new())),
        None => return Err(SdpError::MissingMid { index }),
        Some(mid) => mid,
    };
    if mid.is_empty() || mid.len() > limits::MAX_MID_BYTES || !mid.bytes().all(is_token_char) {
        return Err(SdpError::InvalidMid { index });
    }
    Ok(Mid::from(mid))
}

/// `token-char` of RFC 8866 §9.
pub(in crate::sdp) fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'(' | b')' | b',' | b'/' | b':'..=b'@' | b'[' | b'\\' | b']')
}

fn max_message_size(attributes: Attributes<'_>) -> u64 {
    attributes.value("max-message-size").and_then(|size| size.parse().ok()).unwrap_or(limits::DEFAULT_MAX_MESSAGE_BYTES)
}
