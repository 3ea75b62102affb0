#!/usr/bin/env bash
# Fuzzes front matter and packed sources in each format for SECONDS, starting from the fixtures. New
# inputs are kept in fuzz/corpus, failures in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?usage: fuzz.sh SECONDS}
command -v cargo-fuzz >/dev/null || {
    echo 'fuzz: cargo-fuzz is missing. Install it (about 2 minutes): cargo install cargo-fuzz --locked' >&2
    exit 1
}
# Stable compilers accept the flags of libFuzzer only with RUSTC_BOOTSTRAP.
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

# One small input of each packed format; the others find more from there.
packed_seeds() {
    local articles=fixtures/boundary/complete.md format
    for format in tar zip jsonl wxr php html; do mkdir -p "fuzz/corpus/$format"; done
    tar -cf fuzz/corpus/tar/gnu fixtures/boundary/complete*.md
    tar --format=pax -cf fuzz/corpus/tar/pax fixtures/boundary/complete*.md
    ! command -v zip >/dev/null || zip -q fuzz/corpus/zip/seed.zip "$articles" fixtures/hostile/*
    printf '%s\n' '{"path":"a.md","title":"x","tags":["a"],"body":"A\r\n\u00e9 [x](y.md)"}' >fuzz/corpus/jsonl/body
    printf '%s\n' '{"slug":"s","draft":true,"html":"<p onclick=x>a<script>"}' >fuzz/corpus/jsonl/html
    cp tests/library/wxr/blog.xml fuzz/corpus/wxr/
    printf '%s' 'a:2:{i:0;s:1:"a";i:1;a:1:{s:1:"k";d:1.5;}}' >fuzz/corpus/php/array
    cp fixtures/hostile/*.html fuzz/corpus/html/
}

packed_seeds
for format in yaml toml json tar zip jsonl wxr php html; do
    case $format in
        yaml | toml | json) seeds "$format" ;;
    esac
    # Without a sanitiser: it looks for mistakes of unsafe code, of which anp has none.
    # shellcheck disable=SC2086 # an empty toolchain must not become an argument
    cargo $toolchain fuzz run --sanitizer none "$format" -- -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -print_final_stats=1
done
