"""FFmpeg publishes with its WHIP muxer: the edge is the DTLS client, and H.264 comes as an encoder makes it for no particular viewer."""

from harness.case import AIORTC, FFMPEG, InteropTest


class Ffmpeg(InteropTest):
    def test_publishes(self):
        publisher = self.publish(FFMPEG)
        self.play(AIORTC).plays()
        core = self.edge.core()
        self.assertEqual((core['publications'], core['subscriptions'], core['dtls_failed']), (2, 2, 0))
        publisher.tell('delete')
        publisher.sees('deleted')
        self.edge.until('only the player is left', lambda core: core['participants'] == 1 and core['publications'] == 0)
