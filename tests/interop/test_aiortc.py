"""aiortc publishes and plays, restarts ICE, and goes in every way there is."""

import os
import subprocess
import tempfile
import time

from harness.case import AIORTC, InteropTest
from harness.edge import ROOT
from harness.processes import Program


class Aiortc(InteropTest):
    def test_publishes_and_plays(self):
        publisher = self.publish(AIORTC)
        player = self.play(AIORTC)
        player.plays()
        publisher.tell('trickle')
        self.assertEqual(publisher.sees('trickled')['status'], 204)
        core = self.edge.core()
        self.assertEqual(core['srtp_aes128_gcm'] + core['srtp_aes256_gcm'], 2)

    def test_ice_restarts_in_mid_stream(self):
        publisher = self.publish(AIORTC)
        player = self.play(AIORTC)
        player.plays()
        for client in (publisher, player):
            client.tell('restart')
            client.sees('restarted')
            player.plays()
        core = self.edge.core()
        self.assertEqual((core['participants'], core['transports'], core['dtls_failed']), (2, 2, 0))

    def test_an_offer_that_wants_to_be_the_dtls_server(self):
        """As ffmpeg's WHIP muxer does (`a=setup:passive`)."""
        self.publish(AIORTC, 'publisher', '--passive')
        self.play(AIORTC, 'player', '--passive').plays()

    def test_a_player_goes_on_with_whoever_comes_next(self):
        first = self.publish(AIORTC, 'first')
        player = self.play(AIORTC)
        player.plays()
        self.publish(AIORTC, 'second')
        first.tell('delete')
        self.assertEqual(first.sees('deleted')['status'], 200)
        self.edge.until('the second takes the places of the first', lambda core: core['publications'] == core['subscriptions'] == 2)
        player.plays()

    def test_a_player_may_come_first(self):
        player = self.play(AIORTC)
        self.publish(AIORTC)
        player.plays()

    def test_a_closed_transport_ends_the_session(self):
        publisher = self.publish(AIORTC)
        publisher.tell('close')
        publisher.sees('closed')
        self.edge.until('the room is empty', lambda core: core['participants'] == core['tuples'] == core['ufrags'] == 0)
        status, _ = self.edge.ask('DELETE', publisher.url.removeprefix(self.edge.http), headers={'Authorization': f'Bearer {publisher.token}'})
        self.assertEqual(status, 404)

    def test_wrong_tokens_are_refused(self):
        publisher = self.publish(AIORTC)
        path = publisher.url.removeprefix(self.edge.http)
        for token, status in [
            ('nonsense', 401),
            (self.edge.token('elsewhere', 'publisher'), 403),
            (self.edge.token(self.room, 'somebody else'), 403),
        ]:
            self.assertEqual(self.edge.ask('DELETE', path, headers={'Authorization': f'Bearer {token}'})[0], status)
        self.play(AIORTC).plays()

    def test_plays_what_a_participant_with_signalling_publishes(self):
        """The native client (tests/native) joins over a WebSocket, as browsers do."""
        program = ROOT / 'target/debug/nearcast-native'
        if not program.exists():
            self.fail(f'{program} is missing. Remedy: cargo build -p nearcast-native')
        with tempfile.TemporaryDirectory() as folder:
            picture, sound = os.path.join(folder, 'picture.ivf'), os.path.join(folder, 'sound.ogg')
            encode('testsrc=s=320x180:r=30:d=30', '-pix_fmt yuv420p -c:v libvpx -deadline realtime -cpu-used 8 -g 30 -f ivf', picture)
            encode('sine=f=440:r=48000:d=30', '-c:a libopus -frame_duration 20 -page_duration 20000 -f ogg', sound)
            url = self.edge.http.replace('http', 'ws') + '/v1/signal'
            flags = {'url': url, 'token': self.edge.token(self.room, 'native'), 'video': picture, 'audio': sound, 'record': folder, 'limit': '60'}
            native = Program('the native client', [str(program), *[word for name, value in flags.items() for word in (f'--{name}', value)]])
            self.addCleanup(native.kill)
            deadline = time.monotonic() + 20
            while '"joined"' not in native.line(deadline):
                pass
            self.play(AIORTC).plays()


def encode(source, codec, path):
    command = ['ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', source, *codec.split(), path]
    subprocess.run(command, check=True, timeout=120, stdin=subprocess.DEVNULL)
