#include "lib/check.h"

#include "lib/fault.h"

#include "base/cursor.h"

static void test_arena_grows_and_resets(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    char *first = mr_arena_alloc(&arena, 10);
    assert_non_null(first);
    memset(first, 1, 10);
    for (int i = 0; i < 1000; i++) {
        char *p = mr_arena_alloc(&arena, 100);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, i & 255, 100);
    }
    assert_int_equal(first[9], 1);
    size_t before = arena.total;
    mr_arena_reset(&arena);
    assert_true(arena.total < before);
    assert_true(arena.total > 0);
    assert_ptr_equal(mr_arena_alloc(&arena, 10), first);
    mr_arena_release(&arena);
    assert_int_equal(arena.total, 0);
}

static void test_arena_limit_is_sticky(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    arena.limit = 16384;
    size_t got = 0;
    while (mr_arena_alloc(&arena, 1000) != NULL)
        got++;
    assert_in_range(got, 8, 16);
    assert_true(arena.failed);
    assert_null(mr_arena_dup(&arena, (struct mr_str){"", 20000}).ptr);
    mr_arena_release(&arena);
    assert_int_equal(arena.limit, 16384);
}

static void test_arena_overflow_is_refused(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    assert_null(mr_arena_array(&arena, SIZE_MAX / 2, 4));
    assert_true(arena.failed);
    assert_null(mr_arena_alloc(&arena, SIZE_MAX - 8));
    mr_arena_release(&arena);
}

static void test_arena_text(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    check_str(mr_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    struct mr_str empty = mr_arena_dup(&arena, MR_STR(""));
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    mr_arena_release(&arena);
}

static void test_buf_appends_and_reports_failure_once(void **state)
{
    MR_UNUSED(state);
    struct mr_buf buf = MR_BUF_INIT;
    for (int i = 0; i < 100; i++)
        mr_buf_printf(&buf, "%d,", i);
    assert_true(mr_buf_ok(&buf));
    assert_int_equal(buf.len, 290);
    mr_buf_release(&buf);

    char longer[400];
    memset(longer, 'z', sizeof longer - 1);
    longer[399] = '\0';
    mr_buf_printf(&buf, "%s!", longer);
    assert_int_equal(buf.len, 400);
    assert_int_equal(buf.ptr[399], '!');
    fault_alloc(1);
    mr_buf_add(&buf, longer, 399);
    assert_true(fault_alloc_fired());
    fault_alloc(0);
    assert_false(mr_buf_ok(&buf));
    size_t len = buf.len;
    mr_buf_char(&buf, 'x'); /* sticky: a document with a hole must not look whole */
    assert_int_equal(buf.len, len);
    mr_buf_release(&buf);
}

static void test_varint_and_cursor(void **state)
{
    MR_UNUSED(state);
    static const uint64_t values[] = {0, 1, 127, 128, 300, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct mr_buf buf = MR_BUF_INIT;
    for (size_t i = 0; i < MR_ARRAY_LEN(values); i++)
        mr_buf_varint(&buf, values[i]);
    mr_buf_u32(&buf, 0xA1B2C3D4);
    mr_buf_u64(&buf, 0x1122334455667788);
    struct mr_cursor c = mr_cursor_of(buf.ptr, buf.len);
    for (size_t i = 0; i < MR_ARRAY_LEN(values); i++)
        assert_int_equal(mr_cursor_varint(&c), values[i]);
    assert_int_equal(mr_cursor_u32(&c), 0xA1B2C3D4);
    assert_int_equal(mr_cursor_u64(&c), 0x1122334455667788);
    assert_false(c.bad);
    assert_int_equal(c.left, 0);
    mr_cursor_u8(&c);
    assert_true(c.bad);
    mr_buf_release(&buf);

    static const unsigned char eleven[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    c = mr_cursor_of(eleven, sizeof eleven);
    mr_cursor_varint(&c);
    assert_true(c.bad);
}

static void test_grow_keeps_array_on_failure(void **state)
{
    MR_UNUSED(state);
    int *items = NULL;
    size_t cap = 0;
    assert_int_equal(mr_grow((void **)&items, &cap, 5, sizeof *items), MR_OK);
    assert_true(cap >= 5);
    items[4] = 42;
    int *before = items;
    fault_alloc(1);
    assert_int_equal(mr_grow((void **)&items, &cap, 100, sizeof *items), MR_ENOMEM);
    fault_alloc(0);
    assert_ptr_equal(items, before);
    assert_int_equal(items[4], 42);
    assert_int_equal(mr_grow((void **)&items, &cap, SIZE_MAX, sizeof *items), MR_ENOMEM);
    mr_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_grows_and_resets),
        cmocka_unit_test(test_arena_limit_is_sticky),
        cmocka_unit_test(test_arena_overflow_is_refused),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_buf_appends_and_reports_failure_once),
        cmocka_unit_test(test_varint_and_cursor),
        cmocka_unit_test(test_grow_keeps_array_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
