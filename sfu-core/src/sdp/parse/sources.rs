//! What a section will carry: `a=ssrc`, `a=ssrc-group`, `a=rid`, `a=simulcast`, `a=msid`.

use super::Attributes;
use crate::sdp::limits;
use crate::sdp::offer::SourceSsrc;
use std::collections::HashSet;

/// Media SSRCs in order of appearance, with their RTX SSRCs. RTX and FEC streams are not listed on their own.
pub(super) fn ssrcs(attributes: Attributes<'_>) -> Vec<SourceSsrc> {
    let mut sources: Vec<SourceSsrc> = Vec::new();
    let mut repairs: HashSet<u32> = HashSet::new();
    // No more groups than could have a source of their own that is kept, doubled for FEC.
    for group in attributes.values("ssrc-group").take(2 * limits::MAX_SSRCS) {
        let mut words = group.split_whitespace();
        let semantics = words.next();
        let mut numbers = words.map_while(|word| word.parse::<u32>().ok());
        let (Some(ssrc), Some(repair)) = (numbers.next(), numbers.next()) else { continue };
        match semantics {
            Some("FID") if !sources.iter().any(|source| source.ssrc == ssrc) => {
                repairs.insert(repair);
                sources.push(SourceSsrc { ssrc, rtx: Some(repair) });
            }
            Some("FEC-FR" | "FEC") => {
                repairs.insert(repair);
            }
            _ => {}
        }
    }
    sources.retain(|source| !repairs.contains(&source.ssrc));
    for ssrc in attributes.values("ssrc").filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if sources.len() >= limits::MAX_SSRCS {
            break;
        }
        if !repairs.contains(&ssrc) && !sources.iter().any(|source| source.ssrc == ssrc) {
            sources.push(SourceSsrc { ssrc, rtx: None });
        }
    }
    sources.truncate(limits::MAX_SSRCS);
    sources
}

/// Layers of `a=simulcast:send` that an `a=rid` line declares, in order: of alternatives the first, paused ones (`~`) as well.
pub(super) fn rids(attributes: Attributes<'_>) -> Vec<String> {
    let Some(simulcast) = attributes.value("simulcast") else { return Vec::new() };
    let Some(list) = simulcast.split_whitespace().skip_while(|word| *word != "send").nth(1) else { return Vec::new() };
    let mut rids: Vec<String> = Vec::new();
    for layer in list.split(';').take(limits::MAX_RIDS) {
        let rid = layer.split(',').next().unwrap_or_default().trim_start_matches('~');
        if is_rid(rid) && !rids.iter().any(|known| known == rid) && is_declared(attributes, rid) {
            rids.push(rid.to_owned());
        }
    }
    rids
}

fn is_declared(attributes: Attributes<'_>, rid: &str) -> bool {
    attributes.values("rid").any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(rid) && words.next() == Some("send")
    })
}

/// RFC 8851 §10 has letters, digits, `-` and `_`.
fn is_rid(text: &str) -> bool {
    (1..=limits::MAX_RID_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `a=msid:<stream> [<track>]`, or the same on an `a=ssrc` line as it was before RFC 8830 (GStreamer, and Chromium beside the new form).
pub(super) fn msid(attributes: Attributes<'_>) -> Option<(String, String)> {
    let legacy = || attributes.values("ssrc").find_map(|line| line.split_once(' ')?.1.strip_prefix("msid:"));
    let mut words = attributes.value("msid").or_else(legacy)?.split_whitespace();
    let stream = words.next()?;
    let track = words.next().unwrap_or_default();
    let is_short = stream.len() <= limits::MAX_MSID_BYTES && track.len() <= limits::MAX_MSID_BYTES;
    is_short.then(|| (stream.to_owned(), track.to_owned()))
}
