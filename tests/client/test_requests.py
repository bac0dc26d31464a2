"""What goes over the wire, beside what botocore sends for the same calls: every operation of both APIs, with every member and with
the required ones alone. Method, path, headers and signature are the same byte for byte. So is the body, once what JSON leaves open
is settled: botocore puts blanks behind commas and colons and writes letters as \\u escapes, the library does not."""

import http.server
import json
import os
import re
import threading
import unittest
import urllib.parse

import boto3
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from every_call import calls, program
from support import credentials, probe, run

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
OURS = ["authorization", "content-length", "content-type", "host", "user-agent", "x-amz-date", "x-amz-target"]
# What botocore adds for itself and AWS does not ask for.
THEIRS = {"accept-encoding", "connection", "accept", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-api-version",
          "x-amz-user-agent", "x-amzn-query-mode"}


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        Recorder.seen.append((self.command, self.path, headers, body))
        answer = b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def settled(body):
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()


def authorization(method, url, headers, body):
    """botocore's own for a request with these headers and this date."""
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method=method, url=url, headers={n: v for n, v in headers.items() if n in names}, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY, SECRET), "timestream", "us-east-1")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return (f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={';'.join(names)}, "
            f"Signature={signer.signature(text, request)}")


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        threading.Thread(target=cls.http.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.http.server_port}"
        options = dict(endpoint_url=cls.url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                       config=Config(retries={"max_attempts": 0}, parameter_validation=False))
        made = calls(boto3.client("timestream-write", **options), boto3.client("timestream-query", **options))
        run(program([statement for statement, *_ in made]), env=credentials(cls.url, KEY, SECRET))
        cls.mine, Recorder.seen = Recorder.seen, []
        cls.names = []
        for _, client, methods, operation, values in made:
            method = next(m for m, o in methods.items() if o == operation)
            getattr(client, method)(**values)
            cls.names.append(operation)
        cls.theirs = Recorder.seen

    @classmethod
    def tearDownClass(cls):
        cls.http.shutdown()
        cls.http.server_close()

    def each(self, check):
        for name, mine, theirs in zip(self.names, self.mine, self.theirs):
            with self.subTest(name):
                check(mine, theirs)

    def test_all_operations(self):
        self.assertEqual(len(self.mine), len(self.theirs))
        self.assertEqual(len(self.mine), len(self.names))
        self.assertGreaterEqual(len(set(self.names)), 24)  # an old botocore does not know all thirty

    def test_bodies(self):
        drawn = re.compile(rb'"ClientToken":"[0-9a-f]{8}-[0-9a-f-]{27}",?|,"ClientToken":"[0-9a-f]{8}-[0-9a-f-]{27}"(?=})')

        def check(mine, theirs):
            mine, theirs = mine[3], settled(theirs[3])
            self.assertEqual(len(drawn.findall(mine)), len(drawn.findall(theirs)))
            self.assertEqual(drawn.sub(b"", mine), drawn.sub(b"", theirs))  # each side draws its own, and puts it elsewhere
        self.each(check)

    def test_method_path_and_headers(self):
        def check(ours, others):
            (method, path, mine, body), (method2, path2, theirs, _) = ours, others
            self.assertEqual((method, path), (method2, path2))
            self.assertEqual(sorted(mine), OURS)
            self.assertEqual(set(theirs) - THEIRS, set(OURS))
            for name in ("host", "content-type", "x-amz-target"):
                self.assertEqual(mine[name], theirs[name])
            self.assertEqual(int(mine["content-length"]), len(body))
            self.assertRegex(mine["x-amz-date"], r"^\d{8}T\d{6}Z$")
        self.each(check)

    def test_authorization(self):
        def check(ours, others):
            method, path, mine, body = ours
            self.assertEqual(mine["authorization"], authorization(method, self.url + path, mine, body))
            signed, signed2 = (re.search("SignedHeaders=([^,]*)", h["authorization"]).group(1) for h in (mine, others[2]))
            self.assertEqual(signed, signed2.replace(";x-amz-api-version", ""))  # botocore's addition to DescribeEndpoints
        self.each(check)


class Presigned(unittest.TestCase):
    def test_signature(self):
        """What generate_presigned_url puts into a query string, signed by botocore for the same moment."""
        url = run(probe(), "presign", env=credentials("http://127.0.0.1:9", KEY, SECRET)).stdout.strip()
        parts = urllib.parse.urlsplit(url)
        given = dict(urllib.parse.parse_qsl(parts.query))
        self.assertEqual(given.pop("X-Amz-Algorithm"), "AWS4-HMAC-SHA256")
        date, expires, signature = (given.pop("X-Amz-" + n) for n in ("Date", "Expires", "Signature"))
        headers = {"host": parts.netloc, "content-type": "application/x-amz-json-1.0", "x-amz-target": "Timestream_20181101.ListDatabases"}
        signed = given.pop("X-Amz-SignedHeaders").split(";")
        credential = given.pop("X-Amz-Credential")
        request = AWSRequest(method="POST", url=f"{parts.scheme}://{parts.netloc}{parts.path}", params=given, data=b"",
                             headers={n: headers[n] for n in signed})
        request.context["timestamp"] = date
        signer = SigV4QueryAuth(Credentials(KEY, SECRET), "timestream", "us-east-1", expires=int(expires))
        self.assertEqual(credential, signer.scope(request))
        signer._modify_request_before_signing(request)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        self.assertEqual(signature, signer.signature(text, request))


class Newer(unittest.TestCase):
    """The same with the botocore that moto brings, which knows members and operations that Debian's does not."""

    def test_again(self):
        import moto
        done = run(moto.python(), os.path.abspath(__file__), "Requests", expect=None, env=dict(os.environ, PYTHONWARNINGS="ignore"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 4 tests", done.stderr)


if __name__ == "__main__":
    unittest.main()
