// The JavaScript SDK with nothing but AWS_ENDPOINT_URL and credentials in the environment: it discovers the endpoint,
// comes back, and every step below works. Prints one line a step; a failed step throws.
import * as W from "@aws-sdk/client-timestream-write";
import * as Q from "@aws-sdk/client-timestream-query";
import assert from "node:assert/strict";

const write = new W.TimestreamWriteClient({ maxAttempts: 1 });
const query = new Q.TimestreamQueryClient({ maxAttempts: 1 });
const name = "js_" + process.pid;

async function fails(type, status, promise) {
  await assert.rejects(promise, (e) => {
    assert.equal(e.name, type, `${e.name}: ${e.message}`);
    assert.equal(e.$metadata.httpStatusCode, status);
    return true;
  });
}

const endpoints = await write.send(new W.DescribeEndpointsCommand({}));
assert.equal(endpoints.Endpoints[0].CachePeriodInMinutes, 1440);
assert.equal(endpoints.Endpoints[0].Address, "127.0.0.1");
console.log("DescribeEndpoints answers a bare host");

await write.send(new W.CreateDatabaseCommand({ DatabaseName: name, Tags: [{ Key: "k", Value: "v" }] }));
const made = await write.send(
  new W.CreateTableCommand({
    DatabaseName: name,
    TableName: "keyed",
    Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "device", EnforcementInRecord: "REQUIRED" }] },
  }),
);
assert.deepEqual(made.Table.Schema.CompositePartitionKey, [
  { Type: "DIMENSION", Name: "device", EnforcementInRecord: "REQUIRED" },
]);
await fails(
  "ValidationException",
  400,
  write.send(
    new W.CreateTableCommand({
      DatabaseName: name,
      TableName: "two",
      Schema: { CompositePartitionKey: [{ Type: "MEASURE" }, { Type: "DIMENSION", Name: "x" }] },
    }),
  ),
);
console.log("partition keys (reference 7)");

const record = (dimension) => ({
  Dimensions: [{ Name: dimension, Value: "d1" }],
  MeasureName: "m",
  MeasureValue: "4.25",
  MeasureValueType: "DOUBLE",
  Time: String(Date.now()),
});
const put = (...Records) => write.send(new W.WriteRecordsCommand({ DatabaseName: name, TableName: "keyed", Records }));
assert.deepEqual((await put(record("device"))).RecordsIngested, { MagneticStore: 0, MemoryStore: 1, Total: 1 });
await assert.rejects(put(record("other")), (e) => {
  assert.equal(e.name, "RejectedRecordsException");
  assert.equal(e.$metadata.httpStatusCode, 419);
  assert.match(e.RejectedRecords[0].Reason, /required partition key dimension device/);
  return true;
});
console.log("WriteRecords, required partition key (5.9, 7)");

const relaxed = await write.send(
  new W.UpdateTableCommand({
    DatabaseName: name,
    TableName: "keyed",
    Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "device", EnforcementInRecord: "OPTIONAL" }] },
  }),
);
assert.equal(relaxed.Table.Schema.CompositePartitionKey[0].EnforcementInRecord, "OPTIONAL");
await put(record("other"));
const rows = await query.send(
  new Q.QueryCommand({ QueryString: `SELECT device, other, measure_value::double FROM "${name}"."keyed" ORDER BY device` }),
);
assert.deepEqual(
  rows.Rows.map((r) => r.Data.map((d) => (d.NullValue ? null : d.ScalarValue))),
  [
    ["d1", null, "4.25"],
    [null, "d1", "4.25"],
  ],
);
console.log("Query");

for (const [client, command] of [
  [write, new W.CreateBatchLoadTaskCommand({
    DataModelConfiguration: { DataModel: { DimensionMappings: [{ SourceColumn: "a" }] } },
    DataSourceConfiguration: { DataFormat: "CSV", DataSourceS3Configuration: { BucketName: "bucket" } },
    ReportConfiguration: { ReportS3Configuration: { BucketName: "bucket" } },
    TargetDatabaseName: name, TargetTableName: "keyed" })],
  [write, new W.ListBatchLoadTasksCommand({})],
  [query, new Q.ListScheduledQueriesCommand({})],
]) {
  await fails("UnknownOperationException", 404, client.send(command));
}
console.log("operations that are not built say so (docs/compatibility.md)");

const settings = await query.send(new Q.DescribeAccountSettingsCommand({}));
assert.equal(settings.MaxQueryTCU, 200);
assert.equal(settings.QueryPricingModel, "COMPUTE_UNITS");
assert.equal((await query.send(new Q.UpdateAccountSettingsCommand({ MaxQueryTCU: 64 }))).MaxQueryTCU, 64);
await fails("ValidationException", 400, query.send(new Q.UpdateAccountSettingsCommand({ MaxQueryTCU: 7 })));
console.log("account settings");

await write.send(new W.DeleteTableCommand({ DatabaseName: name, TableName: "keyed" }));
await write.send(new W.DeleteDatabaseCommand({ DatabaseName: name }));
await fails("ResourceNotFoundException", 404, write.send(new W.DescribeDatabaseCommand({ DatabaseName: name })));
console.log("deleted");
