/* date_format, date_parse, format_datetime, parse_datetime (query-language reference 6.12). */
#include "engine/fn.h"
#include "engine/format.h"

typedef bool (*printer)(int64_t ts, struct mr_str pattern, struct mr_buf *out, struct mr_str *bad);
typedef enum format_result (*reader)(struct format_input *in, struct mr_str pattern, struct mr_str *bad);

static void bad_pattern(struct fn_call *call, bool mysql, struct mr_str bad)
{
    if (mysql)
        FN_BAD(call, "%%" MR_STR_FMT " not supported in date format string", MR_STR_ARG(bad));
    else
        FN_BAD(call, "Illegal pattern component: " MR_STR_FMT, MR_STR_ARG(bad));
}

static void print_rows(struct fn_call *call, printer print, bool mysql)
{
    FN_EACH(call, i)
    {
        struct mr_str bad = MR_STR_NULL, pattern = fn_str(call, 1, i);
        call->scratch.len = 0;
        /* A letter of the pattern gives at most 26 bytes, a hundred where one asks for that many digits. */
        if (pattern.len > call->value_limit / 16) {
            fn_charge(call, call->value_limit + 1);
            return;
        }
        if (!print(FN_ARG(call, int64_t, 0)[i], pattern, &call->scratch, &bad)) {
            bad_pattern(call, mysql, bad);
            return;
        }
        if (!mr_buf_ok(&call->scratch) || !fn_put_str(call, i, mr_buf_view(&call->scratch)) ||
            fn_worked(call, pattern.len))
            return;
    }
}

static void bad_text(struct fn_call *call, const struct format_input *in, bool resolved)
{
    if (in->at == 0 || resolved)
        FN_BAD(call, "Invalid format: \"" MR_STR_FMT "\"", MR_STR_ARG(in->text));
    else if (in->at >= in->text.len)
        FN_BAD(call, "Invalid format: \"" MR_STR_FMT "\" is too short", MR_STR_ARG(in->text));
    else
        FN_BAD(call, "Invalid format: \"" MR_STR_FMT "\" is malformed at \"" MR_STR_FMT "\"",
               MR_STR_ARG(in->text), MR_STR_ARG(mr_str_slice(in->text, in->at, in->text.len)));
}

static void read_rows(struct fn_call *call, reader read, bool mysql)
{
    FN_EACH(call, i)
    {
        struct mr_str bad = MR_STR_NULL;
        struct format_input in;
        format_input_init(&in, fn_str(call, 0, i));
        enum format_result result = read(&in, fn_str(call, 1, i), &bad);
        if (result == FORMAT_BAD_PATTERN)
            bad_pattern(call, mysql, bad);
        else if (result == FORMAT_BAD_TEXT)
            bad_text(call, &in, false);
        else if (!format_resolve(&in, &FN_OUT(call, int64_t)[i]))
            bad_text(call, &in, true);
        if (call->failed || fn_worked(call, in.text.len))
            return;
    }
}

static void date_format(struct fn_call *call)
{
    print_rows(call, format_mysql_print, true);
}

static void date_parse(struct fn_call *call)
{
    read_rows(call, format_mysql_read, true);
}

static void format_datetime(struct fn_call *call)
{
    print_rows(call, format_joda_print, false);
}

static void parse_datetime(struct fn_call *call)
{
    read_rows(call, format_joda_read, false);
}

const struct fn_impl fn_format_table[] = {
    {"mr_date_format", date_format},
    {"mr_date_parse", date_parse},
    {"mr_format_datetime", format_datetime},
    {"mr_parse_datetime", parse_datetime},
    {NULL, NULL},
};
