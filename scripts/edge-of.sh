#!/usr/bin/env bash
# Builds the edge of another revision, once, and prints where its binary is: scripts/edge-of.sh REVISION
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
. "$root/scripts/lib/progress.sh"
[ $# -eq 1 ] || fail "Which revision?" "scripts/edge-of.sh REVISION, such as a tag"
revision=$(git -C "$root" rev-parse --verify --quiet "$1^{commit}") || fail "There is no revision '$1'." "git log --oneline"
kept=$cache/edges
binary=$kept/$revision
if [ ! -x "$binary" ]; then
    say "building the edge of $1 (a few minutes, once)" >&2
    mkdir -p "$kept"
    tree=$(mktemp -d)
    trap 'git -C "$root" worktree remove --force "$tree"' EXIT
    git -C "$root" worktree add --quiet --detach "$tree" "$revision"
    (cd "$tree" && CARGO_TARGET_DIR=$kept/target cargo build --release --package nearcast-edge >&2)
    cp "$kept/target/release/nearcast-edge" "$binary.new"
    mv "$binary.new" "$binary"
fi
echo "$binary"
