# Telling the person at the terminal what happens. Sourced, not run.

say() { printf '[nearcast] %s\n' "$*"; }

# fail WHAT-IS-WRONG REMEDY…: says both and ends the script.
fail() {
    printf '[nearcast] %s\n' "$@" >&2
    exit 1
}

# Prints WHAT once a step has lasted two seconds, then a sign of life every 20 s, while process PARENT lives.
# Sleeping a second at a time, with its output closed, leaves nothing behind that could hold a pipe open.
_tick() {
    local what=$1 parent=$2 seconds=0
    while kill -0 "$parent" 2>/dev/null; do
        sleep 1 >/dev/null 2>&1
        seconds=$((seconds + 1))
        if [ "$seconds" -eq 2 ]; then
            say "$what ..."
        elif [ $((seconds % 20)) -eq 0 ]; then
            say "$what: still at it after ${seconds} s"
        fi
    done
}

# with_progress WHAT LOG REMEDY COMMAND…: runs COMMAND with its output in LOG. Silent when it takes under two seconds;
# on failure shows the end of LOG, says REMEDY and ends the script. Never call it left of `||` or in an `if`: bash
# ignores `set -e` there, and a COMMAND that is a function would go on after its first failing line.
with_progress() {
    local what=$1 log=$2 remedy=$3 began=$SECONDS code=0 ticker
    shift 3
    mkdir -p "$(dirname "$log")"
    _tick "$what" $$ &
    ticker=$!
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    code=$?
    set -e
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    if [ "$code" -ne 0 ]; then
        say "$what: failed. The end of $log:" >&2
        tail -n 30 "$log" | sed 's/^/    /' >&2
        fail "$remedy"
    elif [ $((SECONDS - began)) -ge 2 ]; then
        say "$what: done in $((SECONDS - began)) s"
    fi
}
