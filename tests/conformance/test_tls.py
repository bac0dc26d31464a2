"""TLS: certificates that change while the server runs, certificates of clients, versions that are too old."""

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest

import boto3
from botocore.config import Config

from server import KEY, SECRET, Server


class Authority:
    """A certificate authority in a folder, and what it signs."""

    def __init__(self, folder, name):
        self.cert, self.key = (os.path.join(folder, f"{name}.{kind}") for kind in ("pem", "key"))
        self.folder = folder
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
                     "-out", self.cert, "-days", "2", "-subj", f"/CN={name}")

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def sign(self, name, *extensions):
        """Paths of a certificate for 127.0.0.1 and of its key."""
        cert, key, request = (os.path.join(self.folder, f"{name}.{kind}") for kind in ("pem", "key", "csr"))
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                     "-subj", f"/CN={name}")
        with tempfile.NamedTemporaryFile("w", suffix=".ext") as file:
            file.write("\n".join(("subjectAltName=IP:127.0.0.1", *extensions)))
            file.flush()
            self.openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                         "-extfile", file.name, "-out", cert)
        return cert, key


class Tls(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.authority = Authority(self.folder, "authority")
        self.cert, self.key = self.authority.sign("server")

    def serve(self, *flags):
        self.server = Server("--tls-cert", self.cert, "--tls-key", self.key, *flags)
        self.addCleanup(self.server.stop)

    def client(self, **config):
        return boto3.client("timestream-write", endpoint_url=self.server.url, region_name="us-east-1", verify=self.authority.cert,
                            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                            config=Config(retries={"max_attempts": 0}, **config))

    def connection(self, context=None):
        context = context or ssl.create_default_context(cafile=self.authority.cert)
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=20)

    def health(self, connection):
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def reload(self, *events):
        """SIGHUP, and wait until the server has told what became of it."""
        before = [self.server.logged().count(f"event={event} ") for event in events]
        self.server.process.send_signal(signal.SIGHUP)
        for event, count in zip(events, before):
            deadline = time.monotonic() + 30
            while self.server.logged().count(f"event={event} ") == count:
                self.assertLess(time.monotonic(), deadline, self.server.logged()[-2000:])

    def test_sdk(self):
        self.serve()
        client = self.client()
        client.create_database(DatabaseName="secure")
        self.assertEqual([d["DatabaseName"] for d in client.list_databases()["Databases"]], ["secure"])
        self.assertEqual(client.describe_endpoints()["Endpoints"][0]["Address"], f"127.0.0.1:{self.server.port}")

    def test_new_certificate(self):
        self.serve()
        old = self.connection()
        self.assertEqual(self.health(old), 200)
        first = old.sock.getpeercert(binary_form=True)
        shutil.copy(self.cert, self.cert + ".old")
        next_cert, next_key = self.authority.sign("next")
        shutil.copy(next_cert, self.cert)  # with another key: refused, the old pair stays
        self.reload("tls_not_reloaded", "reloaded")
        again = self.connection()
        self.assertEqual(self.health(again), 200)
        self.assertEqual(again.sock.getpeercert(binary_form=True), first)
        shutil.copy(next_key, self.key)
        self.reload("reloaded")
        fresh = self.connection()
        self.assertEqual(self.health(fresh), 200)
        self.assertNotEqual(fresh.sock.getpeercert(binary_form=True), first)
        self.assertEqual(self.health(old), 200)  # open since before
        self.assertEqual(self.health(again), 200)
        os.remove(self.cert)
        self.reload("tls_not_reloaded", "reloaded")
        self.assertEqual(self.health(self.connection()), 200)
        for connection in (old, again, fresh):
            connection.close()

    def refused(self, context):
        connection = self.connection(context)
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.health(connection)
        connection.close()

    def test_client_certificates(self):
        clients, strangers = Authority(self.folder, "clients"), Authority(self.folder, "strangers")
        purpose = "extendedKeyUsage=clientAuth"
        good, bad = clients.sign("good", purpose), strangers.sign("bad", purpose)
        wrong_use = clients.sign("wrong", "extendedKeyUsage=serverAuth")
        self.serve("--tls-client-ca", clients.cert)
        self.client(client_cert=good).create_database(DatabaseName="known")
        self.refused(None)
        for pair in (bad, wrong_use):
            context = ssl.create_default_context(cafile=self.authority.cert)
            context.load_cert_chain(*pair)
            self.refused(context)
        self.assertEqual(self.server.logged().count("event=client_certificate_refused"), 2)
        shutil.copy(strangers.cert, clients.cert)  # others are trusted from now on
        self.reload("reloaded")
        self.client(client_cert=bad).describe_database(DatabaseName="known")
        context = ssl.create_default_context(cafile=self.authority.cert)
        context.load_cert_chain(*good)
        self.refused(context)

    def test_old_versions(self):
        self.serve()
        context = ssl.create_default_context(cafile=self.authority.cert)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        self.refused(context)
        context = ssl.create_default_context(cafile=self.authority.cert)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.health(self.connection(context)), 200)


if __name__ == "__main__":
    unittest.main()
