#!/usr/bin/env python3
"""A server that lives fast: writes, late records, queries, flushes, merges and expiry for minutes, days of its own time.

The test clock goes --speed times as fast as the world. A batch goes in at the clock's now, another a while back and thus
to the magnetic store; the table keeps 25 hours, so after the first quarter of the run as much expires as comes in. Tables
are made and deleted, queries counted against what must be there. Memory and descriptors are sampled: over the later
part of the run neither may grow.

    soak.py --binary build/millrace [--minutes 10] [--speed 720] [--writers 4]
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time

import kill
from kill import harness

FLAGS = ["--flush-bytes=256K", "--flush-log-bytes=4M", "--log-segment=4M", "--file-window-days=1", "--test-clock=on"]
STEP_S = 2.0  # between steps of the clock
PACE_S = 0.02  # between a writer's batches
WARM = 0.4  # part of the run before memory is looked at
GROWTH = 0.05  # of memory, from one half of the rest to the other: samples vary by about as much
DESCRIPTORS = 8  # more than before: files come and go
DATABASE, TABLE = "soak", "records"
HOUR_MS = 3600 * 1000


def records(writer, n, at):
    return [{"Dimensions": [{"Name": "writer", "Value": str(writer)}, {"Name": "slot", "Value": str(slot)}],
             "MeasureName": "value", "MeasureValue": str(n * 0.25 + slot), "MeasureValueType": "DOUBLE",
             "Time": str(at)} for slot in range(20)]


def write_loop(url, writer, now, stop, acknowledged):
    """`now` is the server's time as of the last step: never in its future, and late by a step at most."""
    client, _ = harness.clients(url)
    n = 0
    while not stop.is_set():
        n += 1
        back = (0, HOUR_MS * 3, HOUR_MS * 23)[n % 3]
        client.write_records(DatabaseName=DATABASE, TableName=TABLE, Records=records(writer, n, now.value - back + n % 1000))
        with acknowledged.get_lock():
            acknowledged.value += 1
        time.sleep(PACE_S)


def query_loop(url, stop, answered):
    _, query = harness.clients(url)
    while not stop.is_set():
        for text in (f"SELECT count(*) FROM {DATABASE}.{TABLE}",
                     f"SELECT writer, bin(time, 1h), avg(measure_value::double) FROM {DATABASE}.{TABLE} "
                     f"WHERE time > ago(6h) GROUP BY 1, 2"):
            query.query(QueryString=text)
            with answered.get_lock():
                answered.value += 1
        time.sleep(PACE_S)


def sample(pid):
    """(resident bytes, open descriptors)"""
    with open(f"/proc/{pid}/statm") as f:
        resident = int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir(f"/proc/{pid}/fd"))


def outdated(query, floor_ms):
    """Records that are still told though they are past their end."""
    page = query.query(QueryString=f"SELECT count(*) FROM {DATABASE}.{TABLE} WHERE time < from_milliseconds({floor_ms})")
    return int(page["Rows"][0]["Data"][0]["ScalarValue"])


def live(srv, o, now):
    """Steps the clock until the end; returns the samples."""
    write, query = harness.clients(srv.url)
    samples, steps = [], 0
    began = time.monotonic()
    while time.monotonic() - began < o.minutes * 60:
        time.sleep(STEP_S)  # the pace of the run, not a synchronisation
        assert srv.process.poll() is None, f"the server ended with {srv.process.returncode}"
        assert all(p.is_alive() for p in multiprocessing.active_children()), "a writer or reader had an error"
        now.value = srv.clock(by=f"{int(STEP_S * (o.speed - 1))}s") // 1000000
        steps += 1
        samples.append(sample(srv.process.pid))
        if steps % 5 == 0:
            write.create_table(DatabaseName=DATABASE, TableName="passing")
            write.write_records(DatabaseName=DATABASE, TableName="passing", Records=records(0, steps, now.value))
            write.delete_table(DatabaseName=DATABASE, TableName="passing")
            left = outdated(query, now.value - 25 * HOUR_MS)
            assert left == 0, f"{left} records older than the retention"
        if steps % 30 == 0:
            m = srv.metrics()
            log = sum(e.stat().st_size for e in os.scandir(os.path.join(srv.data, "store", "wal")))
            print(f"  {(time.monotonic() - began) / 60:.1f} min: {samples[-1][0] >> 20} MiB resident, {samples[-1][1]} "
                  f"descriptors, {m['millrace_store_files']:.0f} files of {m['millrace_store_file_bytes'] / 1e6:.1f} MB, "
                  f"{m['millrace_store_series']:.0f} series, {log >> 20} MiB of log", flush=True)
    return samples


def flat(samples):
    """The later part of the run, its first half against its second."""
    rest = samples[int(len(samples) * WARM):]
    half = len(rest) // 2
    before, after = ([statistics.median(s[i] for s in part) for i in (0, 1)] for part in (rest[:half], rest[half:]))
    growth = after[0] / before[0] - 1
    print(f"memory {before[0] / 1e6:.1f} MB, then {after[0] / 1e6:.1f} MB ({growth:+.1%}); descriptors {before[1]:.0f}, "
          f"then {after[1]:.0f}", flush=True)
    assert growth <= GROWTH, f"memory grows: {growth:+.1%}"
    assert after[1] <= before[1] + DESCRIPTORS, "descriptors grow"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--speed", type=int, default=720)
    options.add_argument("--writers", type=int, default=4)
    o = options.parse_args()
    harness.BINARY = o.binary
    srv = harness.Server(*FLAGS)
    write, _ = harness.clients(srv.url)
    write.create_database(DatabaseName=DATABASE)
    write.create_table(DatabaseName=DATABASE, TableName=TABLE,
                       RetentionProperties={"MemoryStoreRetentionPeriodInHours": 1,
                                            "MagneticStoreRetentionPeriodInDays": 1},
                       MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
    now = multiprocessing.Value("q", srv.clock() // 1000000)
    stop, acknowledged, answered = multiprocessing.Event(), multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)
    processes = [multiprocessing.Process(target=write_loop, args=(srv.url, w, now, stop, acknowledged))
                 for w in range(o.writers)] + [multiprocessing.Process(target=query_loop, args=(srv.url, stop, answered))]
    try:
        for process in processes:
            process.start()
        samples = live(srv, o, now)
        stop.set()
        for process in processes:
            process.join(90)
            assert process.exitcode == 0, f"a writer or reader ended with {process.exitcode}"
        flat(samples)
        flushes, merges = kill.moves(srv.logged())
        expired = srv.logged().count("event=files_expired")
        assert min(flushes, merges, expired) > 0, f"{flushes} flushes, {merges} merges, {expired} times files expired"
        assert "level=error" not in srv.logged(), "errors in the log"
        srv.stop()
    except Exception as e:
        stop.set()
        print(f"FAILED: {type(e).__name__}: {e}\n{srv.logged()[-3000:]}")
        for process in processes:
            process.kill()
        srv.process.kill()
        srv.remove()
        return 1
    print(f"soak of {o.minutes:g} min at {o.speed}x: {acknowledged.value} batches, {answered.value} queries, {flushes} "
          f"flushes, {merges} merges, {expired} times files expired; memory and descriptors flat", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
