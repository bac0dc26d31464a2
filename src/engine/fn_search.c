/* Searching, splitting, replacing and comparing strings (query-language reference 6.6). */
#include <inttypes.h>

#include "engine/fn.h"
#include "engine/utf8.h"

/* Levenshtein's table is as large as the product of the lengths, and so is its time. */
#define LEVENSHTEIN_MAX 1000000

/* Offset of `what` at or after `from`; SIZE_MAX when there is none. */
static size_t find(struct mr_str s, struct mr_str what, size_t from)
{
    if (what.len > s.len || from > s.len - what.len)
        return SIZE_MAX;
    const char *hit = memmem(s.ptr + from, s.len - from, what.ptr, what.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.ptr);
}

/* Offset of the last `what` that starts before `end`; also SIZE_MAX when the run was stopped meanwhile. */
static size_t find_last(struct fn_call *call, struct mr_str s, struct mr_str what, size_t end)
{
    if (what.len > s.len)
        return SIZE_MAX;
    size_t at = s.len - what.len + 1 < end ? s.len - what.len + 1 : end;
    while (at-- > 0) {
        if (s.ptr[at] != what.ptr[0])
            continue;
        if (memcmp(s.ptr + at, what.ptr, what.len) == 0)
            return at;
        if (fn_worked(call, what.len))
            break;
    }
    return SIZE_MAX;
}

static bool good_instance(struct fn_call *call, int64_t instance)
{
    if (instance > 0)
        return true;
    FN_BAD(call, "'instance' must be a positive number.");
    return false;
}

static void f_strpos(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), what = fn_str(call, 1, i);
        int64_t instance = FN_ARG(call, int64_t, 2)[i];
        if (!good_instance(call, instance))
            return;
        size_t at = what.len == 0 ? 0 : find(s, what, 0);
        while (what.len > 0 && at != SIZE_MAX && --instance > 0)
            at = fn_worked(call, what.len) ? SIZE_MAX : find(s, what, at + utf8_step(s, at));
        FN_OUT(call, int64_t)[i] = at == SIZE_MAX ? 0 : (int64_t)mr_utf8_length(mr_str_slice(s, 0, at)) + 1;
    }
}

static void f_strrpos(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), what = fn_str(call, 1, i);
        int64_t instance = FN_ARG(call, int64_t, 2)[i];
        if (!good_instance(call, instance))
            return;
        size_t at = what.len == 0 ? s.len : find_last(call, s, what, s.len);
        while (what.len > 0 && at != SIZE_MAX && --instance > 0)
            at = find_last(call, s, what, at);
        FN_OUT(call, int64_t)[i] = at == SIZE_MAX ? 0 : (int64_t)mr_utf8_length(mr_str_slice(s, 0, at)) + 1;
    }
}

/* ---- replace
 * ------------------------------------------------------------------------------------------------- */

static bool over_limit(struct fn_call *call)
{
    if (call->scratch.len <= call->value_limit && mr_buf_ok(&call->scratch))
        return false;
    fn_charge(call, call->scratch.len);
    return true;
}

/* An empty search: the replacement before every code point and at the end. */
static bool interleave(struct fn_call *call, struct mr_str s, struct mr_str with)
{
    for (size_t at = 0; at < s.len; at += utf8_step(s, at)) {
        mr_buf_str(&call->scratch, with);
        mr_buf_str(&call->scratch, mr_str_slice(s, at, at + utf8_step(s, at)));
        if (over_limit(call))
            return false;
    }
    mr_buf_str(&call->scratch, with);
    return true;
}

static bool replace(struct fn_call *call, struct mr_str s, struct mr_str what, struct mr_str with)
{
    size_t from = 0;

    for (size_t at = find(s, what, 0); at != SIZE_MAX; at = find(s, what, from)) {
        mr_buf_str(&call->scratch, mr_str_slice(s, from, at));
        mr_buf_str(&call->scratch, with);
        from = at + what.len;
        if (over_limit(call))
            return false;
    }
    mr_buf_str(&call->scratch, mr_str_slice(s, from, s.len));
    return true;
}

static void f_replace(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), what = fn_str(call, 1, i), with = fn_str(call, 2, i);
        call->scratch.len = 0;
        bool done = what.len == 0 ? interleave(call, s, with) : replace(call, s, what, with);
        if (!done || !mr_buf_ok(&call->scratch) || !fn_put_str(call, i, mr_buf_view(&call->scratch)))
            return;
    }
}

/* ---- split
 * --------------------------------------------------------------------------------------------------- */

static bool add_part(struct fn_list_out *list, struct mr_str part)
{
    if (!fn_list_room(list, 1, 16 + part.len))
        return false;
    vector_put_str(list->child, list->size++, part);
    return true;
}

static bool split(struct fn_list_out *list, struct mr_str s, struct mr_str by, int64_t limit)
{
    size_t from = 0;

    while (limit-- > 1) {
        size_t at = find(s, by, from);
        if (at == SIZE_MAX)
            break;
        if (!add_part(list, mr_str_slice(s, from, at)))
            return false;
        from = at + by.len;
    }
    return add_part(list, mr_str_slice(s, from, s.len));
}

static void split_rows(struct fn_call *call, const int64_t *limits)
{
    struct fn_list_out list = fn_list_out(call, 0);

    FN_EACH(call, i)
    {
        struct mr_str by = fn_str(call, 1, i);
        if (by.len == 0) {
            FN_BAD(call, "The delimiter may not be the empty string");
            return;
        }
        if (limits != NULL && limits[i] <= 0) {
            FN_BAD(call, "Limit must be positive");
            return;
        }
        if (!split(&list, fn_str(call, 0, i), by, limits != NULL ? limits[i] : INT64_MAX) || fn_stopped(call))
            return;
        fn_list_end(&list, i);
    }
    fn_list_finish(&list);
}

static void f_split(struct fn_call *call)
{
    split_rows(call, NULL);
}

static void f_split_n(struct fn_call *call)
{
    split_rows(call, FN_ARG(call, int64_t, 2));
}

/* The n-th part (from 1); NULL view: there are fewer. An empty delimiter makes every code point a part. */
static struct mr_str nth_part(struct mr_str s, struct mr_str by, int64_t n)
{
    size_t from = 0;

    if (by.len == 0) {
        from = utf8_skip(s, 0, (uint64_t)n - 1);
        return from < s.len ? mr_str_slice(s, from, from + utf8_step(s, from)) : MR_STR_NULL;
    }
    for (;;) {
        size_t at = find(s, by, from);
        if (--n == 0)
            return mr_str_slice(s, from, at == SIZE_MAX ? s.len : at);
        if (at == SIZE_MAX)
            return MR_STR_NULL;
        from = at + by.len;
    }
}

static void f_split_part(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        int64_t n = FN_ARG(call, int64_t, 2)[i];
        if (n < 1) {
            FN_BAD(call, "Index must be greater than zero");
            return;
        }
        struct mr_str part = nth_part(fn_str(call, 0, i), fn_str(call, 1, i), n);
        if (part.ptr == NULL)
            fn_null(call, i);
        else if (!fn_put_str(call, i, part))
            return;
    }
}

/* ---- distances
 * ----------------------------------------------------------------------------------------------- */

static void f_hamming(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str a = fn_str(call, 0, i), b = fn_str(call, 1, i);
        size_t x = 0, y = 0;
        int64_t distance = 0;
        while (x < a.len && y < b.len) {
            distance += utf8_get(a, x) != utf8_get(b, y);
            x += utf8_step(a, x);
            y += utf8_step(b, y);
        }
        if (x < a.len || y < b.len) {
            FN_BAD(call, "The input strings to hamming_distance function must have the same length");
            return;
        }
        FN_OUT(call, int64_t)[i] = distance;
    }
}

/* One row of the table is enough: `line[j]` is the distance of a[..x] and b[..j]. */
static int64_t levenshtein(struct mr_str a, struct mr_str b, int32_t *line, uint32_t *points, size_t nb)
{
    int32_t x = 0;
    size_t k = 0;

    for (size_t at = 0; at < b.len; at += utf8_step(b, at))
        points[k++] = utf8_get(b, at);
    for (size_t j = 0; j <= nb; j++)
        line[j] = (int32_t)j;
    for (size_t at = 0; at < a.len; at += utf8_step(a, at)) {
        uint32_t c = utf8_get(a, at);
        int32_t diagonal = line[0];
        line[0] = ++x;
        for (size_t j = 1; j <= nb; j++) {
            int32_t best = diagonal + (points[j - 1] != c);
            diagonal = line[j];
            if (line[j] + 1 < best)
                best = line[j] + 1;
            if (line[j - 1] + 1 < best)
                best = line[j - 1] + 1;
            line[j] = best;
        }
    }
    return line[nb];
}

static void f_levenshtein(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str a = fn_str(call, 0, i), b = fn_str(call, 1, i);
        uint64_t na = mr_utf8_length(a), nb = mr_utf8_length(b);
        if (na * nb > LEVENSHTEIN_MAX) {
            FN_BAD(call, "The combined inputs size exceeded max Levenshtein distance limit: %" PRIu64 " > %d",
                   na * nb, LEVENSHTEIN_MAX);
            return;
        }
        if (fn_stopped(call))
            return;
        call->scratch.len = 0;
        int32_t *line = (int32_t *)(void *)mr_buf_reserve(&call->scratch, (nb + 1) * 8);
        if (line == NULL)
            return;
        FN_OUT(call, int64_t)[i] = levenshtein(a, b, line, (uint32_t *)(line + nb + 1), nb);
    }
}

/* ---- LIKE with an escape
 * ------------------------------------------------------------------------------------- */

/* The pattern's next element: a code point (escape removed), or one of the wildcards. */
enum like_kind { LIKE_CHAR, LIKE_ONE, LIKE_ANY };
struct like_item {
    enum like_kind kind;
    uint32_t point;
    size_t next; /* offset after it */
};

static struct like_item like_next(struct mr_str pattern, size_t at, uint32_t escape)
{
    struct like_item item = {LIKE_CHAR, utf8_get(pattern, at), at + utf8_step(pattern, at)};

    if (item.point == escape && item.next < pattern.len) { /* checked before: what follows may be escaped */
        item.point = utf8_get(pattern, item.next);
        item.next += utf8_step(pattern, item.next);
    } else if (item.point == '%') {
        item.kind = LIKE_ANY;
    } else if (item.point == '_') {
        item.kind = LIKE_ONE;
    }
    return item;
}

/* Greedy with one point to come back to: the last % seen. Time is at most the product of the lengths. */
static bool like(struct fn_call *call, struct mr_str s, struct mr_str pattern, uint32_t escape)
{
    size_t at = 0, p = 0, retry_s = SIZE_MAX, retry_p = 0;

    while (at < s.len) {
        struct like_item item = {LIKE_CHAR, UINT32_MAX, 0};
        if (p < pattern.len)
            item = like_next(pattern, p, escape);
        if (item.kind == LIKE_ANY) {
            retry_s = at;
            retry_p = p = item.next;
        } else if (item.kind == LIKE_ONE || item.point == utf8_get(s, at)) {
            at += utf8_step(s, at);
            p = item.next;
        } else if (retry_s != SIZE_MAX && !fn_worked(call, 1 + at - retry_s)) {
            retry_s += utf8_step(s, retry_s);
            at = retry_s;
            p = retry_p;
        } else {
            return false;
        }
    }
    while (p < pattern.len) {
        struct like_item item = like_next(pattern, p, escape);
        if (item.kind != LIKE_ANY)
            return false;
        p = item.next;
    }
    return true;
}

/* Every escape is followed by a wildcard or itself. */
static bool like_pattern_ok(struct mr_str pattern, uint32_t escape)
{
    for (size_t at = 0; at < pattern.len; at += utf8_step(pattern, at)) {
        if (utf8_get(pattern, at) != escape)
            continue;
        at += utf8_step(pattern, at);
        if (at >= pattern.len)
            return false;
        uint32_t c = utf8_get(pattern, at);
        if (c != '%' && c != '_' && c != escape)
            return false;
    }
    return true;
}

static void f_like_escape(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str pattern = fn_str(call, 1, i), escape = fn_str(call, 2, i);
        if (escape.len == 0 || utf8_step(escape, 0) != escape.len) {
            FN_BAD(call, "Escape string must be a single character");
            return;
        }
        if (!like_pattern_ok(pattern, utf8_get(escape, 0))) {
            FN_BAD(call, "Escape character must be followed by '%%', '_' or the escape character itself");
            return;
        }
        if (fn_stopped(call))
            return;
        FN_OUT(call, bool)[i] = like(call, fn_str(call, 0, i), pattern, utf8_get(escape, 0));
    }
}

const struct fn_impl fn_search_table[] = {
    {"mr_strpos", f_strpos},
    {"mr_strrpos", f_strrpos},
    {"mr_replace", f_replace},
    {"mr_split", f_split},
    {"mr_split_n", f_split_n},
    {"mr_split_part", f_split_part},
    {"mr_hamming_distance", f_hamming},
    {"mr_levenshtein_distance", f_levenshtein},
    {"mr_like_escape", f_like_escape},
    {NULL, NULL},
};
