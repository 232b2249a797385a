//! What an offer by HTTP is good for. WHIP takes offers that send, WHEP offers that receive; what the sections carry follows from
//! their kind, since there is nobody to say it.

use super::Problem;
use axum::http::StatusCode;
use nearcast_protocol::client::Source;
use nearcast_protocol::{ErrorCode, MediaOffer, Permissions, PublishIntent};
use serde::Deserialize;
use sfu_core::sdp::{Offer, Section, SectionKind};

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Purpose {
    /// WHIP.
    Publish,
    /// WHEP.
    Play,
}

impl Purpose {
    /// For logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "WHIP",
            Self::Play => "WHEP",
        }
    }

    /// Where its URLs begin.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Publish => "/whip/",
            Self::Play => "/whep/",
        }
    }

    /// What a session of it may do.
    #[must_use]
    pub const fn permissions(self) -> Permissions {
        let publish = matches!(self, Self::Publish);
        Permissions { publish, subscribe: !publish, publish_data: false, moderate: false }
    }
}

/// What may stand in the URL of a POST.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Parameters {
    /// What is published: a face and a voice, or a screen and its sound. Default: camera.
    #[serde(default)]
    source: Show,
    /// What the publications are called; free text, default empty.
    #[serde(default)]
    name: String,
}

/// See [`Parameters::source`].
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    Camera,
    Screen,
}

impl Show {
    /// The first section of each kind is the thing itself; whatever else is sent stands alone.
    const fn source(self, video: bool, first: bool) -> Source {
        match (self, video, first) {
            (_, _, false) => Source::Other,
            (Self::Camera, true, true) => Source::Camera,
            (Self::Camera, false, true) => Source::Microphone,
            (Self::Screen, true, true) => Source::Screen,
            (Self::Screen, false, true) => Source::ScreenAudio,
        }
    }
}

/// An offer that can be answered.
#[derive(Debug)]
pub struct ReadOffer {
    /// With what its sections carry.
    pub offer: MediaOffer,
    /// The ICE generation it begins.
    pub remote_ufrag: String,
}

/// Reads an offer.
///
/// # Errors
/// 400 for what isn't an offer, 422 for one that sends nothing (WHIP) or receives nothing (WHEP). Not 406: by that a player is told that a
/// counter-offer follows, which it has to answer (draft-ietf-wish-whep, "Determining Server Response Type"), and here is none.
pub fn read(purpose: Purpose, sdp: &str, parameters: &Parameters) -> Result<ReadOffer, Problem> {
    let offer = Offer::parse(sdp).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadSdp, error.to_string()))?;
    let media = |section: &&Section| !section.rejected && matches!(section.kind, SectionKind::Audio | SectionKind::Video);
    let mut publish = Vec::new();
    match purpose {
        Purpose::Publish => {
            for video in [false, true] {
                let sending = offer.sections.iter().filter(media).filter(|section| section.sends());
                let sending = sending.filter(|section| (section.kind == SectionKind::Video) == video);
                publish.extend(sending.enumerate().map(|(index, section)| PublishIntent {
                    mid: section.mid.clone(),
                    source: parameters.source.source(video, index == 0),
                    name: parameters.name.clone(),
                    muted: false,
                    publication: None,
                }));
            }
            if publish.is_empty() {
                let message = "the offer sends nothing: WHIP publishes, so give it a=sendonly sections; to play a room, POST to /whep/";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::BadSdp, message));
            }
        }
        Purpose::Play => {
            if !offer.sections.iter().filter(media).any(Section::receives) {
                let message = "the offer receives nothing: give it an a=recvonly section for each track to play and POST it again, \
                               since the edge makes no counter-offers; to publish, POST to /whip/";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::BadSdp, message));
            }
        }
    }
    Ok(ReadOffer { offer: MediaOffer { sdp: sdp.to_owned(), publish }, remote_ufrag: offer.ice.ufrag })
}
