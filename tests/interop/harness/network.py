"""A network of the tests' own: libnice offers no loopback address, so the edge has to announce another one, and that should neither
depend on the machine's network nor be reachable from it. The kernel removes it with the last process in it."""

import os
import subprocess
import sys

ADDRESS = '10.213.0.1'
INSIDE = 'NEARCAST_TEST_OWN_NETWORK'
REMEDY = (
    'Remedy: run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN (in a container: --cap-add NET_ADMIN --cap-add SYS_ADMIN), '
    'or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1).'
)


def enter():
    """Runs this program again inside; returns there. Outside, never returns."""
    if os.environ.get(INSIDE):
        raise_interface()
        return
    flags = ['--net'] if os.geteuid() == 0 else ['--user', '--map-root-user', '--net']
    attempt = subprocess.run(['unshare', *flags, 'true'], capture_output=True, text=True, check=False)
    if attempt.returncode != 0:
        sys.exit(f"A network of the tests' own is not allowed here: {attempt.stderr.strip()}. {REMEDY}")
    os.execvpe('unshare', ['unshare', *flags, sys.executable, *sys.argv], {**os.environ, INSIDE: '1'})


def raise_interface():
    for words in [
        'link set lo up',
        'link add interop0 type veth peer name interop1',
        f'address add {ADDRESS}/24 dev interop0',
        'link set interop0 up',
        'link set interop1 up',
        'route add default via 10.213.0.2',
    ]:
        # Debian keeps `ip` in sbin, which not everybody has on their PATH.
        path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
        done = subprocess.run(['ip', *words.split()], capture_output=True, text=True, check=False, env={**os.environ, 'PATH': path})
        if done.returncode != 0:
            sys.exit(f'`ip {words}` failed: {done.stderr.strip()}. {REMEDY}')
