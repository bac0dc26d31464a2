"""What the suites of the client library share: building against it as a stranger would, and running the probe."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.abspath(os.environ.get("MILLRACE_BUILD", os.path.join(ROOT, "build")))
os.environ.setdefault("MILLRACE", os.path.join(BUILD, "millrace"))
sys.path.append(os.path.join(ROOT, "tests", "conformance"))  # behind this folder: both have a test_hostile

_scratch = tempfile.TemporaryDirectory(prefix="millrace-client-")
SCRATCH = _scratch.name
_built = {}


def run(*command, expect=0, env=None, timeout=120, text=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env, input=text, check=False)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def compiled(source, *flags, name=None):
    """A program from one C file, against include/millrace.h and the shared library of the build."""
    name = name or os.path.basename(source).replace(".c", "")
    key = (source, flags, name)
    if key not in _built:
        out = os.path.join(SCRATCH, name)
        run("cc", "-std=c11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", *flags, "-o", out, source,
            "-I", os.path.join(ROOT, "include"), "-L", BUILD, "-lmillrace", "-pthread", f"-Wl,-rpath,{BUILD}")
        _built[key] = out
    return _built[key]


def probe():
    return compiled(os.path.join(ROOT, "tests", "client", "probe.c"))


def clean_env(**more):
    """No AWS settings but these; no files of whoever runs the tests."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MILLRACE")) and "proxy" not in k.lower()}
    env.update(HOME=SCRATCH, AWS_EC2_METADATA_DISABLED="true", AWS_REGION="us-east-1", **more)
    return env


def credentials(url, key="AKIDEXAMPLE", secret="secret", **more):
    return clean_env(**{"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, **more})


class Outcome:
    """The line that `probe call` prints."""

    def __init__(self, line):
        parts = line.rstrip("\n").split("|", 5)
        self.error, self.code, self.status, self.attempts, self.request_id, self.message = parts
        self.status, self.attempts = int(self.status), int(self.attempts)


def call(url, **env):
    return Outcome(run(probe(), "call", env=credentials(url, **env)).stdout)
