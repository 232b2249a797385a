//! Both encodings carry every message unchanged, and a newer peer's additions don't break an older one.

use super::{Cbor, WireError};
use crate::client::Source;
use crate::*;

fn publication() -> PublicationInfo {
    PublicationInfo { id: "pub1".into(), video: true, source: Source::Camera, name: "cam".into(), muted: false, blocked: false }
}

fn participant() -> ParticipantInfo {
    ParticipantInfo { id: "p1".into(), identity: "ada".into(), name: "Ada".into(), role: None, publications: vec![publication()] }
}

fn requests() -> Vec<ClientMessage> {
    let offer = MediaOffer {
        sdp: "v=0".into(),
        publish: vec![PublishIntent { mid: "0".into(), source: Source::Microphone, name: String::new(), muted: true, publication: None }],
    };
    vec![
        ClientMessage::Join(Join {
            token: "t".into(),
            auto_subscribe: true,
            offer: Some(offer.clone()),
            resume: Some(Resume { session: "s".into() }),
            client: Some("x".into()),
            continues: Some(Continues { participant: "p".into(), claim: "c".into(), count: 2 }),
        }),
        ClientMessage::Offer(offer),
        ClientMessage::Unpublish { publication: "a".into() },
        ClientMessage::Mute { publication: "a".into(), muted: true },
        ClientMessage::Subscribe { publication: "a".into() },
        ClientMessage::Unsubscribe { publication: "a".into() },
        ClientMessage::Leave,
        ClientMessage::Ping,
        ClientMessage::Transport(MediaOffer { sdp: "v=0".into(), publish: Vec::new() }),
        ClientMessage::Peer { to: "p".into(), payload: "v=0".into() },
        ClientMessage::Moderate(Moderation { action: ModerationAction::Remove, target: "ada".into() }),
    ]
}

fn ice_server() -> IceServer {
    let urls = vec!["turn:turn.example:3478".into(), "turns:turn.example:443?transport=tcp".into()];
    IceServer { urls, username: Some("1800000000:ada".into()), credential: Some("c2VjcmV0".into()), lifetime_s: Some(3600) }
}

fn replies() -> Vec<ServerMessage> {
    let answer = MediaAnswer {
        sdp: "v=0".into(),
        published: vec![Published { mid: "0".into(), publication: None, error: Some(ErrorInfo::new(ErrorCode::NotPermitted, "no")) }],
    };
    let binding = SlotBinding { mid: "3".into(), publication: Some("a".into()) };
    vec![
        ServerMessage::Joined(Box::new(Joined {
            id: 1,
            session: "s".into(),
            room: "r".into(),
            participant: participant(),
            others: vec![participant()],
            permissions: Permissions { publish: true, subscribe: true, publish_data: false, moderate: false },
            slots: vec![binding.clone()],
            answer: Some(answer.clone()),
            resumed: true,
            resume_window_ms: 30_000,
            edges: vec!["https://other.example".into()],
            ice_servers: vec![ice_server()],
            mode: RoomMode::P2p,
            direct: true,
            locked: true,
            claim: Some("c".into()),
        })),
        ServerMessage::Answer { id: 2, answer },
        ServerMessage::Done { id: 3 },
        ServerMessage::Move { to: "https://other.example".into(), deadline_ms: 5_000 },
        ServerMessage::failed(4, ErrorCode::TokenExpired, "old"),
        ServerMessage::ParticipantJoined { participant: participant() },
        ServerMessage::ParticipantLeft { participant: "p".into(), reason: LeaveReason::TimedOut },
        ServerMessage::PublicationAdded { participant: "p".into(), publication: publication() },
        ServerMessage::PublicationRemoved { participant: "p".into(), publication: "a".into() },
        ServerMessage::PublicationMuted { publication: "a".into(), muted: true },
        ServerMessage::Slot { binding },
        ServerMessage::SlotsWanted { audio: 4, video: 5 },
        ServerMessage::Speakers { speakers: vec![Speaker { participant: "p".into(), level: 90 }] },
        ServerMessage::Closed { error: ErrorInfo::new(ErrorCode::ShuttingDown, "bye") },
        ServerMessage::Pong { id: 9 },
        ServerMessage::Qualities {
            qualities: vec![ParticipantQuality {
                participant: "p".into(),
                score: 71,
                level: QualityLevel::Good,
                cause: QualityCause::UplinkLoss,
            }],
        },
        ServerMessage::Peer { from: "p".into(), payload: "v=0".into() },
        ServerMessage::Mode { mode: RoomMode::P2p },
        ServerMessage::IceServers { servers: vec![ice_server()] },
        ServerMessage::Moderated(Moderation { action: ModerationAction::Lock, target: String::new() }),
    ]
}

#[test]
fn cbor_carries_every_message_unchanged() {
    for (id, message) in (1..).zip(requests()) {
        let envelope = ClientEnvelope { id, message };
        assert_eq!(ClientEnvelope::from_cbor(&envelope.to_cbor()), Ok(envelope));
    }
    for message in replies() {
        assert_eq!(ServerMessage::from_cbor(&message.to_cbor()), Ok(message));
    }
    let frame =
        DataFrame { from: None, to: Some("p".into()), topic: Some("chat".into()), payload: vec![1, 2, 3], text: false, beat: Some(7) };
    assert_eq!(DataFrame::from_cbor(&frame.to_cbor()), Ok(frame));
}

#[cfg(feature = "json")]
#[test]
fn json_carries_every_message_unchanged() {
    use super::Json;
    for (id, message) in (1..).zip(requests()) {
        let envelope = ClientEnvelope { id, message };
        assert_eq!(ClientEnvelope::from_json(&envelope.to_json()), Ok(envelope));
    }
    for message in replies() {
        let json = message.to_json();
        assert_eq!(ServerMessage::from_json(&json), Ok(message), "{json}");
    }
}

#[cfg(feature = "json")]
#[test]
fn json_is_what_a_person_would_write() {
    use super::Json;
    let join = ClientEnvelope::from_json(r#"{"id":1,"type":"join","token":"abc","from_the_future":{"x":1}}"#).unwrap();
    assert_eq!(join.message, ClientMessage::Join(Join { token: "abc".into(), auto_subscribe: true, ..Join::default() }));
    assert_eq!(ClientEnvelope::from_json(r#"{"id":1,"type":"teleport"}"#), Err(WireError::Unknown));
}

#[test]
fn cbor_skips_fields_of_a_newer_version() {
    let mut bytes = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    // {0: 7, 1: [7, []], 9: "new"}: an envelope with a field 9 that this version doesn't know.
    encoder.map(3).unwrap().u32(0).unwrap().u32(7).unwrap().u32(1).unwrap().array(2).unwrap().u32(7).unwrap().array(0).unwrap();
    encoder.u32(9).unwrap().str("new").unwrap();
    assert_eq!(ClientEnvelope::from_cbor(&bytes), Ok(ClientEnvelope { id: 7, message: ClientMessage::Ping }));
}

#[test]
fn cbor_reports_an_unknown_kind_as_unknown() {
    let mut bytes = Vec::new();
    minicbor::Encoder::new(&mut bytes).array(2).unwrap().u32(200).unwrap().array(0).unwrap();
    assert_eq!(ServerMessage::from_cbor(&bytes), Err(WireError::Unknown));
}

#[test]
fn error_codes_have_distinct_names_and_numbers() {
    let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    let mut numbers: Vec<_> = ErrorCode::ALL.iter().map(|code| code.number()).collect();
    names.sort_unstable();
    names.dedup();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((names.len(), numbers.len()), (ErrorCode::ALL.len(), ErrorCode::ALL.len()));
}
