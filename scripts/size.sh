#!/usr/bin/env bash
# Prints what Nearcast costs to download, and fails when a budget is broken: the SDK's (npm/scripts/size.mjs holds it)
# and the edge's.
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
. "$root/scripts/lib/progress.sh"

edge=$root/target/release/nearcast-edge
budget=25 # MB (10^6 bytes): a machine near the people in the call may have a thin line for its updates

(cd "$root/npm" && npm run --silent size)

[ -x "$edge" ] || fail "There is no edge to weigh." "Run: make build"
bytes=$(wc -c <"$edge")
printf 'edge binary: %s MB of %s MB\n' "$(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1e6 }')" "$budget"
if [ "$bytes" -gt $((budget * 1000 * 1000)) ]; then
    fail "The edge is over its budget." "What takes the room: cargo install cargo-bloat && cargo bloat --release -p nearcast-edge --crates"
fi
