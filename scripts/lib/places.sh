# Where things are. Sourced by every script; sets `root`, `cache`, `tools` and the pinned tool versions.
#
# The cache lives outside the checkout, so a second clone (or a cleaned one) finds compiled tools ready.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${NEARCAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nearcast}
tools=$cache/tools

# Used by `make lint` only; a newer one may know new licences and find new faults, so it moves by hand.
cargo_deny_version=0.20.2

# Used by `make fuzz` only.
cargo_fuzz_version=0.13.2

# The wasm-bindgen program must have exactly the version of the library in Cargo.lock: the two share a private format.
wasm_bindgen_version() {
    awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/version = |"/, ""); print; exit }' "$root/Cargo.lock"
}
