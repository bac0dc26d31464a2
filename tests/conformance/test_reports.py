"""Reports of rejected magnetic-store records, in moto's S3. Waiting is for a state, never for a time."""

import json
import os
import re
import signal
import time
import unittest

import moto
from base import Case, now_ms
from server import Server, clients

HOUR = 3600 * 1000


class ReportCase(Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = moto.Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.s3 = cls.moto.client("s3")
        cls.s3.create_bucket(Bucket="lost-records")
        cls.server = Server("--s3-endpoint", cls.moto.url, "--magnetic-conflicts", "later", env=moto.ENVIRONMENT)
        cls.write, cls.query = clients(cls.server.url)

    def until(self, reached):
        deadline = time.monotonic() + 60
        while not reached():
            self.assertLess(time.monotonic(), deadline, "it never came to that")
            time.sleep(0.02)

    def reporting_table(self, **s3):
        s3 = {"BucketName": "lost-records", **s3}
        return self.table(RetentionProperties={"MemoryStoreRetentionPeriodInHours": 1,
                                               "MagneticStoreRetentionPeriodInDays": 100},
                          MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True,
                                                        "MagneticStoreRejectedDataLocation": {"S3Configuration": s3}})

    def put(self, database, table, *records):
        return self.write.write_records(DatabaseName=database, TableName=table, Records=list(records))

    def late(self, value, version=1, **more):
        return {"Dimensions": [{"Name": "host", "Value": "a\"b"}], "MeasureName": "load", "MeasureValue": str(value),
                "MeasureValueType": "DOUBLE", "Time": str(self.when), "Version": version, **more}

    def setUp(self):
        self.when = now_ms() - 48 * HOUR

    def keys(self, prefix, bucket="lost-records"):
        return [o["Key"] for o in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def read(self, key, bucket="lost-records"):
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


class Reports(ReportCase):
    def test_where_and_what(self):
        database, table = self.reporting_table(ObjectKeyPrefix="in/here")
        self.put(database, table, self.late(1, version=5))
        multi = {"Dimensions": [{"Name": "host", "Value": "m"}], "MeasureName": "all", "MeasureValueType": "MULTI",
                 "Time": str(self.when), "Version": 7,
                 "MeasureValues": [{"Name": "n", "Value": "3", "Type": "BIGINT"}, {"Name": "on", "Value": "true", "Type": "BOOLEAN"},
                                   {"Name": "s", "Value": "é\n", "Type": "VARCHAR"}]}
        self.put(database, table, multi)
        answer = self.put(database, table, self.late(2, version=5), self.late(3, version=4),
                          {**multi, "MeasureValues": [{"Name": "n", "Value": "4", "Type": "BIGINT"}]})
        self.assertEqual(answer["RecordsIngested"]["MagneticStore"], 3)
        prefix = f"in/here/{database}/{table}/"
        self.until(lambda: self.keys(prefix))
        (key,) = self.keys(prefix)
        self.assertRegex(key, "^" + re.escape(prefix) + r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/[0-9A-F]{32}\.json$")
        report = self.read(key)
        self.assertEqual(report["reportId"], key.split("/")[-1][:-5])
        self.assertEqual(self.s3.head_object(Bucket="lost-records", Key=key)["ContentType"], "application/json")
        found = {e["reason"]: e["records"] for e in report["errors"]}
        self.assertEqual(len(found), 2)
        (lower,) = [r for reason, r in found.items() if "lower than the existing version 5" in reason]
        self.assertEqual(lower, [{
            "dimensions": [{"name": "host", "value": "a\"b", "dimensionValueType": None}], "measureName": "load",
            "measureValue": "3.0", "measureValues": None, "measureValueType": "DOUBLE",
            "time": str(self.when * 1_000_000), "timeUnit": "NANOSECONDS", "version": 4}])
        (same,) = [r for reason, r in found.items() if "already exists with the same time" in reason]
        self.assertEqual(len(same), 2)
        self.assertEqual(same[1]["measureValues"], [{"name": "n", "value": "4", "type": "BIGINT"}])
        self.assertIsNone(same[1]["measureValue"])

    def test_encryption_is_passed_on(self):
        key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        for s3, want in (({"EncryptionOption": "SSE_S3"}, ("AES256", None)),
                         ({"EncryptionOption": "SSE_KMS", "KmsKeyId": key}, ("aws:kms", key))):
            database, table = self.reporting_table(**s3)
            self.put(database, table, self.late(1, version=5))
            self.put(database, table, self.late(2, version=5))
            self.until(lambda: self.keys(f"{database}/{table}/"))
            got = self.s3.head_object(Bucket="lost-records", Key=self.keys(f"{database}/{table}/")[0])
            self.assertEqual((got["ServerSideEncryption"], got.get("SSEKMSKeyId")), want)

    def test_without_a_location_nothing_is_written(self):
        database, table = self.table(MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        self.put(database, table, self.late(1, version=5))
        self.put(database, table, self.late(2, version=5))
        other, reporting = self.reporting_table()
        self.put(other, reporting, self.late(1, version=5))
        self.put(other, reporting, self.late(2, version=5))
        self.until(lambda: self.keys(f"{other}/{reporting}/"))
        self.assertEqual([k for k in self.keys("") if table in k], [])

    def test_the_bucket_must_be_there(self):
        database = self.database()
        where = {"EnableMagneticStoreWrites": True,
                 "MagneticStoreRejectedDataLocation": {"S3Configuration": {"BucketName": "not-there"}}}
        self.fails("ValidationException", 400, self.write.create_table, "not-there", DatabaseName=database,
                   TableName=self.name(), MagneticStoreWriteProperties=where)
        _, table = self.table(database)
        self.fails("ValidationException", 400, self.write.update_table, "not-there", DatabaseName=database,
                   TableName=table, MagneticStoreWriteProperties=where)
        self.s3.create_bucket(Bucket="comes-later")
        where["MagneticStoreRejectedDataLocation"]["S3Configuration"]["BucketName"] = "comes-later"
        self.write.update_table(DatabaseName=database, TableName=table, MagneticStoreWriteProperties=where)

    def test_a_bucket_that_goes_and_comes_back(self):
        self.s3.create_bucket(Bucket="goes-away")
        database, table = self.reporting_table(BucketName="goes-away")
        self.put(database, table, self.late(1, version=5))
        self.s3.delete_bucket(Bucket="goes-away")
        failures = 'millrace_report_failures_total{fault="user"}'
        before = self.server.metrics()[failures]
        self.put(database, table, self.late(2, version=5))
        self.until(lambda: self.server.metrics()[failures] >= before + 2)
        self.assertEqual(self.server.logged().count("event=reports_failing bucket=goes-away"), 1)
        self.s3.create_bucket(Bucket="goes-away")
        self.until(lambda: self.keys(f"{database}/{table}/", "goes-away"))
        self.until(lambda: "event=reports_recovered" in self.server.logged())


class Silent(ReportCase):
    """A storage that hangs costs no write and no stop."""

    def test_writes_do_not_wait(self):
        database, table = self.reporting_table()
        os.kill(self.moto.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.moto.process.pid, signal.SIGCONT)
        for version in range(50, 0, -1):
            self.put(database, table, self.late(version, version=version))
        self.fails("InternalServerException", 500, self.write.create_table, DatabaseName=database, TableName=self.name(),
                   MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True, "MagneticStoreRejectedDataLocation": {
                       "S3Configuration": {"BucketName": "lost-records"}}})
        self.assertGreater(self.server.metrics()["millrace_report_waiting_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
