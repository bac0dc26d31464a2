"""Examples of the documents run as they are printed."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from server import Server, credentials_env

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Documents(unittest.TestCase):
    def example(self, document, *flags, more=""):
        """What the one Python example of a document prints, against a server of its own."""
        with open(os.path.join(ROOT, document), encoding="utf-8") as text:
            blocks = re.findall(r"```python\n(.*?)```", text.read(), re.S)
        self.assertEqual(len(blocks), 1)
        server = Server(*flags)
        try:
            code = blocks[0].replace("http://127.0.0.1:8650", server.url)
            self.assertNotEqual(code, blocks[0])
            env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", code + more], capture_output=True, text=True,
                                  timeout=60, env=dict(env, HOME=tempfile.gettempdir(), **credentials_env()))
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        finally:
            server.stop()

    def test_readme(self):
        self.assertRegex(self.example("README.md"),
                         r"^\['north-3', 'temperature', '\d{4}-\d\d-\d\d \d\d:\d\d:00\.000000000', '21\.4'\]\n$")

    def test_test_clock(self):
        printed = self.example("docs/test-clock.md", "--test-clock", "still",
                               more='print(step("36h") - step("0h"), step("1ns") - step("1us"))')
        self.assertEqual(printed, "0 -1000\n")


if __name__ == "__main__":
    unittest.main()
