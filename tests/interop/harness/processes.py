"""Programs under test: started, listened to line by line, and ended, whatever happens."""

import json
import os
import queue
import subprocess
import threading
import time
from collections import deque

STOP_S = 5
LOG_LINES = 300


class Program:
    """A child process whose lines are kept. Nothing waits for it without a limit."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.log = deque(maxlen=LOG_LINES)
        self._lines = queue.Queue()
        # The edge reads NEARCAST_* variables as settings, and ours are none.
        clean = {key: value for key, value in os.environ.items() if not key.startswith('NEARCAST_')}
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, env={**clean, **(env or {})}
        )
        for stream in (self.child.stdout, self.child.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            self.log.append(line.rstrip())
            if stream is self.child.stdout:
                self._lines.put(line.rstrip())
        if stream is self.child.stdout:
            self._lines.put(None)

    def line(self, deadline):
        """The next line of its output; fails when it ends or nothing comes in time."""
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f'nothing more from {self.name}; it said:\n' + self.story()) from None
        if line is None:
            raise AssertionError(f'{self.name} ended; it said:\n' + self.story())
        return line

    def story(self):
        return '\n'.join(self.log)

    def kill(self):
        self.child.kill()
        self.child.wait(STOP_S)
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            try:
                stream.close()
            except OSError:
                pass


class Client(Program):
    """A WHIP or WHEP client: it says JSON lines, and takes commands."""

    def tell(self, command):
        self.child.stdin.write(command + '\n')
        self.child.stdin.flush()

    def sees(self, event, matches=lambda _: True, seconds=20):
        """The next event of that name that matches."""
        deadline = time.monotonic() + seconds
        while True:
            said = json.loads(self.line(deadline))
            if said['event'] == event and matches(said):
                return said

    def plays(self, more_video=20, more_audio=30, seconds=20):
        """Waits until so many more frames have been decoded of both kinds; counts from the next report on."""
        first = self.sees('frames', seconds=seconds)
        enough = {'video': first['video'] + more_video, 'audio': first['audio'] + more_audio}
        return self.sees('frames', lambda now: all(now[kind] >= count for kind, count in enough.items()), seconds)
