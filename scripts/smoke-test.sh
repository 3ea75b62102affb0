#!/usr/bin/env bash
# Uses anp from the archive $1 as a newcomer does: version, check, import, show, rollback. Needs redis-server or
# valkey-server on the PATH.
set -euo pipefail
archive=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

die() { printf 'smoke test: %s\n' "$*" >&2; exit 1; }

tar -xzf "$archive" -C "$folder" --strip-components=1
cd "$folder/share/doc/anp"
export PATH="$folder/bin:$PATH" HOME=$folder
unset "${!ANP_@}"
version=$(anp --version)
for line in commit target features; do
    grep -q "^$line  *[a-z0-9]" <<<"$version" || die "anp --version does not name its $line: $version"
done
case "$(basename "$archive")" in
"anp-$(sed -n '1s/^anp //p' <<<"$version")-$(sed -n 's/^target *//p' <<<"$version").tar.gz") ;;
*) die "the name of $archive does not fit: $version" ;;
esac
anp check --quiet content/ || die "anp check failed"
anp import --quiet || die "anp import failed"
anp show /redis-caching/cache-stampede/ | grep -q '^# ' || die "anp show shows no article"
anp rollback last --quiet >/dev/null || die "anp rollback failed"
if anp show /redis-caching/cache-stampede/ >/dev/null 2>&1; then die "the rollback left an article"; fi
zcat "$folder"/share/man/man1/anp-import.1.gz | grep -q EXAMPLES || die "the man page lacks examples"
printf 'smoke test: %s works\n' "$(basename "$archive")"
