//! What we change in answers: parameters that tell our own encoders how to begin. An answer's parameters are wishes of the receiver, and
//! browsers have no other switch for these.
//! Of what participants offer each other only what no browser needs is left out. Not here: offers to the edge, which go out as the browser made them.

use alloc::{string::String, vec::Vec};
use nearcast_protocol::Mid;

/// Browsers built on libwebrtc begin at 300 kbit/s and take ten seconds to find out that more is possible; told this, they begin here. It counts
/// once, for the whole transport. Three sizes of 720p begin together with this much (160 and 450 kbit/s, and the 720 at which libwebrtc starts
/// the third); with 1000 the largest came after five seconds. LiveKit begins at up to 1000, with one size. Other browsers skip the parameter.
const START_VIDEO: &[u8] = b"x-google-start-bitrate=1500";

/// `answer` with, for each section that we send: Opus with in-band error correction, and discontinuous transmission if the section is in `dtx`
/// (RFC 7587 §6.1); RED last unless `red`, since libwebrtc sends each frame twice where it comes before Opus; video that starts at a bitrate fit for
/// people.
#[must_use]
pub fn tune_answer(answer: &str, dtx: &[Mid], red: bool) -> String {
    let mut tuned = Vec::with_capacity(answer.len() + 256);
    let lines: Vec<&[u8]> = parts(answer.as_bytes(), b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    // What follows the last line end is no line.
    let lines = lines.strip_suffix(&[b"".as_slice()]).unwrap_or(&lines);
    for section in lines.chunk_by(|_, next| !next.starts_with(b"m=")) {
        let mid = section.iter().find_map(|line| line.strip_prefix(b"a=mid:"));
        let dtx = mid.is_some_and(|mid| dtx.iter().any(|one| one.as_str().as_bytes() == mid));
        // From the edge's side: what it receives, we send.
        let sends = section.contains(&b"a=recvonly".as_slice());
        let wishes = if sends { wishes } else { |_: &[u8], _| None };
        let last = section
            .iter()
            .filter_map(|line| payload_type(line, b"a=rtpmap:"))
            .find(|(_, codec)| sends && !red && codec.starts_with(b"red/"));
        for line in section {
            if let Some((last, _)) = last
                && line.starts_with(b"m=audio ")
            {
                for word in parts(line, b' ').filter(|word| *word != last) {
                    tuned.extend_from_slice(word);
                    tuned.push(b' ');
                }
                push_line(&mut tuned, &[last]);
                continue;
            }
            let described = payload_type(line, b"a=fmtp:").and_then(|(number, _)| codec_of(section, number));
            if described.and_then(|codec| wishes(codec, dtx)).is_some() {
                continue; // written again, with its codec
            }
            // Firefox tells of feedback for codecs that it was told to leave out, and Chromium then refuses its offer.
            if payload_type(line, b"a=rtcp-fb:").is_some_and(|(number, _)| number != b"*" && codec_of(section, number).is_none()) {
                continue;
            }
            push_line(&mut tuned, &[line]);
            if let Some((number, codec)) = payload_type(line, b"a=rtpmap:")
                && let Some(wishes) = wishes(codec, dtx)
            {
                push_line(&mut tuned, &[b"a=fmtp:", number, b" ", &merged(section, number, wishes)]);
            }
        }
    }
    // Lines of a text, cut at ASCII, are text.
    String::from_utf8(tuned).unwrap_or_default()
}

/// What this codec is told.
fn wishes(codec: &[u8], dtx: bool) -> Option<&'static [u8]> {
    let end = codec.iter().position(|byte| *byte == b'/')?;
    Some(match codec.get(..end)? {
        b"opus" if dtx => b"useinbandfec=1;usedtx=1",
        b"opus" => b"useinbandfec=1;usedtx=0",
        b"VP8" | b"VP9" | b"AV1" | b"H264" => START_VIDEO,
        _ => return None,
    })
}

/// The parameters that the answer gives a payload type, with `wishes` in place of those of the same name.
fn merged(section: &[&[u8]], number: &[u8], wishes: &[u8]) -> Vec<u8> {
    let name = |parameter| parts(parameter, b'=').next();
    let given = section.iter().filter_map(|line| payload_type(line, b"a=fmtp:")).find(|(of, _)| *of == number);
    let mut merged = Vec::new();
    for one in parts(given.map_or(b"", |(_, parameters)| parameters), b';') {
        if !one.is_empty() && !parts(wishes, b';').any(|wish| name(wish) == name(one)) {
            merged.extend_from_slice(one);
            merged.push(b';');
        }
    }
    merged.extend_from_slice(wishes);
    merged
}

fn codec_of<'sdp>(section: &[&'sdp [u8]], number: &[u8]) -> Option<&'sdp [u8]> {
    section.iter().filter_map(|line| payload_type(line, b"a=rtpmap:")).find(|(of, _)| *of == number).map(|(_, codec)| codec)
}

/// The payload type in a line of this kind, and what is said of it.
fn payload_type<'sdp>(line: &'sdp [u8], kind: &[u8]) -> Option<(&'sdp [u8], &'sdp [u8])> {
    let line = line.strip_prefix(kind)?;
    let (number, rest) = line.split_at_checked(line.iter().position(|byte| *byte == b' ')?)?;
    Some((number, rest.get(1..)?))
}

/// Bytes, not `str`: what splits texts at characters is 1 kB of gzip that nothing else here needs.
fn parts(text: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| *byte == at)
}

fn push_line(text: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        text.extend_from_slice(part);
    }
    text.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
