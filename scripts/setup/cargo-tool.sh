#!/usr/bin/env bash
# Builds a Rust program from the registry into the cache, once per version:
#
#   scripts/setup/cargo-tool.sh NAME VERSION MINUTES      → $cache/tools/NAME-VERSION/bin/
#
# MINUTES is what to tell the person who waits. The build has a target folder of its own, so that it neither holds the
# workspace's lock nor is thrown away with it, and runs niced: the machine stays usable.
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

name=$1 version=$2 minutes=$3
if [ -z "$version" ]; then fail "Which version of $name? Cargo.lock names none." "Restore it: git checkout Cargo.lock"; fi
home=$tools/$name-$version
if [ -e "$home/.crates.toml" ]; then exit 0; fi # cargo writes it last

build=$cache/build/$name
mkdir -p "$tools" "$build"

install() {
    # Two makes at once: the second waits, and finds the work done.
    if command -v flock >/dev/null; then
        exec 9>"$cache/build/$name.lock"
        flock 9
        if [ -e "$home/.crates.toml" ]; then return 0; fi
    fi
    cd "$cache" # not in the workspace: its settings are not meant for tools
    unset RUSTFLAGS CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER
    # Without --locked: the lock files of some of these programs name crates that a mirror may not have.
    nice cargo install "$name" --version "=$version" --root "$home" --target-dir "$build"
    rm -rf "$build" # hundreds of megabytes that nobody needs again
}
with_progress "Building $name $version, once (about $minutes min)" "$cache/log/$name.log" \
    "By hand: cargo install $name --version =$version --root $home" install
