//! What the façade hears. The methods of `CoreHost` in npm/src/core/boundary.ts, called one after the other.

use crate::border::{bytes, call, flag, list, number, numbers, object, optional, text};
use crate::transport::Transport;
use alloc::string::String;
use client_core::{Adapted, Event, RequestId, SessionError, StepTaken, Subject};
use nearcast_protocol::client::Source;
use nearcast_protocol::{IceServer, LayerState, LeaveReason, ParticipantId, PublicationId};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The façade's ear.
    pub type CoreHost;

    /// The signalling address of an edge; none: it has none.
    #[wasm_bindgen(method, js_name = signalAddress)]
    pub(crate) fn signal_address(this: &CoreHost, edge: &str) -> Option<String>;
}

impl CoreHost {
    /// Calls a method that is told nothing.
    pub(crate) fn ask(&self, method: &str) {
        text(method);
        call(self);
    }

    /// Calls a method that is told of one browser object.
    pub(crate) fn show(&self, method: &str, it: &JsValue) {
        text(method);
        object(it);
        call(self);
    }

    /// Each as user name, password and addresses.
    pub(crate) fn set_ice_servers(&self, servers: &[IceServer]) {
        text("iceServers");
        for IceServer { urls, username, credential, .. } in servers {
            optional(username.as_deref());
            optional(credential.as_deref());
            urls.iter().for_each(|url| text(url));
            list(urls.len() + 2);
        }
        list(servers.len());
        call(self);
    }

    /// Tells one event. `transport`: as long as it is open; it knows the browser objects that events speak of.
    pub(crate) fn tell(&self, event: &Event, transport: Option<&Transport>) {
        match event {
            Event::Joined { room, id, identity, name, role } => {
                text("joined");
                text(room);
                person(id, identity, name, role);
            }
            Event::StateChanged { state, reason } => {
                text("stateChanged");
                text(state.name());
                text(reason.name());
            }
            Event::Step(StepTaken { step, reason, took_ms, .. }) => {
                text("step");
                text(step.name());
                text(reason.name());
                number((*took_ms).into());
            }
            Event::ParticipantRenamed { was: ParticipantId(was), id: ParticipantId(id) }
            | Event::PublicationRenamed { was: PublicationId(was), id: PublicationId(id) } => {
                text("renamed");
                text(was);
                text(id);
            }
            Event::Republished { request, was, publication, mid } => {
                let Some(sender) = sender(transport, *request, publication) else { return };
                text("republished");
                text(was.as_str());
                text(publication.as_str());
                text(mid.as_str());
                object(&sender);
            }
            Event::ParticipantJoined { id, identity, name, role } => {
                text("participantJoined");
                person(id, identity, name, role);
            }
            Event::ParticipantLeft { id, reason } => {
                text("participantLeft");
                text(id.as_str());
                text(leave_reason(*reason));
            }
            Event::PublicationAdded { participant, publication, subscribed } => {
                text("publicationAdded");
                text(participant.as_str());
                text(publication.id.as_str());
                flag(publication.video);
                text(source_name(publication.source));
                text(&publication.name);
                flag(publication.muted);
                flag(*subscribed);
            }
            Event::PublicationRemoved { participant, publication } => {
                text("publicationRemoved");
                text(participant.as_str());
                text(publication.as_str());
            }
            Event::PublicationMuted { publication, muted } => {
                text("publicationMuted");
                text(publication.as_str());
                flag(*muted);
            }
            Event::TrackSubscribed { publication, mid } => {
                let Some(track) = transport.and_then(|transport| transport.received(mid)) else { return };
                text("trackSubscribed");
                text(publication.as_str());
                text(mid.as_str());
                object(&track);
            }
            Event::TrackUnsubscribed { publication } => {
                text("trackUnsubscribed");
                text(publication.as_str());
            }
            Event::LocalUnpublished { publication } => {
                text("localUnpublished");
                text(publication.as_str());
            }
            Event::Speakers(speakers) => {
                text("speakers");
                speakers.iter().for_each(|speaker| text(speaker.participant.as_str()));
                list(speakers.len());
                speakers.iter().for_each(|speaker| number(speaker.level.into()));
                numbers(speakers.len());
            }
            Event::Adapted(Adapted { what, step, active, reason }) => {
                text("adapted");
                text(what);
                text(step);
                flag(*active);
                text(reason);
            }
            Event::Layers { estimate, layers } => {
                text("layers");
                number((*estimate).into());
                layers.iter().for_each(|layer| text(layer.publication.as_str()));
                list(layers.len());
                for LayerState { width, height, fps, bitrate, paused, reason, .. } in layers {
                    let told = [(*width).into(), (*height).into(), (*fps).into(), *bitrate, (*paused).into(), *reason as u32];
                    told.into_iter().for_each(|one| number(one.into()));
                }
                numbers(layers.len() * 6);
            }
            Event::Quality(judgements) => {
                text("quality");
                for judgement in judgements {
                    text(match &judgement.subject {
                        Subject::Uplink | Subject::Downlink => "",
                        Subject::Publication(id) => id.as_str(),
                        Subject::Participant(id) => id.as_str(),
                    });
                }
                list(judgements.len());
                let mut count = 0;
                for one in judgements.iter().flat_map(|judgement| judgement.numbers()) {
                    number(one.into());
                    count += 1;
                }
                numbers(count);
            }
            Event::Data { message, reliable } => {
                text("data");
                optional(message.peer.as_ref().map(ParticipantId::as_str));
                bytes(&message.payload);
                flag(message.text);
                optional(message.topic.as_deref());
                flag(*reliable);
            }
            Event::Published { request, publication, mid } => {
                let Some(sender) = sender(transport, *request, publication) else { return };
                text("published");
                number(request.0.into());
                text(publication.as_str());
                text(mid.as_str());
                object(&sender);
            }
            Event::Done { request } => {
                text("done");
                number(request.0.into());
            }
            Event::Failed { request, error } => {
                text("failed");
                number(request.0.into());
                failure(error);
            }
            Event::Closed { error } => {
                text("closed");
                match error {
                    Some(error) => {
                        failure(error);
                        if let Some(milliseconds) = error.retry_after_ms {
                            number(milliseconds.into());
                        }
                    }
                    None => {
                        object(&JsValue::UNDEFINED);
                        text("");
                        flag(false);
                    }
                }
            }
        }
        call(self);
    }
}

fn person(id: &ParticipantId, identity: &str, name: &str, role: &Option<String>) {
    text(id.as_str());
    text(identity);
    text(name);
    optional(role.as_deref());
}

fn failure(error: &SessionError) {
    text(error.code.name());
    text(&error.message);
    flag(error.retryable);
}

/// What sends the track of a request from now on, which is published as this.
fn sender(transport: Option<&Transport>, request: RequestId, publication: &PublicationId) -> Option<JsValue> {
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
