#!/usr/bin/env bash
# Runs the tests. Without arguments: all of them on the server of the PATH, then those of the
# store's core on Valkey; exhaustive loops try some of their cases, other ones after each commit.
# `everywhere`: each case of every loop, and the store's core on every server that is found and on
# those that ANP_TEST_SERVERS names (programs, separated by colons).
set -euo pipefail
cd "$(dirname "$0")/.."

# The store's core: import, all actions, foreign types, rollback, lock, switch, rights, gate.
core=(--test store)

have() { command -v "$1" >/dev/null 2>&1; }

run() {
    if have cargo-nextest; then
        cargo nextest run --locked --cargo-quiet --status-level slow "$@"
    else
        cargo test --locked --quiet "$@"
    fi
}

# The program as `tests/support` names it, and its version.
shown() { printf '%s' "$("$1" --version | sed -n 's/\([A-Za-z]*\).* v=\([0-9.]*\).*/\1 \2/p') ($1)"; }

on() {
    printf 'tests of the store on %s\n' "$(shown "$1")"
    ANP_TEST_SERVER=$1 run "${core[@]}"
}

# Every server that is found, one a line: those of the PATH first, no program twice.
found() {
    local program path seen=""
    {
        for program in redis-server valkey-server; do command -v $program || true; done
        for program in "$PWD"/target/servers/*/valkey-server; do [ ! -x "$program" ] || echo "$program"; done
        tr ':' '\n' <<<"${ANP_TEST_SERVERS:-}" | grep . || true
    } | while read -r program; do
        path=$(realpath "$program")
        case "$seen" in *"|$path|"*) continue ;; esac
        seen="$seen|$path|"
        echo "$program"
    done
}

export ANP_TEST_SEED=${ANP_TEST_SEED:-$(git rev-parse HEAD 2>/dev/null || true)}
default=$(command -v redis-server || command -v valkey-server)
if [ "${1:-}" = everywhere ]; then
    export ANP_TEST_WHOLE=1 PROPTEST_CASES=1024
    run
    tested="  $(shown "$default"), all tests"$'\n'
    while IFS= read -r server; do
        [ "$server" != "$default" ] || continue
        on "$server" </dev/null
        tested="$tested  $(shown "$server")"$'\n'
    done < <(found)
    printf 'tested on:\n%s' "$tested"
    exit
fi

PROPTEST_CASES=64 run
if have cargo-nextest; then cargo test --doc --locked --quiet; fi
other=$(found | grep 'valkey-server$' | grep -vxF "$default" | tail -n 1 || true)
if [ -n "$other" ]; then
    on "$other"
else
    printf 'no second server: the store was tested on %s alone\n' "$(shown "$default")"
fi
