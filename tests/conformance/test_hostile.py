"""Malformed and hostile requests: each gets one clean 4xx, and the server goes on serving."""

import http.client
import json
import os
import sys

from base import Case, record
from server import KEY, REGION, SECRET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hostile"))
import heads  # noqa: E402


def bodies():
    """(operation, body) pairs, each signed correctly and wrong in what it says."""
    nested = lambda n: b'{"a":' * n + b"1" + b"}" * n
    for name, body in {
        "not json": b"hello", "truncated": b'{"DatabaseName":"x', "array": b"[]", "number": b"42", "string": b'"x"', "null": b"null",
        "two documents": b"{}{}", "trailing comma": b'{"DatabaseName":"abc",}', "single quotes": b"{'DatabaseName':'abc'}",
        "bare word": b"{DatabaseName:1}", "comment": b'{/* */"DatabaseName":"abc"}', "nan": b'{"MaxResults":NaN}',
        "leading zero": b'{"MaxResults":01}', "plus": b'{"MaxResults":+1}', "hex": b'{"MaxResults":0x1}', "bom": b"\xef\xbb\xbf{}",
        "invalid utf8": b'{"DatabaseName":"\xff\xfe"}', "overlong utf8": b'{"DatabaseName":"\xc0\xaf"}',
        "utf8 surrogate": b'{"DatabaseName":"\xed\xa0\x80"}', "lone surrogate": b'{"DatabaseName":"\\ud800"}',
        "reversed surrogates": b'{"DatabaseName":"\\udc00\\ud800"}', "bad escape": b'{"DatabaseName":"\\x41"}',
        "raw control": b'{"DatabaseName":"a\nb"}', "nul": b'{"DatabaseName":"a\x00b"}', "depth 65": nested(65), "depth 1000": nested(1000),
        "depth 100000": nested(100000), "open brackets": b"[" * 200000, "open braces": b'{"a":' * 100000,
        "number as name": b'{"DatabaseName":5}', "list as name": b'{"DatabaseName":["abc"]}', "object as name": b'{"DatabaseName":{}}',
        "true as name": b'{"DatabaseName":true}', "empty": b'{"DatabaseName":""}', "slash": b'{"DatabaseName":"../../etc"}',
        "long": b'{"DatabaseName":"' + b"a" * 100000 + b'"}', "nul escape": b'{"DatabaseName":"abc\\u0000"}', "missing": b"{}",
        "null name": b'{"DatabaseName":null}',
    }.items():
        yield "DescribeDatabase", name, body
    for name, value in {
        "fraction": "1.5", "huge": "1" + "0" * 400, "exponent": "1e999", "string": '"5"', "list": "[1]", "negative": "-1", "zero": "0",
        "beyond int64": "9223372036854775808", "true": "true",
    }.items():
        yield "ListDatabases", f"MaxResults {name}", b'{"MaxResults":%s}' % value.encode()
    for name, value in {"garbage": '"???"', "long": '"' + "A" * 5000 + '"', "number": "7", "empty": '""', "nul": '"\\u0000"'}.items():
        yield "ListDatabases", f"NextToken {name}", b'{"NextToken":%s}' % value.encode()
    target = '"DatabaseName":"%(db)s","TableName":"%(tbl)s"'
    for name, records in {
        "no records": "[]", "object": "{}", "nulls": "[null,null]", "numbers": "[1]", "too many": json.dumps([record()] * 101),
        "time as number": '[{"Time":1,"MeasureName":"m","MeasureValue":"1"}]', "empty": "[{}]",
        "value as number": '[{"MeasureName":"m","MeasureValue":1.5}]', "wild type": '[{"MeasureValueType":"DROP TABLE"}]',
        "wild unit": '[{"TimeUnit":"FORTNIGHTS"}]', "129 dimensions": json.dumps(
            [record(Dimensions=[{"Name": f"d{i}", "Value": "v"} for i in range(129)])]),
        "same dimension twice": json.dumps([record(Dimensions=[{"Name": "d", "Value": "v"}] * 2)]),
        "reserved dimension": json.dumps([record(Dimensions=[{"Name": "time", "Value": "v"}])]),
        "version 0": json.dumps([record(Version=0)]), "version -1": json.dumps([record(Version=-1)]),
        "version huge": '[{"Version":99999999999999999999}]', "257 attributes": json.dumps(
            [dict(record(), MeasureValue=None, MeasureValueType="MULTI",
                  MeasureValues=[{"Name": f"a{i}", "Value": "1", "Type": "BIGINT"} for i in range(257)])]),
        "value of 1 MB": json.dumps([record("x" * 1000000, MeasureValueType="VARCHAR")]), "time nan": json.dumps([record(at="NaN")]),
        "time hex": json.dumps([record(at="0x10")]), "time blank": json.dumps([record(at=" 1")]), "double hex": json.dumps([record("0x1p3")]),
        "common is a list": None,
    }.items():
        body = "{%s,\"CommonAttributes\":[]}" % target if records is None else "{%s,\"Records\":%s}" % (target, records.replace("%", "%%"))
        yield "WriteRecords", name, body
    for name, text in {
        "empty": "", "blank": "   ", "garbage": "\u0001\u0002", "drop": "DROP TABLE x", "insert": "INSERT INTO x VALUES (1)",
        "attach": "ATTACH 'x.db'", "copy": "COPY x TO 'y'", "read_csv": "SELECT * FROM read_csv('/etc/passwd')",
        "file table": "SELECT * FROM '/etc/passwd'", "pragma": "PRAGMA version", "settings": "SELECT * FROM duckdb_settings()",
        "two statements": "SELECT 1; SELECT 2", "unclosed string": "SELECT 'abc", "unclosed comment": "SELECT 1 /* x",
        "unclosed quote": 'SELECT "abc', "parentheses": "(" * 5000, "deep": "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "not not": "SELECT " + "NOT " * 20000 + "true", "minus": "SELECT " + "-" * 1001 + "x", "long in": "SELECT 1 IN (" + "1," * 60000,
        "getenv": "SELECT getenv('HOME')", "too long": "SELECT '" + "x" * 262144 + "'", "set": "SET threads = 1",
        "install": "INSTALL httpfs", "load": "LOAD httpfs", "call": "CALL pragma_version()", "export": "EXPORT DATABASE 'x'",
        "prepare": "PREPARE p AS SELECT 1", "unknown table": "SELECT * FROM a.b", "one part": "SELECT * FROM sqlite_master",
        "unknown function": "SELECT nope(1)", "parameter": "SELECT @x", "unions": "SELECT 1" + " UNION ALL SELECT 1" * 600,
        "joins": "SELECT 1 FROM (VALUES 1) a(x)" + " CROSS JOIN (VALUES 1) b(y)" * 60, "divide": "SELECT 1/0",
        "overflow": "SELECT 9223372036854775807 + 1", "bad cast": "SELECT CAST('x' AS bigint)",
    }.items():
        yield "Query", name, json.dumps({"QueryString": text}).encode()
    yield "Query", "token", json.dumps({"QueryString": "SELECT 1", "NextToken": "AYABe"}).encode()
    yield "Query", "max rows", json.dumps({"QueryString": "SELECT 1", "MaxRows": 1001}).encode()
    yield "CancelQuery", "unknown id", json.dumps({"QueryId": "NOSUCHQUERY"}).encode()
    yield "CancelQuery", "bad id", json.dumps({"QueryId": "../x"}).encode()
    yield "PrepareQuery", "not validate only", json.dumps({"QueryString": "SELECT 1"}).encode()
    for arn in ("", "arn", "arn:aws:timestream", "arn:aws:s3:::bucket", "arn:aws:timestream:us-east-1:1:database/x", "x" * 3000):
        yield "ListTagsForResource", f"arn {arn[:20]}", json.dumps({"ResourceARN": arn}).encode()


class Hostile(Case):
    def send(self, operation, body):
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        request = AWSRequest("POST", self.server.url + "/", data=body, headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Timestream_20181101.{operation}"})
        SigV4Auth(Credentials(KEY, SECRET), "timestream", REGION).add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("POST", "/", body, dict(request.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def test_bodies(self):
        database, table = self.table()
        count = 0
        for operation, name, body in bodies():
            if isinstance(body, str):
                body = (body % {"db": database, "tbl": table}).encode()
            status, text = self.send(operation, body)
            with self.subTest(operation=operation, case=name):
                self.assertTrue(400 <= status < 500, (status, text[:300]))
                self.assertIn("__type", json.loads(text))
                self.assertNotIn(b"duckdb", text.lower())
            count += 1
        self.assertGreaterEqual(count, 120)
        self.assertEqual(self.write.list_tables(DatabaseName=database)["Tables"][0]["TableName"], table)

    def test_heads(self):
        count = 0
        for name, data, statuses in heads.cases():
            with self.subTest(case=name):
                self.assertIn(heads.ask(self.server.port, data), statuses)
            count += 1
        self.assertGreaterEqual(count, 120)
        self.write.list_databases()


if __name__ == "__main__":
    import unittest
    unittest.main()
