/* The bytes of a log entry as docs/format/log-entry.md gives them, and what happens to damaged ones. */
#include "fake_wal.h"
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void make_entries(struct kit *kit)
{
    struct mr_pair dims[] = {{MR_STR("host"), MR_STR("a")}, {MR_STR("rack"), MR_STR("r1")}};
    struct store_attr one = kit_double(NULL, 1.5);
    struct store_attr multi[] = {kit_bigint("n", -3), kit_text("s", "up"), kit_bool("ok", true),
                                 kit_time("at", 90)};
    struct store_record r[] = {kit_record(dims, 2, "t", 100, 1, &one, 1),
                               kit_record(dims, 2, "t", 110, 1, &one, 1),
                               kit_record(dims, 1, "m", 100, 7, multi, 4)};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(kit);
    check_ok(kit_append(kit->table, r, 3), NULL);
}

static void test_golden_bytes(void **state)
{
    MR_UNUSED(state);
    static const unsigned char want[] = {
        2,    1,    3,    7,                  /* version, append, database 3, table 7 */
        2,    7,                              /* columns from 2 on: seven */
        2,    3,    4,    'h', 'o', 's', 't', /* dimension, VARCHAR */
        2,    3,    4,    'r', 'a', 'c', 'k', /* */
        3,    1,    21,   'm', 'e', 'a', 's', 'u', 'r', 'e', '_', 'v',
        'a',  'l',  'u',  'e', ':', ':', 'd', 'o', 'u', 'b', 'l', 'e', /* measure value, DOUBLE */
        4,    2,    1,    'n',                                         /* attribute, BIGINT */
        4,    3,    1,    's',                                         /* VARCHAR */
        4,    4,    2,    'o', 'k',                                    /* BOOLEAN */
        4,    5,    2,    'a', 't',                                    /* TIMESTAMP */
        0,    2,    1,    1,   't', 6,   1,   'm',           /* measure names from 0 on: t DOUBLE, m MULTI */
        2,                                                   /* two series */
        0,    0,    2,    2,   1,   'a', 3,   2,   'r', '1', /* 0: measure 0, host a, rack r1 */
        0,    1,    1,    2,   1,   'a',                     /* 1: measure 1, host a */
        3,                                                   /* three rows */
        11,   0xC8, 1,    1,   4,   1, /* same series 0 and version 1, decimals; time +100; column 4 DOUBLE */
        0xB1, 9,                       /* 150 hundredths */
        15,   20,   0xB1, 9,           /* all the same; time +10 */
        0,    2,    19,   12,          /* series +1, time -10, version +6 */
        4,    5,    2,    0,   3,   0,   4,   0,   5, /* columns 5 BIGINT, 6 VARCHAR, 7 BOOLEAN, 8 TIMESTAMP
                                                       */
        5,    2,    'u',  'p', 1,   19,               /* -3, "up", true, time - 10 */
    };
    struct kit kit = {0};
    make_entries(&kit);
    struct mr_str entry = fake_wal_entry(0);
    assert_int_equal(entry.len, sizeof want);
    assert_memory_equal(entry.ptr, want, sizeof want);
    char *before = kit_rows(kit.store, kit.table);
    kit_reopen(&kit);
    char *after = kit_rows(kit.store, kit.table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

/* What a release before decimals has written. */
static void test_version_1(void **state)
{
    MR_UNUSED(state);
    static const unsigned char version_1[] = {
        1,   1,    3,   7,                  /* version, append, database 3, table 7 */
        2,   7,                             /* columns from 2 on: seven */
        2,   3,    4,   'h', 'o', 's', 't', /* dimension, VARCHAR */
        2,   3,    4,   'r', 'a', 'c', 'k', /* */
        3,   1,    21,  'm', 'e', 'a', 's',  'u',  'r', 'e', '_', 'v',
        'a', 'l',  'u', 'e', ':', ':', 'd',  'o',  'u', 'b', 'l', 'e', /* measure value, DOUBLE */
        4,   2,    1,   'n',                                           /* attribute, BIGINT */
        4,   3,    1,   's',                                           /* VARCHAR */
        4,   4,    2,   'o', 'k',                                      /* BOOLEAN */
        4,   5,    2,   'a', 't',                                      /* TIMESTAMP */
        0,   2,    1,   1,   't', 6,   1,    'm',            /* measure names from 0 on: t DOUBLE, m MULTI */
        2,                                                   /* two series */
        0,   0,    2,   2,   1,   'a', 3,    2,    'r', '1', /* 0: measure 0, host a, rack r1 */
        0,   1,    1,   2,   1,   'a',                       /* 1: measure 1, host a */
        3,                                                   /* three rows */
        3,   0xC8, 1,   1,   4,   1, /* same series 0 and version 1; time +100; column 4 DOUBLE */
        0,   0,    0,   0,   0,   0,   0xF8, 0x3F,    /* 1.5 */
        7,   20,                                      /* all the same; time +10 */
        0,   0,    0,   0,   0,   0,   0xF8, 0x3F,    /* */
        0,   2,    19,  12,                           /* series +1, time -10, version +6 */
        4,   5,    2,   0,   3,   0,   4,    0,    5, /* columns 5 BIGINT, 6 VARCHAR, 7 BOOLEAN, 8 TIMESTAMP
                                                       */
        5,   2,    'u', 'p', 1,   19,                 /* -3, "up", true, time - 10 */
    };
    struct kit kit = {0};
    make_entries(&kit);
    char *before = kit_rows(kit.store, kit.table);
    fake_wal_set_entry(0, (struct mr_str){(const char *)version_1, sizeof version_1});
    kit_reopen(&kit);
    char *after = kit_rows(kit.store, kit.table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

static size_t logged_size(struct kit *kit, const double *values, size_t count)
{
    struct store_attr attrs[32];
    char names[32][24];
    struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    static int time = 1000;
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "c%zu", i);
        attrs[i] = kit_double(names[i], values[i]);
    }
    struct store_record r = kit_record(&dim, 1, "m", time++, 1, attrs, count);
    check_ok(kit_append(kit->table, &r, 1), NULL);
    return fake_wal_entry(fake_wal_entries() - 1).len;
}

/* Doubles come back to the last bit whatever form they are logged in, and decimals take few bytes. */
static void test_doubles(void **state)
{
    MR_UNUSED(state);
    uint64_t payload = UINT64_C(0x7ff8000000abcdef);
    double nan_with_payload;
    memcpy(&nan_with_payload, &payload, sizeof payload);
    const double decimals[] = {0,     1,       -1,      57.25,        -57.25,       0.01,
                               99.99, 57.3187, -0.0001, 1234567.8901, 99999999999.9};
    const double others[] = {-0.0,      1e15,     -1e15,     1e300,
                             5e-324,    INFINITY, -INFINITY, nan_with_payload,
                             0.1 + 0.2, 0.00001,  1.0 / 3,   9007199254740993.0};
    double mixed[MR_ARRAY_LEN(decimals) + MR_ARRAY_LEN(others)];
    memcpy(mixed, decimals, sizeof decimals);
    memcpy(mixed + MR_ARRAY_LEN(decimals), others, sizeof others);
    struct kit kit = {0};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    logged_size(&kit, mixed, MR_ARRAY_LEN(mixed)); /* names the columns */
    size_t as_decimals = logged_size(&kit, decimals, MR_ARRAY_LEN(decimals));
    size_t in_full = logged_size(&kit, others, MR_ARRAY_LEN(decimals));
    logged_size(&kit, mixed, MR_ARRAY_LEN(mixed));
    const double sizes[][2] = {{1, 50}, {1, 50.25}, {1, 50.3187}, {1.0 / 3, 50}, {1, 1.0 / 3}};
    static const size_t bytes[] = {1 + 2, 1 + 3, 1 + 4, 8 + 8, 1 + 9};
    size_t base = logged_size(&kit, sizes[0], 2) - bytes[0];
    for (size_t i = 0; i < MR_ARRAY_LEN(sizes); i++)
        assert_int_equal(logged_size(&kit, sizes[i], 2) - base, bytes[i]);
    assert_true(as_decimals + 4 * MR_ARRAY_LEN(decimals) < in_full);
    char *before = kit_rows(kit.store, kit.table);
    kit_reopen(&kit);
    char *after = kit_rows(kit.store, kit.table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

/* Every shortened entry is refused, and so is a longer one; no changed byte does harm. */
static void test_damage(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    make_entries(&kit);
    store_table_unref(kit.table);
    store_close(kit.store);
    struct mr_str entry = fake_wal_entry(0);
    char *whole = malloc(entry.len + 1);
    assert_non_null(whole);
    memcpy(whole, entry.ptr, entry.len);
    whole[entry.len] = 0;
    for (size_t len = 0; len <= entry.len + 1; len++) {
        if (len == entry.len)
            continue;
        struct mr_error err = MR_ERROR_INIT;
        fake_wal_set_entry(0, (struct mr_str){whole, len});
        assert_int_equal(store_open(&kit.options, &kit.store, &err), MR_ECORRUPT);
        assert_non_null(strstr(err.text, "entry 1"));
    }
    for (size_t at = 0; at < entry.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            whole[at] ^= (char)(1 << bit);
            fake_wal_set_entry(0, (struct mr_str){whole, entry.len});
            int rc = store_open(&kit.options, &kit.store, NULL);
            assert_true(rc == MR_OK || rc == MR_ECORRUPT);
            if (rc == MR_OK)
                store_close(kit.store);
            whole[at] ^= (char)(1 << bit);
        }
    }
    fake_wal_set_entry(0, (struct mr_str){whole, entry.len});
    free(whole);
    check_ok(store_open(&kit.options, &kit.store, NULL), NULL);
    check_ok(store_table_ref(kit.store, 3, 7, &kit.table, NULL), NULL);
    kit_close(&kit);
    fake_wal_reset();
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_bytes), cmocka_unit_test(test_version_1),
                                       cmocka_unit_test(test_doubles), cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
