"""`millrace user` and `millrace policy`: the users file changed while a server reads it (docs/security.md)."""

import json
import os
import subprocess
import tempfile
import threading
import time
import unittest

from botocore.exceptions import ClientError
from server import BINARY, Server, clients

DISCOVER = {"Effect": "Allow", "Action": "timestream:*", "Resource": "*"}


class UsersCli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="millrace-users-")
        self.path = os.path.join(self.folder.name, "users.json")

    def tearDown(self):
        self.folder.cleanup()

    def run_cli(self, *words, expect=0, users=True):
        done = subprocess.run([BINARY, *words, *(("--users", self.path) if users else ())], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def key(self, *words, **more):
        lines = dict(line.split() for line in self.run_cli(*words, **more).stdout.splitlines())
        return lines["AccessKeyId"], lines["SecretAccessKey"]

    def put_policy(self, name, *statements, data=()):
        path = os.path.join(self.folder.name, "document.json")
        with open(path, "w") as f:
            json.dump({"Version": "2012-10-17", "Statement": list(statements)}, f)
        self.run_cli("policy", "check", path)
        self.run_cli("policy", "put", name, path, *data)

    def test_a_server_hears_of_every_change(self):
        self.put_policy("all", DISCOVER)
        first = self.key("user", "add", "amy", "--policy", "all")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        server = Server("--users", self.path)
        told = ("--data", server.data)
        count = 0

        def works(pair):
            write, _ = clients(server.url, key=pair[0], secret=pair[1])
            write.list_databases()

        def refused(pair, code):
            with self.assertRaises(ClientError) as caught:
                works(pair)
            self.assertEqual(caught.exception.response["Error"]["Code"], code)

        def heard():
            nonlocal count
            count += 1
            until = time.monotonic() + 30
            while server.logged().count("event=reloaded") < count:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)

        try:
            works(first)
            second = self.key("user", "key", "rotate", "amy", *told)
            heard()
            works(second)
            refused(first, "UnrecognizedClientException")
            self.run_cli("user", "key", "enable", "amy", first[0], *told)
            heard()
            works(first)
            self.run_cli("user", "key", "delete", "amy", first[0], *told)
            heard()
            refused(first, "UnrecognizedClientException")
            self.run_cli("user", "detach", "amy", "all", *told)
            heard()
            refused(second, "AccessDeniedException")
            self.run_cli("user", "attach", "amy", "all", *told)
            heard()
            works(second)
            self.put_policy("all", {"Effect": "Deny", "Action": "*", "Resource": "*"}, data=told)
            heard()
            refused(second, "AccessDeniedException")
            self.run_cli("user", "remove", "amy", *told)
            heard()
            refused(second, "UnrecognizedClientException")
            logged = server.logged()
            for _, secret in (first, second):
                self.assertNotIn(secret, logged)
        finally:
            server.stop()
        done = self.run_cli("user", "add", "late", "--data", server.data, expect=1)  # nobody there to tell
        self.assertIn("SecretAccessKey", done.stdout)  # but the key is in the file, so its secret is shown

    def test_secrets_are_shown_once(self):
        _, secret = self.key("user", "add", "amy")
        for words in (("user", "list"), ("policy", "list"), ("policy", "check", self.path)):
            done = self.run_cli(*words)
            self.assertNotIn(secret, done.stdout + done.stderr)

    def test_editors_take_turns(self):
        self.run_cli("user", "add", "first", "--no-key")
        threads = [threading.Thread(target=self.run_cli, args=("user", "add", f"u{i}")) for i in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sum(not line.startswith(" ") for line in self.run_cli("user", "list").stdout.splitlines()), 13)

    def test_what_does_not_fit_changes_nothing(self):
        self.key("user", "add", "amy")
        with open(self.path) as f:
            before = f.read()
        for words in (("user", "add", "amy"), ("user", "add", "a b"), ("user", "add", "root"), ("user", "remove", "bob"),
                      ("user", "attach", "amy", "nothing"), ("user", "detach", "amy", "nothing"),
                      ("user", "key", "disable", "amy", "AKNOTHING"), ("user", "key", "create", "bob"),
                      ("user", "key", "create", "amy", "--expires", "soon"), ("policy", "remove", "nothing"),
                      ("policy", "show", "nothing"), ("policy", "put", "p", self.path)):
            self.assertIn("millrace: ", self.run_cli(*words, expect=1).stderr, words)
        for words in (("user",), ("user", "paint", "amy"), ("user", "key", "create"), ("policy",), ("policy", "put", "p"),
                      ("policy", "simulate"), ("user", "list", "--nonsense")):
            self.assertIn("usage: ", self.run_cli(*words, expect=2).stderr, words)
        self.assertIn("--users FILE is needed", self.run_cli("user", "list", expect=2, users=False).stderr)
        with open(self.path) as f:
            self.assertEqual(f.read(), before)

    def test_simulate_names_what_decides(self):
        arn = "arn:aws:timestream:us-east-1:123456789012:database/yard/table/"
        self.put_policy("yard", dict(DISCOVER, Action="timestream:Select", Resource=arn + "*"),
                        dict(DISCOVER, Effect="Deny", Resource=arn + "payroll", Sid="NotPayroll"),
                        dict(DISCOVER, Action="timestream:WriteRecords",
                             Condition={"StringEquals": {"aws:ResourceTag/team": "cranes"}}))
        self.run_cli("user", "add", "amy", "--policy", "yard")

        def ask(action, resource, *more, expect):
            return self.run_cli("policy", "simulate", "--user", "amy", "--action", "timestream:" + action, "--resource",
                                resource, *more, expect=expect).stdout.splitlines()

        self.assertEqual(ask("Select", arn + "loads", expect=0), ["allowed: policy yard, statement 1"])
        self.assertEqual(ask("Select", arn + "payroll", expect=1),
                         ["denied explicitly: policy yard, statement 2 (NotPayroll)"])
        self.assertEqual(ask("DeleteTable", arn + "loads", expect=1), ["denied: no statement allows it"])
        self.assertIn("aws:ResourceTag/team was asked for", ask("WriteRecords", arn + "loads", expect=1)[1])
        self.assertEqual(ask("WriteRecords", arn + "loads", "--context", "aws:ResourceTag/team=cranes", expect=0),
                         ["allowed: policy yard, statement 3"])


if __name__ == "__main__":
    unittest.main()
