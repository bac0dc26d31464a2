"""The audit log and the limits of access keys (docs/security.md)."""

import json
import os
import signal
import tempfile
import time
import unittest

import boto3
import server as harness
from base import Case, record
from botocore.exceptions import ClientError
from server import ACCOUNT, REGION, Server, clients


def user(name, **more):
    return {"AccessKeys": [{"AccessKeyId": f"AKID{name.upper()}", "SecretAccessKey": f"{name}/secret"}],
            "Policies": [{"Statement": {"Effect": "Allow", "Action": "timestream:*", "Resource": "*"}},
                         {"Statement": {"Effect": "Deny", "Action": "timestream:DeleteDatabase", "Resource": "*"}}],
            **more}


def write_users(path, **users):
    with open(path, "w") as f:
        json.dump({"Users": users}, f)
    os.chmod(path, 0o600)


class Audit(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="millrace-audit-")
        cls.path = os.path.join(cls.folder.name, "audit.jsonl")
        users = os.path.join(cls.folder.name, "users")
        write_users(users, amy=user("amy"))
        cls.flags = ("--audit-log", cls.path, "--users", users, *cls.more)
        super().setUpClass()

    more = ()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def records(self, path=None):
        with open(path or self.path) as f:
            return [json.loads(line) for line in f]

    def last(self, name):
        return [r for r in self.records() if r["eventName"] == name][-1]

    def reopened(self):
        before = self.server.logged().count("event=reloaded")
        self.server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 30
        while self.server.logged().count("event=reloaded") == before:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)


class Management(Audit):
    def test_shape(self):
        name = self.name("db")
        answer = self.write.create_database(DatabaseName=name, Tags=[{"Key": "team", "Value": "a=1"}])
        r = self.last("CreateDatabase")
        self.assertEqual(r["requestParameters"], {"databaseName": name, "tags": [{"key": "team", "value": "a=1"}]})
        self.assertEqual(r["userIdentity"], {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT,
                                             "accessKeyId": harness.KEY})
        self.assertEqual(r["requestID"], answer["ResponseMetadata"]["RequestId"])
        self.assertEqual((r["eventVersion"], r["eventSource"], r["awsRegion"], r["sourceIPAddress"], r["eventType"],
                          r["eventCategory"], r["readOnly"], r["managementEvent"], r["recipientAccountId"]),
                         ("1.11", "timestream.amazonaws.com", REGION, "127.0.0.1", "AwsApiCall", "Management", False,
                          True, ACCOUNT))
        self.assertRegex(r["eventTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(r["eventID"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertIn("Boto3", r["userAgent"])
        self.assertNotIn("errorCode", r)
        self.write.describe_database(DatabaseName=name)
        self.assertTrue(self.last("DescribeDatabase")["readOnly"])
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_refused_and_failed_calls(self):
        amy, _ = clients(self.server.url, key="AKIDAMY", secret="amy/secret")
        self.fails("AccessDeniedException", 403, amy.delete_database, DatabaseName="sales")
        r = self.last("DeleteDatabase")
        self.assertEqual((r["errorCode"], r["userIdentity"]["type"], r["userIdentity"]["userName"]),
                         ("AccessDeniedException", "IAMUser", "amy"))
        self.assertIn("explicit deny", r["errorMessage"])
        self.fails("ResourceNotFoundException", 404, amy.describe_database, DatabaseName="nowhere")
        self.assertEqual(self.last("DescribeDatabase")["errorCode"], "ResourceNotFoundException")
        bad, _ = clients(self.server.url, key="AKIDAMY", secret="wrong")
        self.fails("InvalidSignatureException", 403, bad.list_tables, DatabaseName="sales")
        r = self.last("ListTables")
        self.assertEqual((r["errorCode"], r["userIdentity"]), ("InvalidSignatureException",
                                                              {"type": "Unknown", "accountId": ACCOUNT}))

    def test_data_and_secrets_stay_out(self):
        database, table = self.table()
        self.write.write_records(DatabaseName=database, TableName=table, Records=[record(value="4711.25")])
        self.rows(f'SELECT * FROM "{database}"."{table}"')
        sts = boto3.client("sts", endpoint_url=self.server.url, region_name=REGION, aws_access_key_id="AKIDAMY",
                           aws_secret_access_key="amy/secret")
        session = sts.get_session_token()["Credentials"]
        self.write.list_databases(MaxResults=1)
        names = {r["eventName"] for r in self.records()}
        self.assertTrue({"CreateTable", "GetSessionToken", "ListDatabases"} <= names)
        self.assertFalse({"WriteRecords", "Query"} & names)
        with open(self.path) as f:
            text = f.read()
        for secret in (session["SecretAccessKey"], session["SessionToken"], "amy/secret", harness.SECRET, "4711.25"):
            self.assertNotIn(secret, text)
        temporary = boto3.client("timestream-write", endpoint_url=self.server.url, region_name=REGION,
                                 aws_access_key_id=session["AccessKeyId"], aws_session_token=session["SessionToken"],
                                 aws_secret_access_key=session["SecretAccessKey"])
        temporary.list_tables(DatabaseName=database)
        identity = self.last("ListTables")["userIdentity"]
        self.assertEqual((identity["accessKeyId"], identity["userName"]), (session["AccessKeyId"], "amy"))
        self.assertIn("creationDate", identity["sessionContext"]["attributes"])

    def test_long_parameters_are_cut(self):
        big = "x" * 200000
        self.fails("ValidationException", 400, self.write.create_database, DatabaseName=big)
        line = self.last("CreateDatabase")
        self.assertEqual(line["requestParameters"]["databaseName"], "x" * 512)
        tags = [{"Key": f"k{i}", "Value": "ü" * 250} for i in range(200)]
        self.fails("ValidationException", 400, self.write.create_database, DatabaseName="ab", Tags=tags)
        self.assertLess(len(json.dumps(self.last("CreateDatabase"), ensure_ascii=False)), 20000)

    def test_rotation(self):
        self.write.list_databases()
        os.rename(self.path, self.path + ".1")
        self.write.list_databases()
        self.assertFalse(os.path.exists(self.path))
        self.reopened()
        self.write.list_databases()
        self.assertEqual(len(self.records()), 1)
        self.assertGreaterEqual(len(self.records(self.path + ".1")), 2)

    def test_strangers_cannot_fill_the_disk(self):
        before = self.server.metrics()["millrace_audit_records_left_out_total"]
        for _ in range(60):
            self.assertEqual(self.server.request("POST", "/", b"{}", sign=False)[0], 404)
        unknown = sum(r["userIdentity"]["type"] == "Unknown" for r in self.records())
        left_out = self.server.metrics()["millrace_audit_records_left_out_total"] - before
        self.assertGreater(left_out, 0)
        self.assertLess(unknown, 60)


class Data(Audit):
    more = ("--audit-data", "on")

    def test_data_events(self):
        database, table = self.table()
        self.write.write_records(DatabaseName=database, TableName=table, Records=[record(value="4711.25")])
        r = self.last("WriteRecords")
        self.assertEqual((r["eventCategory"], r["managementEvent"], r["requestParameters"]),
                         ("Data", False, {"databaseName": database, "tableName": table}))
        self.rows(f'SELECT measure_value::double FROM "{database}"."{table}"')
        self.assertEqual(self.last("Query")["requestParameters"], {})
        with open(self.path) as f:
            self.assertNotIn("measure_value", f.read())


class FullDisk(unittest.TestCase):
    """/dev/full takes no byte: what a full disk does to an audit log, without filling one."""

    def outcome(self, *flags):
        with tempfile.TemporaryDirectory(prefix="millrace-audit-") as folder:
            link = os.path.join(folder, "audit")
            os.symlink("/dev/full", link)
            server = Server("--audit-log", link, *flags)
            try:
                write, _ = clients(server.url, retries={"max_attempts": 0})
                codes = []
                for call in (lambda: write.create_database(DatabaseName="first"),
                             lambda: write.create_database(DatabaseName="second"), write.list_databases,
                             lambda: write.write_records(DatabaseName="first", TableName="ttt", Records=[record()])):
                    try:
                        call()
                        codes.append("ok")
                    except ClientError as e:
                        codes.append(e.response["Error"]["Code"])
                self.assertEqual(server.logged().count("event=audit_log_failed"), 1)
                self.assertEqual(server.metrics()["millrace_audit_records_lost_total"], 3)
                os.unlink(link)
                os.symlink("/dev/null", link)
                server.process.send_signal(signal.SIGHUP)
                until = time.monotonic() + 30
                while "event=reloaded" not in server.logged():
                    self.assertLess(time.monotonic(), until)
                    time.sleep(0.01)
                try:
                    write.list_databases()  # refused where records are required, but its record is written
                except ClientError:
                    pass
                names = [d["DatabaseName"] for d in write.list_databases()["Databases"]]
                self.assertEqual(server.logged().count("event=audit_log_healed"), 1)
                return codes, names
            finally:
                server.stop()

    def test_calls_go_on(self):
        self.assertEqual(self.outcome(), (["ok", "ok", "ok", "ResourceNotFoundException"], ["first", "second"]))

    def test_calls_are_refused_where_records_are_required(self):
        codes, names = self.outcome("--audit-required", "on")
        self.assertEqual(codes, ["InternalServerException"] * 3 + ["ResourceNotFoundException"])
        self.assertEqual(names, ["first"])  # done before it was known, and answered as a failure; the second never was

    def test_no_file_no_start(self):
        for flags in (("--audit-log", "/nonexistent/audit"), ("--audit-data", "on"), ("--audit-required", "on")):
            with self.assertRaises(RuntimeError):
                Server(*flags)


class Rates(unittest.TestCase):
    def start(self, *flags, **users):
        handle, path = tempfile.mkstemp(prefix="millrace-users-")
        os.close(handle)
        write_users(path, **users)
        server = Server("--users", path, *flags)
        self.addCleanup(os.unlink, path)
        self.addCleanup(server.stop)
        return server

    def burst(self, server, call, n=60):
        """How many of n calls at once are refused, each with AWS's words."""
        refused = 0
        for _ in range(n):
            try:
                call()
            except ClientError as e:
                self.assertEqual((e.response["Error"]["Code"], e.response["Error"]["Message"]),
                                 ("ThrottlingException", "Rate exceeded"))
                refused += 1
        return refused

    def client(self, server, name, attempts=0):
        return clients(server.url, key=f"AKID{name.upper()}", secret=f"{name}/secret",
                       retries={"max_attempts": attempts, "mode": "standard"}, endpoint_discovery_enabled=False)[0]

    def test_each_key_has_its_own(self):
        server = self.start("--key-rate", "3", amy=user("amy"), bob=user("bob", RequestsPerSecond=1000000))
        amy, bob = self.client(server, "amy"), self.client(server, "bob")
        self.assertGreater(self.burst(server, amy.list_databases), 0)
        self.assertEqual(self.burst(server, bob.list_databases), 0)
        self.assertGreater(server.metrics()["millrace_requests_throttled_total"], 0)
        patient = self.client(server, "amy", attempts=10)
        for _ in range(8):
            patient.list_databases()  # SDKs wait and come through

    def test_kinds_of_calls(self):
        server = self.start("--change-rate", "1", "--list-rate", "4", amy=user("amy"))
        amy = self.client(server, "amy")
        amy.create_database(DatabaseName="sales")
        names = iter(f"d{i:03}" for i in range(1000))
        self.assertGreater(self.burst(server, lambda: amy.create_database(DatabaseName=next(names)), 20), 0)
        self.assertGreater(self.burst(server, amy.list_databases), 0)
        patient = self.client(server, "amy", attempts=10)
        patient.create_table(DatabaseName="sales", TableName="orders")
        self.assertEqual(self.burst(server, lambda: amy.write_records(
            DatabaseName="sales", TableName="orders", Records=[record()])), 0)

    def test_quotas(self):
        server = self.start("--max-databases", "2", "--max-tables", "3")
        write, _ = clients(server.url)
        write.create_database(DatabaseName="one")
        write.create_database(DatabaseName="two")
        for name in ("aaa", "bbb", "ccc"):
            write.create_table(DatabaseName="one", TableName=name)
        for call in (lambda: write.create_database(DatabaseName="three"),
                     lambda: write.create_table(DatabaseName="two", TableName="ddd")):
            with self.assertRaises(ClientError) as caught:
                call()
            self.assertEqual(caught.exception.response["Error"]["Code"], "ServiceQuotaExceededException")
        write.delete_table(DatabaseName="one", TableName="aaa")
        write.create_table(DatabaseName="two", TableName="ddd")


if __name__ == "__main__":
    unittest.main()
