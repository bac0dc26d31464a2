"""The data set as files and commands: made by mr_bench_tsbs, the same for a seed, a start and a kind."""

import dataclasses
import os
import subprocess
import time

from queries import STEP

BUILD = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "build"))


@dataclasses.dataclass
class Data:
    directory: str
    kind: str = "two"
    hosts: int = 100
    steps: int = 8640
    seed: int = 1
    start: int = 0  # seconds since the epoch; 0: the last whole midnight (UTC) that all steps fit behind

    def __post_init__(self):
        if self.start == 0:
            self.start = int(time.time()) // 86400 * 86400 - (self.steps * STEP + 86399) // 86400 * 86400

    @property
    def rows(self):
        return self.hosts * self.steps

    @property
    def values(self):
        return self.rows * 10

    def command(self, form, *more):
        return [os.path.join(BUILD, "bench", "mr_bench_tsbs"), "--format", form, "--kind", self.kind, "--hosts",
                str(self.hosts), "--steps", str(self.steps), "--seed", str(self.seed), "--start-ms", str(self.start * 1000),
                *more]

    def file(self, form):
        """Path of the data set as csv or line, made when it is not there."""
        path = os.path.join(self.directory, f"{self.kind}-{self.hosts}-{self.steps}-{self.seed}-{self.start}.{form}")
        if not os.path.exists(path):
            with open(path + ".new", "wb") as out:
                subprocess.run(self.command(form), stdout=out, check=True)
            os.rename(path + ".new", path)
        return path
