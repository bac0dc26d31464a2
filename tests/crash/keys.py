#!/usr/bin/python3
"""kill -9 while the key of a database is being changed: what was acknowledged is there, under a key that the catalog
names, and at the end nothing is left under an old one.

    keys.py --binary build/millrace [--kills 20] [--seed 1]

Prints what it counted; exit status 1 with the seed when something was lost.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))


def run(server_module, args):
    rng = random.Random(args.seed)
    data = tempfile.mkdtemp(prefix="millrace-keys-")
    flags = ("--flush-log-bytes", "1M", "--log-segment", "1M", "--test-clock", "on", "--file-window-days", "1")
    ids = [f"{d * 8}-12ab-34cd-56ef-1234567890ab" for d in "abcdef"] + ["alias/aws/timestream"]
    server = server_module.Server(*flags, data=data, keep=True)
    write, query = server_module.clients(server.url)
    write.create_database(DatabaseName="garden")
    write.create_table(DatabaseName="garden", TableName="beds")
    acked, changes, refused = 0, 0, 0
    began = int(time.time() * 1000)

    def count():
        answer = query.query(QueryString='SELECT count(*), count(DISTINCT measure_value::bigint) FROM "garden"."beds"')
        return [int(d["ScalarValue"]) for d in answer["Rows"][0]["Data"]]

    for kill in range(args.kills):
        stop = threading.Event()
        lock = threading.Lock()

        def put():
            nonlocal acked
            while not stop.is_set():
                with lock:
                    first = acked
                records = [{"Dimensions": [{"Name": "bed", "Value": str(i % 7)}], "MeasureName": "water",
                            "MeasureValue": str(i), "MeasureValueType": "BIGINT", "Time": str(began + i)}
                           for i in range(first, first + 50)]
                try:
                    write.write_records(DatabaseName="garden", TableName="beds", Records=records)
                    acked = first + 50
                except Exception:
                    return

        def change():
            nonlocal changes, refused
            while not stop.is_set():
                try:
                    write.update_database(DatabaseName="garden", KmsKeyId=rng.choice(ids))
                    changes += 1
                except write.exceptions.ValidationException:
                    refused += 1
                except Exception:
                    return

        def flush():
            while not stop.is_set():
                try:
                    server.flush()
                except Exception:
                    return

        threads = [threading.Thread(target=f) for f in (put, change, change, flush)]
        for t in threads:
            t.start()
        time.sleep(rng.uniform(0.02, 0.6))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        stop.set()
        for t in threads:
            t.join()
        server.process.stdout.close()
        server.start()
        write, query = server_module.clients(server.url)
        rows, values = count()
        if rows != values or not acked <= rows <= acked + 50:
            print(f"seed {args.seed}, kill {kill}: {acked} acknowledged, {rows} rows, {values} values; data in {data}")
            return 1
        acked = rows
    deadline = time.monotonic() + 120
    while server.metrics()["millrace_store_old_key_bytes"] != 0:
        if time.monotonic() > deadline:
            print(f"seed {args.seed}: files stay under an old key; data in {data}")
            return 1
        server.flush()
    rows, _ = count()
    server.stop()
    ok = rows == acked
    print(f"{args.kills} kills, {changes} changes of the key, {refused} refused, {acked} rows acknowledged, "
          f"{acked - rows} lost, 0 files under an old key")
    shutil.rmtree(data, ignore_errors=True)
    return 0 if ok else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="build/millrace")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    os.environ["MILLRACE"] = os.path.abspath(args.binary)
    import server
    return run(server, args)


if __name__ == "__main__":
    sys.exit(main())
