"""A server of one's own for a test: fresh data directory, free port, root credentials from the environment."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request

KEY = "AKIDCONFORMANCE00001"
SECRET = "conformance/secret+of+the/root+pair/0001"
ACCOUNT = "123456789012"
REGION = "us-east-1"
BINARY = os.environ.get("MILLRACE", "build/millrace")


class Server:
    """Starts `millrace serve`; stop() ends it and checks that it ended well. Flags are passed through."""

    def __init__(self, *flags, data=None, keep=False, env=None, tls=False):
        self.data = data or tempfile.mkdtemp(prefix="millrace-conformance-")
        self.keep = keep
        self.flags = flags
        self.env = dict(os.environ, MILLRACE_ROOT_ACCESS_KEY_ID=KEY, MILLRACE_ROOT_SECRET_ACCESS_KEY=SECRET)
        for name in list(self.env):
            if name.startswith("AWS_"):
                del self.env[name]
        self.env.update(env or {})
        # For appending: the server has the same offset, which reading moves.
        self.log = open(os.path.join(tempfile.gettempdir(), f"millrace-{os.getpid()}-{id(self)}.log"), "a+b")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *self.flags],
            stdout=subprocess.PIPE, stderr=self.log, env=self.env)
        line = self.process.stdout.readline().decode()
        match = re.match(r"ready (https?)://127\.0\.0\.1:(\d+)$", line.strip())
        if not match:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"no ready line but {line!r}\n{self.logged()[-4000:]}")
        self.port = int(match.group(2))
        self.url = f"{match.group(1)}://127.0.0.1:{self.port}"

    def logged(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def call(self, operation, **members):
        """An operation without an SDK, for those that older ones do not know; returns the status and the answer."""
        return self.request("POST", "/", json.dumps(members).encode(), headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"Timestream_20181101.{operation}"})

    def request(self, method, path, body=b"", key=KEY, secret=SECRET, sign=True, headers=None):
        """A bare request, signed with today's date; returns the status and the decoded JSON."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", **(headers or {})}
        request = AWSRequest(method, self.url + path, headers, body)
        if sign:
            SigV4Auth(Credentials(key, secret), "timestream", REGION).add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, dict(request.headers))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def clock(self, **step):
        """The test clock in ns, after a step forward: by="36h" or to=ns."""
        body = {"By": step["by"]} if "by" in step else {"To": str(step["to"])} if "to" in step else None
        status, answer = self.request(*(("POST", "/-/clock", json.dumps(body).encode()) if body else
                                        ("GET", "/-/clock")))
        if status != 200:
            raise AssertionError(f"{status}: {answer}")
        return int(answer["Nanoseconds"])

    def flush(self):
        """Rows from memory into files, and these merged."""
        status, answer = self.request("POST", "/-/flush")
        if status != 200:
            raise AssertionError(f"{status}: {answer}")

    def metrics(self):
        """/metrics as a dictionary; labels are part of the name."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def stop(self, expect=0):
        """SIGTERM; returns the exit code and, unless keep, removes the data."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        log = self.logged()
        if not self.keep:
            self.remove()
        if expect is not None and code != expect:
            raise AssertionError(f"exit code {code}, expected {expect}\n{log[-6000:]}")
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def remove(self):
        shutil.rmtree(self.data, ignore_errors=True)
        try:
            os.unlink(self.log.name)
        except FileNotFoundError:
            pass


def credentials_env():
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true"}


def clients(url, key=KEY, secret=SECRET, region=REGION, **config):
    """boto3 clients of both APIs."""
    import boto3
    from botocore.config import Config
    made = []
    for name in ("timestream-write", "timestream-query"):
        made.append(boto3.client(name, endpoint_url=url, region_name=region, aws_access_key_id=key,
                                 aws_secret_access_key=secret,
                                 config=Config(**{"retries": {"max_attempts": 0}, "read_timeout": 70, **config})))
    return made
