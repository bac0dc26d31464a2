#include "care/scrub.h"

#include "base/log.h"
#include "care/segment.h"
#include "store/local.h"
#include "store/names.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SETTING "scrub-ended" /* in the catalog: wall ns, as 8 bytes */
#define LOWEST_NICE 19
#define FIRST_PAUSE_NS (60 * MR_NS_PER_S) /* after a start, other things come first */
#define IO_IDLE (3 << 13)                 /* ioprio_set: the class that gets what others leave */

struct care_scrub {
    struct care_scrub_options options;
    struct store_local local;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool stopping, asked; /* asked: for a pass, or for speed */
    struct care_scrub_state state;
    struct mr_arena kept; /* texts of the findings */
    struct care_scrub_finding findings[CARE_SCRUB_FINDINGS];
    /* the thread's own */
    int64_t pace_begin; /* monotonic, and bytes read since */
    uint64_t pace_bytes;
    char name[64]; /* of the file at hand */
    uint64_t table;
};

/* ---- waiting ----------------------------------------------------------------------------------------- */

/* Until the time (INT64_MAX: for ever), or until somebody asks or stops. Under the lock. */
static void wait_until(struct care_scrub *s, int64_t mono, bool asked_too)
{
    struct timespec until = {mono / MR_NS_PER_S, mono % MR_NS_PER_S};
    int rc = 0;
    while (!s->stopping && !(asked_too && s->asked) && rc != ETIMEDOUT)
        rc = mono == INT64_MAX ? pthread_cond_wait(&s->wake, &s->lock)
                               : pthread_cond_clockwait(&s->wake, &s->lock, CLOCK_MONOTONIC, &until);
}

/* The machine's clock: a test may set the store's. */
static int64_t mono_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MR_NS_PER_S + now.tv_nsec;
}

/* Counts bytes of the pass and waits as the rate demands; false: stop. */
static bool on_step(void *ctx, uint64_t bytes)
{
    struct care_scrub *s = ctx;
    uint64_t rate = s->options.bytes_per_second;
    pthread_mutex_lock(&s->lock);
    s->state.done += bytes;
    s->state.bytes += bytes;
    s->pace_bytes += bytes;
    if (rate != 0)
        wait_until(s, s->pace_begin + (int64_t)((double)s->pace_bytes / (double)rate * (double)MR_NS_PER_S),
                   true);
    bool go_on = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

/* ---- findings ---------------------------------------------------------------------------------------- */

static void on_fault(void *ctx, const char *text)
{
    struct care_scrub *s = ctx;
    mr_log(MR_LOG_ERROR, "scrub_damage", "file=%s table=%llu text=\"%s\"", s->name,
           (unsigned long long)s->table, text);
    pthread_mutex_lock(&s->lock);
    s->state.damaged++;
    if (s->state.nfindings < CARE_SCRUB_FINDINGS) {
        struct care_scrub_finding *f = &s->findings[s->state.nfindings];
        f->file = mr_arena_dup(&s->kept, mr_str_of(s->name));
        f->table = s->table != 0 ? mr_arena_printf(&s->kept, "%llu", (unsigned long long)s->table)
                                 : mr_arena_dup(&s->kept, MR_STR(""));
        f->text = mr_arena_dup(&s->kept, mr_str_of(text));
        s->state.nfindings += f->file.ptr != NULL && f->table.ptr != NULL && f->text.ptr != NULL;
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- one file ---------------------------------------------------------------------------------------- */

/* Is it the file that is wrong, and not the moment? One that a merge has replaced may be gone, one whose key
 * is not at hand cannot be read, and a lack of memory passes. */
static bool is_damage(struct care_scrub *s, const struct magstore_file *f, int status)
{
    return (status == MR_ECORRUPT || status == MR_ENOENT || status == MR_EIO) &&
           seal_keyring_usable(s->local.keyring, f->database, NULL) == MR_OK &&
           store_local_names(s->options.store, f);
}

/* False: stop. */
static bool scrub_file(struct care_scrub *s, const struct magstore_file *f)
{
    struct mr_error err = MR_ERROR_INIT;
    int status;
    magstore_file_name(f->kind, f->number, s->name);
    s->table = f->table;
    if (seal_keyring_usable(s->local.keyring, f->database, NULL) != MR_OK)
        return on_step(s, f->size);
    if (f->kind == MAGSTORE_NAMES) {
        status = names_read(s->local.io, s->local.files_dir, s->local.keyring, f, NULL, INT64_MIN, &err);
    } else {
        struct care_segment segment = {
            .place = {s->local.io, s->local.files_dir, s->local.keyring, f->database, f->table, f->number},
            .file = f,
            .ctx = s,
            .fault = on_fault,
            .step = on_step,
        };
        status = care_segment_check(&segment, &err);
    }
    if (is_damage(s, f, status))
        on_fault(s, err.text);
    if (status == MR_ECANCEL)
        return false;
    return (status == MR_OK && f->kind == MAGSTORE_SEGMENT) || on_step(s, f->size);
}

/* ---- manifest, keyring, catalog ---------------------------------------------------------------------- */

static void scrub_manifest(struct care_scrub *s, const struct magstore_manifest *m)
{
    char path[4096];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_manifest stored = MAGSTORE_MANIFEST_INIT, now = MAGSTORE_MANIFEST_INIT;
    magstore_manifest_name(m->generation, s->name);
    s->table = 0;
    if (m->generation == 0 ||
        (size_t)snprintf(path, sizeof path, "%s/%s", s->local.files_dir, s->name) >= sizeof path)
        return;
    int status = mr_io_read_file(s->local.io, path, (size_t)256 << 20, &bytes, &err);
    if (status == MR_OK)
        status = magstore_manifest_decode(mr_buf_view(&bytes), &stored, &err);
    /* Two commits later it is rightly gone. */
    bool current = store_local_manifest(s->options.store, &now) == MR_OK && now.generation == m->generation;
    if (current && (status == MR_ECORRUPT || status == MR_ENOENT || status == MR_EIO))
        on_fault(s, err.text);
    magstore_manifest_release(&stored);
    magstore_manifest_release(&now);
    mr_buf_release(&bytes);
}

/* The one file without which nothing can be read after the next start, while this process still has its keys.
 */
static void scrub_keyring(struct care_scrub *s)
{
    char path[4096];
    struct seal_keyring *again;
    struct mr_error err = MR_ERROR_INIT;
    if ((size_t)snprintf(path, sizeof path, "%s/keys/keyring", s->local.dir) >= sizeof path)
        return;
    snprintf(s->name, sizeof s->name, "keyring");
    s->table = 0;
    if (access(path, F_OK) != 0) { /* an open would make one */
        on_fault(s, "it is not there");
        return;
    }
    *strrchr(path, '/') = '\0';
    int status = seal_keyring_open(s->local.io, path, &again, &err);
    if (status == MR_OK)
        seal_keyring_close(again);
    else if (status == MR_ECORRUPT || status == MR_EIO || status == MR_EDENIED)
        on_fault(s, err.text);
}

static void scrub_catalog(struct care_scrub *s)
{
    struct mr_error err = MR_ERROR_INIT;
    snprintf(s->name, sizeof s->name, "catalog.sqlite");
    s->table = 0;
    int status = catalog_verify(s->options.catalog, &err);
    if (status == MR_ECORRUPT || status == MR_EIO)
        on_fault(s, err.text);
}

/* ---- passes ------------------------------------------------------------------------------------------ */

static void begin_pass(struct care_scrub *s, const struct magstore_manifest *m)
{
    pthread_mutex_lock(&s->lock);
    mr_arena_reset(&s->kept);
    s->state.running = true;
    s->state.pass++;
    s->state.done = s->state.total = s->state.damaged = 0;
    s->state.nfindings = 0;
    s->state.began = mr_clock_wall(&mr_clock_system);
    for (size_t i = 0; i < m->nfiles; i++)
        s->state.total += m->files[i].size;
    s->pace_begin = mono_now();
    s->pace_bytes = 0;
    pthread_mutex_unlock(&s->lock);
}

static void end_pass(struct care_scrub *s, bool whole, size_t files, int64_t began)
{
    int64_t ended = mr_clock_wall(&mr_clock_system);
    struct mr_error err = MR_ERROR_INIT;
    pthread_mutex_lock(&s->lock);
    s->state.running = false;
    s->asked = false;
    s->state.passes += whole;
    s->state.ended = whole ? ended : s->state.ended;
    struct care_scrub_state state = s->state;
    pthread_mutex_unlock(&s->lock);
    if (!whole)
        return;
    mr_log(state.damaged != 0 ? MR_LOG_ERROR : MR_LOG_INFO, "scrubbed",
           "files=%zu bytes=%llu damaged=%llu ms=%lld", files, (unsigned long long)state.done,
           (unsigned long long)state.damaged, (long long)((mono_now() - began) / MR_NS_PER_MS));
    if (catalog_setting_put(s->options.catalog, SETTING, (struct mr_str){(const char *)&ended, sizeof ended},
                            &err) != MR_OK)
        mr_log(MR_LOG_WARN, "scrub_not_noted", "text=\"%s\"", err.text);
}

/* False: not whole, for want of memory or because of a stop. */
static bool run_pass(struct care_scrub *s)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    int64_t began = mono_now();
    if (store_local_manifest(s->options.store, &m) != MR_OK)
        return false;
    begin_pass(s, &m);
    scrub_keyring(s);
    scrub_catalog(s);
    scrub_manifest(s, &m);
    bool whole = true;
    for (size_t i = 0; i < m.nfiles && whole; i++)
        whole = scrub_file(s, &m.files[i]);
    end_pass(s, whole, m.nfiles, began);
    magstore_manifest_release(&m);
    return whole;
}

/* When the next pass is due, monotonic. */
static int64_t due_at(struct care_scrub *s)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str value;
    int64_t last = 0, now = mr_clock_wall(&mr_clock_system), left = 0;
    if (s->options.every_ns == 0)
        return INT64_MAX;
    if (catalog_setting_get(s->options.catalog, SETTING, &arena, &value) == MR_OK && value.len == sizeof last)
        memcpy(&last, value.ptr, sizeof last);
    mr_arena_release(&arena);
    if (last <= now && now - last < s->options.every_ns) /* one in the future says nothing */
        left = s->options.every_ns - (now - last);
    return mono_now() + (left > FIRST_PAUSE_NS ? left : FIRST_PAUSE_NS);
}

static void *loop(void *arg)
{
    struct care_scrub *s = arg;
    pid_t tid = (pid_t)syscall(SYS_gettid);
    if (setpriority(PRIO_PROCESS, (id_t)tid, LOWEST_NICE) != 0 ||
        syscall(SYS_ioprio_set, 1 /* a thread */, tid, IO_IDLE) != 0)
        mr_log(MR_LOG_WARN, "scrub_priority", "text=\"%s\"", strerror(errno));
    for (;;) {
        int64_t due = due_at(s);
        pthread_mutex_lock(&s->lock);
        wait_until(s, due, true);
        bool stop = s->stopping;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return NULL;
        run_pass(s);
    }
}

int care_scrub_start(const struct care_scrub_options *options, struct care_scrub **out, struct mr_error *err)
{
    struct care_scrub *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the scrub");
    s->options = *options;
    s->kept = (struct mr_arena)MR_ARENA_INIT;
    store_local(options->store, &s->local);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    int e = pthread_create(&s->thread, NULL, loop, s);
    if (e != 0) {
        mr_free(s);
        return mr_error_errno(err, MR_EIO, e, "cannot start the scrub");
    }
    *out = s;
    return MR_OK;
}

void care_scrub_stop(struct care_scrub *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    mr_arena_release(&s->kept);
    mr_free(s);
}

uint64_t care_scrub_now(struct care_scrub *s)
{
    pthread_mutex_lock(&s->lock);
    s->asked = true;
    uint64_t pass = s->state.pass + !s->state.running;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    return pass;
}

int care_scrub_state(struct care_scrub *s, struct mr_arena *arena, struct care_scrub_state *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->state;
    out->findings = NULL;
    size_t n = arena != NULL ? s->state.nfindings : 0;
    if (n != 0)
        out->findings = MR_ARENA_ARRAY(arena, n, struct care_scrub_finding);
    for (size_t i = 0; i < n && out->findings != NULL; i++)
        out->findings[i] = (struct care_scrub_finding){mr_arena_dup(arena, s->findings[i].file),
                                                       mr_arena_dup(arena, s->findings[i].table),
                                                       mr_arena_dup(arena, s->findings[i].text)};
    pthread_mutex_unlock(&s->lock);
    return arena != NULL && arena->failed ? MR_ENOMEM : MR_OK;
}
