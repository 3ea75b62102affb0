#!/usr/bin/env bash
# Measures `anp import` on this machine: `bench.sh rounds`, `archives`, `compress`, `lists`, `memory` or `warm`, for
# which the release build of anp must be there and N=… sets the number of articles; `scale`, likewise;
# or `stages`.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v python3 >/dev/null || {
    echo "bench: python3 is missing. Install it (3.9 or later); only the benchmarks need it" >&2
    exit 1
}
[ "${1:-}" = stages ] && exec python3 scripts/stages.py
[ "${1:-}" = scale ] && exec python3 scripts/scale.py measure
# Peers are installed beside; without them they are named as missing.
peer=target/peers/bin/python
if [[ ${1:-} = rounds || ${1:-} = lists ]] && [ ! -x "$peer" ]; then
    python3 -m venv target/peers &&
        "$peer" -m pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt ||
        rm -rf target/peers
fi
[ -x "$peer" ] && export PEER_PYTHON="$PWD/$peer" PATH="$PWD/target/peers/bin:$PATH"
[ "${1:-}" = lists ] && exec python3 scripts/bench_lists.py
exec python3 scripts/bench.py "$@"
