#!/usr/bin/env bash
# Runs cargo-deny over the dependency tree (deny.toml): bans, licences and sources, or what is named instead:
#
#   scripts/deny.sh advisories      known vulnerabilities; fetches its database from GitHub, so it needs the internet
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
cd "$root"

if [ $# -eq 0 ]; then set -- bans licenses sources; fi
exec "$tools/cargo-deny-$cargo_deny_version/bin/cargo-deny" --workspace --all-features check --hide-inclusion-graph "$@"
