/* Model constraints and the one text that tells of all that fail (write-api reference 1.7). Runs only on
 * requests that the decoder suspects. */
#include <inttypes.h>
#include <stdio.h>

#include "model/decode.h"

#define LONGEST_VALUE 256 /* bytes of a value that are repeated to the client */

/* Where we are, innermost first; an index where there is no member. */
struct place {
    const struct place *outer;
    const struct model_member *member;
    size_t index; /* from 1 */
};

struct judge {
    struct model_decoder *d;
    struct mr_buf text; /* failures, joined by "; " */
    int failures;
};

static void judge_shape(struct judge *j, const struct model_shape *shape, const void *value,
                        const struct place *outer);

/* ---- the grammar ---- */

/* records.1.member.measureName: only the first letter is lowered. */
static void write_path(struct mr_buf *out, const struct place *at)
{
    if (at->outer != NULL) {
        write_path(out, at->outer);
        mr_buf_char(out, '.');
    }
    if (at->member == NULL) {
        mr_buf_printf(out, "%zu.member", at->index);
        return;
    }
    struct mr_str name = at->member->name;
    mr_buf_char(out, (char)(name.ptr[0] | 0x20));
    mr_buf_str(out, mr_str_slice(name, 1, name.len));
}

/* The value without quotes, cut at a character when it is long. */
static void write_cut(struct mr_buf *out, struct mr_str text)
{
    if (text.len <= LONGEST_VALUE) {
        mr_buf_str(out, text);
        return;
    }
    size_t end = LONGEST_VALUE;
    while (((unsigned char)text.ptr[end] & 0xc0) == 0x80)
        end--;
    mr_buf_str(out, mr_str_slice(text, 0, end));
    mr_buf_str(out, MR_STR("..."));
}

/* Begins a failure: everything up to the rule. `value` is MR_STR_NULL for null. */
static void begin(struct judge *j, const struct place *at, struct mr_str value)
{
    struct mr_buf *out = &j->text;
    if (j->failures++ != 0)
        mr_buf_str(out, MR_STR("; "));
    if (value.ptr == NULL) {
        mr_buf_str(out, MR_STR("Value null at '"));
    } else {
        mr_buf_str(out, MR_STR("Value '"));
        write_cut(out, value);
        mr_buf_str(out, MR_STR("' at '"));
    }
    write_path(out, at);
    mr_buf_str(out, MR_STR("' failed to satisfy constraint: "));
}

static bool full(const struct judge *j)
{
    return j->failures >= MODEL_FAILURES;
}

static void fail_null(struct judge *j, const struct place *at)
{
    if (full(j))
        return;
    begin(j, at, MR_STR_NULL);
    mr_buf_str(&j->text, MR_STR("Member must not be null"));
}

/* `what` is "length" or "value". */
static void judge_bounds(struct judge *j, const struct place *at, const char *what, int64_t got,
                         struct mr_str value)
{
    if (got < at->member->min && !full(j)) {
        begin(j, at, value);
        mr_buf_printf(&j->text, "Member must have %s greater than or equal to %" PRId64, what,
                      at->member->min);
    }
    if (got > at->member->max && !full(j)) {
        begin(j, at, value);
        mr_buf_printf(&j->text, "Member must have %s less than or equal to %" PRId64, what, at->member->max);
    }
}

/* ---- the kinds ---- */

static void judge_text(struct judge *j, const struct place *at, struct mr_str text)
{
    const struct model_member *m = at->member;
    size_t length = m->kind == MODEL_KIND_NAME ? text.len : mr_utf8_length(text);
    judge_bounds(j, at, "length", (int64_t)length, text);
    if (!model_pattern_matches(m->pattern, text) && !full(j)) {
        begin(j, at, text);
        mr_buf_printf(&j->text, "Member must satisfy regular expression pattern: %s",
                      model_pattern_text(m->pattern));
    }
}

static void judge_word(struct judge *j, const struct place *at, const int *field)
{
    if (*field != MODEL_UNKNOWN_WORD || full(j))
        return;
    const struct model_unknown_word *unknown = j->d->unknown;
    while (unknown != NULL && unknown->field != field)
        unknown = unknown->next;
    begin(j, at, unknown != NULL ? unknown->word : MR_STR(""));
    mr_buf_str(&j->text, MR_STR("Member must satisfy enum value set: ["));
    for (int i = 0; i < at->member->words->count; i++) {
        mr_buf_str(&j->text, i != 0 ? MR_STR(", ") : MR_STR(""));
        mr_buf_str(&j->text, at->member->words->words[i]);
    }
    mr_buf_char(&j->text, ']');
}

static bool was_null(const struct judge *j, const void *element)
{
    for (size_t i = 0; i < j->d->nnulls; i++)
        if (j->d->nulls[i] == element)
            return true;
    return false;
}

static void judge_list(struct judge *j, const struct place *at, const struct model_any_list *list)
{
    /* Objects are not repeated to the client. */
    judge_bounds(j, at, "length", (int64_t)list->len, list->len == 0 ? MR_STR("[]") : MR_STR("[...]"));
    const struct model_shape *shape = at->member->shape;
    for (size_t i = 0; i < list->len && (int64_t)i < at->member->max && !full(j); i++) {
        const char *element = (const char *)list->at + i * shape->size;
        struct place here = {at, NULL, i + 1};
        if (was_null(j, element))
            fail_null(j, &here);
        else
            judge_shape(j, shape, element, &here);
    }
}

/* [a, b, c], no longer than needed to be cut. */
static void write_texts(struct mr_buf *out, const struct model_texts *list, size_t count)
{
    mr_buf_char(out, '[');
    for (size_t i = 0; i < count && out->len <= LONGEST_VALUE; i++) {
        mr_buf_str(out, i != 0 ? MR_STR(", ") : MR_STR(""));
        mr_buf_str(out, list->at[i].ptr != NULL ? list->at[i] : MR_STR("null"));
    }
    mr_buf_char(out, ']');
}

static void judge_texts(struct judge *j, const struct place *at, const struct model_texts *list)
{
    const struct model_member *m = at->member;
    size_t count = (int64_t)list->len > m->max ? (size_t)m->max : list->len;
    struct mr_buf value = MR_BUF_INIT;
    write_texts(&value, list, count);
    judge_bounds(j, at, "length", (int64_t)list->len, mr_buf_view(&value));
    bool broken = false;
    for (size_t i = 0; i < count && !full(j); i++) {
        int64_t length = list->at[i].ptr != NULL ? (int64_t)mr_utf8_length(list->at[i]) : 0;
        struct place here = {at, NULL, i + 1};
        if (list->at[i].ptr == NULL)
            fail_null(j, &here);
        else if (length < m->each_min || length > m->each_max)
            broken = true;
    }
    if (broken && !full(j)) { /* the elements' rules are told once, for the list */
        begin(j, at, mr_buf_view(&value));
        mr_buf_printf(
            &j->text,
            "Member must satisfy constraint: [Member must have length less than or equal to %" PRId64
            ", Member must have length greater than or equal to %" PRId64 "]",
            m->each_max, m->each_min);
    }
    j->text.failed = j->text.failed || value.failed;
    mr_buf_release(&value);
}

/* ---- members ---- */

static void judge_integer(struct judge *j, const struct place *at, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, v);
    judge_bounds(j, at, "value", v, (struct mr_str){text, (size_t)n});
}

static void judge_member(struct judge *j, const struct place *at, const void *field)
{
    const struct model_member *m = at->member;
    if (!model_is_set(m, field)) {
        if (m->required)
            fail_null(j, at);
        return;
    }
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        judge_text(j, at, *(const struct mr_str *)field);
        break;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        judge_integer(j, at, ((const struct model_i64 *)field)->v);
        break;
    case MODEL_KIND_ENUM:
        judge_word(j, at, field);
        break;
    case MODEL_KIND_STRUCT:
        judge_shape(j, m->shape, *(void *const *)field, at);
        break;
    case MODEL_KIND_LIST:
        judge_list(j, at, field);
        break;
    case MODEL_KIND_TEXTS:
        judge_texts(j, at, field);
        break;
    default: /* booleans, doubles and times are bounded by nothing */
        break;
    }
}

static void judge_shape(struct judge *j, const struct model_shape *shape, const void *value,
                        const struct place *outer)
{
    for (uint32_t i = 0; i < shape->index->count && !full(j); i++) {
        const struct model_member *m = &shape->index->members[i];
        struct place here = {outer, m, 0};
        judge_member(j, &here, (const char *)value + m->offset);
    }
}

int model_validate(struct model_decoder *d, const struct model_shape *shape, const void *value)
{
    struct judge j = {.d = d, .text = MR_BUF_INIT};
    struct mr_buf whole = MR_BUF_INIT;
    judge_shape(&j, shape, value, NULL);
    int rc = MR_OK;
    if (j.failures == 0)
        goto done;
    mr_buf_printf(&whole, "%d validation error%s detected: ", j.failures, j.failures == 1 ? "" : "s");
    mr_buf_str(&whole, mr_buf_view(&j.text));
    /* Not model_fail: a value may hold U+0000, where printf would stop. */
    struct mr_str message = mr_arena_dup(d->arena, mr_buf_view(&whole));
    rc = MR_ENOMEM;
    if (!mr_buf_ok(&j.text) || !mr_buf_ok(&whole) || message.ptr == NULL)
        goto done;
    rc = MR_EINVAL;
    if (d->fault->error == MODEL_NO_ERROR) {
        d->fault->error = MODEL_CONSTRAINT;
        d->fault->message = message;
    }
done:
    mr_buf_release(&whole);
    mr_buf_release(&j.text);
    return rc;
}
