"""The commands of the binary: what they print, what they exit with."""

import json
import os
import pty
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from support import ROOT, SCRATCH, credentials, run
from server import BINARY, KEY, SECRET, Server


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def cli(self, *arguments, expect=0, text=None, **more):
        env = credentials(self.server.url, KEY, SECRET)
        env.update(more)
        return run(BINARY, *arguments, expect=expect, env=env, text=text)

    def test_help(self):
        self.assertIn("query", self.cli("--help").stdout)
        for command in ("query", "write", "import", "export", "databases", "tables", "tags"):
            self.assertIn("usage: millrace " + command, self.cli(command, "--help").stdout)
            self.assertEqual(self.cli(command, "--help").stdout, self.cli("help", command).stdout)
            for option in ("--endpoint", "--region", "--profile"):
                self.assertIn(option, self.cli(command, "--help").stdout)

    def test_misuse(self):
        for arguments in (("nonsense",), ("query", "a", "b"), ("query", "--format", "xml", "SELECT 1"),
                          ("databases", "create"), ("databases", "paint", "x"), ("tables", "create", "a"), ("tags",), ("tags", "add", "arn"), ("tags", "add", "arn", "x"),
                          ("query", "--spool", "x", "SELECT 1"), ("write", "--create", "-d", "a", "-t", "b"),
                          ("write", "x.json"), ("query", "--no-such-option"), ("write", "-d", "a", "-t", "b",
                                                                              "--input-format", "xml")):
            done = self.cli(*arguments, expect=2)
            self.assertEqual(done.stdout, "")
            self.assertIn("usage:", done.stderr)

    def test_a_day_in_the_life(self):
        self.cli("databases", "create", "yard")
        self.cli("tables", "create", "yard", "cranes", "--memory-hours", "24", "--magnetic-days", "7")
        self.assertEqual(self.cli("tables", "yard").stdout,
                         "database,name,status,memory_hours,magnetic_days\nyard,cranes,ACTIVE,24,7\n")
        self.assertIn("yard,1,arn:aws:timestream:us-east-1:", self.cli("databases").stdout)
        described = json.loads(self.cli("databases", "describe", "yard", "--format", "json").stdout)
        self.assertEqual(described["tables"], 1)
        self.assertEqual(self.cli("tags", described["arn"]).stdout, "key,value\n")
        self.cli("tags", "add", described["arn"], "team=press", "empty=", "eq=a=b")
        self.assertEqual(sorted(self.cli("tags", described["arn"]).stdout.splitlines()), ["empty,", "eq,a=b", "key,value", "team,press"])
        self.cli("tags", "remove", described["arn"], "team", "empty", "eq")
        self.assertEqual(self.cli("tags", described["arn"]).stdout, "key,value\n")
        now = int(time.time())
        lines = [json.dumps({"Dimensions": [{"Name": "crane", "Value": "north"}], "MeasureName": "load",
                             "MeasureValue": str(i / 4), "Time": str(now - i), "TimeUnit": "SECONDS"}) for i in range(250)]
        done = self.cli("write", "-d", "yard", "-t", "cranes", text="\n".join(lines) + "\n")
        self.assertEqual(done.stderr, "250 records written, 0 refused\n")
        answer = self.cli("query", "SELECT count(*) AS n, max(measure_value::double) AS most FROM yard.cranes").stdout
        self.assertEqual(answer, "n,most\n250,62.25\n")
        rejects = os.path.join(SCRATCH, "rejects.jsonl")
        influx = f"wind,mast=a speed=3.5,gusts=2i {now}000000001\nwind,mast=a speed=1 1\nnonsense\n"
        done = self.cli("write", "-d", "yard", "-t", "cranes", "--input-format", "line", "--rejects", rejects,
                        text=influx, expect=1)
        self.assertIn("1 records written, 2 refused\n", done.stderr)
        with open(rejects, encoding="utf-8") as file:
            notes = sorted((json.loads(line) for line in file), key=lambda n: n["Code"])
        self.assertEqual([n["Code"] for n in notes], ["BadLine", "RejectedRecordsException"])
        self.assertEqual(notes[0]["Line"], "nonsense")
        self.assertEqual(notes[1]["Record"]["Time"], "1")
        row = json.loads(self.cli("query", "--format", "json", "-", text="SELECT speed, gusts, time FROM yard.cranes "
                                  "WHERE measure_name = 'wind'").stdout)
        self.assertEqual((row["speed"], row["gusts"]), (3.5, 2))
        self.assertTrue(row["time"].endswith(".000000001"))
        self.cli("tables", "delete", "yard", "cranes")
        self.cli("databases", "delete", "yard")
        done = self.cli("tables", "describe", "yard", "cranes", expect=1)
        self.assertIn("millrace: ResourceNotFoundException: ", done.stderr)

    def test_where_and_who(self):
        env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
        self.assertIn("Failed to connect", self.cli("databases", expect=1, **env).stderr)
        self.cli("databases", "--endpoint", self.server.url, **env)
        self.assertIn("No region", self.cli("databases", expect=1, AWS_REGION="").stderr)
        self.cli("databases", "--region", "eu-central-1", AWS_REGION="")
        self.assertIn("InvalidSignatureException", self.cli("databases", expect=1, AWS_SECRET_ACCESS_KEY="x").stderr)

    def test_export_is_what_write_reads(self):
        self.cli("databases", "create", "port")
        for table in ("quay", "copy"):
            self.cli("tables", "create", "port", table)
        now = int(time.time()) * 1000
        lines = [json.dumps({"Dimensions": [{"Name": "berth", "Value": f"b \"{i % 3}\" \u00e4"}], "MeasureName": f"depth{i}",
                             "MeasureValue": value, "MeasureValueType": kind, "Time": str(now - i)})
                 for i, (value, kind) in enumerate((("1.25", "DOUBLE"), ("-7", "BIGINT"), ("true", "BOOLEAN"),
                                                    ("a,b", "VARCHAR")))]
        lines.append(json.dumps({"Dimensions": [{"Name": "berth", "Value": "x"}, {"Name": "crane", "Value": "n"}],
                                 "MeasureName": "state", "MeasureValueType": "MULTI", "Time": str(now), "MeasureValues": [
                                     {"Name": "load", "Value": "1.0E-4", "Type": "DOUBLE"},
                                     {"Name": "since", "Value": str(now - 5), "Type": "TIMESTAMP"},
                                     {"Name": "note", "Value": "n\n1", "Type": "VARCHAR"}]}))
        self.cli("write", "-d", "port", "-t", "quay", text="\n".join(lines) + "\n")
        exported = self.cli("export", "-d", "port", "-t", "quay")
        self.assertEqual(exported.stderr, "5 records exported\n")
        self.cli("write", "-d", "port", "-t", "copy", text=exported.stdout)
        again = self.cli("export", "-d", "port", "-t", "copy").stdout
        self.assertEqual(sorted(exported.stdout.splitlines()), sorted(again.splitlines()))
        records = [json.loads(line) for line in again.splitlines()]
        multi, = (r for r in records if r["MeasureName"] == "state")
        self.assertEqual(multi["Time"], f"{now}000000")
        self.assertEqual({v["Name"]: v["Value"] for v in multi["MeasureValues"]},
                         {"load": "1.0E-4", "since": f"{now - 5}000000", "note": "n\n1"})
        self.assertEqual(self.cli("export", "-d", "port", "-t", "quay", "--from", "2100-01-01T00:00:00Z").stdout, "")
        self.assertIn("no\"x", self.cli("export", "-d", "port", "-t", 'no"x', expect=1).stderr)
        self.cli("export", "-d", "port", expect=2)
        for table in ("quay", "copy"):
            self.cli("tables", "delete", "port", table)
        self.cli("databases", "delete", "port")

    @staticmethod
    def listens(terminal):
        """Whether the editor has the terminal: what is typed before may be lost when it takes over."""
        return not termios.tcgetattr(terminal)[3] & termios.ICANON

    def shell(self, typed, home, program=(BINARY, "query", "--format", "csv")):
        """What a terminal shows when this is typed into `millrace query`, or into another program with prompts."""
        env = dict(credentials(self.server.url, KEY, SECRET), HOME=home, TERM="dumb", COLUMNS="200", PS1="> ",
                   PATH=os.path.dirname(BINARY) + ":" + os.environ["PATH"])
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(program[0], program, env)
        shown, lines, deadline = b"", typed.splitlines(keepends=True), time.monotonic() + 30
        sent = 0
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.02)[0]:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:  # the other side is closed
                    break
            elif sent < len(lines) and shown.count(b"> ") > sent and self.listens(terminal):
                os.write(terminal, lines[sent].encode())
                sent += 1
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        self.assertEqual(os.waitpid(pid, 0)[1], 0, shown)
        return shown.decode().replace("\r\n", "\n")

    def test_shell(self):
        self.cli("databases", "create", "reef")
        self.cli("tables", "create", "reef", "corals")
        with tempfile.TemporaryDirectory() as home:
            shown = self.shell("SELECT 1 AS a;\nSELECT ';' AS b,\n 2 AS c; SELECT 3 AS d;\nSELEKT;\n\\d\n\\d reef\n"
                               "\\d reef corals\n\\f json\nSELECT 4 AS e;\n\\f xml\n\\x\ndescribe ree\t;\n\\q\n", home)
            for expected in ("a\n1\n", "b,c\n;,2\n", "d\n3\n", "query syntax is invalid at line 1:1", "Database\n",
                             "corals", "measure_name,varchar,MEASURE_NAME", '{"e":4}', "table, csv or json\n",
                             "ends with a semicolon"):
                self.assertIn(expected, shown)
            self.assertEqual(shown.count("MEASURE_NAME"), 2)  # \\d, and the completed name
            with open(os.path.join(home, ".millrace_history"), encoding="utf-8") as file:
                self.assertIn("SELEKT", file.read())
            self.assertIn("millrace> ", self.shell("\x04", home))  # the end of input
        self.cli("tables", "delete", "reef", "corals")
        self.cli("databases", "delete", "reef")

    def complete(self, *words):
        script = os.path.join(ROOT, "cli", "completion", "millrace.bash")
        quoted = " ".join(f"'{w}'" for w in (BINARY, *words))
        done = run("bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _millrace; "
                                 'echo "${COMPREPLY[@]}"', env=credentials(self.server.url, KEY, SECRET))
        return done.stdout.split()

    def test_completion(self):
        self.cli("databases", "create", "shore")
        self.cli("tables", "create", "shore", "tides")
        self.assertEqual(self.complete("qu"), ["query"])
        self.assertEqual(self.complete("query", "--format", "j"), ["json"])
        self.assertEqual(self.complete("import", "--ver"), ["--verify"])
        self.assertEqual(self.complete("import", "--input-format", "pa"), ["parquet"])
        self.assertEqual(self.complete("help", "im"), ["import"])
        self.assertEqual(self.complete("tables", "up"), ["update"])
        self.assertEqual(self.complete("databases", "cr"), ["create"])
        self.assertEqual(self.complete("databases", "delete", "sh"), ["shore"])
        self.assertEqual(self.complete("tables", "describe", "shore", ""), ["tides"])
        self.assertEqual(self.complete("write", "-d", "sho"), ["shore"])
        self.assertIn("--memory-hours", self.complete("tables", "--"))
        setup = f"fpath=({ROOT}/cli/completion $fpath); autoload -U compinit && compinit -D -u\n"
        with tempfile.TemporaryDirectory() as home:
            shown = self.shell(setup + "millrace tab\tsho\t--form\tcs\t\nmillrace tables descr\tsho\ttid\t\nexit\n", home,
                               ("/bin/zsh", "-f", "-i"))
        self.assertIn("shore,tides,ACTIVE", shown)  # what was completed, run
        self.assertRegex(shown, r"shore +tides +ACTIVE")
        self.cli("tables", "delete", "shore", "tides")
        self.cli("databases", "delete", "shore")

    def test_write_looks_first(self):
        begin = time.monotonic()
        write = ("write", "-d", "nowhere", "-t", "nothing")
        self.assertIn("ResourceNotFoundException", self.cli(*write, text="{}\n", expect=1).stderr)
        self.assertIn("InvalidSignatureException",
                      self.cli(*write, text="{}\n", expect=1, AWS_SECRET_ACCESS_KEY="x").stderr)
        away = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
        self.assertIn("Failed to connect", self.cli(*write, text="{}\n", expect=1, **away).stderr)
        self.assertLess(time.monotonic() - begin, 20)
        line = json.dumps({"Dimensions": [{"Name": "a", "Value": "b"}], "MeasureName": "m", "MeasureValue": "1",
                           "Time": str(int(time.time() * 1000))}) + "\n"
        with tempfile.TemporaryDirectory() as spool:
            kept = self.cli(*write, "--spool", spool, text=line, **away).stderr
            self.assertRegex(kept, r"^0 records written, 0 refused, \d+ bytes kept in ")
            self.cli("databases", "create", "nowhere")
            self.cli("tables", "create", "nowhere", "nothing")
            self.assertIn("1 records written, 0 refused, 0 bytes kept", self.cli(*write, "--spool", spool, text="").stderr)
            self.assertEqual(self.cli("query", "SELECT count(*) FROM nowhere.nothing").stdout, "_col0\n1\n")
            self.cli("tables", "delete", "nowhere", "nothing")
            self.cli("databases", "delete", "nowhere")

    def test_nobody_reads(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "query", "SELECT 1"], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                  env=credentials(self.server.url, KEY, SECRET))
        self.assertEqual(done.returncode, 1)
        self.assertIn("did not take", done.stderr)


if __name__ == "__main__":
    unittest.main()
