"""The edge under test, with its development tokens."""

import json
import os
import pathlib
import re
import signal
import time
import urllib.error
import urllib.request

from harness.network import ADDRESS
from harness.processes import STOP_S, Program

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_S = 15
PATIENCE_S = 10


class Edge:
    def __init__(self):
        program = os.environ.get('NEARCAST_EDGE', str(ROOT / 'target/release/nearcast-edge'))
        if not os.path.exists(program):
            raise AssertionError(f'The edge is not built: {program} is missing. Remedy: run `make build` first, or set NEARCAST_EDGE.')
        self.program = Program('the edge', [program, 'serve', '--dev', '--http', '127.0.0.1:0', '--udp', f'{ADDRESS}:0'])
        deadline = time.monotonic() + START_S
        while not (ready := re.match(r'ready http=(\S+) udp=(\S+)', self.program.line(deadline))):
            pass
        self.http = f'http://{ready[1]}'

    def token(self, room, identity, **grants):
        body = json.dumps({'room': room, 'identity': identity, **grants}).encode()
        _, answer = self.ask('POST', '/v1/token', body, {'Content-Type': 'application/json'})
        return json.loads(answer)['token']

    def stats(self):
        return json.loads(self.ask('GET', '/v1/stats')[1])

    def core(self):
        return self.stats()['total']['core']

    def ask(self, method, path, body=None, headers=None):
        """Status and body; a refusal is an answer too."""
        request = urllib.request.Request(self.http + path, method=method, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()

    def until(self, what, holds, seconds=20):
        """Asks for the core's counters until they are as wanted."""
        deadline = time.monotonic() + seconds
        while not holds(core := self.core()):
            if time.monotonic() > deadline:
                raise AssertionError(f'{what}: not within {seconds} s; {core}\n' + self.program.story())
            time.sleep(0.05)  # between two looks; what is waited for is the edge's doing

    def stop(self):
        """As an operator would; it has to go in good order."""
        self.program.child.send_signal(signal.SIGTERM)
        code = self.program.child.wait(STOP_S)
        story = self.program.story()
        self.program.kill()
        if code != 0 or 'panicked' in story:
            raise AssertionError(f'the edge ended with {code}:\n{story}')
