"""Backups of a server in use: what was acknowledged before the moment is in them, wherever and whenever it is put back."""

import http.client
import http.server
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import moto
from base import Case, now_ms, record
from server import BINARY, KEY, REGION, SECRET, Server, clients

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")
FLAGS = ("--flush-bytes=128K", "--flush-log-bytes=1M", "--log-segment=1M")


def millrace(*arguments, env=None, expect=0):
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=300, check=False,
                          env=dict(os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET,
                                   **(env or {})))
    if done.returncode != expect:
        raise AssertionError(f"millrace {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Writers:
    """Batches one after the other; `acknowledged` is what a 200 has been seen for."""

    def __init__(self, server, database, table, count=3):
        self.server, self.database, self.table = server, database, table
        self.acknowledged, self.stop, self.failure = 0, threading.Event(), None
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for t in self.threads:
            t.start()

    def run(self, writer):
        client, _ = clients(self.server.url)
        at, n = now_ms(), 0
        try:
            while not self.stop.is_set():
                client.write_records(DatabaseName=self.database, TableName=self.table, Records=[
                    record(value=n, host=f"h{writer}", at=at - n * 50 - i) for i in range(50)])
                n += 1
                with self.lock:
                    self.acknowledged += 50
        except Exception as e:  # told by end()
            self.failure = e

    def now(self):
        with self.lock:
            return self.acknowledged

    def wait_for(self, rows):
        while self.now() < rows:
            if self.failure:
                raise self.failure
            self.stop.wait(0.01)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(60)
        if self.failure:
            raise self.failure


class Flaky(http.server.ThreadingHTTPServer):
    """In front of a service: fails some requests, passes the others on, signed Host and all."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with self.server.lock:
                self.server.requests += 1
                n = self.server.requests
                self.server.failed += n % 3 == 0 or n % 5 == 0
            if n % 5 == 0:
                self.close_connection = True
                return
            if n % 3 == 0:
                status, headers, answer = 503, [], b"busy"
            else:
                connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
                status, headers, answer = response.status, response.getheaders(), response.read()
                connection.close()
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = pass_on

    def __init__(self, behind):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.behind, self.lock, self.requests, self.failed = behind, threading.Lock(), 0, 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Backup(Case):
    flags = FLAGS

    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="millrace-backup-")
        self.addCleanup(shutil.rmtree, self.scratch, True)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def backup(self, target, *more, env=None):
        out = millrace("backup", "--data", self.server.data, "--to", target, "--server", self.server.url, *more, env=env).stdout
        return dict(re.findall(r"(\w+)=(\w+)", out), id=out.split()[0])

    def count(self, server, database, table):
        _, query = clients(server.url)
        page = query.query(QueryString=f'SELECT count(*) FROM "{database}"."{table}"')
        return int(page["Rows"][0]["Data"][0]["ScalarValue"])

    def serve(self, data):
        server = Server(*FLAGS, data=data, keep=True)
        self.addCleanup(server.stop)
        return server

    def magnetic_table(self):
        return self.table(RetentionProperties={"MemoryStoreRetentionPeriodInHours": 24,
                                               "MagneticStoreRetentionPeriodInDays": 30})

    def test_under_writes_and_a_kill(self):
        database, table = self.magnetic_table()
        writers = Writers(self.server, database, table)
        target = self.path("target")
        writers.wait_for(20000)
        before = writers.now()
        first = self.backup(target)
        writers.wait_for(before + 20000)
        again = writers.now()
        second = self.backup(target)
        writers.end()
        self.assertGreater(int(first["rows"]), 0, "nothing was in files: the test tests too little")
        third = self.backup(target)
        fourth = self.backup(target)  # of what has not changed since
        self.assertLess(int(fourth["copied"]) * 2, int(fourth["bytes"]))
        listed = millrace("restore", "--from", target, "--list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in listed], [b["id"] for b in (first, second, third, fourth)])
        for made, at_least in ((first, before), (second, again)):
            data = self.path("data-" + made["id"])
            millrace("restore", "--from", target, "--data", data, "--id", made["id"])
            self.assertIn("everything is whole", millrace("check", data).stdout)
            server = self.serve(data)
            rows = self.count(server, database, table)
            self.assertGreaterEqual(rows, at_least)
            self.assertLessEqual(rows, writers.now())
            clients(server.url)[0].write_records(DatabaseName=database, TableName=table, Records=[record(host="new")])
            self.assertEqual(self.count(server, database, table), rows + 1)

    def test_without_keys(self):
        database, table = self.magnetic_table()
        self.write.write_records(DatabaseName=database, TableName=table, Records=[record()])
        target, data, keys = self.path("target"), self.path("data"), os.path.join(self.server.data, "store", "keys")
        self.backup(target, "--no-keys")
        self.assertFalse([f for _, _, files in os.walk(target) for f in files if f.endswith(".key") or "credentials" in f])
        told = millrace("restore", "--from", target, "--data", data, expect=2).stderr
        self.assertIn("made without keys", told)
        millrace("restore", "--from", target, "--data", data, "--keys", keys)
        self.assertEqual(self.count(self.serve(data), database, table), 1)

    def test_what_is_refused(self):
        target = self.path("target")
        self.backup(target)
        full = self.path("full")
        os.mkdir(full)
        with open(os.path.join(full, "something"), "w", encoding="ascii"):
            pass
        self.assertIn("not empty", millrace("restore", "--from", target, "--data", full, expect=2).stderr)
        self.assertIn("in use", millrace("restore", "--from", target, "--data", self.server.data, expect=2).stderr)
        self.assertIn("no complete backup", millrace("restore", "--from", self.scratch, "--data", self.path("x"), expect=2).stderr)
        status, answer = self.server.request("POST", "/-/hold", b"{}", key="AKIDNOBODY000000000")
        self.assertEqual(status, 403, answer)
        status, answer = self.server.request("POST", "/-/hold/77/renew", b"{}")
        self.assertEqual(status, 404, answer)

    def test_killed_again_and_again(self):
        """SIGKILL after 1, 2, 4, ... ms, in the backup and in the restore: the next one goes on, and is right."""
        database, table = self.magnetic_table()
        writers = Writers(self.server, database, table)
        writers.wait_for(20000)
        writers.end()
        target, data = self.path("target"), self.path("data")
        backup = ("backup", "--data", self.server.data, "--to", target, "--server", self.server.url)
        restore = ("restore", "--from", target, "--data", data)
        kills = 0
        for command in (backup, restore):
            for power in range(8):
                process = subprocess.Popen([BINARY, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(
                    os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET))
                try:
                    process.wait(0.001 * 2**power)
                    break  # done before the kill
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
            if command is backup:
                self.backup(target)
        self.assertGreater(kills, 2)
        if not os.path.exists(os.path.join(data, "VERSION")) or os.path.exists(os.path.join(data, "RESTORING")):
            millrace(*restore)
        self.assertEqual(self.count(self.serve(data), database, table), writers.now())

    def test_a_backup_of_a_release_opens_for_ever(self):
        data = self.path("data")
        millrace("restore", "--from", os.path.join(GOLDEN, "backup-v1"), "--data", data)
        self.assertIn("everything is whole", millrace("check", data).stdout)
        server = self.serve(data)
        self.assertEqual(self.count(server, "golden", "readings"), 92)
        write, query = clients(server.url)
        rows = query.query(QueryString="SELECT n, s, b FROM golden.readings WHERE measure_name = 'multi' ORDER BY n")["Rows"]
        self.assertEqual([[d["ScalarValue"] for d in r["Data"]] for r in rows], [["0", "text", "true"], ["60", "text", "true"]])
        page = query.query(QueryString="SELECT sum(measure_value::double) FROM golden.readings WHERE measure_name = 'load'")
        self.assertEqual(float(page["Rows"][0]["Data"][0]["ScalarValue"]), sum(i * 0.5 for i in range(90)))
        arn = write.describe_table(DatabaseName="golden", TableName="readings")["Table"]["Arn"]
        self.assertEqual(write.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "made", "Value": "once"}])

    def test_without_a_server(self):
        server = Server(*FLAGS, keep=True)
        write, _ = clients(server.url)
        write.create_database(DatabaseName="dbs")
        write.create_table(DatabaseName="dbs", TableName="tbl")
        write.write_records(DatabaseName="dbs", TableName="tbl", Records=[record(host=f"h{i}") for i in range(100)])
        server.kill()
        target, data = self.path("target"), self.path("data")
        millrace("backup", "--data", server.data, "--to", target)
        server.remove()
        millrace("restore", "--from", target, "--data", data)
        self.assertEqual(self.count(self.serve(data), "dbs", "tbl"), 100)


class Bucket(Backup):
    """The same to a bucket of moto's, which lists a few objects a page."""

    @classmethod
    def setUpClass(cls):
        cls.moto = moto.Moto()  # first: without it there is nothing to do
        super().setUpClass()
        cls.moto.client("s3").create_bucket(Bucket="copies")

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()
        super().tearDownClass()

    def test_under_writes_and_a_kill(self):
        database, table = self.magnetic_table()
        writers = Writers(self.server, database, table)
        writers.wait_for(20000)
        before = writers.now()
        s3 = ("--s3-endpoint", self.moto.url, "--s3-region", REGION)
        first = self.backup("s3://copies/a/b", *s3, env=moto.ENVIRONMENT)
        writers.end()
        self.backup("s3://copies/a/b", *s3, env=moto.ENVIRONMENT)
        last = self.backup("s3://copies/a/b", *s3, env=moto.ENVIRONMENT)
        self.assertLess(int(last["copied"]) * 2, int(last["bytes"]))
        data = self.path("data")
        millrace("restore", "--from", "s3://copies/a/b", "--data", data, "--id", first["id"], *s3, env=moto.ENVIRONMENT)
        self.assertGreaterEqual(self.count(self.serve(data), database, table), before)
        told = millrace("restore", "--from", "s3://nowhere/a", "--data", self.path("x"), *s3, env=moto.ENVIRONMENT, expect=2)
        self.assertIn("NoSuchBucket", told.stderr)

    def test_a_bucket_that_fails_now_and_then(self):
        """Every third request gets 503, every fifth no answer: each is made again, and all is there in the end."""
        database, table = self.magnetic_table()
        self.write.write_records(DatabaseName=database, TableName=table, Records=[record(host=f"h{i}") for i in range(50)])
        with Flaky(self.moto.port) as flaky:
            s3 = ("--s3-endpoint", flaky.url, "--s3-region", REGION)
            self.backup("s3://copies/flaky", *s3, env=moto.ENVIRONMENT)
            data = self.path("data")
            millrace("restore", "--from", "s3://copies/flaky", "--data", data, *s3, env=moto.ENVIRONMENT)
            self.assertGreater(flaky.failed, 4)
        self.assertEqual(self.count(self.serve(data), database, table), 50)

    test_without_keys = test_what_is_refused = test_without_a_server = None
    test_killed_again_and_again = test_a_backup_of_a_release_opens_for_ever = None


if __name__ == "__main__":
    unittest.main()
