//! `a=extmap` (RFC 8285).

use super::Attributes;
use crate::rtp::ExtensionKind;
use crate::sdp::limits;
use crate::sdp::offer::{Direction, HeaderExtension, Section};
use std::collections::HashMap;

/// Extensions of one section that the edge knows. Without `allow_mixed` only what fits one-byte headers: the edge writes whichever
/// form is shorter, packet by packet. A dependency descriptor has a hundred bytes on key frames.
pub(super) fn parse(attributes: Attributes<'_>, allow_mixed: bool) -> Vec<HeaderExtension> {
    let highest = if allow_mixed { u8::MAX } else { 14 };
    attributes
        .values("extmap")
        .filter_map(parse_line)
        .filter(|extension| allow_mixed || extension.kind != ExtensionKind::DependencyDescriptor)
        .filter(|extension| extension.id <= highest && extension.direction != Direction::Inactive)
        .take(limits::MAX_EXTENSIONS)
        .collect()
}

/// `<id>["/"<direction>] <uri> [<attributes>]`
fn parse_line(line: &str) -> Option<HeaderExtension> {
    let mut words = line.split_whitespace();
    let (id, direction) = match words.next()?.split_once('/') {
        Some((id, direction)) => (id, Direction::from_name(direction)?),
        None => (line.split_whitespace().next()?, Direction::SendRecv),
    };
    let id = id.parse().ok().filter(|id| !matches!(id, 0 | 15))?;
    Some(HeaderExtension { id, kind: ExtensionKind::from_uri(words.next()?)?, direction })
}

/// Bundled sections share one id space (RFC 9143 §8). Where a later line contradicts an earlier one, in its section or another, the
/// later is dropped: it is not in the answer, so the offerer won't use it.
pub(super) fn keep_consistent(sections: &mut [Section]) {
    let mut kind_by_id: HashMap<u8, ExtensionKind> = HashMap::new();
    let mut id_by_kind: HashMap<ExtensionKind, u8> = HashMap::new();
    for section in sections {
        let mut in_section: Vec<u8> = Vec::new();
        section.extensions.retain(|extension| {
            let is_consistent = *kind_by_id.entry(extension.id).or_insert(extension.kind) == extension.kind
                && *id_by_kind.entry(extension.kind).or_insert(extension.id) == extension.id
                && !in_section.contains(&extension.id);
            in_section.push(extension.id);
            is_consistent
        });
    }
}
