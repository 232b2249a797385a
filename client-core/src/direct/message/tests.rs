use super::*;
use proptest::prelude::*;

#[test]
fn what_is_written_is_read() {
    let lines = vec![("t_a".into(), Mid("0".into())), ("t_b".into(), Mid("12".into()))];
    for (_, word) in WORDS {
        let body = if word == Word::Candidate || word == Word::Reply { "candidate:1 1 udp" } else { "v=0\r\nm=audio\r\n" };
        let lines = if word == Word::Offer { lines.as_slice() } else { &[] };
        let payload = write(word, 4_294_967_295, 10, lines, body);
        assert_eq!(read(&payload), Some(Message { word, link: u32::MAX, round: 10, lines: lines.to_vec(), body }));
    }
}

#[test]
fn foreign_payloads_are_none() {
    let long = write(Word::Candidate, 1, 1, &[], &"c".repeat(MAX_CANDIDATE + 1));
    let many = write(Word::Offer, 1, 1, &vec![("t".into(), Mid("0".into())); MAX_LINES + 1], "v=0");
    let strange =
        ["", "{}", "offer 1 1\n", "n=offer 1 1", "n=offer 1\n", "n=sing 1 1\n", "n=offer 1 x\n", "n=offer -1 1\n", "n=offer 1 1\nn=x t\n"];
    for payload in strange.into_iter().chain([&*long, &*many, &*"n".repeat(MAX_PEER_PAYLOAD + 1)]) {
        assert_eq!(read(payload), None, "{payload}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(payload in "(n=)?[a-z]{0,9} ?[0-9]{0,11} ?[0-9]{0,3}\n?(n=)?.{0,20}") {
        let _ = read(&payload);
    }
}
