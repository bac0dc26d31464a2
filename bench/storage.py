#!/usr/bin/env python3
"""make bench-storage: what is on disk, a mixed load, restarts, growth, many series.

    disk     bytes a value of the cpu shape, three kinds of readings, after merging, everything included
    mixed    ingest at half its peak while queries run: latency of WriteRecords
    heavy    ingest while four queries take every processor they can get: rate and latency, beside those of ingest alone
    growth   rate of ingest and time of a restart after kill -9, as data grows
    series   ten million series of one row: memory, disk, pauses

Each part has its own server and directory, ends by itself, and talks to loopback only. The numbers in bench/README.md come
from a whole run on a machine that did nothing else.
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
import threading
import time

import boto3
from botocore.config import Config

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "build")
KEY, SECRET = "AKIDBENCH00000000001", "bench/secret/not+a/secret"
ENV = dict(os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET)


class Server:
    def __init__(self, *flags):
        self.data = tempfile.mkdtemp(prefix="millrace-bench-")
        self.flags = flags
        self.start()

    def start(self):
        """Seconds from the start of the process to its ready line."""
        began = time.monotonic()
        self.process = subprocess.Popen([os.path.join(BUILD, "millrace"), "serve", "--data", self.data, "--listen",
                                         "127.0.0.1:0", *self.flags], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=ENV)
        self.address = re.match(r"ready http://(\S+)", self.process.stdout.readline().decode()).group(1)
        return time.monotonic() - began

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)

    def write(self, shape, **options):
        flags = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        done = subprocess.run([os.path.join(BUILD, "bench", "mr_bench_ingest"), "--endpoint", self.address, "--pid",
                               str(self.process.pid), "--shape", shape, *flags], capture_output=True, text=True, env=ENV)
        if done.returncode != 0:
            sys.exit(f"bench: {shape} failed\n{done.stderr}")
        return json.loads(done.stdout)

    def query_client(self):
        return boto3.client("timestream-query", endpoint_url=f"http://{self.address}", region_name="us-east-1",
                            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                            config=Config(retries={"max_attempts": 0}))


def disk():
    print("\n## disk\n\n| readings | bytes a value | flush, CPU s a million values | read back, M values/s |\n| --- | --- | --- | --- |")
    for kind in ("whole", "two", "full"):
        data = tempfile.mkdtemp(prefix="millrace-bench-")
        text = subprocess.run([os.path.join(BUILD, "bench", "mr_bench_store"), data, kind], capture_output=True, text=True,
                              check=True).stdout
        shutil.rmtree(data)
        size = re.search(r"disk\s+([\d.]+) bytes", text).group(1)
        flush = re.search(r"flush .*?([\d.]+) CPU s", text).group(1)
        read = re.findall(r"read .*?([\d.]+) M values", text)[-1]
        print(f"| {kind} | {size} | {flush} | {read} |", flush=True)


QUERIES = (
    "SELECT bin(time, 1m) AS minute, max(usage_user) FROM bench.cpu_multi WHERE hostname = 'host_3' AND time > ago(1h) GROUP BY 1",
    "SELECT hostname, avg(usage_system) FROM bench.cpu_multi WHERE time > ago(6h) GROUP BY hostname",
    "SELECT count(*) FROM bench.cpu_multi",
)


def mixed(seconds):
    server = Server()
    try:
        peak = server.write("multi", seconds=seconds, connections=8, seed=1)
        rate = peak["requests_per_s"] / 2
        alone = server.write("multi", seconds=seconds, connections=8, seed=2, rate=rate, table="cpu_alone")
        stop, times, failed = threading.Event(), [], []

        def ask():
            client = server.query_client()
            while not stop.is_set():
                for text in QUERIES:
                    began = time.monotonic()
                    try:
                        client.query(QueryString=text)
                        times.append(time.monotonic() - began)
                    except Exception as e:  # counted and shown
                        failed.append(str(e))

        thread = threading.Thread(target=ask)
        thread.start()
        busy = server.write("multi", seconds=seconds, connections=8, seed=3, rate=rate, table="cpu_mixed")
        stop.set()
        thread.join()
    finally:
        server.end()
    print(f"\n## mixed: {rate:.0f} requests/s of 100 MULTI records (half of the peak), {seconds} s each\n")
    print("| | p50 ms | p99 ms | max ms |\n| --- | --- | --- | --- |")
    for name, run in (("writes at the peak", peak), ("writes alone", alone), ("writes while queries run", busy)):
        print(f"| {name} | {run['latency_ms']['p50']} | {run['latency_ms']['p99']} | {run['latency_ms']['max']} |")
    print(f"\n{len(times)} queries meanwhile, median {statistics.median(times) * 1000:.1f} ms, {len(failed)} failed {failed[:1]}",
          flush=True)


# Work for every processor, for as long as it is let: joins of everything with everything, sorts of all rows.
HEAVY = (
    "SELECT count(*) FROM bench.cpu_multi a CROSS JOIN bench.cpu_multi b WHERE a.usage_user + b.usage_system > 199.9",
    "SELECT max(x) FROM (SELECT lag(usage_user) OVER (ORDER BY usage_system, usage_idle, time) AS x FROM bench.cpu_multi)",
    "SELECT count(*) FROM bench.cpu_multi a CROSS JOIN bench.cpu_multi b WHERE a.usage_idle * b.usage_nice > 9999",
    "SELECT count(DISTINCT concat(CAST(usage_user AS varchar), hostname, CAST(time AS varchar))) FROM bench.cpu_multi",
)


def heavy(seconds):
    server = Server()
    stop, answered, failed, rows = threading.Event(), [], [], []

    def ask(text):
        client, token = server.query_client(), {}
        while not stop.is_set():
            try:
                page = client.query(QueryString=text, **token)
                token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
                answered.append(text)
            except Exception as e:  # counted and shown, unless the end of the server is what failed it
                if not stop.is_set():
                    failed.append(str(e))

    def measure(name, rate, seed):
        paced = server.write("multi", seconds=seconds, connections=8, seed=seed, rate=rate, table="cpu_paced")
        full = server.write("multi", seconds=seconds, connections=8, seed=seed + 1, table="cpu_full")
        rows.append((f"half of the peak, {name}", paced))
        rows.append((f"as fast as it goes, {name}", full))
        return full["requests_per_s"]

    try:
        peak = server.write("multi", seconds=seconds, connections=8, seed=1)
        rate = peak["requests_per_s"] / 2
        alone = measure("alone", rate, 2)
        threads = [threading.Thread(target=ask, args=(text,)) for text in HEAVY]
        for thread in threads:
            thread.start()
        beside = measure("beside heavy queries", rate, 4)
        stop.set()
        server.kill()
        for thread in threads:
            thread.join()
    finally:
        server.end()
    print(f"\n## heavy: {len(HEAVY)} queries at once, {seconds} s each\n")
    print("| writes | requests/s | p50 ms | p99 ms | max ms |\n| --- | --- | --- | --- | --- |")
    for name, run in rows:
        latency = run["latency_ms"]
        print(f"| {name} | {run['requests_per_s']:.0f} | {latency['p50']} | {latency['p99']} | {latency['max']} |")
    print(f"\n{100 * beside / alone:.0f} % of the rate alone is left; {len(answered)} answers or pages, {len(failed)} failed "
          f"{failed[:1]}", flush=True)


def growth(millions):
    server = Server()
    print("\n## growth\n\n| values stored, M | values/s | server CPU s a million values | p99 ms | restart after kill -9, s | disk, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    stored, stage = 0.0, 0
    try:
        for target in millions:
            while stored < target:
                stage += 1
                requests = int(max(2000, min(100000, (target - stored) * 1000)))
                run = server.write("multi", requests=requests, connections=8, seed=stage, table=f"cpu_{stage}")
                stored += run["values"] / 1e6
            server.kill()
            restart = server.start()
            size = sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(server.data) for name in names)
            print(f"| {stored:.0f} | {run['values_per_s']:,} | {run['server_cpu_s'] / run['values'] * 1e6:.3f} | "
                  f"{run['latency_ms']['p99']} | {restart:.2f} | {size / 1e6:,.0f} |", flush=True)
    finally:
        server.end()


def series(count):
    text = subprocess.run([os.path.join(BUILD, "bench", "mr_bench_many"), str(count)], capture_output=True, text=True,
                          check=True).stdout
    print(f"\n## series\n\n```\n{text}```", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--millions", type=int, nargs="+", default=[10, 100, 500])
    options.add_argument("--series", type=int, default=10_000_000)
    options.add_argument("parts", nargs="*", default=[])
    o = options.parse_args()
    parts = o.parts or ["disk", "mixed", "heavy", "growth", "series"]
    if "disk" in parts:
        disk()
    if "mixed" in parts:
        mixed(o.seconds)
    if "heavy" in parts:
        heavy(o.seconds)
    if "growth" in parts:
        growth(o.millions)
    if "series" in parts:
        series(o.series)


if __name__ == "__main__":
    main()
