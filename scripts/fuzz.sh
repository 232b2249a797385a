#!/usr/bin/env bash
# Looks for input that breaks what reads from the network, with libFuzzer: each target for FUZZ_SECONDS (60).
#
#   scripts/fuzz.sh              all targets, one after the other
#   scripts/fuzz.sh rtcp sdp     these only
#
# Needs a nightly compiler (rustup toolchain install nightly) and cargo-fuzz, which is installed into the cache when it is missing. What
# is found new is kept in target/fuzz/corpus, what breaks something in fuzz/artifacts/TARGET; the committed corpora are read, not written.
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
. "$root/scripts/lib/progress.sh"
cd "$root"

seconds=${FUZZ_SECONDS:-60}
if ! cargo +nightly --version >/dev/null 2>&1; then
    fail "libFuzzer needs a nightly compiler, and there is none." "rustup toolchain install nightly --profile minimal"
fi
scripts/setup/cargo-tool.sh cargo-fuzz "$cargo_fuzz_version" 2
export PATH="$tools/cargo-fuzz-$cargo_fuzz_version/bin:$PATH" CARGO_TARGET_DIR=$root/target/fuzz/build

if [ $# -eq 0 ]; then mapfile -t targets < <(cd fuzz/fuzz_targets && ls -- *.rs | sed 's/\.rs$//'); else targets=("$@"); fi
broken=()
for target in "${targets[@]}"; do
    [ -f "fuzz/fuzz_targets/$target.rs" ] || fail "There is no target '$target'." "There are: $(cd fuzz/fuzz_targets && ls -- *.rs | sed 's/\.rs$//' | tr '\n' ' ')"
    say "$target: $seconds s"
    mkdir -p "target/fuzz/corpus/$target"
    # No address sanitizer: nothing of ours is unsafe, and without it three times as much is tried in the same time. What an input makes its
    # target allocate at once is bounded instead.
    if ! cargo +nightly fuzz run --sanitizer none --fuzz-dir fuzz "$target" "target/fuzz/corpus/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -malloc_limit_mb=64 -timeout=5 -print_final_stats=1 -verbosity=1; then
        broken+=("$target")
    fi
done
if [ ${#broken[@]} -gt 0 ]; then
    fail "Broken: ${broken[*]}." "The input is in fuzz/artifacts; mend what reads it, copy it to fuzz/corpus, and make it a unit test's vector."
fi
say "fuzz: ${#targets[@]} targets, nothing broke"
