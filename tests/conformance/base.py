"""What the suites share: one server a class, boto3 clients, checks of errors by type, status and text."""

import time
import unittest
import uuid

from botocore.exceptions import ClientError

from server import Server, clients


def now_ms():
    return int(time.time() * 1000)


class Case(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags)
        cls.write, cls.query = clients(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def name(self, prefix="t"):
        return f"{prefix}_{uuid.uuid4().hex[:12]}"

    def database(self, **more):
        name = self.name("db")
        self.write.create_database(DatabaseName=name, **more)
        return name

    def table(self, database=None, **more):
        database = database or self.database()
        name = self.name("tbl")
        self.write.create_table(DatabaseName=database, TableName=name, **more)
        return database, name

    def fails(self, code, status, call, text=None, **arguments):
        """The call fails with exactly this code and HTTP status; returns the error's response."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        response = caught.exception.response
        self.assertEqual(response["Error"]["Code"], code, response)
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status, response)
        if text is not None:
            self.assertIn(text, response["Error"]["Message"])
        return response

    def rows(self, text, **arguments):
        """All rows of a query as lists of Python values: str, list, dict or None."""
        rows, token = [], None
        while True:
            page = self.query.query(QueryString=text, **arguments, **({"NextToken": token} if token else {}))
            rows += [[datum(d) for d in r["Data"]] for r in page["Rows"]]
            token = page.get("NextToken")
            if not token:
                return rows


def datum(d):
    if d.get("NullValue"):
        return None
    if "ScalarValue" in d:
        return d["ScalarValue"]
    if "ArrayValue" in d:
        return [datum(x) for x in d["ArrayValue"]]
    if "RowValue" in d:
        return [datum(x) for x in d["RowValue"]["Data"]]
    return [(p["Time"], datum(p["Value"])) for p in d["TimeSeriesValue"]]


def record(value="1.5", name="load", host="h1", at=None, **more):
    out = {"Dimensions": [{"Name": "host", "Value": host}], "MeasureName": name, "MeasureValue": str(value),
           "MeasureValueType": "DOUBLE", "Time": str(at if at is not None else now_ms())}
    out.update(more)
    return out
