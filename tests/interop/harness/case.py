"""What every interop test has: an edge, a room of its own, and clients that are gone afterwards."""

import os
import pathlib
import secrets
import unittest

from harness.edge import Edge
from harness.processes import Client

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / 'clients'
# aiortc lives in an environment of its own (scripts/setup/python-environment.sh), GStreamer with the system's Python.
AIORTC = [os.environ.get('NEARCAST_INTEROP_PYTHON', ''), str(CLIENTS / 'aiortc_client.py')]
FFMPEG = [os.environ.get('NEARCAST_INTEROP_PYTHON', ''), str(CLIENTS / 'ffmpeg_client.py')]
GSTREAMER = [os.environ.get('NEARCAST_SYSTEM_PYTHON', '/usr/bin/python3'), str(CLIENTS / 'gstreamer_client.py')]


class InteropTest(unittest.TestCase):
    def setUp(self):
        self.edge = Edge()
        self.addCleanup(self.edge.stop)
        self.room = 'test-' + secrets.token_hex(4)

    def publish(self, program, identity='publisher', *flags):
        """Starts a client that publishes; returns when it is connected."""
        return self._start(program, 'publish', 'whip', identity, flags)

    def play(self, program, identity='player', *flags):
        """Starts a client that plays; returns when it is connected."""
        return self._start(program, 'play', 'whep', identity, flags)

    def _start(self, program, role, protocol, identity, flags):
        token = self.edge.token(self.room, identity)
        endpoint = f'{self.edge.http}/{protocol}/{self.room}'
        client = Client(f'{role} ({pathlib.Path(program[1]).stem})', [*program, role, endpoint, token, *flags])
        self.addCleanup(client.kill)
        client.url = client.sees('begun')['url']
        client.token = token
        client.sees('state', lambda now: now['state'] == 'connected')
        return client
