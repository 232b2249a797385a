//! What we change in the edge's answers: parameters that tell our own encoders how to begin. An answer's parameters are wishes of the receiver, and
//! browsers have no other switch for these. Not here: offers, which go out as the browser made them.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use nearcast_protocol::Mid;

/// Browsers built on libwebrtc begin at 300 kbit/s and take ten seconds to find out that more is possible; told this, they begin here. It counts
/// once, for the whole transport. Three sizes of 720p begin together with this much (160 and 450 kbit/s, and the 720 at which libwebrtc starts
/// the third); with 1000 the largest came after five seconds. LiveKit begins at up to 1000, with one size. Other browsers skip the parameter.
const START_VIDEO: &str = "x-google-start-bitrate=1500";

/// `answer` with, for each section that we send: Opus with in-band error correction, and discontinuous transmission if the section is in `dtx`
/// (RFC 7587 §6.1); video that starts at a bitrate fit for people.
#[must_use]
pub fn tune_answer(answer: &str, dtx: &[Mid]) -> String {
    let mut tuned = String::with_capacity(answer.len() + 256);
    let lines: Vec<&str> = answer.lines().collect();
    for section in lines.chunk_by(|_, next| !next.starts_with("m=")) {
        let mid = section.iter().find_map(|line| line.strip_prefix("a=mid:"));
        let dtx = mid.is_some_and(|mid| dtx.iter().any(|one| one.as_str() == mid));
        // From the edge's side: what it receives, we send.
        let wishes = if section.contains(&"a=recvonly") { wishes } else { |_: &str, _| None };
        for line in section {
            let described = payload_type(line, "a=fmtp:").and_then(|(number, _)| codec_of(section, number));
            if described.and_then(|codec| wishes(codec, dtx)).is_some() {
                continue; // written again, with its codec
            }
            push_line(&mut tuned, &[line]);
            if let Some((number, codec)) = payload_type(line, "a=rtpmap:")
                && let Some(wishes) = wishes(codec, dtx)
            {
                push_line(&mut tuned, &["a=fmtp:", number, " ", &merged(section, number, wishes)]);
            }
        }
    }
    tuned
}

/// What this codec is told.
fn wishes(codec: &str, dtx: bool) -> Option<&'static str> {
    let (name, _) = codec.split_once('/')?;
    match name {
        "opus" if dtx => Some("useinbandfec=1;usedtx=1"),
        "opus" => Some("useinbandfec=1;usedtx=0"),
        "VP8" | "VP9" | "AV1" | "H264" => Some(START_VIDEO),
        _ => None,
    }
}

/// The parameters that the answer gives a payload type, with `wishes` in place of those of the same name.
fn merged(section: &[&str], number: &str, wishes: &str) -> String {
    let name = |parameter: &str| parameter.split('=').next().map(str::to_owned);
    let given = section.iter().filter_map(|line| payload_type(line, "a=fmtp:")).find(|(of, _)| *of == number);
    let mut merged = String::new();
    for one in given.map_or("", |(_, parameters)| parameters).split(';') {
        if !one.is_empty() && !wishes.split(';').any(|wish| name(wish) == name(one)) {
            merged.push_str(one);
            merged.push(';');
        }
    }
    merged.push_str(wishes);
    merged
}

fn codec_of<'sdp>(section: &[&'sdp str], number: &str) -> Option<&'sdp str> {
    section.iter().filter_map(|line| payload_type(line, "a=rtpmap:")).find(|(of, _)| *of == number).map(|(_, codec)| codec)
}

/// The payload type in a line of this kind, and what is said of it.
fn payload_type<'sdp>(line: &'sdp str, kind: &str) -> Option<(&'sdp str, &'sdp str)> {
    line.strip_prefix(kind)?.split_once(' ')
}

fn push_line(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests;
