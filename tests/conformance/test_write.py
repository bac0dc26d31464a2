"""WriteRecords and what SQL reads back. Section numbers are of the Write API reference."""

import time
import unittest

from base import Case, now_ms, record


class WriteRecords(Case):
    def put(self, records, target=None, **more):
        database, table = target or self.target
        return self.write.write_records(DatabaseName=database, TableName=table, Records=records, **more)

    def setUp(self):
        self.target = self.table(RetentionProperties={"MemoryStoreRetentionPeriodInHours": 24,
                                                      "MagneticStoreRetentionPeriodInDays": 10})
        self.name_in_sql = '"{}"."{}"'.format(*self.target)

    def select(self, columns, rest=""):
        return self.rows(f"SELECT {columns} FROM {self.name_in_sql} {rest}")

    def rejected(self, records, **more):
        database, table = self.target
        response = self.fails("RejectedRecordsException", 419, self.write.write_records,
                              "One or more records have been rejected. See RejectedRecords for details.",
                              DatabaseName=database, TableName=table, Records=records, **more)
        return response["RejectedRecords"]

    def invalid(self, records, text=None, **more):
        database, table = self.target
        self.fails("ValidationException", 400, self.write.write_records, text, DatabaseName=database,
                   TableName=table, Records=records, **more)

    def test_every_type_round_trips(self):  # 5.3, 5.4
        at = now_ms()
        answer = self.put([
            record("-0.5", "d", at=at), record("9223372036854775807", "i", at=at, MeasureValueType="BIGINT"),
            record("na\u00efve \U0001F600 \"x\"", "s", at=at, MeasureValueType="VARCHAR"),
            record("True", "b", at=at, MeasureValueType="BOOLEAN")])
        self.assertEqual(answer["RecordsIngested"], {"Total": 4, "MemoryStore": 4, "MagneticStore": 0})
        self.assertEqual(self.select("measure_value::double", "WHERE measure_name = 'd'"), [["-0.5"]])
        self.assertEqual(self.select("measure_value::bigint", "WHERE measure_name = 'i'"), [["9223372036854775807"]])
        self.assertEqual(self.select("measure_value::varchar", "WHERE measure_name = 's'"),
                         [["na\u00efve \U0001F600 \"x\""]])
        self.assertEqual(self.select("measure_value::boolean", "WHERE measure_name = 'b'"), [["true"]])
        self.assertEqual(self.select("measure_value::double", "WHERE measure_name = 'b'"), [[None]])

    def test_multi(self):  # 5.3
        at = now_ms()
        self.put([{"Dimensions": [{"Name": "host", "Value": "m"}], "MeasureName": "all", "MeasureValueType": "MULTI",
                   "Time": str(at), "MeasureValues": [
                       {"Name": "cpu", "Value": "1e-3", "Type": "DOUBLE"}, {"Name": "n", "Value": "-7", "Type": "BIGINT"},
                       {"Name": "txt", "Value": "x", "Type": "VARCHAR"}, {"Name": "up", "Value": "false", "Type": "BOOLEAN"},
                       {"Name": "seen", "Value": "1700000000123", "Type": "TIMESTAMP"}]}])
        self.assertEqual(self.select("host, cpu, n, txt, up, seen"),
                         [["m", "0.001", "-7", "x", "false", "2023-11-14 22:13:20.123000000"]])

    def test_common_attributes_merge(self):  # 5.2
        at = now_ms()
        self.put([{"MeasureName": "a", "MeasureValue": "1"}, {"MeasureName": "b", "MeasureValue": "2",
                                                              "Dimensions": [{"Name": "disk", "Value": "sda"}]}],
                 CommonAttributes={"Dimensions": [{"Name": "host", "Value": "c"}], "Time": str(at // 1000),
                                   "TimeUnit": "SECONDS", "MeasureValueType": "BIGINT"})
        self.assertEqual(self.select("measure_name, host, disk, measure_value::bigint", "ORDER BY 1"),
                         [["a", "c", None, "1"], ["b", "c", "sda", "2"]])

    def test_overlapping_dimensions(self):  # 5.2
        self.invalid([record()], "duplicate", CommonAttributes={"Dimensions": [{"Name": "host", "Value": "h1"}]})

    def test_time_units_are_exact(self):  # 5.5
        ns = time.time_ns() // 1000 * 1000 + 123
        self.put([record(1, "ns", at=ns, TimeUnit="NANOSECONDS"), record(2, "us", at=ns // 1000, TimeUnit="MICROSECONDS"),
                  record(3, "ms", at=ns // 10**6), record(4, "s", at=ns // 10**9, TimeUnit="SECONDS")])
        got = dict(self.select("measure_name, to_nanoseconds(time)"))
        self.assertEqual(got, {"ns": str(ns), "us": str(ns // 1000 * 1000), "ms": str(ns // 10**6 * 10**6),
                               "s": str(ns // 10**9 * 10**9)})

    def test_windows(self):  # 5.6
        hour = 3600 * 1000
        got = self.rejected([record(at=now_ms()), record(at=now_ms() - 25 * hour), record(at=now_ms() + hour),
                             record(at=0)])
        self.assertEqual([r["RecordIndex"] for r in got], [1, 2, 3])
        for r in got:
            self.assertRegex(r["Reason"], r"^The record timestamp is outside the time range \[\d{4}-\d\d-\d\dT\d\d:\d\d:"
                                          r"\d\d\.\d{3}Z, .*Z\) of the memory store\.$")
            self.assertNotIn("ExistingVersion", r)
        self.assertEqual(len(self.select("time")), 1)  # 5.9: the accepted one is stored

    def test_magnetic_window(self):  # 5.6
        day = 24 * 3600 * 1000
        self.write.update_table(DatabaseName=self.target[0], TableName=self.target[1],
                                MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        answer = self.put([record(at=now_ms()), record(at=now_ms() - 5 * day)])
        self.assertEqual(answer["RecordsIngested"], {"Total": 2, "MemoryStore": 1, "MagneticStore": 1})
        got = self.rejected([record(at=now_ms() - 12 * day)])
        self.assertIn("of the data ingestion window.", got[0]["Reason"])

    def test_versions(self):  # 5.7
        at = now_ms()
        self.put([record(1, at=at)])
        self.put([record("1.0", at=at)])  # same content: idempotent
        got = self.rejected([record(2, at=at)])
        self.assertTrue(got[0]["Reason"].startswith("A record already exists with the same time, dimensions, measure "
                                                    "name, and record version."))
        self.assertNotIn("ExistingVersion", got[0])
        self.put([record(2, at=at, Version=5)])
        got = self.rejected([record(3, at=at, Version=4)])
        self.assertEqual(got[0]["ExistingVersion"], 5)
        self.assertEqual(got[0]["Reason"], "The record version 4 is lower than the existing version 5. A higher version "
                                           "is required to update the measure value.")
        self.put([record(9, at=at, Version=2**62)])
        self.assertEqual(self.select("measure_value::double"), [["9.0"]])

    def test_message_tells_why(self):
        database, table = self.target
        response = self.fails("RejectedRecordsException", 419, self.write.write_records, "Record 0: The record timestamp",
                              DatabaseName=database, TableName=table, Records=[record(at=0)])
        self.assertIn("RejectedRecords", response)

    def test_order_within_a_request(self):  # 5.7
        at = now_ms()
        got = self.rejected([record(1, at=at), record(1, at=at), record(2, at=at), record(3, at=at, Version=2)])
        self.assertEqual([r["RecordIndex"] for r in got], [2])
        self.assertEqual(self.select("measure_value::double"), [["3.0"]])

    def test_dimension_order_does_not_matter(self):  # 5.7
        at = now_ms()
        dims = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
        self.put([record(1, at=at, Dimensions=dims)])
        self.put([record(2, at=at, Dimensions=dims[::-1], Version=2)])
        self.assertEqual(self.select("a, b, measure_value::double"), [["1", "2", "2.0"]])

    def test_schema_evolution(self):  # 5.10
        at = now_ms()
        self.put([record(1, at=at)])
        got = self.rejected([record("x", at=at, MeasureValueType="VARCHAR")])
        self.assertTrue(got[0]["Reason"].startswith("Measure name already has an assigned measure value type."))
        multi = {"Dimensions": [{"Name": "host", "Value": "h"}], "MeasureName": "m", "MeasureValueType": "MULTI",
                 "Time": str(at)}
        self.put([dict(multi, MeasureValues=[{"Name": "v", "Value": "1", "Type": "BIGINT"}])])
        got = self.rejected([dict(multi, MeasureName="m2", MeasureValues=[{"Name": "v", "Value": "1", "Type": "DOUBLE"}])])
        self.assertTrue(got[0]["Reason"].startswith("Multi measure name already has"))
        got = self.rejected([dict(multi, MeasureName="m3", MeasureValues=[{"Name": "host", "Value": "1", "Type": "BIGINT"}])])
        self.assertIn("host is already used as a dimension name", got[0]["Reason"])
        got = self.rejected([record(1, "n2", at=at, Dimensions=[{"Name": "v", "Value": "1"}])])
        self.assertIn("v is already used as a measure name", got[0]["Reason"])

    def test_required_partition_key(self):  # 7
        self.target = self.table(Schema={"CompositePartitionKey": [
            {"Type": "DIMENSION", "Name": "host", "EnforcementInRecord": "REQUIRED"}]}) if hasattr(
                self.write.meta.service_model.operation_model("CreateTable").input_shape.members, "Schema") else self.target

    def test_invalid_values(self):  # 5.4
        for kind, bad in (("BIGINT", "1.5"), ("BIGINT", "None"), ("BIGINT", "9223372036854775808"), ("DOUBLE", "NaN"),
                          ("DOUBLE", "Infinity"), ("DOUBLE", "1d"), ("DOUBLE", " 1"), ("BOOLEAN", "1"), ("BOOLEAN", "yes")):
            self.invalid([record(bad, MeasureValueType=kind)], f"Invalid value {bad} for {kind.lower()} measure value type.")
        self.invalid([record("1", MeasureValueType="TIMESTAMP")], "TIMESTAMP is an invalid measure value type.")
        self.invalid([record(at="soon")], "Invalid time for record.")
        self.invalid([record(at=-1)], "Invalid time for record.")
        self.invalid([record(at=2**63)], "Invalid time for record.")
        self.invalid([record(Dimensions=[])], "At least one dimension is required for a record.")
        self.invalid([record(name="time")], "The measure name is invalid.")
        self.invalid([record(Dimensions=[{"Name": "ts_x", "Value": "1"}])], "The dimension name is invalid.")
        self.assertEqual(self.select("time"), [])  # 5.9: nothing was stored

    def test_model_constraints(self):  # 1.7
        self.invalid([record()] * 101, "at 'records' failed to satisfy constraint: Member must have length less than or "
                                       "equal to 100")
        self.invalid([record(MeasureValueType="FLOAT", Dimensions=[{"Name": "a", "Value": "b", "DimensionValueType": "INT"}])],
                     "2 validation errors detected: ")
        self.invalid([record(Dimensions=[{"Name": "a", "Value": "b", "DimensionValueType": "INT"}])],
                     "1 validation error detected: Value 'INT' at 'records.1.member.dimensions.1.member.dimensionValueType' "
                     "failed to satisfy constraint: Member must satisfy enum value set: [VARCHAR]")

    def test_unknown_table(self):
        self.fails("ResourceNotFoundException", 404, self.write.write_records, "does not exist",
                   DatabaseName=self.target[0], TableName="absent", Records=[record()])
        self.fails("ResourceNotFoundException", 404, self.write.write_records, "does not exist",
                   DatabaseName="absent", TableName="absent", Records=[record()])

    def test_zero_is_a_value(self):  # users-want 1b
        self.put([record("0")])
        self.assertEqual(self.select("measure_value::double"), [["0.0"]])


class Restart(Case):
    def test_data_survives_a_restart(self):
        from server import clients
        database, table = self.table()
        at = now_ms()
        for i in range(10):
            self.write.write_records(DatabaseName=database, TableName=table,
                                     Records=[record(i * 10 + k, host=f"h{k}", at=at + i) for k in range(10)])
        sql = f'SELECT host, time, measure_value::double FROM "{database}"."{table}" ORDER BY host, time'
        before = self.rows(sql)
        self.assertEqual(len(before), 100)
        self.server.kill()
        self.server.start()
        cls = type(self)
        cls.write, cls.query = clients(self.server.url)
        self.assertEqual(self.rows(sql), before)
        self.fails("RejectedRecordsException", 419, cls.write.write_records, DatabaseName=database, TableName=table,
                   Records=[record(-1, host="h0", at=at)])


if __name__ == "__main__":
    unittest.main()
