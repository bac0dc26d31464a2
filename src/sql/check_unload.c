/* sql/check_unload.c - UNLOAD: where to, and its options (query-language reference 4.9). */
#include "sql/bound.h"

#define MB ((uint64_t)1 << 20)
#define MIN_FILE (16 * MB)
#define MAX_FILE (78 * 1024 * MB)

struct unload {
    struct sql_context *cx;
    const struct bound_query *q;
    struct sql_unload *out;
    bool csv_only; /* an option was given that only CSV has */
    uint32_t csv_pos;
};

static bool bad_value(const struct unload *u, const struct ast_option *o, const char *expected)
{
    return sql_fail(u->cx, o->value->pos, "Invalid value for UNLOAD option " MR_STR_FMT ": expected %s",
                    MR_STR_ARG(o->name), expected);
}

static bool need_text(const struct unload *u, const struct ast_option *o)
{
    return o->value->kind == AST_STRING || bad_value(u, o, "a string");
}

/* One of two words, in this spelling; *out says whether it is the second. */
static bool one_of(const struct unload *u, const struct ast_option *o, const char *first, const char *second,
                   bool *out)
{
    struct mr_str text = o->value->text;
    if (!need_text(u, o))
        return false;
    *out = mr_str_eq(text, mr_str_of(second));
    if (*out || mr_str_eq(text, mr_str_of(first)))
        return true;
    return sql_fail(u->cx, o->value->pos,
                    "Invalid value for UNLOAD option " MR_STR_FMT ": expected '%s' or '%s'",
                    MR_STR_ARG(o->name), first, second);
}

static bool character(struct unload *u, const struct ast_option *o, char *out)
{
    if (!need_text(u, o))
        return false;
    if (o->value->text.len != 1 || (unsigned char)o->value->text.ptr[0] >= 0x80)
        return bad_value(u, o, "one ASCII character");
    *out = o->value->text.ptr[0];
    u->csv_only = true;
    u->csv_pos = o->pos;
    return true;
}

/* '24.7MB', '0.5GB': 16 MB to 78 GB */
static bool file_size(const struct unload *u, const struct ast_option *o)
{
    static const char expected[] = "a size from '16MB' to '78GB'";
    if (!need_text(u, o))
        return false;
    struct mr_str s = o->value->text;
    struct mr_str unit = mr_str_slice(s, s.len < 2 ? 0 : s.len - 2, s.len);
    bool gigabytes = mr_str_eq(unit, MR_STR("GB"));
    if (!gigabytes && !mr_str_eq(unit, MR_STR("MB")))
        return bad_value(u, o, expected);
    double value = 0, scale = 1;
    size_t digits = 0;
    bool point = false;
    for (size_t i = 0; i + 2 < s.len; i++) {
        if (s.ptr[i] == '.' && !point && digits > 0) {
            point = true;
        } else if (s.ptr[i] >= '0' && s.ptr[i] <= '9' && ++digits <= 15) {
            value = value * 10 + (s.ptr[i] - '0');
            scale *= point ? 10 : 1;
        } else {
            return bad_value(u, o, expected);
        }
    }
    value = value / scale * (double)(gigabytes ? 1024 * MB : MB);
    if (digits == 0 || value < (double)MIN_FILE || value > (double)MAX_FILE)
        return bad_value(u, o, expected);
    u->out->max_file_size = (uint64_t)value;
    return true;
}

/* ARRAY['a', 'b']: the last columns of the query, in their order */
static bool partitions(const struct unload *u, const struct ast_option *o)
{
    const struct ast_expr *a = o->value;
    const struct bound_query *q = u->q;
    if (a->kind != AST_ARRAY || a->nitems == 0)
        return bad_value(u, o, "an array of column names");
    if (a->nitems >= q->noutputs)
        return sql_fail(u->cx, a->pos, "UNLOAD must have a column that is not in partitioned_by");
    for (size_t i = 0; i < a->nitems; i++) {
        const struct ast_expr *name = a->items[i];
        if (name->kind != AST_STRING)
            return bad_value(u, o, "an array of column names");
        if (!mr_str_eq(name->text, q->outputs[q->noutputs - a->nitems + i].name))
            return sql_fail(u->cx, name->pos,
                            "Columns in partitioned_by must be the last columns of the query in the same "
                            "order: '" MR_STR_FMT "'",
                            MR_STR_ARG(name->text));
    }
    u->out->npartitions = a->nitems;
    return true;
}

static bool check_option(struct unload *u, const struct ast_option *o)
{
    struct sql_unload *out = u->out;
    bool other;
    if (mr_str_ieq(o->name, MR_STR("partitioned_by")))
        return partitions(u, o);
    if (mr_str_ieq(o->name, MR_STR("format")))
        return one_of(u, o, "CSV", "PARQUET", &out->parquet);
    if (mr_str_ieq(o->name, MR_STR("compression"))) {
        if (!one_of(u, o, "GZIP", "NONE", &other))
            return false;
        out->gzip = !other;
        return true;
    }
    if (mr_str_ieq(o->name, MR_STR("encryption")))
        return one_of(u, o, "SSE_S3", "SSE_KMS", &out->kms);
    if (mr_str_ieq(o->name, MR_STR("kms_key"))) {
        out->kms_key = o->value->text;
        return need_text(u, o);
    }
    if (mr_str_ieq(o->name, MR_STR("field_delimiter")))
        return character(u, o, &out->delimiter);
    if (mr_str_ieq(o->name, MR_STR("escaped_by")))
        return character(u, o, &out->escape);
    if (mr_str_ieq(o->name, MR_STR("include_header"))) {
        u->csv_only = true;
        u->csv_pos = o->pos;
        return one_of(u, o, "false", "true", &out->header);
    }
    if (mr_str_ieq(o->name, MR_STR("max_file_size")))
        return file_size(u, o);
    return sql_fail(u->cx, o->pos, "Unknown UNLOAD option: " MR_STR_FMT, MR_STR_ARG(o->name));
}

static bool check_options(struct unload *u, const struct ast_statement *s)
{
    for (size_t i = 0; i < s->noptions; i++) {
        for (size_t k = 0; k < i; k++) {
            if (mr_str_ieq(s->options[k]->name, s->options[i]->name))
                return sql_fail(u->cx, s->options[i]->pos, "UNLOAD option " MR_STR_FMT " is given twice",
                                MR_STR_ARG(s->options[i]->name));
        }
        if (!check_option(u, s->options[i]))
            return false;
    }
    if (u->csv_only && u->out->parquet)
        return sql_fail(u->cx, u->csv_pos,
                        "field_delimiter, escaped_by and include_header are options of CSV");
    if (u->out->kms_key.ptr != NULL && !u->out->kms)
        return sql_fail(u->cx, s->pos, "kms_key needs encryption = 'SSE_KMS'");
    return true;
}

/* 's3://bucket/folder' */
static bool check_place(struct unload *u, const struct ast_statement *s)
{
    static const struct mr_str scheme = {"s3://", 5};
    size_t slash = mr_str_find(s->to, '/', scheme.len);
    if (!mr_str_starts(s->to, scheme) || slash == scheme.len || s->to.len == scheme.len)
        return sql_fail(u->cx, s->pos, "UNLOAD must write to 's3://bucket/folder'");
    u->out->bucket = mr_str_slice(s->to, scheme.len, slash);
    u->out->prefix = mr_str_slice(s->to, slash + 1, s->to.len);
    return true;
}

bool check_unload(struct sql_context *cx, const struct ast_statement *s, const struct bound_query *q,
                  struct sql_plan *plan)
{
    struct unload u = {.cx = cx, .q = q, .out = SQL_NEW(cx, struct sql_unload)};
    if (u.out == NULL)
        return false;
    *u.out = (struct sql_unload){.gzip = true, .delimiter = ',', .escape = '\\', .max_file_size = MAX_FILE};
    for (size_t i = 0; i < q->noutputs; i++) {
        enum sql_kind k = q->outputs[i].type->kind;
        if (k == SQL_TIME || k == SQL_UNKNOWN) {
            struct mr_str type = check_type_text(cx, q->outputs[i].type);
            return sql_fail(cx, s->pos, "Column '" MR_STR_FMT "' of type " MR_STR_FMT " cannot be unloaded",
                            MR_STR_ARG(q->outputs[i].name), MR_STR_ARG(type));
        }
    }
    plan->unload = u.out;
    return check_place(&u, s) && check_options(&u, s);
}
