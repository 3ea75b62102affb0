#!/usr/bin/env bash
# Measures `anp import` on this machine: `bench.sh rounds`, `memory` or `warm`.
# N=… sets the number of articles. The release build of anp must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v python3 >/dev/null || {
    echo "bench: python3 is missing. Install it (3.9 or later); only the benchmarks need it" >&2
    exit 1
}
exec python3 scripts/bench.py "$@"
