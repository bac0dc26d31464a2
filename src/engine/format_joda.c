/* format_datetime and parse_datetime patterns (query-language reference 7.2). */
#include "engine/format.h"

/* A piece of a pattern: a run of one letter, or literal text. */
struct token {
    char letter; /* '\0': literal */
    unsigned count;
    struct mr_str text; /* the run; the literal, in quotes when `quoted` */
    bool quoted;
    size_t next;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct token next_token(struct mr_str pattern, size_t at)
{
    size_t end = at + 1;
    char c = pattern.ptr[at];

    if (is_letter(c)) {
        while (end < pattern.len && pattern.ptr[end] == c)
            end++;
        return (struct token){c, (unsigned)(end - at), mr_str_slice(pattern, at, end), false, end};
    }
    if (c != '\'')
        return (struct token){'\0', 0, mr_str_slice(pattern, at, end), false, end};
    if (end < pattern.len && pattern.ptr[end] == '\'') /* '' is one quote */
        return (struct token){'\0', 0, mr_str_slice(pattern, end, end + 1), false, end + 1};
    while (end < pattern.len &&
           !(pattern.ptr[end] == '\'' && (end + 1 == pattern.len || pattern.ptr[end + 1] != '\'')))
        end += pattern.ptr[end] == '\'' ? 2 : 1;
    if (end > pattern.len)
        end = pattern.len;
    return (struct token){'\0', 0, mr_str_slice(pattern, at + 1, end), true,
                          end < pattern.len ? end + 1 : end};
}

static bool known(char letter)
{
    return memchr("GCYxweEyuDMLdaKhHkmsSzZ", letter, 23) != NULL;
}

/* ---- printing
 * ------------------------------------------------------------------------------------------------ */

static void print_number(struct mr_buf *out, int64_t v, unsigned min_digits)
{
    int digits = (int)(min_digits < 100 ? min_digits : 100);

    mr_buf_printf(out, "%s%0*lld", v < 0 ? "-" : "", digits, (long long)(v < 0 ? -v : v));
}

static void print_name(struct mr_buf *out, const char *name, unsigned count)
{
    mr_buf_str(out, count >= 4 ? mr_str_of(name) : (struct mr_str){name, 3});
}

static void print_year(struct mr_buf *out, int64_t year, unsigned count)
{
    if (count == 2)
        print_number(out, (year % 100 + 100) % 100, 2);
    else
        print_number(out, year, count);
}

static void print_fraction(struct mr_buf *out, unsigned ns, unsigned count)
{
    char text[16];

    for (unsigned i = 0, unit = 100000000; i < 9; i++, unit /= 10)
        text[i] = (char)('0' + ns / unit % 10);
    mr_buf_add(out, text, count < 9 ? count : 9);
    for (unsigned i = 9; i < count; i++)
        mr_buf_char(out, '0');
}

static void print_token(const struct token *t, const struct format_parts *p, struct mr_buf *out)
{
    int64_t era_year = p->year > 0 ? p->year : 1 - p->year;

    switch (t->letter) {
    case 'G':
        mr_buf_str(out, p->year > 0 ? MR_STR("AD") : MR_STR("BC"));
        return;
    case 'C':
        print_number(out, era_year / 100, t->count);
        return;
    case 'Y':
        print_year(out, era_year, t->count);
        return;
    case 'x':
        print_year(out, p->week_year, t->count);
        return;
    case 'y':
    case 'u':
        print_year(out, p->year, t->count);
        return;
    case 'E':
        print_name(out, format_weekdays[p->weekday - 1], t->count);
        return;
    case 'M':
    case 'L':
        if (t->count >= 3)
            print_name(out, format_months[p->month - 1], t->count);
        else
            print_number(out, p->month, t->count);
        return;
    case 'a':
        mr_buf_str(out, p->hour < 12 ? MR_STR("AM") : MR_STR("PM"));
        return;
    case 'S':
        print_fraction(out, p->ns, t->count);
        return;
    case 'z':
        mr_buf_str(out, t->count >= 4 ? MR_STR("Coordinated Universal Time") : MR_STR("UTC"));
        return;
    case 'Z':
        mr_buf_str(out, t->count == 1 ? MR_STR("+0000") : t->count == 2 ? MR_STR("+00:00") : MR_STR("UTC"));
        return;
    default:
        break;
    }
    unsigned hour12 = p->hour % 12;
    unsigned v = t->letter == 'w'   ? p->week
                 : t->letter == 'e' ? p->weekday
                 : t->letter == 'D' ? p->day_of_year
                 : t->letter == 'd' ? p->day
                 : t->letter == 'K' ? hour12
                 : t->letter == 'h' ? (hour12 == 0 ? 12 : hour12)
                 : t->letter == 'H' ? p->hour
                 : t->letter == 'k' ? (p->hour == 0 ? 24 : p->hour)
                 : t->letter == 'm' ? p->minute
                                    : p->second;
    print_number(out, v, t->count);
}

/* Quoted text with '' as a quote. */
static void print_literal(const struct token *t, struct mr_buf *out)
{
    for (size_t i = 0; i < t->text.len; i++) {
        mr_buf_char(out, t->text.ptr[i]);
        if (t->quoted && t->text.ptr[i] == '\'')
            i++;
    }
}

bool format_joda_print(int64_t ts, struct mr_str pattern, struct mr_buf *out, struct mr_str *bad)
{
    struct format_parts parts;

    format_take_apart(ts, &parts);
    for (size_t at = 0; at < pattern.len;) {
        struct token t = next_token(pattern, at);
        if (t.letter == '\0') {
            print_literal(&t, out);
        } else if (known(t.letter)) {
            print_token(&t, &parts, out);
        } else {
            *bad = t.text;
            return false;
        }
        at = t.next;
    }
    return true;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------- */

static bool numeric(const struct token *t)
{
    if (t->letter == 'M' || t->letter == 'L')
        return t->count <= 2;
    return t->letter != '\0' && memchr("CYxweyuDdKhHkmsS", t->letter, 16) != NULL;
}

/* A year takes as many digits as letters when digits of another field follow, else all there are. */
static bool read_year(struct format_input *in, const struct token *t, bool adjacent, int64_t *out)
{
    if (t->count == 2) {
        size_t start = in->at;
        int64_t before = in->year;
        if (format_read_two_digit_year(in) && (adjacent || in->at == in->text.len ||
                                               in->text.ptr[in->at] < '0' || in->text.ptr[in->at] > '9')) {
            int64_t year = in->year;
            in->year = before;
            *out = year;
            return true;
        }
        in->at = start;
    }
    return format_read_number(in, adjacent ? t->count : 9, true, out);
}

static bool read_hour12(struct format_input *in)
{
    in->has_hour12 = true;
    return format_read_number(in, 2, false, &in->hour12);
}

static bool read_hour24(struct format_input *in)
{
    if (!format_read_number(in, 2, false, &in->hour))
        return false;
    if (in->hour == 24)
        in->hour = 0;
    return true;
}

static bool read_era(struct format_input *in)
{
    in->bc = format_read_literal(in, MR_STR("BC"));
    return in->bc || format_read_literal(in, MR_STR("AD"));
}

static bool read_token(struct format_input *in, const struct token *t, bool adjacent)
{
    switch (t->letter) {
    case 'G':
        return read_era(in);
    case 'C':
        return format_read_number(in, adjacent ? t->count : 9, false, &in->century);
    case 'y':
    case 'u':
    case 'Y':
        in->has_year = true;
        return read_year(in, t, adjacent, &in->year);
    case 'x':
        in->has_week_year = true;
        return read_year(in, t, adjacent, &in->week_year);
    case 'w':
        in->has_week = true;
        return format_read_number(in, 2, false, &in->week);
    case 'e':
        in->has_weekday = true;
        return format_read_number(in, 1, false, &in->weekday);
    case 'E':
        return format_read_weekday_name(in);
    case 'D':
        in->has_day_of_year = true;
        return format_read_number(in, 3, false, &in->day_of_year);
    case 'M':
    case 'L':
        in->has_month = true;
        return t->count >= 3 ? format_read_month_name(in) : format_read_number(in, 2, false, &in->month);
    case 'd':
        in->has_day = true;
        return format_read_number(in, 2, false, &in->day);
    case 'a':
        return format_read_half(in);
    case 'K':
    case 'h':
        return read_hour12(in);
    case 'H':
        return format_read_number(in, 2, false, &in->hour);
    case 'k':
        return read_hour24(in);
    case 'm':
        return format_read_number(in, 2, false, &in->minute);
    case 's':
        return format_read_number(in, 2, false, &in->second);
    case 'S':
        return format_read_fraction(in, t->count);
    default:
        return format_read_zone(in);
    }
}

static bool read_literal(struct format_input *in, const struct token *t)
{
    for (size_t i = 0; i < t->text.len; i++) {
        if (!format_read_literal(in, mr_str_slice(t->text, i, i + 1)))
            return false;
        if (t->quoted && t->text.ptr[i] == '\'')
            i++;
    }
    return true;
}

enum format_result format_joda_read(struct format_input *in, struct mr_str pattern, struct mr_str *bad)
{
    /* The pattern first: a wrong one is an error whatever the text. */
    for (size_t at = 0; at < pattern.len;) {
        struct token t = next_token(pattern, at);
        if (t.letter != '\0' && !known(t.letter)) {
            *bad = t.text;
            return FORMAT_BAD_PATTERN;
        }
        at = t.next;
    }
    for (size_t at = 0; at < pattern.len;) {
        struct token t = next_token(pattern, at);
        bool adjacent = false;
        if (t.next < pattern.len) {
            struct token after = next_token(pattern, t.next);
            adjacent = numeric(&after);
        }
        if (t.letter == '\0' ? !read_literal(in, &t) : !read_token(in, &t, adjacent))
            return FORMAT_BAD_TEXT;
        at = t.next;
    }
    return in->at == in->text.len ? FORMAT_OK : FORMAT_BAD_TEXT;
}
