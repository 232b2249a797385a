//! The same bytes and values as the protocol crate's own encoders and decoders, for every message and for noise.

use super::*;
use nearcast_protocol::client::Source;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::*;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-zà-ü0-9 -]{0,40}", 1 => "[a-z]{200,300}"]
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(vec![Source::Camera, Source::Microphone, Source::Screen, Source::ScreenAudio, Source::Other])
}

fn offer() -> impl Strategy<Value = MediaOffer> {
    let intent = (text(), source(), text(), any::<bool>(), prop::option::of(text().prop_map(PublicationId)));
    let intents = prop::collection::vec(intent, 0..4);
    let intents = intents.prop_map(|all| {
        all.into_iter()
            .map(|(mid, source, name, muted, publication)| PublishIntent { mid: Mid(mid), source, name, muted, publication })
            .collect()
    });
    (text(), intents).prop_map(|(sdp, publish)| MediaOffer { sdp, publish })
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let continues = (text(), text(), any::<u16>()).prop_map(|(participant, claim, count)| Continues {
        participant: ParticipantId(participant),
        claim,
        count,
    });
    let who = (prop::option::of(text()), prop::option::of(continues));
    let join = (text(), any::<bool>(), prop::option::of(offer()), prop::option::of(text()), who);
    let publication = || text().prop_map(PublicationId);
    prop_oneof![
        join.prop_map(|(token, auto_subscribe, offer, session, (client, continues))| {
            let resume = session.map(|session| Resume { session: SessionId(session) });
            ClientMessage::Join(Join { token, auto_subscribe, offer, resume, client, continues })
        }),
        offer().prop_map(ClientMessage::Offer),
        publication().prop_map(|publication| ClientMessage::Unpublish { publication }),
        (publication(), any::<bool>()).prop_map(|(publication, muted)| ClientMessage::Mute { publication, muted }),
        publication().prop_map(|publication| ClientMessage::Subscribe { publication }),
        publication().prop_map(|publication| ClientMessage::Unsubscribe { publication }),
        Just(ClientMessage::Leave),
        Just(ClientMessage::Ping),
        prop::collection::vec(wish(), 0..4).prop_map(|wishes| ClientMessage::Wishes { wishes }),
        offer().prop_map(ClientMessage::Transport),
        (text(), text()).prop_map(|(to, payload)| ClientMessage::Peer { to: ParticipantId(to), payload }),
        moderation().prop_map(ClientMessage::Moderate),
    ]
}

fn moderation() -> impl Strategy<Value = Moderation> {
    (prop::sample::select(&ModerationAction::ALL[..]), text()).prop_map(|(action, target)| Moderation { action, target })
}

fn wish() -> impl Strategy<Value = Wish> {
    let priorities = vec![Priority::Auto, Priority::Thumbnail, Priority::Speaker, Priority::OnStage];
    (text(), any::<u16>(), any::<u16>(), any::<bool>(), any::<u8>(), prop::sample::select(priorities)).prop_map(
        |(publication, width, height, visible, max_fps, priority)| Wish {
            publication: PublicationId(publication),
            width,
            height,
            visible,
            max_fps,
            priority,
        },
    )
}

fn layer_state() -> impl Strategy<Value = LayerState> {
    use LayerReason::*;
    let reasons = vec![Best, Wished, Hidden, Bandwidth, Priority, HoldDown, Publisher, Muted, NotAmongLoudest];
    let size = (any::<u16>(), any::<u16>(), any::<u8>(), any::<u32>());
    (text(), size, any::<bool>(), prop::sample::select(reasons)).prop_map(|(publication, (width, height, fps, bitrate), paused, reason)| {
        LayerState { publication: PublicationId(publication), width, height, fps, bitrate, paused, reason }
    })
}

fn encoding_demand() -> impl Strategy<Value = EncodingDemand> {
    (text(), any::<bool>(), any::<u8>()).prop_map(|(rid, active, spatial_layers)| EncodingDemand { rid, active, spatial_layers })
}

fn error() -> impl Strategy<Value = ErrorInfo> {
    (prop::sample::select(ErrorCode::ALL), text(), any::<bool>(), prop::option::of(any::<u32>()), prop::option::of(text()))
        .prop_map(|(code, message, retryable, retry_after_ms, edge)| ErrorInfo { code, message, retryable, retry_after_ms, edge })
}

fn publication() -> impl Strategy<Value = PublicationInfo> {
    (text(), any::<bool>(), source(), text(), any::<[bool; 2]>()).prop_map(|(id, video, source, name, [muted, blocked])| PublicationInfo {
        id: PublicationId(id),
        video,
        source,
        name,
        muted,
        blocked,
    })
}

fn participant() -> impl Strategy<Value = ParticipantInfo> {
    (text(), text(), text(), prop::option::of(text()), prop::collection::vec(publication(), 0..3))
        .prop_map(|(id, identity, name, role, publications)| ParticipantInfo { id: ParticipantId(id), identity, name, role, publications })
}

fn binding() -> impl Strategy<Value = SlotBinding> {
    (text(), prop::option::of(text()))
        .prop_map(|(mid, publication)| SlotBinding { mid: Mid(mid), publication: publication.map(PublicationId) })
}

fn answer() -> impl Strategy<Value = MediaAnswer> {
    let published = (text(), prop::option::of(text()), prop::option::of(error())).prop_map(|(mid, publication, error)| Published {
        mid: Mid(mid),
        publication: publication.map(PublicationId),
        error,
    });
    (text(), prop::collection::vec(published, 0..3)).prop_map(|(sdp, published)| MediaAnswer { sdp, published })
}

fn joined() -> impl Strategy<Value = Joined> {
    let permissions = any::<[bool; 4]>();
    let people = (participant(), prop::collection::vec(participant(), 0..4));
    let media = (prop::collection::vec(binding(), 0..4), prop::option::of(answer()));
    let routes = (
        prop::collection::vec(text(), 0..3),
        prop::collection::vec(ice_server(), 0..3),
        (room_mode(), any::<[bool; 2]>(), prop::option::of(text())),
    );
    (any::<u32>(), text(), text(), people, permissions, media, any::<bool>(), (any::<u32>(), routes)).prop_map(
        |(
            id,
            session,
            room,
            (participant, others),
            [publish, subscribe, publish_data, moderate],
            (slots, answer),
            resumed,
            (resume_window_ms, (edges, ice_servers, (mode, [direct, locked], claim))),
        )| {
            Joined {
                id,
                session: SessionId(session),
                room,
                participant,
                others,
                permissions: Permissions { publish, subscribe, publish_data, moderate },
                slots,
                answer,
                resumed,
                resume_window_ms,
                edges,
                ice_servers,
                mode,
                direct,
                locked,
                claim,
            }
        },
    )
}

fn room_mode() -> impl Strategy<Value = RoomMode> {
    prop::sample::select(vec![RoomMode::Sfu, RoomMode::P2p])
}

fn ice_server() -> impl Strategy<Value = IceServer> {
    let credentials = (prop::option::of(text()), prop::option::of(text()), prop::option::of(any::<u32>()));
    (prop::collection::vec(text(), 0..3), credentials).prop_map(|(urls, (username, credential, lifetime_s))| IceServer {
        urls,
        username,
        credential,
        lifetime_s,
    })
}

fn quality() -> impl Strategy<Value = ParticipantQuality> {
    use {QualityCause as Cause, QualityLevel as Level};
    let levels = vec![Level::Unknown, Level::Lost, Level::Poor, Level::Good, Level::Excellent];
    let causes = vec![
        Cause::Unknown,
        Cause::UplinkLoss,
        Cause::DownlinkLoss,
        Cause::Delay,
        Cause::Jitter,
        Cause::Bandwidth,
        Cause::Cpu,
        Cause::LayerHeld,
        Cause::Server,
        Cause::Camera,
    ];
    (text(), any::<u8>(), prop::sample::select(levels), prop::sample::select(causes))
        .prop_map(|(participant, score, level, cause)| ParticipantQuality { participant: ParticipantId(participant), score, level, cause })
}

fn server_messages() -> impl Strategy<Value = ServerMessage> {
    let reasons = vec![LeaveReason::Left, LeaveReason::TimedOut, LeaveReason::Replaced, LeaveReason::Removed, LeaveReason::Failed];
    let who = || text().prop_map(ParticipantId);
    let what = || text().prop_map(PublicationId);
    let speaker = (who(), any::<u8>()).prop_map(|(participant, level)| Speaker { participant, level });
    prop_oneof![
        joined().prop_map(|joined| ServerMessage::Joined(Box::new(joined))),
        (any::<u32>(), answer()).prop_map(|(id, answer)| ServerMessage::Answer { id, answer }),
        any::<u32>().prop_map(|id| ServerMessage::Done { id }),
        (any::<u32>(), error()).prop_map(|(id, error)| ServerMessage::Failed { id, error }),
        participant().prop_map(|participant| ServerMessage::ParticipantJoined { participant }),
        (who(), prop::sample::select(reasons)).prop_map(|(participant, reason)| ServerMessage::ParticipantLeft { participant, reason }),
        (who(), publication()).prop_map(|(participant, publication)| ServerMessage::PublicationAdded { participant, publication }),
        (who(), what()).prop_map(|(participant, publication)| ServerMessage::PublicationRemoved { participant, publication }),
        (what(), any::<bool>()).prop_map(|(publication, muted)| ServerMessage::PublicationMuted { publication, muted }),
        binding().prop_map(|binding| ServerMessage::Slot { binding }),
        (any::<u16>(), any::<u16>()).prop_map(|(audio, video)| ServerMessage::SlotsWanted { audio, video }),
        prop::collection::vec(speaker, 0..4).prop_map(|speakers| ServerMessage::Speakers { speakers }),
        error().prop_map(|error| ServerMessage::Closed { error }),
        any::<u32>().prop_map(|id| ServerMessage::Pong { id }),
        (any::<u32>(), prop::collection::vec(layer_state(), 0..4))
            .prop_map(|(estimate, layers)| ServerMessage::Layers { estimate, layers }),
        (what(), prop::collection::vec(encoding_demand(), 0..4))
            .prop_map(|(publication, encodings)| ServerMessage::Encodings { publication, encodings }),
        prop::collection::vec(quality(), 0..4).prop_map(|qualities| ServerMessage::Qualities { qualities }),
        (who(), text()).prop_map(|(from, payload)| ServerMessage::Peer { from, payload }),
        room_mode().prop_map(|mode| ServerMessage::Mode { mode }),
        prop::collection::vec(ice_server(), 0..3).prop_map(|servers| ServerMessage::IceServers { servers }),
        moderation().prop_map(ServerMessage::Moderated),
        (text(), any::<u32>()).prop_map(|(to, deadline_ms)| ServerMessage::Move { to, deadline_ms }),
    ]
}

/// A new kind of message stops this from compiling: then it belongs into `server_messages` and into the decoder.
fn kind(message: &ServerMessage) -> usize {
    match message {
        ServerMessage::Joined(_) => 0,
        ServerMessage::Answer { .. } => 1,
        ServerMessage::Done { .. } => 2,
        ServerMessage::Failed { .. } => 3,
        ServerMessage::ParticipantJoined { .. } => 4,
        ServerMessage::ParticipantLeft { .. } => 5,
        ServerMessage::PublicationAdded { .. } => 6,
        ServerMessage::PublicationRemoved { .. } => 7,
        ServerMessage::PublicationMuted { .. } => 8,
        ServerMessage::Slot { .. } => 9,
        ServerMessage::SlotsWanted { .. } => 10,
        ServerMessage::Speakers { .. } => 11,
        ServerMessage::Closed { .. } => 12,
        ServerMessage::Pong { .. } => 13,
        ServerMessage::Layers { .. } => 14,
        ServerMessage::Encodings { .. } => 15,
        ServerMessage::Qualities { .. } => 16,
        ServerMessage::Peer { .. } => 17,
        ServerMessage::Mode { .. } => 18,
        ServerMessage::IceServers { .. } => 19,
        ServerMessage::Moderated(_) => 20,
        ServerMessage::Move { .. } => 21,
    }
}

#[test]
fn every_kind_of_message_is_among_the_tested() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let kinds = (0..400).map(|_| kind(&server_messages().new_tree(&mut runner).unwrap().current()));
    assert_eq!(kinds.collect::<std::collections::BTreeSet<_>>(), (0..22).collect());
}

proptest! {
    #[test]
    fn the_edge_reads_what_we_write(id in any::<u32>(), message in client_message()) {
        let envelope = ClientEnvelope { id, message };
        prop_assert_eq!(ClientEnvelope::from_cbor(&client_envelope(&envelope)), Ok(envelope));
    }

    #[test]
    fn we_read_what_the_edge_writes(message in server_messages()) {
        prop_assert_eq!(server_message(&message.to_cbor()), Ok(message));
    }

    #[test]
    fn data_frames_pass_both_ways(from in prop::option::of(text()), to in prop::option::of(text()), topic in prop::option::of(text()),
        payload in prop::collection::vec(any::<u8>(), 0..400), is_text in any::<bool>(), beat in prop::option::of(any::<u32>())) {
        let mut frame = DataFrame { from: from.map(ParticipantId), to: to.map(ParticipantId), topic, payload, text: is_text, beat };
        prop_assert_eq!(data_frame(&frame.to_cbor()), Some(frame.clone()));
        let written = encode_data_frame(&frame);
        frame.from = None;
        prop_assert_eq!(DataFrame::from_cbor(&written), Ok(frame));
    }

    #[test]
    fn noise_is_refused_by_both_or_read_the_same(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(theirs) = ServerMessage::from_cbor(&bytes) {
            prop_assert_eq!(server_message(&bytes), Ok(theirs));
        }
        let _ = data_frame(&bytes);
    }

    #[test]
    fn a_message_cut_short_is_malformed(message in server_messages(), cut in any::<prop::sample::Index>()) {
        let mut bytes = message.to_cbor();
        bytes.truncate(cut.index(bytes.len()));
        prop_assert_eq!(server_message(&bytes), Err(WireError::Malformed));
    }
}

/// `[3, [7, {0: 9999, 1: "no", 2: true, 77: 1.5}]]`: refused for a reason, and with a field, that only a newer edge knows.
#[test]
fn a_refusal_for_an_unknown_reason_is_still_a_refusal() {
    let bytes = [0x82, 0x03, 0x82, 0x07, 0xa4, 0x00, 0x19, 0x27, 0x0f, 0x01, 0x62, b'n', b'o', 0x02, 0xf5, 0x18, 0x4d, 0xf9, 0x3e, 0x00];
    let error = ErrorInfo { code: ErrorCode::Internal, message: "no".into(), retryable: true, retry_after_ms: None, edge: None };
    assert_eq!(server_message(&bytes), Ok(ServerMessage::Failed { id: 7, error }));
}

#[test]
fn a_kind_of_a_newer_edge_is_unknown_not_malformed() {
    assert_eq!(server_message(&[0x82, 0x18, 0xc8, 0x80]), Err(WireError::Unknown));
}

#[test]
fn nesting_is_bounded() {
    let bytes = vec![0x81; 100_000];
    assert_eq!(server_message(&bytes), Err(WireError::Malformed));
}
