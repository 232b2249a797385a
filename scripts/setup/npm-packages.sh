#!/usr/bin/env bash
# Installs the npm packages of the given folders, each only when its package-lock.json differs from the one that was
# installed last (kept as node_modules/.nearcast-stamp).
#
#   scripts/setup/npm-packages.sh npm demo tests/browser
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

# Browsers come from the system: their downloads would be large, slow, and are refused on machines without internet.
export PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

for folder in "$@"; do
    cd "$root/$folder"
    stamp=node_modules/.nearcast-stamp
    if cmp -s package-lock.json "$stamp"; then continue; fi
    with_progress "Installing the npm packages of $folder" "$cache/log/npm-${folder//\//-}.log" \
        "By hand: cd $folder && npm ci" npm ci --no-audit --no-fund --prefer-offline
    mkdir -p node_modules # npm makes none for a package without dependencies
    cp package-lock.json "$stamp"
done
