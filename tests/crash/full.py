#!/usr/bin/env python3
"""A full disk: writes are refused, everything else goes on, and room heals them without a restart.

Once on a tmpfs and once on an ext4 image of 64 MiB. Writers keep journals (kill.py); fillers write long random texts into
a table of their own until the server refuses; while the disk is full, queries, lists and a restart after kill -9 work,
the failures are in the log, and none leaves a file behind. Room comes from DeleteTable, from retention (by the test
clock) and from a larger file system; each time the same writers, still running, are heard again. At the end every
acknowledged batch is there, once, whole.

    full.py --binary build/millrace [--writers 4]
"""

import argparse
import base64
import multiprocessing
import os
import sys
import time

import disk
import kill
import load
from kill import harness
from botocore.exceptions import ClientError

FLAGS = ["--log-segment=2M", "--flush-bytes=2M", "--flush-log-bytes=4M", "--file-bytes=8M", "--file-window-days=1",
         "--test-clock=on"]
REFUSALS = ("InternalServerException", "ThrottlingException")
HEAL_S = 30
ROOM = 6 << 20


def text_records(at, n, rows=40):
    """Random text that does not compress, about 2 kB a row."""
    return [{"Dimensions": [{"Name": "row", "Value": str(row)}], "MeasureName": "text", "MeasureValueType": "VARCHAR",
             "MeasureValue": base64.b64encode(os.urandom(1500)).decode(), "Time": str(at + n)} for row in range(rows)]


def fill_loop(url, table, at, first, stop):
    """Writes texts until told to stop, refused or not."""
    client, _ = harness.clients(url)
    n = first
    while not stop.is_set():
        try:
            client.write_records(DatabaseName=kill.DATABASE, TableName=table, Records=text_records(at, n))
        except ClientError:
            time.sleep(load.PAUSE_S)
        except Exception:
            return
        n += 1


class Disk:
    """The server on a file system that is too small, the writers, and a filler."""

    def __init__(self, mounted, writers):
        self.mounted = mounted
        self.data = os.path.join(mounted.path, "data")
        self.srv = harness.Server(*FLAGS, data=self.data, keep=True)
        self.load = load.Load(writers)
        self.load.create(self.srv)
        self.stop_filler = multiprocessing.Event()
        self.filler = None
        self.filled = 0
        self.fulls = 0

    def table(self, name, hours=168):
        write, _ = harness.clients(self.srv.url)
        write.create_table(DatabaseName=kill.DATABASE, TableName=name, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": hours, "MagneticStoreRetentionPeriodInDays": 1},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})

    def ageing_table(self):
        """Some 12 MB that are gone an hour and a half from now."""
        self.table("ageing", hours=1)
        write, _ = harness.clients(self.srv.url)
        at = self.load.at + 3600 * 1000 - (24 * 60 - 30) * 60 * 1000
        for n in range(200):
            write.write_records(DatabaseName=kill.DATABASE, TableName="ageing", Records=text_records(at, n))
        self.srv.flush()

    def drop(self, name):
        harness.clients(self.srv.url)[0].delete_table(DatabaseName=kill.DATABASE, TableName=name)

    def fill(self, table):
        """Until every writer is refused, by the server and for want of room."""
        before = len(self.refused())
        self.filled += 1
        self.stop_filler.clear()
        self.filler = multiprocessing.Process(target=fill_loop, args=(
            self.srv.url, table, self.load.at, self.filled * 1000000, self.stop_filler))
        self.filler.start()
        load.wait_until("every writer is refused", 120, lambda: self.all_refused_since(before))
        self.stop_filler.set()
        self.filler.join(90)
        self.fulls += 1

    def refused(self):
        return [line for path in self.load.paths.values() for line in kill.read_journal(path)[2]]

    def all_refused_since(self, before):
        """The writers' last words are refusals, many of them."""
        assert self.load.running(), f"a writer ended; the server: {self.srv.process.poll()}"
        last = [open(path).read().splitlines()[-8:] for path in self.load.paths.values()]
        return len(self.refused()) > before and all(
            len(lines) == 8 and not any(line.startswith("A") for line in lines) for lines in last)

    def check_full(self):
        """What does not need room goes on, and what was refused was refused in AWS's words."""
        counts = self.load.verify(self.srv)
        write, query = harness.clients(self.srv.url)
        tables = [t["TableName"] for t in write.list_tables(DatabaseName=kill.DATABASE)["Tables"]]
        assert kill.TABLE in tables, tables
        write.describe_table(DatabaseName=kill.DATABASE, TableName=kill.TABLE)
        page = query.query(QueryString=f"SELECT count(*), count(distinct writer) FROM {kill.DATABASE}.{kill.TABLE}")
        assert int(page["Rows"][0]["Data"][0]["ScalarValue"]) >= counts[0] * (kill.BATCH - 1)
        texts, _ = self.load.refusals()
        for text in texts:
            assert text.startswith(REFUSALS), f"refused with {text}"
        assert "event=wal_no_room" in self.srv.logged(), "the log does not tell that there is no room"
        directory = os.path.join(self.data, "store", "files")
        started = [n for n in os.listdir(directory) if n.endswith(".tmp")]  # those of a flush and a merge under way
        assert len(started) <= 2, f"failures leave files behind: {started}"
        return counts

    def heal(self, how, make_room):
        before, free = self.load.acknowledged(), disk.free_bytes(self.mounted.path)
        make_room()
        began = time.monotonic()
        load.wait_until(f"{how} gives {ROOM >> 20} MiB back", HEAL_S,
                        lambda: disk.free_bytes(self.mounted.path) >= free + ROOM)
        load.wait_until(f"writes are heard again after {how}", HEAL_S,
                        lambda: all(n >= before[w] + 3 for w, n in self.load.acknowledged().items()))
        print(f"  {how}: every writer heard again after {time.monotonic() - began:.1f} s", flush=True)

    def restart_full(self):
        """kill -9 and a start without room."""
        self.srv.kill()
        self.load.join()
        self.srv.start()
        counts = self.check_full()
        self.load.start(self.srv)
        return counts


def steps(d, mounted):
    d.ageing_table()
    d.table("ballast")
    d.load.start(d.srv)
    d.fill("ballast")
    d.check_full()
    d.restart_full()
    d.fill("ballast")
    d.check_full()
    d.heal("DeleteTable", lambda: d.drop("ballast"))
    d.table("more")
    d.fill("more")
    d.check_full()
    d.heal("retention", lambda: d.srv.clock(by="2h"))
    if hasattr(mounted, "resize"):
        d.fill("more")
        d.check_full()
        d.heal("a larger file system", lambda: mounted.resize(96))
    d.drop("more")
    d.load.stop()
    load.settle(d.srv)
    d.srv.stop()
    d.srv.start()
    load.check_litter(d.srv)
    return d.load.verify(d.srv)


def one(name, mounted, writers):
    print(f"{name}:", flush=True)
    d = Disk(mounted, writers)
    try:
        acknowledged, found = steps(d, mounted)
        texts, _ = d.load.refusals()
        d.srv.stop()
    except Exception as e:
        print(f"FAILED ({name}): {type(e).__name__}: {e}\n{disk.free_bytes(mounted.path)} bytes free\n"
              f"{d.load.refusals()}\n{d.srv.logged()[-4000:]}")
        d.srv.process.kill()
        return 1
    finally:
        d.stop_filler.set()
        d.load.remove()
    mounted.remove()
    d.srv.remove()
    print(f"  full {d.fulls} times: {acknowledged} batches acknowledged, {sum(texts.values())} refused, {found} found, "
          f"0 lost, 0 invented, 0 half, no file left over", flush=True)
    return 0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--writers", type=int, default=4)
    o = options.parse_args()
    disk.enter()
    harness.BINARY = o.binary
    return one("tmpfs", disk.Tmpfs(64), o.writers) or one("ext4", disk.Ext4(64), o.writers)


if __name__ == "__main__":
    sys.exit(main())
