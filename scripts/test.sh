#!/usr/bin/env bash
# Runs every test, in stages that can also be called alone:
#
#   scripts/test.sh              all stages, in the order below; stops at the first that fails
#   scripts/test.sh rust size    these only
#
# The last line is always "N passed, N failed", summed over the stages. docs/dev-guide/checks.md says what each catches.
set -euo pipefail
. "$(dirname "$0")/lib/places.sh"
. "$root/scripts/lib/progress.sh"
. "$root/scripts/lib/bounded.sh"
cd "$root"

# The numbers below are limits in seconds: several times what two busy cores need with nothing compiled yet, so that
# they end what hangs and nothing else.
stages=(build rust fuzz attack sim sdk demo browser interop packaging size instructions)

stage_build() { bounded 2400 make --no-print-directory build; }
# Property tests draw the same cases every time: a commit that passes here passes there. `make soak` draws others.
stage_rust() { PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1} bounded 2400 cargo test --workspace --no-fail-fast; }
# Every committed input, then changes of them: the same ones in every run, as many as fit into half a minute for each target; a process each, as many as
# there are cores.
stage_fuzz() { tools && bounded 900 target/debug/nearcast-fuzz smoke --seconds 30; }
# The cheap cases for a second each: that a live edge refuses what it must, while a call goes on in it.
stage_attack() { tools && bounded 600 target/debug/nearcast-attack play --seconds 1 --cheap; }
stage_sim() { tools && bounded 600 target/debug/nearcast-plans; }
stage_sdk() { in_folder npm 600 npm test; }
stage_demo() { in_folder demo 300 npm test; }
stage_browser() { tools && in_folder tests/browser 2400 npm test; }
stage_interop() { tools && bounded 600 tests/interop/run.sh; }
stage_packaging() { in_folder npm 900 npm run test:packaging; }
stage_size() { bounded 60 scripts/size.sh; }
stage_instructions() { bounded 900 scripts/instructions.sh; }

# What the stages run, built together with the tests: each chosen alone would get its dependencies with other features, and compile them anew.
tools() { bounded 2400 cargo build --quiet --workspace --bins --tests; }

# These check something and count nothing; every other stage must have run at least one test.
countless="build sim size instructions"

in_folder() { # FOLDER SECONDS COMMAND…
    cd "$1"
    bounded "$2" "${@:3}"
}

passed=0 failed=0 skipped=0

# run_stage NAME: runs it, its output shown and kept, and adds up its tests. Returns 1 when the stage failed.
run_stage() {
    local name=$1 began=$SECONDS code=0 log=target/test-logs/$1.log p f s
    mkdir -p target/test-logs
    say "$name: started"
    set +e
    (
        set -e
        "stage_$name"
    ) 2>&1 </dev/null | tee "$log"
    code=${PIPESTATUS[0]}
    set -e
    read -r p f s <<<"$(awk -f scripts/lib/tally.awk "$log")"
    if [ "$code" -eq 0 ] && [[ " $countless " != *" $name "* ]] && [ $((p + f)) -eq 0 ]; then
        say "$name: ended well, but reported no tests: something is wrong with how they are run." >&2
        code=1
    fi
    # A stage that does not compile, or runs out of time, has failed too, though no test could say so.
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$code" -ne 0 ] || [ "$f" -ne 0 ]; then
        say "$name: FAILED after $((SECONDS - began)) s. Its output is in $log; alone: scripts/test.sh $name" >&2
        return 1
    fi
    say "$name: good, $((SECONDS - began)) s"
}

if [ $# -eq 0 ]; then set -- "${stages[@]}"; fi
for name in "$@"; do
    declare -F "stage_$name" >/dev/null || fail "There is no stage '$name'." "There are: ${stages[*]}"
done

code=0
for name in "$@"; do
    if ! run_stage "$name"; then
        code=1
        break
    fi
done
if [ "$skipped" -gt 0 ]; then say "$skipped skipped"; fi
echo "$passed passed, $failed failed"
exit "$code"
