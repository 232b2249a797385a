//! WHIP and WHEP as HTTP sees them: every status there is, entity tags, CORS, and what the room sees of it. Media goes through real
//! clients in tests/interop.

use crate::world::{Answer, Client, claims, flags, request, sign, soon, start, token};
use nearcast_edge::config::Flags;
use nearcast_edge::edge::Edge;
use nearcast_protocol::client::Source;
use nearcast_protocol::{LeaveReason, ServerMessage};

const FINGERPRINT: &str = "D1:16:BD:E2:E1:B8:17:57:0A:5A:9D:CC:F5:0C:9D:EE:9F:E7:99:3C:86:76:EB:DB:A2:69:B6:30:EB:0F:0C:DA";

/// An offer of one audio and one video section.
pub(crate) fn offer(direction: &str) -> String {
    offer_of(direction, "opus/48000/2", "VP8/90000")
}

/// The same of a client that has this certificate.
pub(crate) fn offer_with(direction: &str, fingerprint: &str) -> String {
    offer(direction).replace(FINGERPRINT, fingerprint)
}

fn offer_of(direction: &str, audio: &str, video: &str) -> String {
    let common = format!(
        "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:client\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=fingerprint:sha-256 {FINGERPRINT}\r\n\
         a=setup:actpass\r\na={direction}\r\n"
    );
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 97\r\n{common}a=mid:0\r\na=rtpmap:97 {audio}\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\n{common}a=mid:1\r\na=rtpmap:96 {video}\r\n"
    )
}

/// A fragment of new credentials.
fn restart(ufrag: &str) -> String {
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=audio 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:0\r\n")
}

const CANDIDATE: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host\r\n";

fn bearer(token: &str, kind: &str) -> String {
    format!("authorization: Bearer {token}\r\ncontent-type: {kind}\r\n")
}

pub(crate) async fn post(edge: &Edge, path: &str, token: &str, sdp: &str) -> Answer {
    request(edge, &format!("POST {path}"), &bearer(token, "application/sdp"), sdp).await
}

async fn patch(edge: &Edge, path: &str, token: &str, if_match: &str, fragment: &str) -> Answer {
    let condition = if if_match.is_empty() { String::new() } else { format!("if-match: {if_match}\r\n") };
    let headers = bearer(token, "application/trickle-ice-sdpfrag") + &condition;
    request(edge, &format!("PATCH {path}"), &headers, fragment).await
}

pub(crate) async fn delete(edge: &Edge, path: &str, token: &str) -> Answer {
    request(edge, &format!("DELETE {path}"), &format!("authorization: Bearer {token}\r\n"), "").await
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    pub(crate) fn says(&self, status: u16, part: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let message = self.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn an_offer_that_sends_publishes() {
    let edge = start(&flags()).await;
    let (mut watcher, _) = Client::joined(&edge, "lobby", "watcher").await;
    let token = token("lobby", "camera-1");
    let answer = post(&edge, "/whip/lobby?name=stage", &token, &offer("sendonly")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/sdp");
    assert_eq!(answer.header("accept-patch"), "application/trickle-ice-sdpfrag");
    let location = answer.header("location");
    assert!(location.starts_with("/whip/lobby/") && location.len() == "/whip/lobby/".len() + 32, "{location}");
    assert!(answer.header("etag").starts_with('"'), "{answer:?}");
    assert!(answer.body.contains("a=recvonly") && answer.body.contains("a=setup:passive") && answer.body.contains("a=candidate:"));

    let ServerMessage::ParticipantJoined { participant } = watcher.next().await.unwrap() else { panic!("nobody joined") };
    assert_eq!((participant.identity.as_str(), participant.publications.len()), ("camera-1", 2));
    let sources: Vec<_> = participant.publications.iter().map(|publication| (publication.source, publication.name.as_str())).collect();
    assert_eq!(sources, [(Source::Microphone, "stage"), (Source::Camera, "stage")]);

    // An encoder that comes again takes its own place; the session it had is no more.
    let again = post(&edge, "/whip/lobby?source=screen", &token, &offer("sendonly")).await;
    assert_eq!(again.status, 201);
    let reason = watcher.wait_for(|message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(reason.await, LeaveReason::Replaced);
    gone(&edge, &location, &token).await;

    assert_eq!(delete(&edge, &again.header("location"), &token).await.status, 200);
    let reason = watcher.wait_for(|message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(reason.await, LeaveReason::Left);
    delete(&edge, &again.header("location"), &token).await.says(404, "no such session");
}

/// A session that ended by itself goes from the table a moment later.
async fn gone(edge: &Edge, location: &str, token: &str) {
    soon(async {
        while patch(edge, location, token, "", CANDIDATE).await.status != 404 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_offer_that_receives_plays() {
    let edge = start(&flags()).await;
    let publisher = post(&edge, "/whip/lobby", &token("lobby", "camera-1"), &offer("sendonly")).await;
    assert_eq!(publisher.status, 201, "{publisher:?}");
    // Players may share a token.
    let viewer = token("lobby", "viewer");
    for _ in 0..3 {
        let answer = post(&edge, "/whep/lobby", &viewer, &offer("recvonly")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(answer.body.matches("a=sendonly").count() == 2 && answer.body.contains("a=ssrc:"), "{}", answer.body);
        assert!(answer.header("location").starts_with("/whep/lobby/"));
    }
    let stats = request(&edge, "GET /v1/stats", "", "").await.json();
    assert_eq!(stats["total"]["core"]["subscriptions"], 6);
    assert_eq!((&stats["signalling"]["http_open"], &stats["signalling"]["whep_begun"]), (&4.into(), &3.into()));
}

#[tokio::test]
async fn sendrecv_is_answered_one_way() {
    let edge = start(&flags()).await;
    let answer = post(&edge, "/whip/lobby", &token("lobby", "a"), &offer("sendrecv")).await;
    assert!(answer.status == 201 && answer.body.matches("a=recvonly").count() == 2, "{answer:?}");
    let answer = post(&edge, "/whep/lobby", &token("lobby", "b"), &offer("sendrecv")).await;
    assert!(answer.status == 201 && answer.body.matches("a=sendonly").count() == 2, "{answer:?}");
}

#[tokio::test]
async fn only_a_token_for_the_room_opens_it() {
    let edge = start(&flags()).await;
    let good = token("lobby", "ada");
    let nobody = request(&edge, "POST /whip/lobby", "content-type: application/sdp\r\n", &offer("sendonly")).await;
    nobody.says(401, "Authorization: Bearer TOKEN");
    assert_eq!(nobody.header("www-authenticate"), "bearer");
    post(&edge, "/whip/lobby", "nonsense", &offer("sendonly")).await.says(401, "not valid");
    let mut expired = claims("lobby", "ada");
    expired.exp -= 7200;
    let expired = sign(&expired);
    post(&edge, "/whip/lobby", &expired, &offer("sendonly")).await.says(401, "expired");
    post(&edge, "/whip/cellar", &good, &offer("sendonly")).await.says(403, "another room");
    let mut mute = claims("lobby", "ada");
    mute.can_publish = false;
    post(&edge, "/whip/lobby", &sign(&mute), &offer("sendonly")).await.says(403, "can_publish");
    let mut deaf = claims("lobby", "ada");
    deaf.can_subscribe = false;
    post(&edge, "/whep/lobby", &sign(&deaf), &offer("recvonly")).await.says(403, "can_subscribe");

    let location = post(&edge, "/whip/lobby", &good, &offer("sendonly")).await.header("location");
    let stranger = token("lobby", "eve");
    delete(&edge, &location, &stranger).await.says(403, "another identity");
    patch(&edge, &location, &stranger, "*", &restart("other")).await.says(403, "another identity");
    delete(&edge, &location, "nonsense").await.says(401, "not valid");
    let elsewhere = token("cellar", "ada");
    delete(&edge, &location, &elsewhere).await.says(403, "another room");
    delete(&edge, &location.replace("lobby", "cellar"), &elsewhere).await.says(404, "no such session");
    delete(&edge, &location.replace("whip", "whep"), &good).await.says(404, "no such session");
    // After all that it is still there, and whoever began it may end it, also with the same token grown old.
    assert_eq!(delete(&edge, &location, &expired).await.status, 200);
}

#[tokio::test]
async fn what_is_no_offer_is_refused_with_the_reason() {
    let edge = start(&flags()).await;
    let token = token("lobby", "ada");
    let refused = request(&edge, "POST /whip/lobby", &bearer(&token, "application/json"), "{}").await;
    refused.says(415, "send application/sdp");
    assert_eq!(refused.header("accept-post"), "application/sdp");
    post(&edge, "/whip/lobby", &token, "hello").await.says(400, "not SDP");
    post(&edge, "/whip/lobby", &token, &offer("sendonly").replace("a=group:BUNDLE 0 1\r\n", "")).await.says(400, "BUNDLE");
    post(&edge, "/whip/lobby?source=moon", &token, &offer("sendonly")).await.says(400, "source=screen");
    post(&edge, "/whip/lobby", &token, &offer("recvonly")).await.says(422, "sends nothing");
    // Not 406, which promises a counter-offer.
    post(&edge, "/whep/lobby", &token, &offer("sendonly")).await.says(422, "a=recvonly section for each track to play and POST it again");
    post(&edge, "/whip/lobby", &token, &offer_of("sendonly", "PCMU/8000", "H265/90000")).await.says(422, "none of the section's codecs");
    post(&edge, "/whip/lobby", &token, &"a".repeat(300_000)).await.says(413, "more than 262144 bytes");
    let stats = request(&edge, "GET /v1/stats", "", "").await.json();
    assert_eq!((&stats["total"]["core"]["participants"], &stats["signalling"]["http_refused"]), (&0.into(), &8.into()));
}

#[tokio::test]
async fn part_of_an_offer_will_do() {
    let edge = start(&flags()).await;
    let answer = post(&edge, "/whip/lobby", &token("lobby", "a"), &offer_of("sendonly", "opus/48000/2", "H265/90000")).await;
    assert!(answer.status == 201 && answer.body.contains("m=video 0 "), "{answer:?}");
}

#[tokio::test]
async fn entity_tags_keep_ice_generations_apart() {
    let edge = start(&flags()).await;
    let token = token("lobby", "ada");
    let begun = post(&edge, "/whip/lobby", &token, &offer("sendonly")).await;
    let (location, first) = (begun.header("location"), begun.header("etag"));
    assert_eq!(patch(&edge, &location, &token, &first, CANDIDATE).await.status, 204);
    patch(&edge, &location, &token, "", CANDIDATE).await.says(428, "If-Match");
    patch(&edge, &location, &token, "\"other\"", CANDIDATE).await.says(412, "another ICE generation");
    patch(&edge, &location, &token, &first, &restart("fresh")).await.says(412, "If-Match: *");
    patch(&edge, &location, &token, &first, "{}").await.says(400, "fragment");
    let typed = request(&edge, &format!("PATCH {location}"), &bearer(&token, "application/sdp"), CANDIDATE).await;
    typed.says(415, "trickle-ice-sdpfrag");
    assert_eq!(typed.header("accept-patch"), "application/trickle-ice-sdpfrag");

    let restarted = patch(&edge, &location, &token, "*", &restart("fresh")).await;
    assert_eq!(restarted.status, 200, "{restarted:?}");
    assert_eq!(restarted.header("content-type"), "application/trickle-ice-sdpfrag");
    let second = restarted.header("etag");
    assert!(second != first && second.starts_with('"'));
    assert!(restarted.body.contains("a=ice-ufrag:") && restarted.body.contains("a=mid:0") && restarted.body.contains("a=candidate:"));
    patch(&edge, &location, &token, &first, CANDIDATE).await.says(412, "another ICE generation");
    assert_eq!(patch(&edge, &location, &token, &second, CANDIDATE).await.status, 204);
    // The same again is no restart, and changes nothing.
    assert_eq!(patch(&edge, &location, &token, "*", &restart("fresh")).await.status, 204);

    let conditional = format!("authorization: Bearer {token}\r\nif-match: {first}\r\n");
    request(&edge, &format!("DELETE {location}"), &conditional, "").await.says(412, "another ICE generation");
    assert_eq!(delete(&edge, &location, &token).await.status, 200);
    patch(&edge, &location, &token, &second, CANDIDATE).await.says(404, "no such session");
}

#[tokio::test]
async fn browsers_of_any_origin_may_ask() {
    let edge = start(&flags()).await;
    let preflight =
        "origin: https://example.org\r\naccess-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n";
    for (path, methods, accept) in [
        ("/whip/lobby", "post, options", "accept-post: application/sdp"),
        ("/whep/lobby/0123", "patch, delete, options", "accept-patch: application/trickle-ice-sdpfrag"),
    ] {
        let answer = request(&edge, &format!("OPTIONS {path}"), preflight, "").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-methods"), methods);
        assert!(answer.header("access-control-allow-headers").contains("if-match") && answer.head.contains(accept), "{answer:?}");
    }
    let begun = post(&edge, "/whep/lobby", &token("lobby", "a"), &offer("recvonly")).await;
    assert_eq!(begun.header("access-control-allow-origin"), "*");
    let exposed = begun.header("access-control-expose-headers");
    assert!(["location", "etag", "link"].iter().all(|name| exposed.contains(name)), "{exposed}");
    let refused = post(&edge, "/whep/lobby", "nonsense", "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin").as_str()), (401, "*"));

    for (line, allow) in
        [("GET /whip/lobby", "options, post"), ("PUT /whip/lobby", "options, post"), ("GET /whip/lobby/1", "delete, options, patch")]
    {
        let answer = request(&edge, line, "", "").await;
        assert_eq!((answer.status, answer.header("allow").as_str()), (405, allow), "{line}");
    }
}

#[tokio::test]
async fn who_begins_too_often_is_told_to_wait() {
    let edge = start(&flags()).await;
    let busy = token("lobby", "busy");
    let refused = soon(async {
        loop {
            let answer = post(&edge, "/whip/lobby", &busy, &offer("sendonly")).await;
            if answer.status != 201 {
                return answer;
            }
        }
    })
    .await;
    refused.says(429, "too fast");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    // Others are not meant.
    assert_eq!(post(&edge, "/whip/lobby", &token("lobby", "calm"), &offer("sendonly")).await.status, 201);
}

#[tokio::test]
async fn a_full_edge_says_so() {
    let edge = start(&Flags { max_connections: Some("2".to_owned()), ..flags() }).await;
    let locations = [
        post(&edge, "/whip/lobby", &token("lobby", "a"), &offer("sendonly")).await.header("location"),
        post(&edge, "/whep/lobby", &token("lobby", "b"), &offer("recvonly")).await.header("location"),
    ];
    let refused = post(&edge, "/whep/lobby", &token("lobby", "c"), &offer("recvonly")).await;
    refused.says(503, "as many connections as it takes");
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(delete(&edge, &locations[0], &token("lobby", "a")).await.status, 200);
    soon(async {
        while post(&edge, "/whep/lobby", &token("lobby", "c"), &offer("recvonly")).await.status != 201 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_ends_them_all() {
    let edge = start(&flags()).await;
    for identity in ["a", "b", "c"] {
        assert_eq!(post(&edge, "/whip/lobby", &token("lobby", identity), &offer("sendonly")).await.status, 201);
    }
    assert_eq!(soon(edge.shutdown()).await.http_open, 0);
}
