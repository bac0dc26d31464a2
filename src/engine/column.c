/* ColumnInfo objects (query-api reference 7.1). */
#include "engine/engine.h"
#include "json/write.h"

static const char *const scalar_names[] = {
    [SQL_UNKNOWN] = "UNKNOWN",
    [SQL_BOOLEAN] = "BOOLEAN",
    [SQL_INTEGER] = "INTEGER",
    [SQL_BIGINT] = "BIGINT",
    [SQL_DOUBLE] = "DOUBLE",
    [SQL_VARCHAR] = "VARCHAR",
    [SQL_DATE] = "DATE",
    [SQL_TIME] = "TIME",
    [SQL_TIMESTAMP] = "TIMESTAMP",
    [SQL_INTERVAL_DAY] = "INTERVAL_DAY_TO_SECOND",
    [SQL_INTERVAL_YEAR] = "INTERVAL_YEAR_TO_MONTH",
};

void engine_column_info(struct mr_str name, const struct sql_type *type, struct mr_buf *out)
{
    mr_buf_char(out, '{');
    if (name.ptr != NULL) {
        mr_buf_str(out, MR_STR("\"Name\":\""));
        json_write_escaped(out, name);
        mr_buf_str(out, MR_STR("\","));
    }
    mr_buf_str(out, MR_STR("\"Type\":{"));
    switch (type->kind) {
    case SQL_ARRAY:
        mr_buf_str(out, MR_STR("\"ArrayColumnInfo\":"));
        engine_column_info(MR_STR_NULL, type->elem, out);
        break;
    case SQL_TIMESERIES:
        mr_buf_str(out, MR_STR("\"TimeSeriesMeasureValueColumnInfo\":"));
        engine_column_info(MR_STR_NULL, type->elem, out);
        break;
    case SQL_ROW:
        mr_buf_str(out, MR_STR("\"RowColumnInfo\":["));
        for (size_t i = 0; i < type->nfields; i++) {
            if (i > 0)
                mr_buf_char(out, ',');
            engine_column_info(type->fields[i].name, type->fields[i].type, out);
        }
        mr_buf_char(out, ']');
        break;
    default:
        mr_buf_printf(out, "\"ScalarType\":\"%s\"", scalar_names[type->kind]);
        break;
    }
    mr_buf_str(out, MR_STR("}}"));
}
