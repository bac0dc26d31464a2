"""The library and the commands against moto's server: an implementation of the API that is not ours. It has the operations of
databases, tables, tags, endpoints and scheduled queries, takes records, and answers queries with what it was told to."""

import json
import unittest
import urllib.request

from support import credentials, probe, run
from server import BINARY
from moto import ENVIRONMENT, Moto


class Others(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.env = credentials(cls.moto.url, ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"])

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()

    def cli(self, *arguments, text=None, expect=0):
        return run(BINARY, *arguments, env=self.env, text=text, expect=expect).stdout

    def test_every_operation_it_has(self):
        self.assertEqual(run(probe(), "moto", env=self.env).stdout, "ok\n")

    def test_commands(self):
        self.cli("databases", "create", "north")
        self.cli("tables", "create", "north", "wind", "--memory-hours", "2", "--magnetic-days", "3")
        self.assertIn("north,wind,ACTIVE,2,3\n", self.cli("tables", "north"))
        line = json.dumps({"Dimensions": [{"Name": "mast", "Value": "a"}], "MeasureName": "speed", "MeasureValue": "1.5",
                           "Time": "1700000000000"}) + "\n"
        self.cli("write", "-d", "north", "-t", "wind", text=line * 250)
        self.cli("import", "-d", "north", "-t", "wind", "--input-format", "json", "-", text=line * 50)
        self.assertEqual(len(self.moto_records()), 300)
        arn = json.loads(self.cli("databases", "describe", "north", "--format", "json"))["arn"]
        self.cli("tags", "add", arn, "a=b")
        self.assertEqual(self.cli("tags", arn), "key,value\na,b\n")
        self.cli("tables", "delete", "north", "wind")
        self.cli("databases", "delete", "north")
        self.assertEqual(self.cli("databases"), "name,tables,arn\n")

    def moto_records(self):
        with urllib.request.urlopen(self.moto.url + "/moto-api/data.json") as answer:
            tables = json.load(answer)["timestreamwrite"]["TimestreamTable"]
        return next(t["records"] for t in tables if t["name"] == "wind")

    def test_a_result_from_elsewhere(self):
        series = {"TimeSeriesValue": [{"Time": "2026-01-02 03:04:05.123456789", "Value": {"ScalarValue": "1.5"}}]}
        result = {"QueryId": "q", "QueryStatus": {"ProgressPercentage": 100.0}, "ColumnInfo": [
            {"Name": "host", "Type": {"ScalarType": "VARCHAR"}},
            {"Name": "trend", "Type": {"TimeSeriesMeasureValueColumnInfo": {"Type": {"ScalarType": "DOUBLE"}}}}],
            "Rows": [{"Data": [{"ScalarValue": "h"}, series]}, {"Data": [{"NullValue": True}, {"NullValue": True}]}]}
        body = json.dumps({"results": {"SELECT trend": [result]}}).encode()
        request = urllib.request.Request(self.moto.url + "/moto-api/static/timestream/query-results", body,
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()
        rows = [json.loads(line) for line in self.cli("query", "--format", "json", "SELECT trend").splitlines()]
        self.assertEqual(rows, [{"host": "h", "trend": [[1767323045123456789, 1.5]]}, {"host": None, "trend": None}])


if __name__ == "__main__":
    unittest.main()
