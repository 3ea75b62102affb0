"""Measures whole processes against a private server on a unix socket, without persistence.

rounds: for articles of `anp synth` and for those of corpus.py: `anp import` and
        `redis-cli --pipe` with the very same objects, in pairs that take turns in going first,
        an empty store before each; a second import that finds nothing to do, one after a
        checkout, which gives all files new times, one where a single file changed, warm after a
        FLUSHALL, the rollback, an import with `compress: gzip`; an import of 100 articles; and,
        for the first, the other ways that are found, on a tenth of the articles. Writes
        bench-out/bench.json and bench-out/bench.svg.
memory: peak memory and time of 20,000 articles and of many, for what each further one costs:
        a dry run of generated ones, and an import of files, where the server can hold them.
archives: `anp import --no-cache` of the same articles from files, a tar archive and JSON lines, each
        into an empty store, in rounds that begin with another form each; and, for each form, an
        import that finds nothing changed.
compress: the same articles plain and with `compress: gzip`, in pairs that take turns in going first:
        memory of the server, and times of an import, one that finds nothing changed, warm after a
        FLUSHDB, and the rollback.
warm:   seeded articles to files and straight into the store, `anp warm` after a FLUSHDB, and what
        readers of the same server see meanwhile.

Peak memory is the kernel's figure for the process. It never falls below the size of this
script, less than 20 MiB, from which the process is started.
"""

import json
import math
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROUNDS = 5
READER_PAGES = 1_000
# `memory` compares with so many articles; the server holds 18 KB of each, so it imports no more
# than this.
FEW, MOST_FILES = 20_000, 200_000
ANP = Path(os.environ.get("ANP", "target/release/anp")).resolve()
OUT = Path("bench-out")


def tool(*names):
    """The path of the first of these programs that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit(f"bench: {names[0]} is missing; `make setup` installs it")


class Server:
    """A private server, and one connection to it."""

    def __init__(self, folder):
        self.path = f"{folder}/server.sock"
        options = ["--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [tool("redis-server", "valkey-server"), *options, "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            if self.socket.connect_ex(self.path) == 0:
                break
            time.sleep(0.05)
        else:
            self.stop()
            sys.exit("bench: the server did not start within 10 s")
        self.replies = self.socket.makefile("rb")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, *commands):
        """Sends commands, each a tuple of bytes, and returns their replies."""
        self.socket.sendall(b"".join(map(resp, commands)))
        return [self.reply() for _ in commands]

    def reply(self):
        line = self.replies.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            sys.exit(f"bench: the server answered {rest.decode()}")
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def flush(self):
        self.ask((b"FLUSHALL", b"SYNC"))

    def used_memory(self):
        (info,) = self.ask((b"INFO", b"memory"))
        line = next(line for line in info.split() if line.startswith(b"used_memory:"))
        return int(line.split(b":")[1])

    def objects(self):
        """The number of keys, less those that anp keeps for itself."""
        size, own = self.ask((b"DBSIZE",), (b"EXISTS", b"anp:lock", b"anp:switch"))
        return size - own

    def dump(self, file):
        """Writes every object as the command that makes it. Returns bytes of all values."""
        cursor, total = b"0", 0
        with open(file, "wb") as out:
            while True:
                (cursor, keys), = self.ask((b"SCAN", cursor, b"COUNT", b"200"))
                keys = [k for k in keys if k.startswith((b"anp:page:", b"anp:meta:"))]
                values = self.ask(*[(b"GET", key) for key in keys])
                expiries = self.ask(*[(b"PEXPIRETIME", key) for key in keys])
                for key, value, expiry in zip(keys, values, expiries):
                    if expiry <= 0:
                        sys.exit(f"bench: {key.decode()} has no expiry")
                    out.write(resp((b"SET", key, value, b"PXAT", b"%d" % expiry)))
                    total += len(value)
                if cursor == b"0":
                    return total


def resp(command):
    parts = [b"$%d\r\n%s\r\n" % (len(part), part) for part in command]
    return b"*%d\r\n%s" % (len(parts), b"".join(parts))


def timed(command, stdin=subprocess.DEVNULL, cwd=None):
    """Runs a command to its end. Returns seconds and peak memory in MiB."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ANP")}
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=errors, cwd=cwd, env=clean
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.stderr.write(errors.read().decode(errors="replace"))
            sys.exit(f"bench: {' '.join(map(str, command))} ended with {child.returncode}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss / unit


def synth(count, folder):
    """The articles of anp's own generator."""
    timed([ANP, "synth", "--count", str(count), "--out", folder])


def other(count, folder):
    """Articles of another style, each with a warning."""
    timed([sys.executable, Path(__file__).with_name("corpus.py"), str(count), folder])


class Bench:
    """One server, one tree of articles, and the commands that are measured on them."""

    def __init__(self, folder, count, write=synth):
        self.folder, self.count = folder, count
        self.content, self.state = f"{folder}/content", f"{folder}/state"
        self.ready_made = f"{folder}/objects.resp"
        self.gzip = Path(folder, "gzip.yaml")
        write(count, self.content)
        self.gzip.write_text("compress: gzip\n")
        self.server = Server(folder)

    def anp(self, *arguments):
        where = ["--redis", f"redis+unix://{self.server.path}", "--state-dir", self.state]
        return timed([ANP, *arguments, *where], cwd=self.folder)

    def import_from_nothing(self, *options):
        """An import that finds neither objects in the store nor a cache of its own."""
        self.server.flush()
        shutil.rmtree(self.state, ignore_errors=True)
        return self.anp("import", self.content, *options)

    def first_import(self, *options):
        """The same, of articles alone."""
        result = self.import_from_nothing(*options)
        self.expect(2 * self.count, "an import")
        return result

    def pipe(self):
        self.server.flush()
        with open(self.ready_made, "rb") as objects:
            command = [tool("redis-cli", "valkey-cli"), "-s", self.server.path, "--pipe"]
            result = timed(command, stdin=objects)
        self.expect(2 * self.count, "redis-cli --pipe")
        return result

    def rollback(self):
        self.first_import()
        result = self.anp("rollback", "last")
        self.expect(0, "a rollback")
        return result

    def warm(self):
        self.first_import()
        self.server.flush()
        result = self.anp("warm", self.content)
        self.expect(2 * self.count, "a warm run")
        return result

    def part(self, count):
        """A tree of so many articles."""
        folder = f"{self.folder}/part-{count}"
        if not Path(folder).exists():
            timed([ANP, "synth", "--count", str(count), "--out", folder])
        return folder

    def python(self, program):
        script = Path("bench/peers/publish.py").resolve()

        def measure(count):
            self.server.flush()
            result = timed([program, script, self.part(count), self.server.path])
            self.expect(2 * count, "the Python script")
            return result

        return measure

    def site(self, program, fill, *build):
        """A generator of static sites, from bench/peers/PROGRAM to files."""

        def measure(count):
            site = Path(f"{self.folder}/{program}")
            if not site.exists():
                shutil.copytree(f"bench/peers/{program}", site)
                shutil.copy("src/render/templates/style.css", site)
                fill(self.part(count), site / "content")
            shutil.rmtree(site / "public", ignore_errors=True)
            result = timed([tool(program), *build], cwd=site)
            built = sum(1 for _ in (site / "public").rglob("index.html"))
            if built < count:
                sys.exit(f"bench: {program} built {built} pages of {count}")
            return result

        return measure

    def sources(self):
        return sorted(Path(self.content).rglob("*.md"))

    def nights(self):
        """A first import and, of the same store, one that finds nothing changed, one after a checkout
        gave all files new times, and one that finds a single file changed."""
        self.first_import()
        same = self.anp("import", self.content)
        for source in self.sources():
            os.utime(source)
        checked_out = self.anp("import", self.content)
        # Before that, a later write could leave the same times behind.
        time.sleep(2.5)
        self.anp("import", self.content)
        with open(random.choice(self.sources()), "a", encoding="utf-8") as article:
            article.write(f"\nAnother line, {random.random()}.\n")
        return same, checked_out, self.anp("import", self.content)

    def gzip_import(self):
        return self.first_import("--config", str(self.gzip))

    def small(self):
        """An import of 100 articles with a warm store, and how long redis-cli takes for a PING."""
        part = self.part(100)
        self.server.flush()
        self.anp("import", part)
        time.sleep(2.1)
        self.anp("import", part)
        ping = [tool("redis-cli", "valkey-cli"), "-s", self.server.path, "ping"]
        return self.anp("import", part)[0] - timed(ping)[0]

    def expect(self, objects, after):
        found = self.server.objects()
        if found != objects:
            sys.exit(f"bench: {found} objects after {after}, expected {objects}")


def under_extra(articles, content):
    """The same articles for Zola, which wants fields that it does not know below `extra`."""
    for source in Path(articles).rglob("*.md"):
        _, fields, body = source.read_text(encoding="utf-8").split("---\n", 2)
        lines = fields.splitlines(keepends=True)
        title = next(line for line in lines if line.startswith("title:"))
        extra = "".join(f"  {line}" for line in lines)
        page = content / source.relative_to(articles)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"---\n{title}extra:\n{extra}---\n{body}", encoding="utf-8")


def peers(bench):
    """Other ways to publish the same articles, on a tenth of them. Returns those that are found,
    each as a name, how many articles, and what measures it; and the names of the others."""
    python = os.environ.get("PEER_PYTHON")
    known = [
        ("Python script", python, bench.python(python)),
        ("Hugo, to files", shutil.which("hugo"), bench.site("hugo", shutil.copytree, "--quiet")),
        ("Zola, to files", shutil.which("zola"), bench.site("zola", under_extra, "build")),
    ]
    count = max(bench.count // 10, 1)
    for name, path, _ in known:
        print(f"peer: {name}, {path or 'not installed'}", file=sys.stderr)
    return (
        [(name, count, measure) for name, path, measure in known if path],
        [name for name, path, _ in known if not path],
    )


# Name of a ratio, what is divided by what (µs an article), and what it is to be.
RATIOS = [
    ("import : redis-cli --pipe", "anp import", "redis-cli --pipe", "goal 2, at most 3"),
    ("import : nothing changed", "anp import", "nothing changed", "at least 10"),
    ("import : after a checkout", "anp import", "after a checkout", "at least 3"),
    ("one changed : nothing changed", "one changed", "nothing changed", "at most 1.2"),
    ("rollback : import", "rollback", "anp import", "at most 1.0"),
    ("warm after FLUSHALL : import", "warm after FLUSHALL", "anp import", "at most 0.9"),
    ("import in gzip : import", "import in gzip", "anp import", "at most 1.15"),
    ("Python script : import", "Python script", "anp import", "at least 30"),
    ("Hugo : import", "Hugo, to files", "anp import", "at least 20"),
    ("Zola : import", "Zola, to files", "anp import", "at least 10"),
]


def rounds(bench):
    others, missing = peers(bench)
    report = {"articles": bench.count, "missing": missing}
    second = Bench(folder_in(bench.folder, "other"), bench.count, other)
    try:
        for name, corpus, more in (("seeded", bench, others), ("another generator", second, [])):
            report[name] = rounds_of(name, corpus, more)
    finally:
        second.server.stop()
    for name in missing:
        print(f"{name:20} not installed")
    small = [bench.small() * 1000 for _ in range(ROUNDS)]
    print(f"\nimport of 100 articles, store warm, less redis-cli ping: {spread(small)} ms (at most 30)")
    report["small_ms"] = small
    OUT.mkdir(exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(report, indent=2) + "\n")
    (OUT / "bench.svg").write_text(chart(report["seeded"]["rows"]))


def folder_in(folder, name):
    path = Path(folder, name)
    path.mkdir()
    return str(path)


def rounds_of(corpus, bench, others):
    bench.first_import()  # warms the page cache, and makes the objects
    total = bench.server.dump(bench.ready_made)
    sources = sum(source.stat().st_size for source in bench.sources())
    pair = [("anp import", bench.first_import), ("redis-cli --pipe", bench.pipe)]
    nights = ("nothing changed", "after a checkout", "one changed")
    rest = [
        ("warm after FLUSHALL", bench.warm),
        ("rollback", bench.rollback),
        ("import in gzip", bench.gzip_import),
    ]
    rows = {name: [] for name in [*(name for name, _ in pair), *nights, *(name for name, _ in rest)]}
    counts = dict.fromkeys(rows, bench.count)
    for name, count, _ in others:
        rows[name], counts[name] = [], count
    for i in range(ROUNDS):
        print(f"{corpus}: round {i + 1} of {ROUNDS}", file=sys.stderr)
        for name, measure in (pair if i % 2 == 0 else pair[::-1]) + rest:
            rows[name].append(measure())
        for name, result in zip(nights, bench.nights()):
            rows[name].append(result)
        for name, count, measure in others:
            rows[name].append(measure(count))

    print(
        f"\n{corpus}: {bench.count:,} articles, {sources / 1e6:.0f} MB of sources, "
        f"{2 * bench.count:,} objects, {total / 1e6:.0f} MB of values"
    )
    print(f"{'seconds':20} {'articles':>9} {'min':>7} {'median':>7} {'max':>7} {'articles/s':>11} MiB")
    report = {"source_bytes": sources, "value_bytes": total, "rows": {}, "ratios": {}}
    for name, results in rows.items():
        seconds, peaks = zip(*results)
        low, median, high = min(seconds), statistics.median(seconds), max(seconds)
        rate, peak = counts[name] / median, max(peaks)
        print(
            f"{name:20} {counts[name]:9,} {low:7.3f} {median:7.3f} {high:7.3f} {rate:11,.0f} {peak:.0f}"
        )
        report["rows"][name] = {
            "articles": counts[name], "seconds": seconds, "min": low, "median": median,
            "max": high, "articles_per_second": rate, "peak_mib": peak,
        }
    print(f"\n{'ratio, an article':32} {'min':>7} {'median':>7} {'max':>7}  target")
    for name, over, under, target in RATIOS:
        if over not in rows or under not in rows:
            continue
        each = [
            (a / counts[over]) / (b / counts[under])
            for (a, _), (b, _) in zip(rows[over], rows[under])
        ]
        low, median, high = min(each), statistics.median(each), max(each)
        print(f"{name:32} {low:7.2f} {median:7.2f} {high:7.2f}  {target}")
        report["ratios"][name] = {"min": low, "median": median, "max": high, "target": target}
    return report


def chart(rows):
    """Articles a second as bars, on a logarithmic scale."""
    rates = sorted(((row["articles_per_second"], name) for name, row in rows.items()), reverse=True)
    left, width, line = 170, 420, 26
    most, least = math.log10(rates[0][0]), 2
    bars = []
    for i, (rate, name) in enumerate(rates):
        y, length = 34 + i * line, max(2, width * (math.log10(rate) - least) / (most - least))
        own = not name.startswith(("redis-cli", "Python", "Hugo", "Zola"))
        bars.append(
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>'
            f'<rect x="{left}" y="{y}" width="{length:.0f}" height="18" rx="2" '
            f'fill="{"#2f6f8f" if own else "#a9b4bd"}"/>'
            f'<text x="{left + length + 6:.0f}" y="{y + 13}">{rate:,.0f}</text>'
        )
    height = 44 + len(rates) * line
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {height}" role="img" '
        f'aria-label="Articles a second" font-family="sans-serif" font-size="13" fill="#57606a">'
        f'<text x="{left}" y="20" font-weight="bold">articles a second (logarithmic)</text>'
        f'{"".join(bars)}</svg>\n'
    )


ARCHIVES = ("s.tar.zst", "s.jsonl", "s.jsonl.gz")


def archives(bench):
    for name in ARCHIVES:
        timed([ANP, "synth", "--count", str(bench.count), "--out", f"{bench.folder}/{name}"])
    forms = {"files": bench.content} | {name: f"{bench.folder}/{name}" for name in ARCHIVES}
    results = {name: [] for name in forms}

    def measure(source):
        bench.content = source
        whole = bench.first_import("--no-cache")
        bench.anp("import", source)  # fills the cache
        return *whole, bench.anp("import", source)[0]

    measure(bench.content)  # warms the page cache
    for i in range(ROUNDS):
        print(f"round {i + 1} of {ROUNDS}", file=sys.stderr)
        for at in range(len(forms)):
            name = list(forms)[(i + at) % len(forms)]
            results[name].append(measure(forms[name]))
    print(f"{bench.count:,} articles")
    print(f"{'':12} {'MB':>6} {'import s':>24} {': files':>17} {'unchanged s':>22} {'MiB':>5}")
    for name, source in forms.items():
        size = sum(file.stat().st_size for file in [Path(source), *Path(source).rglob("*.md")])
        whole, peaks, unchanged = zip(*results[name])
        ratios = [own / files[0] for own, files in zip(whole, results["files"])]
        print(
            f"{name:12} {size / 1e6:6.0f} {spread(whole):>24} {spread(ratios):>17} "
            f"{spread(unchanged):>22} {max(peaks):5.0f}"
        )


def compress(bench):
    forms = ("none", "gzip")

    def measure(form):
        options = ("--config", "/dev/null" if form == "none" else str(bench.gzip))
        row = {"import": bench.first_import(*options)}
        row["memory"] = bench.server.used_memory()
        row["nothing changed"] = bench.anp("import", bench.content, *options)
        bench.server.ask((b"FLUSHDB", b"SYNC"))
        row["warm after FLUSHDB"] = bench.anp("warm", bench.content, *options)
        bench.expect(2 * bench.count, "a warm run")
        bench.first_import(*options)
        row["rollback"] = bench.anp("rollback", "last", *options)
        bench.expect(0, "a rollback")
        return row

    measure("none")  # warms the page cache
    results = {form: [] for form in forms}
    for i in range(ROUNDS):
        print(f"round {i + 1} of {ROUNDS}", file=sys.stderr)
        for form in forms if i % 2 == 0 else forms[::-1]:
            results[form].append(measure(form))
    print(f"{bench.count:,} articles")
    memory = {form: statistics.median(row["memory"] for row in rows) for form, rows in results.items()}
    for form in forms:
        print(f"memory of the server, {form:18} {memory[form] / 2**20:8,.0f} MiB")
    print(f"{'gzip : none':40} {memory['gzip'] / memory['none']:8.3f}")
    print(f"\n{'seconds: least, median, greatest':34} {'none':>18} {'gzip':>18} {'gzip : none':>18}")
    for name in ("import", "nothing changed", "warm after FLUSHDB", "rollback"):
        each = {form: [row[name][0] for row in rows] for form, rows in results.items()}
        ratios = [own / plain for own, plain in zip(each["gzip"], each["none"])]
        print(f"{name:34} {spread(each['none']):>18} {spread(each['gzip']):>18} {spread(ratios):>18}")
    peak = max(row["import"][1] for row in results["gzip"])
    print(f"peak memory of an import in gzip {peak:.0f} MiB")


def spread(values):
    """The least, the median and the greatest."""
    return f"{min(values):.2f} {statistics.median(values):.2f} {max(values):.2f}"


def memory(bench):
    # The bench itself has the few.
    counts = (bench.count, max(int(os.environ.get("N", 100_000)), bench.count + 1))

    def dry_run(count):
        bench.server.flush()
        return bench.anp("import", "--synth", str(count), "--dry-run", "--quiet")

    def files(count):
        if count != bench.count:
            bench.count, bench.content = count, bench.part(count)
        return bench.first_import()

    print(f"{'':24} {'articles':>9} {'seconds':>8} {'us each':>8} {'peak MiB':>9}")
    for name, measure in (("import --synth --dry-run", dry_run), ("import", files)):
        if measure is files and counts[1] > MOST_FILES:
            print(f"{name:24} not measured: the server would hold {counts[1]:,} articles")
            continue
        few, many = (measure(count) for count in counts)
        for count, (seconds, peak) in zip(counts, (few, many)):
            each = seconds / count * 1e6
            print(f"{name:24} {count:9,} {seconds:8.2f} {each:8.1f} {peak:9.1f}")
        more = (many[1] - few[1]) * 1024 * 1024 / (counts[1] - counts[0])
        cost = (many[0] / counts[1]) / (few[0] / counts[0])
        print(f"{'':24} {more:.0f} bytes an article above {counts[0]:,}; cost an article {cost:.2f} times")


def read(path, stop, results):
    """Reads pages, one after the other, until it is told to stop. Puts when each began, and how
    many ms it took."""
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    replies, times = server.makefile("rb"), []
    server.sendall(resp((b"SELECT", b"1")))
    replies.readline()
    while not stop.is_set():
        key = b"reader:%d" % random.randrange(READER_PAGES)
        start = time.perf_counter()
        server.sendall(resp((b"GET", key)))
        replies.read(int(replies.readline()[1:]) + 2)
        times.append((start, (time.perf_counter() - start) * 1000))
        time.sleep(0.001)
    results.put(times)


class Readers:
    """Two processes that read while something else happens, as visitors would."""

    def __init__(self, path):
        self.stop, self.results = multiprocessing.Event(), multiprocessing.Queue()
        target = (path, self.stop, self.results)
        self.processes = [multiprocessing.Process(target=read, args=target) for _ in range(2)]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.times = [time for _ in self.processes for time in self.results.get()]
        for process in self.processes:
            process.join()

    def since(self, start):
        """What reads took that began after `start`, in ms, sorted."""
        return sorted(ms for at, ms in self.times if at >= start)


def warm(bench):
    n = str(bench.count)
    server, files = bench.server, f"{bench.folder}/files"

    def row(name, seconds, peak):
        print(f"{name:34} {seconds:8.2f} s {bench.count / seconds:10,.0f} a second {peak:7.1f} MiB")

    row("anp synth, to files", *timed([ANP, "synth", "--count", n, "--out", files]))
    seeded = ("import", "--synth", n, "--under", "load/")
    row("anp import --synth", *bench.anp(*seeded))
    row("anp purge --run last", *bench.anp("purge", "--run", "last"))
    bench.first_import()
    server.ask((b"FLUSHDB", b"SYNC"))
    row("anp warm, after FLUSHDB", *bench.anp("warm", bench.content))
    bench.expect(2 * bench.count, "a warm run")
    row("anp warm, nothing to do", *bench.anp("warm", bench.content))

    server.ask((b"SELECT", b"1"))
    page = b"x" * 16_000
    server.ask(*[(b"SET", b"reader:%d" % i, page) for i in range(READER_PAGES)])
    server.ask((b"SELECT", b"0"))
    print("\nreaders while it writes, ms             half   99 %  99.9 %   worst  wrote s")

    def beside(name, *limits):
        server.ask((b"FLUSHDB", b"SYNC"))
        with Readers(server.path) as readers:
            begin = time.perf_counter()
            if limits == ("nothing",):
                time.sleep(5)
            else:
                writes = threading.Event()
                watch = threading.Thread(target=first_key, args=(server, writes))
                watch.start()
                child = threading.Thread(target=bench.anp, args=("warm", bench.content, *limits))
                child.start()
                writes.wait()
                begin = time.perf_counter()
                child.join()
                watch.join()
            seconds = time.perf_counter() - begin
        times = readers.since(begin)
        at = [times[int(len(times) * share)] for share in (0.5, 0.99, 0.999)] + [times[-1]]
        print(f"{name:34} {at[0]:9.2f} {at[1]:6.2f} {at[2]:7.2f} {at[3]:7.2f} {seconds:8.2f}")

    beside("nobody writes", "nothing")
    for limits in ((), ("--max-latency", "1ms"), ("--rate", "5000/s")) * 2:
        beside(" ".join(("anp warm", *limits)), *limits)


def first_key(server, writes):
    while server.objects() == 0:
        time.sleep(0.002)
    writes.set()


def main():
    modes = {
        "rounds": (rounds, 20_000), "archives": (archives, 100_000), "memory": (memory, FEW),
        "compress": (compress, 100_000), "warm": (warm, 20_000),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in modes:
        sys.exit("usage: bench.py rounds|archives|compress|memory|warm")
    if not ANP.is_file():
        sys.exit(f"bench: {ANP} is missing; `make build` makes it")
    measure, count = modes[sys.argv[1]]
    with tempfile.TemporaryDirectory(prefix="anp-bench-") as folder:
        bench = Bench(folder, FEW if measure is memory else int(os.environ.get("N", count)))
        try:
            measure(bench)
        finally:
            bench.server.stop()


if __name__ == "__main__":
    main()
