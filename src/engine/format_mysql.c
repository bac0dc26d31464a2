/* date_format and date_parse patterns (query-language reference 7.1). */
#include "engine/format.h"

static bool unsupported(char c)
{
    return memchr("DUuVwX", c, 6) != NULL;
}

static void print_name(struct mr_buf *out, const char *name, bool brief)
{
    mr_buf_str(out, brief ? (struct mr_str){name, 3} : mr_str_of(name));
}

/* One letter after %; false when it stands for itself. */
static bool print_letter(char c, const struct format_parts *p, struct mr_buf *out)
{
    unsigned hour12 = p->hour % 12 == 0 ? 12 : p->hour % 12;
    const char *half = p->hour < 12 ? "AM" : "PM";

    switch (c) {
    case 'a':
    case 'W':
        print_name(out, format_weekdays[p->weekday - 1], c == 'a');
        return true;
    case 'b':
    case 'M':
        print_name(out, format_months[p->month - 1], c == 'b');
        return true;
    case 'r':
        mr_buf_printf(out, "%02u:%02u:%02u %s", hour12, p->minute, p->second, half);
        return true;
    case 'T':
        mr_buf_printf(out, "%02u:%02u:%02u", p->hour, p->minute, p->second);
        return true;
    case 'p':
        mr_buf_str(out, mr_str_of(half));
        return true;
    case 'f':
        mr_buf_printf(out, "%03u000", p->ns / 1000000);
        return true;
    case 'Y':
    case 'x':
        mr_buf_printf(out, "%04lld", (long long)(c == 'Y' ? p->year : p->week_year));
        return true;
    case 'y':
        mr_buf_printf(out, "%02d", (int)((p->year % 100 + 100) % 100));
        return true;
    case 'j':
        mr_buf_printf(out, "%03u", p->day_of_year);
        return true;
    default:
        break;
    }
    const struct {
        unsigned value;
        char letter;
        bool pad;
    } numbers[] = {
        {p->month, 'c', false}, {p->month, 'm', true},  {p->day, 'd', true},    {p->day, 'e', false},
        {p->hour, 'H', true},   {p->hour, 'k', false},  {hour12, 'h', true},    {hour12, 'I', true},
        {hour12, 'l', false},   {p->minute, 'i', true}, {p->second, 'S', true}, {p->second, 's', true},
        {p->week, 'v', true},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(numbers); i++) {
        if (numbers[i].letter == c) {
            mr_buf_printf(out, numbers[i].pad ? "%02u" : "%u", numbers[i].value);
            return true;
        }
    }
    return false;
}

bool format_mysql_print(int64_t ts, struct mr_str pattern, struct mr_buf *out, struct mr_str *bad)
{
    struct format_parts parts;

    format_take_apart(ts, &parts);
    for (size_t at = 0; at < pattern.len; at++) {
        if (pattern.ptr[at] != '%' || at + 1 == pattern.len) {
            if (pattern.ptr[at] != '%')
                mr_buf_char(out, pattern.ptr[at]);
            continue;
        }
        char c = pattern.ptr[++at];
        if (unsupported(c)) {
            *bad = mr_str_slice(pattern, at, at + 1);
            return false;
        }
        if (!print_letter(c, &parts, out))
            mr_buf_char(out, c);
    }
    return true;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------- */

static bool read_clock(struct format_input *in, bool twelve)
{
    bool ok = format_read_number(in, 2, false, twelve ? &in->hour12 : &in->hour) &&
              format_read_literal(in, MR_STR(":")) && format_read_number(in, 2, false, &in->minute) &&
              format_read_literal(in, MR_STR(":")) && format_read_number(in, 2, false, &in->second);

    in->has_hour12 = in->has_hour12 || twelve;
    return ok && (!twelve || (format_read_literal(in, MR_STR(" ")) && format_read_half(in)));
}

static bool read_letter(struct format_input *in, char c)
{
    switch (c) {
    case 'a':
    case 'W':
        return format_read_weekday_name(in);
    case 'b':
    case 'M':
        return format_read_month_name(in);
    case 'c':
    case 'm':
        in->has_month = true;
        return format_read_number(in, 2, false, &in->month);
    case 'd':
    case 'e':
        in->has_day = true;
        return format_read_number(in, 2, false, &in->day);
    case 'f':
        return format_read_fraction(in, 9);
    case 'H':
    case 'k':
        return format_read_number(in, 2, false, &in->hour);
    case 'h':
    case 'I':
    case 'l':
        in->has_hour12 = true;
        return format_read_number(in, 2, false, &in->hour12);
    case 'i':
        return format_read_number(in, 2, false, &in->minute);
    case 'j':
        in->has_day_of_year = true;
        return format_read_number(in, 3, false, &in->day_of_year);
    case 'p':
        return format_read_half(in);
    case 'r':
        return read_clock(in, true);
    case 'S':
    case 's':
        return format_read_number(in, 2, false, &in->second);
    case 'T':
        return read_clock(in, false);
    case 'v':
        in->has_week = true;
        return format_read_number(in, 2, false, &in->week);
    case 'x':
        in->has_week_year = true;
        return format_read_number(in, 4, true, &in->week_year);
    case 'Y':
        in->has_year = true;
        return format_read_number(in, 4, true, &in->year);
    case 'y':
        return format_read_two_digit_year(in);
    default:
        return format_read_literal(in, (struct mr_str){&c, 1});
    }
}

enum format_result format_mysql_read(struct format_input *in, struct mr_str pattern, struct mr_str *bad)
{
    for (size_t at = 0; at < pattern.len; at++) {
        bool letter = pattern.ptr[at] == '%' && at + 1 < pattern.len;
        if (letter && unsupported(pattern.ptr[at + 1])) {
            *bad = mr_str_slice(pattern, at + 1, at + 2);
            return FORMAT_BAD_PATTERN;
        }
        if (letter ? !read_letter(in, pattern.ptr[++at])
                   : pattern.ptr[at] != '%' && !format_read_literal(in, mr_str_slice(pattern, at, at + 1)))
            return FORMAT_BAD_TEXT;
    }
    return in->at == in->text.len ? FORMAT_OK : FORMAT_BAD_TEXT;
}
