//! A trace is made to be sent to strangers.

use crate::world::World;
use client_core::trace::{Replay, Trace};
use client_core::{Input, PublishRequest, RequestId};
use nearcast_protocol::client::Source;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{
    ClientMessage, DataFrame, ErrorCode, IceServer, Joined, MediaAnswer, ParticipantInfo, Permissions, PublicationInfo, ServerMessage,
};

/// As browsers and edges write them, with everything that must not get out.
const DESCRIPTION: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 203.0.113.77\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 5E:C2:E7\r\n\
    a=ice-ufrag:SecretUfrag\r\na=ice-pwd:SecretIcePassword\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 203.0.113.77\r\na=mid:0\r\n\
    a=recvonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=candidate:1 1 udp 1 203.0.113.77 9 typ host\r\n\
    a=ssrc:1 cname:SecretCname\r\na=msid:SecretStream SecretTrack\r\n";

/// Parts of all secrets below, and nothing that is none.
const NEVER: [&str; 4] = ["Secret", "203.0.113", "5E:C2", "a=ice"];

fn participant(id: &str) -> ParticipantInfo {
    let camera = PublicationInfo {
        id: "cam".into(),
        video: true,
        source: Source::Camera,
        name: "Secret camera".into(),
        muted: false,
        blocked: false,
    };
    ParticipantInfo {
        id: id.into(),
        identity: "SecretIdentity".into(),
        name: "Secret Name".into(),
        role: Some("Secret role".into()),
        publications: vec![camera],
    }
}

fn ice_server() -> IceServer {
    let (username, credential) = (Some("SecretUser".into()), Some("SecretCredential".into()));
    IceServer { urls: vec!["turn:turn.example".into()], username, credential, lifetime_s: Some(600) }
}

/// A call in which every field that can hold a secret holds one.
fn call() -> World {
    let mut world = World::seeded(1);
    world.transport_obeys = false;
    world.input(Input::Start);
    world.open();
    world.input(Input::Token(Some("SecretToken".into())));
    world.input(Input::OfferMade { sdp: DESCRIPTION.into(), mids: vec![] });
    let id = world.take_request().id;
    let joined = Joined {
        id,
        session: "SecretSession".into(),
        room: "Secret room".into(),
        participant: participant("me"),
        others: vec![participant("ada")],
        permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
        slots: vec![],
        answer: Some(MediaAnswer { sdp: DESCRIPTION.into(), published: vec![] }),
        resumed: false,
        resume_window_ms: 30_000,
        edges: vec!["https://other.example".into()],
        ice_servers: vec![ice_server()],
        mode: Default::default(),
        direct: false,
        locked: false,
        claim: None,
    };
    world.receive(&ServerMessage::Joined(Box::new(joined)));
    world.input(Input::AnswerApplied);
    let publish = PublishRequest { request: RequestId(1), source: Source::Screen, name: "Secret slides".into(), muted: false, dtx: false };
    world.input(Input::Publish(publish));
    world.input(Input::OfferMade { sdp: DESCRIPTION.into(), mids: vec![(RequestId(1), "9".into())] });
    let offer = world.inbox.pop().unwrap();
    assert!(
        matches!(&offer.message, ClientMessage::Offer(offer) if offer.publish[0].name == "Secret slides"),
        "the edge is told all of it"
    );
    world.receive(&ServerMessage::failed(offer.id, ErrorCode::BadSdp, "Secret message"));
    world.receive(&ServerMessage::ParticipantJoined { participant: participant("bob") });
    world.receive(&ServerMessage::Peer { from: "bob".into(), payload: "Secret payload".into() });
    world.receive(&ServerMessage::IceServers { servers: vec![ice_server()] });
    let frame = DataFrame {
        from: Some("ada".into()),
        to: None,
        topic: Some("Secret topic".into()),
        payload: b"Secret text".to_vec(),
        text: true,
        beat: None,
    };
    world.input(Input::Data { frame: frame.to_cbor(), reliable: true });
    let socket = world.socket.unwrap();
    // Of a kind that doesn't exist yet, and of none at all.
    world.input(Input::SocketMessage(socket, vec![0x82, 0x18, 0x63, 0x81, 0x66, b'S', b'e', b'c', b'r', b'e', b't']));
    world.input(Input::SocketMessage(socket, b"Secret noise".to_vec()));
    world.run_for(std::time::Duration::from_millis(10));
    world.open();
    world.input(Input::Token(Some("SecretToken".into())));
    assert!(
        matches!(&world.inbox[0].message, ClientMessage::Join(join) if join.resume.as_ref().unwrap().session.as_str() == "SecretSession")
    );
    world
}

#[test]
fn no_secret_is_in_a_trace() {
    let bytes = call().session.trace();
    for never in NEVER {
        assert!(!bytes.windows(never.len()).any(|window| window == never.as_bytes()), "{never}");
    }
}

#[test]
fn what_decisions_depend_on_is_kept() {
    let bytes = call().session.trace();
    for kept in ["m=audio 9", "a=rtpmap:111 opus", "turn:turn.example", "https://other.example", "ada", "cam"] {
        assert!(bytes.windows(kept.len()).any(|window| window == kept.as_bytes()), "{kept}");
    }
}

#[test]
fn decisions_about_secrets_replay_without_them() {
    let trace = Trace::read(&call().session.trace()).unwrap();
    assert_eq!(trace.replay().unwrap(), Replay::Identical);
    let words: String = trace.entries().iter().map(|entry| format!("{entry}\n")).collect();
    assert!(words.contains("reason=bad-message") && words.contains("Send join"), "{words}");
}
