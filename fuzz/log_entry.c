/* Log entries from outside through the same replay that a start uses, into an empty store; what was accepted
 * is then read back. Input: entries, each behind a two-byte length. */
#include "store/private.h"

#include "base/cursor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_table(struct mem_table *mem)
{
    uint32_t columns[MEM_MAX_DIMENSIONS], ncolumns = 0;
    struct mem_schema schema;
    struct mem_cursor *cursor = NULL;
    mem_schema_view(mem, &schema);
    for (; ncolumns < schema.ncolumns && ncolumns < MEM_MAX_DIMENSIONS; ncolumns++)
        columns[ncolumns] = ncolumns;
    if (mem_cursor_open(mem, columns, ncolumns, &cursor) != MR_OK)
        abort();
    struct mem_counts counts;
    mem_counts(mem, &counts);
    uint64_t seen = 0;
    /* Numbers may have wide gaps; only those that are there are walked. */
    uint32_t series;
    for (uint32_t next = 0; mem_series_list(mem, next, &series, 1) == 1; next = series + 1) {
        int64_t from = 0;
        for (bool more = true; more;) {
            size_t rows;
            if (mem_cursor_fill(cursor, mem, series, &from, INT64_MAX, UINT64_MAX, &rows, &more) != MR_OK)
                abort();
            seen += rows;
        }
    }
    if (seen != counts.rows)
        abort();
    mem_cursor_close(cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store store = {.ntables = 0};
    pthread_mutex_init(&store.tables_lock, NULL);
    struct mr_cursor input = mr_cursor_of(data, size);
    int rc = MR_OK;
    for (uint64_t lsn = 1; rc == MR_OK && input.left >= 2; lsn++) {
        size_t len = mr_cursor_u16(&input);
        rc = store_replay(&store, lsn, mr_cursor_bytes(&input, len < input.left ? len : input.left), NULL);
    }
    for (size_t i = 0; i < store.nbuckets && rc == MR_OK; i++)
        for (struct store_table *table = store.buckets[i]; table != NULL; table = table->next)
            if (table->mem != NULL)
                read_table(table->mem);
    tables_release(&store);
    pthread_mutex_destroy(&store.tables_lock);
    if (mem_budget_bytes(&store.budget) != 0)
        abort(); /* the count of memory must come out even */
    return 0;
}
