/* Measure values and times arrive as text; what each type accepts is reference 5.4 and 5.5. */
#include "ingest/parts.h"

#include "json/number.h"

static const char *const type_names[] = {
    [STORE_DOUBLE] = "double",   [STORE_BIGINT] = "bigint",       [STORE_VARCHAR] = "varchar",
    [STORE_BOOLEAN] = "boolean", [STORE_TIMESTAMP] = "timestamp", [STORE_MULTI] = "multi",
};

static int invalid(struct ingest_work *w, enum store_type type, struct mr_str text)
{
    struct mr_str shown = mr_str_slice(text, 0, 128);
    return model_fail(
        w->fault, MODEL_VALIDATION, w->arena, "Invalid value " MR_STR_FMT " for %s measure value type.%s",
        MR_STR_ARG(shown), type_names[type],
        type == STORE_DOUBLE ? " The value must follow IEEE Standard 754 for floating-point." : "");
}

int64_t ingest_unit_ns(int unit)
{
    switch (unit) {
    case MODEL_TIME_UNIT_SECONDS:
        return MR_NS_PER_S;
    case MODEL_TIME_UNIT_MICROSECONDS:
        return MR_NS_PER_US;
    case MODEL_TIME_UNIT_NANOSECONDS:
        return 1;
    default:
        return MR_NS_PER_MS;
    }
}

/* A count of units since the epoch as nanoseconds; false outside 0 .. 2^63-1. */
static bool scale(struct mr_str text, int64_t unit_ns, int64_t *ns)
{
    int64_t units;
    return mr_str_to_i64(text, &units) && units >= 0 && !__builtin_mul_overflow(units, unit_ns, ns);
}

int ingest_parse_time(struct ingest_work *w, struct mr_str text, int64_t unit_ns, int64_t *ns)
{
    if (text.ptr == NULL || !scale(text, unit_ns, ns))
        return model_fail(w->fault, MODEL_VALIDATION, w->arena, "Invalid time for record.");
    return MR_OK;
}

static bool parse_boolean(struct mr_str text, bool *out)
{
    *out = mr_str_ieq(text, MR_STR("true"));
    return *out || mr_str_ieq(text, MR_STR("false"));
}

int ingest_parse_value(struct ingest_work *w, enum store_type type, struct mr_str text, int64_t unit_ns,
                       struct store_value *out)
{
    out->type = type;
    switch (type) {
    case STORE_DOUBLE:
        return json_parse_double(text, &out->f64) ? MR_OK : invalid(w, type, text);
    case STORE_BIGINT:
        return mr_str_to_i64(text, &out->i64) ? MR_OK : invalid(w, type, text);
    case STORE_BOOLEAN:
        return parse_boolean(text, &out->boolean) ? MR_OK : invalid(w, type, text);
    case STORE_TIMESTAMP:
        return scale(text, unit_ns, &out->i64) ? MR_OK : invalid(w, type, text);
    case STORE_VARCHAR:
        if (text.len == 0 || text.len > INGEST_MAX_VALUE)
            return model_fail(
                w->fault, MODEL_VALIDATION, w->arena,
                "Invalid value for varchar measure value type. A varchar value must have 1 to %d bytes.",
                INGEST_MAX_VALUE);
        out->str = text;
        return MR_OK;
    default:
        return invalid(w, type, text);
    }
}
