#!/usr/bin/env bash
# Runs the interop tests, or those that are named; see run.py.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib/places.sh"
. "$root/scripts/lib/progress.sh"
python=$cache/python/interop/bin/python
if [ ! -x "$python" ]; then fail "The environment of the interop tests is missing." "Remedy: scripts/setup.sh test"; fi
export NEARCAST_INTEROP_PYTHON=$python
exec python3 "$root/tests/interop/run.py" "$@"
