"""How `anp import` grows: measured on this machine, then simulated for corpora that are larger.

measure: seeded articles into one server and into a cluster of three masters, by one, two and four
         shards of one run at once; what the survey, the rendering and the writes of an article cost
         an importer, and what the writes cost a server.
plan:    a simulation of imports of a million, a hundred million and ten thousand million articles
         with these figures, whose assumptions are the constants below.

Both write to bench-out/scale.json; `plan` reads it.
"""

import heapq
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ANP = Path(os.environ.get("ANP", "target/release/anp")).resolve()
OUT = Path("bench-out/scale.json")
ROUNDS = 3
SHARDS = (1, 2, 4)
TICKS = os.sysconf("SC_CLK_TCK")

# What the simulation assumes.
IMPORTER_CORES = 8
NIC_BYTES = 10e9 / 8  # 10 Gbit/s, each way
MASTER_BYTES = 48 * 2**30  # of 64 GiB: the rest is for buffers, fragmentation and a fork
TREE = 10_000_000  # articles of one run; larger corpora are several trees, each with its prefix
BATCH = 512  # articles of a batch
REPLICAS = 1
CORPORA = (
    # articles, importers of one tree, trees at once
    (1_000_000, 1, 1),
    (100_000_000, 4, 2),
    (10_000_000_000, 4, 64),
)


def tool(*names):
    """The path of the first of these programs that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit(f"scale: {names[0]} is missing; `make setup` installs it")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Servers:
    """One server, or a cluster of masters without replicas, on loopback, without persistence."""

    def __init__(self, folder, count):
        self.ports = [free_port() for _ in range(count)]
        self.processes = []
        for port in self.ports:
            home = f"{folder}/{port}"
            os.makedirs(home)
            options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", home]
            if count > 1:
                options += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
            server = [tool("redis-server", "valkey-server"), *options]
            self.processes.append(subprocess.Popen(server, stdout=subprocess.DEVNULL))
        for port in self.ports:
            self.wait_for(lambda port=port: self.ask(port, "PING") == "PONG")
        self.url = f"redis://127.0.0.1:{self.ports[0]}/0"
        if count > 1:
            nodes = [f"127.0.0.1:{port}" for port in self.ports]
            self.url = f"redis+cluster://{','.join(nodes)}/"
            for index, port in enumerate(self.ports):
                first, last = index * 16384 // count, (index + 1) * 16384 // count - 1
                self.ask(port, "CLUSTER", "SET-CONFIG-EPOCH", str(index + 1))
                self.ask(port, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
                bus = self.ask(port, "CONFIG", "GET", "cluster-port").split()[1]
                self.ask(self.ports[0], "CLUSTER", "MEET", "127.0.0.1", str(port), bus)
            for port in self.ports:
                ready = f"cluster_size:{count}"
                self.wait_for(
                    lambda port=port: "cluster_state:ok" in (info := self.ask(port, "CLUSTER", "INFO"))
                    and ready in info
                )

    def ask(self, port, *words):
        command = [tool("redis-cli", "valkey-cli"), "-p", str(port), *words]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    @staticmethod
    def wait_for(is_so):
        until = time.monotonic() + 30
        while not is_so():
            if time.monotonic() > until:
                sys.exit("scale: a server is not ready after 30 s")
            time.sleep(0.05)

    def each(self, *words):
        return [self.ask(port, *words) for port in self.ports]

    def field(self, section, name):
        """A number of INFO, summed over the servers."""
        lines = "\n".join(self.each("INFO", section)).splitlines()
        return sum(int(line.split(":")[1]) for line in lines if line.startswith(name + ":"))

    def cpu(self):
        """Seconds of CPU of each server."""
        return [cpu_of(process.pid) for process in self.processes]

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(commands, folder):
    """Runs commands at once. Returns seconds, and seconds of CPU of all of them."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ANP")}
    start = time.perf_counter()
    children = [
        subprocess.Popen(
            [ANP, *command], cwd=folder, env=clean, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    cpu = 0.0
    for child in children:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        if child.returncode != 0:
            sys.exit(f"scale: {' '.join(map(str, child.args))} ended with {child.returncode}")
    return time.perf_counter() - start, cpu


class Bench:
    def __init__(self, folder, count):
        self.folder, self.count = folder, count
        self.content, self.state = f"{folder}/content", f"{folder}/state"
        run([["synth", "--count", str(count), "--out", self.content]], folder)

    def where(self, servers):
        return ["--redis", servers.url, "--state-dir", self.state]

    def clear(self, servers):
        servers.each("FLUSHALL", "SYNC")
        shutil.rmtree(self.state, ignore_errors=True)

    def cost(self, servers, *arguments):
        """Median of the CPU, in µs an article, of a dry run."""
        command = ["import", self.content, "--dry-run", *arguments]
        runs = [run([[*command, *self.where(servers)]], self.folder)[1] for _ in range(ROUNDS)]
        return statistics.median(runs) / self.count * 1e6

    def imports(self, servers, shards):
        """Rounds of an import by so many shards into empty servers."""
        rounds = []
        for number in range(ROUNDS):
            self.clear(servers)
            before = servers.cpu(), servers.field("stats", "total_net_input_bytes")
            empty = servers.field("memory", "used_memory")
            commands = [["import", self.content, *self.where(servers)]]
            if shards > 1:
                run_id = ["--run-id", f"scale-{number}"]
                commands = [
                    [*commands[0], "--shard", f"{index}/{shards}", *run_id]
                    for index in range(shards)
                ]
            seconds, cpu = run(commands, self.folder)
            stored = sum(int(size) for size in servers.each("DBSIZE"))
            if stored != 2 * self.count:
                sys.exit(f"scale: {stored} objects after an import of {self.count} articles")
            of_each = [after - start for after, start in zip(servers.cpu(), before[0])]
            manifests = sum(file.stat().st_size for file in Path(self.state, "runs").iterdir())
            rounds.append({
                "seconds": seconds,
                "importer_cpu": cpu,
                "server_cpu": sum(of_each),
                "busiest_server": max(of_each) / seconds,
                "memory": (servers.field("memory", "used_memory") - empty) / self.count,
                "network": (servers.field("stats", "total_net_input_bytes") - before[1])
                / self.count,
                "manifest": manifests / self.count,
            })
        return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def measure(count):
    results = {"articles": count, "cores": os.cpu_count(), "rows": []}
    # On memory: what a disk takes to sync is another machine's.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="anp-scale-", dir=memory) as folder:
        bench = Bench(folder, count)
        print("| store | shards | articles/s | importers, µs of CPU an article | servers, µs |"
              " busiest server | cores in use |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for masters, name in ((1, "one server"), (3, "three masters")):
            servers = Servers(folder, masters)
            try:
                if masters == 1:
                    of_none = ["--shard", "0/4096"]
                    results["survey_us"] = bench.cost(servers, *of_none, "--no-cache")
                    whole = bench.cost(servers, "--no-cache")
                    results["render_us"] = whole - results["survey_us"]
                for shards in SHARDS:
                    row = bench.imports(servers, shards)
                    row.update(store=name, masters=masters, shards=shards)
                    results["rows"].append(row)
                    print(line_of(row, count), flush=True)
                if masters == 1:
                    results["remember_us"] = bench.cost(servers, *of_none)
            finally:
                servers.stop()
    one = results["rows"][0]
    each_us = one["importer_cpu"] / count * 1e6
    results["apply_us"] = max(each_us - results["survey_us"] - results["render_us"], 1)
    results["server_us"] = one["server_cpu"] / count * 1e6
    for name in ("memory", "network", "manifest"):
        results[name] = one[name]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    print()
    for name in ("survey_us", "remember_us", "render_us", "apply_us", "server_us"):
        print(f"{name}: {results[name]:.1f}")
    for name in ("memory", "network", "manifest"):
        print(f"{name}: {results[name]:,.0f} bytes an article")


def line_of(row, count):
    used = (row["importer_cpu"] + row["server_cpu"]) / row["seconds"]
    return (
        f"| {row['store']} | {row['shards']} | {count / row['seconds']:,.0f}"
        f" | {row['importer_cpu'] / count * 1e6:.0f} | {row['server_cpu'] / count * 1e6:.0f}"
        f" | {row['busiest_server']:.0%} | {used:.1f} |"
    )


def simulate(tree, importers, masters, at_once, figures):
    """One tree, while `at_once` trees are written to the same masters. Every importer surveys all of
    the tree and renders its share, on all cores; then it writes that in batches. A batch goes to every
    master, each of which serves one batch after the other, and the next one is prepared meanwhile.
    Returns the seconds of both parts, and how busy the masters were."""
    share = tree / importers
    survey = (tree * figures["survey_us"] + share * figures["render_us"]) / 1e6 / IMPORTER_CORES
    # Alike batches and alike masters: fewer and larger ones take the same time.
    batches = min(max(round(share / BATCH), 1), 400)
    articles = share / batches
    queues = min(masters, 64)
    wire = figures["network"] / NIC_BYTES
    prepare = articles * max(figures["apply_us"] / 1e6, wire)
    serve = articles / masters * max(figures["server_us"] / 1e6, wire)
    free, busy, end = [0.0] * queues, 0.0, 0.0
    writers = importers * at_once
    ready = [(prepare * (1 + writer / writers), batches, 0.0) for writer in range(writers)]
    heapq.heapify(ready)
    while ready:
        now, left, answered = heapq.heappop(ready)
        now = max(now, answered)
        done = now
        for master in range(queues):
            free[master] = max(free[master], now) + serve
            done = max(done, free[master])
        busy += serve * queues
        end = max(end, done)
        if left > 1:
            heapq.heappush(ready, (now + prepare, left - 1, done))
    return survey, end, busy / (end * queues)


def plan():
    if not OUT.exists():
        sys.exit(f"scale: {OUT} is missing; `make bench-scale` measures it")
    figures = json.loads(OUT.read_text())
    print("| articles | trees | importers | masters (and replicas) | memory of the masters |"
          " into the masters | manifests | survey and rendering | writing | in all |")
    print("| --- |" + " --- |" * 9)
    for articles, importers, at_once in CORPORA:
        trees = max(articles // TREE, 1)
        tree = articles // trees
        memory = articles * figures["memory"]
        masters = max(-(-int(memory) // MASTER_BYTES), 1)
        survey, write, busy = simulate(tree, importers, masters, at_once, figures)
        rounds = -(-trees // at_once)
        total = rounds * (survey + write)
        print(
            f"| {articles:,} | {trees:,} | {importers * at_once} | {masters:,} ({REPLICAS * masters:,})"
            f" | {size(memory)} | {size(articles * figures['network'])}"
            f" | {size(articles * figures['manifest'])} | {span(survey)} a tree"
            f" | {span(write)} a tree, masters {busy:.0%} busy | {span(total)} |"
        )


def size(count):
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.3g} {unit}"
        count /= 1000


def span(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def main():
    count = int(os.environ.get("N", "20000"))
    if not ANP.exists():
        sys.exit(f"scale: {ANP} is missing; `make build` makes it")
    if "measure" in sys.argv[1:]:
        measure(count)
        print()
    plan()


main()
