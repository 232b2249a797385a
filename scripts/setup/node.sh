#!/usr/bin/env bash
# Checks that Node.js and npm are there and new enough. Installs nothing.
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

wanted=20 # the oldest release line that still gets fixes, and what the tests run on

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail "Node.js is missing: no \`node\` or \`npm\` on the PATH." \
        "Install version $wanted or newer from https://nodejs.org or with your package manager, and run this again."
fi

version=$(node --version) # v20.20.2
major=${version#v}
major=${major%%.*}
if [ "$major" -lt "$wanted" ]; then
    fail "Node.js $version is too old: Nearcast needs version $wanted or newer." \
        "Install a newer one from https://nodejs.org, or with nvm: nvm install $wanted"
fi
