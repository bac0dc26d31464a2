"""Writers that note what they intend and what was acknowledged, like those of kill.py, but go on after a refusal."""

import multiprocessing
import os
import shutil
import tempfile
import time

import kill
from kill import harness
from botocore.exceptions import ClientError

SETTLED = "settled"  # a table for nothing but settle
PAUSE_S = 0.05  # after a refusal, as a client that backs off


def write_loop(url, journal, writer, first, at, stop):
    """Sends batches until told to stop or the server goes away. Runs in a process of its own."""
    client, _ = harness.clients(url)
    with open(journal, "a") as out:
        number = first
        while not stop.is_set():
            out.write(f"I {number}\n")
            out.flush()
            try:
                client.write_records(DatabaseName=kill.DATABASE, TableName=kill.TABLE,
                                     Records=kill.batch_records(writer, number, at))
            except ClientError as e:
                out.write(f"R {number} {e.response['Error']['Code']}: {e.response['Error'].get('Message')}\n")
                out.flush()
                time.sleep(PAUSE_S)
            except Exception as e:  # the server is gone, or it does not answer, which verify tells
                if "Timeout" in type(e).__name__:
                    out.write(f"R {number} Timeout\n")
                return
            else:
                out.write(f"A {number}\n")
                out.flush()
                os.fsync(out.fileno())
            number += 1


class Load:
    """The table of kill.py, its writers and their journals."""

    def __init__(self, writers):
        self.dir = tempfile.mkdtemp(prefix="millrace-journals-")
        self.at = int(time.time() * 1000) - 3600 * 1000
        self.paths = {w: os.path.join(self.dir, str(w)) for w in range(writers)}
        for path in self.paths.values():
            open(path, "w").close()
        self.stopping = multiprocessing.Event()
        self.processes = []

    def create(self, srv):
        write, _ = harness.clients(srv.url)
        write.create_database(DatabaseName=kill.DATABASE)
        write.create_table(DatabaseName=kill.DATABASE, TableName=kill.TABLE, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 168, "MagneticStoreRetentionPeriodInDays": 100})
        write.create_table(DatabaseName=kill.DATABASE, TableName=SETTLED)

    def start(self, srv):
        self.stopping.clear()
        for writer, path in self.paths.items():
            first = max(kill.read_journal(path)[0], default=0) + 1
            process = multiprocessing.Process(target=write_loop,
                                              args=(srv.url, path, writer, first, self.at, self.stopping))
            process.start()
            self.processes.append(process)

    def join(self):
        """After the end of the server: the writers end with it."""
        for process in self.processes:
            process.join(90)
            assert process.exitcode == 0, f"a writer ended with {process.exitcode}"
        self.processes = []

    def stop(self):
        self.stopping.set()
        self.join()

    def running(self):
        return all(p.is_alive() for p in self.processes)

    def acknowledged(self):
        return {w: len(kill.read_journal(p)[1]) for w, p in self.paths.items()}

    def refusals(self):
        """Texts of the refusals, with their counts, and the writers that had one."""
        texts, writers = {}, set()
        for w, p in self.paths.items():
            for line in kill.read_journal(p)[2]:
                text = line.split(" ", 2)[2]
                texts[text] = texts.get(text, 0) + 1
                writers.add(w)
        return texts, writers

    def verify(self, srv):
        """What is stored against the journals; returns (acknowledged, found) batches. Writers may be running: rows are
        read before the intents, and acknowledgements before the rows."""
        before = {w: kill.read_journal(p)[1] for w, p in self.paths.items()}
        _, query = harness.clients(srv.url)
        rows = kill.read_all(query)
        after = {w: kill.read_journal(p) for w, p in self.paths.items()}
        for _, _, refused in after.values():
            assert not any(line.endswith("Timeout") for line in refused), "a write had no answer"
        return kill.check(rows, {w: (after[w][0], before[w], []) for w in self.paths}, self.at)

    def remove(self):
        for process in self.processes:
            process.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def wait_until(what, seconds, condition):
    """Polls; the limit is for a test that fails, not a claim about speed."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def settle(srv):
    """One more change of the manifest: the one before the newest counts as well, and what only that one names goes with
    the start after it. Needs the test clock."""
    write, _ = harness.clients(srv.url)
    write.write_records(DatabaseName=kill.DATABASE, TableName=SETTLED, Records=[
        {"Dimensions": [{"Name": "of", "Value": "check"}], "MeasureName": "n", "MeasureValue": "1",
         "MeasureValueType": "BIGINT", "Time": str(srv.clock() // 1000000)}])
    srv.flush()


def check_litter(srv, seconds=30):
    """Files that the manifest does not name: none, once the background has come to rest. After settle and a start."""
    directory = os.path.join(srv.data, "store", "files")

    def clean():
        names = [n for n in os.listdir(directory) if not n.startswith(("manifest", "ballast"))]
        return len(names) == srv.metrics()["millrace_store_files"] and not any(n.endswith(".tmp") for n in names)
    try:
        wait_until("no file left over", seconds, clean)
    except AssertionError as e:
        raise AssertionError(f"{e}: {srv.metrics()['millrace_store_files']} named, {sorted(os.listdir(directory))}")
