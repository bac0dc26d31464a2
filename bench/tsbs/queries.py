"""The eleven query types of the Time Series Benchmark Suite's cpu workload, in the languages of all systems.

A case is one query of a type with its hosts and times drawn by a seeded generator, so that every system is asked the same.
Answers are compared as lists of rows (key parts, then readings), in the order that ORDER BY demands or sorted.
"""

import dataclasses
import datetime
import random

TAGS = ("hostname", "region", "datacenter", "rack", "os", "arch", "team", "service", "service_version",
        "service_environment")
READINGS = ("usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
            "usage_steal", "usage_guest", "usage_guest_nice")
STEP = 10


@dataclasses.dataclass(frozen=True)
class Type:
    name: str
    shape: str  # groupby: max per bin; double: mean per host and hour; high: rows; last; top
    readings: int = 10
    hosts: int = 0  # 0: all
    hours: int = 0  # 0: all of time
    bin: int = 0  # seconds


TYPES = (
    Type("single-groupby-1-1-1", "groupby", 1, 1, 1, 60),
    Type("single-groupby-1-8-1", "groupby", 1, 8, 1, 60),
    Type("single-groupby-5-8-1", "groupby", 5, 8, 1, 60),
    Type("cpu-max-all-8", "groupby", 10, 8, 8, 3600),
    Type("double-groupby-1", "double", 1, 0, 12, 3600),
    Type("double-groupby-5", "double", 5, 0, 12, 3600),
    Type("double-groupby-all", "double", 10, 0, 12, 3600),
    Type("high-cpu-1", "high", 10, 1, 12),
    Type("high-cpu-all", "high", 10, 0, 12),
    Type("lastpoint", "last", 10),
    Type("groupby-orderby-limit", "top", 1, 0, 0, 60),
)


@dataclasses.dataclass(frozen=True)
class Case:
    type: Type
    hosts: tuple  # names; empty: all
    start: int  # seconds since the epoch; of `top` unused
    end: int

    @property
    def readings(self):
        return READINGS[:self.type.readings]


def cases(type_, count, hosts, start, steps, seed=7):
    """Windows begin at whole minutes, those of hourly bins at whole hours: every system then means the same bins."""
    draw = random.Random(f"{seed}/{type_.name}")
    span = steps * STEP
    made = []
    for _ in range(count):
        names = tuple(f"host_{h}" for h in sorted(draw.sample(range(hosts), min(type_.hosts, hosts))))
        grain = 3600 if type_.bin == 3600 else 60
        length = min(type_.hours * 3600, span // grain * grain)
        begin = start + draw.randrange((span - length) // grain + 1) * grain
        if type_.shape == "top":
            begin, length = start, draw.randrange(min(3600, span) // grain, span // grain + 1) * grain
        elif type_.shape == "last":
            begin, length = start, span
        made.append(Case(type_, names, begin, begin + length))
    return made


def stamp(seconds, form="%Y-%m-%d %H:%M:%S"):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(form)


def quoted(names):
    return ", ".join(f"'{n}'" for n in names)


# ---- Timestream SQL -------------------------------------------------------------------------------------------------

def timestream_where(case, *more):
    terms = [*more]
    if case.hosts:
        terms.append(f"hostname IN ({quoted(case.hosts)})" if len(case.hosts) > 1 else f"hostname = '{case.hosts[0]}'")
    if case.type.shape == "top":
        terms.append(f"time < from_milliseconds({case.end * 1000})")
    elif case.type.shape != "last":
        terms.append(f"time >= from_milliseconds({case.start * 1000}) AND time < from_milliseconds({case.end * 1000})")
    return " WHERE " + " AND ".join(terms) if terms else ""


def timestream_multi(case, table="tsbs.cpu_multi"):
    t = case.type
    if t.shape == "groupby":
        unit = "1m" if t.bin == 60 else "1h"
        columns = ", ".join(f"max({r}) AS max_{r}" for r in case.readings)
        return (f"SELECT bin(time, {unit}) AS t, {columns} FROM {table}{timestream_where(case)} "
                f"GROUP BY bin(time, {unit}) ORDER BY t")
    if t.shape == "double":
        columns = ", ".join(f"avg({r}) AS mean_{r}" for r in case.readings)
        return (f"SELECT hostname, bin(time, 1h) AS t, {columns} FROM {table}{timestream_where(case)} "
                f"GROUP BY hostname, bin(time, 1h) ORDER BY hostname, t")
    if t.shape == "high":
        return f"SELECT hostname, time, {', '.join(READINGS)} FROM {table}{timestream_where(case, 'usage_user > 90')}"
    if t.shape == "last":
        columns = ", ".join(f"max_by({r}, time) AS last_{r}" for r in READINGS)
        return f"SELECT hostname, max(time) AS t, {columns} FROM {table} GROUP BY hostname"
    return (f"SELECT bin(time, 1m) AS t, max(usage_user) AS max_usage_user FROM {table}{timestream_where(case)} "
            f"GROUP BY bin(time, 1m) ORDER BY t DESC LIMIT 5")


def pivoted(function, readings):
    return ", ".join(f"{function}(CASE WHEN measure_name = '{r}' THEN measure_value::double END) AS {function}_{r}"
                     for r in readings)


def timestream_single(case, table="tsbs.cpu_single"):
    t = case.type
    names = f"measure_name = '{READINGS[0]}'" if t.readings == 1 else f"measure_name IN ({quoted(case.readings)})"
    one = t.readings == 1
    if t.shape == "groupby":
        unit = "1m" if t.bin == 60 else "1h"
        columns = "max(measure_value::double) AS max_usage_user" if one else pivoted("max", case.readings)
        return (f"SELECT bin(time, {unit}) AS t, {columns} FROM {table}{timestream_where(case, names)} "
                f"GROUP BY bin(time, {unit}) ORDER BY t")
    if t.shape == "double":
        columns = "avg(measure_value::double) AS mean_usage_user" if one else pivoted("avg", case.readings)
        return (f"SELECT hostname, bin(time, 1h) AS t, {columns} FROM {table}{timestream_where(case, names)} "
                f"GROUP BY hostname, bin(time, 1h) ORDER BY hostname, t")
    if t.shape == "high":
        return (f"SELECT hostname, time, {pivoted('max', READINGS)} FROM {table}{timestream_where(case)} "
                f"GROUP BY hostname, time HAVING max(CASE WHEN measure_name = 'usage_user' THEN measure_value::double END) > 90")
    if t.shape == "last":
        return (f"SELECT hostname, measure_name, max(time) AS t, max_by(measure_value::double, time) AS value FROM {table} "
                f"GROUP BY hostname, measure_name")
    return (f"SELECT bin(time, 1m) AS t, max(measure_value::double) AS max_usage_user FROM {table}"
            f"{timestream_where(case, names)} GROUP BY bin(time, 1m) ORDER BY t DESC LIMIT 5")


# ---- SQL of the peers -----------------------------------------------------------------------------------------------

def sql_where(case, moment, *more):
    terms = [*more]
    if case.hosts:
        terms.append(f"hostname IN ({quoted(case.hosts)})" if len(case.hosts) > 1 else f"hostname = '{case.hosts[0]}'")
    if case.type.shape == "top":
        terms.append(f"time < {moment(case.end)}")
    elif case.type.shape != "last":
        terms.append(f"time >= {moment(case.start)} AND time < {moment(case.end)}")
    return " WHERE " + " AND ".join(terms) if terms else ""


def sql(case, moment, minute, hour, last):
    """The ten types that every SQL writes alike; `last` is the system's own way to the last rows."""
    t = case.type
    cut = minute if t.bin == 60 else hour
    if t.shape == "groupby":
        columns = ", ".join(f"max({r})" for r in case.readings)
        return f"SELECT {cut} AS t, {columns} FROM cpu{sql_where(case, moment)} GROUP BY t ORDER BY t"
    if t.shape == "double":
        columns = ", ".join(f"avg({r})" for r in case.readings)
        return f"SELECT hostname, {cut} AS t, {columns} FROM cpu{sql_where(case, moment)} GROUP BY hostname, t ORDER BY hostname, t"
    if t.shape == "high":
        return f"SELECT hostname, time, {', '.join(READINGS)} FROM cpu{sql_where(case, moment, 'usage_user > 90')}"
    if t.shape == "last":
        return last
    return f"SELECT {cut} AS t, max(usage_user) FROM cpu{sql_where(case, moment)} GROUP BY t ORDER BY t DESC LIMIT 5"


def clickhouse(case):
    last = f"SELECT hostname, max(time), {', '.join(f'argMax({r}, time)' for r in READINGS)} FROM cpu GROUP BY hostname"
    return sql(case, lambda s: f"toDateTime('{stamp(s)}')", "toStartOfMinute(time)", "toStartOfHour(time)", last)


def duckdb(case):
    last = f"SELECT hostname, max(time), {', '.join(f'arg_max({r}, time)' for r in READINGS)} FROM cpu GROUP BY hostname"
    return sql(case, lambda s: f"TIMESTAMP '{stamp(s)}'", "date_trunc('minute', time)", "date_trunc('hour', time)", last)


def postgresql(case):
    last = (f"SELECT l.hostname, l.time, {', '.join(f'l.{r}' for r in READINGS)} FROM tags, LATERAL "
            "(SELECT * FROM cpu WHERE cpu.hostname = tags.hostname ORDER BY time DESC LIMIT 1) l")
    return sql(case, lambda s: f"TIMESTAMP '{stamp(s)}'", "date_trunc('minute', time)", "date_trunc('hour', time)", last)


def influxql(case):
    t = case.type
    terms = []
    if case.hosts:
        terms.append("(" + " OR ".join(f"hostname = '{h}'" for h in case.hosts) + ")")
    if t.shape != "last":
        terms.append(f"time >= {case.start}s AND time < {case.end}s")
    where = " WHERE " + " AND ".join(terms) if terms else ""
    if t.shape == "groupby":
        columns = ", ".join(f"max({r})" for r in case.readings)
        return f"SELECT {columns} FROM cpu{where} GROUP BY time({t.bin}s)"
    if t.shape == "double":
        columns = ", ".join(f"mean({r})" for r in case.readings)
        return f"SELECT {columns} FROM cpu{where} GROUP BY time({t.bin}s), hostname"
    if t.shape == "high":
        return f"SELECT hostname, {', '.join(READINGS)} FROM cpu{where} AND usage_user > 90"
    if t.shape == "last":
        return f"SELECT {', '.join(READINGS)} FROM cpu GROUP BY hostname ORDER BY time DESC LIMIT 1"
    return f"SELECT max(usage_user) FROM cpu{where} GROUP BY time(60s) ORDER BY time DESC LIMIT 5"


def metricsql(case):
    """(path, fields) of VictoriaMetrics' HTTP API. A window of MetricsQL ends at its time and leaves out its begin, so that
    one ending a millisecond before the next bin covers exactly a bin of the others."""
    t = case.type
    names = "|".join(f"cpu_{r}" for r in case.readings)
    metric = f"cpu_{READINGS[0]}" if t.readings == 1 else f'{{__name__=~"{names}"}}'
    if case.hosts:
        which = f'hostname="{case.hosts[0]}"' if len(case.hosts) == 1 else f'hostname=~"{"|".join(case.hosts)}"'
        metric = f"{metric}{{{which}}}" if t.readings == 1 else f'{{__name__=~"{names}",{which}}}'
    window = {"start": f"{case.start + t.bin - 0.001:.3f}", "end": f"{case.end - 0.001:.3f}", "step": f"{t.bin}s"}
    if t.shape == "groupby":
        return "/api/v1/query_range", {"query": f"max(max_over_time({metric}[{t.bin}s])) by (__name__)", **window}
    if t.shape == "double":
        return "/api/v1/query_range", {"query": f"avg(avg_over_time({metric}[{t.bin}s])) by (__name__, hostname)", **window}
    if t.shape == "high":
        user = f"cpu_usage_user{{{which}}}" if case.hosts else "cpu_usage_user"
        query = f"last_over_time({metric}[9999ms]) and on(hostname) (last_over_time({user}[9999ms]) > 90)"
        return "/api/v1/query_range", {"query": query, "start": str(case.start), "end": str(case.end - STEP), "step": f"{STEP}s"}
    if t.shape == "last":
        return "/api/v1/query", {"query": f"last_over_time({metric}[2d])", "time": f"{case.end}"}
    return "/api/v1/query_range", {"query": "max(max_over_time(cpu_usage_user[60s]))", "start": f"{case.end - 240.001:.3f}",
                                   "end": f"{case.end - 0.001:.3f}", "step": "60s"}


# ---- the answer, computed plainly -----------------------------------------------------------------------------------

def plain(case, rows):
    """The answer from all rows of the data set, (seconds, hostname, readings...) each: the definition of the type."""
    t = case.type
    n = t.readings
    chosen = [r for r in rows if (not case.hosts or r[1] in case.hosts) and
              (t.shape == "last" or r[0] < case.end) and (t.shape in ("last", "top") or r[0] >= case.start)]
    if t.shape == "high":
        return [(r[1], r[0], *r[2:]) for r in chosen if r[2] > 90]
    if t.shape == "last":
        newest = {}
        for r in chosen:
            if r[1] not in newest or r[0] > newest[r[1]][0]:
                newest[r[1]] = r
        return [(r[1], r[0], *r[2:]) for r in newest.values()]
    groups = {}
    for r in chosen:
        bin_ = r[0] // t.bin * t.bin
        groups.setdefault((r[1], bin_) if t.shape == "double" else (bin_,), []).append(r[2:2 + n])
    fold = (lambda v: sum(v) / len(v)) if t.shape == "double" else max
    answer = sorted(key + tuple(fold(column) for column in zip(*group)) for key, group in groups.items())
    return answer[::-1][:5] if t.shape == "top" else answer


def ordered(case, rows):
    """Rows as they are compared: sorted where the statement leaves the order open."""
    return sorted(rows) if case.type.shape in ("high", "last", "double") else list(rows)


def differ(case, got, want, tolerance):
    """None, or what is different. Keys must be equal; readings within a relative tolerance."""
    got, want = ordered(case, got), ordered(case, want)
    if len(got) != len(want):
        return f"{len(got)} rows instead of {len(want)}"
    keys = 2 if case.type.shape in ("double", "high", "last") else 1
    for g, w in zip(got, want):
        if g[:keys] != w[:keys] or len(g) != len(w):
            return f"row {g} instead of {w}"
        if any(abs(a - b) > tolerance * max(abs(a), abs(b)) for a, b in zip(g[keys:], w[keys:])):
            return f"row {g} instead of {w}"
    return None
