/* The tables as JSON, for tools that compare them with other descriptions of the API. */
#include "json/write.h"
#include "model/table.h"

static void field(struct mr_buf *out, const char *name, struct mr_str value)
{
    mr_buf_printf(out, "\"%s\":", name);
    json_write_string(out, value);
    mr_buf_char(out, ',');
}

static void number(struct mr_buf *out, const char *name, int64_t value)
{
    if (value == INT64_MIN || value == INT64_MAX)
        return;
    mr_buf_printf(out, "\"%s\":", name);
    json_write_i64(out, value);
    mr_buf_char(out, ',');
}

static void close(struct mr_buf *out, char bracket)
{
    if (out->len != 0 && out->ptr[out->len - 1] == ',')
        out->len--;
    mr_buf_char(out, bracket);
    mr_buf_char(out, ',');
}

static void dump_member(struct mr_buf *out, const struct model_member *m)
{
    static const char *const kinds[] = {
        [MODEL_KIND_TEXT] = "string",     [MODEL_KIND_NAME] = "name",       [MODEL_KIND_LONG] = "long",
        [MODEL_KIND_INTEGER] = "integer", [MODEL_KIND_BOOLEAN] = "boolean", [MODEL_KIND_DOUBLE] = "double",
        [MODEL_KIND_TIME] = "timestamp",  [MODEL_KIND_ENUM] = "enum",       [MODEL_KIND_STRUCT] = "structure",
        [MODEL_KIND_LIST] = "list",       [MODEL_KIND_TEXTS] = "strings",
    };
    mr_buf_char(out, '{');
    field(out, "name", m->name);
    field(out, "kind", mr_str_of(kinds[m->kind]));
    number(out, "required", m->required);
    number(out, "min", m->min);
    number(out, "max", m->max);
    if (m->kind == MODEL_KIND_TEXTS) {
        number(out, "each_min", m->each_min);
        number(out, "each_max", m->each_max);
    }
    if (m->pattern != MODEL_PATTERN_NONE)
        field(out, "pattern", mr_str_of(model_pattern_text(m->pattern)));
    if (m->shape != NULL)
        field(out, "shape", m->shape->c_name);
    if (m->words != NULL)
        field(out, "enum", m->words->c_name);
    close(out, '}');
}

static void dump_shape(struct mr_buf *out, const struct model_shape *shape)
{
    mr_buf_char(out, '{');
    field(out, "name", shape->name);
    field(out, "id", shape->c_name);
    number(out, "api", shape->api);
    mr_buf_str(out, MR_STR("\"members\":["));
    for (uint32_t i = 0; i < shape->index->count; i++)
        dump_member(out, &shape->index->members[i]);
    close(out, ']');
    close(out, '}');
}

static void dump_enum(struct mr_buf *out, const struct model_enum *words)
{
    mr_buf_char(out, '{');
    field(out, "name", words->name);
    field(out, "id", words->c_name);
    number(out, "api", words->api);
    mr_buf_str(out, MR_STR("\"words\":["));
    for (int i = 0; i < words->count; i++) {
        json_write_string(out, words->words[i]);
        mr_buf_char(out, ',');
    }
    close(out, ']');
    close(out, '}');
}

static void dump_operation(struct mr_buf *out, const struct model_operation *op)
{
    mr_buf_char(out, '{');
    field(out, "name", op->name);
    number(out, "api", op->api);
    field(out, "input", op->input->c_name);
    field(out, "output", op->output->c_name);
    mr_buf_str(out, MR_STR("\"errors\":["));
    for (unsigned e = 1; e < MODEL_ERROR_COUNT; e++)
        if (op->errors & 1u << e) {
            json_write_string(out, mr_str_of(model_error_info((enum model_error)e)->name));
            mr_buf_char(out, ',');
        }
    close(out, ']');
    close(out, '}');
}

void model_reference_json(struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("{\"operations\":["));
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        dump_operation(out, model_operation((enum model_op)op));
    close(out, ']');
    mr_buf_str(out, MR_STR("\"shapes\":["));
    for (size_t i = 0; i < model_shape_count; i++)
        dump_shape(out, model_shapes[i]);
    close(out, ']');
    mr_buf_str(out, MR_STR("\"enums\":["));
    for (size_t i = 0; i < model_enum_count; i++)
        dump_enum(out, model_enums[i]);
    close(out, ']');
    close(out, '}');
    if (mr_buf_ok(out))
        out->ptr[out->len - 1] = '\n'; /* where close() left its comma */
}
