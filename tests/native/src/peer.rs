//! The PeerConnection: what is offered, and what the answer is applied to.
//!
//! Payload types are none of Chromium's, so that whoever takes one for another is found out. Header extensions are the
//! `webrtc` crate's own choice: no mid for audio, so the edge must tell tracks apart by their SSRCs.

use crate::clip::{Clip, Kind};
use crate::interceptors::{self, Tally};
use crate::publish::Player;
use crate::report::Published;
use crate::{Error, JoinOptions, Publish, sdp};
use nearcast_protocol::{LOSSY_CHANNEL, MediaAnswer, MediaOffer, Mid, PublishIntent, RELIABLE_CHANNEL};
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc,
};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_sample::TrackLocalStaticSample;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::media_stream::{MediaStreamTrack, Track};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceConnectionState, RTCPeerConnectionState,
    RTCSessionDescription, SettingEngineBuilder,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpTransceiver};

const OPUS: u8 = 100;
const VP8: u8 = 120;
const VP8_RTX: u8 = 121;
/// RFC 6464.
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// A state change for each state, a track for each slot, and room to spare.
const EVENTS: usize = 256;

/// What the connection tells the session.
pub(crate) enum PeerEvent {
    Ice(RTCIceConnectionState),
    State(RTCPeerConnectionState),
    Track(Arc<dyn TrackRemote>),
}

/// Passes events on. It runs inside the connection's own task, so it never waits.
struct Events(mpsc::Sender<PeerEvent>);

impl Events {
    fn pass_on(&self, event: PeerEvent) {
        if self.0.try_send(event).is_err() {
            log::error!("an event of the connection was dropped: the session no longer takes any");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.pass_on(PeerEvent::Ice(state));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.pass_on(PeerEvent::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.pass_on(PeerEvent::Track(track));
    }
}

/// One of our tracks and the section it is sent in.
struct Outgoing {
    track: Arc<TrackLocalStaticSample>,
    transceiver: Arc<dyn RtpTransceiver>,
    publish: Publish,
}

pub(crate) struct Peer {
    pub(crate) connection: Arc<dyn PeerConnection>,
    pub(crate) reliable: Arc<dyn DataChannel>,
    pub(crate) lossy: Arc<dyn DataChannel>,
    pub(crate) events: mpsc::Receiver<PeerEvent>,
    pub(crate) tally: Tally,
    /// Which slot an SSRC of the edge belongs to; empty before the answer.
    pub(crate) sections: HashMap<u32, String>,
    outgoing: Vec<Outgoing>,
}

impl Peer {
    /// A connection with everything in it that the offer is to mention.
    pub(crate) async fn new(options: &JoinOptions, local: IpAddr) -> Result<Self, Error> {
        let (sender, events) = mpsc::channel(EVENTS);
        let tally = Tally::default();
        let (engine, registry) = media(&tally)?;
        let mut settings = SettingEngineBuilder::new().with_ice_connection_attempts(options.check_interval, None);
        if !options.multicast_dns {
            settings = settings.with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled);
        }
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings.build())
            .with_handler(Arc::new(Events(sender)))
            .with_udp_addrs(vec![SocketAddr::new(local, 0)])
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);

        let mut outgoing = Vec::new();
        for (index, publish) in options.publish.iter().enumerate() {
            outgoing.push(send(&connection, index, publish).await?);
        }
        for (kind, count) in [(RtpCodecKind::Audio, options.slots), (RtpCodecKind::Video, options.slots)] {
            for _ in 0..count {
                let init =
                    RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Recvonly, streams: vec![], send_encodings: vec![] };
                connection.add_transceiver_from_kind(kind, Some(init)).await?;
            }
        }
        let negotiated = |id| RTCDataChannelInit { negotiated: Some(id), ..Default::default() };
        let reliable = connection.create_data_channel("reliable", Some(negotiated(RELIABLE_CHANNEL))).await?;
        let lossy = RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..negotiated(LOSSY_CHANNEL) };
        let lossy = connection.create_data_channel("lossy", Some(lossy)).await?;
        Ok(Self { connection, reliable, lossy, events, tally, sections: HashMap::new(), outgoing })
    }

    /// The offer. No candidates are waited for: the edge doesn't need them.
    pub(crate) async fn offer(&self) -> Result<MediaOffer, Error> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer.clone()).await?;
        let mut publish = Vec::new();
        for outgoing in &self.outgoing {
            let mid = Mid(outgoing.mid().await?);
            publish.push(PublishIntent { mid, source: outgoing.publish.source, name: String::new(), muted: false, publication: None });
        }
        Ok(MediaOffer { sdp: offer.sdp, publish })
    }

    /// Applies the answer. Media flows once ICE and DTLS are done.
    pub(crate) async fn accept(&mut self, answer: &str, redirect: Option<SocketAddr>) -> Result<(), Error> {
        self.sections = sdp::sections_by_ssrc(answer);
        let answer = redirect.map_or_else(|| answer.to_owned(), |address| sdp::redirect(answer, address));
        Ok(self.connection.set_remote_description(RTCSessionDescription::answer(answer)?).await?)
    }

    /// Our tracks, ready to be played.
    pub(crate) async fn players(&self, answer: &MediaAnswer) -> Result<Vec<Player>, Error> {
        let mut players = Vec::new();
        for outgoing in &self.outgoing {
            players.push(outgoing.player(answer).await?);
        }
        Ok(players)
    }
}

impl Outgoing {
    async fn mid(&self) -> Result<String, Error> {
        self.transceiver.mid().await?.ok_or_else(|| Error::Protocol("a section of the offer has no mid".to_owned()))
    }

    async fn player(&self, answer: &MediaAnswer) -> Result<Player, Error> {
        let missing = |what: &str| Error::Protocol(format!("{what} for {:?}", self.publish.source));
        let mid = self.mid().await?;
        let outcome = answer.published.iter().find(|published| published.mid.0 == mid).ok_or_else(|| missing("no publication"))?;
        if let Some(error) = &outcome.error {
            return Err(Error::Refused(error.clone()));
        }
        let publication = outcome.publication.clone().ok_or_else(|| missing("neither a publication nor an error"))?;
        let sender = self.transceiver.sender().await?.ok_or_else(|| missing("no sender"))?;
        let codecs = sender.get_parameters().await?.rtp_parameters.codecs;
        let clip: &Arc<Clip> = &self.publish.clip;
        Ok(Player {
            track: Arc::clone(&self.track),
            ssrc: self.track.ssrcs().await.first().copied().ok_or_else(|| missing("no SSRC"))?,
            payload_type: codecs.first().map(|codec| codec.payload_type).ok_or_else(|| missing("no codec in common"))?,
            clip: Arc::clone(clip),
            figures: Published {
                mid,
                publication: publication.0,
                source: self.publish.source,
                kind: clip.kind,
                frames: 0,
                key_frames: 0,
                key_frames_asked: 0,
                skipped: 0,
            },
        })
    }
}

/// Adds a track to send.
async fn send(connection: &Arc<dyn PeerConnection>, index: usize, publish: &Publish) -> Result<Outgoing, Error> {
    let kind = if publish.clip.kind == Kind::Audio { RtpCodecKind::Audio } else { RtpCodecKind::Video };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(random_ssrc()), ..Default::default() },
        codec: codec(publish.clip.kind),
        ..Default::default()
    };
    let track = MediaStreamTrack::new("native".to_owned(), format!("native-{index}"), format!("native-{index}"), kind, vec![coding]);
    let track = Arc::new(TrackLocalStaticSample::new(Instant::now(), track)?);
    let init = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Sendonly, streams: vec![], send_encodings: vec![] };
    let transceiver = connection.add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, Some(init)).await?;
    Ok(Outgoing { track, transceiver, publish: publish.clone() })
}

/// From the hasher's keys, the standard library's only randomness; never zero, which some take for "none".
fn random_ssrc() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    (std::collections::hash_map::RandomState::new().build_hasher().finish() as u32).max(1)
}

fn codec(kind: Kind) -> RTCRtpCodec {
    let (mime_type, clock_rate, channels, fmtp) = match kind {
        Kind::Audio => (MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1"),
        Kind::Video => (MIME_TYPE_VP8, 90_000, 0, ""),
    };
    RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, sdp_fmtp_line: fmtp.to_owned(), rtcp_feedback: vec![] }
}

/// Codecs, header extensions and what acts on RTCP: NACK both ways, transport-wide feedback both ways, reports.
fn media(tally: &Tally) -> Result<(MediaEngine, Registry), Error> {
    let mut engine = MediaEngine::default();
    let opus = RTCRtpCodecParameters { rtp_codec: codec(Kind::Audio), payload_type: OPUS };
    engine.register_codec(opus, RtpCodecKind::Audio)?;
    let vp8 = RTCRtpCodecParameters { rtp_codec: codec(Kind::Video), payload_type: VP8 };
    engine.register_codec(vp8, RtpCodecKind::Video)?;
    let rtx = RTCRtpCodec { mime_type: MIME_TYPE_RTX.to_owned(), sdp_fmtp_line: format!("apt={VP8}"), ..codec(Kind::Video) };
    engine.register_codec(RTCRtpCodecParameters { rtp_codec: rtx, payload_type: VP8_RTX }, RtpCodecKind::Video)?;
    let level = RTCRtpHeaderExtensionCapability { uri: AUDIO_LEVEL.to_owned() };
    engine.register_header_extension(level, RtpCodecKind::Audio, None)?;
    configure_simulcast_extension_headers(&mut engine)?; // mid, for video only
    let registry = configure_nack(Registry::new(), &mut engine);
    let registry = configure_twcc(registry, &mut engine)?;
    let registry = configure_rtcp_reports(registry);
    Ok((engine, interceptors::watch(registry, tally)))
}
