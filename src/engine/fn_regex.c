/* The regexp functions (query-language reference 6.9). */
#include <inttypes.h>

#include "engine/regex.h"

static bool good_group(struct fn_call *call, const struct regex *regex, int64_t group)
{
    if (group < 0) {
        FN_BAD(call, "Group cannot be negative");
        return false;
    }
    if (group > (int64_t)regex->groups) {
        FN_BAD(call, "Pattern has %u groups. Cannot access group %" PRId64, regex->groups, group);
        return false;
    }
    return true;
}

static void f_like(struct fn_call *call)
{
    struct regex regex = {0};

    FN_EACH(call, i)
    {
        size_t at = 0;
        if (!regex_use(&regex, call, fn_str(call, 1, i)))
            break;
        FN_OUT(call, bool)[i] = regex_next(&regex, call, fn_str(call, 0, i), &at);
        if (call->failed)
            break;
    }
    regex_release(&regex);
}

static void f_extract(struct fn_call *call)
{
    struct regex regex = {0};

    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), group = MR_STR_NULL;
        int64_t g = FN_ARG(call, int64_t, 2)[i];
        size_t at = 0;
        if (!regex_use(&regex, call, fn_str(call, 1, i)) || !good_group(call, &regex, g))
            break;
        if (regex_next(&regex, call, s, &at))
            group = regex_group(&regex, s, (uint32_t)g);
        if (group.ptr == NULL)
            fn_null(call, i);
        else
            fn_put_str(call, i, group);
        if (call->failed)
            break;
    }
    regex_release(&regex);
}

static bool add_str(struct fn_list_out *list, struct mr_str s)
{
    if (!fn_list_room(list, 1, 16 + s.len))
        return false;
    vector_put_str(list->child, list->size, s.ptr != NULL ? s : MR_STR(""));
    if (s.ptr == NULL)
        vector_set_null(list->child, list->size);
    list->size++;
    return true;
}

static void f_extract_all(struct fn_call *call)
{
    struct regex regex = {0};
    struct fn_list_out list = fn_list_out(call, 0);

    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        int64_t g = FN_ARG(call, int64_t, 2)[i];
        size_t at = 0;
        if (!regex_use(&regex, call, fn_str(call, 1, i)) || !good_group(call, &regex, g))
            break;
        while (regex_next(&regex, call, s, &at) && add_str(&list, regex_group(&regex, s, (uint32_t)g))) {
        }
        if (call->failed)
            break;
        fn_list_end(&list, i);
    }
    fn_list_finish(&list);
    regex_release(&regex);
}

static void f_split(struct fn_call *call)
{
    struct regex regex = {0};
    struct fn_list_out list = fn_list_out(call, 0);

    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        size_t at = 0, from = 0;
        if (!regex_use(&regex, call, fn_str(call, 1, i)))
            break;
        while (regex_next(&regex, call, s, &at)) {
            struct mr_str hit = regex_group(&regex, s, 0);
            size_t start = hit.ptr != NULL ? (size_t)(hit.ptr - s.ptr) : from;
            if (start < from || !add_str(&list, mr_str_slice(s, from, start)))
                break;
            from = start + hit.len;
        }
        if (call->failed || !add_str(&list, mr_str_slice(s, from, s.len)))
            break;
        fn_list_end(&list, i);
    }
    fn_list_finish(&list);
    regex_release(&regex);
}

/* ---- replace
 * ------------------------------------------------------------------------------------------------- */

/* The group that "$" in the replacement at `at` names; moves *at past it. Digits go on as long as there is
 * such a group. -1: it names none. */
static int64_t named_group(const struct regex *regex, struct mr_str with, size_t *at)
{
    size_t p = *at + 1;
    int64_t group = -1;

    if (p < with.len && with.ptr[p] == '{') {
        char name[64];
        struct mr_str inner = mr_str_slice(with, p + 1, mr_str_find(with, '}', p));
        if (inner.len == 0 || inner.len >= sizeof(name) || p + 1 + inner.len >= with.len)
            return -1;
        memcpy(name, inner.ptr, inner.len);
        name[inner.len] = '\0';
        *at = p + inner.len + 2;
        return pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
    }
    while (p < with.len && with.ptr[p] >= '0' && with.ptr[p] <= '9') {
        int64_t longer = (group < 0 ? 0 : group * 10) + (with.ptr[p] - '0');
        if (longer > (int64_t)regex->groups)
            break;
        group = longer;
        p++;
    }
    *at = p;
    return group;
}

/* Appends the replacement of the last match. */
static bool expand(struct fn_call *call, const struct regex *regex, struct mr_str s, struct mr_str with)
{
    for (size_t at = 0; at < with.len;) {
        char c = with.ptr[at];
        if (c == '$') {
            int64_t group = named_group(regex, with, &at);
            if (group < 0) {
                FN_BAD(call, "Illegal replacement sequence: " MR_STR_FMT, MR_STR_ARG(with));
                return false;
            }
            struct mr_str text = regex_group(regex, s, (uint32_t)group);
            if (text.ptr != NULL)
                mr_buf_str(&call->scratch, text);
            continue;
        }
        if (c == '\\' && at + 1 < with.len)
            at++;
        mr_buf_char(&call->scratch, with.ptr[at++]);
    }
    return true;
}

static bool replace_all(struct fn_call *call, struct regex *regex, struct mr_str s, struct mr_str with)
{
    size_t at = 0, from = 0;

    call->scratch.len = 0;
    while (regex_next(regex, call, s, &at)) {
        struct mr_str hit = regex_group(regex, s, 0);
        size_t start = hit.ptr != NULL ? (size_t)(hit.ptr - s.ptr) : from;
        if (start < from)
            break;
        mr_buf_str(&call->scratch, mr_str_slice(s, from, start));
        from = start + hit.len;
        if (!expand(call, regex, s, with))
            return false;
        if (call->scratch.len > call->value_limit)
            return fn_charge(call, call->scratch.len);
    }
    mr_buf_str(&call->scratch, mr_str_slice(s, from, s.len));
    return !call->failed && mr_buf_ok(&call->scratch);
}

static void f_replace(struct fn_call *call)
{
    struct regex regex = {0};

    FN_EACH(call, i)
    {
        if (!regex_use(&regex, call, fn_str(call, 1, i)) ||
            !replace_all(call, &regex, fn_str(call, 0, i), fn_str(call, 2, i)) ||
            !fn_put_str(call, i, mr_buf_view(&call->scratch)))
            break;
    }
    regex_release(&regex);
}

/* ---- pieces, for a replacement by lambda
 * --------------------------------------------------------------------- */

struct pieces {
    struct fn_list_out list;   /* STRUCT(lit, groups) */
    uint64_t groups, capacity; /* of all rows, in the child of field 1 */
};

static bool put_groups(struct pieces *p, const struct regex *regex, struct mr_str s)
{
    duckdb_vector groups = p->list.fields[1];
    uint64_t need = p->groups + regex->groups;

    if (need > p->capacity) {
        p->capacity = need * 2 > 2048 ? need * 2 : 2048;
        if (duckdb_list_vector_reserve(groups, p->capacity) != DuckDBSuccess)
            return false;
    }
    duckdb_vector child = duckdb_list_vector_get_child(groups);
    for (uint32_t g = 1; g <= regex->groups; g++) {
        struct mr_str text = regex_group(regex, s, g);
        if (!fn_charge(p->list.call, 16 + text.len))
            return false;
        vector_put_str(child, p->groups, text.ptr != NULL ? text : MR_STR(""));
        if (text.ptr == NULL)
            vector_set_null(child, p->groups);
        p->groups++;
    }
    duckdb_list_entry *entries = duckdb_vector_get_data(groups);
    entries[p->list.size] = (duckdb_list_entry){need - regex->groups, regex->groups};
    return true;
}

static bool put_piece(struct pieces *p, const struct regex *regex, struct mr_str s, struct mr_str lit,
                      bool last)
{
    if (!fn_list_room(&p->list, 1, 32 + lit.len))
        return false;
    vector_put_str(p->list.fields[0], p->list.size, lit);
    if (last) {
        duckdb_list_entry *entries = duckdb_vector_get_data(p->list.fields[1]);
        entries[p->list.size] = (duckdb_list_entry){0, 0};
        vector_set_null(p->list.fields[1], p->list.size);
    } else if (!put_groups(p, regex, s)) {
        return false;
    }
    p->list.size++;
    return true;
}

static void f_pieces(struct fn_call *call)
{
    struct regex regex = {0};
    struct pieces p = {.list = fn_list_out(call, 2)};

    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        size_t at = 0, from = 0;
        if (!regex_use(&regex, call, fn_str(call, 1, i)))
            break;
        while (regex_next(&regex, call, s, &at)) {
            struct mr_str hit = regex_group(&regex, s, 0);
            size_t start = hit.ptr != NULL ? (size_t)(hit.ptr - s.ptr) : from;
            if (start < from || !put_piece(&p, &regex, s, mr_str_slice(s, from, start), false))
                break;
            from = start + hit.len;
        }
        if (call->failed || !put_piece(&p, &regex, s, mr_str_slice(s, from, s.len), true))
            break;
        fn_list_end(&p.list, i);
    }
    duckdb_list_vector_set_size(p.list.fields[1], p.groups);
    fn_list_finish(&p.list);
    regex_release(&regex);
}

const struct fn_impl fn_regex_table[] = {
    {"mr_regexp_like", f_like},
    {"mr_regexp_extract", f_extract},
    {"mr_regexp_extract_all", f_extract_all},
    {"mr_regexp_replace", f_replace},
    {"mr_regexp_split", f_split},
    {"mr_regexp_pieces", f_pieces},
    {NULL, NULL},
};
