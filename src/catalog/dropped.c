#include "catalog/parts.h"

/* `arg` is a buffer of uint64_t. */
static int add_id(void *arg, sqlite3_stmt *row)
{
    struct mr_buf *list = arg;
    uint64_t id = (uint64_t)sqlite3_column_int64(row, 0);
    mr_buf_add(list, &id, sizeof id);
    return mr_buf_ok(list) ? MR_OK : MR_ENOMEM;
}

int catalog_dropped_tables(struct catalog *c, struct mr_arena *arena, uint64_t **ids, size_t *count)
{
    struct mr_buf list = MR_BUF_INIT;
    *ids = NULL;
    *count = 0;
    pthread_mutex_lock(&c->writer);
    int rc = db_each(&c->db, DB_DROPPED, add_id, &list, NULL);
    pthread_mutex_unlock(&c->writer);
    size_t n = list.len / sizeof(uint64_t);
    if (rc == MR_OK && n != 0) {
        *ids = MR_ARENA_ARRAY(arena, n, uint64_t);
        if (*ids == NULL) {
            rc = MR_ENOMEM;
        } else {
            memcpy(*ids, list.ptr, list.len);
            *count = n;
        }
    }
    mr_buf_release(&list);
    return rc;
}

int catalog_dropped_done(struct catalog *c, uint64_t id, struct mr_error *err)
{
    int rc = change_begin(c, err);
    if (rc == MR_OK)
        rc = db_run(&c->db, DB_DROPPED_DELETE, DB_ARGS(db_id(id)), err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    change_end(c);
    return rc;
}
