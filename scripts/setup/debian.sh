#!/usr/bin/env bash
# Installs Debian packages for commands that are missing; does nothing when every command is there.
#
#   scripts/setup/debian.sh WHY COMMAND[|ALTERNATIVE…]:PACKAGE[,PACKAGE…] …
#
# An absolute path in place of a command stands for any file, for packages that are known by no command of theirs.
# Example: scripts/setup/debian.sh "the browser tests" chromium:chromium ip:iproute2
set -euo pipefail
. "$(dirname "$0")/../lib/places.sh"
. "$root/scripts/lib/progress.sh"

why=$1
shift
# Debian keeps `ip` and its kind in sbin, which ordinary users may not have on their PATH.
PATH=$PATH:/usr/sbin:/sbin

present() { # COMMAND|ALTERNATIVE…
    local command
    for command in ${1//|/ }; do
        if [ "${command#/}" != "$command" ] && [ -e "$command" ]; then return 0; fi
        if command -v "$command" >/dev/null; then return 0; fi
    done
    return 1
}

packages=()
for pair in "$@"; do
    if ! present "${pair%%:*}"; then
        IFS=, read -ra named <<<"${pair#*:}"
        packages+=("${named[@]}")
    fi
done
if [ "${#packages[@]}" -eq 0 ]; then exit 0; fi

by_hand="Install by hand what gives you these, for $why: ${packages[*]} (Debian's package names)."
if ! command -v apt-get >/dev/null; then
    fail "Something $why needs is missing, and there is no apt-get here to fetch it." "$by_hand"
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        fail "Something $why needs is missing, and installing it takes root." "$by_hand"
    fi
    if ! sudo -n true 2>/dev/null; then
        if [ ! -t 0 ]; then
            fail "Something $why needs is missing, and sudo wants a password that nobody can type here." "$by_hand"
        fi
        say "Your password is asked for so that apt-get can install: ${packages[*]}"
        sudo -v
    fi
    as_root=(sudo)
fi

install() {
    # Another apt-get may hold the lock (a second make, or the system's own updates): wait, don't fail.
    local apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y)
    "${apt[@]}" update || true # one dead mirror must not matter if the packages are to be had
    "${apt[@]}" install --no-install-recommends "${packages[@]}"
}
with_progress "Installing ${packages[*]} for $why" "$cache/log/apt.log" "$by_hand" install
