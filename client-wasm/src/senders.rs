//! Sending sections: tracks on their way into an offer, transceivers that carry them, and empty ones that wait for the next track of their shape.
//! A section has as many encodings as it was born with, so an empty one serves only tracks with as many and of the same scalability.
//!
//! Parameters are set for one section at a time, always from what is wanted at that moment: two changes in a row end in the later one, and neither
//! undoes what the other one set. Muting and other tracks (`replaceTrack`, by the façade) leave parameters as they are.

use crate::bindings::{Encoding, Promise, RTCPeerConnection, Sender, Transceiver};
use crate::transport::Transport;
use alloc::vec::Vec;
use client_core::RequestId;
use client_core::encodings::{self, Caps, Video, describes_layers, encodings};
use client_core::publish::{LAST_RANK, VideoCodec, codec_rank, degradation_preference, priorities};
use js_sys::{Array, Object};
use nearcast_protocol::{EncodingDemand, Mid, PublicationId};
use wasm_bindgen::prelude::*;
use web_sys::{
    MediaStream, MediaStreamTrack, RtcRtpCapabilities, RtcRtpCodecCapability, RtcRtpReceiver, RtcRtpSender, RtcRtpTransceiver,
    RtcRtpTransceiverDirection, RtcRtpTransceiverInit,
};

/// A track that shall be sent, and how.
pub(crate) struct Outgoing {
    pub(crate) request: RequestId,
    /// None: a muted camera, on its way to another transport.
    pub(crate) track: Option<MediaStreamTrack>,
    /// What it was published as over the transport before.
    pub(crate) publication: Option<PublicationId>,
    pub(crate) sending: Sending,
}

/// How a track is sent.
#[derive(Clone)]
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

    /// In one size, as nobody chooses among several.
    fn directly(&self) -> Self {
        let mut directly = self.clone();
        (directly.video.simulcast, directly.video.scalability_mode) = (false, None);
        directly
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.is_video { "video" } else { "audio" }
    }

    /// Whether a section that was born with the encodings of `other` can send this.
    fn fits(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.born_with(), other.born_with());
        let alike = ours.iter().zip(&theirs).all(|(one, other)| one.scalability_mode == other.scalability_mode);
        self.is_video == other.is_video && ours.len() == theirs.len() && alike
    }

    /// Of the whole section, said with its first encoding: Chromium refuses it with any other.
    fn write_priorities(&self, first: &Encoding) {
        let (priority, network) = priorities(self.video.source, self.is_video);
        first.set_priority(priority);
        first.set_network_priority(network);
    }

    fn write(&self, encoding: &Encoding, wanted: &encodings::Encoding, held: bool) {
        encoding.set_active(!held && (wanted.active || !self.is_video));
        if self.is_video {
            encoding.set_scale_down_by(wanted.scale_down_by);
            encoding.set_max_bitrate(wanted.max_bitrate.into());
            encoding.set_max_framerate(wanted.max_framerate);
            if !wanted.scalability_mode.is_empty() {
                encoding.set_scalability_mode(wanted.scalability_mode);
            }
        } else if let Some(bits) = self.video.max_bitrate {
            encoding.set_max_bitrate(bits.into());
        }
    }

    /// A section for `track`. A browser that refuses the scalability (an app may ask for any) makes one without.
    pub(crate) fn add_transceiver(
        &self,
        connection: &RTCPeerConnection,
        track: Option<&MediaStreamTrack>,
        stream: Option<&MediaStream>,
    ) -> Result<Transceiver, JsValue> {
        let track_or_kind = track.map_or_else(|| self.kind().into(), JsValue::from);
        let add = |scalable: bool| {
            let all = Array::new();
            for mut wanted in self.born_with() {
                let encoding: Encoding = Object::new().unchecked_into();
                if !scalable {
                    wanted.scalability_mode = "";
                }
                self.write(&encoding, &wanted, false);
                if all.length() == 0 {
                    self.write_priorities(&encoding);
                }
                if !wanted.rid.is_empty() {
                    encoding.set_rid(wanted.rid);
                }
                all.push(&encoding);
            }
            let init = RtcRtpTransceiverInit::new();
            init.set_direction(RtcRtpTransceiverDirection::Sendonly);
            init.set_send_encodings(&all);
            if let Some(stream) = stream {
                init.set_streams(&Array::of1(stream));
            }
            connection.try_add_transceiver(&track_or_kind, &init)
        };
        let transceiver: Transceiver = add(true).or_else(|_| add(false))?.unchecked_into();
        if self.is_video {
            offer_extensions(&transceiver, true);
        }
        Ok(transceiver)
    }

    /// Tells the browser what is wanted now: `demand` (empty: everything), unless all is `held`. Wishes: a browser that doesn't know one goes
    /// without.
    pub(crate) fn set_parameters(&self, transceiver: &Transceiver, demand: &mut [EncodingDemand], caps: &Caps, held: bool) -> Promise {
        let sender: Sender = transceiver.sender().unchecked_into();
        let parameters = sender.parameters();
        if self.is_video {
            parameters.set_degradation_preference(degradation_preference(self.video.source));
        }
        let present = parameters.encodings().unwrap_or_default();
        if let Some(first) = present.first() {
            self.write_priorities(first);
        }
        // Without scalable coding in the browser there is nothing to cut off.
        let scalable = present.iter().any(|encoding| encoding.scalability_mode().is_some());
        demand.iter_mut().filter(|_| !scalable).for_each(|wanted| wanted.spatial_layers = 0);
        for (encoding, mut wanted) in present.iter().zip(self.encodings(demand, present.len(), caps)) {
            if !scalable {
                wanted.scalability_mode = "";
            }
            self.write(encoding, &wanted, held);
            // Once named, a codec stays (in Chromium also when it is left out). Browsers that can't change it without an offer don't know the member.
            if wanted.cheap || encoding.codec().is_some() {
                let name = match self.video.codec {
                    _ if wanted.cheap => "video/VP8",
                    VideoCodec::Av1 => "video/AV1",
                    _ => "video/VP9",
                };
                if let Some(codec) = parameters.codecs().unwrap_or_default().iter().find(|codec| codec.get_mime_type() == name) {
                    encoding.set_codec(codec);
                }
            }
        }
        sender.set_parameters(&parameters)
    }
}

/// What a section carries: a track as it was asked for, and what it is published as.
struct Load {
    request: RequestId,
    publication: Option<PublicationId>,
}

struct Section {
    transceiver: Transceiver,
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

    fn sender(&self) -> Sender {
        self.transceiver.sender().unchecked_into()
    }

    fn set_parameters(&mut self, transport: &Transport, caps: &Caps, held: bool) {
        self.changed = false;
        transport.setting_parameters(&self.sending.set_parameters(&self.transceiver, &mut self.demand, caps, held));
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
    /// Nothing is sent for now.
    held: bool,
}

impl Senders {
    /// Keeps the track until an offer takes it in.
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        self.outgoing.push(outgoing);
    }

    /// Everything that these sections carry, for those of another transport: what the edge wants of it is asked anew there, what holds
    /// it down (a busy processor, a narrow way) still does.
    pub(crate) fn moved(mut self) -> Self {
        for Section { transceiver, load, sending, .. } in self.sections {
            if let Some(Load { request, publication }) = load {
                self.outgoing.push(Outgoing { request, track: transceiver.sender().track(), publication, sending });
            }
        }
        Self { outgoing: self.outgoing, caps: self.caps, held: self.held, ..Self::default() }
    }

    /// Gives the track of `request` a section: an empty one of its shape, or a new one.
    pub(crate) fn place(&mut self, transport: &Transport, request: RequestId) -> Result<(), JsValue> {
        let Some(at) = self.outgoing.iter().position(|one| one.request == request) else {
            return Ok(());
        };
        let Outgoing { track, publication, sending, .. } = self.outgoing.swap_remove(at);
        let usable = |section: &&mut Section| {
            section.load.is_none()
                && section.sending.fits(&sending)
                && section.transceiver.try_set_direction(RtcRtpTransceiverDirection::Sendonly).is_ok()
        };
        let load = Some(Load { request, publication });
        let section = match self.sections.iter_mut().find(usable) {
            Some(section) => {
                transport.ignore(&section.sender().replace_track(track.as_ref()));
                section.sending = sending;
                section.demand.clear();
                section.load = load;
                section
            }
            None => {
                let transceiver = sending.add_transceiver(transport.raw(), track.as_ref(), None)?;
                self.sections.push(Section { transceiver, load, sending, demand: Vec::new(), changed: false });
                self.sections.last_mut().ok_or(JsValue::UNDEFINED)?
            }
        };
        section.changed = true;
        let Sending { video, red, .. } = &section.sending;
        prefer_codecs(&section.transceiver, RtcRtpSender::get_capabilities(section.sending.kind()), video.codec, *red);
        self.set_parameters(transport);
        Ok(())
    }

    /// The answer that ends what a section sent has no use for its header extensions, and Chromium then leaves out even those that simulcast
    /// needs, and refuses its own next offer for that. So each offer says again what every section is to have.
    pub(crate) fn offer_extensions(&self) {
        for section in self.sections.iter().filter(|section| section.sending.is_video) {
            offer_extensions(&section.transceiver, true);
        }
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

    /// Nothing is sent for now, or again.
    pub(crate) fn hold(&mut self, transport: &Transport, held: bool) {
        self.held = held;
        self.sections.iter_mut().for_each(|section| section.changed = true);
        self.set_parameters(transport);
    }

    /// The track that is sent as a publication, and how it would be sent directly.
    pub(crate) fn directly(&self, publication: &PublicationId) -> Option<(Option<MediaStreamTrack>, Sending)> {
        let section = self.sections.iter().find(|section| section.carries(publication))?;
        Some((section.transceiver.sender().track(), section.sending.directly()))
    }

    /// Sets the parameters of the next section where they have changed, unless the browser is still at work on another.
    fn set_parameters(&mut self, transport: &Transport) {
        if !self.setting
            && let Some(section) = self.sections.iter_mut().find(|section| section.changed)
        {
            self.setting = true;
            section.set_parameters(transport, &self.caps, self.held);
        }
    }

    /// The browser is through with the parameters of one section.
    pub(crate) fn parameters_settled(&mut self, transport: &Transport) {
        self.setting = false;
        self.set_parameters(transport);
    }

    /// The sections of all tracks, those in the offer that was just set among them.
    pub(crate) fn mids(&self) -> Vec<(RequestId, Mid)> {
        let of = |section: &Section| Some((section.load.as_ref()?.request, Mid(section.transceiver.mid()?)));
        self.sections.iter().filter_map(of).collect()
    }

    /// The edge has made it a publication, perhaps with fewer encodings: then the one that is left must be the whole picture.
    pub(crate) fn published(&mut self, transport: &Transport, request: RequestId, publication: PublicationId) -> Option<RtcRtpSender> {
        let section = self.sections.iter_mut().find(|section| section.load.as_ref().is_some_and(|load| load.request == request))?;
        section.load.as_mut()?.publication = Some(publication);
        let kept = section.sender().parameters().encodings().map_or(0, |kept| kept.len());
        section.changed |= kept < section.sending.born_with().len();
        let sender = section.transceiver.sender();
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
            let _ = section.transceiver.try_set_direction(RtcRtpTransceiverDirection::Inactive);
            transport.ignore(&section.sender().replace_track(None));
        }
    }
}

/// Offers what the edge forwards, and the wanted codec first. A browser that can't be told (Firefox before 128) offers all it has.
pub(crate) fn prefer_codecs(transceiver: &RtcRtpTransceiver, capabilities: Option<RtcRtpCapabilities>, video: VideoCodec, red: bool) {
    let Some(capabilities) = capabilities else {
        return;
    };
    let all = capabilities.get_codecs();
    let rank =
        |codec: &RtcRtpCodecCapability| codec_rank(&codec.get_mime_type(), &codec.get_sdp_fmtp_line().unwrap_or_default(), video, red);
    // Ten walks over a dozen codecs are less code than one sort.
    let codecs = Array::new();
    for wanted in 0..=LAST_RANK {
        for codec in all.iter().map(JsCast::unchecked_into::<RtcRtpCodecCapability>) {
            if rank(&codec) == Some(wanted) {
                codecs.push(&codec);
            }
        }
    }
    let _ = transceiver.unchecked_ref::<Transceiver>().try_set_codec_preferences(&codecs);
}

/// Offers the header extensions that layers need, where the browser lets pages choose.
pub(crate) fn offer_extensions(transceiver: &Transceiver, sends: bool) {
    if let Ok(extensions) = transceiver.header_extensions() {
        for extension in extensions.iter().filter(|extension| describes_layers(&extension.uri(), sends)) {
            extension.set_direction("sendrecv");
        }
        let _ = transceiver.set_header_extensions(extensions);
    }
}

/// Receiving sections offer the same codecs as sending ones.
pub(crate) fn receiving_capabilities(kind: &str) -> Option<RtcRtpCapabilities> {
    RtcRtpReceiver::get_capabilities(kind)
}
