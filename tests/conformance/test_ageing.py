"""Records under a clock that the test sets: windows, retention and its changes (Write API reference 5.6, 6), late
records (5.7), and the clock itself (docs/test-clock.md)."""

import tempfile
import time
import unittest

from base import Case, record
from server import Server

MS = 10**6
HOUR = 3600 * 10**9
DAY = 24 * HOUR
GRACE = 25 * 60 * 10**9


class Aged(Case):
    """A still clock on a whole millisecond, and a table of 1 h in memory and 7 d after it."""

    flags = ("--test-clock", "still")
    life = 7 * DAY + HOUR

    def setUp(self):
        self.start = self.set_out()
        self.target = self.table(
            RetentionProperties={"MemoryStoreRetentionPeriodInHours": 1, "MagneticStoreRetentionPeriodInDays": 7},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        self.rows_before = self.stored()

    def set_out(self):
        return self.server.clock(to=(self.server.clock() // MS + 1) * MS)

    def tearDown(self):
        self.write.delete_table(DatabaseName=self.target[0], TableName=self.target[1])

    def stored(self):
        metrics = self.server.metrics()
        return int(metrics["millrace_store_rows"]) + int(metrics["millrace_store_file_rows"])

    def put(self, at, host="h1", value=1, **more):
        """Counts of (memory, magnetic)."""
        got = self.write.write_records(
            DatabaseName=self.target[0], TableName=self.target[1],
            Records=[record(value, host=host, at=at, TimeUnit="NANOSECONDS", **more)])["RecordsIngested"]
        self.assertEqual(got["Total"], got["MemoryStore"] + got["MagneticStore"])
        return got["MemoryStore"], got["MagneticStore"]

    def refused(self, at, **more):
        response = self.fails("RejectedRecordsException", 419, self.write.write_records,
                              DatabaseName=self.target[0], TableName=self.target[1],
                              Records=[record(1, at=at, TimeUnit="NANOSECONDS", **more)])
        return response["RejectedRecords"][0]["Reason"]

    def hosts(self):
        return [r[0] for r in self.rows('SELECT host FROM "{}"."{}" ORDER BY host'.format(*self.target))]

    def update(self, **properties):
        self.write.update_table(DatabaseName=self.target[0], TableName=self.target[1], **properties)

    def retention(self, hours, days):
        self.update(RetentionProperties={"MemoryStoreRetentionPeriodInHours": hours,
                                         "MagneticStoreRetentionPeriodInDays": days})


class Retention(Aged):
    def test_a_row_from_its_first_moment_to_its_last(self):
        at = self.start
        self.assertEqual(self.put(at, "a"), (1, 0))
        self.server.clock(to=at + HOUR + GRACE)
        self.assertEqual(self.put(at, "b"), (1, 0))  # the last moment of the memory store's window
        self.server.clock(by="1ns")
        self.assertEqual(self.put(at, "c"), (0, 1))
        self.server.clock(to=at + self.life)
        self.assertEqual(self.hosts(), ["a", "b", "c"])
        self.assertEqual(self.stored() - self.rows_before, 3)
        self.server.clock(by="1ms")
        self.assertEqual(self.hosts(), [])
        self.assertEqual(self.stored() - self.rows_before, 0)  # not hidden: gone

    def test_the_ends_of_the_window(self):
        at = self.start
        self.server.clock(to=at + self.life + GRACE)
        self.assertEqual(self.put(at), (0, 1))
        self.server.clock(by="1ns")
        self.assertIn("of the data ingestion window.", self.refused(at))
        now = self.server.clock()
        self.assertEqual(self.put(now + 15 * 60 * 10**9 - 1), (1, 0))
        self.assertIn("of the data ingestion window.", self.refused(now + 15 * 60 * 10**9))

    def test_late_records_only_where_they_are_enabled(self):
        at = self.start
        self.server.clock(by="2h")
        self.assertEqual(self.put(at, "a"), (0, 1))
        self.update(MagneticStoreWriteProperties={"EnableMagneticStoreWrites": False})
        self.assertIn("of the memory store.", self.refused(at, host="b"))
        self.assertEqual(self.hosts(), ["a"])
        self.update(MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        self.assertEqual(self.put(at, "b"), (0, 1))
        self.assertEqual(self.hosts(), ["a", "b"])

    def test_a_shorter_magnetic_retention_deletes_for_good(self):
        at = self.start
        self.put(at, "old")
        self.server.clock(to=at + 5 * DAY)
        self.put(at + 4 * DAY, "young")
        self.retention(1, 2)
        self.assertEqual(self.hosts(), ["young"])
        self.assertIn("of the data ingestion window.", self.refused(at, host="late"))
        self.retention(1, 3000)
        self.assertEqual(self.hosts(), ["young"])  # the old one does not come back
        self.assertEqual(self.stored() - self.rows_before, 1)
        self.assertEqual(self.put(at, "late"), (0, 1))  # though its time is open again
        self.assertEqual(self.put(at, "old", 2), (0, 1))  # and no version of it is remembered
        self.assertEqual(self.hosts(), ["late", "old", "young"])

    def test_a_longer_magnetic_retention_keeps_what_is_there(self):
        at = self.start
        self.put(at, "a")
        self.server.clock(to=at + self.life)
        self.retention(1, 8)
        self.server.clock(to=at + self.life + DAY)
        self.assertEqual(self.hosts(), ["a"])
        self.server.clock(by="1ms")
        self.assertEqual(self.hosts(), [])

    def test_memory_retention_moves_only_the_border(self):
        at = self.start
        self.put(at, "a")
        self.server.clock(to=at + 5 * HOUR)
        self.assertEqual(self.put(at, "b"), (0, 1))
        self.retention(12, 7)
        self.assertEqual(self.put(at, "c"), (1, 0))
        self.retention(1, 7)
        self.assertEqual(self.put(at, "d"), (0, 1))
        self.assertEqual(self.hosts(), ["a", "b", "c", "d"])

    def test_versions_hold_at_any_age(self):
        at = self.start
        self.put(at, value=1, Version=5)
        self.server.clock(to=at + 6 * DAY)
        self.assertIn("is lower than the existing version 5", self.refused(at, Version=4, MeasureValue="9"))
        self.assertIn("A record already exists", self.refused(at, Version=5, MeasureValue="9"))
        self.assertEqual(self.put(at, value=1, Version=5), (0, 1))  # the same again
        self.assertEqual(self.put(at, value=7, Version=6), (0, 1))
        self.assertEqual(self.rows('SELECT measure_value::double FROM "{}"."{}"'.format(*self.target)), [["7.0"]])

    def test_three_years_in_steps(self):
        for month in range(37):
            now = self.server.clock(by="30d")
            self.put(now, f"m{month:02}")
            self.put(now - 3 * DAY, f"m{month:02}late")
            self.assertEqual(self.hosts(), [f"m{month:02}", f"m{month:02}late"])
        self.assertEqual(now - self.start, 37 * 30 * DAY)
        self.assertEqual(self.stored() - self.rows_before, 2)
        self.assertEqual(self.rows("SELECT date_diff('day', from_nanoseconds({}), now())".format(self.start)),
                         [[str(37 * 30)]])

    def test_a_deleted_table_frees_its_rows(self):
        self.put(self.start, "a")
        other = self.table(self.target[0])
        self.write.write_records(DatabaseName=other[0], TableName=other[1],
                                 Records=[record(1, at=self.start, TimeUnit="NANOSECONDS")])
        self.assertEqual(self.stored() - self.rows_before, 2)
        self.write.delete_table(DatabaseName=other[0], TableName=other[1])
        self.assertEqual(self.stored() - self.rows_before, 1)


class RetentionInFiles(Retention):
    """The same with every row in a file before the next step: late records are judged against files."""

    def put(self, *args, **more):
        counts = super().put(*args, **more)
        self.server.flush()
        return counts

    def test_a_file_that_straddles_the_end(self):
        at = self.start
        Retention.put(self, at, "old")
        self.server.clock(to=at + HOUR)
        self.put(at + HOUR, "young")  # one flush, and by its time one file
        self.server.clock(to=at + 3 * DAY)
        self.retention(1, 3)
        self.server.clock(by="90m")
        self.assertEqual(self.hosts(), ["young"])
        self.retention(1, 300)
        self.assertEqual(self.hosts(), ["young"])


class RunningClock(Aged):
    flags = ("--test-clock", "on")

    def set_out(self):
        return self.server.clock()

    def test_it_runs_on(self):
        first = self.server.clock(by="1000d")
        self.assertGreater(self.server.clock(), first)
        ahead = first - time.time_ns()
        self.assertLess(abs(ahead - (self.start - time.time_ns()) - 1000 * DAY), HOUR)
        self.assertEqual(self.put(self.server.clock()), (1, 0))
        self.server.clock(by="8d")
        self.assertEqual(self.hosts(), [])


class ConflictsToldLater(Aged):
    flags = ("--test-clock", "still", "--magnetic-conflicts", "later")

    def later(self):
        return int(self.server.metrics()["millrace_records_rejected_later_total"])

    def test_only_the_magnetic_store_keeps_quiet(self):
        at = self.start
        self.put(at, value=1, Version=5)
        self.assertIn("is lower than", self.refused(at, Version=4))  # memory store: at once
        self.server.clock(by="2h")
        before = self.later()
        got = self.write.write_records(
            DatabaseName=self.target[0], TableName=self.target[1],
            Records=[record(v, at=at, TimeUnit="NANOSECONDS", Version=n) for v, n in ((2, 4), (3, 5), (1, 5))])
        self.assertEqual(got["RecordsIngested"], {"Total": 3, "MemoryStore": 0, "MagneticStore": 3})
        self.assertEqual(self.later() - before, 2)
        self.assertEqual(self.rows('SELECT measure_value::double FROM "{}"."{}"'.format(*self.target)), [["1.0"]])
        self.assertRegex(self.server.logged(), r"conflicts_not_reported id=\w+ records=2\n")
        self.assertIn("outside the time range", self.refused(at - 30 * DAY))  # the rest is told at once

    def test_other_rejections_of_the_same_request(self):
        at = self.start
        self.put(at)
        self.server.clock(by="2h")
        response = self.fails("RejectedRecordsException", 419, self.write.write_records,
                              DatabaseName=self.target[0], TableName=self.target[1], Records=[
                                  record(2, at=at, TimeUnit="NANOSECONDS"),
                                  record(1, at=at, TimeUnit="NANOSECONDS", MeasureValueType="BIGINT")])
        self.assertEqual([r["RecordIndex"] for r in response["RejectedRecords"]], [1])


class Clock(Aged):
    def step(self, body, **more):
        return self.server.request("POST", "/-/clock", body if isinstance(body, bytes) else body.encode(), **more)

    def test_only_forward(self):
        status, answer = self.step(f'{{"To":"{self.start - 1}"}}')
        self.assertEqual((status, answer["message"]), (400, "The clock goes forward only, and to 2200-01-01 at most."))
        self.assertEqual(self.step('{"To":"9000000000000000000"}')[0], 400)
        self.assertEqual(self.step('{"By":"100000d"}')[0], 400)
        self.assertEqual(self.server.clock(), self.start)
        self.assertEqual(self.server.clock(to=self.start), self.start)

    def test_bodies(self):
        for body in ("", "{}", "[]", '"1h"', '{"By":3600}', '{"By":"-1h"}', '{"By":"1 h"}', '{"by":"1h"}',
                     '{"By":"1h","To":"1"}', '{"To":""}', '{"To":"1e3"}', '{"By":"1h"', b"\xff\x00", "[" * 5000):
            status, answer = self.step(body)
            self.assertEqual(status, 400, body)
            self.assertIn(answer["__type"].split("#")[1], ("ValidationException", "SerializationException"))
        self.assertEqual(self.server.clock(), self.start)

    def test_only_root_and_only_signed(self):
        self.assertEqual(self.step('{"By":"1h"}', sign=False)[0], 403)
        self.assertEqual(self.step('{"By":"1h"}', secret="not/the/secret")[0], 403)
        self.assertEqual(self.server.request("GET", "/-/clock", sign=False)[0], 403)
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write("[reader]\naws_access_key_id = AKIDREADER0000000001\naws_secret_access_key = of+the/reader\n")
            keys.flush()
            server = Server("--test-clock", "on", "--credentials", keys.name)
        try:
            mine = {"key": "AKIDREADER0000000001", "secret": "of+the/reader"}
            for method, body in (("GET", b""), ("POST", b'{"By":"1h"}')):
                status, answer = server.request(method, "/-/clock", body, **mine)
                self.assertEqual(status, 403)
                self.assertTrue(answer["__type"].endswith("#AccessDeniedException"))
        finally:
            server.stop()

    def test_absent_unless_asked_for(self):
        server = Server()
        try:
            for method, body in (("GET", b""), ("POST", b'{"By":"1h"}')):
                status, answer = server.request(method, "/-/clock", body)
                self.assertEqual((status, answer["__type"].split("#")[1]), (404, "UnknownOperationException"))
            self.assertNotIn("test_clock_on", server.logged())
        finally:
            server.stop()

    def test_a_warning_at_start(self):
        self.assertRegex(self.server.logged(), r"test_clock_on .*set this server's clock forward")

    def test_unmodified_clients_after_decades(self):
        self.server.clock(by="10000d")
        self.assertEqual(self.put(self.server.clock()), (1, 0))
        self.assertEqual(self.hosts(), ["h1"])
        table = self.write.describe_table(DatabaseName=self.target[0], TableName=self.target[1])["Table"]
        self.assertEqual(int(table["LastUpdatedTime"].timestamp()), self.start // 10**9)
        self.update(MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        table = self.write.describe_table(DatabaseName=self.target[0], TableName=self.target[1])["Table"]
        self.assertEqual(int(table["LastUpdatedTime"].timestamp()), self.server.clock() // 10**9)
        self.assertEqual(self.rows("SELECT to_nanoseconds(now())"), [[str(self.server.clock() // MS * MS)]])


del Aged  # a base, not a suite

if __name__ == "__main__":
    unittest.main()
