/* What the control plane does at boot: secrets, limits, deletions that were cut in half. */
#include "world.h"

#include "api/state.h"
#include "base/log.h"

static void make_table(const char *name)
{
    succeeds("CreateTable",
             mr_arena_printf(&world.arena, "{\"DatabaseName\":\"plant\",\"TableName\":\"%s\"}", name).ptr);
}

static size_t left(void)
{
    uint64_t *ids = NULL;
    size_t n = 99;
    check_ok(catalog_dropped_tables(world.api.catalog, &world.arena, &ids, &n), NULL);
    return n;
}

/* write-api reference 3.10: the caller hears of the success; the data goes at the next start. */
static void boot_finishes_deletions(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    succeeds("CreateDatabase", "{\"DatabaseName\":\"plant\"}");
    make_table("one");
    make_table("two");
    drop_status = MR_EIO;
    mr_log_set_level(MR_LOG_ERROR);
    answers("DeleteTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"one\"}", "{}");
    answers("DeleteTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"two\"}", "{}");
    assert_int_equal(left(), 2);
    fails("DescribeTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"one\"}", MODEL_NOT_FOUND,
          "The table one does not exist.");
    world_restart();

    assert_int_equal(api_boot_cleanup(&world.api, &err), MR_EIO); /* it still does not work */
    assert_string_equal(err.text, "told to fail");
    assert_int_equal(left(), 2);

    drop_status = MR_OK;
    ndropped = 0;
    check_ok(api_boot_cleanup(&world.api, NULL), NULL);
    assert_int_equal(ndropped, 2);
    assert_int_not_equal(dropped[0], dropped[1]);
    assert_int_equal(left(), 0);
    check_ok(api_boot_cleanup(&world.api, NULL), NULL);
    assert_int_equal(ndropped, 2);
    mr_log_set_level(MR_LOG_INFO);
}

/* A crash between the store's forgetting and the catalog's note of it: the store does not know the id any
 * more. */
static void boot_forgives_forgotten_tables(void **state)
{
    MR_UNUSED(state);
    uint64_t id = 0;
    succeeds("CreateDatabase", "{\"DatabaseName\":\"plant\"}");
    make_table("one");
    check_ok(catalog_table_delete(world.api.catalog, MR_STR("plant"), MR_STR("one"), &id, NULL), NULL);
    mr_log_set_level(MR_LOG_ERROR);
    drop_status = MR_ENOENT;
    check_ok(api_boot_cleanup(&world.api, NULL), NULL);
    mr_log_set_level(MR_LOG_INFO);
    assert_int_equal(left(), 0);
}

static void secrets_are_made_once(void **state)
{
    MR_UNUSED(state);
    unsigned char key[API_SECRET_BYTES], zero[API_SECRET_BYTES] = {0};
    memcpy(key, world.api.state->token_key, sizeof key);
    assert_memory_not_equal(key, zero, sizeof key);
    world_restart();
    assert_memory_equal(world.api.state->token_key, key, sizeof key);
}

static void a_cut_secret_is_refused(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct api_context second = {.catalog = world.api.catalog, .clock = &world.clock};
    check_ok(catalog_setting_put(world.api.catalog, "page-token-key", MR_STR("short"), NULL), NULL);
    assert_int_equal(api_context_init(&second, &err), MR_ECORRUPT);
    assert_string_equal(err.text, "catalog: the setting page-token-key has 5 bytes instead of 32");
    assert_null(second.state);
    check_ok(catalog_setting_put(world.api.catalog, "page-token-key",
                                 MR_STR("0123456789abcdef0123456789abcdef"), NULL),
             NULL);
}

static void defaults_are_filled_in(void **state)
{
    MR_UNUSED(state);
    assert_string_equal(world.api.account, "123456789012");
    assert_string_equal(world.api.partition, "aws");
    assert_int_equal(world.api.max_databases, 500);
    assert_int_equal(world.api.max_tables, 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boot_finishes_deletions), TEST(boot_forgives_forgotten_tables), TEST(secrets_are_made_once),
        TEST(a_cut_secret_is_refused), TEST(defaults_are_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
