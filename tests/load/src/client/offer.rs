//! What a participant wants, and the offer that says so.

use super::tap::{self, Tap};
use crate::LoadError;
use crate::media::Codec;
use crate::trace::{Kind, Trace};
use nearcast_protocol::client::Source;
use std::net::SocketAddr;
use std::time::Instant;
use str0m::change::SdpPendingOffer;
use str0m::media::{Direction, MediaKind, Simulcast, SimulcastLayer};
use str0m::{Candidate, Rtc, RtcConfig};

/// What a participant wants to do.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Publish this recording.
    pub publish: Option<Trace>,
    /// Its place among those who take turns in speaking; none: it always speaks.
    pub place: Option<usize>,
    /// Receive from so many publishers.
    pub receive: usize,
    /// What each of them sends, and so which sections are needed: audio, video.
    pub kinds: Vec<Kind>,
    /// Name the best of several layers first.
    pub best_first: bool,
}

/// An offer, and what its sending sections carry.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The session description.
    pub sdp: String,
    /// Section (mid) and source of each sending section.
    pub publish: Vec<(String, Source)>,
}

/// An offer, and what is needed to take its answer.
pub(super) struct Prepared {
    pub(super) offer: Offer,
    pub(super) pending: SdpPendingOffer,
    /// The section (mid) of each kind that is sent.
    pub(super) sending: Vec<(Kind, String)>,
}

/// The engine of a participant at an address, and the tap on its keys.
pub(super) fn engine(wish: &Wish, local: SocketAddr, now: Instant) -> Result<(Rtc, Tap), LoadError> {
    let codec = wish.publish.as_ref().map(|trace| trace.selection.codec);
    let config = codec.map_or_else(RtcConfig::new, |codec| {
        let config = RtcConfig::new().enable_vp8(codec == Codec::Vp8).enable_vp9(codec == Codec::Vp9);
        config.enable_h264(codec == Codec::H264).enable_av1(codec == Codec::Av1)
    });
    let (mut rtc, tap) = tap::build(config.set_rtp_mode(true), now);
    let candidate = Candidate::host(local, "udp").map_err(|error| LoadError::refused("preparing an offer", error))?;
    rtc.add_local_candidate(candidate);
    Ok((rtc, tap))
}

/// Adds a participant's sections to its engine.
pub(super) fn prepare(rtc: &mut Rtc, wish: &Wish) -> Result<Prepared, LoadError> {
    let mut changes = rtc.sdp_api();
    let mut sending = Vec::new();
    for (kind, media) in [(Kind::Audio, MediaKind::Audio), (Kind::Video, MediaKind::Video)] {
        if let Some(trace) = wish.publish.as_ref().filter(|trace| trace.has(kind)) {
            let layers = simulcast(trace, wish.best_first).filter(|_| kind == Kind::Video);
            let mid = changes.add_media(media, Direction::SendOnly, None, None, layers);
            sending.push((kind, mid.to_string()));
        }
        let receiving = if wish.kinds.contains(&kind) { wish.receive } else { 0 };
        for _ in 0..receiving {
            changes.add_media(media, Direction::RecvOnly, None, None, None);
        }
    }
    let nothing = || LoadError::refused("preparing an offer", "a participant must publish or receive something");
    let (offer, pending) = changes.apply().ok_or_else(nothing)?;
    let publish = sending.iter().map(|(kind, mid)| {
        let source = if *kind == Kind::Audio { Source::Microphone } else { Source::Camera };
        (mid.clone(), source)
    });
    let offer = Offer { sdp: offer.to_sdp_string(), publish: publish.collect() };
    Ok(Prepared { offer, pending, sending })
}

/// The layers to offer, when there are several.
fn simulcast(trace: &Trace, best_first: bool) -> Option<Simulcast> {
    let mut rids = trace.selection.video.to_vec();
    if best_first {
        rids.reverse();
    }
    let mut layers = Simulcast::new();
    rids.iter().for_each(|rid| layers.add_send_layer(SimulcastLayer::new(rid)));
    (rids.len() > 1).then_some(layers)
}
