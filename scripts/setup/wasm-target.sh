#!/usr/bin/env bash
# Sees to it that some Rust toolchain here can compile for wasm32-unknown-unknown.
#
# First by rustup, the normal way. Where its components can't be fetched: Debian's compiler, for which there is no
# package of the wasm32 standard library, so it is compiled here from Debian's package of its source. The result is
# kept in the cache under the compiler's version.
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"
. "$root/scripts/lib/wasm-toolchain.sh"

if [ -n "$(wasm_toolchain)" ]; then exit 0; fi

has_debian_compiler() {
    command -v apt-cache >/dev/null && apt-cache show rustc-web >/dev/null 2>&1
}

add_by_rustup() {
    if ! command -v rustup >/dev/null; then return 1; fi
    # With something to fall back on, an unreachable server should not be waited for; without, a slow line should be.
    local patience=900
    if has_debian_compiler; then patience=20; fi
    if command -v timeout >/dev/null; then
        timeout "$patience" rustup target add wasm32-unknown-unknown
    else
        rustup target add wasm32-unknown-unknown
    fi
}

if [ "${NEARCAST_WASM_TOOLCHAIN:-}" != debian ]; then
    say "Adding Rust's wasm32-unknown-unknown target with rustup"
    if add_by_rustup >/dev/null 2>&1 && [ -n "$(wasm_toolchain)" ]; then exit 0; fi
    if ! has_debian_compiler; then
        fail "rustup could not add the wasm32-unknown-unknown target, and Debian's compiler is not to be had here." \
            "See why: rustup target add wasm32-unknown-unknown"
    fi
    say "rustup can't fetch it here; using Debian's compiler instead"
fi

"$root/scripts/setup/debian.sh" "building for WebAssembly" \
    /usr/share/doc/rustc-web:rustc-web /usr/share/doc/cargo-web:cargo-web \
    /usr/share/doc/rust-web-src:rust-web-src wasm-ld:lld

built=$cache/wasm-std/$(/usr/bin/rustc -vV | cksum | tr ' ' '-')

build_std() {
    local work=$cache/build/wasm-std
    rm -rf "$work"
    mkdir -p "$work/src"
    cd "$work"
    printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >Cargo.toml
    : >src/lib.rs
    unset RUSTFLAGS CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER
    # -Z is refused by a stable compiler unless it is told that it is compiling itself, which here it is.
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc nice /usr/bin/cargo build --release \
        -Zbuild-std=std,panic_abort,test --target wasm32-unknown-unknown --target-dir target
    rm -f target/wasm32-unknown-unknown/release/deps/libnothing-*
    mkdir -p "$built.part"
    cp target/wasm32-unknown-unknown/release/deps/*.rlib "$built.part/"
    mv "$built.part" "$built" # complete or not there at all
    rm -rf "$work"
}

install_std() {
    local as_root=()
    if [ ! -w /usr/lib/rustlib ]; then as_root=(sudo); fi
    ${as_root[@]+"${as_root[@]}"} mkdir -p "$debian_std"
    ${as_root[@]+"${as_root[@]}"} rm -f "$debian_std"/*.rlib
    ${as_root[@]+"${as_root[@]}"} cp "$built"/*.rlib "$debian_std/"
    /usr/bin/rustc -vV | ${as_root[@]+"${as_root[@]}"} tee "$debian_std_made_by" >/dev/null
}

if [ ! -d "$built" ]; then
    with_progress "Building the wasm32 standard library, once (about 1 min)" "$cache/log/wasm-std.log" \
        "The surest way to the target is rustup, on a line that reaches its servers: rustup target add wasm32-unknown-unknown" \
        build_std
fi
install_std
# rustup's stand-ins for cargo and rustc find Debian's through this name; see scripts/wasm-env.sh.
if command -v rustup >/dev/null && ! rustup toolchain list | grep -q '^debian\b'; then
    rustup toolchain link debian /usr
fi
say "Ready to build for WebAssembly with Debian's $(/usr/bin/rustc --version)"
