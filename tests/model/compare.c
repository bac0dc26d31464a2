/* tests/model/compare.c - is what the store holds what the model holds? */
#include "model/engine.h"

#include <inttypes.h>

static int same_schema(struct engine *e, const struct model_table *t, unsigned table, struct mr_buf *out)
{
    struct mr_buf got = MR_BUF_INIT, want = MR_BUF_INIT;
    engine_schema(e, table, &got);
    model_schema(t, &want);
    bool same = mr_str_eq(mr_buf_view(&got), mr_buf_view(&want));
    if (!same)
        mr_buf_printf(
            out, "schema of table %u (number %" PRIu64 ")\n    got    " MR_STR_FMT "\n    wanted " MR_STR_FMT,
            table, t->id, MR_STR_ARG(mr_buf_view(&got)), MR_STR_ARG(mr_buf_view(&want)));
    mr_buf_release(&got);
    mr_buf_release(&want);
    return same ? ENGINE_SAME : ENGINE_DIFFERS;
}

static int same_rows(struct engine *e, const struct model_table *t, unsigned table, struct mr_buf *out)
{
    struct mr_buf how = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct model_rows got = MODEL_ROWS_INIT, want = MODEL_ROWS_INIT;
    struct model_spec spec;
    model_spec_all(t, &spec);
    int result = ENGINE_FAILS;
    if (engine_rows(e, table, &spec, &got, &err) != MR_OK) {
        mr_buf_printf(out, "a scan of table %u fails: %s", table, err.text);
    } else {
        model_scan(t, &spec, &want);
        e->scans++;
        e->scanned_rows += got.count;
        result = model_rows_equal(&got, &want, &how) ? ENGINE_SAME : ENGINE_DIFFERS;
    }
    if (result == ENGINE_DIFFERS)
        mr_buf_printf(out, "table %u (number %" PRIu64 "): " MR_STR_FMT, table, t->id,
                      MR_STR_ARG(mr_buf_view(&how)));
    mr_buf_release(&how);
    model_rows_release(&got);
    model_rows_release(&want);
    return result;
}

/* Versions show in no scan, so some rows are asked for theirs. */
static int same_versions(struct engine *e, const struct model_table *t, unsigned table, uint64_t pick,
                         struct mr_buf *out)
{
    static struct model_record rows[MODEL_BATCH];
    struct mr_error err = MR_ERROR_INIT;
    int64_t versions[MODEL_BATCH];
    size_t count = t->nrows < MODEL_BATCH ? t->nrows : MODEL_BATCH;
    size_t from = t->nrows > count ? pick % (t->nrows - count) : 0;
    for (size_t i = 0; i < count; i++)
        rows[i] = *model_row(t, from + i);
    if (engine_versions(e, table, rows, count, versions, &err) != MR_OK) {
        mr_buf_printf(out, "versions of table %u cannot be asked for: %s", table, err.text);
        return ENGINE_FAILS;
    }
    for (size_t i = 0; i < count; i++) {
        if (versions[i] == rows[i].version)
            continue;
        mr_buf_printf(out, "table %u: version %" PRId64 " instead of that of ", table, versions[i]);
        model_record_print(out, &rows[i]);
        return ENGINE_DIFFERS;
    }
    return ENGINE_SAME;
}

int engine_same(struct engine *e, const struct model *model, uint64_t pick, struct mr_buf *out)
{
    int result = ENGINE_SAME;
    for (unsigned i = 0; i < MODEL_TABLES && result == ENGINE_SAME; i++) {
        const struct model_table *t = &model->tables[i];
        struct mr_error err = MR_ERROR_INIT;
        int rc = engine_try_table(e, i, t->id, &err);
        if (rc != MR_OK) {
            mr_buf_printf(out, "table %u (number %" PRIu64 "): %s", i, t->id, err.text);
            return rc == MR_ENOENT ? ENGINE_DIFFERS : ENGINE_FAILS;
        }
        result = same_schema(e, t, i, out);
        if (result == ENGINE_SAME)
            result = same_rows(e, t, i, out);
    }
    for (unsigned i = 0; i < MODEL_TABLES && result == ENGINE_SAME; i++)
        result = same_versions(e, &model->tables[i], i, pick, out);
    return result;
}

bool engine_is_gone(struct engine *e, uint64_t id)
{
    struct store_table *table;
    struct mr_error err = MR_ERROR_INIT;
    if (store_table_ref(e->store, ENGINE_DATABASE, id, &table, &err) != MR_OK)
        return true;
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    bool gone = store_schema_get(table, &arena, &schema) == MR_OK && schema.ncolumns == 2;
    mr_arena_release(&arena);
    store_table_unref(table);
    return gone;
}
