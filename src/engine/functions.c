/* Registers every line of sql/engine_functions.def and runs its kernels. */
#include "engine/fn.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/error.h"

struct spec {
    const char *name;
    enum { SCALAR, VOLATILE, AGGREGATE } kind;
    const char *args, *result;
};

static const struct spec specs[] = {
#define SQL_ENGINE_FN(name, kind, args, result) {#name, kind, args, result},
#include "sql/engine_functions.def"
#undef SQL_ENGINE_FN
};

/* What a registered function carries; lives as long as the database. */
struct registered {
    struct duck *duck;
    const struct fn_impl *scalar; /* NULL for an aggregate */
};

/* ---- types of the list
 * --------------------------------------------------------------------------------------- */

static duckdb_logical_type simple_type(char letter)
{
    switch (letter) {
    case 'b':
        return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case 'i':
        return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    case 'l':
        return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case 'd':
        return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case 's':
        return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case 'u':
        return duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    case 'h':
        return duckdb_create_logical_type(DUCKDB_TYPE_HUGEINT);
    default:
        MR_ASSERT(!"a letter of engine_functions.def");
        return NULL;
    }
}

static duckdb_logical_type list_of(duckdb_logical_type element)
{
    duckdb_logical_type list = duckdb_create_list_type(element);
    duckdb_destroy_logical_type(&element);
    return list;
}

static duckdb_logical_type list_of_pairs(const char *first, duckdb_logical_type a, const char *second,
                                         duckdb_logical_type b)
{
    duckdb_logical_type types[] = {a, b};
    const char *names[] = {first, second};
    duckdb_logical_type pair = duckdb_create_struct_type(types, names, 2);
    duckdb_destroy_logical_type(&types[0]);
    duckdb_destroy_logical_type(&types[1]);
    return list_of(pair);
}

/* Reads one type and moves on. */
static duckdb_logical_type next_type(const char **text)
{
    char c = *(*text)++;

    if (c == 'P')
        return list_of_pairs("t", simple_type('l'), "v", simple_type('d'));
    if (c == 'R')
        return list_of_pairs("lit", simple_type('s'), "groups", list_of(simple_type('s')));
    if (c == '[') {
        duckdb_logical_type list = list_of(simple_type(*(*text)++));
        (*text)++; /* the ] */
        return list;
    }
    return simple_type(c);
}

/* ---- scalar functions
 * ---------------------------------------------------------------------------------------- */

void fn_fail(struct fn_call *call, enum mr_status status, const char *fmt, ...)
{
    struct mr_error err = MR_ERROR_INIT;
    char text[ERROR_TEXT_MAX];
    va_list args;

    if (call->failed)
        return;
    call->failed = true;
    va_start(args, fmt);
    err.status = status;
    vsnprintf(err.text, sizeof(err.text), fmt, args);
    va_end(args);
    duckdb_scalar_function_set_error(call->info, error_marked(text, &err));
}

bool fn_stopped(struct fn_call *call)
{
    if (call->run == NULL || !run_stopped(call->run))
        return false;
    fn_fail(call, MR_ECANCEL, "stopped");
    return true;
}

bool fn_charge_vector(struct fn_call *call, uint64_t bytes)
{
    call->produced += bytes;
    if (call->produced > call->vector_limit) {
        fn_fail(call, MR_ELIMIT, "Computed values exceed the limit of %llu bytes at a time",
                (unsigned long long)call->vector_limit);
        return false;
    }
    return true;
}

bool fn_charge(struct fn_call *call, uint64_t bytes)
{
    if (bytes > call->value_limit) {
        fn_fail(call, MR_ELIMIT, "A computed value exceeds the limit of %llu bytes",
                (unsigned long long)call->value_limit);
        return false;
    }
    return fn_charge_vector(call, bytes);
}

bool fn_put_str(struct fn_call *call, idx_t row, struct mr_str s)
{
    if (!fn_charge(call, s.len))
        return false;
    vector_put_str(call->out, row, s);
    return true;
}

/* Rows with a NULL argument are NULL. Collects the others in `mask` and returns it, or NULL when that is all
 * rows. */
static const uint64_t *propagate_nulls(struct fn_call *call, uint64_t *mask)
{
    size_t words = (call->rows + 63) / 64;
    bool any = false;

    for (idx_t a = 0; a < call->nargs; a++) {
        const uint64_t *valid = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(call->in, a));
        if (valid == NULL)
            continue;
        if (!any)
            memset(mask, 0xFF, words * sizeof(*mask));
        any = true;
        for (size_t w = 0; w < words; w++)
            mask[w] &= valid[w];
    }
    if (!any)
        return NULL;
    duckdb_vector_ensure_validity_writable(call->out);
    memcpy(duckdb_vector_get_validity(call->out), mask, words * sizeof(*mask));
    return mask;
}

static void scalar_main(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    const struct registered *self = duckdb_scalar_function_get_extra_info(info);
    uint64_t mask[2048 / 64];
    struct fn_call call = {
        .info = info,
        .run = duckdb_scalar_function_get_bind_data(info),
        .in = in,
        .out = out,
        .rows = duckdb_data_chunk_get_size(in),
        .nargs = duckdb_data_chunk_get_column_count(in),
        .result = duckdb_vector_get_data(out),
        .value_limit = ENGINE_VALUE_BYTES,
        .vector_limit = ENGINE_VECTOR_BYTES_MAX,
        .scratch = MR_BUF_INIT,
    };
    MR_ASSERT(call.rows <= 2048);
    if (call.run != NULL) {
        call.value_limit = call.run->limits.max_value_bytes;
        call.vector_limit = call.run->engine->vector_bytes;
    }
    for (idx_t a = 0; a < call.nargs && a < FN_ARGS_MAX; a++)
        call.arg[a] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, a));
    if (fn_stopped(&call))
        return;
    call.valid = propagate_nulls(&call, mask);
    self->scalar->kernel(&call);
    if (!mr_buf_ok(&call.scratch))
        fn_fail(&call, MR_ENOMEM, "out of memory");
    mr_buf_release(&call.scratch);
}

static void *same_run(void *run)
{
    return run;
}

static void scalar_bind(duckdb_bind_info info)
{
    const struct registered *self = duckdb_scalar_function_bind_get_extra_info(info);
    duckdb_client_context context;
    duckdb_scalar_function_get_client_context(info, &context);
    duckdb_scalar_function_set_bind_data(info, duck_run_of(self->duck, context), NULL);
    duckdb_scalar_function_set_bind_data_copy(info, same_run);
}

static int register_scalar(struct registered *self, const struct spec *spec, duckdb_connection con)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    const char *p = spec->args, *result = spec->result;

    duckdb_scalar_function_set_name(f, spec->name);
    while (*p != '\0') {
        duckdb_logical_type type = next_type(&p);
        if (*p == '*') {
            p++;
            duckdb_scalar_function_set_varargs(f, type);
        } else {
            duckdb_scalar_function_add_parameter(f, type);
        }
        duckdb_destroy_logical_type(&type);
    }
    duckdb_logical_type type = next_type(&result);
    duckdb_scalar_function_set_return_type(f, type);
    duckdb_destroy_logical_type(&type);
    if (spec->kind == VOLATILE)
        duckdb_scalar_function_set_volatile(f);
    duckdb_scalar_function_set_extra_info(f, self, mr_free);
    duckdb_scalar_function_set_bind(f, scalar_bind);
    duckdb_scalar_function_set_function(f, scalar_main);
    int status = duckdb_register_scalar_function(con, f) == DuckDBSuccess ? MR_OK : MR_EINTERNAL;
    duckdb_destroy_scalar_function(&f);
    return status;
}

/* ---- aggregates
 * ---------------------------------------------------------------------------------------------- */

void agg_fail(duckdb_function_info info, enum mr_status status, const char *fmt, ...)
{
    struct mr_error err = MR_ERROR_INIT;
    char text[ERROR_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    err.status = status;
    vsnprintf(err.text, sizeof(err.text), fmt, args);
    va_end(args);
    duckdb_aggregate_function_set_error(info, error_marked(text, &err));
}

void *agg_realloc(duckdb_function_info info, struct agg_budget **budget, void *old, size_t old_size,
                  size_t new_size)
{
    const struct registered *self = duckdb_aggregate_function_get_extra_info(info);
    struct agg_budget *b = &self->duck->engine->agg;
    uint64_t more = new_size - old_size;

    MR_ASSERT(new_size > old_size);
    if (atomic_fetch_add(&b->used, more) + more > b->limit) {
        atomic_fetch_sub(&b->used, more);
        agg_fail(info, MR_ELIMIT, "Query exceeded the memory limit of %llu bytes for all queries",
                 (unsigned long long)b->limit);
        return NULL;
    }
    void *p = mr_realloc(old, new_size);
    if (p == NULL) {
        atomic_fetch_sub(&b->used, more);
        agg_fail(info, MR_ENOMEM, "out of memory");
        return NULL;
    }
    *budget = b;
    return p;
}

void agg_free(struct agg_budget *budget, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    atomic_fetch_sub(&budget->used, size);
    mr_free(ptr);
}

static int register_aggregate(struct registered *self, const struct agg_impl *impl, const struct spec *spec,
                              duckdb_connection con)
{
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    const char *p = spec->args, *result = spec->result;

    duckdb_aggregate_function_set_name(f, spec->name);
    while (*p != '\0') {
        duckdb_logical_type type = next_type(&p);
        duckdb_aggregate_function_add_parameter(f, type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_logical_type type = next_type(&result);
    duckdb_aggregate_function_set_return_type(f, type);
    duckdb_destroy_logical_type(&type);
    duckdb_aggregate_function_set_extra_info(f, self, mr_free);
    duckdb_aggregate_function_set_functions(f, impl->size, impl->init, impl->update, impl->combine,
                                            impl->finalize);
    if (impl->destroy != NULL)
        duckdb_aggregate_function_set_destructor(f, impl->destroy);
    int status = duckdb_register_aggregate_function(con, f) == DuckDBSuccess ? MR_OK : MR_EINTERNAL;
    duckdb_destroy_aggregate_function(&f);
    return status;
}

/* ---- the whole list
 * ------------------------------------------------------------------------------------------ */

static const struct fn_impl *find_scalar(const char *name)
{
    static const struct fn_impl *const tables[] = {
        fn_int_table,      fn_float_table,  fn_cast_table,   fn_time_table,
        fn_calendar_table, fn_format_table, fn_text_table,   fn_search_table,
        fn_regex_table,    fn_array_table,  fn_series_table, fn_interpolate_table,
    };
    for (size_t t = 0; t < MR_ARRAY_LEN(tables); t++)
        for (const struct fn_impl *f = tables[t]; f->name != NULL; f++)
            if (strcmp(f->name, name) == 0)
                return f;
    return NULL;
}

static const struct agg_impl *find_aggregate(const char *name)
{
    static const struct agg_impl *const tables[] = {
        agg_moments_table,
        agg_pairs_table,
        agg_distinct_table,
        agg_percentile_table,
    };
    for (size_t t = 0; t < MR_ARRAY_LEN(tables); t++)
        for (const struct agg_impl *a = tables[t]; a->name != NULL; a++)
            if (strcmp(a->name, name) == 0)
                return a;
    return NULL;
}

static int register_one(struct duck *duck, const struct spec *spec, duckdb_connection con)
{
    const struct fn_impl *scalar = spec->kind == AGGREGATE ? NULL : find_scalar(spec->name);
    const struct agg_impl *aggregate = spec->kind == AGGREGATE ? find_aggregate(spec->name) : NULL;

    if (scalar == NULL && aggregate == NULL) {
        return MR_OK; /* a statement that needs it fails; the unit test names it */
    }
    struct registered *self = mr_calloc(1, sizeof(*self));
    if (self == NULL)
        return MR_ENOMEM;
    *self = (struct registered){duck, scalar};
    return scalar != NULL ? register_scalar(self, spec, con) : register_aggregate(self, aggregate, spec, con);
}

int functions_register(struct duck *duck, duckdb_connection con, struct mr_error *err)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(specs); i++) {
        int status = register_one(duck, &specs[i], con);
        if (status != MR_OK)
            return mr_error_set(err, status, "embedded database refused the function %s", specs[i].name);
    }
    return MR_OK;
}
