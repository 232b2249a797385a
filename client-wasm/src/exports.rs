//! What the façade calls: `Core` in npm/src/core/boundary.ts.

use crate::host::{CoreHost, source_from_name};
use crate::runner::Runner;
use crate::senders::{Outgoing, Sending};
use alloc::rc::Rc;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use client_core::encodings::Video;
use client_core::publish::VideoCodec;
use client_core::{DataMessage, Input, PublishRequest, RequestId, SessionConfig};
use nearcast_protocol::{ModerationAction, ParticipantId, Priority, PublicationId, Wish};
use wasm_bindgen::prelude::*;
use web_sys::MediaStreamTrack;

/// One session.
#[wasm_bindgen]
pub struct Core {
    runner: Rc<Runner>,
}

#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "positions are free, the names of an object's properties are bytes in the wasm")]
impl Core {
    /// A session that does nothing until `start`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        host: CoreHost,
        auto_subscribe: bool,
        join_timeout_ms: u32,
        give_up_after_ms: u32,
        client: String,
        configuration: JsValue,
    ) -> Self {
        let config = SessionConfig { auto_subscribe, join_timeout_ms, give_up_after_ms, client, ..SessionConfig::default() };
        Self { runner: Runner::new(host, config, configuration) }
    }

    /// Joins.
    pub fn start(&self) {
        self.runner.start();
    }

    /// Answers `CoreHost.tokenWanted`.
    pub fn token(&self, text: Option<String>) {
        self.runner.feed(Input::Token(text));
    }

    /// Publishes a track.
    pub fn publish(
        &self,
        request: u32,
        track: MediaStreamTrack,
        source: &str,
        name: String,
        muted: bool,
        codec: Option<String>,
        max_bitrate: Option<f64>,
        max_framerate: Option<f64>,
        simulcast: bool,
        scalability_mode: Option<String>,
        red: bool,
        dtx: bool,
    ) {
        let (request, source) = (RequestId(request), source_from_name(source));
        let codec = codec.and_then(|name| VideoCodec::from_name(&name)).unwrap_or_default();
        let settings = track.get_settings();
        let pixels = |side: Option<i32>| side.and_then(|side| u32::try_from(side).ok()).unwrap_or_default();
        let (width, height) = (pixels(settings.get_width()), pixels(settings.get_height()));
        let max_bitrate = max_bitrate.map(|bits| bits as u32);
        let video = Video { source, codec, width, height, max_bitrate, max_framerate, simulcast, scalability_mode };
        let sending = Sending { is_video: track.kind() == "video", video, red };
        let outgoing = Outgoing { request, track: Some(track), publication: None, sending };
        self.runner.publish(PublishRequest { request, source, name, muted, dtx }, outgoing);
    }

    /// Stops publishing.
    pub fn unpublish(&self, request: u32, publication: String) {
        self.runner.feed(Input::Unpublish { request: RequestId(request), publication: PublicationId(publication) });
    }

    /// Tells the room that a publication is silent, or not.
    pub fn mute(&self, request: u32, publication: String, muted: bool) {
        self.runner.feed(Input::Mute { request: RequestId(request), publication: PublicationId(publication), muted });
    }

    /// Moderates the room. `action`: the number of one of `moderation.ts`.
    pub fn moderate(&self, request: u32, action: u8, target: String) {
        let Some(action) = ModerationAction::ALL.get(usize::from(action)).copied() else { return };
        self.runner.feed(Input::Moderate { request: RequestId(request), action, target });
    }

    /// Asks for somebody's publication, or no longer.
    pub fn subscribe(&self, request: u32, publication: String, wanted: bool) {
        let (request, publication) = (RequestId(request), PublicationId(publication));
        self.runner.feed(if wanted { Input::Subscribe { request, publication } } else { Input::Unsubscribe { request, publication } });
    }

    /// How somebody's publication is shown now. `priority`: 0 by what it is, 1 thumbnail, 2 speaker, 3 on stage.
    pub fn wish(&self, publication: String, width: u16, height: u16, visible: bool, max_fps: u8, priority: u8) {
        let priority = match priority {
            1 => Priority::Thumbnail,
            2 => Priority::Speaker,
            3 => Priority::OnStage,
            _ => Priority::Auto,
        };
        let publication = PublicationId(publication);
        self.runner.feed(Input::Wish(Wish { publication, width, height, visible, max_fps, priority }));
    }

    /// Sends a message; the code of what is wrong, if something is.
    #[wasm_bindgen(js_name = sendData)]
    pub fn send_data(&self, payload: Vec<u8>, text: bool, to: Option<String>, topic: Option<String>, reliable: bool) -> Option<String> {
        let message = DataMessage { peer: to.map(ParticipantId), topic, payload, text };
        self.runner.send_data(message, reliable).map(str::to_owned)
    }

    /// Answers `CoreHost.statsWanted`: records of npm/src/flatten.ts.
    pub fn stats(&self, numbers: Vec<f64>) {
        self.runner.feed(Input::Stats(numbers));
    }

    /// A STUN or TURN server was tried: the number of its address.
    #[wasm_bindgen(js_name = iceServer)]
    pub fn ice_server(&self, address: u32, works: bool) {
        self.runner.feed(Input::IceServer { address, works });
    }

    /// The network is said to be back, gone, or another one.
    #[wasm_bindgen(js_name = networkAvailable)]
    pub fn network_available(&self) {
        self.runner.feed(Input::NetworkAvailable);
    }

    /// What happened so far, in the journal's own format (docs/journal.md).
    pub fn trace(&self) -> Vec<u8> {
        self.runner.trace()
    }

    /// So many participants may talk directly; below two: never.
    #[wasm_bindgen(js_name = directLimit)]
    pub fn direct_limit(&self, most: u8) {
        self.runner.feed(Input::DirectLimit(most));
    }

    /// A publication is sent with another track, or none.
    #[wasm_bindgen(js_name = trackReplaced)]
    pub fn track_replaced(&self, publication: String, track: Option<MediaStreamTrack>) {
        self.runner.replace_track(&PublicationId(publication), track.as_ref());
    }

    /// Whether nobody sees the page.
    #[wasm_bindgen(js_name = pageHidden)]
    pub fn page_hidden(&self, hidden: bool) {
        self.runner.feed(Input::PageHidden(hidden));
    }

    /// Nothing shall give way when the processor or the path is short.
    #[wasm_bindgen(js_name = adaptNothing)]
    pub fn adapt_nothing(&self) {
        self.runner.feed(Input::AdaptNothing);
    }

    /// Leaves.
    pub fn leave(&self) {
        self.runner.feed(Input::Leave);
    }
}
