/* DuckDB's errors in the words of the service (query-api reference 8.2). What is not known by its text
 * becomes an internal error without a text of DuckDB's in it; the original goes to the debug log only.
 *
 * The error's kind is taken from the prefix DuckDB puts before each text, because errors of prepare have no
 * other. */
#include "engine/error.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/duck.h"

/* ---- errors of our own functions
 * ----------------------------------------------------------------------------- */

static const struct {
    char letter;
    enum mr_status status;
} marks[] = {
    {'V', MR_EINVAL}, {'L', MR_ELIMIT}, {'C', MR_ECANCEL},   {'R', MR_ECORRUPT},
    {'M', MR_ENOMEM}, {'I', MR_EIO},    {'X', MR_EINTERNAL},
};

const char *error_marked(char text[static ERROR_TEXT_MAX], const struct mr_error *err)
{
    char letter = 'X';

    for (size_t i = 0; i < MR_ARRAY_LEN(marks); i++)
        if (marks[i].status == err->status)
            letter = marks[i].letter;
    snprintf(text, ERROR_TEXT_MAX, ERROR_MARK "%c%s" ERROR_MARK_END, letter, err->text);
    return text;
}

static const char *last_end(const char *text)
{
    const char *found = NULL;

    for (const char *p = strstr(text, ERROR_MARK_END); p != NULL; p = strstr(p + 1, ERROR_MARK_END))
        found = p;
    return found;
}

static bool map_marked(const char *text, struct mr_error *err)
{
    const char *start = strstr(text, ERROR_MARK);
    const char *end = last_end(text);

    if (start == NULL || end == NULL || end <= start + sizeof(ERROR_MARK) - 1)
        return false;
    start += sizeof(ERROR_MARK) - 1;
    for (size_t i = 0; i < MR_ARRAY_LEN(marks); i++) {
        if (marks[i].letter == *start) {
            mr_error_set(err, marks[i].status, "%.*s", (int)(end - start - 1), start + 1);
            return true;
        }
    }
    return false;
}

/* ---- errors of DuckDB's own operators
 * ------------------------------------------------------------------------ */

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static const char *type_name(struct mr_str duck, bool upper)
{
    static const struct {
        const char *duck, *upper, *lower;
    } names[] = {
        {"INT32", "INT", "integer"},       {"INTEGER", "INT", "integer"},     {"INT64", "BIGINT", "bigint"},
        {"BIGINT", "BIGINT", "bigint"},    {"DOUBLE", "DOUBLE", "double"},    {"BOOL", "BOOLEAN", "boolean"},
        {"BOOLEAN", "BOOLEAN", "boolean"}, {"VARCHAR", "VARCHAR", "varchar"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++)
        if (mr_str_eq(duck, mr_str_of(names[i].duck)))
            return upper ? names[i].upper : names[i].lower;
    return upper ? "BIGINT" : "bigint";
}

static struct mr_str word(const char *from)
{
    return (struct mr_str){from, strcspn(from, " \n()!.,")};
}

/* "Overflow in addition of INT64 (1 + 2)!" */
static void map_out_of_range(const char *text, struct mr_error *err)
{
    const char *operation = after(text, "Overflow in ");
    const char *of = operation != NULL ? strstr(operation, " of ") : NULL;
    const char *open = of != NULL ? strchr(of, '(') : NULL;
    const char *close = open != NULL ? strchr(open, ')') : NULL;

    if (close != NULL) {
        mr_error_set(err, MR_EINVAL, "%s " MR_STR_FMT " overflow: %.*s", type_name(word(of + 4), false),
                     MR_STR_ARG(word(operation)), (int)(close - open - 1), open + 1);
    } else {
        const char *negated = after(text, "Overflow on abs(");
        if (negated != NULL)
            mr_error_set(err, MR_EINVAL, "Value " MR_STR_FMT " is out of range for abs",
                         MR_STR_ARG(word(negated)));
        else
            mr_error_set(err, MR_EINVAL, "Numeric value out of range");
    }
}

/* "Could not convert string 'x' to INT64", "Type INT64 with value 5 can't be cast ... destination type INT32"
 */
static void map_conversion(const char *text, struct mr_error *err)
{
    const char *value = after(text, "Could not convert string '");
    const char *end = value != NULL ? strstr(value, "' to ") : NULL;

    if (end != NULL) {
        for (const char *next = strstr(end + 1, "' to "); next != NULL; next = strstr(next + 1, "' to "))
            end = next;
        mr_error_set(err, MR_EINVAL, "Cannot cast '%.*s' to %s", (int)(end - value), value,
                     type_name(word(end + 5), true));
        return;
    }
    value = strstr(text, "with value ");
    const char *to = value != NULL ? strstr(value, "destination type ") : NULL;
    if (to != NULL)
        mr_error_set(err, MR_EINVAL, "Out of range for %s: %.*s", type_name(word(to + 17), false),
                     (int)strcspn(value + 11, " "), value + 11);
    else
        mr_error_set(err, MR_EINVAL, "Value cannot be cast");
}

int error_stopped(const struct engine_run *run, struct mr_error *err)
{
    if (atomic_load(&run->stop) == RUN_PAST_DEADLINE)
        return mr_error_set(err, MR_ECANCEL, "Query exceeded its time limit");
    if (atomic_load(&run->stop) == RUN_OVER_MEMORY)
        return mr_error_set(err, MR_ELIMIT,
                            "Query exceeded the memory limit of %zu bytes for the whole server",
                            run->engine->options.process_limit);
    return mr_error_set(err, MR_ECANCEL, "Query was cancelled");
}

static bool map_known(struct engine_run *run, const char *text, struct mr_error *err)
{
    const char *rest;

    if ((rest = after(text, "Out of Range Error: ")) != NULL)
        map_out_of_range(rest, err);
    else if ((rest = after(text, "Conversion Error: ")) != NULL)
        map_conversion(rest, err);
    else if (after(text, "Divide by Zero Error") != NULL)
        mr_error_set(err, MR_EINVAL, "Division by zero");
    else if (strstr(text, "More than one row returned by a subquery") != NULL)
        mr_error_set(err, MR_EINVAL, "Scalar sub-query has returned multiple rows");
    else if (after(text, "Out of Memory Error") != NULL)
        mr_error_set(err, MR_ELIMIT, "Query exceeded the memory limit of %zu bytes for all queries",
                     run->engine->options.memory_limit);
    else if (strstr(text, "orrelated ") != NULL || strstr(text, "LATERAL join condition") != NULL ||
             strstr(text, "Cannot perform non-inner join on subquery") != NULL ||
             after(text, "Binder Error: Referenced table ") != NULL ||
             after(text, "Binder Error: window expression is not supported here") != NULL)
        mr_error_set(err, MR_EINVAL, "Given correlated subquery is not supported");
    else if (strstr(text, "expression depth limit") != NULL)
        mr_error_set(err, MR_ELIMIT, "Query is nested too deeply");
    else
        return false;
    return true;
}

int error_map(struct engine_run *run, const char *text, struct mr_error *err)
{
    struct mr_error mapped = MR_ERROR_INIT;

    if (text == NULL)
        text = "";
    if (run_stopped(run)) {
        error_stopped(run, &mapped);
    } else if (!map_marked(text, &mapped) && !map_known(run, text, &mapped)) {
        mr_log(MR_LOG_DEBUG, "engine_error", "text=\"%s\"", text);
        if (after(text, "INTERNAL Error") != NULL || after(text, "FATAL Error") != NULL ||
            strstr(text, "invalidated") != NULL)
            duck_mark_broken(run);
        mr_error_set(&mapped, MR_EINTERNAL, "The query failed for an internal reason");
    }
    return mr_error_set(err, mapped.status, "%s", mapped.text);
}
