#include <math.h>

#include "json/write.h"
#include "model/table.h"

static void encode_members(const struct model_shape *shape, const void *value, struct mr_buf *out);

/* Seconds since the epoch in milliseconds, as AWS prints them: 1677167593.266, without trailing zeros. The
 * detour over an integer keeps the noise of binary fractions out. */
static void write_time(struct mr_buf *out, double seconds)
{
    double ms = seconds * 1000;
    if (!(fabs(ms) < 9e15)) { /* beyond any calendar, or NaN */
        json_write_double(out, seconds);
        return;
    }
    int64_t whole = llround(ms);
    uint64_t size = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
    if (whole < 0)
        mr_buf_char(out, '-');
    json_write_i64(out, (int64_t)(size / 1000));
    unsigned rest = (unsigned)(size % 1000);
    char digits[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    size_t n = sizeof digits;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (n > 1)
        mr_buf_add(out, digits, n);
}

static void write_double(struct mr_buf *out, double v)
{
    if (isfinite(v)) {
        json_write_java_double(out, v);
        return;
    }
    mr_buf_char(out, '"'); /* AWS JSON has words for them */
    json_write_java_double(out, v);
    mr_buf_char(out, '"');
}

static void write_object(const struct model_shape *shape, const void *value, struct mr_buf *out)
{
    mr_buf_char(out, '{');
    encode_members(shape, value, out);
    mr_buf_char(out, '}');
}

static void write_list(const struct model_shape *shape, const struct model_any_list *list, struct mr_buf *out)
{
    mr_buf_char(out, '[');
    for (size_t i = 0; i < list->len; i++) {
        if (i != 0)
            mr_buf_char(out, ',');
        write_object(shape, (const char *)list->at + i * shape->size, out);
    }
    mr_buf_char(out, ']');
}

static void write_texts(const struct model_texts *list, struct mr_buf *out)
{
    mr_buf_char(out, '[');
    for (size_t i = 0; i < list->len; i++) {
        if (i != 0)
            mr_buf_char(out, ',');
        json_write_string(out, list->at[i]);
    }
    mr_buf_char(out, ']');
}

static void write_value(const struct model_member *m, const void *field, struct mr_buf *out)
{
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        json_write_string(out, *(const struct mr_str *)field);
        break;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        json_write_i64(out, ((const struct model_i64 *)field)->v);
        break;
    case MODEL_KIND_BOOLEAN:
        mr_buf_str(out, ((const struct model_bool *)field)->v ? MR_STR("true") : MR_STR("false"));
        break;
    case MODEL_KIND_DOUBLE:
        write_double(out, ((const struct model_f64 *)field)->v);
        break;
    case MODEL_KIND_TIME:
        write_time(out, ((const struct model_f64 *)field)->v);
        break;
    case MODEL_KIND_ENUM:
        MR_ASSERT(model_enum_word(m->words, *(const int *)field).ptr != NULL);
        json_write_string(out, model_enum_word(m->words, *(const int *)field));
        break;
    case MODEL_KIND_STRUCT:
        write_object(m->shape, *(void *const *)field, out);
        break;
    case MODEL_KIND_LIST:
        write_list(m->shape, field, out);
        break;
    case MODEL_KIND_TEXTS:
        write_texts(field, out);
        break;
    }
}

static void encode_members(const struct model_shape *shape, const void *value, struct mr_buf *out)
{
    bool first = true;
    for (uint32_t i = 0; i < shape->index->count; i++) {
        const struct model_member *m = &shape->index->members[i];
        const void *field = (const char *)value + m->offset;
        if (!model_is_set(m, field))
            continue;
        mr_buf_str(out, first ? MR_STR("\"") : MR_STR(",\""));
        mr_buf_str(out, m->name);
        mr_buf_str(out, MR_STR("\":"));
        write_value(m, field, out);
        first = false;
    }
}

void model_encode(const struct model_shape *shape, const void *value, struct mr_buf *out)
{
    write_object(shape, value, out);
}

void model_encode_members(const struct model_shape *shape, const void *value, struct mr_buf *out)
{
    encode_members(shape, value, out);
}
