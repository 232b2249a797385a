#!/usr/bin/env bash
# Checks that a Rust compiler is there and new enough (the workspace's `rust-version`). Installs nothing.
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' "$root/Cargo.toml")

if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    fail "Rust is missing: no \`cargo\` or \`rustc\` on the PATH." \
        "Install it from https://rustup.rs (one command), open a new terminal, and run this again."
fi

# "rustc 1.95.0 (59807616e 2026-04-14)" → "1 95"
read -r major minor <<<"$(rustc --version | sed 's/^rustc \([0-9]*\)\.\([0-9]*\).*/\1 \2/')"
if [ "$major" -lt "${wanted%%.*}" ] || { [ "$major" -eq "${wanted%%.*}" ] && [ "$minor" -lt "${wanted##*.}" ]; }; then
    fail "Rust $major.$minor is too old: Nearcast needs $wanted or newer." \
        "With rustup: rustup update stable && rustup default stable"
fi
