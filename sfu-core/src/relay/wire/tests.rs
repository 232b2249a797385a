use super::*;
use crate::codec::Codec;
use crate::data_channel::Channel;
use crate::forwarding_policy::ForwardingPolicy;
use crate::layer::{LayerTag, MAX_ENCODINGS, MAX_RUNGS, Rung, Rungs, Target, Targets};
use crate::link_report::LinkScore;
use crate::moderation::Decisions;
use crate::packet::PacketInfo;
use crate::participant::Admission;
use crate::publication::CaptureClock;
use crate::publication::keyframes::Need;
use crate::relay::{Handle, PartDemand, PartName, RelayedParticipant, RelayedPublication};
use crate::room_mode::{ModePolicy, Terms};
use crate::rtp::{AudioLevel, Seq};
use crate::sdp::CodecKey;
use nearcast_protocol::client::Source;
use nearcast_protocol::{LeaveReason, Moderation, ModerationAction, Permissions, PublicationInfo};
use proptest::prelude::*;

fn info(video: bool) -> PublicationInfo {
    let source = if video { Source::Camera } else { Source::Microphone };
    PublicationInfo { id: "publication".into(), video, source, name: "Café".into(), muted: true, blocked: true }
}

fn participant(number: u64) -> RelayedParticipant {
    let admission = Admission {
        room: "room".into(),
        identity: format!("alice-{number}"),
        name: "Alice".into(),
        role: Some("judge".into()),
        permissions: Permissions { publish: true, ..Permissions::default() },
        mode: ModePolicy::P2p,
        max_participants: Some(7),
        forwarding: None,
    };
    let publication = RelayedPublication { handle: Handle(1 << 32 | number), info: info(true), rids: vec!["q".into(), "h".into()] };
    let id = format!("participant-{number}").as_str().into();
    RelayedParticipant {
        id,
        admission,
        since: u64::MAX - number,
        by_http: number % 2 == 1,
        publications: vec![publication],
        count: 1,
        joined: number,
        arriving: true,
    }
}

fn part() -> PartName {
    PartName { edge: "edge-2.example.org".into(), incarnation: 1_700_000_000_000, shard: 7 }
}

/// One of each kind of control.
fn every_kind() -> Vec<Relayed> {
    let room = || "room".to_owned();
    let publication = Handle(3 << 32 | 9);
    let mut decisions = Decisions::default();
    decisions.lock(17);
    decisions.remove("mallory").unwrap();
    decisions.silence("bob", true).unwrap();
    let policy = ForwardingPolicy::parse("arena", "judge player: audio video; audience: video from player").unwrap();
    let terms = Terms { founded: 5, policy: ModePolicy::Auto, most: Some(12), forwarding: Some(Arc::new(policy)) };
    let mut rungs = Rungs::default();
    for spatial in 0..3 {
        let target = Target { spatial, temporal: 2 };
        rungs.push(Rung { encoding: 1, target, bitrate: 1_500_000, width: 1280, height: 720, fps: 30, live: spatial == 1 });
    }
    let message: Arc<[u8]> = Arc::from(&b"payload"[..]);
    vec![
        Relayed::Part { room: room(), terms, decisions: Box::new(decisions), participants: (0..3).map(participant).collect() },
        Relayed::Gone { room: room() },
        Relayed::Lost,
        Relayed::Joined { room: room(), participant: participant(0) },
        Relayed::Left { room: room(), participant: "participant".into(), reason: LeaveReason::TimedOut, moved: true },
        Relayed::Published {
            room: room(),
            participant: "participant".into(),
            publication: RelayedPublication { handle: publication, info: info(false), rids: Vec::new() },
        },
        Relayed::Unpublished { publication },
        Relayed::Muted { publication, muted: true },
        Relayed::Rungs { publication, rungs: Box::new(rungs), passable: Some(3) },
        Relayed::Loudness { publication, level: 33 },
        Relayed::Clock { publication, encoding: 2, clock: CaptureClock { ntp: crate::clock::Ntp(1 << 63), rtp: 90_000 } },
        Relayed::Demand { publication, demand: PartDemand { encodings: 5, wanted: [1, 0, 4, 0], via: true, idle: true } },
        Relayed::Keyframe { publication, encoding: 1, need: Need::Larger, newcomers: 40 },
        Relayed::Peer { room: room(), from: "a".into(), to: "b".into(), payload: "{}".into() },
        Relayed::Moderation { room: room(), moderation: Moderation { action: ModerationAction::Lock, target: String::new() } },
        Relayed::Qualities { room: room(), scores: vec![("a".into(), LinkScore { score: 80, ..LinkScore::default() })] },
        Relayed::Data { room: room(), to: Some("b".into()), channel: Channel::Lossy, message: Arc::clone(&message), keeps: false },
        Relayed::Data { room: room(), to: None, channel: Channel::Reliable, message: Arc::clone(&message), keeps: true },
        Relayed::Late { room: room(), to: "b".into(), message },
        Relayed::HandedOver { room: room(), participant: "b".into() },
        Relayed::Via { publication, parent: Some(part()), depth: 2 },
        Relayed::Via { publication, parent: None, depth: 1 },
        Relayed::Adopt { publication: "t_publication".into(), depth: 2 },
        Relayed::Adopted { publication: "t_publication".into(), handle: publication },
        Relayed::Dropped { publication },
        Relayed::Stray { publication, parent: part() },
        Relayed::Passable { publication, encodings: 3 },
    ]
}

fn encoded(message: Relayed, to: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    RelayMessage(message).encode(3, to, &mut bytes);
    bytes
}

#[test]
fn every_kind_of_control_comes_back_as_it_was() {
    for message in every_kind() {
        let expected = format!("{message:?}");
        let read = decode_control(&encoded(message, &[1, 200])).unwrap();
        // What belongs to the token stays at home.
        let expected = expected.replace("mode: P2p, max_participants: Some(7)", "mode: Sfu, max_participants: None");
        assert_eq!(format!("{:?}", read.message.0), expected);
        assert_eq!((read.from, read.to), (3, vec![1, 200]));
    }
}

#[test]
fn a_newer_versions_kinds_and_fields_are_skipped() {
    let unknown = [3, 1, 0, 0x82, 0x18, 99, 0x81, 0x63, b'n', b'e', b'w'];
    assert_eq!(decode_control(&unknown).unwrap_err(), WireError::Unknown);
    // `Gone` (1) with a second field.
    let longer = [3, 1, 0, 0x82, 1, 0x82, 0x64, b'r', b'o', b'o', b'm', 0xf5];
    let read = decode_control(&longer).unwrap();
    assert_eq!(format!("{:?}", read.message.0), r#"Gone { room: "room" }"#);
    assert_eq!(decode_media(&[3, 1, 0, 2, 0, 0]).unwrap_err(), WireError::Unknown);
}

#[test]
fn what_is_cut_short_or_goes_on_is_malformed() {
    for message in every_kind() {
        let bytes = encoded(message, &[1]);
        for length in 0..bytes.len() {
            assert!(decode_control(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
        let more: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert_eq!(decode_control(&more).unwrap_err(), WireError::Malformed);
    }
}

#[test]
fn rungs_that_cannot_be_are_left_out() {
    let mut rungs = Rungs::default();
    (0..40).for_each(|_| rungs.push(Rung { target: Target { spatial: 9, temporal: 0 }, ..Rung::default() }));
    assert_eq!(rungs.len(), MAX_RUNGS);
    let read = decode_control(&encoded(Relayed::Rungs { publication: Handle(1), rungs: Box::new(rungs), passable: None }, &[0])).unwrap();
    assert!(matches!(read.message.0, Relayed::Rungs { rungs, .. } if rungs.is_empty()));
}

#[test]
fn a_part_of_two_thousand_fits() {
    let participants = (0..2_000).map(participant).collect();
    let terms = Terms { founded: 0, policy: ModePolicy::Sfu, most: None, forwarding: None };
    let part = Relayed::Part { room: "r".repeat(128), terms, decisions: Box::default(), participants };
    let size = encoded(part, &[0]).len();
    println!("{} bytes a participant", size / 2_000);
    assert!(size < MAX_CONTROL / 4);
}

fn targets() -> impl Strategy<Value = Targets> {
    any::<u16>().prop_map(Targets::from_bits)
}

prop_compose! {
    fn tag()(
        encoding in 0..MAX_ENCODINGS as u8, spatial in 0..4_u8, temporal in 0..4_u8, sets in [targets(), targets(), targets(), targets(), targets()],
        (starts_frame, ends_frame, nested) in any::<(bool, bool, bool)>(),
    ) -> LayerTag {
        let [present, switch, sync, known, produced] = sets;
        let layer = Target { spatial, temporal };
        LayerTag { encoding, layer, present, switch, sync, starts_frame, ends_frame, nested, known, produced }
    }
}

prop_compose! {
    fn packet()(
        tag in tag(), single in any::<bool>(), codec in 0..Codec::ALL.len(),
        (generation, seq, timestamp) in any::<(u32, u64, u32)>(), (marker, keyframe, profile, payload_type) in any::<(bool, bool, u8, u8)>(),
        level in proptest::option::of((any::<bool>(), 0..128_u8)), video_orientation in any::<Option<u8>>(),
    ) -> PacketInfo {
        let plain = LayerTag { encoding: tag.encoding, ..LayerTag::single(keyframe, tag.starts_frame, tag.ends_frame) };
        PacketInfo {
            generation, seq: Seq::from_value(seq), timestamp, marker, payload_type, codec: CodecKey { codec: Codec::ALL[codec], profile },
            keyframe, layer: if single { plain } else { tag }, audio_level: level.map(|(voice, level)| AudioLevel { voice, level }),
            video_orientation,
        }
    }
}

proptest! {
    #[test]
    fn media_comes_back_as_it_was(
        info in packet(), handle in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..300), share in 0..4_usize,
        to in proptest::collection::vec(any::<u8>(), 0..5),
    ) {
        let (dependency, encoding) = (bytes.len() * share / 4, info.layer.encoding);
        let message = Relayed::Media { publication: Handle(handle), encoding, info, dependency, bytes: bytes.clone().into() };
        let wire = encoded(message, &to);
        prop_assert!(wire.len() <= bytes.len() + 70, "{} bytes before the payload", wire.len() - bytes.len());
        let read = decode_media(&wire).unwrap();
        prop_assert_eq!((read.from, read.to), (3, to));
        let Relayed::Media { publication, encoding: again, info: same, dependency: same_dependency, bytes: same_bytes } = read.message.0 else {
            panic!("media")
        };
        prop_assert_eq!((publication, again, same, same_dependency), (Handle(handle), encoding, info, dependency));
        prop_assert_eq!(&same_bytes[..], &bytes[..]);
    }

    #[test]
    fn noise_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_control(&bytes);
        let _ = decode_media(&bytes);
    }
}
