#!/usr/bin/env bash
# Makes a Python environment in the cache, anew when its requirements have changed:
#
#   scripts/setup/python-environment.sh NAME REQUIREMENTS      → $cache/python/NAME/bin/python
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

name=$1 requirements=$root/$2
home=$cache/python/$name
if cmp -s "$requirements" "$home/requirements.txt"; then exit 0; fi # copied last

install() {
    rm -rf "$home"
    mkdir -p "$(dirname "$home")"
    python3 -m venv "$home"
    # Wheels only: what would have to be compiled takes minutes and a dozen development packages.
    "$home/bin/pip" install --disable-pip-version-check --only-binary :all: --requirement "$requirements"
    cp "$requirements" "$home/requirements.txt"
}
with_progress "Installing the Python packages of $2" "$cache/log/python-$name.log" \
    "By hand: python3 -m venv $home && $home/bin/pip install -r $2" install
