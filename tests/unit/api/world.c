#include "world.h"

#include "lib/dir.h"

#include <stdio.h>

struct world world;
uint64_t dropped[8];
unsigned ndropped;
int drop_status;

/* The store of these tests. */
int store_table_drop(struct store *store, uint64_t table_id, struct mr_error *err)
{
    MR_UNUSED(store);
    if (ndropped < MR_ARRAY_LEN(dropped))
        dropped[ndropped++] = table_id;
    return drop_status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)drop_status, "told to fail");
}

static void start(void)
{
    struct mr_error err = MR_ERROR_INIT;
    world.api = (struct api_context){.clock = &world.clock};
    check_ok(catalog_open(world.dir, &world.clock, &world.api.catalog, &err), &err);
    /* a seed of our own makes the derived key ids known */
    check_ok(
        catalog_setting_put(world.api.catalog, "kms-seed", MR_STR("0123456789abcdef0123456789abcdef"), &err),
        &err);
    check_ok(api_context_init(&world.api, &err), &err);
    world.call.api = &world.api;
}

static void stop(void)
{
    api_context_release(&world.api);
    catalog_close(world.api.catalog);
}

int world_setup(void **state)
{
    MR_UNUSED(state);
    world = (struct world){.dir = dir_make()};
    mr_clock_manual_init(&world.clock, INT64_C(1700000000123000000));
    ndropped = 0;
    drop_status = MR_OK;
    start();
    world.call.arena = &world.arena;
    world.call.region = MR_STR("eu-west-1");
    world.call.principal_arn = MR_STR("arn:aws:iam::123456789012:root");
    world.call.host = MR_STR("localhost:8650");
    world.call.user_agent = MR_STR("test");
    world.call.out = &world.out;
    return 0;
}

int world_teardown(void **state)
{
    MR_UNUSED(state);
    stop();
    mr_buf_release(&world.out);
    mr_arena_release(&world.arena);
    dir_remove(world.dir);
    return 0;
}

void world_restart(void)
{
    stop();
    start();
}

static api_action *action_of(enum model_op op)
{
    switch (op) {
    case MODEL_OP_CREATE_DATABASE:
        return api_create_database;
    case MODEL_OP_DESCRIBE_DATABASE:
        return api_describe_database;
    case MODEL_OP_LIST_DATABASES:
        return api_list_databases;
    case MODEL_OP_UPDATE_DATABASE:
        return api_update_database;
    case MODEL_OP_DELETE_DATABASE:
        return api_delete_database;
    case MODEL_OP_CREATE_TABLE:
        return api_create_table;
    case MODEL_OP_DESCRIBE_TABLE:
        return api_describe_table;
    case MODEL_OP_LIST_TABLES:
        return api_list_tables;
    case MODEL_OP_UPDATE_TABLE:
        return api_update_table;
    case MODEL_OP_DELETE_TABLE:
        return api_delete_table;
    case MODEL_OP_TAG_RESOURCE:
        return api_tag_resource;
    case MODEL_OP_UNTAG_RESOURCE:
        return api_untag_resource;
    case MODEL_OP_LIST_TAGS_FOR_RESOURCE:
        return api_list_tags_for_resource;
    case MODEL_OP_DESCRIBE_ENDPOINTS:
        return api_describe_endpoints;
    case MODEL_OP_DESCRIBE_ACCOUNT_SETTINGS:
        return api_describe_account_settings;
    case MODEL_OP_UPDATE_ACCOUNT_SETTINGS:
        return api_update_account_settings;
    default:
        return NULL;
    }
}

int world_send(const char *operation, const char *input)
{
    char target[80]; /* not in the arena, whose memory tests let fail */
    snprintf(target, sizeof target, "Timestream_20181101.%s", operation);
    const struct model_operation *op = model_operation_find(mr_str_of(target));
    void *decoded = NULL;
    assert_non_null(op);
    assert_non_null(action_of(op->op));
    world.fault = (struct model_fault){0};
    world.out.len = 0;
    world.out.failed = false;
    int rc = model_decode(op->input, mr_str_of(input), &world.arena, &decoded, &world.fault);
    if (rc != MR_OK)
        return rc;
    world.call.input = decoded;
    rc = action_of(op->op)(&world.call, &world.fault);
    return rc == MR_OK && !mr_buf_ok(&world.out) ? MR_ENOMEM : rc;
}

void succeeds(const char *operation, const char *input)
{
    int rc = world_send(operation, input);
    if (rc != MR_OK)
        fail_msg("%s: %s: " MR_STR_FMT, operation, mr_status_name((enum mr_status)rc),
                 MR_STR_ARG(world.fault.message));
}

void answers(const char *operation, const char *input, const char *want)
{
    succeeds(operation, input);
    check_str(mr_buf_view(&world.out), want);
}

void fails(const char *operation, const char *input, enum model_error error, const char *message)
{
    int rc = world_send(operation, input);
    if (rc == MR_OK)
        fail_msg("%s succeeded: " MR_STR_FMT, operation, MR_STR_ARG(mr_buf_view(&world.out)));
    check_str(world.fault.message, message);
    assert_int_equal(world.fault.error, error);
    assert_int_equal(world.out.len, 0);
}

const char *member(const char *name)
{
    struct mr_str pattern = mr_arena_printf(&world.arena, "\"%s\":\"", name);
    struct mr_str text = mr_arena_dup(&world.arena, mr_buf_view(&world.out));
    const char *at = strstr(text.ptr, pattern.ptr);
    if (at == NULL)
        return "";
    at += pattern.len;
    struct mr_str rest = mr_str_of(at);
    return mr_arena_dup(&world.arena, mr_str_slice(rest, 0, mr_str_find(rest, '"', 0))).ptr;
}
