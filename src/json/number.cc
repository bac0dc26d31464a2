// json/number.cc - std::from_chars and std::to_chars behind C: the fastest correct ones at hand.
#include <charconv>
#include <cmath>
#include <cstring>

extern "C" {
#include "json/number.h"
}

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Whether the decimal text, whose grammar has been checked and which is not 0, is 1 or more. That tells the
// two ways of being out of range apart.
bool at_least_one(const char *p, const char *end)
{
    long point = 0; // power of ten of the first digit that counts, plus 1
    bool counting = false, fraction = false;
    for (; p != end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.') {
            fraction = true;
        } else if (*p != '0' || counting) {
            counting = true;
            if (fraction)
                break;
            point++;
        } else if (fraction) {
            point--;
        }
    }
    while (p != end && *p != 'e' && *p != 'E')
        p++;
    long exponent = 0;
    if (p != end) {
        p++;
        bool negative = *p == '-';
        if (*p == '-' || *p == '+')
            p++;
        for (; p != end; p++)
            if (exponent < 100000000)
                exponent = exponent * 10 + (*p - '0');
        if (negative)
            exponent = -exponent;
    }
    return point + exponent > 0;
}

// A decimal of at most 15 digits without an exponent, which most measurements are: both the digits and the
// power of ten are exact as doubles, so one division rounds correctly (Clinger, How to Read Floating Point
// Numbers Accurately, 1990). False: not such a one; the general way decides.
bool short_decimal(const char *p, const char *end, double *out)
{
    static const double power[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (end - p > 16)
        return false;
    uint64_t digits = 0;
    size_t count = 0, places = 0;
    bool point = false;
    for (; p != end; p++) {
        unsigned digit = static_cast<unsigned>(*p) - '0';
        if (digit <= 9) {
            digits = digits * 10 + digit;
            count++;
            places += point;
        } else if (*p == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (count == 0 || count > 15)
        return false;
    *out = static_cast<double>(digits) / power[places];
    return true;
}

// Digits and decimal exponent of the shortest text, from its scientific form "d.ddde+XX".
struct decimal {
    char digits[24];
    int count;
    int exponent; // of the first digit
};

decimal shortest(double v)
{
    char text[40];
    auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::scientific).ptr;
    if (text[1] != '.')
        // Java writes at least two digits, and then the two that lie nearest: 4.9E-324, not 5.0E-324.
        end = std::to_chars(text, text + sizeof text, v, std::chars_format::scientific, 1).ptr;
    decimal d{};
    const char *p = text;
    for (; p != end && *p != 'e'; p++)
        if (*p != '.')
            d.digits[d.count++] = *p;
    p++;
    if (p != end && *p == '+')
        p++;
    std::from_chars(p, end, d.exponent);
    return d;
}

// 0.001 <= |v| < 10^7: at least one digit on both sides of the point.
char *plain(const decimal &d, char *out)
{
    if (d.exponent < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = -1; i > d.exponent; i--)
            *out++ = '0';
        int last = d.count; // a second digit that is 0 says nothing here
        while (last > 1 && d.digits[last - 1] == '0')
            last--;
        memcpy(out, d.digits, static_cast<size_t>(last));
        return out + last;
    }
    for (int i = 0; i <= d.exponent; i++)
        *out++ = i < d.count ? d.digits[i] : '0';
    *out++ = '.';
    if (d.count <= d.exponent + 1)
        *out++ = '0';
    for (int i = d.exponent + 1; i < d.count; i++)
        *out++ = d.digits[i];
    return out;
}

// d.dddE<n>
char *scientific(const decimal &d, char *out)
{
    *out++ = d.digits[0];
    *out++ = '.';
    memcpy(out, d.digits + 1, static_cast<size_t>(d.count - 1));
    out += d.count - 1;
    *out++ = 'E';
    return std::to_chars(out, out + 8, d.exponent).ptr;
}

// 0.001 <= v < 10^7 with at most four decimals, as measured values are as a rule, without the general search
// for the shortest text. Below 2^53 the division is rounded once, so when it gives v back, the decimal reads
// as v; and two decimals of 15 digits or fewer never read as the same double, so none is shorter but for
// zeros at the end. NULL: v is no such value.
char *short_plain(double v, char *out)
{
    if (!(v >= 1e-3 && v < 1e7))
        return nullptr;
    uint64_t scaled = static_cast<uint64_t>(v * 1e4 + 0.5);
    if (static_cast<double>(scaled) / 1e4 != v)
        return nullptr;
    uint32_t part = static_cast<uint32_t>(scaled % 10000);
    out = std::to_chars(out, out + 8, static_cast<uint32_t>(scaled / 10000)).ptr;
    *out++ = '.';
    const char digits[] = {static_cast<char>('0' + part / 1000), static_cast<char>('0' + part / 100 % 10),
                           static_cast<char>('0' + part / 10 % 10), static_cast<char>('0' + part % 10)};
    memcpy(out, digits, sizeof digits);
    int count = part % 10 != 0 ? 4 : part % 100 != 0 ? 3 : part % 1000 != 0 ? 2 : 1;
    return out + count;
}

size_t copy(const char *text, char *out)
{
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

} // namespace

extern "C" bool json_parse_double(struct mr_str text, double *out)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    const char *digits = p; // where the sign has been passed
    if (text.len != 0 && (*p == '+' || *p == '-'))
        digits++;
    if (short_decimal(digits, end, out)) {
        if (digits != p && *p == '-')
            *out = -*out;
        return true;
    }
    // What from_chars takes beyond our grammar, "inf" and "nan", begins with a letter.
    if (digits == end || !(is_digit(*digits) || *digits == '.'))
        return false;
    double v = 0;
    auto [stop, err] = std::from_chars(*p == '+' ? digits : p, end, v, std::chars_format::general);
    if (stop != end)
        return false;
    if (err == std::errc::result_out_of_range) {
        if (at_least_one(digits, end))
            return false;
        v = *p == '-' ? -0.0 : 0.0;
    } else if (err != std::errc()) {
        return false;
    }
    *out = v;
    return true;
}

extern "C" size_t json_format_double(double v, char *out)
{
    // Left alone, to_chars writes 1.2e20 as 21 digits, and readers (ours too) take it for an integer out of
    // range.
    if (std::fabs(v) >= 1e17)
        return static_cast<size_t>(
            std::to_chars(out, out + JSON_NUMBER_MAX, v, std::chars_format::scientific).ptr - out);
    return static_cast<size_t>(std::to_chars(out, out + JSON_NUMBER_MAX, v).ptr - out);
}

extern "C" size_t json_format_i64(int64_t v, char *out)
{
    return static_cast<size_t>(std::to_chars(out, out + JSON_NUMBER_MAX, v).ptr - out);
}

extern "C" size_t json_format_java_double(double v, char *out)
{
    if (std::isnan(v))
        return copy("NaN", out);
    if (std::isinf(v))
        return copy(v < 0 ? "-Infinity" : "Infinity", out);
    if (v == 0)
        return copy(std::signbit(v) ? "-0.0" : "0.0", out);
    char *p = out;
    if (v < 0)
        *p++ = '-';
    if (char *end = short_plain(std::fabs(v), p))
        return static_cast<size_t>(end - out);
    decimal d = shortest(std::fabs(v));
    p = d.exponent >= -3 && d.exponent < 7 ? plain(d, p) : scientific(d, p);
    return static_cast<size_t>(p - out);
}
