//! One offer at a time, nothing forgotten, slots that grow in steps.

use super::*;
use crate::Code;
use nearcast_protocol::Published;

fn publish(request: u32) -> Publish {
    Publish::new(RequestId(request), Source::Microphone, String::new(), false, request.is_multiple_of(2))
}

fn counts(audio: u16, video: u16) -> SlotCounts {
    SlotCounts { audio, video }
}

/// Past its first offer.
fn negotiated() -> Negotiation {
    let mut negotiation = Negotiation::new(counts(4, 4));
    assert_eq!(negotiation.next(), Some(Plan { publish: vec![], grow: counts(4, 4), restart: false }));
    negotiation.made("offer".into(), &[]);
    negotiation.send(1).unwrap();
    negotiation.answered(MediaAnswer::default()).unwrap();
    assert!(negotiation.applied().is_empty());
    negotiation
}

#[test]
fn what_is_asked_while_an_offer_is_under_way_goes_into_the_next_one_together() {
    let mut negotiation = negotiated();
    negotiation.publish(publish(1)).unwrap();
    assert_eq!(negotiation.next(), Some(Plan { publish: vec![RequestId(1)], grow: counts(0, 0), restart: false }));
    negotiation.publish(publish(2)).unwrap();
    negotiation.want_slots(counts(5, 4));
    negotiation.publish(publish(3)).unwrap();
    assert_eq!(negotiation.next(), None);
    negotiation.made("offer".into(), &[(RequestId(1), "8".into())]);
    assert_eq!(negotiation.next(), None);
    let offer = negotiation.send(7).unwrap();
    assert_eq!(offer.publish.len(), 1);
    assert_eq!(negotiation.next(), None);
    let published = vec![Published { mid: "8".into(), publication: Some("pub".into()), error: None }];
    negotiation.answered(MediaAnswer { sdp: "answer".into(), published }).unwrap();
    assert_eq!(negotiation.next(), None);
    let settled = negotiation.applied();
    assert_eq!((&settled[0].result, settled[0].mid.as_str()), (&Ok("pub".into()), "8"));
    assert_eq!(negotiation.next(), Some(Plan { publish: vec![RequestId(2), RequestId(3)], grow: counts(4, 0), restart: false }));
}

#[test]
fn an_offer_that_is_not_for_the_edge_takes_the_answer_we_have() {
    let mut negotiation = negotiated();
    assert!(!negotiation.restart_alone(), "there was no answer worth the name");
    negotiation.restart();
    negotiation.next().unwrap();
    negotiation.made("offer".into(), &[]);
    negotiation.send(2).unwrap();
    let applied = negotiation.answered(MediaAnswer { sdp: "v=0\r\n".into(), published: vec![] }).unwrap();
    assert!(!negotiation.restart_alone(), "one at a time");
    negotiation.applied();

    assert!(negotiation.restart_alone());
    negotiation.publish(publish(1)).unwrap();
    assert_eq!(negotiation.next(), None, "whatever is asked for meanwhile waits");
    negotiation.made("offer".into(), &[]);
    assert_eq!(negotiation.answered_alone(), Some(applied));
    assert!(!negotiation.is_ready() && negotiation.answered_alone().is_none());
    negotiation.applied();
    assert_eq!(negotiation.next().unwrap().publish, [RequestId(1)]);

    negotiation.renew();
    assert!(!negotiation.restart_alone(), "another transport has another answer");
}

#[test]
fn slots_grow_by_batches_and_by_half_and_stop_at_the_limit() {
    let mut negotiation = negotiated();
    for (wanted, grown) in [(5, 8), (9, 12), (13, 20), (21, 32), (33, 48), (49, 64), (9999, 64)] {
        negotiation.want_slots(counts(0, wanted));
        if let Some(plan) = negotiation.next() {
            assert_eq!(plan.grow.audio, 0);
            negotiation.made("offer".into(), &[]);
            negotiation.send(1);
            negotiation.answered(MediaAnswer::default());
            negotiation.applied();
        }
        assert_eq!(negotiation.slots, counts(4, grown), "{wanted} wanted");
    }
}

#[test]
fn an_offer_whose_answer_may_be_lost_is_sent_again_unchanged() {
    let mut negotiation = negotiated();
    negotiation.publish(publish(1)).unwrap();
    negotiation.next();
    negotiation.made("offer".into(), &[(RequestId(1), "8".into())]);
    let first = negotiation.send(3);
    negotiation.connection_lost();
    assert!(negotiation.is_ready());
    assert_eq!(negotiation.send(4), first);
    assert!(negotiation.is_sent_as(4) && !negotiation.is_sent_as(3));
}

#[test]
fn tracks_of_a_refused_offer_fail_and_its_slots_stay() {
    let mut negotiation = negotiated();
    negotiation.want_slots(counts(4, 8));
    negotiation.publish(publish(1)).unwrap();
    negotiation.next();
    negotiation.made("offer".into(), &[(RequestId(1), "8".into())]);
    negotiation.send(3);
    let failed = negotiation.failed(&Code::Edge(ErrorCode::BadSdp).into());
    assert_eq!(failed.len(), 1);
    assert_eq!(negotiation.next(), None, "the transceivers exist: nothing to add");
    negotiation.publish(publish(2)).unwrap();
    assert_eq!(negotiation.next(), Some(Plan { publish: vec![RequestId(2)], grow: counts(0, 0), restart: false }));
}

#[test]
fn a_track_the_answer_does_not_mention_fails() {
    let mut negotiation = negotiated();
    negotiation.publish(publish(1)).unwrap();
    negotiation.next();
    negotiation.made("offer".into(), &[(RequestId(1), "8".into())]);
    negotiation.send(3);
    negotiation.answered(MediaAnswer::default());
    assert!(negotiation.applied()[0].result.is_err());
}

#[test]
fn silence_suppression_follows_the_track_in_a_section() {
    let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:8\r\na=rtpmap:111 opus/48000/2\r\na=recvonly\r\n";
    let mut negotiation = negotiated();
    for (request, dtx) in [(2, true), (3, false), (4, true)] {
        negotiation.publish(publish(request)).unwrap();
        negotiation.next();
        negotiation.made("offer".into(), &[(RequestId(request), "8".into())]);
        negotiation.send(3);
        let tuned = negotiation.answered(MediaAnswer { sdp: answer.into(), published: vec![] }).unwrap();
        assert_eq!(tuned.contains("usedtx=1"), dtx, "request {request}");
        negotiation.applied();
    }
}

#[test]
fn the_queue_is_bounded() {
    let mut negotiation = Negotiation::new(counts(4, 4));
    for request in 0..MAX_QUEUED {
        negotiation.publish(publish(request as u32)).unwrap();
    }
    assert_eq!(negotiation.publish(publish(999)).unwrap_err().code, Code::Edge(ErrorCode::LimitReached));
}
