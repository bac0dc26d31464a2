"""Looking after stored data: checks of a stopped and of a running server, dumps, and what damage does to the rest."""

import os
import subprocess
import time
import unittest

from botocore.exceptions import ClientError

from base import Case, record
from server import BINARY, KEY, SECRET, Server, clients

ENV = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


def command(*words, env=None):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, env=env or ENV, timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr


class Stored(unittest.TestCase):
    """Two tables with rows in files and one with rows in the log."""

    ROWS = 300

    def setUp(self):
        self.server = Server("--test-clock", "on", "--scrub-hours", "0", keep=True)
        self.connect()
        self.free = int(time.time() * 1000)  # the newest time no record has yet
        self.write.create_database(DatabaseName="mine")
        for table in ("left", "right", "fresh"):
            self.write.create_table(DatabaseName="mine", TableName=table)
        self.put("left")
        self.server.flush()
        self.put("right")
        self.server.flush()
        self.put("fresh")

    def tearDown(self):
        if self.server.process.poll() is None:
            self.server.stop()
        subprocess.run(["rm", "-r", self.server.data], check=True)

    def connect(self):
        self.write, self.query = clients(self.server.url)

    def put(self, table):
        """ROWS records, of a stretch of time of their own."""
        for start in range(0, self.ROWS, 100):
            self.write.write_records(DatabaseName="mine", TableName=table, Records=[
                record(i, host=f"h{i % 7}", at=self.free - i) for i in range(start, start + 100)])
        self.free -= self.ROWS

    def count(self, table):
        return int(self.query.query(QueryString=f'SELECT sum(measure_value::double * 0 + 1) FROM mine."{table}"')
                   ["Rows"][0]["Data"][0]["ScalarValue"].split(".")[0])

    def files(self, prefix):
        place = os.path.join(self.server.data, "store", "files")
        return sorted(os.path.join(place, n) for n in os.listdir(place) if n.startswith(prefix))

    @staticmethod
    def flip(path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0xFF]))

    def broken(self, table):
        with self.assertRaises(ClientError) as caught:
            self.count(table)
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 500, caught.exception.response)

    def restart(self):
        self.server.stop()
        self.server.start()
        self.connect()

    def test_check_and_dump(self):
        code, out, err = command("check", self.server.data)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("is in use by a running server", err)
        code, out, _ = command("check", "--online", self.server.url)
        self.assertEqual(code, 0, out)
        self.assertIn("everything is whole", out)
        self.server.stop()
        code, out, _ = command("check", self.server.data)
        self.assertEqual(code, 0, out)
        self.assertIn("1 databases, 3 tables", out)
        self.assertIn(f"{2 * self.ROWS} rows;", out)
        self.assertIn(f"{self.ROWS} rows that are in no file", out)
        code, out, _ = command("dump", "--contents", self.server.data)
        self.assertEqual(code, 0)
        self.assertEqual(out.count("    row series="), 2 * self.ROWS)
        self.assertIn('"host"="h3"', out)
        self.assertIn("verdict ok", out)
        self.assertEqual(command("check", self.server.data + "/nowhere")[0], 2)
        self.assertEqual(command("check")[0], 2)

    def test_only_root_may_check(self):
        self.assertEqual(self.server.request("GET", "/-/check", key="AKIDNOBODY0000000001")[0], 403)
        self.assertEqual(self.server.request("POST", "/-/check", sign=False)[0], 403)
        code, _, err = command("check", "--online", self.server.url, env={**ENV, "AWS_SECRET_ACCESS_KEY": "wrong"})
        self.assertEqual(code, 2)
        self.assertIn("403", err)

    def test_damage_under_a_running_server(self):
        segment = self.files("seg-")[0]
        self.flip(segment, 120)
        code, out, _ = command("check", "--online", self.server.url)
        self.assertEqual(code, 1)
        self.assertIn(os.path.basename(segment), out)
        self.assertEqual(self.server.metrics()["millrace_scrub_damaged"], 1)
        self.assertIn("event=scrub_damage", self.server.logged())
        self.assertEqual((self.count("right"), self.count("fresh")), (self.ROWS, self.ROWS))
        self.flip(segment, 120)
        self.assertEqual(command("check", "--online", self.server.url)[0], 0)

    def one_damaged(self, path, offset, table):
        """Damage of one file, met by a start: one table suffers, the others do not."""
        self.server.stop()
        self.flip(path, offset)
        code, out, _ = command("check", self.server.data)
        self.assertEqual(code, 1)
        self.assertIn(os.path.basename(path), out)
        self.assertIn(f'table "mine"."{table}"', out)
        self.server.start()
        self.connect()
        self.broken(table)
        for other in {"left", "right", "fresh"} - {table}:
            self.assertEqual(self.count(other), self.ROWS)
        self.assertIn(os.path.basename(path), self.server.logged())
        self.put("fresh")  # and goes on to take records and to flush them
        self.server.flush()
        self.server.stop()
        self.flip(path, offset)
        self.server.start()
        self.connect()
        self.assertEqual(self.count(table), self.ROWS)
        self.assertEqual(self.count("fresh"), 2 * self.ROWS)

    def test_damaged_segment(self):
        self.one_damaged(self.files("seg-")[0], 10, "left")

    def test_damaged_block(self):
        self.one_damaged(self.files("seg-")[0], 200, "left")

    def test_damaged_names(self):
        self.one_damaged(self.files("names-")[0], 100, "left")

    def test_missing_segment(self):
        path = self.files("seg-")[1]
        self.server.stop()
        os.rename(path, path + ".aside")
        self.server.start()
        self.connect()
        self.broken("right")
        self.assertEqual((self.count("left"), self.count("fresh")), (self.ROWS, self.ROWS))
        self.server.stop()
        os.rename(path + ".aside", path)
        self.server.start()
        self.connect()
        self.assertEqual(self.count("right"), self.ROWS)


if __name__ == "__main__":
    unittest.main()
