"""What clients say stays a line each, whichever thread says it."""

import json
import subprocess
import sys
import unittest

from harness.case import CLIENTS

CHATTER = """
import threading, whip
threads = [threading.Thread(target=lambda: [whip.say('word', number=number) for number in range(2000)]) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


class Speaking(unittest.TestCase):
    def test_threads_do_not_break_each_others_lines(self):
        said = subprocess.run([sys.executable, '-c', CHATTER], cwd=CLIENTS, capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertEqual(len([json.loads(line) for line in said.splitlines()]), 8000)
