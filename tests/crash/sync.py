#!/usr/bin/env python3
"""A sync that fails ends the process without an acknowledgement, and what was acknowledged before is there afterwards.

strace makes the n-th fdatasync fail with EIO. Linux forgets such a failure after one report, so going on would lie.

    sync.py --binary build/millrace [--failures 3]
"""

import argparse
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
import server as harness  # noqa: E402


def put(write, number, at):
    write.write_records(DatabaseName="sync", TableName="records", Records=[{
        "Dimensions": [{"Name": "host", "Value": "a"}], "MeasureName": "n", "MeasureValue": str(number),
        "MeasureValueType": "BIGINT", "Time": str(at + number)}])


def one_failure(binary, nth):
    wrapper = os.path.join(os.path.dirname(os.path.abspath(binary)), f"millrace-failing-{os.getpid()}")
    with open(wrapper, "w") as f:
        f.write(f"#!/bin/sh\nexec strace -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:error=EIO:when={nth} "
                f"{os.path.abspath(binary)} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    at = int(time.time() * 1000) - 3600 * 1000
    harness.BINARY = wrapper
    try:
        srv = harness.Server(keep=True)
        write, _ = harness.clients(srv.url)
        write.create_database(DatabaseName="sync")
        write.create_table(DatabaseName="sync", TableName="records")
        acknowledged = 0
        try:
            for number in range(1, 10000):
                put(write, number, at)
                acknowledged = number
        except Exception as e:
            assert "ClientError" not in type(e).__name__, f"answered instead of ending: {e}"
        code = srv.process.wait(timeout=30)
        srv.process.stdout.close()
        assert code == -signal.SIGABRT or code == 128 + signal.SIGABRT, f"exit {code}, not an abort\n{srv.logged()[-2000:]}"
        harness.BINARY = binary
        srv.start()
        _, query = harness.clients(srv.url)
        page = query.query(QueryString="SELECT measure_value::bigint FROM sync.records ORDER BY 1")
        found = [int(r["Data"][0]["ScalarValue"]) for r in page["Rows"]]
        assert found[:acknowledged] == list(range(1, acknowledged + 1)), f"LOST: {acknowledged} acknowledged, {len(found)} found"
        assert len(found) <= acknowledged + 1, f"INVENTED: {acknowledged} acknowledged, {len(found)} found"
        srv.keep = False
        srv.stop()
        return acknowledged
    finally:
        os.unlink(wrapper)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--failures", type=int, default=3)
    o = options.parse_args()
    for i in range(o.failures):
        acknowledged = one_failure(o.binary, 20 + 17 * i)
        print(f"sync failure {i + 1}: aborted after {acknowledged} acknowledged writes, 0 lost, 0 invented", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
