#include "sample.h"

#include <inttypes.h>

void sample_text(struct mr_buf *out, const struct model_member *m, size_t length)
{
    for (size_t i = 0; i < length; i++)
        mr_buf_char(out, m->pattern == MODEL_PATTERN_TASK_ID ? 'A' : 'a');
}

static void text(struct mr_buf *out, const struct model_member *m, int64_t min)
{
    mr_buf_char(out, '"');
    sample_text(out, m, min > 4 ? (size_t)min : 4 > m->max ? (size_t)m->max : 4);
    mr_buf_char(out, '"');
}

void sample_value(struct mr_buf *out, const struct model_member *m, int depth)
{
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        text(out, m, m->min);
        break;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        mr_buf_printf(out, "%" PRId64,
                      m->max != INT64_MAX          ? m->max
                      : m->kind == MODEL_KIND_LONG ? INT64_MAX
                                                   : INT32_MAX);
        break;
    case MODEL_KIND_BOOLEAN:
        mr_buf_printf(out, "true");
        break;
    case MODEL_KIND_DOUBLE:
        mr_buf_printf(out, "0.25");
        break;
    case MODEL_KIND_TIME:
        mr_buf_printf(out, "1690000000.125");
        break;
    case MODEL_KIND_ENUM:
        mr_buf_printf(out, "\"%s\"", m->words->words[m->words->count - 1].ptr);
        break;
    case MODEL_KIND_STRUCT:
        sample_object(out, m->shape, depth - 1);
        break;
    case MODEL_KIND_LIST:
        mr_buf_char(out, '[');
        sample_object(out, m->shape, depth - 1);
        mr_buf_char(out, ',');
        sample_object(out, m->shape, depth - 1);
        mr_buf_char(out, ']');
        break;
    case MODEL_KIND_TEXTS:
        mr_buf_printf(out, "[\"one\",\"two\"]");
        break;
    }
}

/* Below the depth only what has to be there. */
void sample_object(struct mr_buf *out, const struct model_shape *shape, int depth)
{
    mr_buf_char(out, '{');
    bool first = true;
    for (uint32_t i = 0; i < shape->index->count; i++) {
        const struct model_member *m = &shape->index->members[i];
        if (depth <= 0 && !m->required)
            continue;
        mr_buf_printf(out, "%s\"%s\":", first ? "" : ",", m->name.ptr);
        sample_value(out, m, depth);
        first = false;
    }
    mr_buf_char(out, '}');
}
