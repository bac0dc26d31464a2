/* docs/api.md, printed from the tables. */
#include <inttypes.h>

#include "model/table.h"

static void write(struct mr_buf *out, const char *text)
{
    mr_buf_str(out, mr_str_of(text));
}

static const char *api_name(enum model_api api)
{
    switch (api) {
    case MODEL_API_WRITE:
        return "Write";
    case MODEL_API_QUERY:
        return "Query";
    default:
        return "Write and Query";
    }
}

/* ---- names and links ---- */

/* The heading of a shape or an enum; where both APIs use a name for different things, Query's says so. */
static void write_title(struct mr_buf *out, struct mr_str name, struct mr_str c_name)
{
    mr_buf_str(out, name);
    if (mr_str_starts(c_name, MR_STR("query_")) && !mr_str_starts(name, MR_STR("Query")))
        write(out, " (Query)");
}

static void write_link(struct mr_buf *out, struct mr_str name, struct mr_str c_name)
{
    struct mr_buf title = MR_BUF_INIT;
    write_title(&title, name, c_name);
    mr_buf_printf(out, "[" MR_STR_FMT "](#", MR_STR_ARG(mr_buf_view(&title)));
    for (size_t i = 0; i < title.len; i++) {
        char c = title.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != '(' && c != ')')
            mr_buf_char(out, c == ' ' ? '-' : c);
    }
    mr_buf_char(out, ')');
    out->failed = out->failed || title.failed;
    mr_buf_release(&title);
}

/* ---- members ---- */

static void write_type(struct mr_buf *out, const struct model_member *m)
{
    static const char *const plain[] = {
        [MODEL_KIND_TEXT] = "string",     [MODEL_KIND_NAME] = "string",
        [MODEL_KIND_LONG] = "long",       [MODEL_KIND_INTEGER] = "integer",
        [MODEL_KIND_BOOLEAN] = "boolean", [MODEL_KIND_DOUBLE] = "double",
        [MODEL_KIND_TIME] = "timestamp",  [MODEL_KIND_TEXTS] = "list of string",
    };
    switch (m->kind) {
    case MODEL_KIND_ENUM:
        write_link(out, m->words->name, m->words->c_name);
        break;
    case MODEL_KIND_STRUCT:
        write_link(out, m->shape->name, m->shape->c_name);
        break;
    case MODEL_KIND_LIST:
        write(out, "list of ");
        write_link(out, m->shape->name, m->shape->c_name);
        break;
    default:
        write(out, plain[m->kind]);
        break;
    }
}

static void write_bounds(struct mr_buf *out, int64_t min, int64_t max, const char *unit)
{
    bool low = min != INT64_MIN && (min != 0 || max != INT64_MAX), high = max != INT64_MAX;
    if (low && high && min == max)
        mr_buf_printf(out, "%" PRId64 "%s", min, unit);
    else if (low && high)
        mr_buf_printf(out, "%" PRId64 " to %" PRId64 "%s", min, max, unit);
    else if (low)
        mr_buf_printf(out, "at least %" PRId64 "%s", min, unit);
    else if (high)
        mr_buf_printf(out, "at most %" PRId64 "%s", max, unit);
}

/* Patterns hold '|', which ends a table cell. */
static void write_pattern(struct mr_buf *out, const char *text)
{
    write(out, "`");
    for (; *text != '\0'; text++) {
        if (*text == '|')
            mr_buf_char(out, '\\');
        mr_buf_char(out, *text);
    }
    write(out, "`");
}

static void write_constraints(struct mr_buf *out, const struct model_member *m)
{
    size_t before = out->len;
    switch (m->kind) {
    case MODEL_KIND_TEXT:
        write_bounds(out, m->min, m->max, " characters");
        break;
    case MODEL_KIND_NAME:
        write_bounds(out, m->min, m->max, " bytes");
        break;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        write_bounds(out, m->min, m->max, "");
        break;
    case MODEL_KIND_LIST:
    case MODEL_KIND_TEXTS:
        write_bounds(out, m->min, m->max, " elements");
        break;
    default:
        break;
    }
    if (m->kind == MODEL_KIND_TEXTS && (m->each_min != 0 || m->each_max != INT64_MAX)) {
        write(out, out->len != before ? ", each " : "each ");
        write_bounds(out, m->each_min, m->each_max, " characters");
    }
    if (m->pattern != MODEL_PATTERN_NONE) {
        write(out, out->len != before ? ", " : "");
        write_pattern(out, model_pattern_text(m->pattern));
    }
}

static void write_members(struct mr_buf *out, const struct model_shape *shape)
{
    write(out, "| member | type | required | constraints | when absent |\n| --- | --- | --- | --- | --- |\n");
    for (uint32_t i = 0; i < shape->index->count; i++) {
        const struct model_member *m = &shape->index->members[i];
        mr_buf_printf(out, "| %s | ", m->name.ptr);
        write_type(out, m);
        mr_buf_printf(out, " | %s | ", m->required ? "yes" : "");
        write_constraints(out, m);
        mr_buf_printf(out, " | %s |\n", m->otherwise);
    }
    write(out, "\n");
}

/* ---- sections ---- */

static void write_errors(struct mr_buf *out, uint32_t errors)
{
    write(out, "Errors:");
    const char *comma = " ";
    for (unsigned e = 1; e < MODEL_ERROR_COUNT; e++)
        if (errors & 1u << e) {
            mr_buf_printf(out, "%s%s", comma, model_error_info((enum model_error)e)->name);
            comma = ", ";
        }
    write(out, ".\n\n");
}

static void write_operation(struct mr_buf *out, const struct model_operation *op)
{
    mr_buf_printf(out, "### %s\n\n%s Part of %s.\n\n", op->name.ptr, op->summary, api_name(op->api));
    if (op->input->index->count != 0) {
        write(out, "Request:\n\n");
        write_members(out, op->input);
    } else {
        write(out, "Request: `{}`.\n\n");
    }
    if (op->output->index->count != 0) {
        write(out, "Answer:\n\n");
        write_members(out, op->output);
    } else {
        write(out, "Answer: `{}`.\n\n");
    }
    write_errors(out, op->errors);
}

/* Whether the shape is an operation's own and was shown there. */
static bool shown_with_operation(const struct model_shape *shape)
{
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        if (model_operation((enum model_op)op)->input == shape ||
            model_operation((enum model_op)op)->output == shape)
            return true;
    return false;
}

static void write_head(struct mr_buf *out)
{
    write(out,
          "# The API\n\n"
          "Printed from the tables in `src/model` by `mr_api_reference`; a test holds the two together. "
          "Do not\n"
          "edit this page. What of it is not built yet stands in [compatibility.md](compatibility.md).\n\n"
          "Every operation is `POST /` with the header `X-Amz-Target: " MODEL_TARGET_PREFIX
          "<Operation>` and a JSON body.\n"
          "Unknown members are ignored, `null` is the same as absent, and of a member that comes twice "
          "the last\n"
          "one counts. A timestamp is a number: seconds since the epoch, with up to three decimals in "
          "answers.\n"
          "A request that breaks a constraint gets a ValidationException that lists what is wrong; that "
          "and the\n"
          "errors at the foot of this page can meet every operation and are not repeated.\n\n"
          "| operation | API | what it does |\n| --- | --- | --- |\n");
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++) {
        const struct model_operation *o = model_operation((enum model_op)op);
        write(out, "| ");
        write_link(out, o->name, MR_STR(""));
        mr_buf_printf(out, " | %s | %s |\n", api_name(o->api), o->summary);
    }
    write(out, "\n");
}

static void write_error_table(struct mr_buf *out)
{
    write(out, "## Errors\n\nThe body is `{\"__type\":\"<namespace>#<name>\",\"message\":\"...\"}`.\n\n"
               "| name | status | namespace |\n| --- | --- | --- |\n");
    for (unsigned e = 1; e < MODEL_ERROR_COUNT; e++) {
        const struct model_error_info *info = model_error_info((enum model_error)e);
        mr_buf_printf(out, "| %s | %u | `%s` |\n", info->name, info->status, info->namespace_);
    }
}

void model_reference_markdown(struct mr_buf *out)
{
    write_head(out);
    write(out, "## Operations\n\n");
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        write_operation(out, model_operation((enum model_op)op));
    write(out, "## Shapes\n\n");
    for (size_t i = 0; i < model_shape_count; i++) {
        const struct model_shape *shape = model_shapes[i];
        if (shape->index->count == 0 || shown_with_operation(shape))
            continue;
        write(out, "### ");
        write_title(out, shape->name, shape->c_name);
        write(out, "\n\n");
        write_members(out, shape);
    }
    write(out, "## Words\n\n");
    for (size_t i = 0; i < model_enum_count; i++) {
        const struct model_enum *words = model_enums[i];
        write(out, "### ");
        write_title(out, words->name, words->c_name);
        write(out, "\n\n");
        for (int k = 0; k < words->count; k++)
            mr_buf_printf(out, "%s`%s`", k != 0 ? ", " : "", words->words[k].ptr);
        write(out, "\n\n");
    }
    write_error_table(out);
}
