#!/usr/bin/env python3
"""Does the batching writer of libmillrace keep up with the server? The bar: single-measure records a second of client
core are at least half of what the server takes a second of its core, so that with two cores the client is not the bottleneck.
Each run has a fresh server; exit status 1 below the bar."""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from run import BUILD, KEY, SECRET, one_run


def writer_run(seconds, senders):
    data = tempfile.mkdtemp(prefix="millrace-bench-")
    env = dict(os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET)
    server = subprocess.Popen([os.path.join(BUILD, "millrace"), "serve", "--data", data, "--listen", "127.0.0.1:0",
                               "--memory-limit", "12G"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
    try:
        url = re.match(r"ready (http://\S+)", server.stdout.readline().decode()).group(1)
        env.update(AWS_ENDPOINT_URL=url, AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        done = subprocess.run([os.path.join(BUILD, "bench", "mr_bench_writer"), str(seconds), str(senders), str(server.pid)],
                              capture_output=True, text=True, env=env, check=False)
        if done.returncode != 0:
            sys.exit(f"mr_bench_writer failed\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--senders", type=int, default=2)
    o = options.parse_args()
    server = [one_run("single", 4, o.seconds)["records_per_server_cpu_s"] for _ in range(o.runs)]
    runs = [writer_run(o.seconds, o.senders) for _ in range(o.runs)]
    own = [r["records_per_own_cpu_s"] for r in runs]
    wall = [r["records_per_s"] for r in runs]

    def shown(values):
        return f"{statistics.median(values):,.0f} ({min(values):,.0f} .. {max(values):,.0f})"
    bar = statistics.median(server) / 2
    print("| what | median (min .. max) |\n| --- | --- |")
    print(f"| server: records a second of its core | {shown(server)} |")
    print(f"| writer: records a second of its core | {shown(own)} |")
    print(f"| writer and server together on {os.cpu_count()} cores: records a second | {shown(wall)} |")
    held = statistics.median(own) >= bar
    print(f"\nbar: {bar:,.0f} records a second of client core: {'held' if held else 'MISSED'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
