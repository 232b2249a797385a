# Which Rust toolchain can build for wasm32-unknown-unknown? Sourced, not run.
#
# Normally the one in use, with the target added by rustup. Where rustup can fetch nothing, Debian's own compiler under
# /usr takes its place (scripts/setup/wasm-target.sh prepares it, docs/dev-guide/setup.md tells the story).
# NEARCAST_WASM_TOOLCHAIN=active|debian insists on one of them.

debian_std=/usr/lib/rustlib/wasm32-unknown-unknown/lib
# What the standard library there was compiled with: a compiler refuses the library of any other version.
debian_std_made_by=$debian_std/../nearcast-made-by

has_wasm_std() { # SYSROOT
    compgen -G "$1/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib" >/dev/null
}

debian_is_ready() {
    has_wasm_std /usr || return 1
    # Without our note the library came from a Debian package, which keeps versions together itself.
    [ ! -e "$debian_std_made_by" ] || /usr/bin/rustc -vV | cmp -s - "$debian_std_made_by"
}

# Prints `active`, `debian` or nothing.
wasm_toolchain() {
    local wanted=${NEARCAST_WASM_TOOLCHAIN:-}
    if [ "$wanted" != debian ] && has_wasm_std "$(rustc --print sysroot)"; then
        echo active
    elif [ "$wanted" != active ] && debian_is_ready; then
        echo debian
    fi
}
