//! What the edge says. Numbers are those of `#[n(…)]` in the protocol crate.

use super::WireError;
use super::item::{Item, Place};
use alloc::boxed::Box;
use nearcast_protocol::client::Source;
use nearcast_protocol::{
    DataFrame, EncodingDemand, ErrorCode, ErrorInfo, IceServer, Joined, LayerReason, LayerState, LeaveReason, MediaAnswer, Mid, Moderation,
    ModerationAction, ParticipantId, ParticipantInfo, ParticipantQuality, Permissions, PublicationId, PublicationInfo, Published,
    QualityCause, QualityLevel, RoomMode, ServerMessage, SessionId, SlotBinding, Speaker,
};

/// Reads one message.
pub(crate) fn server_message(bytes: &[u8]) -> Result<ServerMessage, WireError> {
    let item = Item::read(bytes).ok_or(WireError::Malformed)?;
    let read = Place::whole(&item, |of| match of.number32(0) {
        kind @ 0..=21 => message(kind, of.field(1)),
        _ => None,
    });
    match read {
        Some(Some(message)) => Ok(message),
        Some(None) => Err(WireError::Unknown),
        None => Err(WireError::Malformed),
    }
}

fn message(kind: u32, of: Place<'_, '_>) -> Option<ServerMessage> {
    Some(match kind {
        0 => ServerMessage::Joined(Box::new(joined(of.field(0)))),
        1 => ServerMessage::Answer { id: of.number32(0), answer: answer(of.field(1)) },
        2 => ServerMessage::Done { id: of.number32(0) },
        3 => ServerMessage::Failed { id: of.number32(0), error: error(of.field(1)) },
        4 => ServerMessage::ParticipantJoined { participant: participant(of.field(0)) },
        5 => ServerMessage::ParticipantLeft { participant: ParticipantId(of.text(0)), reason: leave_reason(of.number32(1)) },
        6 => ServerMessage::PublicationAdded { participant: ParticipantId(of.text(0)), publication: publication(of.field(1)) },
        7 => ServerMessage::PublicationRemoved { participant: ParticipantId(of.text(0)), publication: PublicationId(of.text(1)) },
        8 => ServerMessage::PublicationMuted { publication: PublicationId(of.text(0)), muted: of.flag(1) },
        9 => ServerMessage::Slot { binding: binding(of.field(0)) },
        10 => ServerMessage::SlotsWanted { audio: of.number16(0), video: of.number16(1) },
        11 => ServerMessage::Speakers { speakers: of.list(0, speaker) },
        12 => ServerMessage::Closed { error: error(of.field(0)) },
        13 => ServerMessage::Pong { id: of.number32(0) },
        14 => ServerMessage::Layers { estimate: of.number32(0), layers: of.list(1, layer_state) },
        15 => ServerMessage::Encodings { publication: PublicationId(of.text(0)), encodings: of.list(1, encoding_demand) },
        16 => ServerMessage::Qualities { qualities: of.list(0, quality) },
        17 => ServerMessage::Peer { from: ParticipantId(of.text(0)), payload: of.text(1) },
        18 => ServerMessage::Mode { mode: room_mode(of.number32(0)) },
        19 => ServerMessage::IceServers { servers: of.list(0, ice_server) },
        20 => {
            let of = of.field(0);
            let action = ModerationAction::ALL.get(of.number32(0) as usize).copied()?;
            ServerMessage::Moderated(Moderation { action, target: of.optional_text(1).unwrap_or_default() })
        }
        21 => ServerMessage::Move { to: of.text(0), deadline_ms: of.number32(1) },
        _ => return None,
    })
}

fn joined(of: Place<'_, '_>) -> Joined {
    Joined {
        id: of.number32(0),
        session: SessionId(of.text(1)),
        room: of.text(2),
        participant: participant(of.field(3)),
        others: of.list(4, participant),
        permissions: permissions(of.field(5)),
        slots: of.list(6, binding),
        answer: of.optional(7).map(answer),
        resumed: of.flag(8),
        resume_window_ms: of.number32(9),
        // An older edge says nothing of these.
        edges: of.optional_list(10, Place::as_text),
        ice_servers: of.optional_list(11, ice_server),
        mode: room_mode(of.optional(12).map_or(0, |_| of.number32(12))),
        direct: of.optional_flag(13),
        locked: of.optional_flag(14),
        claim: of.optional_text(15),
    }
}

fn participant(of: Place<'_, '_>) -> ParticipantInfo {
    ParticipantInfo {
        id: ParticipantId(of.text(0)),
        identity: of.text(1),
        name: of.text(2),
        role: of.optional_text(3),
        publications: of.list(4, publication),
    }
}

fn publication(of: Place<'_, '_>) -> PublicationInfo {
    PublicationInfo {
        id: PublicationId(of.text(0)),
        video: of.flag(1),
        source: source(of.number32(2)),
        name: of.text(3),
        muted: of.flag(4),
        blocked: of.optional_flag(5),
    }
}

fn permissions(of: Place<'_, '_>) -> Permissions {
    Permissions { publish: of.flag(0), subscribe: of.flag(1), publish_data: of.flag(2), moderate: of.optional_flag(3) }
}

fn answer(of: Place<'_, '_>) -> MediaAnswer {
    MediaAnswer { sdp: of.text(0), published: of.list(1, published) }
}

fn published(of: Place<'_, '_>) -> Published {
    Published { mid: Mid(of.text(0)), publication: of.optional_text(1).map(PublicationId), error: of.optional(2).map(error) }
}

fn binding(of: Place<'_, '_>) -> SlotBinding {
    SlotBinding { mid: Mid(of.text(0)), publication: of.optional_text(1).map(PublicationId) }
}

fn speaker(of: Place<'_, '_>) -> Speaker {
    Speaker { participant: ParticipantId(of.text(0)), level: of.number8(1) }
}

fn layer_state(of: Place<'_, '_>) -> LayerState {
    LayerState {
        publication: PublicationId(of.text(0)),
        width: of.number16(1),
        height: of.number16(2),
        fps: of.number8(3),
        bitrate: of.number32(4),
        paused: of.flag(5),
        reason: layer_reason(of.number32(6)),
    }
}

fn encoding_demand(of: Place<'_, '_>) -> EncodingDemand {
    EncodingDemand { rid: of.text(0), active: of.flag(1), spatial_layers: of.number8(2) }
}

fn quality(of: Place<'_, '_>) -> ParticipantQuality {
    ParticipantQuality {
        participant: ParticipantId(of.text(0)),
        score: of.number8(1),
        level: quality_level(of.number32(2)),
        cause: quality_cause(of.number32(3)),
    }
}

fn ice_server(of: Place<'_, '_>) -> IceServer {
    IceServer {
        urls: of.list(0, Place::as_text),
        username: of.optional_text(1),
        credential: of.optional_text(2),
        lifetime_s: of.optional(3).map(|_| of.number32(3)),
    }
}

fn error(of: Place<'_, '_>) -> ErrorInfo {
    let number = of.number32(0);
    // A reason that a newer edge invented is still a refusal, with a text and whether to try again.
    let code = ErrorCode::ALL.iter().find(|code| u32::from(code.number()) == number).copied().unwrap_or(ErrorCode::Internal);
    ErrorInfo {
        code,
        message: of.text(1),
        retryable: of.flag(2),
        retry_after_ms: of.optional(3).map(|_| of.number32(3)),
        edge: of.optional_text(4),
    }
}

fn source(number: u32) -> Source {
    match number {
        0 => Source::Camera,
        1 => Source::Microphone,
        2 => Source::Screen,
        3 => Source::ScreenAudio,
        _ => Source::Other,
    }
}

fn room_mode(number: u32) -> RoomMode {
    if number == 1 { RoomMode::P2p } else { RoomMode::Sfu }
}

fn quality_level(number: u32) -> QualityLevel {
    match number {
        1 => QualityLevel::Lost,
        2 => QualityLevel::Poor,
        3 => QualityLevel::Good,
        4 => QualityLevel::Excellent,
        _ => QualityLevel::Unknown,
    }
}

fn quality_cause(number: u32) -> QualityCause {
    match number {
        1 => QualityCause::UplinkLoss,
        2 => QualityCause::DownlinkLoss,
        3 => QualityCause::Delay,
        4 => QualityCause::Jitter,
        5 => QualityCause::Bandwidth,
        6 => QualityCause::Cpu,
        7 => QualityCause::LayerHeld,
        8 => QualityCause::Server,
        9 => QualityCause::Camera,
        _ => QualityCause::Unknown,
    }
}

fn layer_reason(number: u32) -> LayerReason {
    match number {
        1 => LayerReason::Wished,
        2 => LayerReason::Hidden,
        3 => LayerReason::Bandwidth,
        4 => LayerReason::Priority,
        5 => LayerReason::HoldDown,
        6 => LayerReason::Publisher,
        7 => LayerReason::Muted,
        8 => LayerReason::NotAmongLoudest,
        _ => LayerReason::Best,
    }
}

fn leave_reason(number: u32) -> LeaveReason {
    match number {
        1 => LeaveReason::TimedOut,
        2 => LeaveReason::Replaced,
        3 => LeaveReason::Removed,
        4 => LeaveReason::Failed,
        _ => LeaveReason::Left,
    }
}

/// Reads one frame of a data channel; none when it isn't one.
pub(crate) fn data_frame(bytes: &[u8]) -> Option<DataFrame> {
    Place::whole(&Item::read(bytes)?, |of| DataFrame {
        from: of.optional_text(0).map(ParticipantId),
        to: of.optional_text(1).map(ParticipantId),
        topic: of.optional_text(2),
        payload: of.bytes(3),
        text: of.flag(4),
        beat: of.optional(5).map(|_| of.number32(5)),
    })
}
