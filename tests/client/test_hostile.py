"""A server that does everything wrong: the library ends each call in time, with the right word, and leaks nothing."""

import datetime
import ipaddress
import os
import socket
import socketserver
import ssl
import tempfile
import threading
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import Outcome, call, credentials, probe, run

GOOD = b'{"Databases":[{"DatabaseName":"alpha"}]}'


def answer(status, body=b"", *headers, length=None):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def fault(name, status, message="no"):
    return answer(status, f'{{"__type":"com.amazonaws.timestream.v20181101#{name}","message":"{message}"}}'.encode())


class Hostile:
    """Each connection is handed to `script(socket, number of the request)` after a whole request has been read."""

    def __init__(self, script):
        outer = self
        self.count = 0
        self.lock = threading.Lock()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                while self.read_request():
                    with outer.lock:
                        outer.count += 1
                        number = outer.count
                    try:
                        if not script(self.request, number):
                            return
                    except OSError:
                        return

            def read_request(self):
                data = b""
                while b"\r\n\r\n" not in data:
                    more = self.request.recv(65536)
                    if not more:
                        return False
                    data += more
                head, body = data.split(b"\r\n\r\n", 1)
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                while len(body) < length:
                    body += self.request.recv(65536)
                return True

        class Tcp(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Tcp(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def sends(data, stay=False):
    def script(sock, _number):
        sock.sendall(data)
        return stay
    return script


def trickle(sock, _number):
    """A byte at a time, never an end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        sock.sendall(b" ")
        time.sleep(0.02)


def endless_body(sock, _number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b"[" * 0x100000 + b"\r\n"
    while True:
        sock.sendall(chunk)


def endless_headers(sock, _number):
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")


def silence(sock, _number):
    time.sleep(5)
    return False


class Faults(unittest.TestCase):
    def outcome(self, script, **env):
        with Hostile(script) as server:
            result = call(server.url, **env)
            result.count = server.count
            return result

    def expect(self, script, error, attempts=None, **env):
        result = self.outcome(script, **env)
        self.assertEqual(result.error, error, vars(result))
        if attempts is not None:
            self.assertEqual(result.attempts, attempts, vars(result))
            self.assertEqual(result.count, attempts)
        return result

    def test_good(self):
        self.expect(sends(answer(200, GOOD, "x-amzn-RequestId: ABC"), stay=True), "0", 1)

    def test_slow_servers_meet_the_timeout(self):
        for script in (trickle, silence):
            begin = time.time()
            self.expect(script, "MR_ERR_TIMEOUT", 2, AWS_MAX_ATTEMPTS="2", PROBE_TIMEOUT_MS="400")
            self.assertLess(time.time() - begin, 4)

    def test_truncated(self):
        self.expect(sends(answer(200, GOOD, length=5000)), "MR_ERR_NETWORK", 3)
        self.expect(sends(b"HTTP/1.1 200 OK\r\nConte"), "MR_ERR_NETWORK", 3)
        self.expect(sends(b""), "MR_ERR_NETWORK", 3)

    def test_endless(self):
        self.expect(endless_body, "MR_ERR_ANSWER", 1)
        self.expect(endless_headers, "MR_ERR_ANSWER", 1)

    def test_storm_of_5xx(self):
        for status in (500, 502, 503, 504):
            self.expect(sends(answer(status, b"<html>"), stay=True), "MR_ERR_ANSWER", 3)
        result = self.expect(sends(fault("InternalServerException", 500), stay=True), "MR_ERR_SERVICE", 4,
                             AWS_MAX_ATTEMPTS="4")
        self.assertEqual(result.code, "InternalServerException")

    def test_a_storm_that_passes(self):
        def script(sock, number):
            sock.sendall(answer(200, GOOD) if number == 3 else fault("ThrottlingException", 429))
            return True
        self.expect(script, "0", 3)

    def test_a_connection_that_dies_between_requests(self):
        def script(sock, number):
            sock.sendall(answer(200, GOOD))
            return number % 3 != 0
        with Hostile(script) as server:
            done = run(probe(), "calls", "30", "4", env=credentials(server.url))
        self.assertEqual(done.stdout, "0 failed\n")

    def test_redirects_are_not_followed(self):
        with Hostile(sends(answer(200, GOOD))) as other:
            for status in (301, 302, 307, 308):
                result = self.expect(sends(answer(status, b"", f"Location: {other.url}/"), stay=True), "MR_ERR_ANSWER", 1)
                self.assertIn("redirect", result.message)
            self.assertEqual(other.count, 0)

    def test_bodies_that_are_none(self):
        for body in (b"", b"<html>hotel</html>", b"[]", b"null", b"{", b'{"Databases":{}}', b'{"Databases":[1]}', b"\xff\xfe{}",
                     b'{"Databases":[{"TableCount":"many"}]}', b"[" * 100000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
                     b'{"Databases":[' + b"{}," * 2000000 + b"{}]}x"):
            with self.subTest(body[:30]):
                self.expect(sends(answer(200, body), stay=True), "MR_ERR_ANSWER", 1)

    def test_errors_that_are_odd(self):
        cases = ((fault("NewException", 400), "MR_ERR_SERVICE", "NewException"),
                 (answer(400, b'{"__type":"BareException"}'), "MR_ERR_SERVICE", "BareException"),
                 (answer(400, b'{"__type":"a#B:http://x/"}'), "MR_ERR_SERVICE", "B"),
                 (answer(400, b'{"__type":7}'), "MR_ERR_ANSWER", ""),
                 (answer(400, b"{}"), "MR_ERR_ANSWER", ""),
                 (answer(418, b"teapot"), "MR_ERR_ANSWER", ""),
                 (answer(419, b'{"__type":"x#RejectedRecordsException","RejectedRecords":"none"}'), "MR_ERR_SERVICE",
                  "RejectedRecordsException"),
                 (answer(204), "MR_ERR_ANSWER", ""),
                 (answer(400, b'{"__type":"x#Y","message":"' + b"m" * 1000000 + b'"}'), "MR_ERR_SERVICE", "Y"))
        for data, error, code in cases:
            with self.subTest(data[:60]):
                result = self.expect(sends(data, stay=True), error, 1)
                self.assertEqual(result.code, code)

    def test_no_http_at_all(self):
        self.assertIn(self.outcome(sends(b"SSH-2.0-OpenSSH_9.2\r\n")).error, ("MR_ERR_ANSWER", "MR_ERR_NETWORK"))
        self.assertIn(self.outcome(sends(b"\x16\x03\x01" + os.urandom(500))).error, ("MR_ERR_ANSWER", "MR_ERR_NETWORK"))

    def test_nobody_there(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            self.assertEqual(call(url).error, "MR_ERR_NETWORK")
        self.assertEqual(call("http://nothing.invalid").error, "MR_ERR_NETWORK")

    def test_request_ids_are_cleaned(self):
        result = self.expect(sends(answer(200, GOOD, "x-amzn-RequestId: a\tb\x01c" + "z" * 300), stay=True), "0")
        self.assertRegex(result.request_id, r"^abcz{76}$")

    def test_proxy(self):
        with Hostile(sends(answer(200, GOOD), stay=True)) as proxy:
            env = credentials("http://far.invalid", http_proxy=proxy.url)
            result = Outcome(run(probe(), "call", env=env).stdout)
            self.assertEqual(result.error, "0")
            self.assertEqual(proxy.count, 1)


class Tls(unittest.TestCase):
    """Servers that should not be trusted, or that spoil the handshake. None gets a request to read."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.good = cls.certificate("good", -1, 1)

    @classmethod
    def certificate(cls, name, first_day, last_day):
        """Self-signed, for 127.0.0.1; the paths of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=first_day))
                .not_valid_after(now + datetime.timedelta(days=last_day))
                .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
                .sign(key, hashes.SHA256()))
        paths = [os.path.join(cls.folder.name, name + end) for end in (".pem", ".key")]
        with open(paths[0], "wb") as file:
            file.write(made.public_bytes(serialization.Encoding.PEM))
        with open(paths[1], "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return paths

    def outcome(self, serve, trust, context=None, **env):
        """What a call ends with, and the bytes that the server could read."""
        read = []

        def loop(listener):
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    with (context.wrap_socket(plain, server_side=True) if context else plain) as sock:
                        serve(sock, read)
                except OSError:
                    plain.close()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=loop, args=(listener,), daemon=True).start()
            port = listener.getsockname()[1]
            result = call(f"https://127.0.0.1:{port}", AWS_CA_BUNDLE=trust, AWS_MAX_ATTEMPTS="2", PROBE_TIMEOUT_MS="1500", **env)
            listener.shutdown(socket.SHUT_RDWR)
        return result, b"".join(read)

    @staticmethod
    def context(paths, highest=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*paths)
        if highest:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = highest
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    @staticmethod
    def answer(sock, read):
        read.append(sock.recv(65536))
        sock.sendall(answer(200, GOOD, "Connection: close"))

    def test_certificates(self):
        result, read = self.outcome(self.answer, self.good[0], self.context(self.good))
        self.assertEqual(result.error, "0", vars(result))
        self.assertIn(b"X-Amz-Target", read)
        other = self.certificate("other", -1, 1)
        for paths, trust in ((self.certificate("past", -9, -2), None), (self.certificate("future", 2, 9), None), (other, self.good[0])):
            result, read = self.outcome(self.answer, trust or paths[0], self.context(paths))
            self.assertEqual((result.error, read), ("MR_ERR_TLS", b""), vars(result))
            self.assertEqual(result.attempts, 1)

    def test_handshakes_that_fail(self):
        def plain(sock, _read):
            sock.recv(65536)
            sock.sendall(answer(200, GOOD))

        def garbage(sock, _read):
            sock.recv(65536)
            sock.sendall(b"\x16\x03\x03\x40\x00" + os.urandom(3000))

        def silent(sock, _read):
            time.sleep(4)
        for serve, errors in ((plain, ("MR_ERR_TLS", "MR_ERR_NETWORK")), (garbage, ("MR_ERR_TLS", "MR_ERR_NETWORK")),
                              (lambda sock, _read: sock.recv(100), ("MR_ERR_TLS", "MR_ERR_NETWORK")), (silent, ("MR_ERR_TIMEOUT",))):
            result, _ = self.outcome(serve, self.good[0])
            self.assertIn(result.error, errors, vars(result))

    def test_old_protocols(self):
        result, read = self.outcome(self.answer, self.good[0], self.context(self.good, ssl.TLSVersion.TLSv1_1))
        self.assertNotEqual(result.error, "0")
        self.assertEqual(read, b"")

    def test_https_is_never_left(self):
        with Hostile(sends(answer(200, GOOD))) as bare:
            def leads_away(sock, read):
                read.append(sock.recv(65536))
                sock.sendall(answer(200, f'{{"Endpoints":[{{"Address":"{bare.url}","CachePeriodInMinutes":9}}]}}'.encode(),
                                    "Connection: close"))
            result, _ = self.outcome(leads_away, self.good[0], self.context(self.good), AWS_ENABLE_ENDPOINT_DISCOVERY="true")
            self.assertNotEqual(result.error, "0")
            self.assertEqual(bare.count, 0)


if __name__ == "__main__":
    unittest.main()
