#include "catalog/parts.h"

int catalog_setting_get(struct catalog *c, const char *name, struct mr_arena *arena, struct mr_str *value)
{
    size_t at = 0;
    int rc = MR_ENOENT;
    *value = MR_STR_NULL;
    pthread_rwlock_rdlock(&c->readers);
    if (mirror_find(&c->mirror.settings, mr_str_of(name), &at)) {
        *value = mr_arena_dup(arena, ((const struct mirror_setting *)c->mirror.settings.at[at])->value);
        rc = value->ptr != NULL ? MR_OK : MR_ENOMEM;
    }
    pthread_rwlock_unlock(&c->readers);
    return rc;
}

int catalog_setting_put(struct catalog *c, const char *name, struct mr_str value, struct mr_error *err)
{
    size_t at = 0;
    struct mr_str key = mr_str_of(name);
    struct mirror_setting *made = mirror_setting_new(key, value);
    struct mirror_index *index = &c->mirror.settings;
    if (made == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    int rc = change_begin(c, err);
    if (rc == MR_OK)
        rc = change_reserve(c, index, err);
    if (rc == MR_OK)
        rc = db_run(&c->db, DB_SETTING_PUT, DB_ARGS(db_text(key), db_blob(value)), err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc == MR_OK) {
        struct mirror_node *node = &made->node;
        publish_begin(c);
        if (mirror_find(index, key, &at)) {
            made = (struct mirror_setting *)index->at[at];
            index->at[at] = node;
        } else {
            mirror_insert(index, at, node);
            made = NULL;
        }
        publish_end(c);
    }
    change_end(c);
    mr_free(made);
    return rc;
}
