"""The lean client that all HTTP systems are asked with: one keep-alive connection, whole requests as bytes.

Requests are made (and, for Millrace, signed) before the clock starts; an answer is read to its last byte and not decoded.
"""

import datetime
import hashlib
import hmac
import json
import socket
import time
import urllib.parse


class Connection:
    def __init__(self, port):
        self.port = port
        self.socket = None

    def ask(self, request):
        """Sends a request, returns the body of the answer. A connection that the server has closed is opened again."""
        if self.socket is not None:
            try:
                self.socket.sendall(request)
                return self.read()
            except (ConnectionError, EOFError):
                self.close()
        self.open()
        self.socket.sendall(request)
        return self.read()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def receive(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError("the server closed the connection")
        return data

    def receive_into(self, space):
        count = self.socket.recv_into(space)
        if count == 0:
            raise EOFError("the server closed the connection")
        return count

    def read(self):
        got = self.receive()
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.receive()
        head, rest = got[:end].lower(), got[end + 4:]
        status = int(head[9:12])
        length = head.find(b"content-length:")
        if length >= 0:
            need, have = int(head[length + 15:].split(b"\r\n", 1)[0]), len(rest)
            body = rest
            if have < need:
                body = bytearray(need)
                body[:have] = rest
                with memoryview(body) as view:
                    while have < need:
                        have += self.receive_into(view[have:])
        elif b"chunked" in head:
            body = self.read_chunks(rest)
        else:
            body = rest
        if status >= 300:
            raise RuntimeError(f"HTTP {status}: {bytes(body[:600])!r}")
        return body

    def read_chunks(self, got):
        parts, at = [], 0
        while True:
            while (end := got.find(b"\r\n", at)) < 0:
                got += self.receive()
            size = int(got[at:end], 16)
            if len(got) < end + 4 + size:
                more, have = [got[end + 2:]], len(got) - end - 2
                while have < size + 2:
                    more.append(self.receive())
                    have += len(more[-1])
                got, end = b"".join(more), -2
            if size == 0:
                return b"".join(parts)
            parts.append(got[end + 2:end + 2 + size])
            at = end + 4 + size


def post(port, path, body, headers=""):
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {len(body)}\r\n\r\n").encode() + body


def get(port, path, **fields):
    query = "?" + urllib.parse.urlencode(fields) if fields else ""
    return f"GET {path}{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


class Signer:
    """AWS Signature Version 4 for JSON operations; the key of the day is derived once."""

    def __init__(self, port, key, secret, region="us-east-1"):
        self.host, self.key, self.secret, self.region = f"127.0.0.1:{port}", key, secret, region
        self.day = None

    def signing_key(self, day):
        if self.day != day:
            k = ("AWS4" + self.secret).encode()
            for part in (day, self.region, "timestream", "aws4_request"):
                k = hmac.digest(k, part.encode(), "sha256")
            self.day, self.day_key = day, k
        return self.day_key

    def sign(self, operation, body, path="/"):
        """A whole request; body is bytes."""
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        target = f"Timestream_20181101.{operation}"
        names = "content-type;host;x-amz-date;x-amz-target"
        canonical = (f"POST\n{path}\n\ncontent-type:application/x-amz-json-1.0\nhost:{self.host}\nx-amz-date:{stamp}\n"
                     f"x-amz-target:{target}\n\n{names}\n{hashlib.sha256(body).hexdigest()}")
        scope = f"{stamp[:8]}/{self.region}/timestream/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self.signing_key(stamp[:8]), text.encode(), "sha256").hex()
        return (f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"X-Amz-Date: {stamp}\r\nX-Amz-Target: {target}\r\nAuthorization: AWS4-HMAC-SHA256 Credential="
                f"{self.key}/{scope}, SignedHeaders={names}, Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode() + body


def query_pages(connection, signer, text, first):
    """All pages of a Timestream query whose first request is signed already."""
    body = connection.ask(first)
    pages = [body]
    while (at := body.find(b'"NextToken":"')) >= 0:
        token = body[at + 13:body.index(b'"', at + 13)].decode()
        body = connection.ask(signer.sign("Query", json.dumps({"QueryString": text, "NextToken": token}).encode()))
        pages.append(body)
    return pages


def overhead_us(rounds=2000):
    """What this client costs by itself: a request and its answer through a socket whose other end answers at once."""
    ours, theirs = socket.socketpair()
    connection = Connection(0)
    connection.socket = ours
    request, answer = b"x" * 600, b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"y" * 400
    times = []
    for _ in range(rounds):
        theirs.sendall(answer)
        began = time.perf_counter()
        connection.ask(request)
        times.append(time.perf_counter() - began)
        theirs.recv(4096)
    ours.close()
    theirs.close()
    return sorted(times)[rounds // 2] * 1e6
