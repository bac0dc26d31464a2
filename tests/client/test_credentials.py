"""Where credentials come from, against services by others: the Security Token Service of moto's server, and a
program that prints them. The server that is asked afterwards checks the signature."""

import json
import os
import tempfile
import unittest

from support import clean_env, probe, run
from server import KEY, SECRET, Server
from moto import ENVIRONMENT, Moto


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()
        cls.server.stop()

    def call(self, config, url, **more):
        """The line of one call by the default profile of this configuration."""
        with tempfile.TemporaryDirectory() as home:
            path = os.path.join(home, "config")
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)
            env = clean_env(AWS_CONFIG_FILE=path, AWS_ENDPOINT_URL=url, AWS_ENDPOINT_URL_STS=self.moto.url, **more)
            env["HOME"] = home
            return run(probe(), "call", env=env).stdout

    def keys(self):
        return (f"aws_access_key_id = {ENVIRONMENT['AWS_ACCESS_KEY_ID']}\n"
                f"aws_secret_access_key = {ENVIRONMENT['AWS_SECRET_ACCESS_KEY']}\n")

    def test_process(self):
        document = json.dumps({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET})
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "keys of mine")
            with open(script, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n[ \"$1\" = 'an argument' ] && echo '{document}'\n")
            os.chmod(script, 0o700)
            good = self.call(f"[default]\ncredential_process = \"{script}\" 'an argument'\n", self.server.url)
            self.assertTrue(good.startswith("0||200|1|"), good)
            self.assertIn("ended with status 1", self.call(f"[default]\ncredential_process = \"{script}\"\n", self.server.url))

    def test_role(self):
        config = ("[default]\nrole_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = base\n"
                  "[profile base]\n" + self.keys())
        self.assertTrue(self.call(config, self.moto.url).startswith("0||200|1|"))

    def test_web_identity(self):
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("header.payload.signature")
            token.flush()
            line = self.call("", self.moto.url, AWS_WEB_IDENTITY_TOKEN_FILE=token.name,
                             AWS_ROLE_ARN="arn:aws:iam::123456789012:role/pod")
        self.assertTrue(line.startswith("0||200|1|"), line)

    def test_refusals_are_told(self):
        config = ("[default]\nrole_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = base\nduration_seconds = 1\n"
                  "[profile base]\n" + self.keys())
        self.assertIn("MR_ERR_CREDENTIALS", self.call(config.replace("source_profile = base", ""), self.moto.url))
        nobody = config.replace("duration_seconds = 1\n", "")
        line = self.call(nobody, self.moto.url, **{"AWS_ENDPOINT_URL_TIMESTREAM_WRITE": self.server.url})
        self.assertIn("UnrecognizedClientException", line)  # a role of moto's is a stranger to our server


if __name__ == "__main__":
    unittest.main()
