/* care/dump.c - what a path is, and where the keys for it lie. */
#include "care/dump.h"

#include "wal/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

static int join(const char *dir, const char *name, char out[static PATH_BYTES], struct mr_error *err)
{
    if ((size_t)snprintf(out, PATH_BYTES, "%s/%s", dir, name) >= PATH_BYTES)
        return mr_error_set(err, MR_EINVAL, "path too long: %s/%s", dir, name);
    return MR_OK;
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    return join(dir, name, path, NULL) == MR_OK && access(path, F_OK) == 0;
}

/* ---- the keyring ------------------------------------------------------------------------------------- */

/* Opening makes a keyring where there is none, and a dump only reads. */
static int open_keys(struct dump *d, const char *fallback, struct mr_error *err)
{
    const char *dir = d->how->keys != NULL ? d->how->keys : fallback;
    bool changed;
    if (d->keyring != NULL)
        return MR_OK;
    if (!is_there(dir, "keyring"))
        return mr_error_set(err, MR_ENOENT, "%s/keyring is not there; name its directory with --keys", dir);
    int status = seal_keyring_open(&mr_io_posix, dir, &d->keyring, err);
    if (status == MR_OK)
        seal_keyring_refresh(d->keyring, 0, SEAL_LIFE_NS, &changed);
    return status;
}

/* The keys of a directory that lies beside them. */
static int open_keys_beside(struct dump *d, const char *dir, struct mr_error *err)
{
    char path[PATH_BYTES];
    int status = join(dir, "../keys", path, err);
    return status == MR_OK ? open_keys(d, path, err) : status;
}

static int dump_keyring(struct dump *d, const char *dir, struct mr_error *err)
{
    static const char *const kinds[] = {
        [SEAL_BY_MASTER] = "master", [SEAL_BY_LOCAL] = "local", [SEAL_BY_OUTSIDE] = "service"};
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_entry *keys;
    size_t n;
    int status = open_keys(d, dir, err);
    if (status != MR_OK)
        return status;
    status = seal_keyring_list(d->keyring, &arena, &keys, &n);
    if (status == MR_OK)
        fprintf(d->out, "keyring keys=%zu\n", n);
    for (size_t i = 0; status == MR_OK && i < n; i++)
        fprintf(d->out,
                "  key scope=%" PRIu64 " generation=%" PRIu32 "%s wrapped_by=%s" MR_STR_FMT MR_STR_FMT
                " at_hand=%s\n",
                keys[i].scope, keys[i].generation, keys[i].newest ? " newest" : "", kinds[keys[i].by.kind],
                MR_STR_ARG(keys[i].by.key.len != 0 ? MR_STR(":") : MR_STR("")), MR_STR_ARG(keys[i].by.key),
                keys[i].at_hand ? "yes" : "no");
    mr_arena_release(&arena);
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, MR_ENOMEM, "out of memory");
}

/* ---- directories ------------------------------------------------------------------------------------- */

struct listing {
    char (*names)[MAGSTORE_FILE_NAME_BYTES];
    size_t count, cap;
};

static int add_name(void *arg, const char *name)
{
    struct listing *l = arg;
    enum magstore_kind kind;
    uint64_t number;
    enum magstore_found found = magstore_name_read(name, &kind, &number);
    if (found != MAGSTORE_FOUND_MANIFEST && found != MAGSTORE_FOUND_FILE)
        return 0;
    if (mr_grow((void **)&l->names, &l->cap, l->count + 1, sizeof *l->names) != MR_OK)
        return 1;
    snprintf(l->names[l->count++], sizeof *l->names, "%s", name);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* One file that magstore_name_read knows. */
static int dump_stored(struct dump *d, const char *dir, const char *name, struct mr_error *err)
{
    enum magstore_kind kind = MAGSTORE_SEGMENT;
    uint64_t number = 0;
    enum magstore_found found = magstore_name_read(name, &kind, &number);
    d->dir = dir;
    d->name = name;
    if (found == MAGSTORE_FOUND_MANIFEST)
        return care_dump_manifest(d, err);
    int status = open_keys_beside(d, dir, err);
    if (status != MR_OK)
        return status;
    return kind == MAGSTORE_SEGMENT ? care_dump_segment(d, number, err) : care_dump_names(d, number, err);
}

/* Damage in one file does not keep the others from being printed; the first is what is returned. */
static int dump_files(struct dump *d, const char *dir, struct mr_error *err)
{
    struct listing l = {NULL, 0, 0};
    int rc = mr_io_posix.list(NULL, dir, add_name, &l);
    int first = MR_OK;
    if (rc != 0)
        first = rc > 0 ? (int)mr_error_set(err, MR_ENOMEM, "out of memory listing %s", dir)
                       : (int)mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", dir);
    if (l.count > 1)
        qsort(l.names, l.count, sizeof *l.names, by_name);
    for (size_t i = 0; i < l.count && (first == MR_OK || first == MR_ECORRUPT); i++) {
        struct mr_error local = MR_ERROR_INIT;
        int status = dump_stored(d, dir, l.names[i], &local);
        if (status == MR_ECORRUPT)
            fprintf(d->out, "%s damaged \"%s\"\n", l.names[i], local.text);
        if (status != MR_OK && (first == MR_OK || status != MR_ECORRUPT)) {
            first = status;
            mr_error_set(err, (enum mr_status)status, "%s", local.text);
        }
    }
    mr_free(l.names);
    return first;
}

static int dump_log(struct dump *d, const char *dir, struct mr_error *err)
{
    int status = open_keys_beside(d, dir, err);
    return status == MR_OK ? wal_dump(&mr_io_posix, dir, d->keyring, d->how->contents, d->out, err) : status;
}

static int dump_data(struct dump *d, const char *dir, struct mr_error *err)
{
    char keys[PATH_BYTES], files[PATH_BYTES], log[PATH_BYTES];
    struct mr_error local = MR_ERROR_INIT;
    int status = join(dir, "store/keys", keys, err);
    if (status == MR_OK)
        status = join(dir, "store/files", files, err);
    if (status == MR_OK)
        status = join(dir, "store/wal", log, err);
    if (status == MR_OK)
        status = dump_keyring(d, keys, err);
    if (status != MR_OK)
        return status;
    status = dump_files(d, files, err);
    int second = dump_log(d, log, &local);
    if (second != MR_OK)
        mr_error_set(err, (enum mr_status)second, "%s", local.text);
    return status != MR_OK ? status : second;
}

/* ---- a path ------------------------------------------------------------------------------------------ */

static bool holds(const char *dir, const char *prefix);

static int dump_directory(struct dump *d, const char *path, struct mr_error *err)
{
    if (is_there(path, "VERSION") && is_there(path, "store"))
        return dump_data(d, path, err);
    if (is_there(path, "keyring"))
        return dump_keyring(d, path, err);
    if (holds(path, "wal-"))
        return dump_log(d, path, err);
    if (holds(path, "manifest-"))
        return dump_files(d, path, err);
    return mr_error_set(err, MR_EINVAL, "%s is neither a data directory nor one of its directories", path);
}

static int starts(void *arg, const char *name)
{
    const char *prefix = arg;
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool holds(const char *dir, const char *prefix)
{
    return mr_io_posix.list(NULL, dir, starts, (void *)(uintptr_t)prefix) == 1;
}

static bool log_name(const char *name, uint64_t *sequence)
{
    char again[WAL_NAME_BYTES];
    if (sscanf(name, "wal-%16" SCNx64 ".log", sequence) != 1)
        return false;
    wal_segment_name(*sequence, again);
    return strcmp(again, name) == 0;
}

static int dump_one(struct dump *d, char *path, struct mr_error *err)
{
    enum magstore_kind kind;
    uint64_t number;
    char *slash = strrchr(path, '/');
    const char *dir = slash != NULL ? path : ".", *name = slash != NULL ? slash + 1 : path;
    if (slash != NULL)
        *slash = '\0';
    if (strcmp(name, "keyring") == 0)
        return dump_keyring(d, dir, err);
    if (log_name(name, &number)) {
        int status = open_keys_beside(d, dir, err);
        return status == MR_OK
                   ? wal_dump_segment(&mr_io_posix, dir, d->keyring, number, d->how->contents, d->out, err)
                   : status;
    }
    enum magstore_found found = magstore_name_read(name, &kind, &number);
    if (found == MAGSTORE_FOUND_MANIFEST || found == MAGSTORE_FOUND_FILE)
        return dump_stored(d, dir, name, err);
    return mr_error_set(err, MR_EINVAL, "%s is no file of the store by its name", name);
}

int care_dump(const char *path, const struct care_dump *how, FILE *out, struct mr_error *err)
{
    struct dump d = {.how = how, .out = out};
    struct stat st;
    char copy[PATH_BYTES];
    int status;
    if (strlen(path) >= sizeof copy)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", path);
    memcpy(copy, path, strlen(path) + 1);
    if (stat(path, &st) != 0)
        status = mr_error_errno(err, mr_io_status(-errno), errno, "cannot read %s", path);
    else if (S_ISDIR(st.st_mode))
        status = dump_directory(&d, path, err);
    else
        status = dump_one(&d, copy, err);
    seal_keyring_close(d.keyring);
    return status;
}
