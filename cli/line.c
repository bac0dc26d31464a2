/* Influx line protocol, the text that agents and devices already write:
 *
 *   measurement[,tag=value...] field=value[,field=value...] [timestamp]
 *
 * Backslashes escape blanks, commas and equals signs in names; strings stand in double quotes.
 */
#include "cli/cli.h"

#include "base/clock.h"

#define LINE_TAGS 128
#define LINE_FIELDS 256

struct reader {
    const char *at, *end;
    struct mr_arena *arena;
    const char *wrong;
};

static bool fail(struct reader *r, const char *why)
{
    if (r->wrong == NULL)
        r->wrong = why;
    return false;
}

/* Up to one of the stop characters, unescaped. */
static struct mr_text word(struct reader *r, const char *stops)
{
    size_t n = 0;
    char *out = mr_arena_alloc(r->arena, (size_t)(r->end - r->at) + 1);
    if (out == NULL) {
        fail(r, "out of memory");
        return mr_text(NULL);
    }
    while (r->at < r->end && strchr(stops, *r->at) == NULL) {
        if (*r->at == '\\' && r->at + 1 < r->end && strchr(", =\\\"", r->at[1]) != NULL)
            r->at++;
        out[n++] = *r->at++;
    }
    out[n] = '\0';
    if (n == 0)
        fail(r, "a name or a value is empty");
    return (struct mr_text){out, n};
}

static bool eat(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* After the opening quote. */
static struct mr_text quoted(struct reader *r)
{
    size_t n = 0;
    char *out = mr_arena_alloc(r->arena, (size_t)(r->end - r->at) + 1);
    if (out == NULL) {
        fail(r, "out of memory");
        return mr_text(NULL);
    }
    while (r->at < r->end && *r->at != '"') {
        if (*r->at == '\\' && r->at + 1 < r->end && (r->at[1] == '"' || r->at[1] == '\\'))
            r->at++;
        out[n++] = *r->at++;
    }
    if (!eat(r, '"'))
        fail(r, "a string has no end");
    if (n == 0)
        fail(r, "an empty string, which Timestream does not take");
    return (struct mr_text){out, n};
}

static bool all_digits(struct mr_text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("+-0123456789", text.ptr[i]) == NULL)
            return false;
    return text.len > 0;
}

static bool is_word(struct mr_text text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text.ptr, words[i]) == 0)
            return true;
    return false;
}

/* 1.5, 42i, 42u, true, "text" */
static void value(struct reader *r, struct mr_measure_value *out)
{
    static const char *const yes[] = {"t", "T", "true", "True", "TRUE"}, *const no[] = {"f", "F", "false",
                                                                                        "False", "FALSE"};
    if (eat(r, '"')) {
        out->value = quoted(r);
        out->type = MR_MEASURE_VALUE_TYPE_VARCHAR;
        return;
    }
    out->value = word(r, ", ");
    if (r->wrong != NULL)
        return;
    char last = out->value.ptr[out->value.len - 1];
    struct mr_text number = {out->value.ptr, out->value.len - 1};
    if ((last == 'i' || last == 'u') && all_digits(number)) {
        out->value = number;
        out->type = MR_MEASURE_VALUE_TYPE_BIGINT;
    } else if (is_word(out->value, yes, MR_ARRAY_LEN(yes)) || is_word(out->value, no, MR_ARRAY_LEN(no))) {
        out->type = MR_MEASURE_VALUE_TYPE_BOOLEAN;
        out->value = mr_text(is_word(out->value, yes, MR_ARRAY_LEN(yes)) ? "true" : "false");
    } else {
        out->type = MR_MEASURE_VALUE_TYPE_DOUBLE; /* what is no number the service says */
    }
}

static bool tags(struct reader *r, struct mr_record *record)
{
    struct mr_dimension *list = MR_ARENA_ARRAY(r->arena, LINE_TAGS, struct mr_dimension);
    size_t n = 0;
    while (list != NULL && r->wrong == NULL && eat(r, ',')) {
        if (n == LINE_TAGS)
            return fail(r, "more than 128 tags");
        list[n].name = word(r, ",= ");
        if (!eat(r, '='))
            return fail(r, "a tag has no value");
        list[n++].value = word(r, ", ");
    }
    record->dimensions = (struct mr_dimension_list){list, n, n > 0};
    return list != NULL || fail(r, "out of memory");
}

static bool fields(struct reader *r, struct mr_record *record)
{
    struct mr_measure_value *list = MR_ARENA_ARRAY(r->arena, LINE_FIELDS, struct mr_measure_value);
    size_t n = 0;
    do {
        if (list == NULL || n == LINE_FIELDS)
            return fail(r, list == NULL ? "out of memory" : "more than 256 fields");
        list[n].name = word(r, ",= ");
        if (!eat(r, '='))
            return fail(r, "a field has no value");
        value(r, &list[n++]);
    } while (r->wrong == NULL && eat(r, ','));
    record->measure_values = (struct mr_measure_value_list){list, n, true};
    record->measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI;
    return true;
}

static bool timestamp(struct reader *r, int64_t now_ns, struct mr_record *record)
{
    char digits[MR_NUMBER_TEXT];
    struct mr_str text = mr_str_trim((struct mr_str){r->at, (size_t)(r->end - r->at)});
    int64_t ns = now_ns;
    if (text.len > 0 && !mr_str_to_i64(text, &ns))
        return fail(r, "the timestamp is no number of nanoseconds");
    struct mr_text number = mr_text_of_int(ns, digits);
    record->time.ptr = mr_arena_dup(r->arena, (struct mr_str){number.ptr, number.len}).ptr;
    record->time.len = number.len;
    record->time_unit = MR_TIME_UNIT_NANOSECONDS;
    return record->time.ptr != NULL || fail(r, "out of memory");
}

bool cli_line(struct mr_str line, int64_t now_ns, struct mr_arena *arena, struct mr_record *record,
              const char **why)
{
    struct mr_str text = mr_str_trim(line);
    struct reader r = {text.ptr, text.ptr + text.len, arena, NULL};
    memset(record, 0, sizeof *record);
    if (text.len == 0 || text.ptr[0] == '#')
        return true;
    record->measure_name = word(&r, ", ");
    if (r.wrong == NULL && tags(&r, record) && r.wrong == NULL && !eat(&r, ' '))
        fail(&r, "there are no fields");
    while (r.wrong == NULL && eat(&r, ' '))
        ;
    if (r.wrong == NULL && fields(&r, record) && r.wrong == NULL && r.at < r.end && *r.at != ' ')
        fail(&r, "something follows the fields");
    if (r.wrong == NULL)
        timestamp(&r, now_ns, record);
    *why = r.wrong;
    return r.wrong == NULL;
}
