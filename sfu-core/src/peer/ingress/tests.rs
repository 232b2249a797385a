use super::*;
use slotmap::SlotMap;

const RIDS: [&str; 3] = ["q", "h", "f"];

fn ingress(rids: &[&str]) -> (Ingress, PublicationKey) {
    let publication = SlotMap::<PublicationKey, ()>::with_key().insert(());
    let mut ingress = Ingress::default();
    ingress.set_sender(&"1".into(), publication, rids.iter().map(|rid| (*rid).to_owned()).collect());
    (ingress, publication)
}

fn named<'a>(mid: &'a str, rid: &'a str) -> Extensions<'a> {
    Extensions { mid: Some(mid.as_bytes()), rid: Some(rid.as_bytes()), ..Extensions::default() }
}

fn repairing<'a>(mid: &'a str, repaired: &'a str) -> Extensions<'a> {
    Extensions { mid: Some(mid.as_bytes()), repaired_rid: Some(repaired.as_bytes()), ..Extensions::default() }
}

#[test]
fn encodings_are_found_by_their_names_and_then_by_ssrc() {
    let (mut ingress, publication) = ingress(&RIDS);
    let found = ingress.resolve(7, 96, &named("1", "h"), false).unwrap();
    assert_eq!(found, IncomingStream { ssrc: 7, publication, encoding: 1, repair: false });
    assert_eq!(ingress.resolve(7, 96, &Extensions::default(), false), Some(found), "without a name from then on");
    let repair = ingress.resolve(8, 96, &repairing("1", "f"), true).unwrap();
    assert_eq!((repair.encoding, repair.repair), (2, true));
}

#[test]
fn what_has_no_name_of_ours_is_nobodys() {
    let (mut ingress, _) = ingress(&RIDS);
    assert_eq!(ingress.resolve(7, 96, &named("1", "x"), false), None);
    assert_eq!(ingress.resolve(7, 96, &named("2", "h"), false), None);
    assert_eq!(ingress.resolve(7, 96, &Extensions { mid: Some(b"1"), ..Extensions::default() }, false), None, "which of three?");
    assert!(!ingress.knows(7), "and leaves no trace");
}

#[test]
fn a_single_stream_needs_no_name() {
    for rids in [&[][..], &["q"]] {
        let (mut ingress, _) = ingress(rids);
        assert_eq!(ingress.resolve(7, 96, &Extensions { mid: Some(b"1"), ..Extensions::default() }, false).unwrap().encoding, 0);
    }
}

#[test]
fn packets_correct_what_was_announced() {
    let (mut ingress, publication) = ingress(&RIDS);
    for (encoding, ssrc) in (0..).zip([10, 11, 12]) {
        ingress.announce(IncomingStream { ssrc, publication, encoding, repair: false });
    }
    assert_eq!(ingress.resolve(10, 96, &named("1", "f"), false).unwrap().encoding, 2, "announced in another order");
    assert_eq!(ingress.resolve(10, 96, &Extensions::default(), false).unwrap().encoding, 2);
    assert_eq!(ingress.resolve(11, 96, &Extensions::default(), false).unwrap().encoding, 1);
}

#[test]
fn inventing_streams_costs_the_inventor_its_oldest() {
    let (mut ingress, _) = ingress(&RIDS);
    for ssrc in 0..1_000 {
        ingress.resolve(ssrc, 96, &named("1", "q"), false).unwrap();
    }
    assert_eq!((0..1_000).filter(|ssrc| ingress.knows(*ssrc)).count(), MAX_SSRCS);
    assert!(ingress.knows(999) && !ingress.knows(0));
}

/// Two publications of three encodings, the second in the first one's section.
fn one_after_the_other(learnt: impl FnOnce(&mut Ingress)) -> (Ingress, PublicationKey) {
    let mut publications = SlotMap::<PublicationKey, ()>::with_key();
    let (first, second) = (publications.insert(()), publications.insert(()));
    let rids = || RIDS.iter().map(|rid| (*rid).to_owned()).collect();
    let mut ingress = Ingress::default();
    ingress.set_sender(&"1".into(), first, rids());
    learnt(&mut ingress);
    ingress.remove(first);
    ingress.set_sender(&"1".into(), second, rids());
    (ingress, second)
}

#[test]
fn a_section_that_sends_again_is_known_by_what_its_streams_were_called() {
    let (mut ingress, second) = one_after_the_other(|ingress| {
        ingress.resolve(7, 96, &named("1", "h"), false).unwrap();
        ingress.resolve(8, 97, &repairing("1", "h"), true).unwrap();
    });
    assert!(!ingress.knows(7));
    assert_eq!(
        ingress.resolve(7, 96, &Extensions::default(), false),
        Some(IncomingStream { ssrc: 7, publication: second, encoding: 1, repair: false })
    );
    assert_eq!(
        ingress.resolve(8, 97, &Extensions::default(), true),
        Some(IncomingStream { ssrc: 8, publication: second, encoding: 1, repair: true })
    );
    assert_eq!(ingress.resolve(9, 96, &Extensions::default(), false), None, "of no such stream");
    // What a packet says counts more.
    let (mut ingress, _) = one_after_the_other(|ingress| assert!(ingress.resolve(7, 96, &named("1", "h"), false).is_some()));
    assert_eq!(ingress.resolve(7, 96, &named("1", "f"), false).unwrap().encoding, 2);
}

#[test]
fn what_ended_streams_were_called_is_bounded() {
    let (mut ingress, _) = one_after_the_other(|ingress| {
        for ssrc in 0..1_000 {
            ingress.resolve(ssrc, 96, &named("1", "q"), false).unwrap();
        }
    });
    assert_eq!(ingress.ended.len(), MAX_SSRCS);
    assert_eq!(ingress.resolve(0, 96, &Extensions::default(), false), None);
}
