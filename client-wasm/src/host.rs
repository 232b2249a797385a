//! What the façade hears. The methods of `CoreHost` in npm/src/core/boundary.ts, called one after the other.

use crate::transport::Transport;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use client_core::{Adapted, Event, LinkId, RequestId, SessionError, StepTaken, Subject};
use js_sys::Array;
use nearcast_protocol::client::Source;
use nearcast_protocol::{IceServer, LayerState, LeaveReason, Mid, PublicationId};
use wasm_bindgen::prelude::*;
use web_sys::{MediaStreamTrack, RtcPeerConnection, RtcRtpSender, WebSocket};

#[wasm_bindgen]
extern "C" {
    /// The façade's ear.
    pub type CoreHost;

    #[wasm_bindgen(method, js_name = tokenWanted)]
    pub(crate) fn token_wanted(this: &CoreHost);
    #[wasm_bindgen(method, js_name = transportOpened)]
    pub(crate) fn transport_opened(this: &CoreHost, transport: &RtcPeerConnection);
    /// Opening, open or lost by now; none: there can be none.
    #[wasm_bindgen(method, js_name = openSocket)]
    pub(crate) fn open_socket(this: &CoreHost, edge: Option<String>) -> Option<WebSocket>;
    #[wasm_bindgen(method, js_name = linkChanged)]
    pub(crate) fn link_changed(this: &CoreHost, link: u32, connection: Option<&RtcPeerConnection>);
    #[wasm_bindgen(method, js_name = pathChanged)]
    fn path_changed(this: &CoreHost, participant: &str, direct: bool, reason: &str);
    #[wasm_bindgen(method, js_name = iceServers)]
    fn ice_servers(this: &CoreHost, servers: &Array);
    #[wasm_bindgen(method, js_name = leaveOut)]
    pub(crate) fn leave_out(this: &CoreHost, addresses: u32);
    #[wasm_bindgen(method)]
    fn step(this: &CoreHost, step: &str, reason: &str, took_ms: u32);
    #[wasm_bindgen(method)]
    fn renamed(this: &CoreHost, was: &str, id: &str);
    #[wasm_bindgen(method)]
    fn republished(this: &CoreHost, was: &str, publication: &str, mid: &str, sender: &RtcRtpSender);
    #[wasm_bindgen(method, js_name = stateChanged)]
    fn state_changed(this: &CoreHost, state: &str, reason: &str);
    #[wasm_bindgen(method)]
    fn joined(this: &CoreHost, room: &str, id: &str, identity: &str, name: &str, role: Option<String>);
    #[wasm_bindgen(method, js_name = participantJoined)]
    fn participant_joined(this: &CoreHost, id: &str, identity: &str, name: &str, role: Option<String>);
    #[wasm_bindgen(method, js_name = participantLeft)]
    fn participant_left(this: &CoreHost, id: &str, reason: &str);
    #[wasm_bindgen(method, js_name = publicationAdded)]
    fn publication_added(
        this: &CoreHost,
        participant: &str,
        id: &str,
        video: bool,
        source: &str,
        name: &str,
        muted: bool,
        subscribed: bool,
    );
    #[wasm_bindgen(method, js_name = publicationRemoved)]
    fn publication_removed(this: &CoreHost, participant: &str, id: &str);
    #[wasm_bindgen(method, js_name = publicationMuted)]
    fn publication_muted(this: &CoreHost, id: &str, muted: bool);
    #[wasm_bindgen(method)]
    fn moderated(this: &CoreHost, action: u8, publication: &str);
    #[wasm_bindgen(method, js_name = mayModerate)]
    fn may_moderate(this: &CoreHost);
    #[wasm_bindgen(method, js_name = trackSubscribed)]
    fn track_subscribed(this: &CoreHost, publication: &str, mid: &str, track: &MediaStreamTrack);
    #[wasm_bindgen(method, js_name = trackUnsubscribed)]
    fn track_unsubscribed(this: &CoreHost, publication: &str);
    #[wasm_bindgen(method, js_name = localUnpublished)]
    fn local_unpublished(this: &CoreHost, publication: &str);
    #[wasm_bindgen(method)]
    fn speakers(this: &CoreHost, participants: &Array, levels: &[u8]);
    #[wasm_bindgen(method)]
    fn adapted(this: &CoreHost, what: &str, step: &str, active: bool, reason: &str);
    #[wasm_bindgen(method)]
    fn layers(this: &CoreHost, estimate: u32, publications: &Array, numbers: &[u32]);
    #[wasm_bindgen(method, js_name = statsWanted)]
    pub(crate) fn stats_wanted(this: &CoreHost);
    #[wasm_bindgen(method)]
    fn quality(this: &CoreHost, subjects: &Array, numbers: &[f32]);
    #[wasm_bindgen(method)]
    fn data(this: &CoreHost, from: Option<String>, payload: &[u8], text: bool, topic: Option<String>, reliable: bool);
    #[wasm_bindgen(method)]
    fn published(this: &CoreHost, request: u32, publication: &str, mid: &str, sender: &RtcRtpSender);
    #[wasm_bindgen(method)]
    fn done(this: &CoreHost, request: u32);
    #[wasm_bindgen(method)]
    fn failed(this: &CoreHost, request: u32, code: &str, message: &str, retryable: bool);
    #[wasm_bindgen(method)]
    pub(crate) fn closed(this: &CoreHost, code: Option<String>, message: &str, retryable: bool, retry_after_ms: Option<u32>);
}

impl CoreHost {
    /// Each as user name, password and addresses.
    pub(crate) fn set_ice_servers(&self, servers: Vec<IceServer>) {
        let all = Array::new();
        for IceServer { urls, username, credential, .. } in servers {
            let server = Array::new();
            for text in [username, credential].into_iter().chain(urls.into_iter().map(Some)) {
                server.push(&text.map_or(JsValue::UNDEFINED, |text| JsValue::from_str(&text)));
            }
            all.push(&server);
        }
        self.ice_servers(&all);
    }

    /// A publication's track comes over a direct connection now.
    pub(crate) fn routed(&self, publication: &PublicationId, link: LinkId, mid: &Mid, track: &MediaStreamTrack) {
        // By its number in statistics: see flatten.ts.
        let section = client_core::section(link, mid);
        self.track_subscribed(publication.as_str(), &section, track);
    }

    /// Tells one event. `transport`: as long as it is open; it knows the browser objects that events speak of.
    pub(crate) fn tell(&self, event: Event, transport: Option<&Transport>) {
        match event {
            Event::Joined { room, id, identity, name, role } => self.joined(&room, id.as_str(), &identity, &name, role),
            Event::StateChanged { state, reason } => self.state_changed(state.name(), reason.name()),
            Event::Step(StepTaken { step, reason, took_ms, .. }) => self.step(step.name(), reason.name(), took_ms),
            Event::ParticipantRenamed { was, id } => self.renamed(was.as_str(), id.as_str()),
            Event::PublicationRenamed { was, id } => self.renamed(was.as_str(), id.as_str()),
            Event::Republished { request, was, publication, mid } => {
                if let Some(sender) = sender(transport, request, &publication) {
                    self.republished(was.as_str(), publication.as_str(), mid.as_str(), &sender);
                }
            }
            Event::ParticipantJoined { id, identity, name, role } => self.participant_joined(id.as_str(), &identity, &name, role),
            Event::ParticipantLeft { id, reason } => self.participant_left(id.as_str(), leave_reason(reason)),
            Event::PublicationAdded { participant, publication, subscribed } => {
                let source = source_name(publication.source);
                let (id, name) = (publication.id.as_str(), &publication.name);
                self.publication_added(participant.as_str(), id, publication.video, source, name, publication.muted, subscribed);
            }
            Event::PublicationRemoved { participant, publication } => self.publication_removed(participant.as_str(), publication.as_str()),
            Event::PublicationMuted { publication, muted } => self.publication_muted(publication.as_str(), muted),
            Event::Moderated { action, publication } => self.moderated(action as u8, publication.as_str()),
            Event::MayModerate => self.may_moderate(),
            Event::TrackSubscribed { publication, mid } => {
                if let Some(track) = transport.and_then(|transport| transport.received(&mid)) {
                    self.track_subscribed(publication.as_str(), mid.as_str(), &track);
                }
            }
            Event::TrackUnsubscribed { publication } => self.track_unsubscribed(publication.as_str()),
            // The runner tells it, with the connection's track.
            Event::TrackRouted { .. } => {}
            Event::PathChanged { participant, direct, reason } => self.path_changed(participant.as_str(), direct, reason),
            Event::LocalUnpublished { publication } => self.local_unpublished(publication.as_str()),
            Event::Speakers(speakers) => {
                let (ids, levels): (Array, Vec<u8>) =
                    speakers.iter().map(|speaker| (JsValue::from_str(speaker.participant.as_str()), speaker.level)).unzip();
                self.speakers(&ids, &levels);
            }
            Event::Adapted(Adapted { what, step, active, reason }) => self.adapted(what, step, active, reason),
            Event::Layers { estimate, layers } => {
                let (ids, mut numbers) = (Array::new(), Vec::new());
                for LayerState { publication, width, height, fps, bitrate, paused, reason } in layers {
                    ids.push(&JsValue::from_str(publication.as_str()));
                    numbers.extend_from_slice(&[width.into(), height.into(), fps.into(), bitrate, paused.into(), reason as u32]);
                }
                self.layers(estimate, &ids, &numbers);
            }
            Event::Quality(judgements) => {
                let (ids, mut numbers) = (Array::new(), Vec::new());
                for judgement in judgements {
                    numbers.extend_from_slice(&judgement.numbers());
                    ids.push(&JsValue::from_str(match &judgement.subject {
                        Subject::Uplink | Subject::Downlink => "",
                        Subject::Publication(id) => id.as_str(),
                        Subject::Participant(id) => id.as_str(),
                    }));
                }
                self.quality(&ids, &numbers);
            }
            Event::Data { message, reliable } => {
                self.data(message.peer.map(|peer| peer.0), &message.payload, message.text, message.topic, reliable);
            }
            Event::Published { request, publication, mid } => {
                if let Some(sender) = sender(transport, request, &publication) {
                    self.published(request.0, publication.as_str(), mid.as_str(), &sender);
                }
            }
            Event::Done { request } => self.done(request.0),
            Event::Failed { request, error } => self.failed(request.0, error.code.name(), &error.message, error.retryable),
            Event::Closed { error: None } => self.closed(None, "", false, None),
            Event::Closed { error: Some(SessionError { code, message, retryable, retry_after_ms }) } => {
                self.closed(Some(code.name().to_owned()), &message, retryable, retry_after_ms);
            }
        }
    }
}

/// What sends the track of a request from now on, which is published as this.
fn sender(transport: Option<&Transport>, request: RequestId, publication: &PublicationId) -> Option<RtcRtpSender> {
    transport.and_then(|transport| transport.senders().borrow_mut().published(transport, request, publication.clone()))
}

/// The names of the public API.
fn source_name(source: Source) -> &'static str {
    match source {
        Source::Camera => "camera",
        Source::Microphone => "microphone",
        Source::Screen => "screen",
        Source::ScreenAudio => "screen-audio",
        Source::Other => "other",
    }
}

/// The reverse of [`source_name`].
pub(crate) fn source_from_name(name: &str) -> Source {
    [Source::Camera, Source::Microphone, Source::Screen, Source::ScreenAudio]
        .into_iter()
        .find(|source| source_name(*source) == name)
        .unwrap_or(Source::Other)
}

fn leave_reason(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Left => "left",
        LeaveReason::TimedOut => "timed-out",
        LeaveReason::Replaced => "replaced",
        LeaveReason::Removed => "removed",
        LeaveReason::Failed => "failed",
    }
}
