//! What the edge says. Numbers are those of `#[n(…)]` in the protocol crate.

use super::WireError;
use super::item::Item;
use alloc::boxed::Box;
use nearcast_protocol::client::Source;
use nearcast_protocol::{
    DataFrame, EncodingDemand, ErrorCode, ErrorInfo, IceServer, Joined, LayerReason, LayerState, LeaveReason, MediaAnswer, Mid,
    ParticipantId, ParticipantInfo, ParticipantQuality, Permissions, PublicationId, PublicationInfo, Published, QualityCause, QualityLevel,
    RoomMode, ServerMessage, SessionId, SlotBinding, Speaker,
};

/// Reads one message.
pub(crate) fn server_message(bytes: &[u8]) -> Result<ServerMessage, WireError> {
    let item = Item::read(bytes).ok_or(WireError::Malformed)?;
    let kind = item.number(0).ok_or(WireError::Malformed)?;
    if kind > 19 {
        return Err(WireError::Unknown);
    }
    let of = item.field(1).ok_or(WireError::Malformed)?;
    message(kind, of).ok_or(WireError::Malformed)
}

fn message(kind: u64, of: &Item<'_>) -> Option<ServerMessage> {
    Some(match kind {
        0 => ServerMessage::Joined(Box::new(joined(of.field(0)?)?)),
        1 => ServerMessage::Answer { id: of.number32(0)?, answer: answer(of.field(1)?)? },
        2 => ServerMessage::Done { id: of.number32(0)? },
        3 => ServerMessage::Failed { id: of.number32(0)?, error: error(of.field(1)?)? },
        4 => ServerMessage::ParticipantJoined { participant: participant(of.field(0)?)? },
        5 => ServerMessage::ParticipantLeft { participant: ParticipantId(of.text(0)?), reason: leave_reason(of.number(1)?) },
        6 => ServerMessage::PublicationAdded { participant: ParticipantId(of.text(0)?), publication: publication(of.field(1)?)? },
        7 => ServerMessage::PublicationRemoved { participant: ParticipantId(of.text(0)?), publication: PublicationId(of.text(1)?) },
        8 => ServerMessage::PublicationMuted { publication: PublicationId(of.text(0)?), muted: of.flag(1)? },
        9 => ServerMessage::Slot { binding: binding(of.field(0)?)? },
        10 => ServerMessage::SlotsWanted { audio: number16(of, 0)?, video: number16(of, 1)? },
        11 => ServerMessage::Speakers { speakers: of.list(0, speaker)? },
        12 => ServerMessage::Closed { error: error(of.field(0)?)? },
        13 => ServerMessage::Pong { id: of.number32(0)? },
        14 => ServerMessage::Layers { estimate: of.number32(0)?, layers: of.list(1, layer_state)? },
        15 => ServerMessage::Encodings { publication: PublicationId(of.text(0)?), encodings: of.list(1, encoding_demand)? },
        16 => ServerMessage::Qualities { qualities: of.list(0, quality)? },
        17 => ServerMessage::Peer { from: ParticipantId(of.text(0)?), payload: of.text(1)? },
        18 => ServerMessage::Mode { mode: room_mode(of.number(0)?) },
        19 => ServerMessage::IceServers { servers: of.list(0, ice_server)? },
        _ => return None,
    })
}

fn joined(of: &Item<'_>) -> Option<Joined> {
    Some(Joined {
        id: of.number32(0)?,
        session: SessionId(of.text(1)?),
        room: of.text(2)?,
        participant: participant(of.field(3)?)?,
        others: of.list(4, participant)?,
        permissions: permissions(of.field(5)?)?,
        slots: of.list(6, binding)?,
        answer: optional(of.field(7), answer)?,
        resumed: of.flag(8)?,
        resume_window_ms: of.number32(9)?,
        // An older edge says nothing of these.
        edges: of.list(10, Item::as_text).unwrap_or_default(),
        ice_servers: of.list(11, ice_server).unwrap_or_default(),
        mode: room_mode(of.number(12).unwrap_or_default()),
    })
}

fn participant(of: &Item<'_>) -> Option<ParticipantInfo> {
    Some(ParticipantInfo {
        id: ParticipantId(of.text(0)?),
        identity: of.text(1)?,
        name: of.text(2)?,
        role: of.text(3),
        publications: of.list(4, publication)?,
    })
}

fn publication(of: &Item<'_>) -> Option<PublicationInfo> {
    Some(PublicationInfo {
        id: PublicationId(of.text(0)?),
        video: of.flag(1)?,
        source: source(of.number(2)?),
        name: of.text(3)?,
        muted: of.flag(4)?,
    })
}

fn permissions(of: &Item<'_>) -> Option<Permissions> {
    Some(Permissions { publish: of.flag(0)?, subscribe: of.flag(1)?, publish_data: of.flag(2)? })
}

fn answer(of: &Item<'_>) -> Option<MediaAnswer> {
    Some(MediaAnswer { sdp: of.text(0)?, published: of.list(1, published)? })
}

fn published(of: &Item<'_>) -> Option<Published> {
    Some(Published { mid: Mid(of.text(0)?), publication: of.text(1).map(PublicationId), error: optional(of.field(2), error)? })
}

fn binding(of: &Item<'_>) -> Option<SlotBinding> {
    Some(SlotBinding { mid: Mid(of.text(0)?), publication: of.text(1).map(PublicationId) })
}

fn speaker(of: &Item<'_>) -> Option<Speaker> {
    Some(Speaker { participant: ParticipantId(of.text(0)?), level: u8::try_from(of.number(1)?).ok()? })
}

fn layer_state(of: &Item<'_>) -> Option<LayerState> {
    Some(LayerState {
        publication: PublicationId(of.text(0)?),
        width: number16(of, 1)?,
        height: number16(of, 2)?,
        fps: u8::try_from(of.number(3)?).ok()?,
        bitrate: of.number32(4)?,
        paused: of.flag(5)?,
        reason: layer_reason(of.number(6)?),
    })
}

fn encoding_demand(of: &Item<'_>) -> Option<EncodingDemand> {
    Some(EncodingDemand { rid: of.text(0)?, active: of.flag(1)?, spatial_layers: u8::try_from(of.number(2)?).ok()? })
}

fn quality(of: &Item<'_>) -> Option<ParticipantQuality> {
    Some(ParticipantQuality {
        participant: ParticipantId(of.text(0)?),
        score: u8::try_from(of.number(1)?).ok()?,
        level: quality_level(of.number(2)?),
        cause: quality_cause(of.number(3)?),
    })
}

fn ice_server(of: &Item<'_>) -> Option<IceServer> {
    Some(IceServer { urls: of.list(0, Item::as_text)?, username: of.text(1), credential: of.text(2), lifetime_s: of.number32(3) })
}

fn error(of: &Item<'_>) -> Option<ErrorInfo> {
    let number = of.number(0)?;
    // A reason that a newer edge invented is still a refusal, with a text and whether to try again.
    let code = ErrorCode::ALL.iter().find(|code| u64::from(code.number()) == number).copied().unwrap_or(ErrorCode::Internal);
    Some(ErrorInfo { code, message: of.text(1)?, retryable: of.flag(2)?, retry_after_ms: of.number32(3) })
}

fn source(number: u64) -> Source {
    match number {
        0 => Source::Camera,
        1 => Source::Microphone,
        2 => Source::Screen,
        3 => Source::ScreenAudio,
        _ => Source::Other,
    }
}

fn room_mode(number: u64) -> RoomMode {
    if number == 1 { RoomMode::P2p } else { RoomMode::Sfu }
}

fn quality_level(number: u64) -> QualityLevel {
    match number {
        1 => QualityLevel::Lost,
        2 => QualityLevel::Poor,
        3 => QualityLevel::Good,
        4 => QualityLevel::Excellent,
        _ => QualityLevel::Unknown,
    }
}

fn quality_cause(number: u64) -> QualityCause {
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

fn layer_reason(number: u64) -> LayerReason {
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

fn leave_reason(number: u64) -> LeaveReason {
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
    let item = Item::read(bytes)?;
    let Item::Bytes(payload) = item.field(3)? else { return None };
    Some(DataFrame {
        from: item.text(0).map(ParticipantId),
        to: item.text(1).map(ParticipantId),
        topic: item.text(2),
        payload: payload.to_vec(),
        text: item.flag(4)?,
        beat: item.number32(5),
    })
}

fn number16(of: &Item<'_>, key: u64) -> Option<u16> {
    u16::try_from(of.number(key)?).ok()
}

/// Absent is fine, unreadable isn't.
fn optional<T>(item: Option<&Item<'_>>, read: fn(&Item<'_>) -> Option<T>) -> Option<Option<T>> {
    match item {
        None => Some(None),
        Some(item) => read(item).map(Some),
    }
}
