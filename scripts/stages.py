"""Runs the bench of the stages of an import, and prints what each costs, in µs an article."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

OUT = Path("target/stages")


def main():
    shutil.rmtree(OUT, ignore_errors=True)  # it may hold stages that are gone
    command = ["cargo", "bench", "--locked", "--quiet", "--bench", "stages"]
    where = {**os.environ, "CRITERION_HOME": str(OUT.resolve())}
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=where)
    if run.returncode != 0:
        sys.stderr.write(run.stderr.decode(errors="replace"))
        sys.exit(f"stages: cargo bench ended with {run.returncode}")
    print(f"{'stage, µs an article':36} {'min':>8} {'median':>8} {'max':>8}")
    # In the order in which they ran.
    for file in sorted(OUT.rglob("new/benchmark.json"), key=lambda file: file.stat().st_mtime_ns):
        bench = json.loads(file.read_text())
        sample = json.loads(file.with_name("sample.json").read_text())
        articles = bench["throughput"]["Elements"]
        each = [ns / n / articles / 1000 for ns, n in zip(sample["times"], sample["iters"])]
        low, median, high = min(each), statistics.median(each), max(each)
        print(f"{bench['function_id']:36} {low:8.2f} {median:8.2f} {high:8.2f}")


main()
