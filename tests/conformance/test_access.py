"""Who may do what: users, policies, reload (docs/security.md). Section numbers are of the Write API reference."""

import json
import os
import signal
import tempfile
import time
import unittest

import server as harness
from base import Case, record
from botocore.exceptions import ClientError
from server import ACCOUNT, REGION, Server, clients

PREFIX = f"arn:aws:timestream:{REGION}:{ACCOUNT}:"
SECRETS = {"AKIDREADER0000000001": "reader/secret", "AKIDWRITER0000000001": "writer/secret",
           "AKIDIDLE000000000001": "idle/secret", "AKIDTAGGER0000000001": "tagger/secret"}


def allow(actions, resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions, resources, **more):
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def user(key, *policies, **more):
    return {"AccessKeys": [{"AccessKeyId": key, "SecretAccessKey": SECRETS[key]}], "Policies": list(policies), **more}


DISCOVER = allow("timestream:DescribeEndpoints", "*")
SALES = PREFIX + "database/sales"


def first_users():
    return {
        "Policies": {
            "read-sales": document(
                DISCOVER,
                allow(["timestream:Select", "timestream:Describe*", "timestream:ListMeasures"], SALES + "*"),
                allow(["timestream:SelectValues", "timestream:CancelQuery", "timestream:PrepareQuery"], "*"),
                deny("timestream:*", SALES + "/table/secret*", Sid="NoSecrets")),
        },
        "Users": {
            "reader": user("AKIDREADER0000000001", "read-sales"),
            "writer": user("AKIDWRITER0000000001",
                           document(DISCOVER, allow("TIMESTREAM:writerecords", SALES + "/table/orders"))),
            "idle": user("AKIDIDLE000000000001"),
            "tagger": user("AKIDTAGGER0000000001", document(
                DISCOVER,
                allow("timestream:*", PREFIX + "database/${aws:username}-*"),
                allow("timestream:Describe*", PREFIX + "database/*",
                      Condition={"StringEquals": {"aws:ResourceTag/team": "tags"}}),
                deny("timestream:*", "*", Condition={"ForAnyValue:StringLike": {"aws:TagKeys": "secret*"}}))),
        },
    }


class AccessCase(Case):
    users = staticmethod(first_users)
    more_flags = ()

    @classmethod
    def setUpClass(cls):
        handle, cls.path = tempfile.mkstemp(prefix="millrace-users-")
        os.close(handle)
        cls.put(cls.users())
        cls.flags = ("--users", cls.path, *cls.more_flags)
        super().setUpClass()
        for name in ("orders", "returns", "secrets"):
            try:
                cls.write.create_database(DatabaseName="sales")
            except ClientError:
                pass
            cls.write.create_table(DatabaseName="sales", TableName=name)
            cls.write.write_records(DatabaseName="sales", TableName=name, Records=[record()])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.unlink(cls.path)

    @classmethod
    def put(cls, users, mode=0o600):
        with open(cls.path, "w") as f:
            json.dump(users, f)
        os.chmod(cls.path, mode)

    def as_user(self, key, **config):
        return clients(self.server.url, key=key, secret=SECRETS[key], **config)

    def reload(self, event="event=reloaded"):
        """SIGHUP, and wait until the server has told what became of it."""
        before = self.server.logged().count(event)
        self.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while self.server.logged().count(event) == before:
            self.assertLess(time.monotonic(), deadline, self.server.logged()[-2000:])
            time.sleep(0.01)

    def refused(self, who, action, resource, call, forbidden=False, **arguments):
        end = (" with an explicit deny in an identity-based policy" if forbidden else
               f" because no identity-based policy allows the timestream:{action} action")
        response = self.fails("AccessDeniedException", 403, call, **arguments)
        self.assertEqual(response["Error"]["Message"],
                         f"User: arn:aws:iam::{ACCOUNT}:user/{who} is not authorized to perform: "
                         f"timestream:{action} on resource: {resource}{end}")


class Users(AccessCase):
    def test_root_may_do_everything(self):
        self.assertEqual(len(self.rows("SELECT * FROM sales.secrets")), 1)
        self.write.list_databases()

    def test_writer_writes_one_table_and_nothing_else(self):  # 2.4
        write, query = self.as_user("AKIDWRITER0000000001")
        done = write.write_records(DatabaseName="sales", TableName="orders", Records=[record(host="w")])
        self.assertEqual(done["RecordsIngested"]["Total"], 1)
        self.refused("writer", "WriteRecords", SALES + "/table/returns", write.write_records,
                     DatabaseName="sales", TableName="returns", Records=[record()])
        self.refused("writer", "WriteRecords", SALES + "/table/Orders", write.write_records,
                     DatabaseName="sales", TableName="Orders", Records=[record()])
        self.refused("writer", "Select", SALES + "/table/orders", query.query,
                     QueryString="SELECT 1 FROM sales.orders")
        self.refused("writer", "SelectValues", "*", query.query, QueryString="SELECT 1")
        self.refused("writer", "ListDatabases", "*", write.list_databases)
        self.refused("writer", "ListDatabases", "*", query.query, QueryString="SHOW DATABASES")
        self.refused("writer", "CreateDatabase", PREFIX + "database/own", write.create_database, DatabaseName="own")
        self.refused("writer", "DeleteTable", SALES + "/table/orders", write.delete_table,
                     DatabaseName="sales", TableName="orders")
        self.refused("writer", "ListTables", PREFIX + "database/*", write.list_tables)
        if hasattr(query, "describe_account_settings"):  # older SDKs do not know it
            self.refused("writer", "DescribeAccountSettings", "*", query.describe_account_settings)

    def test_reader_reads_what_is_not_denied(self):
        write, query = self.as_user("AKIDREADER0000000001")
        ask = query.query
        self.assertEqual(len(ask(QueryString="SELECT * FROM sales.returns")["Rows"]), 1)
        self.assertEqual(ask(QueryString="SELECT 7")["Rows"][0]["Data"], [{"ScalarValue": "7"}])
        self.assertEqual(len(ask(QueryString="DESCRIBE sales.returns")["Rows"]), 4)
        self.assertEqual(len(ask(QueryString="SHOW MEASURES FROM sales.returns")["Rows"]), 1)
        write.describe_table(DatabaseName="sales", TableName="orders")
        query.prepare_query(QueryString="SELECT host FROM sales.orders", ValidateOnly=True)
        secret = SALES + "/table/secrets"
        for text in ("SELECT * FROM sales.secrets",
                     "SELECT o.host FROM sales.orders o JOIN sales.secrets s ON o.host = s.host",
                     "WITH x AS (SELECT host FROM sales.secrets) SELECT * FROM x",
                     "SELECT 1 WHERE EXISTS (SELECT 1 FROM sales.secrets)",
                     "SELECT host FROM sales.orders UNION ALL SELECT host FROM sales.secrets",
                     "SELECT (SELECT max(time) FROM sales.secrets)",
                     "EXPLAIN SELECT * FROM sales.secrets"):
            self.refused("reader", "Select", secret, ask, forbidden=True, QueryString=text)
        self.refused("reader", "Select", secret, query.prepare_query, forbidden=True,
                     QueryString="SELECT * FROM sales.secrets", ValidateOnly=True)
        self.refused("reader", "DescribeTable", secret, ask, forbidden=True, QueryString="DESCRIBE sales.secrets")
        self.refused("reader", "ListMeasures", secret, ask, forbidden=True,
                     QueryString="SHOW MEASURES FROM sales.secrets")
        self.refused("reader", "DescribeTable", secret, write.describe_table, forbidden=True,
                     DatabaseName="sales", TableName="secrets")
        self.refused("reader", "ListTables", SALES, ask, QueryString="SHOW TABLES FROM sales")

    def test_a_run_that_is_over_is_asked_about_too(self):
        """Its tables are let go by then; their names are still judged."""
        _, query = self.as_user("AKIDREADER0000000001")
        text = "SELECT o.host FROM sales.orders o, sales.returns r, (VALUES 1, 2, 3, 4) AS n(x)"
        first = query.query(QueryString=text, MaxRows=1)
        query.cancel_query(QueryId=first["QueryId"])
        self.fails("ConflictException", 409, query.query, QueryString=text, NextToken=first["NextToken"])
        first = query.query(QueryString=text, MaxRows=1)
        last = {"QueryString": text, "NextToken": first["NextToken"]}
        rows = query.query(**last)["Rows"]
        self.assertEqual(query.query(**last)["Rows"], rows)  # the last page again, from a closed run

    def test_what_is_there_stays_hidden(self):
        """A table one may not see and one that does not exist answer alike."""
        _, query = self.as_user("AKIDREADER0000000001")
        self.refused("reader", "Select", SALES + "/table/secret_that_is_not_there", query.query, forbidden=True,
                     QueryString="SELECT * FROM sales.secret_that_is_not_there")
        self.refused("reader", "Select", PREFIX + "database/nowhere/table/nothing", query.query,
                     QueryString="SELECT * FROM nowhere.nothing")
        self.fails("ValidationException", 400, query.query, "not found",
                   QueryString="SELECT * FROM sales.not_there")

    def test_user_without_policies(self):
        write, query = self.as_user("AKIDIDLE000000000001", endpoint_discovery_enabled=False)
        self.refused("idle", "DescribeEndpoints", "*", write.describe_endpoints)
        self.refused("idle", "CancelQuery", "*", query.cancel_query, QueryId="AEABC")
        self.assertIn("event=access_denied", self.server.logged())

    def test_unknown_key(self):
        write, _ = clients(self.server.url, key="AKIDNOBODY0000000001", secret="x")
        self.fails("UnrecognizedClientException", 403, write.list_databases)
        write, _ = clients(self.server.url, key="AKIDREADER0000000001", secret="x")
        self.fails("InvalidSignatureException", 403, write.list_databases)

    def test_another_region_is_another_resource(self):
        write, _ = clients(self.server.url, key="AKIDWRITER0000000001", secret="writer/secret", region="eu-west-1")
        self.fails("AccessDeniedException", 403, write.write_records, "timestream:eu-west-1:",
                   DatabaseName="sales", TableName="orders", Records=[record()])

    def test_tags_and_variables(self):  # 2.4: aws:RequestTag, aws:TagKeys, aws:ResourceTag
        write, _ = self.as_user("AKIDTAGGER0000000001")
        name, arn = "tagger-own", PREFIX + "database/tagger-own"
        write.create_database(DatabaseName=name, Tags=[{"Key": "team", "Value": "tags"}])
        write.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
        self.assertEqual(len(write.list_tags_for_resource(ResourceARN=arn)["Tags"]), 2)
        self.refused("tagger", "TagResource", arn, write.tag_resource, forbidden=True, ResourceARN=arn,
                     Tags=[{"Key": "secret-1", "Value": ""}])
        self.refused("tagger", "UntagResource", arn, write.untag_resource, forbidden=True, ResourceARN=arn,
                     TagKeys=["secret-1"])
        self.refused("tagger", "CreateDatabase", PREFIX + "database/tagger-two", write.create_database,
                     forbidden=True, DatabaseName="tagger-two", Tags=[{"Key": "secret", "Value": ""}])
        self.refused("tagger", "CreateDatabase", PREFIX + "database/other", write.create_database,
                     DatabaseName="other")
        self.write.create_database(DatabaseName="shared", Tags=[{"Key": "Team", "Value": "tags"}])
        self.write.create_database(DatabaseName="foreign", Tags=[{"Key": "team", "Value": "Tags"}])
        write.describe_database(DatabaseName="shared")
        self.refused("tagger", "DescribeDatabase", PREFIX + "database/foreign", write.describe_database,
                     DatabaseName="foreign")


class Reload(AccessCase):
    def test_reload(self):
        write, query = self.as_user("AKIDWRITER0000000001")
        good = {"DatabaseName": "sales", "TableName": "orders"}
        write.write_records(Records=[record()], **good)
        users = first_users()
        users["Users"]["writer"]["Policies"].append(document(deny("timestream:WriteRecords", "*")))
        users["Users"]["late"] = users["Users"].pop("idle")
        self.put(users)
        write.write_records(Records=[record()], **good)  # nothing changes before the signal
        self.reload()
        self.refused("writer", "WriteRecords", SALES + "/table/orders", write.write_records, forbidden=True,
                     Records=[record()], **good)
        self.put({"Users": {}})
        self.reload()
        self.fails("UnrecognizedClientException", 403, write.write_records, Records=[record()], **good)
        self.write.list_databases()  # the root key is not in the file

        for broken, mode in ((users, 0o640), ({"Users": {"a b": {}}}, 0o600), ({}, 0o600)):
            self.put(broken, mode)
            self.reload("event=reload_failed")
            self.fails("UnrecognizedClientException", 403, write.write_records, Records=[record()], **good)
        self.put(first_users())
        self.reload()
        write.write_records(Records=[record()], **good)
        self.assertNotIn("writer/secret", self.server.logged())

    def test_pages_and_kept_answers_end_with_the_right(self):
        _, query = self.as_user("AKIDREADER0000000001")
        self.write.write_records(DatabaseName="sales", TableName="returns",
                                 Records=[record(host=f"h{i}") for i in range(9)])
        call = {"QueryString": "SELECT host FROM sales.returns", "ClientToken": "t" * 40, "MaxRows": 2}
        page = query.query(**call)
        again = {"QueryString": call["QueryString"], "MaxRows": 2, "NextToken": page["NextToken"]}
        page = query.query(**again)
        users = first_users()
        users["Policies"]["read-sales"]["Statement"].append(deny("timestream:Select", SALES + "/table/returns"))
        self.put(users)
        self.reload()
        arn = SALES + "/table/returns"
        self.refused("reader", "Select", arn, query.query, forbidden=True, **call)
        self.refused("reader", "Select", arn, query.query, forbidden=True,
                     **dict(again, NextToken=page["NextToken"]))
        self.put(first_users())
        self.reload()
        self.assertEqual(len(query.query(**dict(again, NextToken=page["NextToken"]))["Rows"]), 2)


class Start(unittest.TestCase):
    def refused(self, text, users, mode=0o600):
        with tempfile.NamedTemporaryFile("w", prefix="millrace-users-") as f:
            f.write(users if isinstance(users, str) else json.dumps(users))
            f.flush()
            os.chmod(f.name, mode)
            with self.assertRaises(RuntimeError) as caught:
                Server("--users", f.name)
            self.assertIn(text, str(caught.exception))
            self.assertNotIn("verysecret", str(caught.exception))

    def test_files_that_are_refused(self):
        self.refused("chmod 600", first_users(), 0o644)
        self.refused("users file needs Users", {})
        self.refused("statement 1: unknown element 'Principal'",
                     {"Users": {"u": {"Policies": [document(dict(DISCOVER, Principal="*"))]}}})
        key = {"AccessKeyId": "AKIDTWICE00000000001", "SecretAccessKey": "verysecret"}
        self.refused("is there already", {"Users": {"u": {"AccessKeys": [key, key]}}})
        self.refused("is there already", {"Users": {"u": {"AccessKeys": [dict(key, AccessKeyId=harness.KEY)]}}})
        self.refused("there is no policy 'typo'", {"Users": {"u": {"Policies": ["typo"]}}})
        self.refused("", '{"Users": {"u": {"AccessKeys": [{"AccessKeyId": "A", "SecretAccessKey": "verysecret"')

    def test_session_tokens_and_expiry(self):
        keys = [{"AccessKeyId": "ASIDTOKEN00000000001", "SecretAccessKey": "s", "SessionToken": "tok"},
                {"AccessKeyId": "ASIDTOKEN00000000002", "SecretAccessKey": "s", "SessionToken": "tok",
                 "Expires": "2020-01-01T00:00:00Z"}]
        users = {"Users": {"u": {"AccessKeys": keys, "Policies": [document(allow("*", "*"))]}}}
        with tempfile.NamedTemporaryFile("w", prefix="millrace-users-") as f:
            json.dump(users, f)
            f.flush()
            running = Server("--users", f.name)
        try:
            import boto3

            def listing(key, token):
                boto3.client("timestream-write", endpoint_url=running.url, region_name=REGION, aws_access_key_id=key,
                             aws_secret_access_key="s", aws_session_token=token).list_databases()

            listing("ASIDTOKEN00000000001", "tok")
            for key, token, code in (("ASIDTOKEN00000000001", "other", "UnrecognizedClientException"),
                                     ("ASIDTOKEN00000000001", None, "UnrecognizedClientException"),
                                     ("ASIDTOKEN00000000002", "tok", "ExpiredTokenException")):
                with self.assertRaises(ClientError) as caught:
                    listing(key, token)
                self.assertEqual(caught.exception.response["Error"]["Code"], code)
        finally:
            running.stop()


if __name__ == "__main__":
    unittest.main()
