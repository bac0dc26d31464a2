"""The library against a running Millrace: every kind of call, threads, discovery, TLS, the example of the manual."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from support import BUILD, ROOT, SCRATCH, credentials, probe, run
from server import BINARY, KEY, SECRET, Server

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,possible"]


class Against(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def env(self, **more):
        return credentials(self.server.url, KEY, SECRET, **more)

    def probe(self, *arguments, wrap=(), **more):
        return run(*wrap, probe(), *arguments, env=self.env(**more)).stdout


class Server1(Against):
    def test_everything(self):
        self.assertEqual(self.probe("everything"), "ok\n")

    def test_threads_share_a_client(self):
        self.assertEqual(self.probe("calls", "100", "12"), "0 failed\n")

    def test_discovery(self):
        self.assertIn("0||200|1|", self.probe("call", AWS_ENABLE_ENDPOINT_DISCOVERY="true"))

    def test_memory_does_not_grow(self):
        """SOAK_SECONDS=600 is the long form."""
        self.assertEqual(self.probe("query", "SELECT 1"), "1\n")
        for what in (("databases", "create", "probe_db"), ("tables", "create", "probe_db", "probe_tbl")):
            run(BINARY, *what, env=self.env())
        seconds = int(os.environ.get("SOAK_SECONDS", "8"))
        printed = run(probe(), "soak", str(seconds), env=self.env(), timeout=seconds + 100).stdout
        print(printed.strip())
        rounds, early, late = (int(n) for n in re.findall(r"\d+", printed))
        self.assertGreaterEqual(rounds, 20)
        self.assertLess(late, early + 200_000)  # what malloc keeps for threads comes and goes
        for what in (("tables", "delete", "probe_db", "probe_tbl"), ("databases", "delete", "probe_db")):
            run(BINARY, *what, env=self.env())

    def test_wrong_secret(self):
        line = self.probe("call", AWS_SECRET_ACCESS_KEY="wrong")
        self.assertTrue(line.startswith("MR_ERR_SERVICE|InvalidSignatureException|403|1|"), line)

    def test_presigned(self):
        url = self.probe("presign").strip()
        done = run("curl", "-sS", "-X", "POST", "-H", "Content-Type: application/x-amz-json-1.0", "-H",
                   "X-Amz-Target: Timestream_20181101.ListDatabases", url)
        self.assertIn('"Databases":[', done.stdout)
        done = run("curl", "-sS", "-X", "POST", "-H", "Content-Type: application/x-amz-json-1.0", "-H",
                   "X-Amz-Target: Timestream_20181101.ListDatabases", url.replace("MaxResults=5", "MaxResults=6"))
        self.assertIn("InvalidSignatureException", done.stdout)


class Valgrind(Against):
    """No invalid access, no use of what was never set, no leak. A library with a sanitizer inside looks itself."""

    def clean(self, *arguments, env=None, expect=0):
        wrap = [] if "libasan" in run("ldd", os.path.join(BUILD, "libmillrace.so")).stdout else VALGRIND
        return run(*wrap, probe(), *arguments, env=env or self.env(), timeout=300, expect=expect).stdout

    def test_everything(self):
        self.assertEqual(self.clean("everything"), "ok\n")

    def test_writer_and_spool(self):
        for what in (("databases", "create", "probe_db"), ("tables", "create", "probe_db", "probe_tbl")):
            run(BINARY, *what, env=self.env())
        with tempfile.TemporaryDirectory() as spool:
            self.assertIn("written 2000 rejected 0 recovered 0\n", self.clean("write", "2000", spool))
        self.assertEqual(self.clean("write", "2000"), "written 2000 rejected 0 recovered 0\n")
        for what in (("tables", "delete", "probe_db", "probe_tbl"), ("databases", "delete", "probe_db")):
            run(BINARY, *what, env=self.env())

    def test_threads(self):
        self.assertEqual(self.clean("calls", "5", "6"), "0 failed\n")

    def test_failures(self):
        for env in ({"AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {"AWS_ENDPOINT_URL": "nonsense"},
                    {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}):
            self.assertTrue(self.clean("call", env=dict(self.env(), AWS_MAX_ATTEMPTS="2", **env), expect=None).startswith("MR_ERR"))

    def test_queries(self):
        self.assertEqual(self.clean("query", "SELECT ARRAY[1, 2], ROW(1, 'a'), CREATE_TIME_SERIES(now(), 1.5)").count("\t"), 2)
        self.assertIn("ValidationException", self.clean("query", "SELEKT", expect=1))


class Examples(Against):
    def example(self, document, lines):
        """The one C example of a document, of at most so many lines, compiled against an installed library, run, and run again under valgrind."""
        with open(os.path.join(ROOT, document), encoding="utf-8") as text:
            block, = re.findall(r"```c\n(.*?)```", text.read(), re.S)
        self.assertLessEqual(len(block.splitlines()), lines)
        prefix = os.path.join(SCRATCH, "prefix")
        run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "client")
        flags = run("pkg-config", "--cflags", "--libs", "libmillrace",
                    env=dict(os.environ, PKG_CONFIG_PATH=self.pkg_config_path(prefix))).stdout.split()
        flags = [f.replace("/usr/local", prefix) for f in flags]
        source, out = os.path.join(SCRATCH, "example.c"), os.path.join(SCRATCH, "example")
        with open(source, "w", encoding="utf-8") as file:
            file.write(block)
        run("cc", "-Wall", "-Wextra", "-Werror", "-g", "-o", out, source, *flags, f"-Wl,-rpath,{BUILD}")
        printed = run(out, env=self.env())
        if "libasan" not in run("ldd", out).stdout:
            run(*VALGRIND, out, env=self.env())
        return printed

    def test_manual(self):
        self.assertRegex(self.example("docs/client.md", 45).stdout, r"^\d{19} 7 0\.31\n$")

    def test_readme(self):
        run(BINARY, "databases", "create", "greenhouse", env=self.env())
        run(BINARY, "tables", "create", "greenhouse", "climate", env=self.env())
        self.assertEqual(self.example("README.md", 30).stderr, "")
        count = run(probe(), "query", "SELECT count(*) >= 1000 FROM greenhouse.climate", env=self.env()).stdout
        self.assertEqual(count, "true\n")

    def pkg_config_path(self, prefix):
        for folder, _, files in os.walk(prefix):
            if "libmillrace.pc" in files:
                return folder
        raise AssertionError("no libmillrace.pc was installed")


class Tls(unittest.TestCase):
    def test_certificates_are_verified(self):
        cert, key = os.path.join(SCRATCH, "cert.pem"), os.path.join(SCRATCH, "key.pem")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
        server = Server("--tls-cert", cert, "--tls-key", key)
        try:
            env = credentials(server.url, KEY, SECRET)
            self.assertIn("MR_ERR_TLS||0|1|", run(probe(), "call", env=env).stdout)
            self.assertIn("0||200|1|", run(probe(), "call", env=dict(env, AWS_CA_BUNDLE=cert)).stdout)
            wrong_name = server.url.replace("127.0.0.1", "localhost")
            self.assertIn("MR_ERR_TLS", run(probe(), "call", env=dict(env, AWS_CA_BUNDLE=cert,
                                                                      AWS_ENDPOINT_URL=wrong_name)).stdout)
        finally:
            server.stop()


class Writer(unittest.TestCase):
    def killed_writer(self, spool, env, safe_at_least):
        """Kills a writer once it has called that many records safe; gives how many it had by then."""
        with subprocess.Popen([probe(), "write", "100000", spool], stdout=subprocess.PIPE, text=True, env=env) as writer:
            safe = 0
            for line in writer.stdout:
                safe = int(line.split()[1])
                if safe >= safe_at_least:
                    break
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout:  # what it had said by then counts, too
                safe = int(line.split()[1]) if line.startswith("safe") and line.endswith("\n") else safe
        return safe

    def test_spool_survives_kill(self):
        """A writer is killed in the middle, again and again, while the server is down; what it called safe arrives afterwards.
        SPOOL_KILLS=200 is the long form. Records are told apart by their times, so none hides the loss of another."""
        server = Server(keep=True)
        env = credentials(server.url, KEY, SECRET)
        run(BINARY, "databases", "create", "probe_db", env=env)
        run(BINARY, "tables", "create", "probe_db", "probe_tbl", env=env)
        port = server.port
        server.stop()
        with tempfile.TemporaryDirectory() as spool:
            kills, safe, batches = int(os.environ.get("SPOOL_KILLS", "6")), 0, []
            for kill in range(kills):
                batches.append(self.killed_writer(spool, dict(env, PROBE_RUN=str(kill)), 500 + 700 * (kill % 5)))
                safe += batches[-1]
            server.flags = ("--listen", f"127.0.0.1:{port}")
            server.start()
            try:
                printed = run(probe(), "write", "1", spool, env=dict(env, PROBE_RUN="last"), timeout=100).stdout
                found = re.search(r"written (\d+) rejected (\d+) recovered (\d+)", printed)
                self.assertGreaterEqual(int(found.group(3)), safe, printed)
                self.assertEqual(found.group(2), "0")
                for kill, count in enumerate(batches):
                    sql = f"SELECT count(*) FROM probe_db.probe_tbl WHERE run = '{kill}' AND measure_value::double < {count / 8}"
                    self.assertEqual(run(probe(), "query", sql, env=env).stdout, f"{count}\n")
            finally:
                server.stop()
                server.remove()

    def test_server_that_dies_and_returns(self):
        """The server is killed three times under a writer without a spool: every record is there in the end, once."""
        server = Server(keep=True)
        env = credentials(server.url, KEY, SECRET)
        run(BINARY, "databases", "create", "probe_db", env=env)
        run(BINARY, "tables", "create", "probe_db", "probe_tbl", env=env)
        server.flags = ("--listen", f"127.0.0.1:{server.port}")
        writer = subprocess.Popen([probe(), "write", "400000"], stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(3):
            time.sleep(0.4)
            server.kill()
            time.sleep(0.2)
            server.start()
        printed, _ = writer.communicate(timeout=100)
        try:
            self.assertEqual(printed, "written 400000 rejected 0 recovered 0\n")
            count = run(probe(), "query", "SELECT count(*) FROM probe_db.probe_tbl", env=env).stdout
            self.assertEqual(count, "400000\n")
        finally:
            server.stop()
            server.remove()


if __name__ == "__main__":
    unittest.main()
