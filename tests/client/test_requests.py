"""What goes over the wire, beside what botocore sends for the same calls: the same method, path, headers that AWS defines,
input and signature."""

import http.server
import json
import threading
import unittest

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from support import credentials, probe, run

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "0123456789abcdef0123456789abcdef"


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        Recorder.seen.append((self.command, self.path, headers, body))
        target = self.headers["X-Amz-Target"]
        answer = b'{"Endpoints":[{"Address":"x","CachePeriodInMinutes":1}]}' if "Endpoints" in target else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def botocore_calls(url):
    options = dict(endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                   config=Config(retries={"max_attempts": 0}, parameter_validation=True))
    write, query = boto3.client("timestream-write", **options), boto3.client("timestream-query", **options)
    write.create_database(DatabaseName="alpha", Tags=[{"Key": "a", "Value": "b ä"}])
    write.write_records(DatabaseName="alpha", TableName="beta", Records=[
        {"Dimensions": [{"Name": "host", "Value": "h1"}], "MeasureName": "cpu", "MeasureValue": "1.5",
         "MeasureValueType": "DOUBLE", "Time": "1700000000000", "Version": 3}])
    query.query(QueryString="SELECT '€\n\"'", ClientToken=TOKEN, MaxRows=5)
    write.describe_endpoints()
    query.execute_scheduled_query(ScheduledQueryArn="arn:aws:timestream:us-east-1:1:scheduled-query/x",
                                  InvocationTime=1700000000, ClientToken=TOKEN)
    write.delete_database(DatabaseName="alpha")


def signature_of(method, url, headers, body):
    """botocore's own signature for a request with these headers and its date."""
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    signed = {n: v for n, v in headers.items() if n.lower() in names}
    request = AWSRequest(method=method, url=url, headers=signed, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY, SECRET), "timestream", "us-east-1")
    canonical = signer.canonical_request(request)
    return signer.signature(signer.string_to_sign(request, canonical), request)


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        threading.Thread(target=cls.http.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.http.server_port}"
        run(probe(), "requests", env=credentials(cls.url, KEY, SECRET))
        cls.mine, Recorder.seen = Recorder.seen, []
        botocore_calls(cls.url)
        cls.theirs = Recorder.seen

    @classmethod
    def tearDownClass(cls):
        cls.http.shutdown()
        cls.http.server_close()

    def test_same_requests(self):
        self.assertEqual(len(self.mine), 6)
        self.assertEqual(len(self.theirs), 6)
        for (m1, p1, h1, b1), (m2, p2, h2, b2) in zip(self.mine, self.theirs):
            self.assertEqual((m1, p1), (m2, p2))
            self.assertEqual(json.loads(b1), json.loads(b2))
            for name in ("host", "content-type", "x-amz-target"):
                self.assertEqual(h1[name], h2[name])

    def test_same_signed_headers(self):
        for (_, _, h1, _), (_, _, h2, _) in zip(self.mine, self.theirs):
            mine, theirs = ({part.split("=")[0]: part.split("=")[1] for part in h["authorization"].split(" ", 1)[1].split(", ")}
                            for h in (h1, h2))
            discovery = ";x-amz-api-version"  # botocore's own addition to DescribeEndpoints; AWS does not ask for it
            self.assertEqual(mine["SignedHeaders"], theirs["SignedHeaders"].replace(discovery, ""))
            self.assertEqual(mine["Credential"], theirs["Credential"])

    def test_botocore_signs_them_alike(self):
        for method, path, headers, body in self.mine:
            self.assertTrue(headers["authorization"].endswith(signature_of(method, self.url + path, headers, body)))

    def test_nothing_else_is_sent(self):
        for _, _, headers, _ in self.mine:
            self.assertEqual(sorted(headers), ["authorization", "content-length", "content-type", "host", "user-agent",
                                               "x-amz-date", "x-amz-target"])


if __name__ == "__main__":
    unittest.main()
