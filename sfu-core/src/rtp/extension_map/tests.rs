//! Ids and kinds stay one-to-one, whatever is negotiated.

use super::{ExtensionKind, ExtensionMap, InvalidExtensionId};

#[test]
fn uris_lead_back_to_their_kinds() {
    for kind in ExtensionKind::ALL {
        assert_eq!(ExtensionKind::from_uri(kind.uri()), Some(kind));
    }
    assert_eq!(ExtensionKind::from_uri("urn:ietf:params:rtp-hdrext:toffset"), None);
}

#[test]
fn both_directions_agree() {
    let mut map = ExtensionMap::default();
    map.insert(3, ExtensionKind::TransportCc).unwrap();
    map.insert(255, ExtensionKind::DependencyDescriptor).unwrap();
    assert_eq!(map.kind_of(3), Some(ExtensionKind::TransportCc));
    assert_eq!(map.id_of(ExtensionKind::DependencyDescriptor), Some(255));
    assert_eq!(map.id_of(ExtensionKind::Mid), None);
    assert_eq!(map.kind_of(4), None);
}

#[test]
fn the_later_claim_wins() {
    let mut map = ExtensionMap::default();
    map.insert(3, ExtensionKind::Mid).unwrap();
    map.insert(3, ExtensionKind::Rid).unwrap();
    assert_eq!((map.kind_of(3), map.id_of(ExtensionKind::Mid)), (Some(ExtensionKind::Rid), None));
    map.insert(4, ExtensionKind::Rid).unwrap();
    assert_eq!((map.kind_of(3), map.id_of(ExtensionKind::Rid)), (None, Some(4)));
    map.insert(4, ExtensionKind::Rid).unwrap();
    assert_eq!((map.kind_of(4), map.id_of(ExtensionKind::Rid)), (Some(ExtensionKind::Rid), Some(4)));
}

#[test]
fn reserved_ids_are_refused() {
    let mut map = ExtensionMap::default();
    for id in [0, 15] {
        assert_eq!(map.insert(id, ExtensionKind::Mid), Err(InvalidExtensionId(id)));
    }
    assert_eq!(map.id_of(ExtensionKind::Mid), None);
}
