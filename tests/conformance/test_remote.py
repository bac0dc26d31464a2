"""src/remote against a stand-in of S3 and KMS, and its TLS against servers that must not be trusted."""

import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

import moto
from server import BINARY

PROBE = os.path.join(os.path.dirname(BINARY), "mr_remote_probe")


def probe(endpoint, service, method, path, *options):
    """(status, HTTP status, ETag, body)"""
    out = subprocess.run([PROBE, endpoint, service, method, path, *options], check=True, capture_output=True,
                         env=dict(os.environ, **moto.ENVIRONMENT)).stdout
    line, _, body = out.partition(b"\n")
    status, http, etag = line.decode().split(" ", 2)
    return status, int(http), etag, body


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = moto.Moto()
        cls.s3 = cls.moto.client("s3")
        cls.s3.create_bucket(Bucket="shelf")

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()

    def test_put_get_list_delete(self):
        for key in ("plain", "deep/er/name.json", "two words", "plus+and&amp=é", "per%cent", "a//b"):
            with self.subTest(key=key):
                status, http, etag, _ = probe(self.moto.url, "s3", "PUT", "/shelf/" + key, "body=hello " + key,
                                              "header=content-type=application/json")
                self.assertEqual((status, http), ("ok", 200))
                self.assertTrue(etag.startswith('"'))
                got = self.s3.get_object(Bucket="shelf", Key=key)
                self.assertEqual(got["Body"].read().decode(), "hello " + key)
                self.assertEqual(got["ContentType"], "application/json")
                self.assertEqual(probe(self.moto.url, "s3", "GET", "/shelf/" + key)[3].decode(), "hello " + key)
                self.assertEqual(probe(self.moto.url, "s3", "HEAD", "/shelf/" + key), ("ok", 200, etag, b""))
                status, http, _, body = probe(self.moto.url, "s3", "GET", "/shelf", "query=list-type=2",
                                              "query=prefix=" + key)
                self.assertEqual((status, http), ("ok", 200))
                self.assertEqual(body.count(b"<Key>"), 1)
                self.assertEqual(probe(self.moto.url, "s3", "DELETE", "/shelf/" + key)[:2], ("ok", 204))
                self.assertEqual(probe(self.moto.url, "s3", "GET", "/shelf/" + key)[:2], ("ok", 404))

    def test_an_empty_object_and_a_large_one(self):
        self.assertEqual(probe(self.moto.url, "s3", "PUT", "/shelf/empty")[:2], ("ok", 200))
        self.assertEqual(probe(self.moto.url, "s3", "GET", "/shelf/empty"), ("ok", 200, *probe(
            self.moto.url, "s3", "HEAD", "/shelf/empty")[2:3], b""))
        self.s3.put_object(Bucket="shelf", Key="large", Body=b"x" * 100_000)
        self.assertEqual(len(probe(self.moto.url, "s3", "GET", "/shelf/large", "most=100000")[3]), 100_000)
        self.assertEqual(probe(self.moto.url, "s3", "GET", "/shelf/large", "most=99999")[:2], ("limit", 0))

    def test_encryption_headers_arrive(self):
        probe(self.moto.url, "s3", "PUT", "/shelf/sealed", "body=x", "header=x-amz-server-side-encryption=aws:kms",
              "header=x-amz-server-side-encryption-aws-kms-key-id=alias/reports")
        got = self.s3.head_object(Bucket="shelf", Key="sealed")
        self.assertEqual(got["ServerSideEncryption"], "aws:kms")
        self.assertEqual(got["SSEKMSKeyId"], "alias/reports")

    def test_kms(self):
        key = self.moto.client("kms").create_key()["KeyMetadata"]["KeyId"]

        def call(operation, **request):
            status, http, _, body = probe(self.moto.url, "kms", "POST", "/", "body=" + json.dumps(request),
                                          "header=content-type=application/x-amz-json-1.1",
                                          "header=x-amz-target=TrentService." + operation)
            self.assertEqual((status, http), ("ok", 200))
            return json.loads(body)

        made = call("GenerateDataKey", KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "b"})
        self.assertEqual(len(base64.b64decode(made["Plaintext"])), 32)
        back = call("Decrypt", CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
        self.assertEqual(back["Plaintext"], made["Plaintext"])


class Tls(unittest.TestCase):
    """A certificate of one's own is believed where --ca names it, and only for its name."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory(prefix="millrace-remote-")
        cls.servers = []

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.shutdown()
            server.server_close()
        cls.dir.cleanup()

    def serve(self, name):
        key, cert = (os.path.join(self.dir.name, f"{self.id()}.{end}") for end in ("key", "pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-subj", "/CN=tests", "-addext", "subjectAltName=" + name],
                       check=True, capture_output=True)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments):
                pass

        class Quiet(HTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that does not trust us hangs up

        server = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"https://127.0.0.1:{server.server_port}", cert

    def test_trusted_by_file(self):
        url, cert = self.serve("IP:127.0.0.1")
        self.assertEqual(probe(url, "s3", "GET", "/", "ca=" + cert), ("ok", 200, "", b"ok"))

    def test_not_trusted(self):
        url, _ = self.serve("IP:127.0.0.1")
        self.assertEqual(probe(url, "s3", "GET", "/")[:2], ("io_error", 0))

    def test_another_name(self):
        url, cert = self.serve("DNS:elsewhere.test")
        self.assertEqual(probe(url, "s3", "GET", "/", "ca=" + cert)[:2], ("io_error", 0))


if __name__ == "__main__":
    unittest.main()
