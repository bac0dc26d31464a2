#!/usr/bin/env python3
"""make bench: starts the server on a fresh directory, writes both shapes several times, prints medians.

Each run has its own server and data directory, so no run inherits another's memory. Durability is the server's
default: every acknowledged batch has been synced, every signature was verified.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "build")
KEY, SECRET = "AKIDBENCH00000000001", "bench/secret/not+a/secret"


def one_run(shape, connections, seconds):
    data = tempfile.mkdtemp(prefix="millrace-bench-")
    env = dict(os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET)
    server = subprocess.Popen([os.path.join(BUILD, "millrace"), "serve", "--data", data, "--listen", "127.0.0.1:0",
                               "--memory-limit", "12G"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
    try:
        address = re.match(r"ready http://(\S+)", server.stdout.readline().decode()).group(1)
        done = subprocess.run([os.path.join(BUILD, "bench", "mr_bench_ingest"), "--endpoint", address, "--pid",
                               str(server.pid), "--shape", shape, "--connections", str(connections), "--seconds",
                               str(seconds)], capture_output=True, text=True, env=env)
        if done.returncode != 0:
            sys.exit(f"bench: {shape} failed\n{done.stderr}")
        result = json.loads(done.stdout)
        return result
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--connections", type=int, default=8)
    o = options.parse_args()
    print(f"{o.runs} runs of {o.seconds} s a shape, {o.connections} connections, {os.cpu_count()} cores shared with the "
          "client; median (min .. max)\n")
    fields = ("records_per_s", "values_per_s", "records_per_server_cpu_s", "values_per_server_cpu_s", "p50_ms", "p99_ms",
              "server_cpu_s", "own_cpu_s")
    print("| " + " | ".join(("shape", *fields)) + " |")
    print("|" + " --- |" * (len(fields) + 1))
    for shape in ("single", "multi"):
        runs = []
        for _ in range(o.runs):
            run = one_run(shape, o.connections, o.seconds)
            run.update(p50_ms=run["latency_ms"]["p50"], p99_ms=run["latency_ms"]["p99"])
            runs.append(run)
        cells = []
        for field in fields:
            values = [r[field] for r in runs]
            form = "{:,.0f}" if statistics.median(values) >= 1000 else "{:.2f}"
            cells.append(f"{form.format(statistics.median(values))} ({form.format(min(values))} .. {form.format(max(values))})")
        print(f"| {shape} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
