/* The bytes of a log entry as docs/format/log-entry.md gives them, and what happens to damaged ones. */
#include "fake_wal.h"
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_bytes), cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
