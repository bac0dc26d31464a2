/* care/check.c - the order of a check: catalog and keyring first, which the rest is read with, then files,
 * then the log on top of them, then what each says of the others. */
#include "care/check.h"

#include "base/clock.h"
#include "catalog/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- the lock ---------------------------------------------------------------------------------------- */

int care_lock(const char *dir, int *fd, struct mr_error *err)
{
    char path[4096];
    *fd = -1;
    if ((size_t)snprintf(path, sizeof path, "%s/lock", dir) >= sizeof path)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", dir);
    int got = mr_io_posix.open(NULL, path, O_RDWR, 0);
    if (got == -ENOENT)
        return MR_OK;
    if (got < 0)
        return mr_error_errno(err, mr_io_status(got), -got, "cannot open %s", path);
    if (flock(got, LOCK_EX | LOCK_NB) == 0) {
        *fd = got;
        return MR_OK;
    }
    mr_io_posix.close(NULL, got);
    return mr_error_set(err, MR_EBUSY, "%s is in use by a running server", dir);
}

void care_unlock(int fd)
{
    if (fd >= 0)
        mr_io_posix.close(NULL, fd);
}

/* ---- findings and tables ----------------------------------------------------------------------------- */

const char *care_check_path(struct check *check, const char *name)
{
    return mr_arena_printf(&check->arena, "%s/%s", check->dir, name).ptr;
}

void care_check_found(struct check *check, enum care_kind kind, const char *file,
                      const struct check_table *table, const char *text)
{
    struct care_finding finding = {kind, file, "", text};
    char number[48];
    if (table != NULL && table->name.ptr != NULL) {
        finding.table = table->name.ptr;
    } else if (table != NULL) {
        snprintf(number, sizeof number, "number %" PRIu64, table->id);
        finding.table = number;
    }
    check->counts->damaged += kind == CARE_DAMAGE;
    check->counts->unchecked += kind == CARE_UNCHECKED;
    check->counts->leftovers += kind == CARE_LEFTOVER;
    check->watch->found(check->watch->ctx, &finding);
}

int care_check_step(struct check *check, const char *doing, uint64_t bytes, struct mr_error *err)
{
    check->progress.doing = doing;
    check->progress.done += bytes;
    check->counts->bytes += bytes;
    if (check->watch->step(check->watch->ctx, &check->progress))
        return MR_OK;
    return mr_error_set(err, MR_ECANCEL, "stopped");
}

struct check_table *care_check_table(struct check *check, uint64_t id)
{
    size_t low = 0, high = check->ntables;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->tables[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < check->ntables && check->tables[low].id == id)
        return &check->tables[low];
    if (mr_grow((void **)&check->tables, &check->tables_cap, check->ntables + 1, sizeof *check->tables) !=
        MR_OK) {
        check->nomem = true;
        return NULL;
    }
    memmove(check->tables + low + 1, check->tables + low, (check->ntables - low) * sizeof *check->tables);
    check->tables[low] = (struct check_table){.id = id};
    check->ntables++;
    return &check->tables[low];
}

struct check_table *care_check_store_table(struct check *check, uint64_t database, uint64_t id,
                                           const char *where)
{
    struct check_table *t = care_check_table(check, id);
    if (t == NULL)
        return NULL;
    t->in_store = true;
    if (t->database == 0)
        t->database = database;
    if (t->database != database)
        care_check_found(check, CARE_DAMAGE, where, t, "it says another database than the catalog");
    if (check->keyring != NULL && seal_keyring_usable(check->keyring, database, NULL) != MR_OK)
        t->closed = true;
    return t;
}

/* ---- the catalog ------------------------------------------------------------------------------------- */

#define CATALOG "catalog.sqlite"

static void on_fault(void *ctx, const char *text)
{
    care_check_found(ctx, CARE_DAMAGE, CATALOG, NULL, text);
}

static void on_database(void *ctx, uint64_t id, struct mr_str name)
{
    struct check *check = ctx;
    check->counts->databases++;
    if (mr_grow((void **)&check->databases, &check->databases_cap, check->ndatabases + 1,
                sizeof *check->databases) != MR_OK) {
        check->nomem = true;
        return;
    }
    check->databases[check->ndatabases++] =
        (struct mr_pair){mr_arena_dup(&check->arena, (struct mr_str){(const char *)&id, sizeof id}),
                         mr_arena_dup(&check->arena, name)};
}

static void on_table(void *ctx, uint64_t id, uint64_t database_id, struct mr_str name)
{
    struct check *check = ctx;
    struct check_table *t = care_check_table(check, id);
    struct mr_str database = MR_STR("?");
    for (size_t i = 0; i < check->ndatabases; i++)
        if (mr_str_eq(check->databases[i].name, (struct mr_str){(const char *)&database_id, sizeof id}))
            database = check->databases[i].value;
    if (t == NULL)
        return;
    check->counts->tables++;
    t->in_catalog = true;
    t->database = database_id;
    t->name = mr_arena_printf(&check->arena, "\"" MR_STR_FMT "\".\"" MR_STR_FMT "\"", MR_STR_ARG(database),
                              MR_STR_ARG(name));
}

static void on_dropped(void *ctx, uint64_t id)
{
    struct check_table *t = care_check_table(ctx, id);
    if (t != NULL)
        t->dropped = true;
}

static int check_catalog(struct check *check, struct mr_error *err)
{
    const struct catalog_check_sink sink = {check, on_fault, on_database, on_table, on_dropped};
    struct mr_error local = MR_ERROR_INIT;
    int status = care_check_step(check, CATALOG, 0, err);
    if (status != MR_OK)
        return status;
    status = catalog_check(check->dir, &sink, &local);
    check->catalog = status == MR_OK;
    if (status == MR_ENOENT || status == MR_ECORRUPT) {
        care_check_found(check, CARE_DAMAGE, CATALOG, NULL, local.text);
        return MR_OK;
    }
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)status, "%s", local.text);
}

/* ---- the keyring ------------------------------------------------------------------------------------- */

#define KEYRING "store/keys/keyring"

/* A keyring is made where there is none, and this only reads. */
static int check_keyring(struct check *check, struct mr_error *err)
{
    struct mr_error local = MR_ERROR_INIT;
    struct seal_entry *keys;
    size_t n;
    const char *dir = care_check_path(check, "store/keys"), *file = care_check_path(check, KEYRING);
    if (dir == NULL || file == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory checking");
    if (access(file, F_OK) != 0) {
        care_check_found(check, CARE_DAMAGE, KEYRING, NULL,
                         "it is not there: nothing that is stored can be read without it");
        return MR_OK;
    }
    int status = seal_keyring_open(check->io, dir, &check->keyring, &local);
    if (status == MR_ECORRUPT || status == MR_EDENIED) {
        care_check_found(check, CARE_DAMAGE, KEYRING, NULL, local.text);
        return MR_OK;
    }
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", local.text);
    bool changed;
    seal_keyring_refresh(check->keyring, 0, SEAL_LIFE_NS, &changed);
    status = seal_keyring_list(check->keyring, &check->arena, &keys, &n);
    check->counts->keys = n;
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        struct mr_error why = MR_ERROR_INIT;
        if (!keys[i].at_hand && keys[i].newest && seal_keyring_usable(check->keyring, keys[i].scope, &why))
            care_check_found(check, CARE_UNCHECKED, KEYRING, NULL, why.text);
    }
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, MR_ENOMEM, "out of memory checking");
}

/* ---- what each says of the others -------------------------------------------------------------------- */

static void check_tables(struct check *check)
{
    for (size_t i = 0; i < check->ntables; i++) {
        const struct check_table *t = &check->tables[i];
        if (t->misfit_lsn != 0 && !t->dropped && !t->broken) {
            char text[256];
            snprintf(text, sizeof text, "entry %" PRIu64 " of the log is damaged: %s", t->misfit_lsn,
                     t->misfit);
            care_check_found(check, CARE_DAMAGE, "store/wal", t, text);
        }
        if (check->catalog && t->in_store && !t->in_catalog && !t->dropped)
            care_check_found(check, CARE_DAMAGE, CATALOG, t,
                             "the store has data of a table that the catalog does not know");
    }
}

static int run(struct check *check, struct mr_error *err)
{
    int status = check_catalog(check, err);
    if (status == MR_OK)
        status = check_keyring(check, err);
    if (status == MR_OK)
        status = care_check_files(check, err);
    if (status == MR_OK)
        status = care_check_log(check, err);
    if (status == MR_OK && (check->nomem || check->arena.failed))
        status = mr_error_set(err, MR_ENOMEM, "out of memory checking");
    if (status == MR_OK)
        check_tables(check);
    return status;
}

int care_check(const char *dir, const struct care_watch *watch, struct care_counts *counts,
               struct mr_error *err)
{
    struct check check = {.dir = dir,
                          .io = &mr_io_posix,
                          .watch = watch,
                          .counts = counts,
                          .arena = MR_ARENA_INIT,
                          .manifest = MAGSTORE_MANIFEST_INIT};
    *counts = (struct care_counts){0};
    struct mr_buf stamp = MR_BUF_INIT;
    const char *version = care_check_path(&check, "VERSION");
    int status = version != NULL ? mr_io_read_file(check.io, version, 4096, &stamp, err) : MR_ENOMEM;
    if (status == MR_OK && !mr_str_eq(mr_buf_view(&stamp), MR_STR("millrace data 1\n")))
        status = mr_error_set(err, MR_EUNSUPPORTED, "%s: no data directory of this version", version);
    if (status == MR_OK)
        status = run(&check, err);
    for (size_t i = 0; i < check.ntables; i++)
        mem_table_close(check.tables[i].mem);
    mr_buf_release(&stamp);
    seal_keyring_close(check.keyring);
    magstore_manifest_release(&check.manifest);
    mr_free(check.tables);
    mr_free(check.databases);
    mr_arena_release(&check.arena);
    return status;
}
