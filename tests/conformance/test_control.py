"""Control plane: databases, tables, tags, endpoint discovery. Section numbers are of the Write API reference."""

import datetime
import re
import unittest

from base import Case
from server import ACCOUNT, REGION


class Databases(Case):
    def test_life_of_a_database(self):  # 3.1 - 3.5
        made = self.write.create_database(DatabaseName="plain")["Database"]
        self.assertEqual(made["Arn"], f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/plain")
        self.assertEqual(made["TableCount"], 0)
        self.assertRegex(made["KmsKeyId"], rf"^arn:aws:kms:{REGION}:{ACCOUNT}:key/[0-9a-f-]{{36}}$")
        self.assertIsInstance(made["CreationTime"], datetime.datetime)
        self.assertEqual(self.write.describe_database(DatabaseName="plain")["Database"], made)
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
        updated = self.write.update_database(DatabaseName="plain", KmsKeyId=key)["Database"]
        self.assertEqual(updated["KmsKeyId"], key)
        self.assertGreaterEqual(updated["LastUpdatedTime"], made["LastUpdatedTime"])
        self.write.delete_database(DatabaseName="plain")
        self.fails("ResourceNotFoundException", 404, self.write.describe_database, "does not exist",
                   DatabaseName="plain")
        self.fails("ResourceNotFoundException", 404, self.write.delete_database, DatabaseName="plain")

    def test_create_twice_conflicts(self):  # 3.1
        name = self.database()
        self.fails("ConflictException", 409, self.write.create_database, "already exists", DatabaseName=name)

    def test_kms_forms(self):  # 4.5
        for form in ("1234abcd-12ab-34cd-56ef-1234567890ab", "alias/own",
                     f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/own",
                     f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"):
            name = self.name()
            made = self.write.create_database(DatabaseName=name, KmsKeyId=form)["Database"]
            self.assertRegex(made["KmsKeyId"], rf"^arn:aws:kms:{REGION}:{ACCOUNT}:key/")

    def test_delete_refused_while_tables_exist(self):  # 3.5
        database, table = self.table()
        self.assertEqual(self.write.describe_database(DatabaseName=database)["Database"]["TableCount"], 1)
        self.fails("ValidationException", 400, self.write.delete_database, DatabaseName=database)
        self.write.delete_table(DatabaseName=database, TableName=table)
        self.write.delete_database(DatabaseName=database)

    def test_names(self):  # 4.2
        for good in ("...", "-x-", "9lives", "a" * 256, "Case", "case"):
            self.write.create_database(DatabaseName=good)
            self.write.delete_database(DatabaseName=good)
        for bad in ("a b c", "sn\u00f6", "a/b/c", "x" * 257):
            self.fails("ValidationException", 400, self.write.create_database, "validation error detected",
                       DatabaseName=bad)

    def test_paging(self):  # 3 introduction, 3.3
        names = sorted(f"page_{i:03}" for i in range(45))
        for name in names:
            self.write.create_database(DatabaseName=name)
        seen, token, pages = [], None, 0
        while True:
            page = self.write.list_databases(MaxResults=20, **({"NextToken": token} if token else {}))
            seen += [d["DatabaseName"] for d in page["Databases"]]
            pages += 1
            token = page.get("NextToken")
            if not token:
                break
        self.assertEqual([n for n in seen if n.startswith("page_")], names)
        self.assertEqual(seen, sorted(seen, key=lambda n: n.encode()))
        self.assertGreaterEqual(pages, 3)
        token = self.write.list_databases(MaxResults=1)["NextToken"]
        middle = len(token) // 2
        forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
        self.fails("ValidationException", 400, self.write.list_databases, "NextToken", NextToken=forged)
        self.fails("ValidationException", 400, self.write.list_databases, "NextToken", NextToken="nonsense")
        for bad in (0, 21):
            try:
                self.fails("ValidationException", 400, self.write.list_databases, MaxResults=bad)
            except Exception as e:  # boto3 refuses 0 before sending
                self.assertIn("ParamValidation", type(e).__name__)

    def test_token_survives_restart(self):
        for i in range(3):
            self.write.create_database(DatabaseName=f"restart_{i}")
        token = self.write.list_databases(MaxResults=1)["NextToken"]
        cls = type(self)
        cls.server.keep = True
        cls.server.stop()
        cls.server.keep = False
        cls.server.start()
        from server import clients
        cls.write, cls.query = clients(cls.server.url)
        self.write.list_databases(MaxResults=1, NextToken=token)


class Tables(Case):
    def test_defaults(self):  # 3.6
        database, table = self.table()
        made = self.write.describe_table(DatabaseName=database, TableName=table)["Table"]
        self.assertEqual(made["Arn"], f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/{database}/table/{table}")
        self.assertEqual(made["TableStatus"], "ACTIVE")
        self.assertEqual(made["RetentionProperties"],
                         {"MemoryStoreRetentionPeriodInHours": 6, "MagneticStoreRetentionPeriodInDays": 73000})
        self.assertEqual(made["MagneticStoreWriteProperties"], {"EnableMagneticStoreWrites": False})

    def test_unknown_and_taken(self):
        self.fails("ResourceNotFoundException", 404, self.write.create_table, DatabaseName="nowhere",
                   TableName="some")
        database, table = self.table()
        self.fails("ConflictException", 409, self.write.create_table, DatabaseName=database, TableName=table)
        self.fails("ResourceNotFoundException", 404, self.write.describe_table, DatabaseName=database,
                   TableName="other")
        self.fails("ResourceNotFoundException", 404, self.write.list_tables, DatabaseName="nowhere")

    def test_retention_bounds(self):  # 6, 1.7
        database = self.database()
        for hours, days, at in ((0, 1, "memoryStoreRetentionPeriodInHours"), (8767, 1, "memoryStoreRetentionPeriodInHours"),
                                (1, 0, "magneticStoreRetentionPeriodInDays"), (1, 73001, "magneticStoreRetentionPeriodInDays")):
            try:
                self.fails("ValidationException", 400, self.write.create_table, f"retentionProperties.{at}",
                           DatabaseName=database, TableName="bounds",
                           RetentionProperties={"MemoryStoreRetentionPeriodInHours": hours,
                                                "MagneticStoreRetentionPeriodInDays": days})
            except Exception as e:
                self.assertIn("ParamValidation", type(e).__name__)

    def test_update_changes_only_what_is_given(self):  # 3.9
        database, table = self.table(MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": True,
            "MagneticStoreRejectedDataLocation": {"S3Configuration": {"BucketName": "rejects-bucket",
                                                                      "ObjectKeyPrefix": "late"}}})
        before = self.write.describe_table(DatabaseName=database, TableName=table)["Table"]
        self.assertEqual(before["MagneticStoreWriteProperties"]["MagneticStoreRejectedDataLocation"],
                         {"S3Configuration": {"BucketName": "rejects-bucket", "ObjectKeyPrefix": "late"}})
        after = self.write.update_table(DatabaseName=database, TableName=table, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 12, "MagneticStoreRetentionPeriodInDays": 30})["Table"]
        self.assertEqual(after["MagneticStoreWriteProperties"], before["MagneticStoreWriteProperties"])
        self.assertEqual(after["RetentionProperties"]["MemoryStoreRetentionPeriodInHours"], 12)
        self.assertEqual(after["CreationTime"], before["CreationTime"])

    def test_list_all(self):  # 3.8
        one, first = self.table()
        two, second = self.table()
        seen, token = [], None
        while True:
            page = self.write.list_tables(MaxResults=20, **({"NextToken": token} if token else {}))
            seen += [(t["DatabaseName"], t["TableName"]) for t in page["Tables"]]
            token = page.get("NextToken")
            if not token:
                break
        self.assertIn((one, first), seen)
        self.assertIn((two, second), seen)
        self.assertEqual([t["TableName"] for t in self.write.list_tables(DatabaseName=one)["Tables"]], [first])

    def test_dropped_table_is_empty_when_made_again(self):
        from base import record
        database, table = self.table()
        self.write.write_records(DatabaseName=database, TableName=table, Records=[record()])
        self.write.delete_table(DatabaseName=database, TableName=table)
        self.write.create_table(DatabaseName=database, TableName=table)
        self.assertEqual(self.rows(f'SELECT time FROM "{database}"."{table}"'), [])


class Tags(Case):
    def test_life_of_tags(self):  # 3.14 - 3.16
        database = self.database(Tags=[{"Key": "team", "Value": "a"}, {"Key": "empty", "Value": ""}])
        arn = self.write.describe_database(DatabaseName=database)["Database"]["Arn"]
        self.assertEqual({t["Key"]: t["Value"] for t in self.write.list_tags_for_resource(ResourceARN=arn)["Tags"]},
                         {"team": "a", "empty": ""})
        self.write.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "b"}])
        self.write.untag_resource(ResourceARN=arn, TagKeys=["empty", "unknown"])
        self.assertEqual(self.write.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "team", "Value": "b"}])
        self.assertEqual(self.query.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "team", "Value": "b"}])

    def test_refusals(self):  # 4.4
        arn = self.write.describe_database(DatabaseName=self.database())["Database"]["Arn"]
        self.fails("ValidationException", 400, self.write.tag_resource, ResourceARN=arn,
                   Tags=[{"Key": "aws:own", "Value": "x"}])
        self.fails("ValidationException", 400, self.write.list_tags_for_resource, ResourceARN="rubbish")
        self.fails("ResourceNotFoundException", 404, self.write.list_tags_for_resource,
                   ResourceARN=f"arn:aws:timestream:{REGION}:{ACCOUNT}:database/absent")
        self.fails("ServiceQuotaExceededException", 402, self.write.tag_resource, ResourceARN=arn,
                   Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(51)])


class Endpoints(Case):
    def test_boto_gets_a_url_it_uses_unchanged(self):  # 11.2
        answer = self.write.describe_endpoints()["Endpoints"]
        self.assertEqual(answer, [{"Address": self.server.url, "CachePeriodInMinutes": 1440}])
        self.assertEqual(self.query.describe_endpoints()["Endpoints"], answer)

    def test_discovery_comes_back_here(self):
        """What AWS_ENDPOINT_URL makes newer SDKs do: discover on the URL, then use the answer (11.2)."""
        import boto3
        from botocore.config import Config
        from botocore.discovery import EndpointDiscoveryHandler, EndpointDiscoveryManager
        from server import KEY, SECRET
        client = boto3.client("timestream-write", endpoint_url=self.server.url, region_name=REGION,
                              aws_access_key_id=KEY, aws_secret_access_key=SECRET, config=Config())
        handler = EndpointDiscoveryHandler(EndpointDiscoveryManager(client))
        handler.register(client.meta.events, client.meta.service_model.service_id.hyphenize())
        client.list_databases()
        self.assertEqual(len(handler._manager._cache), 1)

    def test_request_id_and_headers(self):  # 1.3
        meta = self.write.list_databases()["ResponseMetadata"]
        self.assertTrue(re.match(r"^[A-Z2-7]{26}$", meta["RequestId"]))
        self.assertEqual(set(meta["HTTPHeaders"]), {"x-amzn-requestid", "content-type", "content-length", "date"})


if __name__ == "__main__":
    unittest.main()
