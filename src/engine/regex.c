#include "engine/regex.h"

#include "engine/utf8.h"

/* Steps of one match. A match of a hostile pattern takes some 10 ms to use them up. */
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KB 16384

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
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    *regex = (struct regex){0};
}

static bool bad_pattern(struct fn_call *call, struct mr_str pattern)
{
    FN_BAD(call, "Invalid regular expression: " MR_STR_FMT, MR_STR_ARG(pattern));
    return false;
}

static bool compile(struct regex *regex, struct fn_call *call, struct mr_str pattern)
{
    pcre2_general_context *general = pcre2_general_context_create(regex_malloc, regex_free, NULL);
    pcre2_compile_context *how = pcre2_compile_context_create(general);
    struct mr_buf translated = MR_BUF_INIT;
    int error = 0;
    size_t where = 0;
    bool ok = general != NULL && how != NULL;

    if (ok && (pattern.len > REGEX_PATTERN_MAX || !regex_from_java(pattern, &translated))) {
        ok = false;
        if (mr_buf_ok(&translated))
            bad_pattern(call, pattern);
        else
            fn_fail(call, MR_ENOMEM, "out of memory");
        goto done;
    }
    if (ok) {
        pcre2_set_newline(how, PCRE2_NEWLINE_LF); /* the ancestor's library knows no other */
        struct mr_str text = mr_buf_view(&translated);
        regex->code = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                                    &error, &where, how);
        if (regex->code == NULL && error != PCRE2_ERROR_HEAP_FAILED) {
            ok = bad_pattern(call, pattern);
            goto done;
        }
        regex->match =
            regex->code != NULL ? pcre2_match_data_create_from_pattern(regex->code, general) : NULL;
        regex->context = pcre2_match_context_create(general);
        ok = regex->match != NULL && regex->context != NULL;
    }
    if (ok) {
        pcre2_set_match_limit(regex->context, MATCH_LIMIT);
        pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
        pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KB);
        pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
        regex->pattern = pattern;
    } else {
        fn_fail(call, MR_ENOMEM, "out of memory");
    }
done:
    mr_buf_release(&translated);
    pcre2_compile_context_free(how);
    pcre2_general_context_free(general);
    return ok;
}

bool regex_use(struct regex *regex, struct fn_call *call, struct mr_str pattern)
{
    if (regex->pattern.ptr != NULL && mr_str_eq(regex->pattern, pattern)) {
        if (!regex->reused)
            pcre2_jit_compile(regex->code,
                              PCRE2_JIT_COMPLETE); /* without it matching is slower, nothing else */
        regex->reused = true;
        return true;
    }
    regex_release(regex);
    return compile(regex, call, pattern);
}

bool regex_next(struct regex *regex, struct fn_call *call, struct mr_str s, size_t *at)
{
    if (*at > s.len || fn_stopped(call))
        return false;
    /* The subject is checked to be UTF-8 once, by the match that starts it. */
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)s.ptr, s.len, *at, *at > 0 ? PCRE2_NO_UTF_CHECK : 0,
                         regex->match, regex->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return false;
    if (rc < 0) {
        if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
            rc == PCRE2_ERROR_JIT_STACKLIMIT)
            fn_fail(call, MR_ELIMIT, "A regular expression needs more steps than the limit of %d",
                    MATCH_LIMIT);
        else if (rc == PCRE2_ERROR_NOMEMORY)
            fn_fail(call, MR_ENOMEM, "out of memory");
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
