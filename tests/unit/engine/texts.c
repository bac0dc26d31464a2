/* Strings, regular expressions and arrays of them (query-language reference 6.6, 6.7, 6.9). */
#include "engine/harness.h"

#define S(text) "{\"ScalarValue\":\"" text "\"}"
#define LIST(items) "[{\"ArrayValue\":[" items "]}]"
#define NUL "{\"NullValue\":true}"

static void strings(void **state)
{
    static const struct value_case values[] = {
        {"s", "mr_concat('a', 'b', 'long enough to be on the heap')", "ablong enough to be on the heap"},
        {"s", "mr_concat('a', NULL::VARCHAR)", "null"},
        {"s", "mr_concat('1','2','3','4','5','6','7','8','9','10')", "12345678910"},
        {"s", "mr_chr(65)", "A"},
        {"s", "mr_chr(128512)", "😀"},
        {"s", "mr_chr(55296)", "! Not a valid Unicode code point: 55296"},
        {"s", "mr_chr(-1)", "! Not a valid Unicode code point: -1"},
        {"i", "mr_codepoint('é')", "233"},
        {"i", "mr_codepoint('ab')", "! Input string must be a single character string"},
        {"l", "mr_length('日本語')", "3"},
        {"s", "mr_lower('AbÇ ΣİX')", "abç σix"},
        {"s", "mr_upper('straße é')", "STRAßE É"},
        {"s", "mr_reverse('añb')", "bña"},
        {"s", "mr_ltrim(chr(8195) || '  a ')", "a "},
        {"s", "mr_rtrim(' a' || chr(10) || chr(8195))", " a"},
        {"s", "mr_trim('  ')", ""},
        {"s", "mr_lpad('7', 3, '0')", "007"},
        {"s", "mr_lpad('hello', 2, 'x')", "he"},
        {"s", "mr_rpad('a', 6, 'éz')", "aézézé"},
        {"s", "mr_lpad('a', -1, 'x')", "! Target length must be in the range [0..2147483647]"},
        {"s", "mr_lpad('a', 5, '')", "! Padding string must not be empty"},
        {"s", "mr_rpad('a', 2147483647, 'x')", "! A computed value exceeds the limit of 1048576 bytes"},
        {"s", "mr_substr('banana', -2)", "na"},
        {"s", "mr_substr('banana', 0)", ""},
        {"s", "mr_substr('banana', -7)", ""},
        {"s", "mr_substr('banana', 9223372036854775807)", ""},
        {"s", "mr_substr('banana', (-9223372036854775808)::BIGINT)", ""},
        {"s", "mr_substr_n('日本語', 2, 1)", "本"},
        {"s", "mr_substr_n('banana', 2, -1)", ""},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void searches(void **state)
{
    static const struct value_case values[] = {
        {"l", "mr_strpos('banana', 'an', 1)", "2"},
        {"l", "mr_strpos('banana', 'an', 2)", "4"},
        {"l", "mr_strpos('banana', 'ana', 2)", "4"},
        {"l", "mr_strpos('banana', 'x', 1)", "0"},
        {"l", "mr_strpos('éa', 'a', 1)", "2"},
        {"l", "mr_strpos('a', '', 5)", "1"},
        {"l", "mr_strpos('a', 'a', 0)", "! 'instance' must be a positive number."},
        {"l", "mr_strrpos('banana', 'an', 1)", "4"},
        {"l", "mr_strrpos('banana', 'an', 2)", "2"},
        {"l", "mr_strrpos('banana', 'an', 3)", "0"},
        {"l", "mr_strrpos('banana', '', 1)", "7"},
        {"s", "mr_replace('banana', 'an', 'o')", "booa"},
        {"s", "mr_replace('aé', '', '-')", "-a-é-"},
        {"[s]", "mr_split('a,b,,c', ',')", LIST(S("a") "," S("b") "," S("") "," S("c"))},
        {"[s]", "mr_split('', ',')", LIST(S(""))},
        {"[s]", "mr_split('a', '')", "! The delimiter may not be the empty string"},
        {"[s]", "mr_split_n('a,b,c', ',', 2)", LIST(S("a") "," S("b,c"))},
        {"[s]", "mr_split_n('a,b,c', ',', 0)", "! Limit must be positive"},
        {"s", "mr_split_part('a-b-c', '-', 2)", "b"},
        {"s", "mr_split_part('a-b-c', '-', 4)", "null"},
        {"s", "mr_split_part('aéc', '', 2)", "é"},
        {"s", "mr_split_part('a', '-', 0)", "! Index must be greater than zero"},
        {"l", "mr_hamming_distance('karolin', 'kathrin')", "3"},
        {"l", "mr_hamming_distance('aé', 'ae')", "1"},
        {"l", "mr_hamming_distance('a', 'ab')",
         "! The input strings to hamming_distance function must have the same length"},
        {"l", "mr_levenshtein_distance('kitten', 'sitting')", "3"},
        {"l", "mr_levenshtein_distance('', 'abc')", "3"},
        {"l", "mr_levenshtein_distance(repeat('x', 1001), repeat('y', 1000))",
         "! The combined inputs size exceeded max Levenshtein distance limit: 1001000 > 1000000"},
        {"b", "mr_like_escape('50%', '50#%', '#')", "true"},
        {"b", "mr_like_escape('50x', '50#%', '#')", "false"},
        {"b", "mr_like_escape('abcabd', '%b_', '#')", "true"},
        {"b", "mr_like_escape('', '%%', '#')", "true"},
        {"b", "mr_like_escape('ab', 'a', '#')", "false"},
        {"b", "mr_like_escape('a#b', 'a##b', '#')", "true"},
        {"b", "mr_like_escape('a', 'a', 'xx')", "! Escape string must be a single character"},
        {"b", "mr_like_escape('a', 'a#b', '#')",
         "! Escape character must be followed by '%', '_' or the escape character itself"},
        {"[s]", "mr_split(NULL::VARCHAR, ',')", "null"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void expressions(void **state)
{
    static const struct value_case values[] = {
        {"b", "mr_regexp_like('pump-12', 'mp')", "true"},
        {"b", "mr_regexp_like('PUMP', '(?i)^p.*p$')", "true"},
        {"b", "mr_regexp_like('x', '[')", "! Invalid regular expression: ["},
        {"b", "mr_regexp_like('x', '(*ANYCRLF)x')", "! Invalid regular expression: (*ANYCRLF)x"},
        {"b", "mr_regexp_like('ä', '^\\p{L}$')", "true"},
        {"b", "mr_regexp_like('aB', '^\\p{Lower}\\p{Upper}$')", "true"},
        {"b", "mr_regexp_like('7', '[\\p{Alpha}]')", "false"},
        {"b", "mr_regexp_like('é', '\\u00e9')", "true"},
        {"b", "mr_regexp_like('(*', '[(*]{2}')", "true"},
        {"s", "mr_regexp_extract('pump-12 fan-3', '\\d+', 0)", "12"},
        {"s", "mr_regexp_extract('pump-12 fan-3', '([a-z]+)-(\\d+)', 1)", "pump"},
        {"s", "mr_regexp_extract('pump', '\\d+', 0)", "null"},
        {"s", "mr_regexp_extract('b', '(a)|b', 1)", "null"},
        {"s", "mr_regexp_extract('x', '(x)', 2)", "! Pattern has 1 groups. Cannot access group 2"},
        {"[s]", "mr_regexp_extract_all('pump-12 fan-3 pump-7', '([a-z]+)-(\\d+)', 2)",
         LIST(S("12") "," S("3") "," S("7"))},
        {"[s]", "mr_regexp_extract_all('ab', '(a)|b', 1)", LIST(S("a") "," NUL)},
        {"[s]", "mr_regexp_extract_all('aé', '', 0)", LIST(S("") "," S("") "," S(""))},
        {"s", "mr_regexp_replace('pump-12', '([a-z]+)-(\\d+)', '$2/$1')", "12/pump"},
        {"s", "mr_regexp_replace('ab', '(?<first>a)(b)', '${first}$20\\$')", "ab0$"},
        {"s", "mr_regexp_replace('ab', '', '-')", "-a-b-"},
        {"s", "mr_regexp_replace('pump-12 off', 'off', '')", "pump-12 "},
        {"s", "mr_regexp_replace('a', 'a', '$1')", "! Illegal replacement sequence: $1"},
        {"s", "mr_regexp_replace('a', 'a', '${x}')", "! Illegal replacement sequence: ${x}"},
        {"[s]", "mr_regexp_split('pump-12-off-', '-')", LIST(S("pump") "," S("12") "," S("off") "," S(""))},
        {"[s]", "mr_regexp_split('a1b', '\\d*')", LIST(S("") "," S("a") "," S("") "," S("b") "," S(""))},
        {"[(s[s])]", "mr_regexp_pieces('x-1y', '([a-z])(-)?')",
         LIST("{\"RowValue\":{\"Data\":[" S("") ",{\"ArrayValue\":[" S("x") "," S(
             "-") "]}]}},{\"RowValue\":{\"Data\":[" S("1") ",{\"ArrayValue\":[" S("y") "," NUL
                                                                                       "]}]}},{\"RowValue\":{"
                                                                                       "\"Data\":[" S(
                                                                                           "") "," NUL
                                                                                               "]}}")},
        {"b", "mr_regexp_like(repeat('a', 30) || 'b', '^(a+)+$')",
         "! A regular expression needs more steps than the limit of 100000000"},
        {"b", "mr_regexp_like(repeat('ab', 1000), '(a|b)*\\d')", "false"},
        {"b", "mr_regexp_like(repeat('ab', 100000), '(?:a|b)*$')", "true"},
        {"[s]", "mr_regexp_extract_all('abcdxyz', '[a-z&&[^b-x]]', 0)", LIST(S("a") "," S("y") "," S("z"))},
        {"[s]", "mr_regexp_extract_all('abcdxyz', '[ab[x-z]]+', 0)", LIST(S("ab") "," S("xyz"))},
        {"[s]", "mr_regexp_extract_all('abc^]x', '[^a-z&&[^^]]', 0)", LIST(S("^") "," S("]"))},
        {"[s]", "mr_regexp_extract_all('abc', '[a-c&&b-z&&[^b]]', 0)", LIST(S("c"))},
        {"[s]", "mr_regexp_extract_all('a&b^c', '[&^]|[[:alpha:]&&[^ab]]', 0)",
         LIST(S("&") "," S("^") "," S("c"))},
        {"b", "mr_regexp_like('a', '[a&&]')", "! Invalid regular expression: [a&&]"},
        {"b", "mr_regexp_like('a', '[a[b]')", "! Invalid regular expression: [a[b]"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void arrays(void **state)
{
    static const struct value_case values[] = {
        {"[l]", "mr_sequence_i64(4, 16, 4)", LIST(S("4") "," S("8") "," S("12") "," S("16"))},
        {"[l]", "mr_sequence_i64(3, 1, -2)", LIST(S("3") "," S("1"))},
        {"[l]", "mr_sequence_i64((-9223372036854775808)::BIGINT, 9223372036854775807, 9223372036854775807)",
         LIST(S("-9223372036854775808") "," S("-1") "," S("9223372036854775806"))},
        {"[l]", "mr_sequence_i64(1, 2, 0)", "! step must not be zero"},
        {"[l]", "mr_sequence_i64(1, 10001, 1)",
         "! result of sequence function must not have more than 10000 entries"},
        {"l", "len(mr_sequence_i64(1, 10000, 1))", "10000"},
        {"[t]", "mr_sequence_months(mr_text_to_ts('2023-01-31'), mr_text_to_ts('2023-03-31'), 1)",
         LIST(S("2023-01-31 00:00:00.000000000") "," S("2023-02-28 00:00:00.000000000") "," S(
             "2023-03-31 00:00:00.000000000"))},
        {"l", "len(mr_sequence_months(9223372036854775807, 9223372036854775807, 1))", "1"},
        {"s", "mr_array_join(['5', NULL, '9'], '-')", "5-9"},
        {"s", "mr_array_join_null(['5', NULL, '9'], '-', '?')", "5-?-9"},
        {"s", "mr_array_join([]::VARCHAR[], '-')", ""},
        {"s", "mr_array_join(NULL::VARCHAR[], '-')", "null"},
        {"s", "mr_array_join([repeat('x', 600000), repeat('y', 600000)], '-')",
         "! A computed value exceeds the limit of 1048576 bytes"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

/* Lists of more elements than a vector has rows, with NULLs among them, and NULL rows between. */
static void long_lists(void **state)
{
    static const struct value_case values[] = {
        {"l",
         "sum(len(mr_regexp_extract_all(CASE WHEN a % 7 > 0 THEN 'ab1c2ab' END, '(a)|b', 1)))::BIGINT FROM "
         "range(9000) t(a)",
         "30856"},
        {"l",
         "count(x) FROM (SELECT unnest(mr_regexp_extract_all('ab1c2ab', '(a)|b', 1)) AS x FROM range(9000) "
         "t(a))",
         "18000"},
        {"l",
         "sum(len(mr_split(CASE WHEN a % 2 = 0 THEN 'a part longer than twelve bytes,b,' || a END, "
         "',')))::BIGINT FROM "
         "range(9000) t(a)",
         "13500"},
        {"l",
         "count(g) FROM (SELECT unnest(p['groups']) AS g FROM (SELECT unnest(mr_regexp_pieces('ab' || a, "
         "'([a-z])(\\d)?')) AS p FROM range(5000) t(a)))",
         "15000"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings), cmocka_unit_test(searches),   cmocka_unit_test(expressions),
        cmocka_unit_test(arrays),  cmocka_unit_test(long_lists),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
