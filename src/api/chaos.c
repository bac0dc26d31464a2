#include "api/chaos.h"

#include "base/clock.h"
#include "base/rand.h"

#include <pthread.h>
#include <stdlib.h>

#define MAX_DELAY_MS 60000
#define MAX_SKEW_S 31536000

static const char *const names[CHAOS_KINDS] = {"throttle", "fail", "delay", "reject", "empty"};

struct group {
    int op; /* enum model_op; MODEL_OP_NONE: every other one */
    double chance[CHAOS_KINDS];
    int64_t delay_ns;
};

struct plan {
    struct group groups[CHAOS_MAX_GROUPS];
    size_t ngroups;
    uint64_t seed;
    int64_t skew_ns;
};

struct api_chaos {
    pthread_mutex_t lock;
    struct plan plan; /* under the lock, except skew_ns: atomic */
    struct mr_rng rng;
    bool unavailable; /* which of the two the next failure is */
    char text[CHAOS_MAX_TEXT + 1];
    bool on;                      /* atomic: a server without chaos takes no lock */
    uint64_t counts[CHAOS_KINDS]; /* atomic */
};

int api_chaos_new(struct api_chaos **out)
{
    *out = mr_calloc(1, sizeof **out);
    if (*out == NULL)
        return MR_ENOMEM;
    pthread_mutex_init(&(*out)->lock, NULL);
    return MR_OK;
}

void api_chaos_free(struct api_chaos *chaos)
{
    if (chaos == NULL)
        return;
    pthread_mutex_destroy(&chaos->lock);
    mr_free(chaos);
}

/* Digits, with a fraction or without: 0 to 1. */
static bool parse_chance(struct mr_str text, double *out)
{
    char copy[32], *end;
    if (text.len == 0 || text.len >= sizeof copy || text.ptr[0] < '0' || text.ptr[0] > '1')
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (strspn(copy, "0123456789.") != text.len)
        return false;
    *out = strtod(copy, &end);
    return *end == '\0' && *out >= 0 && *out <= 1;
}

/* kind=P, or delay=P@MS */
static int parse_fault(struct mr_str text, struct group *g, struct mr_error *err)
{
    size_t eq = mr_str_find(text, '=', 0), at = mr_str_find(text, '@', eq);
    struct mr_str name = mr_str_slice(text, 0, eq), chance = mr_str_slice(text, eq + 1, at);
    int64_t ms = 0;
    int kind = 0;
    while (kind < CHAOS_KINDS && !mr_str_eq(name, mr_str_of(names[kind])))
        kind++;
    if (kind == CHAOS_KINDS)
        return mr_error_set(err, MR_EINVAL,
                            "chaos: '" MR_STR_FMT "' is none of throttle, fail, delay, reject, empty",
                            MR_STR_ARG(name));
    if (eq == text.len || !parse_chance(chance, &g->chance[kind]))
        return mr_error_set(err, MR_EINVAL, "chaos: %s needs a probability from 0 to 1", names[kind]);
    if ((kind == CHAOS_DELAY) != (at < text.len))
        return mr_error_set(err, MR_EINVAL,
                            "chaos: delay, and nothing else, is written PROBABILITY@MILLISECONDS");
    if (kind == CHAOS_DELAY &&
        (!mr_str_to_i64(mr_str_slice(text, at + 1, text.len), &ms) || ms < 1 || ms > MAX_DELAY_MS))
        return mr_error_set(err, MR_EINVAL, "chaos: a delay has 1 to %d milliseconds", MAX_DELAY_MS);
    g->delay_ns = kind == CHAOS_DELAY ? ms * MR_NS_PER_MS : g->delay_ns;
    if ((kind == CHAOS_REJECT && g->op != MODEL_OP_WRITE_RECORDS && g->op != MODEL_OP_NONE) ||
        (kind == CHAOS_EMPTY && g->op != MODEL_OP_QUERY && g->op != MODEL_OP_NONE))
        return mr_error_set(err, MR_EINVAL, "chaos: %s is for %s only", names[kind],
                            kind == CHAOS_REJECT ? "WriteRecords" : "Query");
    return MR_OK;
}

/* OPERATION:faults */
static int parse_group(struct mr_str text, size_t colon, struct plan *plan, struct mr_error *err)
{
    struct mr_str name = mr_str_trim(mr_str_slice(text, 0, colon));
    struct mr_str faults = mr_str_slice(text, colon + 1, text.len);
    if (plan->ngroups == CHAOS_MAX_GROUPS)
        return mr_error_set(err, MR_EINVAL, "chaos: more than %d groups", CHAOS_MAX_GROUPS);
    struct group *g = &plan->groups[plan->ngroups++];
    *g = (struct group){.op = MODEL_OP_NONE};
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++)
        if (mr_str_eq(model_operation((enum model_op)op)->name, name))
            g->op = op;
    if (g->op == MODEL_OP_NONE && !mr_str_eq(name, MR_STR("*")))
        return mr_error_set(err, MR_EINVAL, "chaos: '" MR_STR_FMT "' is no operation", MR_STR_ARG(name));
    for (size_t from = 0; from <= faults.len;) {
        size_t end = mr_str_find(faults, ',', from);
        int status = parse_fault(mr_str_trim(mr_str_slice(faults, from, end)), g, err);
        if (status != MR_OK)
            return status;
        from = end + 1;
    }
    return MR_OK;
}

static int parse_part(struct mr_str text, struct plan *plan, struct mr_error *err)
{
    size_t colon = mr_str_find(text, ':', 0), eq = mr_str_find(text, '=', 0);
    struct mr_str name = mr_str_slice(text, 0, eq), value = mr_str_slice(text, eq + 1, text.len);
    int64_t seconds;
    if (colon < text.len)
        return parse_group(text, colon, plan, err);
    if (mr_str_eq(name, MR_STR("seed")) && mr_str_to_u64(value, &plan->seed))
        return MR_OK;
    if (!mr_str_eq(name, MR_STR("skew")) || !mr_str_to_i64(value, &seconds) || seconds < -MAX_SKEW_S ||
        seconds > MAX_SKEW_S)
        return mr_error_set(err, MR_EINVAL,
                            "chaos: '" MR_STR_FMT "' is none of OPERATION:..., seed=N, skew=SECONDS",
                            MR_STR_ARG(text));
    plan->skew_ns = seconds * MR_NS_PER_S;
    return MR_OK;
}

int api_chaos_set(struct api_chaos *chaos, struct mr_str text, struct mr_error *err)
{
    struct plan plan = {0};
    if (text.len > CHAOS_MAX_TEXT || memchr(text.ptr != NULL ? text.ptr : "", '\0', text.len) != NULL)
        return mr_error_set(err, MR_EINVAL, "chaos: more than %d bytes", CHAOS_MAX_TEXT);
    for (size_t from = 0; from < text.len;) {
        size_t end = mr_str_find(text, ';', from);
        struct mr_str part = mr_str_trim(mr_str_slice(text, from, end));
        int status = part.len > 0 ? parse_part(part, &plan, err) : MR_OK;
        if (status != MR_OK)
            return status;
        from = end + 1;
    }
    pthread_mutex_lock(&chaos->lock);
    int64_t skew = plan.skew_ns;
    plan.skew_ns = chaos->plan.skew_ns;
    chaos->plan = plan;
    __atomic_store_n(&chaos->plan.skew_ns, skew, __ATOMIC_RELAXED);
    chaos->rng.state = plan.seed;
    chaos->unavailable = false;
    if (text.ptr != NULL && text.len > 0)
        memcpy(chaos->text, text.ptr, text.len);
    chaos->text[text.len] = '\0';
    __atomic_store_n(&chaos->on, plan.ngroups > 0 || skew != 0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&chaos->lock);
    return MR_OK;
}

void api_chaos_text(struct api_chaos *chaos, struct mr_buf *out)
{
    pthread_mutex_lock(&chaos->lock);
    mr_buf_str(out, mr_str_of(chaos->text));
    pthread_mutex_unlock(&chaos->lock);
}

bool api_chaos_on(const struct api_chaos *chaos)
{
    return __atomic_load_n(&chaos->on, __ATOMIC_ACQUIRE);
}

int64_t api_chaos_skew_ns(const struct api_chaos *chaos)
{
    return __atomic_load_n(&chaos->plan.skew_ns, __ATOMIC_RELAXED);
}

/* Under the lock. */
static const struct group *group_of(const struct api_chaos *chaos, enum model_op op)
{
    const struct group *rest = NULL;
    for (size_t i = 0; i < chaos->plan.ngroups; i++) {
        if (chaos->plan.groups[i].op == (int)op)
            return &chaos->plan.groups[i];
        if (rest == NULL && chaos->plan.groups[i].op == MODEL_OP_NONE)
            rest = &chaos->plan.groups[i];
    }
    return rest;
}

/* Under the lock. Draws only where there is a chance, so that other faults do not shift a seed's sequence. */
static bool happens(struct api_chaos *chaos, const struct group *g, enum api_chaos_kind kind)
{
    bool does = g->chance[kind] > 0 && mr_rng_unit(&chaos->rng) < g->chance[kind];
    if (does)
        __atomic_add_fetch(&chaos->counts[kind], 1, __ATOMIC_RELAXED);
    return does;
}

struct api_chaos_fate api_chaos_draw(struct api_chaos *chaos, enum model_op op)
{
    struct api_chaos_fate fate = {0};
    if (!api_chaos_on(chaos))
        return fate;
    pthread_mutex_lock(&chaos->lock);
    const struct group *g = group_of(chaos, op);
    if (g != NULL) {
        fate.delay_ns = happens(chaos, g, CHAOS_DELAY) ? g->delay_ns : 0;
        fate.throttle = happens(chaos, g, CHAOS_THROTTLE);
        fate.fail = !fate.throttle && happens(chaos, g, CHAOS_FAIL);
        fate.empty = op == MODEL_OP_QUERY && !fate.throttle && !fate.fail && happens(chaos, g, CHAOS_EMPTY);
        fate.unavailable = chaos->unavailable;
        chaos->unavailable ^= fate.fail;
    }
    pthread_mutex_unlock(&chaos->lock);
    return fate;
}

bool api_chaos_rejects(struct api_chaos *chaos)
{
    if (!api_chaos_on(chaos))
        return false;
    pthread_mutex_lock(&chaos->lock);
    const struct group *g = group_of(chaos, MODEL_OP_WRITE_RECORDS);
    bool rejects = g != NULL && happens(chaos, g, CHAOS_REJECT);
    pthread_mutex_unlock(&chaos->lock);
    return rejects;
}

uint64_t api_chaos_count(const struct api_chaos *chaos, enum api_chaos_kind kind)
{
    return __atomic_load_n(&chaos->counts[kind], __ATOMIC_RELAXED);
}

const char *api_chaos_name(enum api_chaos_kind kind)
{
    return names[kind];
}
