/* Functions of one string that give another (query-language reference 6.6). Lengths count code points. */
#include <inttypes.h>

#include "engine/fn.h"
#include "engine/letters.h"
#include "engine/utf8.h"

static void f_concat(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        uint64_t total = 0;
        for (idx_t a = 0; a < call->nargs; a++) {
            const duckdb_string_t *s = duckdb_vector_get_data(duckdb_data_chunk_get_vector(call->in, a));
            total += vector_str(&s[i]).len;
        }
        if (total > call->value_limit) {
            fn_charge(call, total);
            return;
        }
        call->scratch.len = 0;
        for (idx_t a = 0; a < call->nargs; a++) {
            const duckdb_string_t *s = duckdb_vector_get_data(duckdb_data_chunk_get_vector(call->in, a));
            mr_buf_str(&call->scratch, vector_str(&s[i]));
        }
        if (!mr_buf_ok(&call->scratch) || !fn_put_str(call, i, mr_buf_view(&call->scratch)))
            return;
    }
}

static void f_chr(struct fn_call *call)
{
    const int64_t *point = FN_ARG(call, int64_t, 0);
    char text[4];

    FN_EACH(call, i)
    {
        int64_t c = point[i];
        if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
            FN_BAD(call, "Not a valid Unicode code point: %" PRId64, c);
            return;
        }
        if (!fn_put_str(call, i, (struct mr_str){text, utf8_put((uint32_t)c, text)}))
            return;
    }
}

static void f_codepoint(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        if (s.len == 0 || utf8_step(s, 0) != s.len) {
            FN_BAD(call, "Input string must be a single character string");
            return;
        }
        FN_OUT(call, int32_t)[i] = (int32_t)utf8_get(s, 0);
    }
}

static void f_length(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int64_t)[i] = (int64_t)mr_utf8_length(fn_str(call, 0, i));
}

static void change_case(struct fn_call *call, uint32_t (*map)(uint32_t c))
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        char text[4];
        call->scratch.len = 0;
        if (mr_buf_reserve(&call->scratch, s.len + 1) == NULL)
            return;
        for (size_t at = 0; at < s.len; at += utf8_step(s, at))
            mr_buf_add(&call->scratch, text, utf8_put(map(utf8_get(s, at)), text));
        if (!mr_buf_ok(&call->scratch) || !fn_put_str(call, i, mr_buf_view(&call->scratch)))
            return;
    }
}

static void f_lower(struct fn_call *call)
{
    change_case(call, letters_lower);
}

static void f_upper(struct fn_call *call)
{
    change_case(call, letters_upper);
}

static void f_reverse(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        call->scratch.len = 0;
        char *to = mr_buf_reserve(&call->scratch, s.len + 1);
        if (to == NULL)
            return;
        for (size_t at = 0; at < s.len;) {
            size_t step = utf8_step(s, at);
            memcpy(to + s.len - at - step, s.ptr + at, step);
            at += step;
        }
        if (!fn_put_str(call, i, (struct mr_str){to, s.len}))
            return;
    }
}

/* ---- white space
 * --------------------------------------------------------------------------------------------- */

static struct mr_str strip_left(struct mr_str s)
{
    while (s.len > 0 && letters_is_space(utf8_get(s, 0)))
        s = mr_str_slice(s, utf8_step(s, 0), s.len);
    return s;
}

static struct mr_str strip_right(struct mr_str s)
{
    while (s.len > 0) {
        size_t last = s.len - 1;
        while (last > 0 && ((unsigned char)s.ptr[last] & 0xC0) == 0x80)
            last--;
        if (!letters_is_space(utf8_get(s, last)))
            break;
        s.len = last;
    }
    return s;
}

static void f_ltrim(struct fn_call *call)
{
    FN_EACH(call, i)
    if (!fn_put_str(call, i, strip_left(fn_str(call, 0, i))))
        return;
}

static void f_rtrim(struct fn_call *call)
{
    FN_EACH(call, i)
    if (!fn_put_str(call, i, strip_right(fn_str(call, 0, i))))
        return;
}

static void f_trim(struct fn_call *call)
{
    FN_EACH(call, i)
    if (!fn_put_str(call, i, strip_right(strip_left(fn_str(call, 0, i)))))
        return;
}

/* ---- padding
 * ------------------------------------------------------------------------------------------------- */

/* Appends `count` code points of the padding, over and over. False: over budget. */
static bool fill(struct fn_call *call, struct mr_str padding, uint64_t count)
{
    uint64_t each = mr_utf8_length(padding);
    uint64_t whole = count / each;
    size_t part = utf8_skip(padding, 0, count % each);

    if (whole > call->value_limit / padding.len) {
        fn_charge(call, call->value_limit + 1);
        return false;
    }
    for (uint64_t k = 0; k < whole; k++)
        mr_buf_str(&call->scratch, padding);
    mr_buf_str(&call->scratch, mr_str_slice(padding, 0, part));
    return mr_buf_ok(&call->scratch);
}

static void pad(struct fn_call *call, bool left)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), padding = fn_str(call, 2, i);
        int64_t target = FN_ARG(call, int64_t, 1)[i];
        if (target < 0 || target > INT32_MAX) {
            FN_BAD(call, "Target length must be in the range [0..2147483647]");
            return;
        }
        if (padding.len == 0) {
            FN_BAD(call, "Padding string must not be empty");
            return;
        }
        uint64_t length = mr_utf8_length(s), want = (uint64_t)target;
        if (want <= length) {
            if (!fn_put_str(call, i, mr_str_slice(s, 0, utf8_skip(s, 0, want))))
                return;
            continue;
        }
        call->scratch.len = 0;
        if (!left)
            mr_buf_str(&call->scratch, s);
        if (!fill(call, padding, want - length))
            return;
        if (left)
            mr_buf_str(&call->scratch, s);
        if (!mr_buf_ok(&call->scratch) || !fn_put_str(call, i, mr_buf_view(&call->scratch)) ||
            fn_stopped(call))
            return;
    }
}

static void f_lpad(struct fn_call *call)
{
    pad(call, true);
}

static void f_rpad(struct fn_call *call)
{
    pad(call, false);
}

/* ---- parts
 * --------------------------------------------------------------------------------------------------- */

/* From position `start` (1-based, negative from the end; 0 or outside: empty), at most `count` code points.
 */
static struct mr_str substring(struct mr_str s, int64_t start, int64_t count)
{
    size_t from;

    if (start == 0 || count <= 0)
        return MR_STR("");
    if (start > 0) {
        from = utf8_skip(s, 0, (uint64_t)start - 1);
    } else {
        uint64_t length = mr_utf8_length(s), back = 0 - (uint64_t)start;
        if (back > length)
            return MR_STR("");
        from = utf8_skip(s, 0, length - back);
    }
    return mr_str_slice(s, from, utf8_skip(s, from, (uint64_t)count));
}

static void f_substr(struct fn_call *call)
{
    FN_EACH(call, i)
    if (!fn_put_str(call, i, substring(fn_str(call, 0, i), FN_ARG(call, int64_t, 1)[i], INT64_MAX)))
        return;
}

static void f_substr_n(struct fn_call *call)
{
    FN_EACH(call, i)
    if (!fn_put_str(call, i,
                    substring(fn_str(call, 0, i), FN_ARG(call, int64_t, 1)[i], FN_ARG(call, int64_t, 2)[i])))
        return;
}

static void f_fit(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        int64_t most = FN_ARG(call, int64_t, 1)[i];
        if ((int64_t)mr_utf8_length(s) > most) {
            FN_BAD(call, "Value " MR_STR_FMT " cannot be represented as varchar(%" PRId64 ")", MR_STR_ARG(s),
                   most);
            return;
        }
        if (!fn_put_str(call, i, s))
            return;
    }
}

const struct fn_impl fn_text_table[] = {
    {"mr_concat", f_concat}, {"mr_chr", f_chr},       {"mr_codepoint", f_codepoint}, {"mr_length", f_length},
    {"mr_lower", f_lower},   {"mr_upper", f_upper},   {"mr_reverse", f_reverse},     {"mr_ltrim", f_ltrim},
    {"mr_rtrim", f_rtrim},   {"mr_trim", f_trim},     {"mr_lpad", f_lpad},           {"mr_rpad", f_rpad},
    {"mr_fit_text", f_fit},  {"mr_substr", f_substr}, {"mr_substr_n", f_substr_n},   {NULL, NULL},
};
