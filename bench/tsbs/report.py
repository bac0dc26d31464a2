#!/usr/bin/env python3
"""Writes performance.md and its pictures from the results of run.py: report.py RESULTS.json DIRECTORY."""

import json
import os
import statistics
import sys

import plot

TITLE = "# Performance, beside the peers"


def median(timed):
    return statistics.median(timed["ms"])


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def three(values):
    return f"{number(statistics.median(values))} ({number(min(values))} .. {number(max(values))})"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head),
                      *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def is_peer(name):
    return not name.startswith("Millrace")


def what_was_measured(r):
    m = r["machine"]
    values = r["hosts"] * r["steps"] * 10
    return f"""
{m['processor']}, {m['cores']} cores, {m['memory_gb']} GB, {m['system']}, kernel {m['kernel']}; server and client share the
machine. Commit {m['commit']}, {m['date']}, load {m['load_before']:.1f} before the start{', a `--quick` run' if r['quick'] else ''};
the whole took {r['minutes']} minutes. `make bench` repeats it and writes this page.

**The data** are the cpu part of the Time Series Benchmark Suite in kind, from an own generator with a seed: {r['hosts']} hosts with
ten tags and ten readings (doubles that walk at random between 0 and 100) every 10 s, {r['steps']:,} times: {values / 1e6:.2f} M values.
The same walks are printed as whole numbers, with two decimals, or with all digits. Queries ask the `{r['asked']}` kind.

**The queries** are the suite's eleven types. Hosts and windows of each query are drawn by a seed, every system gets the same
ones, two warm a type up and up to {r['rounds']} are timed (fewer where a type takes long on a system). A time runs from sending a
finished request to the last byte of the answer, which is not decoded; all pages of a Timestream answer count. Requests to Millrace
are signed before the clock starts (later pages within), its checking of the signature is in the time. All are sent by the same
Python client, which costs about {r["overhead_us"]:.0f} µs a query beside the kernel's work; PostgreSQL is asked through libpq and DuckDB through
its C library in the client's process, without a server between. One system runs at a time.
"""


def other_work(r):
    shares = r.get("others", {})
    if not shares or max(shares.values()) < 0.02:
        return ""
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return ("**Other programs ran meanwhile** and took of the processors, while a system was asked: " + told +
            ". Times are too long by an unknown factor; the CPU time of a query is the better measure here.\n")


def agreement(r):
    if r["problems"]:
        return "**Answers that differ:**\n\n" + "\n".join("- " + p for p in r["problems"]) + "\n"
    return ("The first three answers of each type (one of high-cpu-all) were decoded and compared between all systems: the same rows, keys exactly equal, "
            "readings within 10^-12 of each other (sums of doubles depend on their order; VictoriaMetrics keeps decimals and not doubles).\n")


def queries_table(r):
    rows = []
    for type_, by_system in r["queries"].items():
        peers = {name: t for name, t in by_system.items() if is_peer(name)}
        multi = by_system["Millrace MULTI"]
        single = by_system["Millrace single"]
        row = [type_, three(multi["ms"]), three(single["ms"])]
        if peers:
            best = min(peers, key=lambda name: median(peers[name]))
            row += [f"{best} {three(peers[best]['ms'])}", f"{median(multi) / median(peers[best]):.2f}"]
        rows.append(row + [f"{median(single) / median(multi):.2f}"])
    some = any(is_peer(name) for name in r["systems"])
    return table(["ms: median (least .. greatest)", "Millrace MULTI", "Millrace single-measure",
                  *(["fastest peer", "MULTI / peer"] if some else []), "single / MULTI"], rows)


def verdict(r):
    rows = r["queries"]
    peers = [min(median(t) for name, t in by.items() if is_peer(name)) if any(map(is_peer, by)) else None for by in rows.values()]
    below = [t for (t, by), p in zip(rows.items(), peers) if p and median(by["Millrace MULTI"]) < p]
    not_below = [t for (t, by), p in zip(rows.items(), peers) if p and median(by["Millrace MULTI"]) >= p]
    wide = [t for t, by in rows.items() if median(by["Millrace single"]) > 2 * median(by["Millrace MULTI"])]
    text = f"On MULTI data Millrace is the fastest in {len(below)} of {len(rows)} types"
    text += f"; not in {', '.join(not_below)}. " if not_below else ". "
    text += (f"On single-measure data {', '.join(wide)} take more than twice the time of MULTI data.\n" if wide else
             "On single-measure data no type takes more than twice the time of MULTI data.\n")
    return text


def all_medians(r):
    names = list(r["systems"])
    rows = [[t, *(number(median(by[n])) if n in by else "-" for n in names)] for t, by in r["queries"].items()]
    cpu = [[t, *(number(by[n]["cpu_ms"]) if n in by else "-" for n in names)] for t, by in r["queries"].items()]
    return (table(["median, ms", *names], rows) + "\nServer CPU a query (of DuckDB: of the client's process, in which it runs):\n\n" +
            table(["CPU ms", *names], cpu))


def loads(r):
    rows = []
    for kind, by_system in r["loads"].items():
        for name, l in by_system.items():
            rows.append([kind, name, f"{l['values'] / l['seconds'] / 1e6:.2f}", f"{l['cpu_s'] / l['values'] * 1e6:.3f}",
                         f"{l['cpu_settled_s'] / l['values'] * 1e6:.3f}", f"{l['bytes'] / l['values']:.3f}",
                         f"{l['whole_bytes'] / 1e6:,.0f}", number(l["memory_mb"]) if name != "PostgreSQL" else "-"])
    return table(["readings", "system", "M values/s", "CPU s a M values", "with merging", "bytes a value", "MB of all files",
                  "peak memory MB"], rows)


def growth(r):
    if not r["growth"]:
        return ""
    head = ["", *(f"{g['factor']}x: {g['values'] / 1e6:,.0f} M values" for g in r["growth"])]
    rows = [["load, M values/s", *(f"{g['values'] / g['seconds'] / 1e6:.2f}" for g in r["growth"])],
            ["bytes a value", *(f"{g['bytes'] / g['values']:.3f}" for g in r["growth"])],
            ["start after kill -9, s", *(number(g["restart_s"]) for g in r["growth"])],
            ["peak memory while loading, MB", *(number(g["memory_mb"]) for g in r["growth"])]]
    rows += [[t + ", ms", *(three(g["queries"][t]["ms"]) for g in r["growth"])] for t in r["growth"][0]["queries"]]
    return f"""
## Growth with data

Millrace MULTI with more days of data; the queries ask about the last day (lastpoint and groupby-orderby-limit name no first time,
so that nothing but the server keeps them from reading all).

{table(head, rows)}
![Growth with data](performance-growth.svg)

![Ingest over time](performance-ingest.svg)
"""


def many_clients(r):
    if not r["clients"]:
        return ""
    ours = r["clients"]["Millrace MULTI"]
    rows = [[name, number(p["alone"]), number(p["p50"]), number(p["p99"]), f"{p['p99'] / p['alone']:.1f}", p["count"]]
            for name, p in ours["panels"].items()]
    others = [[name, number(c["alone"][49]), f"{c['rate']:.0f}", number(c["busy"][49]), number(c["busy"][98]),
               f"{c['busy'][98] / c['alone'][49]:.1f}", f"{c['most']:,.0f}", number(c["flat_out_p50"]),
               number(c["flat_out_p99"])] for name, c in r["clients"].items()]
    return f"""
## Fifty dashboards at once

Each client asks for one panel after the other over its own connection and thinks for a second in between (half to one and a
half, at random). *Alone* is the median of one client that does not think. Signing is not in these times.

{table(["panel, ms, Millrace MULTI", "alone", "p50", "p99", "p99 / alone", "asked"], rows)}
All panels together, and the same 50 clients without thinking, which is as much as client and server do together:

{table(["system", "alone, median ms", "answers/s", "p50 ms", "p99 ms", "p99 / alone", "flat out: answers/s", "p50 ms", "p99 ms"], others)}
![Latency distribution of the dashboards](performance-clients.svg)
"""


def caveats(r):
    rows = [[name, s["version"], s["transport"], s["durability"], s["loading"], s["settings"]] for name, s in r["systems"].items()]
    return f"""
## Versions, settings, durability

What an acknowledged write has survived differs, and so do the loads: read their rates with the third and fourth column.

{table(["system", "version", "asked over", "an acknowledged write is", "loaded with", "settings"], rows)}
## What these numbers do not say

- The peers are those of Debian 12: ClickHouse 18.16 and InfluxDB 1.6 are years old, and newer ones are faster. DuckDB is current.
- DuckDB answers in the client's process: no socket, no text, and its result is not turned into values here. Millrace pays for
  signatures and for JSON as the AWS SDKs expect it, about 70 bytes a value.
- MetricsQL cannot say all types: its high-cpu asks ten metrics joined with a condition, its lastpoint answers without the time
  of the reading, and its groupby-orderby-limit names the five minutes that it wants.
- PostgreSQL has the indexes that these queries want, and lastpoint is asked with the LATERAL join that walks them host by host.
- ClickHouse sorts by host and time, which helps queries of a host and costs those of one time.
- Load rates compare what each system is usually loaded with, not the same requests: 100 records a request on one side, one COPY
  on the other.
- Sizes are those after merging. `MB of all files` is with logs and preallocated segments, and says more about settings than about
  a value; PostgreSQL's includes its empty cluster's log.
- Everything fits into memory and was read before, and the systems keep what they please of it: Millrace and VictoriaMetrics
  blocks of files, PostgreSQL and DuckDB pages, all of them the kernel's cache. Nothing here measures a cold disk.
- Two cores carry server and client. On more, systems that use more threads a query gain more.
- A single machine, one run: a difference of ten per cent is none.
"""


def pictures(r, directory):
    def path(name):
        return os.path.join(directory, f"performance-{name}.svg")
    names = list(r["systems"])
    plot.ranges(path("queries"), "Eleven query types: least, median, greatest", {
        t: {n: (min(x["ms"]), median(x), max(x["ms"])) for n, x in by.items()} for t, by in r["queries"].items()}, names,
        "milliseconds, logarithmic")
    if r["growth"]:
        plot.lines(path("growth"), "Median latency as stored data grow (Millrace MULTI)", {
            t: [(g["values"] / 1e6, median(g["queries"][t])) for g in r["growth"]]
            for t in ("single-groupby-1-1-1", "cpu-max-all-8", "double-groupby-1", "double-groupby-all", "high-cpu-1", "lastpoint",
                      "groupby-orderby-limit")}, "million values stored", "milliseconds", log_x=True, log_y=True, dots=True)
        curve = r["growth"][-1]["curve"]
        steps = [(b[0], (b[1] - a[1]) * 10 / (b[0] - a[0]) / 1e6) for a, b in zip([(0, 0), *curve], curve) if b[0] - a[0] > 0.5]
        if steps:
            plot.lines(path("ingest"), "Ingest over time (Millrace MULTI, synced, signed)", {"million values a second": steps},
                       "seconds", "million values a second")
    if r["clients"]:
        ours = r["clients"]["Millrace MULTI"]
        plot.lines(path("clients"), "Latency of dashboard panels (Millrace MULTI)", {
            "one client": list(zip(range(1, 101), ours["alone"])), "50 dashboards": list(zip(range(1, 101), ours["busy"]))},
            "percentile", "milliseconds", log_y=True)


def write(r, directory):
    pictures(r, directory)
    text = f"""{TITLE}
{what_was_measured(r)}
## Eleven queries

{verdict(r)}
{other_work(r)}
{queries_table(r)}
{agreement(r)}
![Latency by query and system](performance-queries.svg)

{all_medians(r)}
## Loading and size on disk

{loads(r)}{growth(r)}{many_clients(r)}{caveats(r)}"""
    with open(os.path.join(directory, "performance.md"), "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        write(json.load(source), sys.argv[2])
