//! Sending sections: tracks on their way into an offer, transceivers that carry them, and empty ones that wait for the next track of their shape.
//! A section has as many encodings as it was born with, so an empty one serves only tracks with as many and of the same scalability.
//!
//! Parameters are set for one section at a time, always from what is wanted at that moment: two changes in a row end in the later one, and neither
//! undoes what the other one set. Muting and other tracks (`replaceTrack`, by the façade) leave parameters as they are.

use crate::border::{
    ask, attempt, flag, get, list, list_of, number, object, page, put, put_number, put_text, result, text, text_of, try_put,
};
use crate::transport::Transport;
use alloc::vec::Vec;
use client_core::RequestId;
use client_core::encodings::{self, Caps, Video, describes_layers, encodings};
use client_core::publish::{LAST_RANK, VideoCodec, codec_rank, degradation_preference, priorities};
use js_sys::{Array, Object};
use nearcast_protocol::{EncodingDemand, Mid, PublicationId};
use wasm_bindgen::prelude::*;

/// A track that shall be sent, and how.
pub(crate) struct Outgoing {
    pub(crate) request: RequestId,
    /// Null: a muted camera, on its way to another transport.
    pub(crate) track: JsValue,
    /// What it was published as over the transport before.
    pub(crate) publication: Option<PublicationId>,
    pub(crate) sending: Sending,
}

/// How a track is sent.
pub(crate) struct Sending {
    /// Otherwise an audio track: of `video` only the bitrate counts.
    pub(crate) is_video: bool,
    pub(crate) video: Video,
    pub(crate) red: bool,
}

impl Sending {
    /// The encodings that it has now, `most` at most; an audio track has one.
    fn encodings(&self, demand: &[EncodingDemand], most: usize, caps: &Caps) -> Vec<encodings::Encoding<'_>> {
        encodings(&self.video, demand, if self.is_video { most } else { 1 }, caps)
    }

    /// All that a section is born with.
    fn born_with(&self) -> Vec<encodings::Encoding<'_>> {
        self.encodings(&[], usize::MAX, &Caps::default())
    }

    fn kind(&self) -> &'static str {
        if self.is_video { "video" } else { "audio" }
    }

    /// Whether a section that was born with the encodings of `other` can send this.
    fn fits(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.born_with(), other.born_with());
        let alike = ours.iter().zip(&theirs).all(|(one, other)| one.scalability_mode == other.scalability_mode);
        self.is_video == other.is_video && ours.len() == theirs.len() && alike
    }

    /// Of the whole section, said with its first encoding: Chromium refuses it with any other.
    fn write_priorities(&self, first: &JsValue) {
        let (priority, network) = priorities(self.video.source, self.is_video);
        put_text(first, "priority", priority);
        put_text(first, "networkPriority", network);
    }

    fn write(&self, encoding: &JsValue, wanted: &encodings::Encoding) {
        if self.is_video {
            flag(wanted.active);
            put(encoding, "active");
            put_number(encoding, "scaleResolutionDownBy", wanted.scale_down_by);
            put_number(encoding, "maxBitrate", wanted.max_bitrate.into());
            match wanted.max_framerate {
                Some(frames) => number(frames),
                None => object(&JsValue::UNDEFINED),
            }
            put(encoding, "maxFramerate");
            if !wanted.scalability_mode.is_empty() {
                put_text(encoding, "scalabilityMode", wanted.scalability_mode);
            }
        } else if let Some(bits) = self.video.max_bitrate {
            put_number(encoding, "maxBitrate", bits.into());
        }
    }

    /// A section for `track`. A browser that refuses the scalability (an app may ask for any) makes one without.
    fn add_transceiver(&self, transport: &Transport, track: &JsValue) -> Result<JsValue, JsValue> {
        let add = |scalable: bool| {
            let mut count = 0;
            for mut wanted in self.born_with() {
                let encoding = Object::new();
                if !scalable {
                    wanted.scalability_mode = "";
                }
                self.write(&encoding, &wanted);
                if count == 0 {
                    self.write_priorities(&encoding);
                }
                if !wanted.rid.is_empty() {
                    put_text(&encoding, "rid", wanted.rid);
                }
                object(&encoding);
                count += 1;
            }
            list(count);
            let init = Object::new();
            put(&init, "sendEncodings");
            put_text(&init, "direction", "sendonly");
            text("addTransceiver");
            if track.is_null() {
                text(self.kind());
            } else {
                object(track);
            }
            object(&init);
            attempt(transport.raw())
        };
        let transceiver = add(true).or_else(|_| add(false))?;
        if self.is_video {
            offer_extensions(&transceiver, true);
        }
        Ok(transceiver)
    }
}

/// What a section carries: a track as it was asked for, and what it is published as.
struct Load {
    request: RequestId,
    publication: Option<PublicationId>,
}

struct Section {
    transceiver: JsValue,
    load: Option<Load>,
    /// Of the track it was given last.
    sending: Sending,
    /// What the edge wants of it; empty: everything.
    demand: Vec<EncodingDemand>,
    /// What is wanted is not what the browser was told.
    changed: bool,
}

impl Section {
    fn carries(&self, publication: &PublicationId) -> bool {
        self.load.as_ref().is_some_and(|load| load.publication.as_ref() == Some(publication))
    }

    fn sender(&self) -> JsValue {
        get(&self.transceiver, "sender")
    }

    /// Whether the browser takes the direction: it throws when the section was stopped.
    fn turn(&self, direction: &str) -> bool {
        text(direction);
        try_put(&self.transceiver, "direction").is_ok()
    }

    /// Sends this track from now on, or null.
    fn replace_track(&self, transport: &Transport, track: &JsValue) {
        let sender = self.sender();
        text("replaceTrack");
        object(track);
        transport.ignore(&result(&sender));
    }

    /// Tells the browser what is wanted now. Wishes: a browser that doesn't know one goes without.
    fn set_parameters(&mut self, transport: &Transport, caps: &Caps) {
        self.changed = false;
        let sender = self.sender();
        let parameters = ask(&sender, "getParameters");
        if self.sending.is_video {
            let preference = degradation_preference(self.sending.video.source);
            put_text(&parameters, "degradationPreference", preference);
        }
        let present = list_of(&parameters, "encodings");
        if let Some(first) = present.iter().next() {
            self.sending.write_priorities(&first);
        }
        // Without scalable coding in the browser there is nothing to cut off.
        let scalable = present.iter().any(|encoding| text_of(&encoding, "scalabilityMode").is_some());
        self.demand.iter_mut().filter(|_| !scalable).for_each(|wanted| wanted.spatial_layers = 0);
        for (encoding, mut wanted) in present.iter().zip(self.sending.encodings(&self.demand, present.length() as usize, caps)) {
            if !scalable {
                wanted.scalability_mode = "";
            }
            self.sending.write(&encoding, &wanted);
        }
        text("setParameters");
        object(&parameters);
        transport.setting_parameters(&result(&sender));
    }
}

/// All sending sections of a transport. A section lives as long as the transport, so there are as many of a shape as there were ever tracks of
/// it at once.
#[derive(Default)]
pub(crate) struct Senders {
    outgoing: Vec<Outgoing>,
    sections: Vec<Section>,
    /// The browser is at work on the parameters of one of them.
    setting: bool,
    /// What holds all of them down.
    caps: Caps,
}

impl Senders {
    /// Keeps the track until an offer takes it in.
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        self.outgoing.push(outgoing);
    }

    /// Everything that these sections carry, for those of another transport: what the edge wants of it is asked anew there.
    pub(crate) fn moved(mut self) -> Self {
        for Section { transceiver, load, sending, .. } in self.sections {
            if let Some(Load { request, publication }) = load {
                self.outgoing.push(Outgoing { request, track: get(&get(&transceiver, "sender"), "track"), publication, sending });
            }
        }
        Self { outgoing: self.outgoing, ..Self::default() }
    }

    /// Gives the track of `request` a section: an empty one of its shape, or a new one.
    pub(crate) fn place(&mut self, transport: &Transport, request: RequestId) -> Result<(), JsValue> {
        let Some(at) = self.outgoing.iter().position(|one| one.request == request) else {
            return Ok(());
        };
        let Outgoing { track, publication, sending, .. } = self.outgoing.swap_remove(at);
        let usable = |section: &&mut Section| section.load.is_none() && section.sending.fits(&sending) && section.turn("sendonly");
        let load = Some(Load { request, publication });
        let section = match self.sections.iter_mut().find(usable) {
            Some(section) => {
                section.replace_track(transport, &track);
                section.sending = sending;
                section.demand.clear();
                section.load = load;
                section
            }
            None => {
                let transceiver = sending.add_transceiver(transport, &track)?;
                self.sections.push(Section { transceiver, load, sending, demand: Vec::new(), changed: false });
                self.sections.last_mut().ok_or(JsValue::UNDEFINED)?
            }
        };
        section.changed = true;
        let Sending { video, red, .. } = &section.sending;
        prefer_codecs(&section.transceiver, "RTCRtpSender", section.sending.kind(), video.codec, *red);
        self.set_parameters(transport);
        Ok(())
    }

    /// What the edge wants of a publication now.
    pub(crate) fn demand(&mut self, transport: &Transport, publication: &PublicationId, demand: Vec<EncodingDemand>) {
        if let Some(section) = self.sections.iter_mut().find(|section| section.carries(publication)) {
            section.demand = demand;
            section.changed = true;
            self.set_parameters(transport);
        }
    }

    /// What holds all videos down now.
    pub(crate) fn cap(&mut self, transport: &Transport, caps: Caps) {
        self.caps = caps;
        self.sections.iter_mut().for_each(|section| section.changed |= section.sending.is_video);
        self.set_parameters(transport);
    }

    /// Sets the parameters of the next section where they have changed, unless the browser is still at work on another.
    fn set_parameters(&mut self, transport: &Transport) {
        if !self.setting
            && let Some(section) = self.sections.iter_mut().find(|section| section.changed)
        {
            self.setting = true;
            section.set_parameters(transport, &self.caps);
        }
    }

    /// The browser is through with the parameters of one section.
    pub(crate) fn parameters_settled(&mut self, transport: &Transport) {
        self.setting = false;
        self.set_parameters(transport);
    }

    /// The sections of all tracks, those in the offer that was just set among them.
    pub(crate) fn mids(&self) -> Vec<(RequestId, Mid)> {
        let of = |section: &Section| Some((section.load.as_ref()?.request, Mid(text_of(&section.transceiver, "mid")?)));
        self.sections.iter().filter_map(of).collect()
    }

    /// The edge has made it a publication, perhaps with fewer encodings: then the one that is left must be the whole picture.
    pub(crate) fn published(&mut self, transport: &Transport, request: RequestId, publication: PublicationId) -> Option<JsValue> {
        let section = self.sections.iter_mut().find(|section| section.load.as_ref().is_some_and(|load| load.request == request))?;
        section.load.as_mut()?.publication = Some(publication);
        let sender = section.sender();
        let kept = list_of(&ask(&sender, "getParameters"), "encodings").length() as usize;
        section.changed |= kept < section.sending.born_with().len();
        self.set_parameters(transport);
        Some(sender)
    }

    /// The edge, or the browser, wants none of it.
    pub(crate) fn drop_request(&mut self, transport: &Transport, request: RequestId) {
        self.outgoing.retain(|one| one.request != request);
        self.empty(transport, |section| section.load.as_ref().is_some_and(|load| load.request == request));
    }

    /// No longer published.
    pub(crate) fn release(&mut self, transport: &Transport, publication: &PublicationId) {
        if let Some(at) = self.outgoing.iter().position(|one| one.publication.as_ref() == Some(publication)) {
            self.outgoing.swap_remove(at);
        }
        self.empty(transport, |section| section.carries(publication));
    }

    fn empty(&mut self, transport: &Transport, matches: impl Fn(&Section) -> bool) {
        for section in self.sections.iter_mut().filter(|section| matches(section)) {
            section.load = None;
            // A section that the edge has stopped sends nothing anyway, and is never used again.
            section.turn("inactive");
            section.replace_track(transport, &JsValue::NULL);
        }
    }
}

/// Offers what the edge forwards, and the wanted codec first. `class`: who tells what the browser can. One that can't be told (Firefox before
/// 128) offers all it has.
pub(crate) fn prefer_codecs(transceiver: &JsValue, class: &str, kind: &str, video: VideoCodec, red: bool) {
    let class = get(&page(), class);
    text("getCapabilities");
    text(kind);
    let capabilities = result(&class);
    if capabilities.is_null() {
        return;
    }
    let all = list_of(&capabilities, "codecs");
    let rank = |codec: &JsValue| {
        codec_rank(&text_of(codec, "mimeType").unwrap_or_default(), &text_of(codec, "sdpFmtpLine").unwrap_or_default(), video, red)
    };
    text("setCodecPreferences");
    // Ten walks over a dozen codecs are less code than one sort.
    let mut count = 0;
    for wanted in 0..=LAST_RANK {
        for codec in all.iter() {
            if rank(&codec) == Some(wanted) {
                object(&codec);
                count += 1;
            }
        }
    }
    list(count);
    let _ = attempt(transceiver);
}

/// Offers the header extensions that layers need, where the browser lets pages choose.
pub(crate) fn offer_extensions(transceiver: &JsValue, sends: bool) {
    text("getHeaderExtensionsToNegotiate");
    if let Ok(extensions) = attempt(transceiver).map(JsCast::unchecked_into::<Array>) {
        for extension in extensions.iter() {
            if describes_layers(&text_of(&extension, "uri").unwrap_or_default(), sends) {
                put_text(&extension, "direction", "sendrecv");
            }
        }
        text("setHeaderExtensionsToNegotiate");
        object(&extensions);
        let _ = attempt(transceiver);
    }
}
