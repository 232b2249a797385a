"""Publishes to a room or plays it with GStreamer's webrtcbin, over WHIP or WHEP. To be run by the system's own Python, which has gi.

    gstreamer_client.py publish|play ENDPOINT TOKEN

Reads commands from standard input, a line each: `delete` ends the session. Ends when its input ends; webrtcbin says no goodbye then.
"""

import sys
import threading

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstWebRTC', '1.0')
gi.require_version('GstSdp', '1.0')
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (the versions have to be asked for first)
from whip import Session, say  # noqa: E402

VP8 = 'application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000'
OPUS = 'application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2'
SEND = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
RECEIVE = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY

# No key frame but the first comes by itself: a viewer has one only because the edge asks for it.
PUBLISH = f"""
    webrtcbin name=web bundle-policy=max-bundle
    videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1 ! vp8enc deadline=1 keyframe-max-dist=10000
        ! rtpvp8pay ! {VP8} ! web.
    audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay ! {OPUS} ! web.
"""
DECODE = {'video': 'queue ! rtpvp8depay ! vp8dec', 'audio': 'queue ! rtpopusdepay ! opusdec'}


class Client:
    def __init__(self, role, endpoint, token):
        self.session = Session(endpoint, token)
        self.loop = GLib.MainLoop()
        self.frames = {'audio': 0, 'video': 0}
        self.offered = False
        if role == 'publish':
            self.pipeline = Gst.parse_launch(PUBLISH)
            self.web = self.pipeline.get_by_name('web')
            for index in range(2):
                self.web.emit('get-transceiver', index).set_property('direction', SEND)
        else:
            self.pipeline = Gst.Pipeline.new()
            self.web = Gst.ElementFactory.make('webrtcbin')
            self.web.set_property('bundle-policy', GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.web)
            for caps in [OPUS, VP8]:
                self.web.emit('add-transceiver', RECEIVE, Gst.Caps.from_string(caps))
            self.web.connect('pad-added', self.decode)
            GLib.timeout_add(100, lambda: say('frames', **self.frames) or True)
        self.web.connect('on-negotiation-needed', self.offer)
        self.web.connect('notify::ice-gathering-state', lambda *_: GLib.idle_add(self.send_offer))
        self.web.connect('notify::connection-state', lambda *_: say('state', state=self.web.get_property('connection-state').value_nick))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message::error', self.failed)

    def offer(self, _web):
        created = Gst.Promise.new_with_change_func(lambda promise, *_: GLib.idle_add(self.describe, promise))
        self.web.emit('create-offer', None, created)

    def describe(self, promise):
        reply = promise.get_reply()  # kept: the offer is a part of it
        self.web.emit('set-local-description', reply.get_value('offer'), None)
        self.send_offer()

    def send_offer(self):
        """Once all candidates are in it. The edge needs none of them, but that is how GStreamer's own WHIP clients do it."""
        complete = self.web.get_property('ice-gathering-state') == GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.offered or not complete or self.web.get_property('local-description') is None:
            return
        self.offered = True
        answer = self.session.begin(self.web.get_property('local-description').sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.web.emit('set-remote-description', description, None)

    def decode(self, _web, pad):
        kind = pad.get_current_caps().get_structure(0).get_value('media')
        sink = Gst.parse_bin_from_description(f'{DECODE[kind]} ! fakesink name=sink signal-handoffs=true sync=false', True)
        sink.get_by_name('sink').connect('handoff', lambda *_: self.count(kind))
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad('sink'))

    def count(self, kind):
        self.frames[kind] += 1

    def failed(self, _bus, message):
        say('failed', error=str(message.parse_error()))
        self.loop.quit()

    def listen(self):
        """Commands, on a thread of their own."""
        for line in sys.stdin:
            GLib.idle_add(self.obey, line.strip())
        GLib.idle_add(self.loop.quit)

    def obey(self, command):
        if command == 'delete':
            self.session.delete()

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.listen, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)


Gst.init(None)
Client(*sys.argv[1:4]).run()
