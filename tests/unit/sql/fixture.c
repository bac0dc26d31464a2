/* tests/unit/sql/fixture.c - the tables as constants. */
#include "fixture.h"

#define COLUMN(name, kind, role, number)                                                                     \
    {                                                                                                        \
        {name, sizeof(name) - 1}, SQL_##kind, SQL_ROLE_##role, number                                        \
    }

static const struct sql_column sensors[] = {
    COLUMN("site", VARCHAR, DIMENSION, 0),
    COLUMN("machine", VARCHAR, DIMENSION, 1),
    COLUMN("zone", VARCHAR, DIMENSION, 2),
    COLUMN("measure_name", VARCHAR, MEASURE_NAME, 3),
    COLUMN("time", TIMESTAMP, TIME, 4),
    COLUMN("measure_value::double", DOUBLE, MEASURE_VALUE, 5),
    COLUMN("measure_value::bigint", BIGINT, MEASURE_VALUE, 6),
    COLUMN("measure_value::varchar", VARCHAR, MEASURE_VALUE, 7),
    COLUMN("measure_value::boolean", BOOLEAN, MEASURE_VALUE, 8),
    COLUMN("temperature", DOUBLE, ATTRIBUTE, 9),
    COLUMN("pressure", DOUBLE, ATTRIBUTE, 10),
    COLUMN("status", VARCHAR, ATTRIBUTE, 11),
    COLUMN("cycles", BIGINT, ATTRIBUTE, 12),
    COLUMN("running", BOOLEAN, ATTRIBUTE, 13),
    COLUMN("serviced", TIMESTAMP, ATTRIBUTE, 14),
};

static const struct sql_column lines[] = {
    COLUMN("site", VARCHAR, DIMENSION, 0),
    COLUMN("line", VARCHAR, DIMENSION, 1),
    COLUMN("measure_name", VARCHAR, MEASURE_NAME, 2),
    COLUMN("time", TIMESTAMP, TIME, 3),
    COLUMN("speed", DOUBLE, ATTRIBUTE, 4),
};

static const struct sql_column bare[] = {
    COLUMN("measure_name", VARCHAR, MEASURE_NAME, 0),
    COLUMN("time", TIMESTAMP, TIME, 1),
};

static const struct {
    const char *name;
    const struct sql_column *columns;
    size_t ncolumns;
} tables[] = {
    {"sensors", sensors, MR_ARRAY_LEN(sensors)},
    {"lines", lines, MR_ARRAY_LEN(lines)},
    {"bare", bare, MR_ARRAY_LEN(bare)},
};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    MR_UNUSED(ctx);
    MR_UNUSED(arena);
    *missing_database = !mr_str_eq(database, MR_STR("works"));
    if (*missing_database)
        return MR_ENOENT;
    for (size_t i = 0; i < MR_ARRAY_LEN(tables); i++) {
        if (!mr_str_eq(name, mr_str_of(tables[i].name)))
            continue;
        *out = (struct sql_table){(void *)&tables[i], MR_STR("works"), mr_str_of(tables[i].name),
                                  tables[i].columns, tables[i].ncolumns};
        return MR_OK;
    }
    return MR_ENOENT;
}

const struct sql_lookup fixture_lookup = {NULL, find_table};
const struct sql_env fixture_env = {
    .lookup = &fixture_lookup,
    .now_ns = FIXTURE_NOW,
    .time_floor = INT64_MIN,
};
