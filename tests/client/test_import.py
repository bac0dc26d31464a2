"""`millrace import` and `millrace export`: formats, folders that UNLOAD wrote, and going on after a kill."""

import gzip
import json
import os
import pty
import signal
import subprocess
import tempfile
import time
import unittest

from duck import write_int96, write_parquet
from support import credentials, run
from server import BINARY, KEY, SECRET, Server


def stamp(seconds, nanos=0):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{nanos:09d}"


class Importing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.env = credentials(cls.server.url, KEY, SECRET)
        cls.command("databases", "create", "depot")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    @classmethod
    def command(cls, *arguments, expect=0, text=None):
        return run(BINARY, *arguments, expect=expect, env=cls.env, text=text)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = scratch.name
        self.now = int(time.time()) - 1000
        self.table("goods")

    def table(self, name):
        self.command("tables", "create", "depot", name)
        self.addCleanup(self.command, "tables", "delete", "depot", name)

    def file(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        with (gzip.open if name.endswith(".gz") else open)(path, "wb") as out:
            out.write(data)
        return path

    def load(self, *arguments, expect=0, table="goods", text=None):
        return self.command("import", "-d", "depot", "-t", table, *arguments, expect=expect, text=text)

    def export(self, *arguments, table="goods"):
        return self.command("export", "-d", "depot", "-t", table, *arguments).stdout

    def rows(self, sql):
        return [json.loads(line) for line in self.command("query", "--format", "json", sql).stdout.splitlines()]

    def records(self):
        return [json.loads(line) for line in self.export().splitlines()]


class Formats(Importing):
    def mixed(self):
        at = self.now * 1000
        lines = [{"Dimensions": [{"Name": "bay", "Value": f'b "{i % 3}", \u00e4\\'}], "MeasureName": f"m{i}", "MeasureValue": value,
                  "MeasureValueType": kind, "Time": str(at + i)}
                 for i, (value, kind) in enumerate((("1.25", "DOUBLE"), ("-7", "BIGINT"), ("true", "BOOLEAN"), ("a,b\n\"c\"", "VARCHAR")))]
        lines.append({"Dimensions": [{"Name": "bay", "Value": "x"}, {"Name": "crane", "Value": "n"}], "MeasureName": "state",
                      "MeasureValueType": "MULTI", "Time": str(at), "MeasureValues": [
                          {"Name": "load", "Value": "1.0E-4", "Type": "DOUBLE"}, {"Name": "jobs", "Value": "12", "Type": "BIGINT"},
                          {"Name": "since", "Value": str(at - 5), "Type": "TIMESTAMP"},
                          {"Name": "note", "Value": 'say "n", 1\\', "Type": "VARCHAR"}]})
        self.load("--input-format", "json", "-", text="".join(json.dumps(line) + "\n" for line in lines))

    def test_round_trips(self):
        self.mixed()
        self.table("copy")
        for form in ("json", "csv"):
            with self.subTest(form):
                path = os.path.join(self.dir, "out." + form)
                self.export("--output", path, "--output-format", form)
                done = self.load(path, table="copy")
                self.assertIn("5 records written, 0 refused\n", done.stderr)
                self.assertEqual(sorted(self.export().splitlines()), sorted(self.export(table="copy").splitlines()))
                self.command("tables", "delete", "depot", "copy")
                self.command("tables", "create", "depot", "copy")

    def test_csv_of_ones_own(self):
        self.mixed()
        head, *_ = self.export("--output-format", "csv").splitlines()
        self.assertEqual(set(head.split(",")), {
            "bay:dimension", "crane:dimension", "measure_name", "time", "measure_value::double", "measure_value::bigint",
            "measure_value::varchar", "measure_value::boolean", "load:double", "jobs:bigint", "since:timestamp", "note:varchar"})

    def test_line_protocol(self):
        self.mixed()
        self.table("copy")
        path = self.file("out.line.gz", self.export("--output-format", "line"))
        self.load(path, table="copy")
        multi, = self.rows("SELECT load, jobs, note, time FROM depot.copy WHERE measure_name = 'state'")
        self.assertEqual(multi, {"load": 1e-4, "jobs": 12, "note": 'say "n", 1\\', "time": stamp(self.now)})
        single, = self.rows("SELECT bay, value FROM depot.copy WHERE measure_name = 'm0'")
        self.assertEqual(single, {"bay": 'b "0", \u00e4\\', "value": 1.25})

    def test_csv_of_others(self):
        path = self.file("meters.csv", "when;site;meter;kwh;ok;remark;junk\r\n"
                         f'{self.now};"north; 1";a;2.5;true;"two\nlines ""quoted""";x\r\n'
                         f"{self.now + 1};south;b;;false;;y\r\n"
                         f"yesterday;south;b;1;true;;z\r\n"
                         f"{self.now + 2};south;b;1\r\n"
                         f'{self.now + 3};south;"b"c;1;true;;z\r\n'
                         f"{self.now + 4};south;b;many;true;;z\r\n")
        rejects = os.path.join(self.dir, "rejects")
        done = self.load("--delimiter", ";", "--time", "when", "--time-unit", "s", "--dimensions", "site, meter",
                         "--measures", "kwh,ok:boolean,remark:varchar", "--measure-name", "reading", "--rejects", rejects, path, expect=1)
        self.assertIn("millrace: time when; dimensions site, meter; measures kwh, ok, remark; left out junk\n", done.stderr)
        self.assertIn("2 records written, 4 refused\n", done.stderr)
        with open(rejects, encoding="utf-8") as file:
            reasons = [json.loads(line) for line in file]
        self.assertEqual(sorted(r["Code"] for r in reasons), ["BadLine"] * 3 + ["ValidationException"])
        self.assertIn(f"{self.now + 2};south;b;1", [r.get("Line") for r in reasons])
        self.assertEqual(self.rows("SELECT * FROM depot.goods ORDER BY time"), [
            {"site": "north; 1", "meter": "a", "measure_name": "reading", "time": stamp(self.now), "kwh": 2.5, "ok": True,
             "remark": 'two\nlines "quoted"'},
            {"site": "south", "meter": "b", "measure_name": "reading", "time": stamp(self.now + 1), "kwh": None, "ok": False,
             "remark": None}])

    def test_units_of_time(self):
        for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
            path = self.file(unit + ".csv", f"time,a:dimension,v:double\n{self.now * factor},{unit},1\n")
            self.load("--measure-name", "m", "--time-unit", unit, path)
        path = self.file("iso.csv", f"time,a:dimension,v:double\n{stamp(self.now).replace(' ', 'T')}Z,iso,1\n{stamp(self.now)},sql,1\n")
        self.load("--measure-name", "m", path)
        self.assertEqual(self.rows("SELECT DISTINCT time, count(*) AS n FROM depot.goods GROUP BY time"),
                         [{"time": stamp(self.now), "n": 6}])

    def test_what_makes_no_sense(self):
        csv = self.file("x.csv", "time,host,v\n1,2,3\n")
        for arguments in ((csv,), ("--dimensions", "nobody", csv), ("--measures", "v:int", "--measure-name", "m", csv),
                          ("--measures", "v", csv), ("--delimiter", "ab", csv), (self.file("x.dat", "1"),), (),
                          ("--time-unit", "fortnight", "--measures", "v", "--measure-name", "m", csv),
                          ("--input-format", "xls", csv), (self.dir, csv)):
            done = self.load(*arguments, expect=2)
            self.assertIn("usage:", done.stderr)
        self.assertIn("No such file", self.load("absent.csv", expect=1).stderr)
        self.assertIn("manifest.json", self.load(self.dir, expect=1).stderr)
        broken = self.file("cut.jsonl.gz", "{}\n" * 1000)
        os.truncate(broken, os.path.getsize(broken) - 9)
        self.assertRegex(self.load(broken, expect=1).stderr, "unexpected end of file|incorrect")
        quote = self.file("quote.csv", 'time,a:dimension,v:double\n1,"x,1\n')
        self.assertIn("the file ends inside a quote", self.load("--measure-name", "m", quote, expect=1).stderr)
        self.assertIn("refused", self.load("--input-format", "json", self.file("p", "nonsense\n"), expect=1).stderr)
        self.assertIn("Parquet", self.load("--measure-name", "m", self.file("p.parquet", b"PAR1 no"), expect=1).stderr.replace(
            "parquet", "Parquet"))

    def test_create(self):
        path = self.file("x.csv", f"time,measure_name,a:dimension,measure_value::double\n{self.now * 1000},m,x,1\n")
        run(BINARY, "import", "-d", "newdb", "-t", "newtable", "--create", "--memory-hours", "5", "--magnetic-days", "70", path,
            env=self.env)
        self.assertIn("newdb,newtable,ACTIVE,5,70\n", self.command("tables", "newdb").stdout)
        self.command("tables", "update", "--memory-hours", "6", "--magnetic-days", "71", "newdb", "newtable")
        self.assertIn("newdb,newtable,ACTIVE,6,71\n", self.command("tables", "newdb").stdout)
        run(BINARY, "import", "-d", "newdb", "-t", "newtable", "--create", path, env=self.env)
        self.command("tables", "delete", "newdb", "newtable")
        self.command("databases", "delete", "newdb")

    def test_verify(self):
        path = self.file("x.csv", f"time,measure_name,a:dimension,measure_value::double\n{self.now * 1000},m,x,1\n")
        self.assertIn("verified: the table has 1 rows, 1 more than before\n", self.load("--verify", path).stderr)
        done = self.load("--verify", path, expect=1)
        self.assertIn("1 fewer than were written", done.stderr)

    def test_progress(self):
        path = self.file("many.csv", "time,measure_name,a:dimension,measure_value::double\n" +
                         "".join(f"{self.now * 1000 + i},m,x{i % 7},{i}\n" for i in range(150000)))
        ours, theirs = pty.openpty()
        with subprocess.Popen([BINARY, "import", "-d", "depot", "-t", "goods", path], stderr=theirs, env=self.env) as process:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    shown += os.read(ours, 65536)
                except OSError:  # the other side is closed
                    break
            self.assertEqual(process.wait(), 0, shown)
        os.close(ours)
        self.assertRegex(shown.decode(), r"\r\[#*\.*\] +\d+ %  \d+ records, \d+/s, \d+ s left\x1b\[K")
        self.assertIn("150000 records written, 0 refused", shown.decode())


class Unload(Importing):
    COLUMNS = (("site", "VARCHAR"), ("measure_name", "VARCHAR"), ("time", "TIMESTAMP"), ("measure_value::double", "DOUBLE"),
               ("load", "DOUBLE"), ("jobs", "BIGINT"), ("up", "BOOLEAN"), ("since", "TIMESTAMP"), ("zone", "VARCHAR"))

    def folder(self, files, form="CSV", columns=COLUMNS, total=None):
        """files: path below results/ -> (content, rows); writes the folder, returns its path."""
        for name, (content, _) in files.items():
            if content is not None:
                self.file("dump/results/" + name, content)
        manifest = {"result_files": [{"url": f"s3://bucket/some/prefix/results/{name}",
                                      "file_metadata": {"content_length_in_bytes": 1, "row_count": rows}}
                                     for name, (_, rows) in files.items()],
                    "query_metadata": {"content_length_in_bytes": 1, "result_format": form, "result_version": "x",
                                       "total_row_count": sum(r for _, r in files.values()) if total is None else total},
                    "author": {"name": "x", "manifest_file_version": "1.0"}}
        metadata = {"ColumnInfo": [{"Name": n, "Type": {"ScalarType": t}} for n, t in columns], "Author": {"Name": "x"}}
        self.file("dump/ABC_1_manifest.json", json.dumps(manifest))
        self.file("dump/ABC_1_metadata.json", json.dumps(metadata))
        return os.path.join(self.dir, "dump")

    def csv(self):
        """A single and a multi-measure row, in the quoting that UNLOAD uses."""
        return ('"a,\\"b\\"\\\\",speed,' + stamp(self.now, 5) + ",2.5,,,,\n"
                "c\\\\d,state," + stamp(self.now, 123456789) + "Z,,0.25,7,true," + stamp(self.now - 9) + "\n")

    EXPECTED_MULTI = {"load": 0.25, "jobs": 7, "up": True}

    def check(self):
        multi, = self.rows("SELECT load, jobs, up, site, zone, time, since FROM depot.goods WHERE measure_name = 'state'")
        self.assertEqual(multi, dict(self.EXPECTED_MULTI, site="c\\d", zone="North Pier", time=stamp(self.now, 123456789),
                                     since=stamp(self.now - 9)))
        single, = self.rows("SELECT measure_value::double AS v, site, zone, time FROM depot.goods WHERE measure_name = 'speed'")
        self.assertEqual(single, {"v": 2.5, "site": 'a,"b"\\', "zone": "North Pier", "time": stamp(self.now, 5)})

    def test_csv(self):
        header = ",".join(n for n, _ in self.COLUMNS[:-1]) + "\n"
        folder = self.folder({"zone=North Pier/ABC_1.gz": (self.csv(), 2), "zone=South/ABC_2.gz": (
            header + f"z,other,{stamp(self.now)},1,,,,\n", 1)})
        done = self.load("--verify", folder)
        self.assertIn("dimensions site, zone; values measure_value::double; measures load, jobs, up, since\n", done.stderr)
        self.assertIn("2 files, 3 rows read, 3 in the manifest\n", done.stderr)
        self.assertIn("verified: the table has 3 rows, 3 more than before\n", done.stderr)
        self.assertIn("3 records written, 0 refused\n", done.stderr)
        self.check()

    def test_parquet(self):
        path = os.path.join(self.dir, "x.parquet")
        ns = self.now * 10**9
        write_parquet(path, f"""
            SELECT 'a,"b"\\' AS site, 'speed' AS measure_name, make_timestamp_ns({ns + 5}) AS time,
                   2.5::DOUBLE AS "measure_value::double", NULL::DOUBLE AS load, NULL::BIGINT AS jobs, NULL::BOOLEAN AS up,
                   NULL::TIMESTAMP AS since
            UNION ALL SELECT 'c\\d', 'state', make_timestamp_ns({ns + 123456789}), NULL, 0.25, 7, true,
                   make_timestamp({(self.now - 9) * 10**6})""")
        with open(path, "rb") as file:
            content = file.read()
        folder = self.folder({"zone=North Pier/A[1]*.parquet": (content, 2)}, "PARQUET")
        self.assertIn("1 files, 2 rows read, 2 in the manifest\n", self.load(folder).stderr)
        self.check()

    def test_parquet_by_itself(self):
        path = os.path.join(self.dir, "many.parquet")
        write_parquet(path, f"SELECT 'h' || (i % 10)::VARCHAR AS host, {self.now * 1000} + i AS at, i / 8 AS v, [i] AS list "
                            "FROM range(20000) AS t(i)")
        done = self.load("--measure-name", "m", "--time", "at", path)
        self.assertIn("left out list\n", done.stderr)
        self.assertIn("20000 records written, 0 refused\n", done.stderr)
        self.assertEqual(self.rows("SELECT count(*) AS n, max(v) AS most FROM depot.goods"), [{"n": 20000, "most": 2499.875}])

    def test_parquet_of_old(self):
        path = os.path.join(self.dir, "old.parquet")
        write_int96(path, [self.now * 10**9 + 123456789, self.now * 10**9 + 86400])
        done = self.load("--measure-name", "m", "--dimensions", "w", path)
        self.assertIn("the times of time are INT96 and lose what is below a microsecond", done.stderr)
        self.assertEqual(self.rows("SELECT time, v FROM depot.goods ORDER BY v"), [
            {"time": stamp(self.now, 123456000), "v": 0}, {"time": stamp(self.now, 86000), "v": 1}])

    def test_text_that_is_a_measure(self):
        folder = self.folder({"A.gz": (f"n,state,{stamp(self.now)},,1,,,,late\n", 1)})
        self.load("--measures", "zone:varchar", os.path.join(folder, "ABC_1_manifest.json"))
        self.assertEqual(self.command("query", "DESCRIBE depot.goods").stdout.count("MULTI"), 2)
        self.assertEqual(self.rows("SELECT zone FROM depot.goods"), [{"zone": "late"}])

    def test_counts_that_differ(self):
        row = f"n,state,{stamp(self.now)},,1,,,,z\n"
        folder = self.folder({"A.csv": (row, 2)})
        done = self.load(folder, expect=1)
        self.assertIn("A.csv: 1 rows, the manifest says 2\n", done.stderr)
        self.assertIn("1 files, 1 rows read, 2 in the manifest\n", done.stderr)
        self.assertIn("1 rows read, 5 in the manifest", self.load(self.folder({"A.csv": (row, 1)}, total=5), expect=1).stderr)
        self.assertIn("0 in the manifest", self.load(self.folder({})).stderr)

    def test_folders_that_are_broken(self):
        self.assertIn("No such file", self.load(self.folder({"B.gz": (None, 1)}), expect=1).stderr)
        for content in ("", "{}", "[]", '{"query_metadata":{"total_row_count":1,"result_format":"CSV"},"result_files":[{"url":7}]}',
                        '{"query_metadata":{"total_row_count":1,"result_format":"CSV"},"result_files":[{"url":'
                        '"s3://b/results/../../x","file_metadata":{"row_count":1}}]}'):
            self.file("dump/ABC_1_manifest.json", content)
            self.assertIn("not what UNLOAD writes", self.load(os.path.join(self.dir, "dump"), expect=1).stderr)


class Resuming(Importing):
    ROWS = 300000

    def killed(self, state, *command):
        """The command, killed once its state has moved; gives the state it left."""
        with subprocess.Popen([BINARY, *command], env=self.env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                try:
                    with open(state, encoding="utf-8") as file:
                        left = json.load(file)
                except FileNotFoundError:
                    continue
                if left["rows"] > 0:
                    break
            process.send_signal(signal.SIGKILL)
            process.wait()
        with open(state, encoding="utf-8") as file:
            return json.load(file)

    def test_import_goes_on(self):
        half = self.ROWS // 2
        rows = [f"{self.now * 1000 + i},m,x{i % 7},{'?' if i % 50000 == 77 else i}\n" for i in range(self.ROWS)]
        head = "time,measure_name,a:dimension,measure_value::double\n"
        files = self.file("1.csv", head + "".join(rows[:half])), self.file("2.csv.gz", head + "".join(rows[half:]))
        state, rejects = os.path.join(self.dir, "state"), os.path.join(self.dir, "rejects")
        command = ("import", "-d", "depot", "-t", "goods", "--resume", state, "--rejects", rejects, *files)
        left = self.killed(state, *command)
        self.assertEqual(left["done"], 0)
        self.assertLess(left["rows"], self.ROWS)
        again = self.killed(state, *command)
        self.assertGreaterEqual(again["rows"], left["rows"])
        bad = len([r for r in rows if "?" in r])
        done = run(BINARY, *command, env=self.env, expect=1)
        self.assertIn(f"{self.ROWS - bad} records written, {bad} refused\n", done.stderr)
        with open(rejects, encoding="utf-8") as file:
            self.assertEqual(sorted(int(json.loads(line)["Record"]["Time"]) // 10**6 - self.now * 1000 for line in file),
                             [i for i in range(self.ROWS) if i % 50000 == 77])
        self.assertEqual(self.rows("SELECT count(*) AS n FROM depot.goods"), [{"n": self.ROWS - bad}])
        self.assertIn("all of it was imported before", run(BINARY, *command, env=self.env, expect=1).stderr)
        self.assertIn("belongs to another", run(BINARY, *command[:-1], env=self.env, expect=1).stderr)

    def test_outage_stops_and_loses_nothing(self):
        server = Server(keep=True)
        self.addCleanup(server.remove)
        env = credentials(server.url, KEY, SECRET, AWS_MAX_ATTEMPTS="1")
        run(BINARY, "databases", "create", "depot", env=env)
        run(BINARY, "tables", "create", "depot", "goods", env=env)
        path = self.file("x.csv", "time,measure_name,a:dimension,measure_value::double\n" +
                         "".join(f"{self.now * 1000 + i},m,x{i % 7},{i}\n" for i in range(self.ROWS)))
        state, rejects = os.path.join(self.dir, "state"), os.path.join(self.dir, "rejects")
        command = ("import", "-d", "depot", "-t", "goods", "--resume", state, "--rejects", rejects, "--give-up", "1", path)
        with subprocess.Popen([BINARY, *command], env=env, stderr=subprocess.PIPE, text=True) as process:
            while True:
                try:
                    with open(state, encoding="utf-8") as file:
                        if json.load(file)["rows"] > 0:
                            break
                except FileNotFoundError:
                    continue
            server.kill()
            _, said = process.communicate()
        self.assertEqual(process.returncode, 1, said)
        self.assertRegex(said, "stopped: MR_ERR_NETWORK: (.*\n)+.*goes on from the last checkpoint\n.* written, 0 refused, [0-9]+ not sent")
        self.assertEqual(os.path.getsize(rejects), 0)
        server.flags = ("--listen", f"127.0.0.1:{server.port}")
        server.start()
        self.addCleanup(server.stop)
        self.assertIn(f"{self.ROWS} records written, 0 refused\n", run(BINARY, *command, env=env).stderr)
        self.assertEqual(run(BINARY, "query", "SELECT count(*) FROM depot.goods", env=env).stdout, f"_col0\n{self.ROWS}\n")

    def test_export_goes_on(self):
        lines = [f"m,a=x{i % 7} v={i}i {(self.now * 1000 + i) * 10**6}\n" for i in range(self.ROWS)]
        lines += [f"m,a=early v={i}i {(self.now - 3000) * 10**9 + i}\n" for i in range(2000)]
        self.load(self.file("x.line", "".join(lines)))
        state, out = os.path.join(self.dir, "state"), os.path.join(self.dir, "out.csv")
        command = ("export", "-d", "depot", "-t", "goods", "--output-format", "csv", "--resume", state, "--output", out)
        left = self.killed(state, *command)
        done = run(BINARY, *command, env=self.env)
        self.assertIn(f"{self.ROWS + 2000} records exported\n", done.stderr)
        with open(out, encoding="utf-8") as file:
            head, *rows = file.read().splitlines()
        self.assertTrue(head.startswith("a:dimension,measure_name,time"))
        self.assertEqual(len(rows), self.ROWS + 2000)
        self.assertEqual(len(set(rows)), self.ROWS + 2000)
        self.assertGreater(left["rows"], 0)
        self.assertIn("all of it was exported before", run(BINARY, *command, env=self.env).stderr)
        self.assertIn("--output", run(BINARY, *command[:-2], env=self.env, expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
