#!/usr/bin/env bash
# Counts the instructions of a first import, a second import and a rollback of 500 articles
# (callgrind, so the load of the machine does not matter): seeded ones without archive objects and with
# those of the sample settings, and those of corpus.py, each with a warning. Compares them with the
# record in bench/instructions, and fails where one grew by more than a tenth; a growth that is meant is
# recorded in the same commit: `instructions.sh record`.
set -euo pipefail
cd "$(dirname "$0")/.."

record=bench/instructions
anp=$PWD/target/release/anp
server=$(command -v redis-server || command -v valkey-server)
if ! command -v valgrind >/dev/null; then
    echo "instructions: valgrind is missing: not counted"
    exit 0
fi
cargo build --release --locked --quiet

folder=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
"$server" --port 0 --unixsocket "$folder/s" --dir "$folder" --save '' --appendonly no >/dev/null &
pid=$!
for _ in $(seq 200); do
    [ -S "$folder/s" ] && break
    sleep 0.05
done
"$anp" synth --count 500 --out "$folder/plain" >/dev/null
cp -r "$folder/plain" "$folder/archive"
! command -v python3 >/dev/null || python3 scripts/corpus.py 500 "$folder/other"
# Files that changed a moment ago are read again whatever a cache says.
sleep 3

sed '/^archive:/,/^$/d' anp.yaml >"$folder/plain.yaml"
cp "$folder/plain.yaml" "$folder/other.yaml"
cp anp.yaml "$folder/archive.yaml"

# Counts the instructions of the command behind the name of the articles and settings.
count() {
    local name=$1
    shift
    env -i PATH="$PATH" HOME="$folder" \
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$anp" "$@" --quiet \
        --redis "redis+unix://$folder/s" --state-dir "$folder/state-$name" --prefix "anp-$name" \
        --config "$folder/$name.yaml" 2>&1 >/dev/null |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# A first import, the same again, and the rollback of the first: three rows whose names begin with $2.
rows() {
    echo "$2first-import $(count "$1" import "$folder/$1")"
    echo "$2second-import $(count "$1" import "$folder/$1")"
    echo "$2rollback $(count "$1" rollback "$(ls "$folder/state-$1/runs" | head -n 1 | cut -d. -f1,2)")"
}

found=$(
    rows plain ""
    rows archive archive-
    [ ! -d "$folder/other" ] || rows other other-
)
if [ "${1:-check}" = record ]; then
    printf '%s\n' "$found" >"$record"
    cat "$record"
    exit
fi
failed=0
while read -r name now; do
    before=$(awk -v name="$name" '$1 == name { print $2 }' "$record")
    percent=$(((now - before) * 100 / before))
    echo "instructions: $name $now, recorded $before ($percent %)"
    if [ "$((now * 10))" -gt "$((before * 11))" ]; then
        echo "instructions: $name grew by more than a tenth" >&2
        failed=1
    fi
done <<<"$found"
exit "$failed"
