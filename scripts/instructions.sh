#!/usr/bin/env bash
# Counts the instructions that a forwarded packet takes, under callgrind, and fails when they are 5 % more than the committed
# tests/load/baseline/instructions.json says. `--commit` makes the new count the baseline.
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
cd "$root"

scripts/setup/debian.sh "counting instructions" valgrind:valgrind
cargo build --quiet --release --package nearcast-load
exec "${CARGO_TARGET_DIR:-target}/release/nearcast-load" instructions "$@"
