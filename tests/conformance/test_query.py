"""The Query API: paging, tokens, cancellation, status. Section numbers are of the Query API reference."""

import http.client
import json
import threading
import time
import unittest
import uuid

from base import Case, now_ms, record


class Query(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.write.create_database(DatabaseName="paging")
        cls.write.create_table(DatabaseName="paging", TableName="rows")
        at = now_ms()
        for i in range(25):
            cls.write.write_records(DatabaseName="paging", TableName="rows", Records=[
                record(i * 100 + k, host=f"h{k % 10}", at=at - i * 100 - k) for k in range(100)])

    def test_pages_hold_every_row_once(self):  # 4.1
        text = "SELECT host, measure_value::double FROM paging.rows ORDER BY 2"
        seen, token, sizes, ids = [], None, [], set()
        while True:
            page = self.query.query(QueryString=text, MaxRows=1000, **({"NextToken": token} if token else {}))
            seen += [float(r["Data"][1]["ScalarValue"]) for r in page["Rows"]]
            sizes.append(len(page["Rows"]))
            ids.add(page["QueryId"])
            self.assertEqual([c["Name"] for c in page["ColumnInfo"]], ["host", "measure_value::double"])
            token = page.get("NextToken")
            if not token:
                break
        self.assertEqual(seen, [float(i) for i in range(2500)])
        self.assertEqual(sizes, [1000, 1000, 500])
        self.assertEqual(len(ids), 1)

    def test_last_page_has_no_token(self):  # users-want 5
        page = self.query.query(QueryString="SELECT host FROM paging.rows LIMIT 1000", MaxRows=1000)
        self.assertEqual((len(page["Rows"]), page.get("NextToken")), (1000, None))

    def test_token_rules(self):  # 4.2
        text = "SELECT host FROM paging.rows"
        first = self.query.query(QueryString=text, MaxRows=100)
        again = [self.query.query(QueryString=text, NextToken=first["NextToken"], MaxRows=100) for _ in range(2)]
        self.assertEqual(again[0]["Rows"], again[1]["Rows"])  # the same token, the same rows
        self.query.query(QueryString=text, NextToken=again[0]["NextToken"], MaxRows=100)
        for bad in (first["NextToken"], "AYABgarbage", again[0]["NextToken"][:-2]):
            self.fails("ValidationException", 400, self.query.query, "Invalid pagination token", QueryString=text, NextToken=bad)
        fresh = self.query.query(QueryString=text, MaxRows=100)["NextToken"]
        self.fails("ValidationException", 400, self.query.query, "Invalid pagination token",
                   QueryString="SELECT host FROM paging.rows ", NextToken=fresh)

    def test_client_token(self):  # 4.3
        token = uuid.uuid4().hex
        one = self.query.query(QueryString="SELECT now()", ClientToken=token)
        self.assertEqual(self.query.query(QueryString="SELECT now()", ClientToken=token)["Rows"], one["Rows"])
        self.fails("ValidationException", 400, self.query.query, QueryString="SELECT 1", ClientToken=token)

    def insights(self, text):
        """QueryInsightsResponse of a query; older SDKs know neither that member nor the one that asks for it."""
        seen = []

        def ask(params, **_):
            params["body"] = json.dumps({**json.loads(params["body"]),
                                         "QueryInsights": {"Mode": "ENABLED_WITH_RATE_CONTROL"}}).encode()

        def keep(http_response, **_):
            seen.append(json.loads(http_response.content)["QueryInsightsResponse"])

        events = self.query.meta.events
        events.register("before-call.timestream-query.Query", ask)
        events.register("after-call.timestream-query.Query", keep)
        try:
            self.query.query(QueryString=text)
        finally:
            events.unregister("before-call.timestream-query.Query", ask)
            events.unregister("after-call.timestream-query.Query", keep)
        return seen[0]

    def test_insights(self):  # 4.4
        insights = self.insights("SELECT count(*) FROM paging.rows WHERE host IN ('h3', 'h4')")
        self.assertEqual((insights["QueryTableCount"], insights["OutputRows"]), (1, 1))
        widest = insights["QuerySpatialCoverage"]["Max"]
        self.assertEqual((widest["Value"], widest["PartitionKey"]), (0.2, ["measure_name"]))
        self.assertTrue(widest["TableArn"].endswith(":database/paging/table/rows"))
        self.assertNotIn("QuerySpatialCoverage", self.insights("SELECT 1"))

    def test_status_and_encoding(self):  # 4.4, 7
        page = self.query.query(QueryString="SELECT INTEGER '42' AS n, TIMESTAMP '2023-03-09 04:30' AS at_time, NULL")
        self.assertEqual(page["ColumnInfo"], [{"Name": "n", "Type": {"ScalarType": "INTEGER"}},
                                              {"Name": "at_time", "Type": {"ScalarType": "TIMESTAMP"}},
                                              {"Name": "_col2", "Type": {"ScalarType": "UNKNOWN"}}])
        self.assertEqual(page["Rows"], [{"Data": [{"ScalarValue": "42"}, {"ScalarValue": "2023-03-09 04:30:00.000000000"},
                                                  {"NullValue": True}]}])
        self.assertEqual(page["QueryStatus"], {"ProgressPercentage": 100.0, "CumulativeBytesScanned": 0,
                                               "CumulativeBytesMetered": 0})
        self.assertRegex(page["QueryId"], r"^AE[A-Z2-7]{60}$")

    def test_cancel(self):  # 6
        text = "SELECT host FROM paging.rows"
        first = self.query.query(QueryString=text, MaxRows=10)
        self.assertNotIn("CancellationMessage", self.query.cancel_query(QueryId=first["QueryId"]))
        self.fails("ConflictException", 409, self.query.query, "Unable to poll results for a cancelled query.",
                   QueryString=text, NextToken=first["NextToken"])
        self.assertIn("already", self.query.cancel_query(QueryId=first["QueryId"])["CancellationMessage"])
        done = self.query.query(QueryString="SELECT 1")
        self.query.cancel_query(QueryId=done["QueryId"])  # finished: no exception
        self.fails("ValidationException", 400, self.query.cancel_query, QueryId="NOSUCH")

    def test_column_metadata_is_limited(self):  # 4.5
        columns = ", ".join(f'1 AS "{"x" * 200}{i}"' for i in range(400))
        self.assertEqual(len(self.query.query(QueryString=f"SELECT {columns}")["ColumnInfo"]), 400)
        columns = ", ".join(f'1 AS "{"x" * 200}{i}"' for i in range(500))
        self.fails("QueryExecutionException", 400, self.query.query, "metadata", QueryString=f"SELECT {columns}")

    def test_prepare(self):  # 5
        got = self.query.prepare_query(QueryString="SELECT host, time AS t FROM paging.rows WHERE time > @since",
                                       ValidateOnly=True)
        self.assertEqual([c["Name"] for c in got["Columns"]], ["host", "t"])
        self.assertEqual(got["Columns"][0]["TableName"], "rows")
        self.assertTrue(got["Columns"][1]["Aliased"])
        self.assertEqual(got["Parameters"], [{"Name": "since", "Type": {"ScalarType": "TIMESTAMP"}}])
        self.fails("ValidationException", 400, self.query.prepare_query, QueryString="SELECT 1", ValidateOnly=False)
        self.fails("ValidationException", 400, self.query.query, QueryString="SELECT host FROM paging.rows WHERE time > @since")

    def test_show_and_describe(self):  # 7.4
        self.assertIn(["paging"], self.rows("SHOW DATABASES LIKE 'pag%'"))
        self.assertEqual(self.rows("SHOW TABLES FROM paging"), [["rows"]])
        self.assertEqual(self.rows("SHOW MEASURES FROM paging.rows"), [["load", "double", [["host", "varchar"]]]])
        self.assertEqual(self.rows("DESCRIBE paging.rows"), [
            ["host", "varchar", "DIMENSION"], ["measure_name", "varchar", "MEASURE_NAME"], ["time", "timestamp", "TIMESTAMP"],
            ["measure_value::double", "double", "MEASURE_VALUE"]])

    def test_error_texts(self):  # 8.1
        for text, want in (("SELECT nope FROM paging.rows", "line 1:8: Column 'nope' does not exist"),
                           ("SELECT 1 FROM nowhere.rows", "database 'nowhere'"), ("SELECT 1 FROM paging.none", "none"),
                           ("SELEC 1", "The query syntax is invalid at line 1:1"), ("SELECT 1 +", "The query syntax is invalid at line 1:")):
            self.fails("ValidationException", 400, self.query.query, want, QueryString=text)
        self.fails("QueryExecutionException", 400, self.query.query, "Division by zero", QueryString="SELECT 1/0")

    def test_many_at_once(self):
        wrong = []

        def ask():
            for _ in range(10):
                rows = self.rows("SELECT host, count(*) FROM paging.rows GROUP BY host ORDER BY host")
                if rows != [[f"h{i}", "250"] for i in range(10)]:
                    wrong.append(rows)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])



class Capacity(Case):
    """MaxQueryTCU (10): 4 units are good for 7 queries at one time, those that wait for their turn included."""

    flags = ("--query-concurrency=2", "--drain-seconds=1")
    HEAVY = "SELECT count(*) FROM " + ", ".join(f"UNNEST(sequence(1, 10000)) AS t{i}(x{i})" for i in range(4))

    def in_progress(self, count):
        while int(self.server.metrics()["millrace_queries_in_progress"]) != count:
            time.sleep(0.01)

    def ask(self, text):
        """A query that the end of the server may cut off."""
        try:
            self.server.call("Query", QueryString=text)
        except http.client.HTTPException:
            pass

    def start(self, *texts):
        threads = [threading.Thread(target=self.ask, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        return threads

    def refused(self):
        status, answer = self.server.call("Query", QueryString="SELECT 1")
        self.assertEqual((status, answer["__type"].split("#")[1], answer["message"]),
                         (429, "ThrottlingException", "MaxQueryTCU exceeded"))

    def test_limit(self):
        call = self.server.call
        self.assertEqual(call("UpdateAccountSettings", MaxQueryTCU=4)[1]["MaxQueryTCU"], 4)
        self.server.keep = True
        for last in (False, True):  # the setting holds from the start
            threads = self.start(*[self.HEAVY] * 7)
            self.in_progress(7)
            self.refused()
            self.assertEqual(call("Query", QueryString="SHOW DATABASES")[0], 200)
            if last:
                self.assertEqual(call("UpdateAccountSettings", MaxQueryTCU=8)[0], 200)
                threads += self.start("SELECT 1")
                self.in_progress(8)
            self.server.stop()
            for thread in threads:
                thread.join()
            self.server.start()
        self.server.keep = False

    def test_one_run_for_a_token(self):  # 4.3: asked again before the first call was answered
        text = ("SELECT max(x * y % 7) FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 5000)) AS b(y)")
        token, answers = uuid.uuid4().hex, []
        threads = [threading.Thread(target=lambda: answers.append(
            self.server.call("Query", QueryString=text, ClientToken=token))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([status for status, _ in answers], [200] * 3)
        self.assertEqual(len({answer["QueryId"] for _, answer in answers}), 1)


if __name__ == "__main__":
    unittest.main()
