//! What the façade calls: `Core` in npm/src/core/boundary.ts.

use crate::border::{ask, flag_of, is, number_of, text_of};
use crate::host::{CoreHost, source_from_name};
use crate::runner::Runner;
use crate::senders::{Outgoing, Sending};
use alloc::rc::Rc;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use client_core::encodings::Video;
use client_core::publish::VideoCodec;
use client_core::{DataMessage, Input, PublishRequest, RequestId, SessionConfig};
use nearcast_protocol::{ParticipantId, Priority, PublicationId, Wish};
use wasm_bindgen::prelude::*;

/// One session.
#[wasm_bindgen]
pub struct Core {
    runner: Rc<Runner>,
}

#[wasm_bindgen]
impl Core {
    /// A session that does nothing until `start`. `options`: `CoreOptions`.
    #[wasm_bindgen(constructor)]
    pub fn new(host: CoreHost, url: String, options: JsValue, configuration: JsValue) -> Self {
        let config = SessionConfig {
            auto_subscribe: flag_of(&options, "autoSubscribe"),
            join_timeout_ms: number_of(&options, "joinTimeoutMs") as u32,
            give_up_after_ms: number_of(&options, "giveUpAfterMs") as u32,
            client: text_of(&options, "client").unwrap_or_default(),
            ..SessionConfig::default()
        };
        Self { runner: Runner::new(host, url, config, configuration) }
    }

    /// Joins.
    pub fn start(&self) {
        self.runner.start();
    }

    /// Answers `CoreHost.tokenWanted`.
    pub fn token(&self, text: Option<String>) {
        self.runner.feed(Input::Token(text));
    }

    /// Publishes a track. `settings`: `PublishRequest`.
    pub fn publish(&self, request: u32, track: JsValue, settings: JsValue) {
        let request = RequestId(request);
        let word = |name| text_of(&settings, name).unwrap_or_default();
        let limit = |name| Some(number_of(&settings, name)).filter(|limit| !limit.is_nan());
        let source = source_from_name(&word("source"));
        let shape = ask(&track, "getSettings");
        let video = Video {
            source,
            codec: VideoCodec::from_name(&word("codec")).unwrap_or_default(),
            width: number_of(&shape, "width") as u32,
            height: number_of(&shape, "height") as u32,
            max_bitrate: limit("maxBitrate").map(|bits| bits as u32),
            max_framerate: limit("maxFramerate"),
            simulcast: flag_of(&settings, "simulcast"),
            scalability_mode: text_of(&settings, "scalabilityMode"),
        };
        let sending = Sending { is_video: is(&track, "kind", "video"), video, red: flag_of(&settings, "red") };
        let outgoing = Outgoing { request, track, publication: None, sending };
        let (name, muted, dtx) = (word("name"), flag_of(&settings, "muted"), flag_of(&settings, "dtx"));
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

    /// Sends a message; the code of what is wrong, if something is. `kind`: `DataKind`.
    #[wasm_bindgen(js_name = sendData)]
    pub fn send_data(&self, payload: Vec<u8>, kind: JsValue) -> Option<String> {
        let (peer, topic) = (text_of(&kind, "to").map(ParticipantId), text_of(&kind, "topic"));
        let message = DataMessage { peer, topic, payload, text: flag_of(&kind, "text") };
        self.runner.send_data(message, flag_of(&kind, "reliable")).map(str::to_owned)
    }

    /// Answers `CoreHost.statsWanted`: records of npm/src/flatten.ts.
    pub fn stats(&self, numbers: Vec<f64>) {
        self.runner.feed(Input::Stats(numbers));
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
