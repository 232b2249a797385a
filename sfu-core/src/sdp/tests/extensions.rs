//! Which header extensions are accepted, where, and which way.

use super::*;
use crate::rtp::ExtensionKind;
use crate::sdp::{Direction, HeaderExtension};

fn kinds(name: &str, index: usize, options: &AnswerOptions) -> Vec<ExtensionKind> {
    negotiate(&offer(name).sections[index], options).extensions.iter().map(|extension| extension.kind).collect()
}

#[test]
fn publishing_sections_get_all_that_is_known() {
    use ExtensionKind::{
        AbsSendTime, DependencyDescriptor, Mid, PlayoutDelay, RepairedRid, Rid, TransportCc, VideoLayersAllocation, VideoOrientation,
    };
    assert_eq!(
        kinds("chromium-simulcast", 1, &AnswerOptions::default()),
        [AbsSendTime, VideoOrientation, TransportCc, PlayoutDelay, Mid, Rid, RepairedRid, DependencyDescriptor, VideoLayersAllocation]
    );
}

#[test]
fn slots_get_no_simulcast_extensions() {
    use ExtensionKind::{AbsSendTime, Mid, PlayoutDelay, TransportCc, VideoOrientation};
    let kinds = kinds("chromium-publish-slots", 3, &AnswerOptions::default());
    assert_eq!(kinds, [AbsSendTime, VideoOrientation, TransportCc, PlayoutDelay, Mid]);
}

#[test]
fn one_way_extensions_are_used_that_way_only() {
    let offer = offer("firefox-simulcast");
    let negotiated = negotiate(&offer.sections[1], &AnswerOptions::default());
    let (ingress, egress) = (negotiated.ingress_extensions(), negotiated.egress_extensions());
    assert_eq!((ingress.id_of(ExtensionKind::Rid), egress.id_of(ExtensionKind::Rid)), (Some(9), None));
    assert_eq!((ingress.id_of(ExtensionKind::PlayoutDelay), egress.id_of(ExtensionKind::PlayoutDelay)), (None, Some(6)));
    assert_eq!((ingress.id_of(ExtensionKind::Mid), egress.id_of(ExtensionKind::Mid)), (Some(3), Some(3)));
    let answer = answer(&offer);
    assert!(answer.contains("a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"));
    assert!(answer.contains("a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"));
}

#[test]
fn transport_feedback_needs_its_extension() {
    let offer = offer("gstreamer-sendrecv");
    assert!(offer.sections[1].codecs[0].feedback.transport_cc);
    assert!(!negotiate(&offer.sections[1], &AnswerOptions::default()).codecs[0].feedback.transport_cc, "packets carry no numbers");
}

#[test]
fn ids_that_need_two_byte_headers_need_mixed_ones() {
    let lines = "a=mid:a\r\na=extmap:16 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:15 urn:3gpp:video-orientation";
    let text = small_offer_with("a=mid:a", lines);
    let ids = |text: &str| Offer::parse(text).unwrap().sections[0].extensions.iter().map(|extension| extension.id).collect::<Vec<_>>();
    assert_eq!(ids(&text), [14]);
    assert_eq!(ids(&text.replace("a=setup:actpass", "a=setup:actpass\r\na=extmap-allow-mixed")), [16, 14]);
}

#[test]
fn mixed_headers_are_answered_only_when_offered() {
    assert!(answer(&offer("chromium-screen")).contains("a=extmap-allow-mixed\r\n"));
    assert!(!answer(&offer("aiortc-publish-slots")).contains("extmap-allow-mixed"));
}

#[test]
fn inactive_extensions_are_none() {
    let text = small_offer_with(
        "a=mid:a",
        "a=mid:a\r\na=extmap:1/inactive urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:2/sendrecv urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    );
    let expected = HeaderExtension { id: 2, kind: ExtensionKind::AudioLevel, direction: Direction::SendRecv };
    assert_eq!(Offer::parse(&text).unwrap().sections[0].extensions, [expected]);
}

#[test]
fn descriptors_of_a_hundred_bytes_need_mixed_headers() {
    let uri = ExtensionKind::DependencyDescriptor.uri();
    let text = small_offer_with("a=mid:v", &format!("a=mid:v\r\na=extmap:3 {uri}"));
    let kinds = |text: &str| Offer::parse(text).unwrap().sections[1].extensions.iter().map(|extension| extension.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&text), []);
    assert_eq!(kinds(&text.replace("a=setup:actpass", "a=setup:actpass\r\na=extmap-allow-mixed")), [ExtensionKind::DependencyDescriptor]);
}
