/* A tree gives back what it was made from, and what was changed in it. */
#include "lib/check.h"

#include "json/tree.h"

static struct json_node *read(struct mr_arena *arena, const char *text)
{
    struct json_doc doc;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(json_parse(mr_str_of(text), arena, &doc, &err), &err);
    struct json_node *root = json_tree_copy(arena, json_root(&doc));
    assert_non_null(root);
    return root;
}

static void expect(const struct json_node *root, const char *want)
{
    struct mr_buf out = MR_BUF_INIT;
    json_tree_write(root, &out);
    check_str(mr_buf_view(&out), want);
    mr_buf_release(&out);
}

static void test_round_trip(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    expect(
        read(&arena,
             "{\"a\":[1,-2,18446744073709551615,1.5,true,false,null,\"\\u0000\\\"\"],\"b\":{},\"c\":[]}"),
        "{\n  \"a\": [1, -2, 18446744073709551615, 1.5, true, false, null, \"\\u0000\\\"\"],\n  \"b\": {},\n"
        "  \"c\": []\n}\n");
    expect(read(&arena, "[[\"x\"],{\"k\":{\"l\":0.1}}]"),
           "[\n  [\"x\"],\n  {\n    \"k\": {\"l\": 0.1}\n  }\n]\n");
    mr_arena_release(&arena);
}

static void test_change(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct json_node *root = read(&arena, "{\"a\":1,\"b\":2,\"c\":3,\"a\":4}");
    check_str(json_tree_get(root, MR_STR("a"))->text, "4"); /* the last one, as everywhere */
    assert_null(json_tree_get(root, MR_STR("d")));
    json_tree_remove(json_tree_get(root, MR_STR("a")));
    json_tree_remove(json_tree_get(root, MR_STR("b")));
    struct json_node *list = json_tree_add(&arena, root, MR_STR("l"), JSON_ARRAY);
    json_tree_add_text(&arena, list, MR_STR_NULL, MR_STR("x"));
    json_tree_add_text(&arena, list, MR_STR_NULL, MR_STR("y"));
    json_tree_add_text(&arena, list, MR_STR_NULL, MR_STR("z"));
    json_tree_remove(json_tree_find_text(list, MR_STR("y")));
    assert_null(json_tree_find_text(list, MR_STR("y")));
    expect(root, "{\n  \"a\": 1,\n  \"c\": 3,\n  \"l\": [\"x\", \"z\"]\n}\n");
    json_tree_remove(json_tree_find_text(list, MR_STR("x")));
    json_tree_remove(json_tree_find_text(list, MR_STR("z")));
    json_tree_add_text(&arena, list, MR_STR_NULL, MR_STR("w"));
    expect(list, "[\"w\"]\n");
    mr_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_change)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
