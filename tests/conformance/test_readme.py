"""The example of the README runs as it is printed."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from server import Server, credentials_env

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


class Readme(unittest.TestCase):
    def test_example(self):
        blocks = re.findall(r"```python\n(.*?)```", open(README).read(), re.S)
        self.assertEqual(len(blocks), 1)
        server = Server()
        try:
            code = blocks[0].replace("http://127.0.0.1:8650", server.url)
            self.assertNotEqual(code, blocks[0])
            env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60,
                                  env=dict(env, HOME=tempfile.gettempdir(), **credentials_env()))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"^\['north-3', 'temperature', '\d{4}-\d\d-\d\d \d\d:\d\d:00\.000000000', '21\.4'\]\n$")
        finally:
            server.stop()


if __name__ == "__main__":
    unittest.main()
