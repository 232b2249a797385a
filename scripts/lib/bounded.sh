# Nothing may hang a build or a test run for ever. Sourced, not run.

# bounded SECONDS COMMAND…: runs COMMAND, ends it and everything it started after SECONDS, returns its code
# (124 when time ran out). `timeout` puts COMMAND into a process group of its own, where Ctrl-C does not reach it:
# hence the wait and the trap. Without `timeout` (macOS) COMMAND runs unbounded.
bounded() {
    local seconds=$1 code=0
    shift
    if ! command -v timeout >/dev/null; then
        "$@"
        return
    fi
    timeout --kill-after=10 "$seconds" "$@" &
    bounded_pid=$!
    trap 'kill -TERM "$bounded_pid" 2>/dev/null; wait "$bounded_pid"; exit 130' INT TERM
    wait "$bounded_pid" || code=$?
    trap - INT TERM
    if [ "$code" -eq 124 ]; then
        printf '[nearcast] ended after %s s, the time limit of: %s\n' "$seconds" "$*" >&2
    fi
    return "$code"
}
