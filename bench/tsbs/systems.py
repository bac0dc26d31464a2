"""The systems: how each is started, loaded and asked, and what its answers look like.

Every system has a directory, ports and processes of its own, listens on loopback only and is ended by its pid. `prepare`
makes a request (not timed), `run` sends it and takes the whole answer (timed), `rows` decodes an answer (not timed).
"""

import calendar
import json
import os
import pwd
import subprocess
import sysconfig
import threading
import time
import urllib.parse

import queries
from clib import DuckDB as DuckLibrary, PostgreSQL as PostgresLibrary
from process import Process, bytes_below, cpu_seconds, free_port, memory_mb, remove
from queries import READINGS, TAGS
from wire import Connection, Signer, get, post, query_pages

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PEERS = os.path.join(ROOT, "deps", "peers", "root")
LIBRARIES = {"LD_LIBRARY_PATH": os.path.join(PEERS, "usr/lib", sysconfig.get_config_var("MULTIARCH"))}
DEBIAN = os.path.join(PEERS, "usr")
BUILD = os.path.join(ROOT, "build")
KEYS = {"MILLRACE_ROOT_ACCESS_KEY_ID": "AKIDBENCH00000000001", "MILLRACE_ROOT_SECRET_ACCESS_KEY": "bench/secret/not+a/secret"}


def seconds_of(text):
    """Of 2026-03-04 05:06:07, with or without a fraction or a T."""
    return calendar.timegm(time.strptime(text[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S"))


def keyed(case, texts):
    """Rows of texts in the column order of queries.py as keys and readings."""
    shape = case.type.shape
    if shape in ("groupby", "top"):
        return [(seconds_of(r[0]), *map(float, r[1:])) for r in texts]
    return [(r[0], seconds_of(r[1]), *map(float, r[2:])) for r in texts]


class System:
    name = version = transport = durability = settings = loading = ""
    tolerance = 1e-12  # of answers, relative: sums of doubles depend on their order
    http = True

    def __init__(self, directory):
        self.directory = os.path.join(directory, self.name.replace(" ", "-").lower())
        remove(self.directory)
        os.makedirs(self.directory)
        self.process = None

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def memory(self):
        """The most that was resident, MB."""
        return memory_mb(self.process.pid)

    def size(self):
        """Bytes of the rows, merged, without logs of a fixed size."""
        return self.whole_size()

    def whole_size(self):
        """What the directory has grown by, logs and leftovers included."""
        return bytes_below(os.path.join(self.directory, "data")) - self.empty

    def run(self, request):
        return self.connection.ask(request)

    def release(self, answer):
        pass

    def end(self, keep=False):
        if self.process is not None:
            self.process.end()
        if not keep:
            remove(self.directory)


class Millrace(System):
    name = "Millrace"
    transport = "HTTP, signed (SigV4), JSON"
    durability = "synced to disk (fdatasync, groups of requests share one)"
    settings = "defaults, --test-clock on (for its request to move rows to files now)"
    loading = "WriteRecords of 100 records, 8 connections, signed"

    def __init__(self, directory, model="multi", *flags, connections=8):
        self.model, self.flags, self.connections = model, flags, connections
        self.name = f"Millrace {'MULTI' if model == 'multi' else 'single'}"
        super().__init__(directory)
        self.start()

    def start(self):
        self.port = free_port()
        data = os.path.join(self.directory, "data")
        began = time.monotonic()
        self.process = Process([os.path.join(BUILD, "millrace"), "serve", "--data", data, "--listen", f"127.0.0.1:{self.port}",
                                "--test-clock", "on", "--log-level", "warn", *self.flags], self.directory, KEYS, self.port)
        self.started = time.monotonic() - began
        self.connection = Connection(self.port)
        self.signer = Signer(self.port, *KEYS.values())
        self.empty = bytes_below(data)
        self.version = subprocess.run([os.path.join(BUILD, "millrace"), "--version"], capture_output=True, text=True,
                                      check=True).stdout.strip()

    def call(self, operation, **fields):
        return json.loads(self.connection.ask(self.signer.sign(operation, json.dumps(fields).encode())))

    def load(self, data):
        self.call("CreateDatabase", DatabaseName="tsbs")
        hours = data.steps * queries.STEP // 3600 + 72
        self.call("CreateTable", DatabaseName="tsbs", TableName=f"cpu_{self.model}", RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": min(hours, 8766), "MagneticStoreRetentionPeriodInDays": 3650})
        done = subprocess.run(data.command(self.model, "--endpoint", f"127.0.0.1:{self.port}", "--table", f"cpu_{self.model}",
                                           "--connections", str(self.connections), "--curve",
                                           os.path.join(self.directory, "curve")), env={**os.environ, **KEYS},
                              stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)["seconds"]

    def curve(self):
        """(seconds, records) once a second of the load."""
        with open(os.path.join(self.directory, "curve"), encoding="ascii") as f:
            return [tuple(map(float, line.split())) for line in f]

    def settle(self):
        self.connection.ask(self.signer.sign("Flush", b"{}", "/-/flush"))
        rest(self)

    def size(self):
        return bytes_below(os.path.join(self.directory, "data", "store", "files"))

    def text(self, case):
        return queries.timestream_multi(case) if self.model == "multi" else queries.timestream_single(case)

    def prepare(self, case):
        text = self.text(case)
        return text, self.signer.sign("Query", json.dumps({"QueryString": text}).encode())

    def run(self, request):
        return query_pages(self.connection, self.signer, *request)

    def rows(self, case, pages):
        texts = [[d["ScalarValue"] for d in row["Data"]] for page in pages for row in json.loads(page)["Rows"]]
        if self.model == "single" and case.type.shape == "last":
            hosts = {}
            for host, reading, moment, value in texts:
                hosts.setdefault((host, moment), {})[reading] = value
            texts = [[*key, *(values[r] for r in READINGS)] for key, values in hosts.items()]
        return keyed(case, texts)


class ClickHouse(System):
    name = "ClickHouse"
    version = "18.16.1"
    transport = "HTTP, TabSeparated"
    durability = "none: the page cache; a power cut loses the last parts"
    settings = "MergeTree, ORDER BY (hostname, time), PARTITION BY month; merged (OPTIMIZE FINAL); defaults"
    loading = "one INSERT of CSV"

    def __init__(self, directory):
        super().__init__(directory)
        self.port, tcp = free_port(), free_port()
        os.mkdir(os.path.join(self.directory, "data"))
        here = self.directory
        with open(os.path.join(here, "users.xml"), "w", encoding="ascii") as f:
            f.write("<yandex><profiles><default><max_memory_usage>8000000000</max_memory_usage></default></profiles><users><default>"
                    "<password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>"
                    "<quota>default</quota></default></users><quotas><default></default></quotas></yandex>")
        with open(os.path.join(here, "config.xml"), "w", encoding="ascii") as f:
            f.write(f"<yandex><logger><level>error</level><log>{here}/ch.log</log><errorlog>{here}/ch.err</errorlog></logger>"
                    f"<http_port>{self.port}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>"
                    f"<path>{here}/data/</path><tmp_path>{here}/data/tmp/</tmp_path><users_config>{here}/users.xml</users_config>"
                    "<default_profile>default</default_profile><default_database>default</default_database>"
                    "<timezone>UTC</timezone><mark_cache_size>5368709120</mark_cache_size>"
                    "<keep_alive_timeout>600</keep_alive_timeout></yandex>")
        self.process = Process([os.path.join(DEBIAN, "sbin/clickhouse-server"), f"--config-file={here}/config.xml"], here,
                               {**LIBRARIES, "TZ": "UTC"}, self.port)
        self.connection = Connection(self.port)
        self.empty = bytes_below(os.path.join(here, "data"))

    def statement(self, text):
        return self.connection.ask(post(self.port, "/", text.encode()))

    def load(self, data):
        self.statement(f"CREATE TABLE cpu (time DateTime, {', '.join(t + ' String' for t in TAGS)}, "
                       f"{', '.join(r + ' Float64' for r in READINGS)}) ENGINE = MergeTree PARTITION BY toYYYYMM(time) "
                       "ORDER BY (hostname, time)")
        with open(data.file("csv"), "rb") as f:
            request = post(self.port, "/?" + urllib.parse.urlencode({"query": "INSERT INTO cpu FORMAT CSV"}), f.read())
        began = time.monotonic()
        self.connection.ask(request)
        return time.monotonic() - began

    def settle(self):
        self.statement("OPTIMIZE TABLE cpu FINAL")
        time.sleep(1)

    def size(self):
        """Active parts: merged ones stay on disk for some minutes."""
        return int(self.statement("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'cpu'"))

    def prepare(self, case):
        return post(self.port, "/", queries.clickhouse(case).encode())

    def rows(self, case, answer):
        return keyed(case, [line.split("\t") for line in answer.decode().splitlines()])


class InfluxDB(System):
    name = "InfluxDB"
    version = "1.6.7~rc0"
    transport = "HTTP, JSON"
    durability = "synced to disk (every batch)"
    settings = "defaults, but caches are written out after 5 s and files merged after 10 s of rest"
    loading = "line protocol, 10,000 lines a request, 2 connections"

    def __init__(self, directory):
        super().__init__(directory)
        self.port, rpc = free_port(), free_port()
        here = self.directory
        os.mkdir(os.path.join(here, "data"))
        with open(os.path.join(here, "influxdb.conf"), "w", encoding="ascii") as f:
            f.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n[meta]\n dir = "{here}/data/meta"\n[data]\n'
                    f' dir = "{here}/data/data"\n wal-dir = "{here}/data/wal"\n query-log-enabled = false\n'
                    ' cache-snapshot-write-cold-duration = "5s"\n compact-full-write-cold-duration = "10s"\n[http]\n'
                    f' bind-address = "127.0.0.1:{self.port}"\n log-enabled = false\n[monitor]\n store-enabled = false\n')
        self.process = Process([os.path.join(DEBIAN, "bin/influxd"), "-config", os.path.join(here, "influxdb.conf")], here, None,
                               self.port)
        self.connection = Connection(self.port)
        self.empty = bytes_below(os.path.join(here, "data"))

    path = "/write?db=tsbs&precision=ns"

    def load(self, data):
        self.connection.ask(post(self.port, "/query?" + urllib.parse.urlencode({"q": "CREATE DATABASE tsbs"}), b""))
        return send_lines(data, self.port, self.path)

    def settle(self):
        """The cache is looked at every 10 s and compactions begin some seconds after."""
        rest(self, quiet=15)

    def prepare(self, case):
        return get(self.port, "/query", db="tsbs", epoch="s", q=queries.influxql(case))

    def rows(self, case, answer):
        result = json.loads(answer)["results"][0]
        if "error" in result:
            raise RuntimeError(result["error"])
        rows = []
        for series in result.get("series", []):
            host = series.get("tags", {}).get("hostname")
            for v in series["values"]:
                if case.type.shape == "high":
                    rows.append((v[1], v[0], *map(float, v[2:])))
                elif all(x is not None for x in v):
                    rows.append(((host, v[0]) if host else (v[0],)) + tuple(map(float, v[1:])))
        return rows


class VictoriaMetrics(System):
    name = "VictoriaMetrics"
    version = "1.79.5"
    transport = "HTTP, JSON"
    durability = "none: in memory for up to a second or more, not synced before the answer"
    settings = "defaults, -search.disableCache (no results of earlier queries), -search.latencyOffset=0s"
    loading = "line protocol, 10,000 lines a request, 2 connections"

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()
        self.process = Process([os.path.join(DEBIAN, "bin/victoria-metrics"), "-storageDataPath",
                                os.path.join(self.directory, "data"), f"-httpListenAddr=127.0.0.1:{self.port}",
                                "-retentionPeriod=10y", "-search.disableCache", "-search.latencyOffset=0s",
                                "-loggerLevel=ERROR"], self.directory, None, self.port)
        self.connection = Connection(self.port)
        self.empty = bytes_below(os.path.join(self.directory, "data"))

    def load(self, data):
        return send_lines(data, self.port, "/write")

    def settle(self):
        self.connection.ask(get(self.port, "/internal/force_flush"))
        self.connection.ask(get(self.port, "/internal/force_merge"))
        rest(self)

    def prepare(self, case):
        path, fields = queries.metricsql(case)
        return get(self.port, path, nocache="1", **fields)

    def rows(self, case, answer):
        t = case.type
        table = {}
        for series in json.loads(answer)["data"]["result"]:
            labels = series["metric"]
            reading = READINGS.index(labels.get("__name__", "cpu_usage_user")[4:])
            for moment, value in series.get("values") or [series["value"]]:
                at = round(float(moment) + 0.001) - t.bin if t.bin else int(moment)
                key = (labels["hostname"], at) if t.shape in ("double", "high", "last") else (at,)
                table.setdefault(key, {})[reading] = float(value)
        rows = [key + tuple(values[i] for i in sorted(values)) for key, values in table.items()]
        if t.shape == "last":  # the answer names the time of the question instead of the reading's
            rows = [(host, case.end - queries.STEP, *values) for host, _, *values in rows]
        return sorted(rows, reverse=t.shape == "top")


class Postgres(System):
    name = "PostgreSQL"
    version = "15"
    transport = "its own protocol (libpq, TCP), text"
    durability = "synced to disk (at commit)"
    settings = "shared_buffers 4GB, work_mem 64MB, else defaults; indexes (hostname, time) and (time); VACUUM ANALYZE"
    loading = "one COPY of CSV, indexes made after it"
    http = False

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()
        data = os.path.join(self.directory, "data")
        where = os.path.join(DEBIAN, "lib/postgresql/15/bin")
        env = {**os.environ, **LIBRARIES}
        as_user = []
        if os.geteuid() == 0:  # it refuses to be root
            nobody = pwd.getpwnam("nobody")
            os.mkdir(data)
            os.chown(data, nobody.pw_uid, nobody.pw_gid)
            as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            if subprocess.run([*as_user, "test", "-x", os.path.join(where, "postgres")]).returncode != 0:
                raise RuntimeError(f"PostgreSQL refuses to run as root, and the user nobody cannot enter {where}: run the bench "
                                   "as another user, or leave it out with --peers")
        subprocess.run([*as_user, os.path.join(where, "initdb"), "-D", data, "-A", "trust", "-U", "bench", "--locale=C",
                        "-E", "UTF8"], env=env, check=True, capture_output=True, cwd="/")
        self.process = Process([*as_user, os.path.join(where, "postgres"), "-D", data, "-p", str(self.port), "-c",
                                "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=4GB", "-c",
                                "work_mem=64MB", "-c", "timezone=UTC"], self.directory, LIBRARIES, self.port)
        self.empty = bytes_below(data)
        dsn = f"host=127.0.0.1 port={self.port} user=bench dbname=postgres"
        for _ in range(100):
            try:
                self.library = PostgresLibrary(os.path.join(LIBRARIES["LD_LIBRARY_PATH"], "libpq.so.5"), dsn)
                break
            except RuntimeError:  # it is still starting
                time.sleep(0.1)
        else:
            raise RuntimeError("postgresql does not start")

    def statement(self, text):
        result = self.library.execute(text.encode())
        rows = self.library.text(result)
        self.library.release(result)
        return rows

    def load(self, data):
        self.version = self.statement("SHOW server_version")[0][0]
        self.statement(f"CREATE TABLE cpu (time timestamp NOT NULL, {', '.join(t + ' text' for t in TAGS)}, "
                       f"{', '.join(r + ' double precision' for r in READINGS)})")
        path = data.file("csv")
        began = time.monotonic()
        self.statement(f"COPY cpu FROM '{path}' WITH (FORMAT csv)")
        self.statement("CREATE INDEX ON cpu (hostname, time)")
        self.statement("CREATE INDEX ON cpu (time)")
        return time.monotonic() - began

    def settle(self):
        self.statement(f"CREATE TABLE tags AS SELECT DISTINCT {', '.join(TAGS)} FROM cpu")
        self.statement("VACUUM (ANALYZE) cpu")
        self.statement("VACUUM (ANALYZE) tags")
        self.statement("CHECKPOINT")

    def size(self):
        return int(self.statement("SELECT pg_total_relation_size('cpu')")[0][0])

    def prepare(self, case):
        return queries.postgresql(case).encode()

    def run(self, request):
        return self.library.execute(request)

    def release(self, answer):
        self.library.release(answer)

    def rows(self, case, answer):
        return keyed(case, self.library.text(answer))

    def end(self, keep=False):
        self.library.close()
        self.process.end(2)  # SIGINT: at once, whatever is connected
        super().end(keep)


class DuckDB(System):
    name = "DuckDB"
    transport = "none: a library in the client's process"
    durability = "synced to disk (at commit)"
    settings = "defaults; a database file, checkpointed"
    loading = "one COPY of CSV"
    http = False
    process = None

    def __init__(self, directory):
        super().__init__(directory)
        self.path = os.path.join(self.directory, "data")
        os.mkdir(self.path)
        self.library = DuckLibrary(os.path.join(ROOT, "deps/duckdb/libduckdb.so"), os.path.join(self.path, "cpu.db"))
        self.version = self.library.version()
        self.empty = 0

    def cpu(self):
        return time.process_time()

    def memory(self):
        return memory_mb(os.getpid())

    def statement(self, text):
        self.library.release(self.library.execute(text.encode()))

    def load(self, data):
        self.statement(f"CREATE TABLE cpu (time TIMESTAMP, {', '.join(t + ' VARCHAR' for t in TAGS)}, "
                       f"{', '.join(r + ' DOUBLE' for r in READINGS)})")
        path = data.file("csv")
        began = time.monotonic()
        self.statement(f"COPY cpu FROM '{path}' (HEADER false)")
        return time.monotonic() - began

    def settle(self):
        self.statement("CHECKPOINT")

    def prepare(self, case):
        return queries.duckdb(case).encode()

    def run(self, request):
        return self.library.execute(request)

    def release(self, answer):
        self.library.release(answer)

    def rows(self, case, answer):
        return keyed(case, self.library.text(answer))

    def end(self, keep=False):
        self.library.close()
        super().end(keep)


PEERS_ALL = (VictoriaMetrics, ClickHouse, DuckDB, Postgres, InfluxDB)


def send_lines(data, port, path, lines=10000, connections=2):
    """Line protocol in requests of so many lines; seconds from the first to the last answer."""
    with open(data.file("line"), "rb") as f:
        requests = []
        while batch := [line for _, line in zip(range(lines), f)]:
            requests.append(post(port, path, b"".join(batch)))
    failed = []

    def send(mine):
        connection = Connection(port)
        try:
            for request in mine:
                connection.ask(request)
        except Exception as e:  # told by the thread that waits
            failed.append(e)

    threads = [threading.Thread(target=send, args=(requests[i::connections],)) for i in range(connections)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]
    return time.monotonic() - began


def rest(system, quiet=3, most=120):
    """Returns when the system has used less than 0.05 CPU seconds in each of `quiet` seconds."""
    still, last = 0, system.cpu()
    for _ in range(most):
        time.sleep(1)
        used, last = system.cpu() - last, system.cpu()
        still = still + 1 if used < 0.05 else 0
        if still == quiet:
            return
