#!/usr/bin/env bash
# Brings a machine to the point where it can do something; quick when it already can.
#
#   scripts/setup.sh build    compilers, wasm tools and npm packages for the SDK, the demo and the edge
#   scripts/setup.sh test     the same, and the browsers and programs that tests drive
#   scripts/setup.sh lint     the same as build, and cargo-deny
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
. "$root/scripts/lib/progress.sh"
. "$root/scripts/lib/wasm-toolchain.sh"
setup=$root/scripts/setup
purpose=${1:-build}

jobs_started=()
# Compiling a tool takes minutes and no network: it runs beside the downloads. A process group of its own makes it
# possible to end it, with everything it started, when this script ends early.
in_background() {
    set -m
    "$@" &
    jobs_started+=($!)
    set +m
}
end_jobs() {
    local job
    for job in ${jobs_started[@]+"${jobs_started[@]}"}; do kill -- "-$job" 2>/dev/null || true; done
}
trap end_jobs EXIT

"$setup/rust.sh"
"$setup/node.sh"
# A C compiler links Rust programs and compiles AWS-LC. CMake, clang and Go are not needed on the platforms it ships
# ready-made bindings for (Linux and macOS on x86-64 and ARM64).
"$setup/debian.sh" "compiling" cc:gcc,libc6-dev

in_background "$setup/cargo-tool.sh" wasm-bindgen-cli "$(wasm_bindgen_version)" 3

folders=(npm demo)
case "$purpose" in
build) ;;
test)
    folders+=(tests/browser)
    "$setup/debian.sh" "the browser tests" chromium:chromium firefox-esr:firefox-esr ffmpeg:ffmpeg ip:iproute2 nsenter:util-linux
    "$setup/debian.sh" "the tests of calls through a TURN server" turnserver:coturn
    "$setup/debian.sh" "the tests of edges that share rooms" redis-server:redis-server
    "$setup/debian.sh" "the tests of what is kept" "/usr/lib/postgresql/*/bin/initdb:postgresql"
    # The names of files stand for packages that have no command; GStreamer's plugins lie in the folder of the architecture.
    plugins='/usr/lib/*/gstreamer-1.0'
    "$setup/debian.sh" "the interop tests" python3:python3 unshare:util-linux \
        "/usr/lib/python3/dist-packages/gi/__init__.py:python3-gi" "/usr/lib/*/girepository-1.0/GstWebRTC-1.0.typelib:gir1.2-gst-plugins-bad-1.0" \
        "$plugins/libgstnice.so:gstreamer1.0-nice" "$plugins/libgstwebrtc.so:gstreamer1.0-plugins-bad" \
        "$plugins/libgstvpx.so:gstreamer1.0-plugins-good" "$plugins/libgstopus.so:gstreamer1.0-plugins-base"
    python3 -c 'import ensurepip' 2>/dev/null || "$setup/debian.sh" "the interop tests" no-such-command:python3-venv
    "$setup/python-environment.sh" interop tests/interop/requirements.txt
    ;;
lint)
    folders+=(tests/browser)
    for component in rustfmt clippy; do
        "cargo-${component/rustfmt/fmt}" --version >/dev/null 2>&1 ||
            fail "Rust's $component is missing." "With rustup: rustup component add $component"
    done
    in_background "$setup/cargo-tool.sh" cargo-deny "$cargo_deny_version" 4
    ;;
*) fail "Unknown purpose '$purpose'." "Use: scripts/setup.sh build|test|lint" ;;
esac

"$setup/wasm-target.sh"
if [ "$purpose" = lint ] && [ "$(wasm_toolchain)" = debian ]; then
    "$setup/debian.sh" "linting the wasm crate" /usr/bin/cargo-clippy:rust-web-clippy
fi
"$setup/npm-packages.sh" "${folders[@]}"

for job in "${jobs_started[@]}"; do wait "$job"; done
jobs_started=()
