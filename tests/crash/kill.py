#!/usr/bin/env python3
"""kill -9 under load: acknowledged records survive, nothing is invented, no batch is half there, no version goes back.

Writers send batches of 20 records with one new time each, and with every batch a new version of one counter record.
A writer notes its intent in a journal of its own before it sends and the acknowledgement after the 200 (synced). The
server is killed at a random instant, started again and read back; writers then go on with the next round. Rows leave memory
for files all the time and files are merged (the default flags ask for it), so kills fall into that too; the counters
are the oldest rows and are written again and again, so each batch has to judge a row that may lie in a file.

    kill.py --binary build/millrace --kills 50 [--writers 8] [--seed N] [--flag=--log-segment=1M]
"""

import argparse
import multiprocessing
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
import server as harness  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

BATCH = 20
FLAGS = ["--flush-bytes=16K", "--flush-log-bytes=1M"]
DATABASE, TABLE = "crash", "records"


def batch_records(writer, number, at):
    records = [{"Dimensions": [{"Name": "writer", "Value": str(writer)}, {"Name": "slot", "Value": str(slot)}],
                "MeasureName": "value", "MeasureValue": str(number * BATCH + slot), "MeasureValueType": "BIGINT",
                "Time": str(at + number)} for slot in range(BATCH - 1)]
    records.append({"Dimensions": [{"Name": "writer", "Value": str(writer)}, {"Name": "slot", "Value": "counter"}],
                    "MeasureName": "value", "MeasureValue": str(number), "MeasureValueType": "BIGINT",
                    "Time": str(at), "Version": number})
    return records


def write_loop(url, journal, writer, first, at):
    """Sends batches until the server goes away. Runs in a process of its own."""
    client, _ = harness.clients(url)
    with open(journal, "a") as out:
        number = first
        while True:
            out.write(f"I {number}\n")
            out.flush()
            try:
                client.write_records(DatabaseName=DATABASE, TableName=TABLE, Records=batch_records(writer, number, at))
            except ClientError as e:  # an answer that refuses: nothing here deserves one
                out.write(f"E {number} {e}\n")
                return
            except Exception:  # the server was killed
                return
            out.write(f"A {number}\n")
            out.flush()
            os.fsync(out.fileno())
            number += 1


def read_journal(path):
    intents, acks, errors = set(), set(), []
    if os.path.exists(path):
        for line in open(path):
            kind, number, *rest = line.split(" ", 2)
            if kind == "I":
                intents.add(int(number))
            elif kind == "A":
                acks.add(int(number))
            else:
                errors.append(line.strip())
    return intents, acks, errors


def read_all(query):
    rows, token = [], None
    text = (f"SELECT writer, slot, to_milliseconds(time), measure_value::bigint FROM {DATABASE}.{TABLE}")
    while True:
        page = query.query(QueryString=text, **({"NextToken": token} if token else {}))
        rows += [[d["ScalarValue"] for d in row["Data"]] for row in page["Rows"]]
        token = page.get("NextToken")
        if not token:
            return rows


def check(rows, journals, at):
    """Raises AssertionError on the first broken promise; returns (acknowledged, found) batches."""
    found, counters = {}, {}
    for writer, slot, ms, value in rows:
        writer, ms, value = int(writer), int(ms), int(value)
        if slot == "counter":
            assert writer not in counters, f"two rows of the counter of writer {writer}"
            counters[writer] = value
            continue
        number = ms - at
        assert value == number * BATCH + int(slot), f"writer {writer} slot {slot}: {value} at batch {number}"
        assert int(slot) not in found.setdefault((writer, number), set()), "a row twice"
        found[(writer, number)].add(int(slot))
    acknowledged = 0
    for writer, (intents, acks, errors) in journals.items():
        assert not errors, errors[0]
        acknowledged += len(acks)
        for number in acks:
            assert (writer, number) in found, f"LOST: writer {writer} batch {number} was acknowledged"
        if acks:
            assert counters.get(writer, 0) >= max(acks), f"VERSION BACK: writer {writer} {counters.get(writer)} < {max(acks)}"
        if writer in counters:
            assert counters[writer] in intents, f"INVENTED: counter {counters[writer]} of writer {writer}"
    for (writer, number), slots in found.items():
        assert number in journals[writer][0], f"INVENTED: writer {writer} batch {number}"
        assert len(slots) == BATCH - 1, f"HALF: writer {writer} batch {number} has {len(slots)} of {BATCH - 1} rows"
    return acknowledged, len(found)


def moves(log):
    """How often rows left memory, and files were merged, by the server's log."""
    return len(re.findall(r"\bflushed\b", log)), len(re.findall(r"\bmerged\b", log))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--flag", action="append", help=f"a flag for the server instead of {' '.join(FLAGS)}")
    o = options.parse_args()
    harness.BINARY = o.binary
    print(f"seed {o.seed}", flush=True)
    chance = random.Random(o.seed)
    multiprocessing.set_start_method("fork")
    srv = harness.Server(*(o.flag or FLAGS))
    write, query = harness.clients(srv.url)
    write.create_database(DatabaseName=DATABASE)
    write.create_table(DatabaseName=DATABASE, TableName=TABLE, RetentionProperties={
        "MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 100})
    at = int(time.time() * 1000) - 3600 * 1000
    paths = {w: os.path.join(srv.data, f"..", f"millrace-journal-{os.getpid()}-{w}") for w in range(o.writers)}
    slowest = 0.0
    try:
        for kill in range(o.kills):
            workers = []
            for writer, path in paths.items():
                intents, _, _ = read_journal(path)
                process = multiprocessing.Process(target=write_loop, args=(
                    srv.url, path, writer, max(intents, default=0) + 1, at))
                process.start()
                workers.append(process)
            time.sleep(0.3 + chance.random() * 0.7)  # the load's duration, not a synchronisation
            srv.kill()
            for process in workers:
                process.join(30)
                assert process.exitcode == 0, f"a writer ended with {process.exitcode}"
            begin = time.monotonic()
            srv.start()
            slowest = max(slowest, time.monotonic() - begin)
            _, query = harness.clients(srv.url)
            journals = {w: read_journal(p) for w, p in paths.items()}
            acknowledged, found = check(read_all(query), journals, at)
            flushes, merges = moves(srv.logged())
            if (kill + 1) % 10 == 0 or kill + 1 == o.kills:
                print(f"{kill + 1} kills: {acknowledged} batches acknowledged, {found} found, 0 lost, 0 invented, 0 half, "
                      f"0 versions back; {flushes} flushes, {merges} merges; slowest start {slowest:.2f} s", flush=True)
        assert o.flag or (flushes >= o.kills and merges > 0), "rows did not leave memory: the flags are too large"
        srv.stop()
    except AssertionError as e:
        print(f"FAILED (seed {o.seed}): {e}\n{srv.logged()[-3000:]}")
        srv.process.kill()
        return 1
    finally:
        for path in paths.values():
            if os.path.exists(path):
                os.unlink(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
