"""Temporary credentials by an unmodified boto3 `sts` client (docs/security.md)."""

import datetime
import http.client
import json
import os
import signal
import tempfile
import time
import unittest

import boto3
import server as harness
from base import record
from botocore.config import Config
from botocore.exceptions import ClientError
from server import ACCOUNT, REGION, Server

SALES = f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/sales"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more})


def key(name):
    return {"AccessKeyId": f"AKID{name.upper()}00000001", "SecretAccessKey": f"{name}/secret"}


def first_users():
    user_arn = f"arn:aws:iam::{ACCOUNT}:user/"
    return {
        "Users": {
            "amy": {"AccessKeys": [key("amy")], "Policies": [document(
                allow("timestream:DescribeEndpoints"), allow("timestream:ListTables", SALES))]},
            "bob": {"AccessKeys": [key("bob")], "Policies": [document(allow("sts:AssumeRole", ROLE + "account"))]},
            "eve": {"AccessKeys": [key("eve")], "Policies": [document(
                allow("*"), {"Effect": "Deny", "Action": "sts:*", "Resource": ROLE + "loader"})]},
        },
        "Roles": {
            "loader": {"Trust": trust({"AWS": [user_arn + "amy", user_arn + "eve"]}), "Policies": ["write", "read"]},
            "account": {"Trust": trust({"AWS": ACCOUNT}), "Policies": ["write"], "MaxSessionSeconds": 7200},
            "secret": {"Trust": trust({"AWS": user_arn + "amy"},
                                      Condition={"StringEquals": {"sts:ExternalId": "sesame"}}), "Policies": ["write"]},
            "chain": {"Trust": trust({"AWS": ROLE + "account"}), "Policies": ["read"]},
        },
        "Policies": {
            "write": document(allow("timestream:DescribeEndpoints"),
                              allow(["timestream:WriteRecords", "timestream:DescribeTable"], SALES + "/*")),
            "read": document(allow(["timestream:Select", "timestream:ListTables"], SALES + "*")),
        },
    }


class Sts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        handle, cls.path = tempfile.mkstemp(prefix="millrace-users-")
        os.close(handle)
        cls.put(first_users())
        cls.server = Server("--users", cls.path, keep=True)
        root = cls.client("timestream-write", harness.KEY, harness.SECRET)
        root.create_database(DatabaseName="sales")
        root.create_table(DatabaseName="sales", TableName="orders")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.remove()
        os.unlink(cls.path)

    @classmethod
    def put(cls, users):
        with open(cls.path, "w") as f:
            json.dump(users, f)
        os.chmod(cls.path, 0o600)

    @classmethod
    def client(cls, service, key_id, secret, token=None):
        return boto3.client(service, endpoint_url=cls.server.url, region_name=REGION, aws_access_key_id=key_id,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(retries={"max_attempts": 1, "mode": "standard"}))

    def sts(self, name):
        pair = key(name)
        return self.client("sts", pair["AccessKeyId"], pair["SecretAccessKey"])

    def with_session(self, service, answer):
        c = answer["Credentials"]
        return self.client(service, c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])

    def assume(self, name, role, **more):
        return self.sts(name).assume_role(RoleArn=ROLE + role, RoleSessionName="test", **more)

    def fails(self, code, call, text="", **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception.response)
        self.assertIn(text, caught.exception.response["Error"]["Message"])

    def reload(self):
        before = self.server.logged().count("event=reloaded")
        self.server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 30
        while self.server.logged().count("event=reloaded") == before:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)

    def write_one(self, session):
        return self.with_session("timestream-write", session).write_records(
            DatabaseName="sales", TableName="orders", Records=[record()])

    def test_who_am_i(self):
        me = self.sts("amy").get_caller_identity()
        self.assertEqual((me["Account"], me["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/amy"))
        self.assertRegex(me["UserId"], "^AIDA[A-Z2-7]{17}$")
        root = self.client("sts", harness.KEY, harness.SECRET).get_caller_identity()
        self.assertEqual((root["UserId"], root["Arn"]), (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"))
        self.assertEqual(len(root["ResponseMetadata"]["RequestId"]), 26)
        role = self.with_session("sts", self.assume("amy", "loader")).get_caller_identity()
        self.assertEqual(role["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/loader/test")
        self.assertRegex(role["UserId"], "^AROA[A-Z2-7]{17}:test$")

    def test_session_of_a_user(self):
        session = self.sts("amy").get_session_token(DurationSeconds=900)
        self.assertRegex(session["Credentials"]["AccessKeyId"], "^ASIA[A-Z2-7]{16}$")
        left = session["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs(left.total_seconds() - 900), 60)
        write = self.with_session("timestream-write", session)
        write.list_tables(DatabaseName="sales")
        self.fails("AccessDeniedException", write.list_databases, f"User: arn:aws:iam::{ACCOUNT}:user/amy is not")
        self.fails("AccessDenied", self.with_session("sts", session).get_session_token, "session credentials")
        self.fails("ValidationError", self.sts("amy").get_session_token, "129600", DurationSeconds=129601)
        self.fails("AccessDenied", self.sts("amy").get_session_token, SerialNumber="mfa" * 4, TokenCode="123456")

    def test_role_has_its_own_rights(self):
        session = self.assume("amy", "loader")
        self.assertEqual(session["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/loader/test")
        self.assertEqual(self.write_one(session)["RecordsIngested"]["Total"], 1)
        self.fails("AccessDeniedException", self.with_session("timestream-write", session).list_databases,
                   f"User: arn:aws:sts::{ACCOUNT}:assumed-role/loader/test is not authorized to perform: "
                   "timestream:ListDatabases on resource: * because no identity-based policy allows")
        query = self.with_session("timestream-query", session)
        self.assertGreaterEqual(len(query.query(QueryString="SELECT host FROM sales.orders")["Rows"]), 1)

    def test_session_policy_narrows_and_never_widens(self):
        narrow = json.dumps(document(allow("timestream:WriteRecords", SALES + "/table/orders"), allow("timestream:List*")))
        session = self.assume("amy", "loader", Policy=narrow)
        self.assertGreater(session["PackedPolicySize"], 0)
        self.write_one(session)
        write = self.with_session("timestream-write", session)
        self.fails("AccessDeniedException", write.describe_table, "because no session policy allows",
                   DatabaseName="sales", TableName="orders")
        self.fails("AccessDeniedException", write.list_databases, "because no identity-based policy allows")
        self.fails("AccessDeniedException", self.with_session("timestream-query", session).query,
                   "because no session policy allows the timestream:Select", QueryString="SELECT 1 FROM sales.orders")
        deny = document(allow("*"), {"Effect": "Deny", "Action": "*", "Resource": SALES + "/table/orders"})
        self.fails("AccessDeniedException", self.write_one, "with an explicit deny in a session policy",
                   session=self.assume("amy", "loader", Policy=json.dumps(deny)))
        self.fails("MalformedPolicyDocument", self.assume, "unknown element 'Principal'", name="amy", role="loader",
                   Policy=json.dumps(trust("*")))

    def test_trust(self):
        self.fails("AccessDenied", self.assume, f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: "
                   f"sts:AssumeRole on resource: {ROLE}loader", name="bob", role="loader")
        self.fails("AccessDenied", self.assume, name="amy", role="account")  # the account is trusted, her policies say no
        self.fails("AccessDenied", self.assume, name="eve", role="loader")  # trusted by name, but her own Deny
        self.fails("AccessDenied", self.assume, name="amy", role="nothing")
        self.fails("AccessDenied", self.assume, name="amy", role="secret")
        self.fails("AccessDenied", self.assume, name="amy", role="secret", ExternalId="basil")
        self.write_one(self.assume("amy", "secret", ExternalId="sesame"))
        session = self.assume("bob", "account", DurationSeconds=7200)
        self.fails("ValidationError", self.assume, "MaxSessionDuration", name="bob", role="account", DurationSeconds=7201)
        chained = self.with_session("sts", session)
        next_one = chained.assume_role(RoleArn=ROLE + "chain", RoleSessionName="two")
        self.assertEqual(self.with_session("sts", next_one).get_caller_identity()["Arn"],
                         f"arn:aws:sts::{ACCOUNT}:assumed-role/chain/two")
        self.fails("AccessDenied", self.client("sts", harness.KEY, harness.SECRET).assume_role, "root accounts",
                   RoleArn=ROLE + "loader", RoleSessionName="test")
        self.fails("ValidationError", self.assume, "does not know the parameter Tags.member.1.Key", name="amy", role="loader",
                   Tags=[{"Key": "a", "Value": "b"}])
        self.fails("ValidationError", self.sts("amy").assume_role, "roleSessionName", RoleArn=ROLE + "loader",
                   RoleSessionName="a b")

    def test_tampering(self):
        session = self.sts("amy").get_session_token()["Credentials"]
        args = (session["AccessKeyId"], session["SecretAccessKey"])
        token = session["SessionToken"]
        other = self.sts("eve").get_session_token()["Credentials"]
        bad = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:] for i in range(0, len(token), 7)]
        for t in (*bad, token[:-1], token + "A", other["SessionToken"], "x", None):
            self.fails("UnrecognizedClientException", self.client("timestream-write", *args, t).list_tables,
                       DatabaseName="sales")
        self.fails("InvalidSignatureException", self.client("timestream-write", args[0], "x", token).list_tables,
                   DatabaseName="sales")
        self.fails("UnrecognizedClientException",
                   self.client("timestream-write", other["AccessKeyId"], args[1], token).list_tables, DatabaseName="sales")

    def test_refusals_have_the_names_of_sts(self):
        pair = key("amy")
        self.fails("SignatureDoesNotMatch", self.client("sts", pair["AccessKeyId"], "x").get_caller_identity)
        self.fails("InvalidClientTokenId", self.client("sts", "AKIDNOBODY", "x").get_caller_identity)
        self.fails("InvalidAction", self.sts("amy").get_access_key_info, "GetAccessKeyInfo",
                   AccessKeyId="A" * 20)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("POST", "/", b"Action=GetCallerIdentity", {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (403, "text/xml"))
        self.assertIn(b"<Code>MissingAuthenticationToken</Code>", answer.read())
        connection.close()

    def test_sessions_survive_a_restart_and_end_with_their_key(self):
        session, loader = self.sts("amy").get_session_token(), self.assume("amy", "loader")
        cls = type(self)
        cls.server.stop()
        cls.server.start()
        self.with_session("timestream-write", session).list_tables(DatabaseName="sales")
        self.write_one(loader)
        users = first_users()
        del users["Roles"]["loader"]
        self.put(users)
        self.reload()
        self.fails("AccessDeniedException", self.write_one, session=loader)
        users = first_users()
        users["Users"]["amy"]["AccessKeys"][0]["Status"] = "Inactive"
        self.put(users)
        self.reload()
        self.fails("UnrecognizedClientException", self.write_one, session=loader)
        self.fails("UnrecognizedClientException", self.with_session("timestream-write", session).list_tables,
                   DatabaseName="sales")
        self.put(first_users())
        self.reload()
        self.write_one(loader)
        for answer in (session, loader):
            self.assertNotIn(answer["Credentials"]["SecretAccessKey"], self.server.logged())
            self.assertNotIn(answer["Credentials"]["SessionToken"], self.server.logged())

    def test_without_a_users_file_a_role_is_nothing(self):
        loader = self.assume("amy", "loader")
        data = self.server.data
        cls = type(self)
        cls.server.stop()
        with tempfile.NamedTemporaryFile("w", prefix="millrace-credentials-") as f:
            f.write("[amy]\naws_access_key_id = {AccessKeyId}\naws_secret_access_key = {SecretAccessKey}\n".format(**key("amy")))
            f.flush()
            bare = Server("--credentials", f.name, data=data, keep=True)
            kept, cls.server = cls.server, bare
            try:
                self.fails("AccessDeniedException", self.write_one, session=loader)
                self.sts("amy").get_session_token()
                self.fails("AccessDenied", self.assume, name="amy", role="loader")
            finally:
                bare.stop()
                cls.server = kept
                cls.server.start()


if __name__ == "__main__":
    unittest.main()
