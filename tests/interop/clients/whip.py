"""The HTTP half of a WHIP or WHEP client (RFC 9725), and how a client under test talks with the test that started it.

Only the standard library, so that both Pythons have it: the one with aiortc and the system's own, with GStreamer.
"""

import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

SDP = 'application/sdp'
FRAGMENT = 'application/trickle-ice-sdpfrag'
PATIENCE_S = 10


speaking = threading.Lock()


def say(event, **what):
    """Tells the test something: one JSON object a line, from whichever thread; `print` alone would write line and end apart."""
    line = json.dumps({'event': event, **what}) + '\n'
    with speaking:
        sys.stdout.write(line)
        sys.stdout.flush()


class Session:
    """One session at an edge."""

    def __init__(self, endpoint, token):
        self._endpoint = endpoint
        self._token = token
        self.url = None
        self.tag = None

    def begin(self, offer):
        """POSTs an offer; the answer."""
        status, headers, answer = self._ask('POST', self._endpoint, SDP, offer)
        if status != 201 or headers['Content-Type'] != SDP:
            raise RuntimeError(f'expected 201 and an answer, got {status} {headers["Content-Type"]}')
        self.url = urllib.parse.urljoin(self._endpoint, headers['Location'])
        self.tag = headers['ETag']
        say('begun', url=self.url, etag=self.tag)
        return answer

    def restart(self, ufrag, pwd, mid):
        """PATCHes new ICE credentials; the fragment with the edge's."""
        fragment = f'a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{mid}\r\n'
        status, headers, answer = self._ask('PATCH', self.url, FRAGMENT, fragment, {'If-Match': '*'})
        if status != 200 or headers['ETag'] == self.tag:
            raise RuntimeError(f'expected 200 and a new ETag, got {status} {headers["ETag"]}')
        self.tag = headers['ETag']
        return answer

    def trickle(self, lines):
        """PATCHes candidates."""
        status, _, _ = self._ask('PATCH', self.url, FRAGMENT, lines, {'If-Match': self.tag})
        say('trickled', status=status)

    def delete(self):
        """Ends the session."""
        status, _, _ = self._ask('DELETE', self.url)
        say('deleted', status=status)

    def _ask(self, method, url, kind=None, body=None, more=None):
        headers = {'Authorization': f'Bearer {self._token}', 'User-Agent': 'nearcast-interop', **(more or {})}
        if kind:
            headers['Content-Type'] = kind
        request = urllib.request.Request(url, method=method, headers=headers, data=body.encode() if body else None)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode(errors='replace')
            say('refused', status=refusal.code, text=text)
            sys.exit(1)
