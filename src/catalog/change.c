#include "catalog/parts.h"

int change_begin(struct catalog *c, struct mr_error *err)
{
    pthread_mutex_lock(&c->writer);
    return db_begin(&c->db, err);
}

int change_commit(struct catalog *c, struct mr_error *err)
{
    return db_commit(&c->db, err);
}

void change_end(struct catalog *c)
{
    db_rollback(&c->db);
    pthread_mutex_unlock(&c->writer);
}

void publish_begin(struct catalog *c)
{
    pthread_rwlock_wrlock(&c->readers);
}

void publish_end(struct catalog *c)
{
    atomic_fetch_add_explicit(&c->version, 1, memory_order_release);
    pthread_rwlock_unlock(&c->readers);
}

int change_reserve(struct catalog *c, struct mirror_index *index, struct mr_error *err)
{
    pthread_rwlock_wrlock(&c->readers);
    int rc = mirror_reserve(index);
    pthread_rwlock_unlock(&c->readers);
    return rc == MR_OK ? MR_OK : mr_error_set(err, rc, "catalog: out of memory");
}

int catalog_verify(struct catalog *c, struct mr_error *err)
{
    pthread_mutex_lock(&c->writer);
    (void)sqlite3_db_release_memory(
        c->db.handle); /* its cache; what it cannot let go of is read from there */
    int status = db_check_integrity(&c->db, "catalog.sqlite", err);
    pthread_mutex_unlock(&c->writer);
    return status;
}
