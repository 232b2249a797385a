//! What an answer says, section by section.

use super::*;
use crate::sdp::limits;

fn section<'a>(sdp: &'a str, mid: &str) -> Vec<&'a str> {
    let wanted = format!("a=mid:{mid}");
    split_sections(sdp).into_iter().find(|lines| lines.contains(&wanted.as_str())).unwrap()
}

#[test]
fn the_session_says_lite_passive_and_who_it_is() {
    let answer = answer(&offer("chromium-publish-slots"));
    let session = &split_sections(&answer)[0];
    assert_eq!(session[1], "o=- 42 7 IN IP4 127.0.0.1");
    assert!(session.contains(&"a=ice-lite"));
    assert!(session.contains(&"a=group:BUNDLE 0 1 2 3 4 5 6 7 8 9 10"));
    assert!(session.iter().any(|line| line.starts_with("a=fingerprint:sha-256 ED:ED:")));
    for mid in ["0", "3", "10"] {
        let lines = section(&answer, mid);
        assert!(
            lines.contains(&"a=setup:passive")
                && lines.contains(&"a=ice-ufrag:edge")
                && lines.contains(&"a=ice-pwd:0123456789abcdefghijkl")
        );
    }
}

#[test]
fn candidates_are_host_candidates_in_order_of_preference() {
    let answer = answer(&offer("chromium-data-only"));
    let candidates: Vec<&str> = answer.lines().filter(|line| line.contains("candidate")).collect();
    assert_eq!(
        candidates,
        [
            "a=candidate:1 1 udp 2130706431 192.0.2.1 7878 typ host",
            "a=candidate:2 1 udp 2130706175 2001:db8::1 7878 typ host",
            "a=candidate:1 1 udp 2130705919 192.0.2.1 443 typ host",
            "a=candidate:4 1 tcp 1520435199 192.0.2.1 443 typ host tcptype passive",
            "a=candidate:5 1 tcp 1520434943 2001:db8::1 443 typ host tcptype passive",
            "a=end-of-candidates",
        ]
    );
}

#[test]
fn slots_announce_their_stream_and_its_retransmissions() {
    let offer = offer("chromium-publish-slots");
    let mut sections = grant_all(&offer, &AnswerOptions::default());
    for (index, stream) in sections.iter_mut().enumerate().filter_map(|(index, section)| Some((index, section.send.as_mut()?))) {
        stream.stream_id = format!("slot-{}", (index - 2) / 2);
    }
    let answer = write(&offer, &sections);
    let (audio, video) = (section(&answer, "2"), section(&answer, "3"));
    assert!(audio.contains(&"a=msid:slot-0 track-1002") && video.contains(&"a=msid:slot-0 track-1003"), "one stream for voice and face");
    assert!(video.contains(&"a=sendonly") && video.contains(&"a=ssrc-group:FID 1003 2003"));
    assert!(video.contains(&"a=ssrc:1003 cname:edge") && video.contains(&"a=ssrc:2003 cname:edge"));
    assert!(!audio.iter().any(|line| line.contains("2002")), "no codec of it has RTX");
}

#[test]
fn directions_are_limited_by_both_ends() {
    let direction = |offered: &str, send: bool, receive: bool| {
        let offer = Offer::parse(&small_offer_with("a=recvonly", offered)).unwrap();
        let mut sections = grant_all(&offer, &AnswerOptions::default());
        sections[1].receive = receive;
        sections[1].send = sections[1].send.take().filter(|_| send);
        let answer = write(&offer, &sections);
        section(&answer, "v")
            .into_iter()
            .find_map(|line| line.strip_prefix("a=").filter(|name| name.ends_with("only") || name.ends_with("recv") || *name == "inactive"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(direction("a=sendrecv", true, true), "sendrecv");
    assert_eq!(direction("a=sendrecv", true, false), "sendonly");
    assert_eq!(direction("a=sendrecv", false, true), "recvonly");
    assert_eq!(direction("a=sendrecv", false, false), "inactive");
    assert_eq!(direction("a=recvonly", true, true), "sendonly");
    assert_eq!(direction("a=sendonly", true, true), "recvonly");
    assert_eq!(direction("a=inactive", true, true), "inactive");
}

#[test]
fn a_stream_is_not_announced_to_who_does_not_receive() {
    let offer = Offer::parse(&small_offer_with("a=recvonly", "a=inactive")).unwrap();
    let mut sections = grant_all(&offer, &AnswerOptions::default());
    sections[1].send =
        Some(EgressStream { ssrc: 9, rtx_ssrc: None, stream_id: "s".to_owned(), track_id: "t".to_owned(), cname: "c".to_owned() });
    let answer = write(&offer, &sections);
    assert!(!answer.contains("a=ssrc:") && !answer.contains("a=msid:"));
}

#[test]
fn simulcast_is_answered_when_asked_for() {
    let offer = offer("chromium-simulcast");
    let simulcast = AnswerOptions { simulcast: true };
    let answer = write(&offer, &grant_all(&offer, &simulcast));
    let video = section(&answer, "1");
    assert!(video.contains(&"a=rid:q recv") && video.contains(&"a=rid:h recv") && video.contains(&"a=rid:f recv"));
    assert!(video.contains(&"a=simulcast:recv q;h;f"));
    assert!(!super::answer(&offer).contains("a=simulcast"), "not by default");

    let mut refused = grant_all(&offer, &simulcast);
    refused[1].receive = false;
    assert!(!write(&offer, &refused).contains("a=simulcast"), "nothing is received in an inactive section");
}

#[test]
fn simulcast_needs_a_way_to_tell_layers_apart() {
    let simulcast = AnswerOptions { simulcast: true };
    let rids = |text: &str| negotiate(&Offer::parse(text).unwrap().sections[1], &simulcast).rids;
    let text = offer_text("chromium-simulcast");
    let nameless = text.replace("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n", "");
    assert_ne!(text, nameless);
    assert_eq!(rids(&nameless), [""; 0], "no stream ids on packets, no SSRCs");
    let announced =
        nameless.replace("a=simulcast:send q;h;f", "a=simulcast:send f;q;h\r\na=ssrc:1 cname:x\r\na=ssrc:2 cname:x\r\na=ssrc:3 cname:x");
    assert_eq!(rids(&announced), ["f", "q", "h"], "SSRCs in the same order, whatever the order");
}

#[test]
fn the_data_section_states_what_the_edge_takes() {
    let answer = answer(&offer("chromium-data-only"));
    let data = section(&answer, "0");
    assert_eq!(data[0], "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(data.contains(&"a=sctp-port:5000") && data.contains(&"a=max-message-size:65536"));
}

#[test]
fn what_is_not_decided_or_not_known_is_rejected_in_its_place() {
    let text = small_offer()
        + "m=text 9 RTP/AVP 98\r\na=mid:t\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d2\r\nm=video 9 UDP/TLS/RTP/SAVPF 34\r\na=mid:h263\r\na=rtcp-mux\r\na=rtpmap:34 H263/90000\r\n";
    let text = text.replace("BUNDLE a v d", "BUNDLE a v d t d2 h263");
    let offer = Offer::parse(&text).unwrap();
    let answer = write(&offer, &grant_all(&offer, &AnswerOptions::default()));
    assert_eq!(section(&answer, "t")[0], "m=text 0 RTP/AVP 98");
    assert_eq!(section(&answer, "d2")[0], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "a transport has one SCTP association");
    assert_eq!(section(&answer, "h263")[0], "m=video 0 UDP/TLS/RTP/SAVPF 34", "no codec in common");
    assert!(answer.contains("a=group:BUNDLE a v d\r\n"));

    let undecided = write(&offer, &grant_all(&offer, &AnswerOptions::default())[..2]);
    assert_eq!(section(&undecided, "d")[0], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
}

#[test]
fn an_answer_for_a_large_room_fits_a_message() {
    let offer = offer("chromium-publish-slots");
    let slot_bytes = (answer(&offer).len() / offer.sections.len()).max(1);
    assert!(slot_bytes * 128 < limits::MAX_OFFER_BYTES, "{slot_bytes} bytes a section");
}
