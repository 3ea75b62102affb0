#!/usr/bin/env bash
# Fuzzes front matter in each format for SECONDS, from the fixtures on. What was found is kept in
# fuzz/corpus, what failed in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?usage: fuzz.sh SECONDS}
command -v cargo-fuzz >/dev/null || {
    echo 'fuzz: cargo-fuzz is missing. Install it (about 2 minutes): cargo install cargo-fuzz --locked' >&2
    exit 1
}
# libFuzzer needs flags that stable compilers take only when they are told to.
rustup toolchain list 2>/dev/null | grep -q ^nightly && toolchain=+nightly || toolchain=
export RUSTC_BOOTSTRAP=1

# The inside of each front matter: between its fences, or the whole file for an object.
seeds() {
    local format=$1 file
    mkdir -p "fuzz/corpus/$format"
    find fixtures/inputs fixtures/boundary content -name '*.md' -print0 |
        while IFS= read -r -d '' file; do
            case $format in
                yaml) sed -n '/^---/,/^---/{/^---/d;p;}' "$file" ;;
                toml) sed -n '/^+++/,/^+++/{/^+++/d;p;}' "$file" ;;
                json) sed -n '/^{/,/^}/p' "$file" ;;
            esac >"fuzz/corpus/$format/seed"
            [ -s "fuzz/corpus/$format/seed" ] &&
                mv "fuzz/corpus/$format/seed" "fuzz/corpus/$format/$(cksum <"fuzz/corpus/$format/seed" | cut -d ' ' -f 1)"
        done || true
    rm -f "fuzz/corpus/$format/seed"
}

for format in yaml toml json; do
    seeds "$format"
    # Without a sanitiser: it looks for mistakes of unsafe code, of which anp has none.
    # shellcheck disable=SC2086 # no toolchain is no word
    cargo $toolchain fuzz run --sanitizer none "$format" -- -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -print_final_stats=1
done
