#!/usr/bin/env python3
"""Foreign clients against the real edge: aiortc, FFmpeg and GStreamer, over WHIP and WHEP. docs/dev-guide/interop-tests.md

    tests/interop/run.sh                                       all
    tests/interop/run.sh test_aiortc.Aiortc.test_publishes_and_plays
"""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import network  # noqa: E402 (it is found there)

network.enter()
names = sys.argv[1:]
loader = unittest.defaultTestLoader
suite = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE))
outcome = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
sys.exit(0 if outcome.wasSuccessful() else 1)
