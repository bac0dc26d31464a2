#!/usr/bin/env python3
"""System calls that fail under a whole server: it ends at once or goes on, and never loses what it acknowledged.

strace makes the n-th call of a kind fail in each thread that gets so far, while writers send batches, rows leave memory
for files and files are merged. A server may abort (a sync, a write to the log: the next start must be right), refuse to
start with one line that says why, or answer an error and go on; it may not crash in another way, hang, or acknowledge
what is gone. Then it is started without faults on the same data and read back, and no file is left over. Calls that
fail during a start come with the low n. Short writes are done by a preloaded library (short_writes.c).

    faults.py --binary build/millrace [--cases 36] [--writers 3] [--seed N]
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import kill
import load
from kill import harness
from botocore.exceptions import BotoCoreError, ClientError

FLAGS = ["--flush-bytes=16K", "--flush-log-bytes=1M", "--log-segment=1M", "--test-clock=on"]
LOADING = {"openat": 70, "pread64": 10}  # about as many calls come before main
CALLS = {  # what each kind of call fails with
    "pwrite64": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO",),
    "fsync": ("EIO",),
    "/^rename": ("EIO", "ENOSPC"),
    "openat": ("EIO", "EMFILE"),
    "unlink": ("EIO",),
    "ftruncate": ("EIO",),
    "fallocate": ("ENOSPC", "EIO"),
    "pread64": ("EIO",),
    "mkdir": ("ENOSPC",),
}
KINDS = [(call, error) for call, errors in CALLS.items() for error in errors]
LOAD_S = 0.6
NOT_LOADED = "error while loading shared libraries"  # the loader's answer, not the server's
LIFE = 12  # cases on one data directory
ANSWERS = ("InternalServerException", "ThrottlingException")


class Case:
    """A kind of call that fails from the n-th time on, once or always; on a directory that holds data or a fresh one."""

    def __init__(self, kind, chance):
        call, error = kind
        nth = 1 + int(chance.random() ** 3 * (4 if call == "mkdir" else 120)) + LOADING.get(call, 0)
        when = f"{nth}{'+' if chance.random() < 0.3 else ''}"
        self.fresh = chance.random() < 0.2
        self.name = f"{call} {error} when={when}{' on a fresh directory' if self.fresh else ''}"
        self.command = (f"strace -D -f -qq --seccomp-bpf -o /dev/null -e 'trace={call}' "
                        f"-e 'inject={call}:error={error}:when={when}'")


class Short:
    """Every n-th write does half of it."""

    fresh = False

    def __init__(self, library, every):
        self.name = f"short writes, every {every}"
        self.command = f"env LD_PRELOAD={library} SHORT_EVERY={every}"


class Life:
    """A data directory and its writers through a few cases."""

    def __init__(self, binary, scratch, writers):
        self.binary, self.scratch = binary, scratch
        harness.BINARY = binary
        self.srv = harness.Server(*FLAGS, keep=True)
        self.load = load.Load(writers)
        self.load.create(self.srv)
        self.load.start(self.srv)  # so that there is something to read, whatever the first case refuses
        load.wait_until("a first acknowledgement", 30, lambda: all(self.load.acknowledged().values()))
        self.load.stop()
        self.srv.stop()

    def start_with(self, case):
        """True when it came up; otherwise it has said why, or aborted."""
        wrapper = os.path.join(self.scratch, "failing")
        with open(wrapper, "w") as f:
            f.write(f"#!/bin/sh\nexec {case.command} {os.path.abspath(self.binary)} \"$@\"\n")
        os.chmod(wrapper, 0o755)
        harness.BINARY = wrapper
        said = len(self.srv.logged())
        try:
            self.srv.start()
            return True
        except RuntimeError:
            code = self.srv.process.returncode
            if code == 127 and NOT_LOADED in self.srv.logged()[said:]:
                return False
            assert code in (1, 2, -signal.SIGABRT, -signal.SIGKILL), f"exit {code} at the start"
            assert len(self.srv.logged()) > said, "refused to start without a word"
            return False
        finally:
            harness.BINARY = self.binary

    def work(self, chance):
        """Load, a table that comes and goes, and an end of one kind or the other; what became of the server."""
        self.load.start(self.srv)
        write, query = harness.clients(self.srv.url)
        quietly(lambda: write.create_table(DatabaseName=kill.DATABASE, TableName="passing"))
        time.sleep(LOAD_S)  # the load's duration, not a synchronisation
        quietly(lambda: write.delete_table(DatabaseName=kill.DATABASE, TableName="passing"))
        if self.srv.process.poll() is None and chance.random() < 0.5:
            self.load.stop()
            quietly(lambda: self.load.verify(self.srv))
            self.srv.process.send_signal(signal.SIGTERM)
            code = self.srv.process.wait(60)
            fate = "went on"
            assert code in (0, -signal.SIGABRT), f"exit {code} at the end"
        else:
            fate = "went on" if self.srv.process.poll() is None else ""
            self.srv.process.kill()
            self.load.join()
            code = self.srv.process.wait(60)
            assert code in (-signal.SIGABRT, -signal.SIGKILL), f"exit {code} under load"
        self.srv.process.stdout.close()
        return "aborted" if code == -signal.SIGABRT else fate

    def run(self, case, chance):
        fate = self.work(chance) if self.start_with(case) else "refused to start"
        self.srv.start()
        self.load.verify(self.srv)
        for text in self.load.refusals()[0]:
            assert text.startswith(ANSWERS), f"refused with {text}"
        load.settle(self.srv)
        self.srv.stop()
        self.srv.start()
        load.check_litter(self.srv)
        self.srv.stop()
        return fate

    def remove(self):
        self.srv.process.kill()
        self.load.remove()
        self.srv.remove()


def quietly(call):
    """An answer that refuses, or none, is right while something fails; a wrong answer is not."""
    try:
        call()
    except (ClientError, BotoCoreError):
        pass


def run_fresh(binary, scratch, writers, case):
    """The very first start fails somewhere; the next one makes do with what it finds."""
    data = os.path.join(scratch, "fresh")
    wrapper = f"exec {case.command} {os.path.abspath(binary)} serve --data {data} --listen 127.0.0.1:0"
    child = subprocess.Popen(["sh", "-c", wrapper], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready = child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    loaded = child.returncode != 127 or NOT_LOADED not in said
    assert not loaded or child.returncode in (0, 1, 2, -signal.SIGABRT, -signal.SIGTERM), f"exit {child.returncode}\n{said}"
    assert ready or said, "refused to start without a word"
    srv = harness.Server(*FLAGS, data=data, keep=True)
    made = load.Load(writers)
    try:
        made.create(srv)
        made.start(srv)
        load.wait_until("a first acknowledgement", 30, lambda: all(made.acknowledged().values()))
        made.stop()
        made.verify(srv)
        srv.stop()
    finally:
        srv.process.kill()
        made.remove()
        srv.remove()
    return "refused to start" if not ready else "aborted" if child.returncode == -signal.SIGABRT else "went on"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", required=True)
    options.add_argument("--cases", type=int, default=36)
    options.add_argument("--writers", type=int, default=3)
    options.add_argument("--seed", type=int, default=int(time.time()))
    o = options.parse_args()
    print(f"seed {o.seed}", flush=True)
    chance = random.Random(o.seed)
    fates, life = {}, None
    signal.signal(signal.SIGALRM, hangs)
    with tempfile.TemporaryDirectory(prefix="millrace-faults-") as scratch:
        library = os.path.join(scratch, "short_writes.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "short_writes.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        cases = [Short(library, every) for every in (1, 2, 3, 7)]
        cases += [Case(KINDS[i % len(KINDS)], chance) for i in range(o.cases - len(cases))]
        for number, case in enumerate(cases):
            signal.alarm(180)
            try:
                life = life or Life(o.binary, scratch, o.writers)
                fate = run_fresh(o.binary, scratch, o.writers, case) if case.fresh else life.run(case, chance)
            except Exception as e:
                print(f"FAILED (seed {o.seed}, case {number}: {case.name}): {type(e).__name__}: {e}\n"
                      f"{life.srv.logged()[-3000:]}")
                life.remove()
                return 1
            fates[fate] = fates.get(fate, 0) + 1
            if number % LIFE == LIFE - 1:
                life = life.remove()
        signal.alarm(0)
        if life is not None:
            life.remove()
    print(f"{len(cases)} faults: {', '.join(f'{n} {fate}' for fate, n in sorted(fates.items()))}; 0 lost, 0 invented, "
          f"0 half, 0 versions back, no file left over", flush=True)
    return 0


def hangs(*_):
    raise TimeoutError("the case hangs")


if __name__ == "__main__":
    sys.exit(main())
