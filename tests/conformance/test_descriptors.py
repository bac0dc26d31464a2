"""Few descriptors and many connections: those that are too many are told so, files are written all the same."""

import os
import socket
import stat
import tempfile
import time
import unittest

import server
from server import Server, clients

LIMIT = 128


class Descriptors(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as script:
            script.write(f'#!/bin/sh\nexec prlimit --nofile={LIMIT}:{LIMIT} "{os.path.abspath(server.BINARY)}" "$@"\n')
        os.chmod(script.name, stat.S_IRWXU)
        self.addCleanup(os.unlink, script.name)
        binary, server.BINARY = server.BINARY, script.name
        try:
            self.server = Server("--flush-bytes", "16K")
        finally:
            server.BINARY = binary
        self.addCleanup(self.server.stop)
        self.start = int(time.time() * 1000) - 600000
        self.write, self.query = clients(self.server.url)
        self.write.create_database(DatabaseName="few")
        self.write.create_table(DatabaseName="few", TableName="files")

    def put(self, n):
        self.write.write_records(DatabaseName="few", TableName="files", Records=[
            {"Dimensions": [{"Name": "a", "Value": "b"}], "MeasureName": "m", "MeasureValue": str(n), "Time": str(self.start + n)}])

    def count(self):
        return int(self.query.query(QueryString="SELECT count(*) FROM few.files")["Rows"][0]["Data"][0]["ScalarValue"])

    def flood(self, count):
        """Connections that have asked once, and how many of them were turned away."""
        sockets, refused = [], 0
        for _ in range(count):
            s = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
            try:
                s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = s.recv(4096)
            except ConnectionError:
                answer = b""
            refused += not answer.startswith(b"HTTP/1.1 200")
            if answer.startswith(b"HTTP/1.1 429"):
                self.assertIn(b"ThrottlingException", answer)
            sockets.append(s)
        return sockets, refused

    def test_flood(self):
        self.put(1)
        self.assertEqual(self.count(), 1)  # both clients have their connection
        self.assertIn("event=connections_limited max_connections=64 ", self.server.logged())
        sockets, refused = self.flood(3 * LIMIT)
        self.assertGreaterEqual(refused, 2 * LIMIT)
        flushed, n = self.server.logged().count("event=flushed "), 1
        while self.server.logged().count("event=flushed ") < flushed + 2:  # files are made meanwhile
            n += 1
            self.assertLess(n, 100000)
            self.put(n)
        self.assertEqual(self.count(), n)
        for s in sockets:
            s.close()
        while self.flood(1)[1]:  # until the server has seen that they are gone
            self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.count(), n)
        self.assertEqual(clients(self.server.url)[0].list_databases()["Databases"][0]["DatabaseName"], "few")


if __name__ == "__main__":
    unittest.main()
