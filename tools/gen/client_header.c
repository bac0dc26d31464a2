/* tools/gen/client_header.c - keeps the generated section of include/millrace.h in step with src/model.
 *
 *   mr_client_header include/millrace.h            rewrites the section
 *   mr_client_header --check include/millrace.h    exit status 1 when the section is not what the model says
 *
 * The structs of the header have the layout of those in model/model.h, so that client and model share them
 * without copying; client/layout.c asserts it.
 */
#include <stdio.h>

#include "base/io.h"
#include "model/table.h"

#define BEGIN "/* begin generated */\n"
#define END "/* end generated */\n"

static struct mr_buf out = MR_BUF_INIT;

/* ---- what stands behind a member ---- */

static void bounds(const struct model_member *m, const char *unit)
{
    int64_t none_low = unit[0] != '\0' ? 0 : INT64_MIN;
    if (m->min > none_low && m->max != INT64_MAX && m->min == m->max)
        mr_buf_printf(&out, ", %lld%s", (long long)m->min, unit);
    else if (m->min > none_low && m->max != INT64_MAX)
        mr_buf_printf(&out, ", %lld to %lld%s", (long long)m->min, (long long)m->max, unit);
    else if (m->min > none_low)
        mr_buf_printf(&out, ", at least %lld%s", (long long)m->min, unit);
    else if (m->max != INT64_MAX)
        mr_buf_printf(&out, ", at most %lld%s", (long long)m->max, unit);
}

static void note(const struct model_shape *shape, const char *name)
{
    const struct model_member *m = model_member_find(shape->index, mr_str_of(name));
    MR_ASSERT(m != NULL);
    mr_buf_printf(&out, " /* %s", name);
    if (m->required)
        mr_buf_str(&out, MR_STR(", required"));
    switch (m->kind) {
    case MODEL_KIND_TEXT:
        bounds(m, " characters");
        break;
    case MODEL_KIND_NAME:
        bounds(m, " bytes");
        break;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        bounds(m, "");
        break;
    case MODEL_KIND_LIST:
    case MODEL_KIND_TEXTS:
        bounds(m, " elements");
        break;
    default:
        break;
    }
    if (m->otherwise[0] != '\0')
        mr_buf_printf(&out, "; absent: %s", m->otherwise);
    mr_buf_str(&out, MR_STR(" */\n"));
}

/* ---- enumerations and shapes ---- */

/* clang-format off */
static void enumerations(void)
{
#define ENUMERATION(c, wire, api, prefix) \
    mr_buf_printf(&out, "enum mr_%s {\n    MR_%s_ABSENT = 0,\n", #c, #prefix); \
    { int value = 1;
#define VALUE(prefix, word) mr_buf_printf(&out, "    MR_%s_%s = %d,\n", #prefix, #word, value++);
#define ENUMERATION_END(c) (void)value; } mr_buf_str(&out, MR_STR("};\n\n"));
#include "model/enums.def"
}

/* Shapes without members have no struct, nor have those that only help to read errors. */
static bool shown(const struct model_shape *shape)
{
    return shape->index->count > 0 && shape != &model_shape_rejected_records && shape != &model_shape_scheduled_query_not_found;
}

static void shapes(void)
{
#define SHAPE(c, wire, api) \
    if (shown(&model_shape_##c)) \
        mr_buf_printf(&out, "struct mr_%s;\nstruct mr_%s_list { struct mr_%s *at; size_t len; bool set; };\n", #c, #c, #c);
#include "model/shapes.def"
    mr_buf_str(&out, MR_STR("\n"));
#define FIELD(type, f, wire) mr_buf_printf(&out, "    %s%s%s;", type, type[strlen(type) - 1] == '*' ? "" : " ", #f); note(shape, #wire);
#define SHAPE(c, wire, api) \
    if (shown(&model_shape_##c)) { \
        const struct model_shape *shape = &model_shape_##c; \
        mr_buf_printf(&out, "struct mr_%s {\n", #c);
#define TEXT(f, wire, ...) FIELD("struct mr_text", f, wire)
#define NAME(f, wire, ...) FIELD("struct mr_text", f, wire)
#define LONG(f, wire, ...) FIELD("struct mr_int", f, wire)
#define INTEGER(f, wire, ...) FIELD("struct mr_int", f, wire)
#define BOOLEAN(f, wire, ...) FIELD("struct mr_bool", f, wire)
#define DOUBLE(f, wire, ...) FIELD("struct mr_double", f, wire)
#define TIME(f, wire, ...) FIELD("struct mr_double", f, wire)
#define ENUM(f, wire, need, e, ...) FIELD("enum mr_" #e, f, wire)
#define STRUCT(f, wire, need, c, ...) FIELD("struct mr_" #c " *", f, wire)
#define LIST(f, wire, need, min, max, c, ...) FIELD("struct mr_" #c "_list", f, wire)
#define TEXTS(f, wire, ...) FIELD("struct mr_texts", f, wire)
#define SHAPE_END(c) (void)shape; mr_buf_str(&out, MR_STR("};\n\n")); }
#include "model/shapes.def"
}
/* clang-format on */

/* ---- operations ---- */

/* "create_database" of create_database_request. */
static struct mr_str function_name(const struct model_operation *op)
{
    return mr_str_slice(op->input->c_name, 0, op->input->c_name.len - strlen("_request"));
}

static void function(const struct model_operation *op, const char *prefix)
{
    mr_buf_printf(&out, "/* %s: %s */\nMR_API int mr_%s" MR_STR_FMT "(struct mr_client *client", op->name.ptr,
                  op->summary, prefix, MR_STR_ARG(function_name(op)));
    if (op->input->index->count > 0)
        mr_buf_printf(&out, ", const struct mr_%s *request", op->input->c_name.ptr);
    if (op->output->index->count > 0)
        mr_buf_printf(&out, ", struct mr_%s **response", op->output->c_name.ptr);
    mr_buf_str(&out, MR_STR(", struct mr_fault *fault);\n"));
}

static void operations(void)
{
    mr_buf_str(&out, MR_STR("/* New operations get new numbers; a number never changes. */\n"
                            "enum mr_operation {\n    MR_OP_NONE = 0,\n"));
    int number = 1;
#define OPERATION(name, ...) mr_buf_printf(&out, "    MR_OP_%s = %d,\n", #name, number++);
#include "model/operations.def"
    number = 101;
#define OPERATION(name, wire, in, ...)                                                                       \
    if (MODEL_API_##in == MODEL_API_BOTH)                                                                    \
        mr_buf_printf(&out, "    MR_OP_QUERY_%s = %d, /* at the Query API */\n", #name, number++);
#include "model/operations.def"
    mr_buf_str(&out, MR_STR("};\n\n/* The Write API. */\n"));
    for (enum model_op op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        if (model_operation(op)->api & MODEL_API_WRITE)
            function(model_operation(op), "");
    mr_buf_str(&out, MR_STR("\n/* The Query API. */\n"));
    for (enum model_op op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        if (model_operation(op)->api & MODEL_API_QUERY)
            function(model_operation(op), model_operation(op)->api == MODEL_API_BOTH ? "query_" : "");
}

static size_t position(struct mr_str text, const char *mark)
{
    const char *at = memmem(text.ptr, text.len, mark, strlen(mark));
    return at != NULL ? (size_t)(at - text.ptr) : text.len;
}

int main(int argc, char **argv)
{
    bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 && !check) {
        fputs("usage: mr_client_header [--check] include/millrace.h\n", stderr);
        return 2;
    }
    const char *path = argv[argc - 1];
    struct mr_buf old = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    if (mr_io_read_file(&mr_io_posix, path, 16 << 20, &old, &err) != MR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    struct mr_str text = mr_buf_view(&old);
    size_t begin = position(text, BEGIN), end = position(text, END);
    if (begin >= end || end == text.len) {
        fprintf(stderr, "%s: no generated section\n", path);
        return 2;
    }
    mr_buf_str(&out, mr_str_slice(text, 0, begin + strlen(BEGIN)));
    mr_buf_str(&out, MR_STR("/* clang-format off */\n"));
    enumerations();
    shapes();
    operations();
    mr_buf_str(&out, MR_STR("/* clang-format on */\n"));
    mr_buf_str(&out, mr_str_slice(text, end, text.len));
    int failed = 0;
    if (check && !mr_str_eq(mr_buf_view(&out), text)) {
        fprintf(stderr, "%s is not what src/model says; run mr_client_header %s\n", path, path);
        failed = 1;
    } else if (!check) {
        FILE *file = fopen(path, "w");
        failed = file == NULL || fwrite(out.ptr, 1, out.len, file) != out.len || fclose(file) != 0;
    }
    mr_buf_release(&old);
    mr_buf_release(&out);
    return failed;
}
