#include "engine/statements.h"

static struct mr_rng *rng; /* of the statement being made */
static bool same_times;    /* rows may have the same time, so that no aggregate may ask which is the last */

static unsigned below(unsigned n)
{
    return (unsigned)mr_rng_below(rng, n);
}

static const char *one_of(const char *const *list, size_t n)
{
    return list[below((unsigned)n)];
}
#define ONE_OF(list) one_of(list, MR_ARRAY_LEN(list))

static const char *const keys[] = {"host",
                                   "time",
                                   "time",
                                   "rack",
                                   "zone",
                                   "measure_name",
                                   "bin(time, 6h)",
                                   "bin(time, 1h)",
                                   "bin(time, 7m)",
                                   "date_trunc('day', time)",
                                   "date_trunc('week', time)",
                                   "date_trunc('hour', time)",
                                   "date_trunc('month', time)",
                                   "host",
                                   "bin(time, 1d)"};
static const char *const aggregates[] = {
    "count(*)",
    "count(v)",
    "count(s)",
    "count(b)",
    "sum(v)",
    "avg(v)",
    "min(v)",
    "max(v)",
    "avg(n)",
    "min(n)",
    "max(n)",
    "sum(measure_value::double)",
    "min(ts)",
    "max(ts)",
    "max(time)",
    "min(time)",
    "max_by(v, time)",
    "min_by(n, time)",
    "max_by(b, time)",
    "max_by(ts, time)",
    "count(time)",
    "sum(v) + count(*)",
    "max(v) - min(v)",
    "max_by(measure_value::double, time)",
    "avg(v) * 2",
    "max_by(time, time)",
    "round(avg(v), 2)",
    "coalesce(max(n), -1)",
    "sum(CASE WHEN measure_name = 'm1' THEN v END)",
    "avg(CASE WHEN 'm4' = measure_name THEN measure_value::double ELSE NULL END)",
    "max(IF(measure_name = 'm2', v))",
    "min(CASE measure_name WHEN 'm2' THEN n END)",
    "avg(CASE WHEN measure_name = 'm3' THEN n END)",
    "count(CASE WHEN measure_name = 'm0' THEN s END)",
    "count(CASE WHEN measure_name = 'm0' THEN 1 END)",
    "count(*) FILTER (WHERE measure_name = 'm1')",
    "max(v) FILTER (WHERE measure_name = 'm1')",
    "max(CASE WHEN measure_name = 'm1' THEN v END) FILTER (WHERE measure_name = 'm1')",
    "max_by(v, time) FILTER (WHERE measure_name = 'm3')",
    "max_by(v, CASE WHEN measure_name = 'm2' THEN time END)",
    "min_by(IF(measure_name = 'm2', b), IF(measure_name = 'm2', time))",
    "max(CASE WHEN measure_name = 'none' THEN v END)",
    "max(CASE WHEN measure_name = 'm1' THEN time END)",
    "stddev(v)",
    "stddev_pop(n)",
    "variance(measure_value::double)",
    "var_pop(CASE WHEN measure_name = 'm1' THEN v END)",
    "stddev_samp(n) FILTER (WHERE measure_name = 'm2')",
    "count(1)"};
static const char *const tests[] = {"count(*) > 1",
                                    "max(v) > 10",
                                    "max(CASE WHEN measure_name = 'm1' THEN v END) > 100",
                                    "avg(v) BETWEEN -100 AND 500",
                                    "300.5 >= max(v) AND count(v) < 9",
                                    "min(n) <> 3 AND max(n) < 80",
                                    "max(n) = 7",
                                    "max(time) > @",
                                    "min(ts) <= @",
                                    "sum(v) > 0 OR count(*) > 3",
                                    "max(v) IS NOT NULL",
                                    "sum(n) > 4",
                                    "stddev(v) > 280",
                                    "max(v) = infinity()"};
/* these keep the rows coming */
static const char *const others[] = {
    "sum(n)",
    "count(DISTINCT s)",
    "max(s)",
    "skewness(v)",
    "sum(v * 2)",
    "count_if(b)",
    "max_by(s, time)",
    "sum(v) FILTER (WHERE n > 3)",
    "min(host)",
    "max_by(v, to_nanoseconds(time) + 1)",
    "sum(CASE WHEN measure_name = 'm1' THEN v ELSE 0 END)",
    "max(CASE WHEN measure_name = 'm1' THEN v WHEN measure_name = 'm2' THEN v END)",
    "max_by(CASE WHEN measure_name = 'm2' THEN v END, time)",
    "max(CASE WHEN measure_name = 'm1' THEN v END) FILTER (WHERE measure_name = 'm2')",
    "max(CASE WHEN measure_name <> 'm1' THEN v END)",
    "max(CASE WHEN host = 'h1' THEN v END)"};
static const char *const conditions[] = {
    "host = '#'",
    "host IN ('#', '#')",
    "host <> '#'",
    "zone LIKE 'eas%'",
    "zone LIKE 'east'",
    "rack IS NULL",
    "rack IS NOT NULL",
    "(host = '#' OR host = '#' OR host IN ('h7'))",
    "host NOT IN ('#', '#')",
    "measure_name = 'm1'",
    "measure_name <> 'm4'",
    "'#' = host",
    "host IN ('#', NULL)",
};
/* on measures */
static const char *const values[] = {"v > 10",
                                     "v < -200.5",
                                     "v BETWEEN -50 AND 300",
                                     "v <> 5",
                                     "v >= 690 AND v <= 700",
                                     "100 > v",
                                     "v > 1e200",
                                     "v = infinity()",
                                     "n = 3",
                                     "n > 100",
                                     "n <> 3",
                                     "n >= -5 AND 7 > n",
                                     "b = true",
                                     "b <> true",
                                     "s = 'odd'",
                                     "s <> 'odd'",
                                     "ts < @",
                                     "ts = @",
                                     "v IS NULL",
                                     "n IS NOT NULL",
                                     "measure_value::double > 0",
                                     "measure_value::double IS NULL"};
/* these are not wholly said by a scan */
static const char *const hard[] = {"(v > 10 OR n > 3)",
                                   "v > n",
                                   "bin(time, 6h) > from_milliseconds(90000000)",
                                   "zone LIKE 'e%n'",
                                   "(host = '#' OR rack = 'r1')",
                                   "host NOT IN ('#', NULL)",
                                   "date(time) > date '1970-01-03'",
                                   "lower(host) = '#'",
                                   "host BETWEEN 'h1' AND 'h3'"};
static const char *const moments[] = {
    "time >= @", "time < @", "time > @ AND time <= @", "time BETWEEN @ AND @", "@ <= time", "time = @"};

static void fill(struct mr_buf *out, const char *form)
{
    for (; *form != '\0'; form++) {
        if (*form == '#')
            mr_buf_printf(out, "h%u", below(13));
        else if (*form == '@')
            mr_buf_printf(out, "from_milliseconds(%llu)",
                          (unsigned long long)(below(250) * UINT64_C(3600000)));
        else
            mr_buf_char(out, *form);
    }
}

static void where(struct mr_buf *out)
{
    const char *before = " WHERE ";
    unsigned n = below(4);
    for (unsigned i = 0; i < n; i++, before = " AND ") {
        mr_buf_str(out, mr_str_of(before));
        unsigned kind = below(10);
        fill(out, kind == 0  ? ONE_OF(hard)
                  : kind < 3 ? ONE_OF(values)
                  : kind < 6 ? ONE_OF(moments)
                             : ONE_OF(conditions));
    }
}

static const char *some_aggregate(void)
{
    const char *text;
    do
        text = below(14) == 0 ? ONE_OF(others) : ONE_OF(aggregates);
    while (same_times && (strncmp(text, "max_by", 6) == 0 || strncmp(text, "min_by", 6) == 0));
    return text;
}

/* SELECT keys AS k0, ..., aggregates AS a0, ... FROM d.t WHERE ... GROUP BY 1, ...; how many of each */
static void grouped(struct mr_buf *out, unsigned *nkeys, unsigned *naggregates)
{
    *nkeys = below(4);
    *naggregates = 1 + below(4);
    mr_buf_str(out, MR_STR("SELECT "));
    for (unsigned i = 0; i < *nkeys; i++)
        mr_buf_printf(out, "%s AS k%u, ", ONE_OF(keys), i);
    for (unsigned i = 0; i < *naggregates; i++)
        mr_buf_printf(out, "%s%s AS a%u", i > 0 ? ", " : "", some_aggregate(), i);
    mr_buf_str(out, MR_STR(" FROM d.t"));
    where(out);
    for (unsigned i = 0; i < *nkeys; i++)
        mr_buf_printf(out, "%s%u", i == 0 ? " GROUP BY " : ", ", i + 1);
    if (*nkeys != 0 && below(4) == 0) {
        mr_buf_str(out, MR_STR(" HAVING "));
        fill(out, ONE_OF(tests));
    }
}

/* ORDER BY an aggregate, then all keys, so that there is one order; in the block or around it */
static void ordered(struct mr_buf *out)
{
    static const char *const ways[] = {"", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"};
    struct mr_buf inner = MR_BUF_INIT;
    unsigned nkeys, naggregates, around = below(4);
    grouped(&inner, &nkeys, &naggregates);
    mr_buf_str(out, around == 1   ? MR_STR("SELECT * FROM (")
                    : around == 2 ? MR_STR("WITH w AS (")
                    : around == 3 ? MR_STR("SELECT a0 AS x, y.* FROM (")
                                  : MR_STR(""));
    mr_buf_str(out, mr_buf_view(&inner));
    mr_buf_str(out, around == 1   ? MR_STR(")")
                    : around == 2 ? MR_STR(") SELECT * FROM w")
                    : around == 3 ? MR_STR(") AS y")
                                  : MR_STR(""));
    const char *before = " ORDER BY ";
    if (below(3) == 0) {
        mr_buf_printf(out, " ORDER BY a0%s", ONE_OF(ways));
        before = ", ";
    }
    for (unsigned i = 0; i < nkeys; i++, before = ", ")
        mr_buf_printf(out, "%sk%u%s", before, i, ONE_OF(ways));
    if (below(3) == 0)
        mr_buf_printf(out, " OFFSET %u", below(5));
    if (below(2) == 0)
        mr_buf_printf(out, " LIMIT %u", below(12));
    mr_buf_release(&inner);
}

static void newest_bins(struct mr_buf *out, const char *bin)
{
    mr_buf_printf(out, "SELECT %s AS k0, host, count(*), max(v) FROM d.t", bin);
    where(out);
    mr_buf_printf(out, " GROUP BY %s, host ORDER BY k0 DESC, host OFFSET %u LIMIT %u", bin, below(3),
                  1 + below(40));
}

void random_statement(struct mr_rng *from, bool twins, struct mr_buf *out)
{
    unsigned nkeys, naggregates;
    rng = from;
    same_times = twins;
    switch (below(12)) {
    case 0: /* HAVING and expressions on top */
        fill(out,
             "SELECT host, bin(time, 6h) AS w, avg(v), count(*) + 1 FROM d.t WHERE time < @ GROUP BY host, "
             "bin(time, 6h) HAVING count(*) > 2 AND host <> '#'");
        return;
    case 1: /* a block of its own, used once or twice */
        mr_buf_str(out, MR_STR("WITH w AS ("));
        grouped(out, &nkeys, &naggregates);
        mr_buf_str(
            out, below(2) ? MR_STR(") SELECT * FROM w")
                          : MR_STR(") SELECT x.*, y.c FROM w x CROSS JOIN (SELECT count(*) AS c FROM w) y"));
        return;
    case 2: /* a condition from outside */
        if (same_times)
            break;
        fill(out,
             "SELECT * FROM (SELECT host AS k, zone, bin(time, 1h) AS b, max(v), min(n), max_by(v, time) "
             "FROM d.t WHERE rack = 'r1' GROUP BY host, zone, bin(time, 1h)) WHERE k = '#' AND b >= @");
        return;
    case 8: /* the newest rows: no two have the same time */
        if (same_times)
            break;
        mr_buf_str(out, MR_STR("SELECT time, host, v, s FROM d.t"));
        where(out);
        mr_buf_printf(out, " ORDER BY time DESC OFFSET %u LIMIT %u", below(3), below(60));
        return;
    case 7: /* the newest bins */
        newest_bins(out, below(3) ? "bin(time, 1h)" : below(2) ? "bin(time, 37m)" : "time");
        return;
    case 5:
    case 6: /* rows */
        mr_buf_str(out, below(3) ? MR_STR("SELECT * FROM d.t")
                                 : MR_STR("SELECT x, v, host FROM (SELECT host, v, s AS x FROM d.t"));
        where(out);
        mr_buf_str(out, out->ptr[7] == 'x' ? MR_STR(")") : MR_STR(""));
        mr_buf_str(out, below(4) ? MR_STR("") : MR_STR(" LIMIT 1000000"));
        return;
    case 3:
    case 4:
        ordered(out);
        return;
    default:
        break;
    }
    grouped(out, &nkeys, &naggregates);
}
