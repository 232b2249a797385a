//! Browser functions that web-sys lacks, or binds without their exceptions: one that crosses wasm unnoticed leaves half-done state behind.

use alloc::{string::String, vec::Vec};
use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::{
    MediaStreamTrack, RtcPeerConnection, RtcRtpCodecCapability, RtcRtpSender, RtcRtpTransceiver, RtcRtpTransceiverDirection,
    RtcSessionDescriptionInit,
};

#[wasm_bindgen]
extern "C" {
    /// `performance.now()`: milliseconds, never going back.
    #[wasm_bindgen(js_namespace = performance)]
    pub(crate) fn now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timeout(timer: &JsValue);

    /// A promise, as far as we need it: an async task costs 2 kB (gzip) more than two closures.
    pub(crate) type Promise;

    #[wasm_bindgen(method, js_name = then)]
    pub(crate) fn settled(this: &Promise, done: &Function, failed: &Function);

    /// `new RTCPeerConnection(configuration)`.
    #[wasm_bindgen(extends = RtcPeerConnection)]
    pub(crate) type RTCPeerConnection;

    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(configuration: &JsValue) -> Result<RTCPeerConnection, JsValue>;

    /// The next offer has new ICE credentials.
    #[wasm_bindgen(method, js_name = restartIce)]
    pub(crate) fn restart_ice(this: &RTCPeerConnection);

    /// Makes the offer and sets it (RFC 8829 §4.1.10, "implicit" description).
    #[wasm_bindgen(method, catch, js_name = setLocalDescription)]
    pub(crate) fn set_local_offer(this: &RTCPeerConnection) -> Result<Promise, JsValue>;

    /// `setRemoteDescription` and `setLocalDescription`, whose failures are failed promises.
    #[wasm_bindgen(method, js_name = setRemoteDescription)]
    pub(crate) fn set_remote(this: &RTCPeerConnection, description: &RtcSessionDescriptionInit) -> Promise;
    #[wasm_bindgen(method, js_name = setLocalDescription)]
    pub(crate) fn set_local(this: &RTCPeerConnection, description: &RtcSessionDescriptionInit) -> Promise;

    #[wasm_bindgen(method, catch, js_name = addTransceiver)]
    pub(crate) fn try_add_transceiver(
        this: &RTCPeerConnection,
        track_or_kind: &JsValue,
        init: &web_sys::RtcRtpTransceiverInit,
    ) -> Result<RtcRtpTransceiver, JsValue>;

    /// An RTCRtpTransceiver, for what web-sys binds without exceptions.
    #[wasm_bindgen(extends = RtcRtpTransceiver)]
    pub(crate) type Transceiver;

    /// Throws when the section was stopped.
    #[wasm_bindgen(method, setter, catch, js_name = direction)]
    pub(crate) fn try_set_direction(this: &Transceiver, direction: RtcRtpTransceiverDirection) -> Result<(), JsValue>;

    /// Fails where a browser doesn't let pages choose (Firefox).
    #[wasm_bindgen(method, catch, js_name = getHeaderExtensionsToNegotiate)]
    pub(crate) fn header_extensions(this: &Transceiver) -> Result<Vec<HeaderExtension>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setHeaderExtensionsToNegotiate)]
    pub(crate) fn set_header_extensions(this: &Transceiver, extensions: Vec<HeaderExtension>) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setCodecPreferences)]
    pub(crate) fn try_set_codec_preferences(this: &Transceiver, codecs: &Array) -> Result<(), JsValue>;

    /// An RTCRtpHeaderExtensionCapability.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type HeaderExtension;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn uri(this: &HeaderExtension) -> String;

    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_direction(this: &HeaderExtension, direction: &str);

    /// An RTCRtpSender, for what web-sys lacks.
    #[wasm_bindgen(extends = RtcRtpSender)]
    pub(crate) type Sender;

    #[wasm_bindgen(method, js_name = getParameters)]
    pub(crate) fn parameters(this: &Sender) -> SendParameters;

    #[wasm_bindgen(method, js_name = setParameters)]
    pub(crate) fn set_parameters(this: &Sender, parameters: &SendParameters) -> Promise;

    #[wasm_bindgen(method, js_name = replaceTrack)]
    pub(crate) fn replace_track(this: &Sender, track: Option<&MediaStreamTrack>) -> Promise;

    /// An RTCRtpSendParameters, as far as we change it.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type SendParameters;

    #[wasm_bindgen(method, setter, js_name = degradationPreference)]
    pub(crate) fn set_degradation_preference(this: &SendParameters, preference: &str);

    #[wasm_bindgen(method, getter)]
    pub(crate) fn encodings(this: &SendParameters) -> Option<Vec<Encoding>>;

    /// Those that were negotiated, in no order that means anything.
    #[wasm_bindgen(method, getter, js_name = codecs)]
    pub(crate) fn codecs(this: &SendParameters) -> Option<Vec<RtcRtpCodecCapability>>;

    /// An RTCRtpEncodingParameters: web-sys knows no frame rate and no scalability.
    #[wasm_bindgen(extends = js_sys::Object)]
    pub(crate) type Encoding;

    #[wasm_bindgen(method, setter, js_name = rid)]
    pub(crate) fn set_rid(this: &Encoding, rid: &str);

    #[wasm_bindgen(method, setter, js_name = active)]
    pub(crate) fn set_active(this: &Encoding, active: bool);

    #[wasm_bindgen(method, setter, js_name = scaleResolutionDownBy)]
    pub(crate) fn set_scale_down_by(this: &Encoding, factor: f64);

    /// None in browsers that know no scalable coding.
    #[wasm_bindgen(method, getter, js_name = scalabilityMode)]
    pub(crate) fn scalability_mode(this: &Encoding) -> Option<String>;

    #[wasm_bindgen(method, setter, js_name = scalabilityMode)]
    pub(crate) fn set_scalability_mode(this: &Encoding, mode: &str);

    #[wasm_bindgen(method, setter, js_name = maxBitrate)]
    pub(crate) fn set_max_bitrate(this: &Encoding, bits_per_second: f64);

    #[wasm_bindgen(method, setter, js_name = maxFramerate)]
    pub(crate) fn set_max_framerate(this: &Encoding, frames_per_second: Option<f64>);

    /// W3C webrtc-extensions. None: the first of the section's list.
    #[wasm_bindgen(method, getter, js_name = codec)]
    pub(crate) fn codec(this: &Encoding) -> Option<RtcRtpCodecCapability>;

    #[wasm_bindgen(method, setter, js_name = codec)]
    pub(crate) fn set_codec(this: &Encoding, codec: &RtcRtpCodecCapability);

    #[wasm_bindgen(method, setter, js_name = priority)]
    pub(crate) fn set_priority(this: &Encoding, priority: &str);

    #[wasm_bindgen(method, setter, js_name = networkPriority)]
    pub(crate) fn set_network_priority(this: &Encoding, priority: &str);
}
