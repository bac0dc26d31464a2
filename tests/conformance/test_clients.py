"""Clients with nothing but environment variables: the JavaScript SDK, the AWS CLI, presigned URLs."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from base import Case
from server import Server, clients, credentials_env

HERE = os.path.dirname(os.path.abspath(__file__))


def plain_env(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env.update(credentials_env(), HOME=tempfile.gettempdir(), **more)
    return env


class JavaScript(Case):
    def test_environment_only(self):  # 11.2
        done = subprocess.run(["node", "discovery.mjs"], cwd=HERE, capture_output=True, text=True, timeout=120,
                              env=plain_env(AWS_ENDPOINT_URL=self.server.url, AWS_REGION="us-east-1"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class CommandLine(Case):
    def aws(self, *arguments, ok=True):
        program = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else shutil.which("aws")
        done = subprocess.run([program, *arguments, "--endpoint-url", self.server.url, "--output", "json"],
                              capture_output=True, text=True, timeout=120, env=plain_env())
        self.assertEqual(done.returncode == 0, ok, done.stdout + done.stderr)
        return json.loads(done.stdout) if ok and done.stdout.strip() else done.stderr

    def test_write_and_query(self):
        self.aws("timestream-write", "create-database", "--database-name", "cli")
        self.aws("timestream-write", "create-table", "--database-name", "cli", "--table-name", "tbl")
        got = self.aws("timestream-query", "query", "--query-string", 'SHOW TABLES FROM "cli"')
        self.assertEqual(got["Rows"], [{"Data": [{"ScalarValue": "tbl"}]}])
        text = self.aws("timestream-write", "describe-table", "--database-name", "cli", "--table-name", "none", ok=False)
        self.assertIn("An error occurred (ResourceNotFoundException) when calling the DescribeTable operation", text)


class Presigned(Case):
    def call(self, url, target, headers=None):
        request = urllib.request.Request(url, data=b"", method="POST", headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Timestream_20181101.{target}",
            **(headers or {})})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    def test_scalar_inputs(self):  # 2.3
        name = self.database()
        url = self.write.generate_presigned_url("describe_database", Params={"DatabaseName": name}, ExpiresIn=60)
        status, body = self.call(url, "DescribeDatabase")
        self.assertEqual((status, body["Database"]["DatabaseName"]), (200, name))
        url = self.write.generate_presigned_url("list_databases", Params={"MaxResults": 1})
        status, body = self.call(url, "ListDatabases")
        self.assertEqual((status, len(body["Databases"])), (200, 1))
        status, body = self.call(url + "0", "ListDatabases")
        self.assertEqual((status, body["__type"].split("#")[1]), (403, "InvalidSignatureException"))


class Keys(unittest.TestCase):
    def test_several_keys_and_strangers(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write("[reader]\naws_access_key_id = AKIDREADER0000000001\naws_secret_access_key = reader/secret/0123456789\n")
            file.flush()
            server = Server("--credentials", file.name)
            try:
                for key, secret, region in (("AKIDREADER0000000001", "reader/secret/0123456789", "eu-west-1"),):
                    client, _ = clients(server.url, key, secret, region)
                    made = client.create_database(DatabaseName="other-region")["Database"]
                    self.assertIn(":eu-west-1:", made["Arn"])
                from botocore.exceptions import ClientError
                for key, secret, code in (("AKIDREADER0000000001", "wrong", "InvalidSignatureException"),
                                          ("AKIDNOBODY", "x", "UnrecognizedClientException")):
                    client, _ = clients(server.url, key, secret)
                    with self.assertRaises(ClientError) as caught:
                        client.list_databases()
                    self.assertEqual(caught.exception.response["Error"]["Code"], code)
                    self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403)
                self.assertNotIn("reader/secret", server.logged())
            finally:
                server.stop()


class Operability(Case):
    def get(self, path):
        with urllib.request.urlopen(self.server.url + path) as answer:
            return answer.status, answer.read().decode()

    def test_health_and_metrics(self):
        self.assertEqual(self.get("/health"), (200, '{"status":"ok"}'))
        self.write.list_databases()
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn('millrace_request_seconds_count{operation="ListDatabases"}', text)

    def test_second_process_is_refused(self):
        with self.assertRaises(RuntimeError) as caught:
            Server(data=self.server.data, keep=True)
        self.assertIn("in use by another millrace process", str(caught.exception))

    def test_bad_flags_say_what_is_wrong(self):
        from server import BINARY
        for flags, text in ((["--listen", "x"], "--listen must be HOST:PORT"), (["--nope", "1"], "unknown flag '--nope'"),
                            (["--max-body", "1"], "max-body must be a number from"), (["--tls-cert", "x"], "go together"),
                            (["--data"], "--data needs a value")):
            done = subprocess.run([BINARY, "serve", "--data", "/nonexistent/dir", *flags], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(text, done.stderr)
        done = subprocess.run([BINARY, "serve", "--data", "/proc/none"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/none", done.stderr)

    def test_stopping_finishes_and_keeps(self):
        server = Server(keep=True)
        write, _ = clients(server.url)
        write.create_database(DatabaseName="kept")
        server.stop()
        server.start()
        write, _ = clients(server.url)
        self.assertEqual(len(write.list_databases()["Databases"]), 1)
        server.keep = False
        server.stop()


if __name__ == "__main__":
    unittest.main()
