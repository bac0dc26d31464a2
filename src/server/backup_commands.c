#include "server/backup_commands.h"

#include "backup/backup.h"
#include "base/clock.h"
#include "care/care.h"
#include "server/backup_moment.h"
#include "server/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DONE = 0, DAMAGED = 1, FAILED = 2 };

#define MARKER DATADIR_RESTORING

static const char backup_usage[] =
    "usage: millrace backup --data DIR --to TARGET [--server URL] [--no-keys] [S3 options]\n\n"
    "Copies a data directory to a directory or a bucket (s3://bucket/prefix), while a server uses it or "
    "not.\n"
    "What the target has already is not copied again; one that was interrupted goes on.\n"
    "  --data DIR        data directory, on this machine\n"
    "  --to TARGET       directory, or s3://bucket[/prefix]\n"
    "  --server URL      of the server that uses it (http://127.0.0.1:8650); asked with the root key, from\n"
    "                    MILLRACE_ROOT_ACCESS_KEY_ID and MILLRACE_ROOT_SECRET_ACCESS_KEY or the directory\n"
    "  --no-keys         leave out the files that unwrap the keys of the data: keep store/keys elsewhere\n";
static const char restore_usage[] =
    "usage: millrace restore --from TARGET --list [S3 options]\n"
    "       millrace restore --from TARGET --data DIR [--id ID] [--keys DIR] [--accept-damage] [S3 "
    "options]\n\n"
    "Puts a backup into an empty directory and checks every byte of it. One that was interrupted goes on.\n"
    "  --list            print the backups there\n"
    "  --id ID           which one; else the newest\n"
    "  --keys DIR        directory of the *.key files, for a backup made with --no-keys\n"
    "  --accept-damage   keep what was restored even when the check finds damage in it\n"
    "Exit status: 0 done, 1 what was backed up is damaged, 2 it could not be done.\n";
static const char s3_usage[] =
    "  --s3-endpoint URL, --s3-region NAME, --s3-ca FILE, --s3-credentials FILE (else the "
    "environment), --s3-profile NAME\n";

struct options {
    const char *data, *target, *server, *id, *keys_dir;
    bool no_keys, list, accept;
    struct backup_s3 s3;
};

enum { OPT_TO = 1, OPT_DATA, OPT_SERVER, OPT_ID, OPT_KEYS, OPT_NO_KEYS, OPT_LIST, OPT_ACCEPT, OPT_S3 };

static bool parse(struct options *o, int argc, char **argv, bool restoring)
{
    const struct option options[] = {
        {restoring ? "from" : "to", required_argument, NULL, OPT_TO},
        {"data", required_argument, NULL, OPT_DATA},
        {restoring ? "id" : "server", required_argument, NULL, restoring ? OPT_ID : OPT_SERVER},
        {restoring ? "keys" : "no-keys", restoring ? required_argument : no_argument, NULL,
         restoring ? OPT_KEYS : OPT_NO_KEYS},
        {"s3-endpoint", required_argument, NULL, OPT_S3},
        {"s3-region", required_argument, NULL, OPT_S3 + 1},
        {"s3-ca", required_argument, NULL, OPT_S3 + 2},
        {"s3-credentials", required_argument, NULL, OPT_S3 + 3},
        {"s3-profile", required_argument, NULL, OPT_S3 + 4},
        {restoring ? "list" : NULL, no_argument, NULL, OPT_LIST},
        {"accept-damage", no_argument, NULL, OPT_ACCEPT},
        {NULL, 0, NULL, 0}};
    const char **texts[] = {[OPT_TO] = &o->target,
                            [OPT_DATA] = &o->data,
                            [OPT_SERVER] = &o->server,
                            [OPT_ID] = &o->id,
                            [OPT_KEYS] = &o->keys_dir,
                            [OPT_S3] = &o->s3.endpoint,
                            [OPT_S3 + 1] = &o->s3.region,
                            [OPT_S3 + 2] = &o->s3.ca_file,
                            [OPT_S3 + 3] = &o->s3.credentials_file,
                            [OPT_S3 + 4] = &o->s3.profile};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        o->no_keys = o->no_keys || c == OPT_NO_KEYS;
        o->list = o->list || c == OPT_LIST;
        o->accept = o->accept || c == OPT_ACCEPT;
        if (c <= 0 || (size_t)c >= MR_ARRAY_LEN(texts))
            return false;
        if (texts[c] != NULL)
            *texts[c] = optarg;
    }
    return optind == argc && o->target != NULL && (o->data != NULL || o->list);
}

static int failed(const struct mr_error *err)
{
    fprintf(stderr, "millrace: %s\n", err->text);
    return FAILED;
}

/* ---- progress ------------------------------------------------------------------------------------------ */

struct shown {
    struct backup_source *source; /* NULL: of a restore */
    struct mr_error why;          /* the hold was lost */
    int64_t last;
};

static void show(const struct backup_progress *p, bool final)
{
    bool terminal = isatty(STDERR_FILENO);
    fprintf(stderr,
            "%s%s: %" PRIu64 " of %" PRIu64 " files, %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " copied%s",
            terminal ? "\r" : "", p->doing, p->files, p->all_files, p->bytes, p->all_bytes, p->copied_bytes,
            terminal && !final ? "\033[K" : "\n");
}

static bool on_step(void *ctx, const struct backup_progress *p)
{
    struct shown *s = ctx;
    int64_t now = mr_clock_mono(&mr_clock_system);
    if (now - s->last >= (isatty(STDERR_FILENO) ? MR_NS_PER_S / 10 : 10 * MR_NS_PER_S)) {
        s->last = now;
        show(p, false);
    }
    return s->source == NULL || backup_source_held(s->source, &s->why) == MR_OK;
}

/* ---- backup -------------------------------------------------------------------------------------------- */

static int run_backup(const struct options *o)
{
    struct mr_error err = MR_ERROR_INIT;
    struct backup_target *target = NULL;
    struct backup_source source = {.data = o->data,
                                   .server = o->server != NULL ? o->server : "http://127.0.0.1:8650"};
    struct shown shown = {.source = &source, .last = mr_clock_mono(&mr_clock_system)};
    const struct backup_watch watch = {&shown, on_step};
    struct backup_result result;
    (void)setpriority(PRIO_PROCESS, 0, 10); /* the server comes first */
    umask(077);
    int status = backup_target_open(o->target, &o->s3, true, &target, &err);
    if (status == MR_OK)
        status = backup_source_open(&source, &err);
    if (status == MR_OK)
        status = backup_make(&mr_io_posix, o->data, &source.moment, !o->no_keys,
                             mr_clock_wall(&mr_clock_system), target, &watch, &result, &err);
    backup_source_close(&source);
    backup_target_close(target);
    if (status != MR_OK)
        return failed(shown.why.status != MR_OK ? &shown.why : &err);
    show(&result.progress, true);
    printf("%s lsn=%" PRIu64 " rows=%" PRIu64 " log_entries=%" PRIu64 " bytes=%" PRIu64 " copied=%" PRIu64
           " keys=%s\n",
           result.id, result.lsn, result.rows, result.log_entries, result.progress.all_bytes,
           result.progress.copied_bytes, result.keys ? "yes" : "no");
    return DONE;
}

/* ---- restore ------------------------------------------------------------------------------------------- */

static int print_list(struct backup_target *target, struct mr_error *err)
{
    char(*ids)[BACKUP_ID_BYTES];
    size_t n;
    int status = backup_list(target, &ids, &n, err);
    for (size_t i = 0; i < n && status == MR_OK; i++) {
        struct backup_index index;
        struct mr_error why = MR_ERROR_INIT;
        uint64_t bytes = 0;
        if (backup_read_index(target, ids[i], &index, &why) != MR_OK) {
            printf("%s damaged: %s\n", ids[i], why.text);
            continue;
        }
        for (size_t f = 0; f < index.nfiles; f++)
            bytes += index.files[f].bytes;
        printf("%s lsn=%" PRIu64 " files=%zu bytes=%" PRIu64 " rows=%" PRIu64 " log_entries=%" PRIu64
               " keys=%s\n",
               index.id, index.lsn, index.nfiles, bytes, index.rows, index.log_entries,
               index.keys ? "yes" : "no");
        backup_index_release(&index);
    }
    mr_free(ids);
    return status;
}

static int read_chosen(struct backup_target *target, const char *id, struct backup_index *out,
                       struct mr_error *err)
{
    char(*ids)[BACKUP_ID_BYTES] = NULL;
    size_t n = 0;
    if (id != NULL)
        return backup_read_index(target, id, out, err);
    int status = backup_list(target, &ids, &n, err);
    if (status == MR_OK && n == 0)
        status = mr_error_set(err, MR_ENOENT, "there is no complete backup");
    if (status == MR_OK)
        status = backup_read_index(target, ids[n - 1], out, err);
    mr_free(ids);
    return status;
}

static int count_others(void *arg, const char *name)
{
    bool ours = strcmp(name, "lock") == 0 || strcmp(name, MARKER ".tmp") == 0; /* killed at the very start */
    *(bool *)arg = *(bool *)arg || (!ours && strcmp(name, "lost+found") != 0);
    return 0;
}

/* The directory is empty, or an interrupted restore of this backup; from now on it is ours. */
static int claim(const char *data, const char *id, int *lock, struct mr_error *err)
{
    char path[4096];
    struct mr_buf before = MR_BUF_INIT;
    bool others = false;
    if (strlen(data) > sizeof path / 2)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", data);
    int rc = mr_io_posix.mkdir(NULL, data, 0700);
    if (rc < 0 && rc != -EEXIST)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot make the directory %s", data);
    snprintf(path, sizeof path, "%s/lock", data);
    int fd = mr_io_posix.open(NULL, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot create %s", path);
    mr_io_posix.close(NULL, fd);
    int status = care_lock(data, lock, err);
    if (status != MR_OK)
        return status;
    rc = mr_io_posix.list(NULL, data, count_others, &others);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", data);
    if (!others)
        return mr_io_write_file(&mr_io_posix, data, MARKER, mr_str_of(id), 0600, err);
    snprintf(path, sizeof path, "%s/" MARKER, data);
    status = mr_io_read_file(&mr_io_posix, path, 4096, &before, NULL);
    if (status != MR_OK || !mr_str_eq(mr_buf_view(&before), mr_str_of(id)))
        status = mr_error_set(err, MR_EEXIST, "%s is not empty, and no interrupted restore of %s", data, id);
    mr_buf_release(&before);
    return status;
}

static void on_found(void *ctx, const struct care_finding *f)
{
    MR_UNUSED(ctx);
    printf("damage %s %s: %s\n", f->file, f->table, f->text);
}

static bool on_check(void *ctx, const struct care_progress *p)
{
    MR_UNUSED(ctx);
    MR_UNUSED(p);
    return true;
}

static int drop(const char *data, const char *name, struct mr_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", data, name);
    int rc = mr_io_posix.unlink(NULL, path);
    if (rc < 0 && rc != -ENOENT)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot remove %s", path);
    return mr_io_sync_dir(&mr_io_posix, data, err);
}

/* Every byte and cross-reference, and as many rows and entries as were backed up. What does not pass is no
 * data directory. */
static int verify(const struct options *o, const struct backup_index *index, bool *damaged,
                  struct mr_error *err)
{
    const struct care_watch watch = {NULL, on_found, on_check};
    struct care_counts counts;
    int status = datadir_stamp(o->data, err);
    if (status == MR_OK)
        status = care_check(o->data, &watch, &counts, err);
    if (status != MR_OK) {
        (void)drop(o->data, "VERSION", NULL);
        return status;
    }
    *damaged = counts.damaged != 0;
    if (!*damaged && counts.rows != index->rows) {
        printf("damage: %" PRIu64 " rows in files, %" PRIu64 " were backed up\n", counts.rows, index->rows);
        *damaged = true;
    }
    if (*damaged && !o->accept) {
        fprintf(stderr, "millrace: what was backed up is damaged; --accept-damage keeps it all the same\n");
        return drop(o->data, "VERSION", err);
    }
    printf("%s restored to %s: %" PRIu64 " tables, %" PRIu64 " rows in %" PRIu64 " segments, %" PRIu64
           " rows in the log, lsn=%" PRIu64 "\n",
           index->id, o->data, counts.tables, counts.rows, counts.files, counts.log_rows, index->lsn);
    return drop(o->data, MARKER, err);
}

static int restore_into(const struct options *o, struct backup_target *target, bool *damaged,
                        struct mr_error *err)
{
    struct backup_index index = {.files = NULL};
    struct shown shown = {.source = NULL, .last = mr_clock_mono(&mr_clock_system)};
    const struct backup_watch watch = {&shown, on_step};
    struct backup_progress progress = {.doing = "restoring"};
    int lock = -1;
    int status = read_chosen(target, o->id, &index, err);
    if (status == MR_OK)
        status = claim(o->data, index.id, &lock, err);
    if (status == MR_OK)
        status = backup_restore(&mr_io_posix, target, &index, o->data, o->keys_dir, &watch, &progress, err);
    if (status == MR_OK) {
        show(&progress, true);
        status = verify(o, &index, damaged, err);
    }
    care_unlock(lock);
    backup_index_release(&index);
    return status;
}

static int run_restore(const struct options *o)
{
    struct mr_error err = MR_ERROR_INIT;
    struct backup_target *target = NULL;
    bool damaged = false;
    umask(077);
    int status = backup_target_open(o->target, &o->s3, false, &target, &err);
    if (status == MR_OK)
        status = o->list ? print_list(target, &err) : restore_into(o, target, &damaged, &err);
    backup_target_close(target);
    return status != MR_OK ? failed(&err) : damaged ? DAMAGED : DONE;
}

/* ---- which --------------------------------------------------------------------------------------------- */

bool backup_command_help(const char *name, FILE *out)
{
    bool restoring = strcmp(name, "restore") == 0;
    if (!restoring && strcmp(name, "backup") != 0)
        return false;
    fprintf(out, "%s%s", restoring ? restore_usage : backup_usage, s3_usage);
    return true;
}

void backup_command_list(FILE *out)
{
    fputs("  backup     copy a data directory while a server uses it (millrace backup --help)\n"
          "  restore    put a copy back, and check it (millrace restore --help)\n",
          out);
}

int backup_command(int argc, char **argv, bool *known)
{
    struct options options = {.data = NULL};
    bool restoring = strcmp(argv[0], "restore") == 0;
    *known = restoring || strcmp(argv[0], "backup") == 0;
    if (!*known)
        return FAILED;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return backup_command_help(argv[0], stdout) ? DONE : FAILED;
    if (!parse(&options, argc, argv, restoring)) {
        backup_command_help(argv[0], stderr);
        return FAILED;
    }
    return restoring ? run_restore(&options) : run_backup(&options);
}
