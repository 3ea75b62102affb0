"""Measures what archive objects cost: imports with and without the group `archive:` of the sample
settings, in pairs that take turns in going first; nights without changes and with 1 % of the
articles new or changed; and Hugo, if it is found, with lists, feeds, a sitemap and related content
of some of the articles. N=… sets the number of articles.
"""

import os
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench import ANP, ROUNDS, Bench, spread, timed, tool

# Hugo makes so many articles: it took 185 s for 20,000.
HUGO_ARTICLES = 2_000
GROUP = """site: {url: "https://archive.example.org"}
archive:
  similar: 5
  lists: {home: true, folders: true, fields: [tags, stack, tools, categories], per_page: 50}
  feeds: {count: 20}
  sitemap: true
  redirects: true
"""


class Archive(Bench):
    """The same tree of articles with a group of settings."""

    def __init__(self, folder, count):
        super().__init__(folder, count)
        self.settings = {}
        for name, text in {
            "without": "", "similar": "archive: {similar: 5}\n", "with": GROUP,
        }.items():
            path = Path(folder, f"{name}.yaml")
            path.write_text(text)
            self.settings[name] = ["--config", str(path)]
        # Files that changed a moment ago are read again, whatever a cache says of them.
        old = 1_700_000_000
        self.sources = sorted(Path(self.content).rglob("*.md"))
        for source in self.sources:
            os.utime(source, (old, old))

    def first(self, name):
        return self.import_from_nothing(*self.settings[name])

    def night(self, name):
        return self.anp("import", self.content, *self.settings[name])

    def new_articles(self, count, round_):
        """Copies of some of the articles, with other titles and the newest dates."""
        folder = Path(self.content, f"new-{round_}")
        folder.mkdir()
        for at, source in enumerate(self.some(count)):
            text = source.read_text(encoding="utf-8")
            text = with_field(text, "date", f"2030-01-{at % 28 + 1:02}")
            text = with_field(text, "title", f"New {round_} {at}")
            text = without_fields(text, "slug", "reference", "payload", "hash")
            (folder / f"new-{at}.md").write_text(text, encoding="utf-8")

    def change_bodies(self, count):
        for source in self.some(count):
            with open(source, "a", encoding="utf-8") as article:
                article.write(f"\nAnother line, {random.random()}.\n")

    def change_titles(self, count):
        for source in self.some(count):
            text = source.read_text(encoding="utf-8")
            source.write_text(with_field(text, "title", f"Renamed {random.random()}"), encoding="utf-8")

    def some(self, count):
        return random.sample(self.sources, count)


def with_field(text, name, value):
    """Front matter with this value of a field that it has, or without it at the front."""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.startswith(f"{name}:"):
            lines[at] = f"{name}: {value}\n"
            return "".join(lines)
    return "".join([lines[0], f"{name}: {value}\n", *lines[1:]])


def without_fields(text, *names):
    """Front matter without these fields and what is indented below them."""
    kept, drop = [], False
    head, fields, body = text.split("---\n", 2)
    for line in fields.splitlines(keepends=True):
        if not line.startswith((" ", "-")):
            drop = line.startswith(tuple(f"{name}:" for name in names))
        if not drop:
            kept.append(line)
    return f"{head}---\n{''.join(kept)}---\n{body}"


def hugo(folder):
    """Seconds and peak memory of Hugo with the same objects, and of anp for the same articles."""
    site = Path(folder, "hugo")
    articles = Path(folder, "few")
    timed([ANP, "synth", "--count", str(HUGO_ARTICLES), "--out", articles])
    shutil.copytree("bench/peers/hugo", site)
    shutil.copytree("bench/peers/hugo-archive", site, dirs_exist_ok=True)
    shutil.copy("src/render/templates/style.css", site)
    shutil.copytree(articles, site / "content")
    results = []
    for _ in range(3):
        shutil.rmtree(site / "public", ignore_errors=True)
        results.append(timed([tool("hugo"), "--quiet"], cwd=site))
    pages = sum(1 for _ in (site / "public").rglob("index.html"))
    return min(results), pages


def main():
    count = int(os.environ.get("N", 100_000))
    one_percent = max(count // 100, 1)
    with tempfile.TemporaryDirectory(prefix="anp-bench-") as folder:
        bench = Archive(folder, count)
        try:
            measure(bench, one_percent)
        finally:
            bench.server.stop()
        if shutil.which("hugo"):
            (seconds, peak), pages = hugo(folder)
            few = Archive(f"{folder}/hugo-articles", HUGO_ARTICLES)
            try:
                own = min(few.first("with") for _ in range(3))
                made = few.server.objects()
            finally:
                few.server.stop()
            print(f"\n{HUGO_ARTICLES:,} articles with lists, feeds, a sitemap and related content")
            print(f"{'Hugo, to files':34} {seconds:8.2f} s {peak:6.0f} MiB, {pages:,} pages")
            print(f"{'anp, into the store':34} {own[0]:8.2f} s {own[1]:6.0f} MiB, {made:,} objects")
            print(f"{'Hugo : anp':34} {seconds / own[0]:8.1f}")
        else:
            print("Hugo is not installed", file=sys.stderr)


def measure(bench, one_percent):
    bench.first("without")  # warms the page cache
    names = list(bench.settings)
    first = {name: [] for name in names}
    for i in range(ROUNDS):
        print(f"round {i + 1} of {ROUNDS}", file=sys.stderr)
        for name in names if i % 2 == 0 else names[::-1]:
            first[name].append(bench.first(name))
    print(f"{bench.count:,} articles, seconds: least, median, greatest")
    for name in names:
        seconds, peaks = zip(*first[name])
        print(f"first import, {name:20} {spread(seconds):>20} {max(peaks):6.0f} MiB")
    for name in names[1:]:
        ratios = [own[0] / without[0] for own, without in zip(first[name], first["without"])]
        print(f"first import, {name + ' : without':20} {spread(ratios):>20}")
    more = [own[0] - without[0] for own, without in zip(first["similar"], first["without"])]
    each = statistics.median(more) / bench.count * 1e6
    print(f"similar posts {each:.0f} µs an article, pages and metas with them included")

    print("\nnights, seconds and peak memory")
    for name in ("without", "with"):
        bench.first(name)
        nights = [bench.night(name) for _ in range(4)][1:]
        seconds, peaks = zip(*nights)
        print(f"{'nothing changed, ' + name:34} {spread(seconds):>20} {max(peaks):6.0f} MiB")
    changes = {
        "1 % new": lambda i: bench.new_articles(one_percent, i),
        "1 % with other bodies": lambda _: bench.change_bodies(one_percent),
        "0.1 % with other titles": lambda _: bench.change_titles(max(one_percent // 10, 1)),
    }
    for name, change in changes.items():
        nights = []
        for i in range(3):
            change(i)
            nights.append(bench.night("with"))
        seconds, peaks = zip(*nights)
        print(f"{name + ', with':34} {spread(seconds):>20} {max(peaks):6.0f} MiB")


main()
