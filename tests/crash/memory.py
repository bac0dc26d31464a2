#!/usr/bin/env python3
"""--memory holds: writers and heavy queries against a small ceiling, and the most the process ever had resident.

Writers send wide rows of many series without a pause; askers sort, join, group and collect more than fits, and leave
pages unfetched; stallers begin bodies that never end. Everything may be refused with an error that the API has for it;
nothing may end the server, and at the end it writes and answers as at the start. The peak is VmHWM in /proc.

    memory.py --binary build/millrace [--megabytes 512] [--seconds 20]
"""

import argparse
import base64
import collections
import multiprocessing
import os
import socket
import sys
import time

import kill
from kill import harness
from botocore.exceptions import ClientError

TOLERANCE = 1.10
DATABASE, TABLE = "memory", "wide"
NAME = f"{DATABASE}.{TABLE}"
HEAVY = (
    f"SELECT a.host, b.host, count(*) FROM {NAME} a CROSS JOIN {NAME} b GROUP BY 1, 2 ORDER BY 3",
    f"SELECT * FROM {NAME} ORDER BY text0, time DESC",
    f"SELECT host, array_agg(text0), array_agg(text1) FROM {NAME} GROUP BY host",
    f"SELECT text0, text1, text2, count(*) FROM {NAME} GROUP BY text0, text1, text2",
    f"SELECT array_join(repeat(text0, 10000), '-') FROM {NAME}",
    f"SELECT host, create_time_series(time, text0) FROM {NAME} GROUP BY host",
    f"SELECT * FROM {NAME}",
)
REFUSALS = {"ThrottlingException", "ValidationException", "QueryExecutionException"}
STALLED_BODY = 2 << 20


def rows(writer, n, at):
    """100 records of as many series: about 400 bytes each that do not compress."""
    texts = [base64.b64encode(os.urandom(75)).decode() for _ in range(300)]
    return [{"Dimensions": [{"Name": "host", "Value": f"h{writer}-{(n * 100 + i) % 5000}"}], "MeasureName": "m",
             "MeasureValueType": "MULTI", "Time": str(at + n),
             "MeasureValues": [{"Name": f"text{k}", "Type": "VARCHAR", "Value": texts[3 * i + k]} for k in range(3)]}
            for i in range(100)]


def write_loop(url, writer, at, stop, outcomes):
    client, _ = harness.clients(url)
    n = 0
    while not stop.is_set():
        n += 1
        try:
            client.write_records(DatabaseName=DATABASE, TableName=TABLE, Records=rows(writer, n, at))
            outcomes.put("written")
        except ClientError as e:
            outcomes.put("write " + e.response["Error"]["Code"])


def ask_loop(url, first, stop, outcomes):
    _, query = harness.clients(url, read_timeout=300)
    n = first
    while not stop.is_set():
        n += 1
        try:
            query.query(QueryString=HEAVY[n % len(HEAVY)])  # the first page only
            outcomes.put("answered")
        except ClientError as e:
            outcomes.put("query " + e.response["Error"]["Code"])


def stall(port, count):
    """Connections with a large part of a body; refused ones are closed by the server."""
    sockets = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), timeout=10)
        try:
            s.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % (STALLED_BODY * 2) + b"x" * STALLED_BODY)
        except OSError:
            pass
        sockets.append(s)
    return sockets


def write_last(write, at):
    """Rows leave memory when no query looks at them any more, and pages that nobody fetches are held for a minute."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return write.write_records(DatabaseName=DATABASE, TableName=TABLE, Records=rows(9, 1, at))
        except ClientError as e:
            if e.response["Error"]["Code"] != "ThrottlingException" or time.monotonic() > deadline:
                raise
            time.sleep(1)  # a throttled client's pace


def peak_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--megabytes", type=int, default=512)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--writers", type=int, default=3)
    options.add_argument("--askers", type=int, default=6)
    o = options.parse_args()
    harness.BINARY = os.path.abspath(o.binary)
    server = harness.Server(f"--memory={o.megabytes}M", "--query-seconds=10", "--test-clock=on")
    try:
        write, query = harness.clients(server.url)
        write.create_database(DatabaseName=DATABASE)
        write.create_table(DatabaseName=DATABASE, TableName=TABLE)
        stop, outcomes, at = multiprocessing.Event(), multiprocessing.SimpleQueue(), int(time.time() * 1000)
        workers = [multiprocessing.Process(target=write_loop, args=(server.url, i, at, stop, outcomes)) for i in range(o.writers)]
        workers += [multiprocessing.Process(target=ask_loop, args=(server.url, i, stop, outcomes)) for i in range(o.askers)]
        for w in workers:
            w.start()
        counts, end, stalled = collections.Counter(), time.monotonic() + o.seconds, []
        while time.monotonic() < end or any(w.is_alive() for w in workers):
            if len(stalled) < 60:
                stalled += stall(server.port, 10)
            if time.monotonic() >= end:
                stop.set()
            while not outcomes.empty():
                counts[outcomes.get()] += 1
            time.sleep(0.05)  # the pace of this loop
        for s in stalled:
            s.close()
        peak = peak_mb(server.process.pid)
        write_last(write, at)
        left = int(query.query(QueryString=f"SELECT count(*) FROM {NAME}")["Rows"][0]["Data"][0]["ScalarValue"])
    finally:
        errors = [line for line in server.logged().splitlines() if "level=error" in line or "level=warn" in line]
        server.stop()
    print(f"ceiling {o.megabytes} MB, peak {peak:.0f} MB; {left} rows; " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    odd = [k for k in counts if k not in ("written", "answered") and k.split()[1] not in REFUSALS]
    wrong = [f"unexpected: {odd}"] * bool(odd)
    wrong += ["the ceiling does not hold"] * (peak > o.megabytes * TOLERANCE)
    wrong += ["rows are missing"] * (left < counts["written"] * 100 + 100)
    wrong += ["nothing was written or answered"] * (not counts["written"] or not counts["answered"])
    if wrong:
        print("\n".join(errors[-20:]))
    sys.exit("; ".join(wrong) or 0)


if __name__ == "__main__":
    main()
