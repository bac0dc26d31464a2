"""moto's server as a stand-in of S3 and KMS: one process a test class, its state empty."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDOUTSIDE000000001", "AWS_SECRET_ACCESS_KEY": "outside/secret+of+tests"}


def find():
    own = os.path.join(ROOT, "deps", "moto", "bin", "moto_server")
    path = own if os.path.exists(own) else shutil.which("moto_server")
    if path is None:
        missing()
    return path


def missing():
    """moto comes from Python's package index alone; a machine that does not reach it leaves out what needs it, and says so."""
    if not os.path.exists(os.path.join(ROOT, "deps", "moto.unreachable")):
        raise RuntimeError("moto is not installed: tools/setup/moto.sh")
    print("SKIP: needs moto, which is neither installed nor within reach", file=sys.stderr)
    raise unittest.SkipTest("no moto")


def python():
    """An interpreter that has moto, and with it a botocore of these days."""
    own = os.path.join(ROOT, "deps", "moto", "bin", "python")
    for path in (own, shutil.which("python3"), sys.executable):
        if path and os.path.exists(path) and subprocess.run([path, "-c", "import moto.core"], cwd="/", stderr=subprocess.DEVNULL,
                                                            check=False).returncode == 0:
            return path
    return missing()


class Moto:
    def __init__(self, port=0):
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
        self.process = subprocess.Popen([find(), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=environment)
        lines = b""
        while True:  # it says where it listens, once it does
            line = self.process.stderr.readline()
            lines += line
            found = re.search(rb"Running on http://127\.0\.0\.1:(\d+)", line)
            if found:
                break
            if not line:
                raise RuntimeError(f"moto_server ended: {lines[-3000:]!r}")
        self.port = int(found.group(1))
        self.url = f"http://127.0.0.1:{self.port}"
        # What it logs from now on is nobody's, but a full pipe would stop it.
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)
        self.process.stderr.close()

    def client(self, service):
        import boto3
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1",
                            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"])

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.drain.wait()


class Gate:
    """Stands before moto's KMS, which lets disabled keys work: `refuse` says which key answers with which error."""

    def __init__(self, port):
        gate = self
        self.refuse = {}
        self.no_decrypt = set()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].split(".")[-1]
                key = json.loads(body)["KeyId"].split("/")[-1]
                if operation != "DescribeKey" and key in gate.refuse:
                    return self.answer(400, json.dumps({"__type": gate.refuse[key], "message": key}).encode())
                if operation == "Decrypt" and key in gate.no_decrypt:
                    return self.answer(400, b'{"__type": "AccessDeniedException"}')
                inner = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                inner.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k != "Connection"})
                answer = inner.getresponse()
                self.answer(answer.status, answer.read())
                inner.close()

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
