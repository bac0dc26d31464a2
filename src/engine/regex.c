#include "engine/regex.h"

#include "engine/utf8.h"

/* A step of the engine costs at most one look at the whole text: so many of both are some milliseconds. */
#define FIRST_TRY ((uint64_t)1 << 22)
#define FIRST_TRY_LEAST 1000
#define STEP_LIMIT 100000000
#define HEAP_LIMIT_KB 65536
#define JIT_STACK_LEAST ((size_t)32 << 10)
#define JIT_STACK_MOST ((size_t)HEAP_LIMIT_KB << 10)

static void *regex_malloc(size_t size, void *unused)
{
    MR_UNUSED(unused);
    return mr_malloc(size);
}

static void regex_free(void *ptr, void *unused)
{
    MR_UNUSED(unused);
    mr_free(ptr);
}

void regex_release(struct regex *regex)
{
    pcre2_match_context_free(regex->context);
    pcre2_jit_stack_free(regex->stack);
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    pcre2_code_free(regex->checked);
    *regex = (struct regex){0};
}

static bool no_memory(struct fn_call *call)
{
    fn_fail(call, MR_ENOMEM, "out of memory");
    return false;
}

static bool bad_pattern(struct fn_call *call, struct mr_str pattern)
{
    FN_BAD(call, "Invalid regular expression: " MR_STR_FMT, MR_STR_ARG(pattern));
    return false;
}

/* The pattern as PCRE2's code; false: the call has failed. */
static bool compile_code(struct fn_call *call, struct mr_str pattern, uint32_t options, pcre2_code **out)
{
    pcre2_general_context *general = pcre2_general_context_create(regex_malloc, regex_free, NULL);
    pcre2_compile_context *how = pcre2_compile_context_create(general);
    struct mr_buf translated = MR_BUF_INIT;
    int error = PCRE2_ERROR_HEAP_FAILED;
    size_t where = 0;
    bool ok = general != NULL && how != NULL;

    if (ok && (pattern.len > REGEX_PATTERN_MAX || !regex_from_java(pattern, &translated))) {
        ok = mr_buf_ok(&translated) ? bad_pattern(call, pattern) : no_memory(call);
    } else if (ok) {
        pcre2_set_newline(how, PCRE2_NEWLINE_LF); /* the ancestor's library knows no other */
        struct mr_str text = mr_buf_view(&translated);
        *out = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | options,
                             &error, &where, how);
        ok = *out != NULL;
        if (!ok)
            ok = error == PCRE2_ERROR_HEAP_FAILED ? no_memory(call) : bad_pattern(call, pattern);
    } else {
        ok = no_memory(call);
    }
    mr_buf_release(&translated);
    pcre2_compile_context_free(how);
    pcre2_general_context_free(general);
    return ok;
}

static bool compile(struct regex *regex, struct fn_call *call, struct mr_str pattern)
{
    if (!compile_code(call, pattern, 0, &regex->code))
        return false;
    pcre2_general_context *general = pcre2_general_context_create(regex_malloc, regex_free, NULL);
    bool ok = general != NULL;
    if (ok) {
        regex->match = pcre2_match_data_create_from_pattern(regex->code, general);
        regex->context = pcre2_match_context_create(general);
        ok = regex->match != NULL && regex->context != NULL;
    }
    pcre2_general_context_free(general);
    if (!ok)
        return no_memory(call);
    pcre2_set_depth_limit(regex->context, UINT32_MAX); /* the heap's limit bounds the depth */
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KB);
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
    regex->pattern = pattern;
    return true;
}

/* Without it matching is slower, nothing else. */
static void compile_jit(struct regex *regex, pcre2_code *code)
{
    if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0 || regex->stack != NULL)
        return;
    regex->stack = pcre2_jit_stack_create(JIT_STACK_LEAST, JIT_STACK_MOST, NULL);
    if (regex->stack != NULL)
        pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
}

bool regex_use(struct regex *regex, struct fn_call *call, struct mr_str pattern)
{
    if (regex->pattern.ptr != NULL && mr_str_eq(regex->pattern, pattern)) {
        if (!regex->reused)
            compile_jit(regex, regex->code);
        regex->reused = true;
        return true;
    }
    regex_release(regex);
    return compile(regex, call, pattern);
}

/* ---- matching ---- */

struct steps {
    struct fn_call *call;
    uint64_t done, until_look, between_looks;
};

static int each_step(pcre2_callout_block *block, void *data)
{
    struct steps *steps = data;

    MR_UNUSED(block);
    if (--steps->until_look > 0)
        return 0;
    steps->until_look = steps->between_looks;
    steps->done += steps->between_looks;
    return fn_stopped(steps->call) || steps->done > STEP_LIMIT ? PCRE2_ERROR_CALLOUT : 0;
}

static bool gave_up(int rc)
{
    return rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_JIT_STACKLIMIT;
}

/* The match once more, by steps that are looked at. */
static int match_checked(struct regex *regex, struct fn_call *call, struct mr_str s, size_t at)
{
    struct steps steps = {.call = call, .between_looks = 1 + (FIRST_TRY >> 10) / (s.len + 1)};

    if (regex->checked == NULL) {
        if (!compile_code(call, regex->pattern, PCRE2_AUTO_CALLOUT, &regex->checked))
            return PCRE2_ERROR_CALLOUT;
        compile_jit(regex, regex->checked);
    }
    steps.until_look = steps.between_looks;
    pcre2_set_match_limit(regex->context, UINT32_MAX);
    pcre2_set_callout(regex->context, each_step, &steps);
    int rc = pcre2_match(regex->checked, (PCRE2_SPTR)s.ptr, s.len, at, PCRE2_NO_UTF_CHECK, regex->match,
                         regex->context);
    pcre2_set_callout(regex->context, NULL, NULL);
    return rc;
}

static int match_at(struct regex *regex, struct fn_call *call, struct mr_str s, size_t at)
{
    uint64_t limit = FIRST_TRY / (s.len + 1);

    pcre2_set_match_limit(regex->context, limit > FIRST_TRY_LEAST ? (uint32_t)limit : FIRST_TRY_LEAST);
    /* The subject is checked to be UTF-8 once, by the match that starts it. */
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)s.ptr, s.len, at, at > 0 ? PCRE2_NO_UTF_CHECK : 0,
                         regex->match, regex->context);
    return gave_up(rc) ? match_checked(regex, call, s, at) : rc;
}

bool regex_next(struct regex *regex, struct fn_call *call, struct mr_str s, size_t *at)
{
    if (*at > s.len || fn_stopped(call))
        return false;
    int rc = match_at(regex, call, s, *at);
    if (rc == PCRE2_ERROR_NOMATCH || call->failed)
        return false;
    if (rc < 0) {
        if (rc == PCRE2_ERROR_CALLOUT || rc == PCRE2_ERROR_MATCHLIMIT)
            fn_fail(call, MR_ELIMIT, "A regular expression needs more steps than the limit of %d",
                    STEP_LIMIT);
        else if (gave_up(rc))
            fn_fail(call, MR_ELIMIT, "A regular expression needs more memory than the limit of %d KiB",
                    HEAP_LIMIT_KB);
        else if (rc == PCRE2_ERROR_NOMEMORY)
            no_memory(call);
        else
            fn_fail(call, MR_EINTERNAL, "regular expression fails with %d", rc);
        return false;
    }
    const size_t *offsets = pcre2_get_ovector_pointer(regex->match);
    *at = offsets[1];
    if (offsets[1] <= offsets[0]) /* an empty match (\K can even turn it round): go on one further */
        *at += *at < s.len ? utf8_step(s, *at) : 1;
    return true;
}

struct mr_str regex_group(const struct regex *regex, struct mr_str s, uint32_t g)
{
    const size_t *offsets = pcre2_get_ovector_pointer(regex->match);
    size_t from = offsets[2 * g], to = offsets[2 * g + 1];

    if (from == PCRE2_UNSET || to < from || to > s.len)
        return MR_STR_NULL;
    return (struct mr_str){s.ptr + from, to - from};
}
