//! Encoders are told how to begin; nothing else changes.

use super::*;
use proptest::prelude::*;

const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:4\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;usedtx=0\r\na=recvonly\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=sendonly\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:5\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=recvonly\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:1\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\na=sendonly\r\n";

const VIDEO: (&str, &str) = ("a=rtpmap:96 VP8/90000\r\n", "a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=1500\r\n");

#[test]
fn a_microphone_with_dtx_is_told_so() {
    let expected = ANSWER.replace("minptime=10;usedtx=0", "minptime=10;useinbandfec=1;usedtx=1").replace(VIDEO.0, VIDEO.1);
    assert_eq!(tune_answer(ANSWER, &["4".into()], true), expected);
}

#[test]
fn a_microphone_without_dtx_gets_error_correction_only() {
    let expected = ANSWER.replace("minptime=10;usedtx=0", "minptime=10;useinbandfec=1;usedtx=0").replace(VIDEO.0, VIDEO.1);
    assert_eq!(tune_answer(ANSWER, &[], true), expected);
}

#[test]
fn feedback_for_a_codec_that_is_not_there_is_left_out() {
    let offer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 120\r\na=rtcp-fb:120 nack pli\r\na=rtcp-fb:123 nack\r\na=rtcp-fb:* ccm fir\r\na=rtpmap:120 VP8/90000\r\na=sendonly\r\n";
    assert_eq!(tune_answer(offer, &[], true), offer.replace("a=rtcp-fb:123 nack\r\n", ""));
}

#[test]
fn parameters_are_added_where_the_edge_gave_none() {
    let bare = ANSWER.replace("a=fmtp:111 minptime=10;usedtx=0\r\n", "");
    assert!(tune_answer(&bare, &["4".into()], true).contains("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;usedtx=1\r\n"));
}

#[test]
fn what_the_edge_says_of_a_video_codec_is_kept() {
    let sent = ANSWER.replace("a=mid:1\r\n", "a=mid:1\r\na=recvonly\r\n").replace("a=sendonly\r\n", "");
    assert!(tune_answer(&sent, &[], true).contains("a=fmtp:98 profile-id=0;x-google-start-bitrate=1500\r\n"));
}

#[test]
fn red_comes_last_where_it_is_not_wanted() {
    let tuned = |answer: &str| tune_answer(answer, &[], false);
    let expected = tune_answer(ANSWER, &[], true).replace("SAVPF 63 111\r\n", "SAVPF 111 63\r\n");
    assert_eq!((tuned(ANSWER), tuned(&expected)), (expected.clone(), expected.clone()));
    assert_eq!(tune_answer(&expected, &[], true), expected, "the order of the edge is that of the offer");
    let received = ANSWER.replace("a=recvonly\r\n", "a=sendonly\r\n");
    assert_eq!(tuned(&received), received, "what we receive is not ours to choose");
}

proptest! {
    #[test]
    fn any_text_passes_and_tuning_twice_changes_nothing(
        red in any::<bool>(),
        lines in prop::collection::vec("m=(audio|video)|a=mid:[0-3]|a=rtpmap:0 opus/1|a=rtpmap:1 VP8/1|a=rtpmap:3 red/1|m=audio [0-3] [0-3] [0-3] [0-3]|a=rtpmap:2 rtx/1|a=fmtp:[0-3] [a-c]=[0-9](;usedtx=0)?|a=recvonly|[ -~]{0,9}", 0..30),
    ) {
        let once = tune_answer(&lines.join("\r\n"), &["0".into()], red);
        prop_assert_eq!(tune_answer(&once, &["0".into()], red), once);
    }
}
