"""--chaos: faults on purpose, seen by SDKs that retry and by ones that do not (docs/chaos.md)."""

import email.utils
import time
import unittest
import uuid

from base import Case, record
from botocore.exceptions import ClientError
from server import Server, clients


class Chaos(Case):
    flags = ("--chaos", "seed=7")

    def setUp(self):
        self.set("")

    def set(self, text, status=200):
        got, answer = self.server.request("POST", "/-/chaos", text.encode())
        self.assertEqual(got, status, answer)
        return answer

    def counts(self):
        return self.server.request("GET", "/-/chaos")[1]["Counts"]

    def outcomes(self, call, n=40):
        codes = []
        for _ in range(n):
            try:
                call()
                codes.append("ok")
            except ClientError as e:
                self.assertTrue(e.response["ResponseMetadata"]["HTTPHeaders"]["x-millrace-chaos"])
                codes.append(e.response["Error"]["Code"])
        return codes

    def patient(self):
        return clients(self.server.url, retries={"max_attempts": 12, "mode": "standard"})

    def test_off_until_set(self):
        answer = self.write.list_databases()
        self.assertNotIn("x-millrace-chaos", answer["ResponseMetadata"]["HTTPHeaders"])
        self.assertEqual(set(self.outcomes(self.write.list_databases)), {"ok"})

    def test_throttle_and_the_same_seed_again(self):
        self.set("ListDatabases:throttle=0.5;seed=11")
        first = self.outcomes(self.write.list_databases)
        self.assertEqual(set(first), {"ok", "ThrottlingException"})
        self.set("ListDatabases:throttle=0.5;seed=11")
        self.assertEqual(self.outcomes(self.write.list_databases), first)
        self.set("ListDatabases:throttle=0.5;seed=12")
        self.assertNotEqual(self.outcomes(self.write.list_databases), first)
        self.database()  # other operations are left alone
        before = self.counts()["throttle"]
        for _ in range(5):
            self.patient()[0].list_databases()  # an SDK that retries comes through
        self.assertGreaterEqual(self.counts()["throttle"], before)
        self.assertGreater(self.server.metrics()['millrace_chaos_total{kind="throttle"}'], 0)

    def test_fail_does_nothing_and_is_retried(self):
        self.set("CreateDatabase:fail=1")
        name = "db_" + uuid.uuid4().hex[:8]
        codes = self.outcomes(lambda: self.write.create_database(DatabaseName=name), 4)
        self.assertEqual(codes, ["InternalServerException", "ServiceUnavailable"] * 2)
        self.set("")
        self.fails("ResourceNotFoundException", 404, self.write.describe_database, DatabaseName=name)
        self.set("*:fail=0.4;seed=3")
        self.patient()[0].create_database(DatabaseName=name)

    def test_reject_refuses_some_and_writes_the_rest(self):
        database, table = self.table()
        self.set("WriteRecords:reject=0.3;seed=5")
        records = [record(host=f"h{i:03}") for i in range(100)]
        response = self.fails("RejectedRecordsException", 419, self.write.write_records, DatabaseName=database,
                              TableName=table, Records=records)
        refused = [r["RecordIndex"] for r in response["RejectedRecords"]]
        self.assertEqual(refused, sorted(set(refused)))
        self.assertTrue(0 < len(refused) < 100, refused)
        self.assertIn("reject", response["ResponseMetadata"]["HTTPHeaders"]["x-millrace-chaos"])
        stored = {r[0] for r in self.rows(f'SELECT host FROM "{database}"."{table}"')}
        self.assertEqual(stored, {f"h{i:03}" for i in range(100) if i not in refused})
        self.set("")
        self.write.write_records(DatabaseName=database, TableName=table, Records=[records[i] for i in refused])
        self.assertEqual(len(self.rows(f'SELECT host FROM "{database}"."{table}"')), 100)
        self.set("WriteRecords:reject=1")
        self.fails("RejectedRecordsException", 419, self.write.write_records, DatabaseName=database, TableName=table,
                   Records=[record(host="x")])

    def test_empty_pages(self):
        database, table = self.table()
        self.write.write_records(DatabaseName=database, TableName=table,
                                 Records=[record(host=f"h{i}") for i in range(9)])
        self.set("Query:empty=0.5;seed=2")
        empties = 0
        for _ in range(10):
            hosts, token = [], None
            while True:
                page = self.query.query(QueryString=f'SELECT host FROM "{database}"."{table}"', MaxRows=4,
                                        **({"NextToken": token} if token else {}))
                hosts += [r["Data"][0]["ScalarValue"] for r in page["Rows"]]
                token = page.get("NextToken")
                if not page["Rows"] and token:
                    empties += 1
                    self.assertIn("empty", page["ResponseMetadata"]["HTTPHeaders"]["x-millrace-chaos"])
                if not token:
                    break
            self.assertEqual(sorted(hosts), [f"h{i}" for i in range(9)])
        self.assertGreater(empties, 0)
        pages = self.query.get_paginator("query").paginate(QueryString=f'SELECT host FROM "{database}"."{table}"')
        self.assertEqual(sum(len(p["Rows"]) for p in pages), 9)

    def test_delay_keeps_others_going(self):
        self.set("ListTables:delay=1@60")
        database = self.database()
        began = time.monotonic()
        answer = self.write.list_tables(DatabaseName=database)
        self.assertGreaterEqual(time.monotonic() - began, 0.06)
        self.assertEqual(answer["ResponseMetadata"]["HTTPHeaders"]["x-millrace-chaos"], "delay")
        self.assertEqual(self.counts()["delay"], 1)

    def test_skewed_clock(self):
        self.set("skew=3600")
        response = self.fails("InvalidSignatureException", 403, self.write.list_databases, "Signature expired")
        date = email.utils.parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        self.assertGreater(date.timestamp() - time.time(), 3000)
        self.set("skew=-3600")
        self.fails("InvalidSignatureException", 403, self.write.list_databases, "Signature not yet current")
        self.set("")
        self.write.list_databases()

    def test_texts_that_make_no_sense(self):
        self.set("ListDatabases:throttle=1")
        for text in ("nonsense", "ListDatabases", "Nothing:throttle=1", "*:paint=1", "*:throttle", "*:throttle=2",
                     "*:throttle=-1", "*:throttle=nan", "*:delay=1", "*:delay=1@0", "*:delay=1@60001", "*:fail=1@5",
                     "Query:reject=1", "WriteRecords:empty=1", "seed=x", "skew=1h", "*:", "\x00", "x" * 3000):
            self.assertIn("chaos", self.set(text, status=400)["message"])
        self.fails("ThrottlingException", 429, self.write.list_databases)  # what was set stays

    def test_the_door_is_roots(self):
        status, answer = self.server.request("POST", "/-/chaos", b"*:fail=1", sign=False)
        self.assertEqual(status, 403, answer)
        self.set("*:throttle=1;skew=7200")
        self.assertEqual(self.server.request("GET", "/-/chaos")[0], 200)  # and stays open
        self.assertIn("event=chaos", self.server.logged())


class Without(unittest.TestCase):
    def test_no_flag_no_door(self):
        server = Server()
        try:
            self.assertEqual(server.request("POST", "/-/chaos", b"*:fail=1")[0], 404)
            write, _ = clients(server.url)
            self.assertNotIn("x-millrace-chaos", write.list_databases()["ResponseMetadata"]["HTTPHeaders"])
            self.assertNotIn("event=chaos", server.logged())
        finally:
            server.stop()

    def test_a_wrong_flag_is_no_start(self):
        with self.assertRaises(RuntimeError) as caught:
            Server("--chaos", "*:paint=1")
        self.assertIn("none of throttle", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
