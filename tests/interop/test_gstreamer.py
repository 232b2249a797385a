"""GStreamer's webrtcbin publishes and plays. It presents an RSA certificate, offers no header extensions, and starts no key frame
unless asked for one."""

from harness.case import AIORTC, GSTREAMER, InteropTest


class GStreamer(InteropTest):
    def test_publishes_and_plays(self):
        publisher = self.publish(GSTREAMER)
        player = self.play(GSTREAMER)
        player.plays()
        core = self.edge.core()
        self.assertEqual((core['publications'], core['subscriptions']), (2, 2))
        self.assertGreaterEqual(core['keyframe_requests_sent'], 1)

        publisher.tell('delete')
        self.assertEqual(publisher.sees('deleted')['status'], 200)
        self.edge.until('only the player is left', lambda core: core['participants'] == 1 and core['publications'] == 0)

    def test_plays_what_aiortc_publishes(self):
        self.publish(AIORTC)
        self.play(GSTREAMER).plays()

    def test_is_played_by_aiortc(self):
        self.publish(GSTREAMER)
        self.play(AIORTC).plays()
