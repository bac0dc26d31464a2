#!/usr/bin/env python3
"""Wrong clocks under the whole server: nothing stored is lost, signatures are judged by the clock, nothing crashes.

libfaketime gives the server another wall clock (its monotonic one stays); a file says how far away it is, so the clock
jumps while the server runs, and before it starts. The clients sign by either clock. At each clock:

    the client with the right clock is refused for its date (when the two differ by more than the window),
    the one with the server's clock writes a record of that moment and reads it back;

and back at the right clock, also after kill -9, every record that was acknowledged is there with its value. With --patience
the retention job is given the time to see a jump (it runs once a minute), and must say that it deletes nothing.

    clock.py --binary build/millrace [--patience]
"""

import argparse
import datetime
import glob
import os
import sys
import tempfile
import time
import types

import kill  # noqa: F401  finds the harness
from kill import harness
import botocore.auth
from botocore.exceptions import ClientError

HOUR, DAY = 3600, 86400
JUMPS = (0, 2 * HOUR, 365 * DAY, 0, -2 * HOUR, -365 * DAY, 20 * DAY, 0)
WINDOW = 15 * 60  # of signatures
DATABASE, TABLE = "clock", "records"
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Clocks:
    """The server's distance from the right time, and that of the clients' signatures."""

    def __init__(self, path):
        self.path, self.away = path, 0
        self.sign_away(0)

    def server_away(self, seconds):
        with open(self.path + ".new", "w", encoding="ascii") as f:
            f.write(f"{seconds:+d}\n")
        os.rename(self.path + ".new", self.path)
        self.away = seconds

    def sign_away(self, seconds):
        step = datetime.timedelta(seconds=seconds)
        shifted = type("Shifted", (datetime.datetime,), {"utcnow": classmethod(lambda cls: datetime.datetime.utcnow() + step)})
        for module in [botocore.auth, *([botocore.crt.auth] if "botocore.crt.auth" in sys.modules else [])]:
            module.datetime = types.SimpleNamespace(datetime=shifted, timezone=datetime.timezone)
            module.get_current_datetime = lambda *a, **k: datetime.datetime.now(datetime.timezone.utc) + step


class Run:
    def __init__(self, binary):
        libraries = glob.glob(LIBRARY)
        if not libraries:
            sys.exit("libfaketime is not there: tools/setup/packages-test.txt")
        harness.BINARY = os.path.abspath(binary)
        self.clocks = Clocks(tempfile.mktemp(prefix="millrace-clock-"))
        self.clocks.server_away(0)
        self.server = harness.Server(env={"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": self.clocks.path,
                                          "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                                          "NO_FAKE_STAT": "1"})
        self.connect()
        self.written, self.refused, self.wrong = {}, 0, []
        self.write.create_database(DatabaseName=DATABASE)
        self.write.create_table(DatabaseName=DATABASE, TableName=TABLE, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 30},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})

    def connect(self):
        self.write, self.query = harness.clients(self.server.url)

    def restart(self):
        self.server.kill()
        self.server.start()
        self.connect()

    def put(self, back=0):
        """A record of the server's now, or of so many seconds before."""
        n = len(self.written)
        at = int((time.time() + self.clocks.away - back) * 1000) + n
        self.write.write_records(DatabaseName=DATABASE, TableName=TABLE, Records=[
            {"Dimensions": [{"Name": "n", "Value": str(n)}], "MeasureName": "m", "MeasureValue": str(n), "Time": str(at)}])
        self.written[n] = at

    def rows(self):
        page = self.query.query(QueryString=f"SELECT n, measure_value::double, to_milliseconds(time) FROM {DATABASE}.{TABLE}")
        return {int(r["Data"][0]["ScalarValue"]): (float(r["Data"][1]["ScalarValue"]), int(r["Data"][2]["ScalarValue"]))
                for r in page["Rows"]}

    def visit(self, seconds, how):
        """One clock: who is let in, and whether what is written there can be read."""
        self.clocks.sign_away(0)
        if abs(seconds) > WINDOW:
            try:
                self.write.list_databases()
                self.wrong.append(f"{how} {seconds:+d} s: a signature of another time was taken")
            except ClientError as e:
                code, text = e.response["Error"]["Code"], e.response["Error"]["Message"]
                self.refused += 1
                if code != "InvalidSignatureException" or "Signature " not in text:
                    self.wrong.append(f"{how} {seconds:+d} s: {code} {text}")
        self.clocks.sign_away(seconds)
        self.put()
        self.put(back=2 * DAY)  # late: into the magnetic store
        missing = [n for n in (len(self.written) - 1, len(self.written) - 2) if n not in self.rows()]
        if missing:
            self.wrong.append(f"{how} {seconds:+d} s: {missing} cannot be read")

    def check(self, how):
        """At the right clock: all that lies within the retention is there, as it was written."""
        self.clocks.server_away(0)
        self.clocks.sign_away(0)
        rows, oldest = self.rows(), (time.time() - 31 * DAY + HOUR) * 1000
        for n, at in self.written.items():
            if at > oldest and rows.get(n) != (float(n), at):
                self.wrong.append(f"{how}: record {n} is {rows.get(n)}")
        return len(rows)

    def wait_for_jump(self):
        deadline = time.monotonic() + 150
        while "event=wall_clock_jumped" not in self.server.logged():
            if time.monotonic() > deadline:
                self.wrong.append("the retention job did not see the jump")
                return
            time.sleep(0.5)  # it looks once a minute
        self.connect()  # the connections of before were idle for too long


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--patience", action="store_true")
    o = options.parse_args()
    run, checks = Run(o.binary), 0
    try:
        run.put()
        for seconds in JUMPS:
            run.clocks.server_away(seconds)
            run.visit(seconds, "jump to")
            if o.patience and seconds == 365 * DAY:
                run.wait_for_jump()
            run.check("after a jump")
            run.clocks.server_away(seconds)
            run.restart()
            run.visit(seconds, "start at")
            run.check("after a start elsewhere")
            run.restart()
            left = run.check("after a start at the right time")
            checks += 3
    finally:
        run.server.stop(expect=None)
        os.unlink(run.clocks.path)
    print(f"{len(JUMPS)} clocks, {len(run.written)} records written, {checks} checks of all of them, {run.refused} signatures refused, "
          f"{left} rows within the retention at the end, {len(run.wrong)} wrong")
    sys.exit("\n".join(run.wrong[:20]) or 0)


if __name__ == "__main__":
    main()
