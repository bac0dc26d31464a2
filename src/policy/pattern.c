/* Patterns of actions, resources and condition values. */
#include "policy/private.h"

/* "${key}" or "${key, 'otherwise'}" at the start of the text: its length, or 0 when it is none. */
static size_t variable_at(struct mr_str text, struct policy_variable *out)
{
    size_t end = mr_str_find(text, '}', 0);
    if (!mr_str_starts(text, MR_STR("${")) || end == text.len)
        return 0;
    struct mr_str inside = mr_str_slice(text, 2, end);
    size_t comma = mr_str_find(inside, ',', 0);
    *out = (struct policy_variable){mr_str_trim(mr_str_slice(inside, 0, comma)), MR_STR_NULL};
    if (comma == inside.len)
        return end + 1;
    struct mr_str rest = mr_str_trim(mr_str_slice(inside, comma + 1, inside.len));
    if (rest.len < 2 || rest.ptr[0] != '\'' || rest.ptr[rest.len - 1] != '\'')
        return 0;
    out->otherwise = mr_str_slice(rest, 1, rest.len - 1);
    return end + 1;
}

static int bad_variable(const struct policy_reader *r, struct mr_str text)
{
    return mr_error_set(r->err, MR_EINVAL, "statement %zu: malformed variable in '" MR_STR_FMT "'",
                        r->statement, MR_STR_ARG(text));
}

/* One variable into the pattern's list, its mark into the bytes. ${*}, ${?} and ${$} are those characters. */
static int add_variable(struct policy_reader *r, struct mr_str text, struct policy_variable v,
                        struct policy_pattern *out, char **to)
{
    if (mr_str_eq(v.key, MR_STR("*")) || mr_str_eq(v.key, MR_STR("?")) || mr_str_eq(v.key, MR_STR("$"))) {
        *(*to)++ = v.key.ptr[0];
        return MR_OK;
    }
    if (v.key.len == 0 || out->nvariables == POLICY_MAX_VARIABLES)
        return bad_variable(r, text);
    if (out->variables == NULL &&
        (out->variables = MR_ARENA_ARRAY(r->arena, POLICY_MAX_VARIABLES, struct policy_variable)) == NULL)
        return MR_ENOMEM;
    struct policy_variable *kept = &out->variables[out->nvariables];
    kept->key = mr_arena_dup(r->arena, v.key);
    kept->otherwise = v.otherwise.ptr != NULL ? mr_arena_dup(r->arena, v.otherwise) : MR_STR_NULL;
    *(*to)++ = POLICY_VARIABLE;
    *(*to)++ = (char)out->nvariables++;
    return r->arena->failed ? MR_ENOMEM : MR_OK;
}

int policy_pattern_read(struct policy_reader *r, struct mr_str text, bool wild, struct policy_pattern *out)
{
    *out = (struct policy_pattern){0};
    if (text.len > POLICY_MAX_PATTERN)
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: a value is longer than %d bytes", r->statement,
                            POLICY_MAX_PATTERN);
    char *bytes = mr_arena_alloc(r->arena, text.len + 1), *to = bytes;
    if (bytes == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < text.len;) {
        char c = text.ptr[i];
        struct policy_variable v;
        bool opens = r->variables && c == '$' && i + 1 < text.len && text.ptr[i + 1] == '{';
        if (opens) {
            size_t len = variable_at(mr_str_slice(text, i, text.len), &v);
            int status = len == 0 ? bad_variable(r, text) : add_variable(r, text, v, out, &to);
            if (status != MR_OK)
                return status;
            i += len;
            continue;
        }
        if (wild && c == '*') {
            if (to == bytes || to[-1] != POLICY_MANY)
                *to++ = POLICY_MANY;
        } else {
            *to++ = wild && c == '?' ? POLICY_ONE : c;
        }
        i++;
    }
    *to = '\0';
    out->text = (struct mr_str){bytes, (size_t)(to - bytes)};
    return MR_OK;
}

bool policy_pattern_split(struct policy_pattern *pattern)
{
    size_t from = 0;
    for (size_t i = 0; i < 5; i++) {
        size_t colon = from;
        while (colon < pattern->text.len && pattern->text.ptr[colon] != ':')
            colon += pattern->text.ptr[colon] == POLICY_VARIABLE ? 2 : 1; /* its number is no character */
        if (colon >= pattern->text.len)
            return false;
        pattern->parts[i] = mr_str_slice(pattern->text, from, colon);
        from = colon + 1;
    }
    pattern->parts[5] = mr_str_slice(pattern->text, from, pattern->text.len);
    pattern->arn = true;
    return true;
}

/* Bytes of the character at `at`; 1 for bytes that start none. */
static size_t char_len(struct mr_str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    size_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return at + n <= s.len ? n : 1;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* The usual way: a star takes nothing at first, and one more character whenever what follows fails. Only the
 * last star met needs to be remembered. */
bool policy_match(struct mr_str pattern, struct mr_str text, bool ignore_case)
{
    size_t p = 0, t = 0, star_p = SIZE_MAX, star_t = 0;
    while (t < text.len) {
        char want = p < pattern.len ? pattern.ptr[p] : '\0';
        if (p < pattern.len && want == POLICY_MANY) {
            star_p = ++p;
            star_t = t;
        } else if (p < pattern.len && want == POLICY_ONE) {
            p++;
            t += char_len(text, t);
        } else if (p < pattern.len &&
                   (want == text.ptr[t] || (ignore_case && lower(want) == lower(text.ptr[t])))) {
            p++;
            t++;
        } else if (star_p != SIZE_MAX) {
            p = star_p;
            star_t += char_len(text, star_t);
            t = star_t;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == POLICY_MANY)
        p++;
    return p == pattern.len;
}

/* A value from outside must not bring the bytes of wildcards along. */
static bool is_plain(struct mr_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] >= (unsigned char)POLICY_VARIABLE)
            return false;
    return true;
}

/* The values of the variables. *known is false when one of them cannot be told. */
static int look_up(const struct policy_pattern *pattern, const struct policy_request *request,
                   struct mr_str values[static POLICY_MAX_VARIABLES], bool *known)
{
    *known = true;
    for (size_t i = 0; i < pattern->nvariables; i++) {
        const struct policy_variable *v = &pattern->variables[i];
        struct policy_values got = {0};
        int status = request->value(request->ctx, v->key, &got);
        if (status != MR_OK)
            return status;
        if (got.known && got.n == 1 && !got.many && is_plain(got.at[0]))
            values[i] = got.at[0];
        else if (got.known && got.n == 0 && v->otherwise.ptr != NULL)
            values[i] = v->otherwise;
        else
            *known = false;
    }
    return MR_OK;
}

static bool fill(struct mr_str text, const struct mr_str *values, struct mr_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == POLICY_VARIABLE)
            mr_buf_str(out, values[(unsigned char)text.ptr[++i]]);
        else
            mr_buf_char(out, text.ptr[i]);
    }
    return mr_buf_ok(out);
}

/* The five parts and the rest of an ARN against the text's; the buffer holds the part being filled. */
static bool match_arn(const struct policy_pattern *pattern, struct mr_str text, bool ignore_case,
                      const struct mr_str *values, struct mr_buf *buf)
{
    for (size_t i = 0, from = 0; i < 6; i++) {
        size_t to = i < 5 ? mr_str_find(text, ':', from) : text.len;
        if (i < 5 && to == text.len)
            return false;
        struct mr_str part = pattern->parts[i];
        if (pattern->nvariables != 0) {
            buf->len = 0;
            if (!fill(part, values, buf))
                return false;
            part = mr_buf_view(buf);
        }
        if (!policy_match(part, mr_str_slice(text, from, to), ignore_case))
            return false;
        from = to + 1;
    }
    return true;
}

int policy_pattern_match(const struct policy_pattern *pattern, struct mr_str text, bool ignore_case,
                         const struct policy_request *request, enum policy_truth *truth)
{
    struct mr_str values[POLICY_MAX_VARIABLES] = {{NULL, 0}};
    struct mr_buf buf = MR_BUF_INIT;
    bool yes, known;
    if (!pattern->arn && pattern->nvariables == 0) {
        *truth = policy_match(pattern->text, text, ignore_case) ? POLICY_YES : POLICY_NO;
        return MR_OK;
    }
    int status = look_up(pattern, request, values, &known);
    *truth = POLICY_UNKNOWN;
    if (status != MR_OK || !known)
        return status;
    if (pattern->arn)
        yes = match_arn(pattern, text, ignore_case, values, &buf);
    else
        yes = fill(pattern->text, values, &buf) && policy_match(mr_buf_view(&buf), text, ignore_case);
    *truth = yes ? POLICY_YES : POLICY_NO;
    status = mr_buf_ok(&buf) ? MR_OK : MR_ENOMEM;
    mr_buf_release(&buf);
    return status;
}
