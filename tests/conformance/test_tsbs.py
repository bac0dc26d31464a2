"""The bench's data set and its eleven query types: what is timed there is right here.

The data set depends on its seed alone, and every statement of both record models answers what a plain computation over all
rows answers, while rows are in memory and when they are in files.
"""

import hashlib
import os
import subprocess
import sys
import unittest

from base import Case, now_ms
from server import BINARY, KEY, SECRET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "tsbs"))
import queries

HOSTS, STEPS = 12, 1080  # three hours
GENERATOR = os.path.join(os.path.dirname(BINARY), "bench", "mr_bench_tsbs")


def generate(form, *more, kind="two", seed=1, start=0):
    return subprocess.run([GENERATOR, "--format", form, "--kind", kind, "--hosts", str(HOSTS), "--steps", str(STEPS), "--seed",
                           str(seed), "--start-ms", str(start * 1000), *more], check=True, stdout=subprocess.PIPE,
                          env={**os.environ, "MILLRACE_ROOT_ACCESS_KEY_ID": KEY, "MILLRACE_ROOT_SECRET_ACCESS_KEY": SECRET}).stdout


class Generator(unittest.TestCase):
    def test_same_seed_same_data(self):
        for form in ("csv", "line", "multi", "single"):
            self.assertEqual(generate(form), generate(form), form)
            self.assertNotEqual(generate(form), generate(form, seed=2), form)

    def test_data_of_earlier_versions(self):
        """Numbers of different commits can only be compared when the data are the same."""
        digests = {kind: hashlib.sha256(generate("csv", kind=kind)).hexdigest()[:16] for kind in ("whole", "two", "full")}
        self.assertEqual(digests, {"whole": "83ece6814c448129", "two": "006b62ed9a01d6b5", "full": "c14fb8d4a11bc60f"})

    def test_kinds_are_one_walk(self):
        whole, full = (generate("csv", kind=kind).decode().splitlines() for kind in ("whole", "full"))
        for w, f in zip(whole[::97], full[::97]):
            self.assertEqual(w.split(",")[11:], [str(int(float(v))) for v in f.split(",")[11:]])


class Queries(Case):
    flags = ("--test-clock", "on")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = now_ms() // 1000 // 3600 * 3600 - STEPS * queries.STEP
        cls.data = []
        for line in generate("csv", start=cls.start).decode().splitlines():
            fields = line.split(",")
            cls.data.append((cls.seconds(fields[0]), fields[1], *map(float, fields[11:])))
        cls.write.create_database(DatabaseName="tsbs")
        for model in ("multi", "single"):
            cls.write.create_table(DatabaseName="tsbs", TableName=f"cpu_{model}", RetentionProperties={
                "MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 30})
            generate(model, "--endpoint", f"127.0.0.1:{cls.server.port}", "--table", f"cpu_{model}", "--connections", "2",
                     start=cls.start)

    @staticmethod
    def seconds(text):
        import calendar
        import time
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%d %H:%M:%S"))

    def answer(self, case, model):
        rows = self.rows(queries.timestream_multi(case) if model == "multi" else queries.timestream_single(case))
        if model == "single" and case.type.shape == "last":
            hosts = {}
            for host, reading, moment, value in rows:
                hosts.setdefault((host, moment), {})[reading] = value
            rows = [[*key, *(values[r] for r in queries.READINGS)] for key, values in hosts.items()]
        if case.type.shape in ("groupby", "top"):
            return [(self.seconds(r[0]), *map(float, r[1:])) for r in rows]
        return [(r[0], self.seconds(r[1]), *map(float, r[2:])) for r in rows]

    def check_all(self):
        for type_ in queries.TYPES:
            for i, case in enumerate(queries.cases(type_, 3, HOSTS, self.start, STEPS)):
                want = queries.plain(case, self.data)
                self.assertTrue(want or type_.name == "high-cpu-1", type_.name)
                for model in ("multi", "single"):
                    with self.subTest(type=type_.name, case=i, model=model):
                        self.assertIsNone(queries.differ(case, self.answer(case, model), want, 1e-12))

    def test_answers(self):
        self.check_all()
        self.server.flush()
        self.check_all()


if __name__ == "__main__":
    unittest.main()
