#!/usr/bin/env bash
# Runs a command with what building for WebAssembly takes: the right `wasm-bindgen` on the PATH and, where the target
# lives in Debian's compiler, that compiler and its linker chosen. Without a command, prints the settings as shell code.
#
#   scripts/wasm-env.sh cargo build --release --target wasm32-unknown-unknown -p client-wasm
#   eval "$(scripts/wasm-env.sh)"
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/places.sh"
. "$root/scripts/lib/progress.sh"
. "$root/scripts/lib/wasm-toolchain.sh"

PATH=$tools/wasm-bindgen-cli-$(wasm_bindgen_version)/bin:$PATH

case "$(wasm_toolchain)" in
active)
    # A compiler from a distribution brings no wasm linker of its own.
    if [ "$(rustc --print sysroot)" = /usr ]; then export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld; fi
    ;;
debian)
    export RUSTUP_TOOLCHAIN=debian CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
    ;;
*)
    fail "No Rust toolchain here can build for WebAssembly yet." "Run: make setup"
    ;;
esac

if [ $# -gt 0 ]; then exec "$@"; fi
for name in PATH RUSTUP_TOOLCHAIN CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER; do
    if [ -n "${!name:-}" ]; then printf 'export %s=%q\n' "$name" "${!name}"; fi
done
