#!/usr/bin/env python3
"""make bench: the cpu workload of the Time Series Benchmark Suite on Millrace and its peers.

One system at a time is started on a fresh directory, loaded, asked and ended. What was measured goes to a JSON file, from
which report.py writes docs/performance.md and its pictures. See bench/README.md.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients
import process
import queries
import report
import systems
import wire
from data import Data

ROOT = systems.ROOT
COMPARED = 3  # answers of each type


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(f.readline().split()[1]) / 1024 / 1024
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open("/etc/os-release", encoding="utf-8") as f:
        name = next((line.split("=")[1].strip().strip('"') for line in f if line.startswith("PRETTY_NAME")), "Linux")
    return {"processor": model, "cores": os.cpu_count(), "memory_gb": round(memory), "system": name,
            "kernel": platform.release(), "commit": commit, "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "load_before": os.getloadavg()[0]}


def ask(system, type_, cases, rounds, seconds, answers, problems):
    """Times one type: `rounds` cases after two to warm up, fewer when `seconds` are over (but five). The first answers of
    each type are decoded and kept or compared."""
    times, cpu = [], 0.0
    began = time.monotonic()
    for i, case in enumerate(cases[:rounds + 2]):
        if i >= 7 and time.monotonic() - began > seconds:
            break
        request = system.prepare(case)
        cpu_before = system.cpu()
        start = time.perf_counter()
        answer = system.run(request)
        took = time.perf_counter() - start
        if i >= 2:
            times.append(took * 1000)
            cpu += system.cpu() - cpu_before
        if i < COMPARED and (i == 0 or len(rows) < 10000):  # decoding takes longer than asking
            rows = system.rows(case, answer)
            want = answers.setdefault((type_.name, i), (system.name, rows))
            wrong = queries.differ(case, rows, want[1], system.tolerance)
            if wrong:
                problems.append(f"{type_.name}, case {i}: {system.name} against {want[0]}: {wrong}")
        system.release(answer)
    return {"ms": [round(t, 4) for t in times], "cpu_ms": round(cpu * 1000 / len(times), 4), "rows": len(rows)}


class Others:
    """How much of the machine is taken by what is neither the system nor this client: times of a busy machine are too long."""

    def __init__(self, system):
        self.system = system
        self.began, self.busy, self.ours = self.now()

    def now(self):
        ours = time.process_time() + (0 if isinstance(self.system, systems.DuckDB) else self.system.cpu())
        return time.monotonic(), process.busy_seconds(), ours

    def share(self):
        ended, busy, ours = self.now()
        return max(0.0, (busy - self.busy - (ours - self.ours)) / (ended - self.began) / os.cpu_count())


def load(make, data):
    """A system with the data set in it, and what that took."""
    system = make()
    try:
        cpu = system.cpu()
        seconds = system.load(data)
        loaded_cpu = system.cpu() - cpu
        system.settle()
        return system, {"seconds": round(seconds, 3), "values": data.values, "cpu_s": round(loaded_cpu, 2),
                        "cpu_settled_s": round(system.cpu() - cpu, 2), "bytes": system.size(),
                        "whole_bytes": system.whole_size(), "memory_mb": round(system.memory())}
    except BaseException:
        system.end()
        raise


def many_clients(system, drawn, seconds):
    """50 dashboards against each panel's median alone, then the same as fast as answers come. Longer where the 99th percentile
    of each panel is told: it needs some hundred answers."""
    alone, _ = clients.measure(system, drawn, 1, seconds / 2, 0)
    thinking, rate = clients.measure(system, drawn, 50, seconds * (4 if system.name == "Millrace MULTI" else 1), 1.0)
    flat_out, most = clients.measure(system, drawn, 50, seconds, 0)
    each = {}
    for name in clients.PANELS:
        each[name] = {"alone": statistics.median(alone[name]) * 1000, "p50": percentile(thinking[name], 50) * 1000,
                      "p99": percentile(thinking[name], 99) * 1000, "count": len(thinking[name])}
    every = [t for panel in thinking.values() for t in panel]
    return {"panels": each, "rate": rate, "most": most,
            "alone": [round(percentile([t for p in alone.values() for t in p], q) * 1000, 3) for q in range(1, 101)],
            "busy": [round(percentile(every, q) * 1000, 3) for q in range(1, 101)],
            "flat_out_p50": percentile([t for p in flat_out.values() for t in p], 50) * 1000,
            "flat_out_p99": percentile([t for p in flat_out.values() for t in p], 99) * 1000}


def percentile(values, q):
    """Nearest rank; not a number of nothing."""
    return sorted(values)[max(0, math.ceil(len(values) * q / 100) - 1)] if values else math.nan


def growth(directory, o):
    """Millrace MULTI with days of data: the same windows of the last day are asked each time."""
    points = []
    for factor in o.growth:
        data = Data(directory, "two", o.hosts, o.steps * factor, o.seed)
        day = data.start + (factor - 1) * o.steps * queries.STEP
        system, loaded = load(lambda: systems.Millrace(directory, "multi"), data)
        try:
            point = {"factor": factor, **loaded, "curve": system.curve(), "queries": {}}
            for type_ in queries.TYPES:
                drawn = queries.cases(type_, o.rounds + 2, o.hosts, day, o.steps)
                point["queries"][type_.name] = ask(system, type_, drawn, o.rounds, o.seconds, {}, [])
            began = time.monotonic()
            system.process.popen.kill()
            system.process.popen.wait()
            system.start()
            point["restart_s"] = round(system.started, 3)
            say(f"growth {factor}x: {loaded['values'] / 1e6:.0f} M values in {loaded['seconds']} s, restart after kill -9 "
                f"{time.monotonic() - began:.2f} s")
        finally:
            system.end()
        points.append(point)
    return points


def one_kind(directory, kind, o, results, problems):
    """All systems with one kind of values: loads and sizes; the queries too when it is the kind that is asked."""
    data = Data(directory, kind, o.hosts, o.steps, o.seed)
    answers, drawn = {}, {t.name: queries.cases(t, o.rounds + 2, o.hosts, data.start, o.steps) for t in queries.TYPES}
    makers = [lambda model=model: systems.Millrace(directory, model) for model in ("multi", "single")]
    makers += [lambda peer=peer: peer(directory) for peer in systems.PEERS_ALL if peer.__name__.lower() in o.peers]
    for make in makers:
        system, loaded = load(make, data)
        try:
            results["loads"].setdefault(kind, {})[system.name] = loaded
            results["systems"][system.name] = {key: getattr(system, key) for key in ("version", "transport", "durability",
                                                                                    "settings", "loading")}
            say(f"{kind}: {system.name} loaded in {loaded['seconds']} s, {loaded['bytes'] / data.values:.3f} bytes a value")
            if kind != o.asked:
                continue
            others = Others(system)
            for type_ in queries.TYPES:
                timed = ask(system, type_, drawn[type_.name], o.rounds, o.seconds, answers, problems)
                results["queries"].setdefault(type_.name, {})[system.name] = timed
                say(f"  {type_.name:24}{statistics.median(timed['ms']):9.2f} ms ({min(timed['ms']):.2f} .. {max(timed['ms']):.2f}), "
                    f"{timed['cpu_ms']:.2f} CPU ms, {timed['rows']} rows")
            results["others"][system.name] = others.share()
            if system.http:
                results["clients"][system.name] = many_clients(system, drawn, o.client_seconds)
        finally:
            system.end()


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, one kind of values, less growth: minutes")
    parser.add_argument("--output", help="directory of performance.md and its pictures (docs; with --quick build/performance)")
    parser.add_argument("--results", help="the JSON file (build/performance/results.json)")
    parser.add_argument("--peers", default="victoriametrics,clickhouse,duckdb,postgres,influxdb")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--steps", type=int, default=8640, help="of 10 s: a day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=8, help="most that one type may take on one system")
    parser.add_argument("--growth", type=int, nargs="*")
    parser.add_argument("--kinds", nargs="+")
    parser.add_argument("--asked", default="two", help="the kind of values that is asked")
    parser.add_argument("--client-seconds", type=float)
    o = parser.parse_args()
    kept = os.path.join(ROOT, "build", "performance")
    o.output = o.output or (kept if o.quick else os.path.join(ROOT, "docs"))
    o.results = o.results or os.path.join(kept, "results.json")
    o.rounds = o.rounds or (10 if o.quick else 40)
    o.growth = o.growth if o.growth is not None else ([1, 4] if o.quick else [1, 10, 50])
    o.kinds = o.kinds or (["two"] if o.quick else ["whole", "two", "full"])
    o.client_seconds = o.client_seconds or (3 if o.quick else 10)
    o.peers = o.peers.lower().split(",")
    return o


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # servers are ended and directories removed
    began = time.monotonic()
    if os.path.exists(os.path.join(ROOT, "build", "CMakeCache.txt")):
        with open(os.path.join(ROOT, "build", "CMakeCache.txt"), encoding="utf-8") as f:
            if "CMAKE_BUILD_TYPE:STRING=Release" not in f.read():
                say("build/ is no release build: the numbers mean nothing")
    directory = tempfile.mkdtemp(prefix="millrace-tsbs-")
    os.chmod(directory, 0o755)  # PostgreSQL runs as another user and reads the data set
    results = {"machine": machine(), "hosts": o.hosts, "steps": o.steps, "seed": o.seed, "rounds": o.rounds, "asked": o.asked,
               "quick": o.quick, "overhead_us": round(wire.overhead_us(), 1), "systems": {}, "loads": {}, "queries": {},
               "clients": {}, "others": {}, "problems": []}
    try:
        for kind in o.kinds:
            one_kind(directory, kind, o, results, results["problems"])
            for name in os.listdir(directory):
                if name.startswith(kind + "-"):
                    os.unlink(os.path.join(directory, name))
        results["growth"] = growth(directory, o)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    results["minutes"] = round((time.monotonic() - began) / 60, 1)
    for path in (o.output, os.path.dirname(o.results)):
        os.makedirs(path, exist_ok=True)
    with open(o.results, "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    report.write(results, o.output)
    say(f"{o.output}/performance.md written after {results['minutes']} minutes")
    for problem in results["problems"]:
        say("DIFFERENT " + problem)
    return 1 if results["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
