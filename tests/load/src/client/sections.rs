//! What a session description says of each section, as far as sending and counting need it.

/// One section.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Section {
    pub(super) mid: String,
    /// Payload types in order of preference, with their codec's name in small letters.
    pub(super) codecs: Vec<(u8, String)>,
    /// Ids of header extensions.
    extensions: Vec<(u8, String)>,
    /// The first one named.
    pub(super) ssrc: Option<u32>,
    /// Restriction ids (RFC 8851) the writer wants to receive.
    pub(super) rids: Vec<String>,
}

/// Ids in use of the header extensions that the load writes or reads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ExtensionIds {
    /// RFC 6464.
    pub(super) level: Option<u8>,
    /// RFC 8843 §15.
    pub(super) mid: Option<u8>,
    /// RFC 8852.
    pub(super) rid: Option<u8>,
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
    pub(super) transport_cc: Option<u8>,
}

impl Section {
    pub(super) fn payload_type(&self, codec: &str) -> Option<u8> {
        self.codecs.iter().find(|(_, name)| name == codec).map(|(payload_type, _)| *payload_type)
    }

    pub(super) fn extension_ids(&self) -> ExtensionIds {
        let id = |uri: &str| self.extensions.iter().find(|(_, known)| known.ends_with(uri)).map(|(id, _)| *id);
        ExtensionIds {
            level: id(":ssrc-audio-level"),
            mid: id(":sdes:mid"),
            rid: id(":sdes:rtp-stream-id"),
            transport_cc: id("transport-wide-cc-extensions-01"),
        }
    }
}

/// The sections of a description, in order. What it can't read, it leaves out.
pub(super) fn sections(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            let codecs = media.split(' ').skip(3).filter_map(|number| Some((number.parse().ok()?, String::new())));
            sections.push(Section { codecs: codecs.collect(), ..Section::default() });
        } else if let (Some(section), Some(attribute)) = (sections.last_mut(), line.strip_prefix("a=")) {
            let _unknown = read(section, attribute);
        }
    }
    sections
}

fn read(section: &mut Section, attribute: &str) -> Option<()> {
    let (name, value) = attribute.split_once(':')?;
    let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
    match name {
        "mid" => section.mid = value.to_owned(),
        "rtpmap" => {
            let number: u8 = first.parse().ok()?;
            let (_, codec) = section.codecs.iter_mut().find(|(known, _)| *known == number)?;
            *codec = rest.split('/').next()?.to_ascii_lowercase();
        }
        "extmap" => {
            let id = first.split('/').next()?.parse().ok()?;
            section.extensions.push((id, rest.split(' ').next()?.to_owned()));
        }
        "ssrc" if section.ssrc.is_none() => section.ssrc = first.parse().ok(),
        "rid" if rest.starts_with("recv") => section.rids.push(first.to_owned()),
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_section_says_is_read() {
        let sdp = "v=0\r\na=mid:nowhere\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\n\
                   a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\nm=video 9 UDP/TLS/RTP/SAVPF 97 96\r\na=mid:v\r\n\
                   a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=ssrc:17 cname:x\r\na=ssrc:18 cname:x\r\na=rid:q recv\r\na=rid:h send\r\n\
                   a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";
        let [audio, video] = <[Section; 2]>::try_from(sections(sdp)).unwrap();
        assert_eq!((audio.mid.as_str(), audio.payload_type("opus")), ("a", Some(111)));
        assert_eq!(audio.extension_ids(), ExtensionIds { level: Some(4), ..ExtensionIds::default() });
        assert_eq!((video.payload_type("vp8"), video.payload_type("rtx"), video.ssrc), (Some(96), Some(97), Some(17)));
        assert_eq!((&video.rids, video.extension_ids().transport_cc), (&vec!["q".to_owned()], Some(3)));
    }
}
