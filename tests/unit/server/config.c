#include "lib/check.h"

#include "lib/dir.h"

#include "base/io.h"
#include "ingest/ingest.h"
#include "server/config.h"
#include "server/test_clock.h"

#include <stdio.h>

static int load(struct server_config *config, struct mr_error *err, size_t n, const char *const *flags)
{
    char *argv[16];
    bool help;
    for (size_t i = 0; i < n; i++)
        argv[i] = (char *)(uintptr_t)flags[i];
    return server_config_load(config, (int)n, argv, &help, err);
}

#define LOAD(config, err, ...)                                                                               \
    load(config, err, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static void test_defaults_and_flags(void **state)
{
    MR_UNUSED(state);
    struct server_config c;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(LOAD(&c, &err, "--data", "d", "--max-body=2M", "--listen", "[::1]:0"), &err);
    assert_string_equal(c.data, "d");
    assert_int_equal(c.max_body, 2 << 20);
    assert_string_equal(c.host, "::1");
    assert_int_equal(c.port, 0);
    assert_int_equal(c.idle_seconds, 60);
    assert_string_equal(c.account, "123456789012");
    server_config_release(&c);
}

static void test_words(void **state)
{
    MR_UNUSED(state);
    struct server_config c;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(LOAD(&c, &err, "--data", "d"), &err);
    assert_int_equal(c.test_clock, TEST_CLOCK_OFF);
    assert_int_equal(c.magnetic_conflicts, INGEST_CONFLICTS_NOW);
    assert_int_equal(c.file_window_days, 7);
    assert_int_equal(c.flush_log_bytes, 128 << 20);
    server_config_release(&c);
    check_ok(LOAD(&c, &err, "--data", "d", "--test-clock=still", "--magnetic-conflicts", "later"), &err);
    assert_int_equal(c.test_clock, TEST_CLOCK_STILL);
    assert_int_equal(c.magnetic_conflicts, INGEST_CONFLICTS_LATER);
    server_config_release(&c);
    check_ok(LOAD(&c, &err, "--data", "d", "--test-clock", "on"), &err);
    assert_int_equal(c.test_clock, TEST_CLOCK_ON);
    server_config_release(&c);
}

static void test_mistakes_are_named(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *flags[4];
        const char *text;
    } cases[] = {
        {{"--listen", "127.0.0.1:1"}, "--data DIR is required"},
        {{"--data", "d", "--listen", "8650"}, "--listen must be HOST:PORT"},
        {{"--data", "d", "--listen", "h:70000"}, "--listen must be HOST:PORT"},
        {{"--data", "d", "--account", "12"}, "12 digits"},
        {{"--data", "d", "--log-level", "loud"}, "debug, info, warn or error"},
        {{"--data", "d", "--io-threads", "-1"}, "io-threads must be a number from 0 to 256"},
        {{"--data", "d", "--max-body", "9999T"}, "max-body must be a number"},
        {{"--data", "d", "--tls-key", "k"}, "go together"},
        {{"--data", "d", "--tls-client-ca", "f"}, "needs --tls-cert"},
        {{"--data", "d", "--memory", "100M"}, "--memory must be 0 or at least 536870912"},
        {{"--data", "d", "--test-clock", "yes"},
         "--test-clock: test-clock must be one of off|on|still, not 'yes'"},
        {{"--data", "d", "--magnetic-conflicts", ""}, "one of now|later"},
        {{"--data", "d", "--magnetic-conflicts", "now|later"}, "one of now|later"},
        {{"--data", "d", "--file-window-days", "0"}, "file-window-days must be a number from 1 to 3650"},
        {{"--data", "d", "--what", "x"}, "unknown flag '--what'"},
        {{"--data", "d", "stray", "x"}, "unexpected argument 'stray'"},
        {{"--data", "d", "--config", "/nonexistent"}, "/nonexistent"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct server_config c;
        struct mr_error err = MR_ERROR_INIT;
        size_t n = cases[i].flags[2] != NULL ? 4 : 2;
        assert_int_not_equal(load(&c, &err, n, cases[i].flags), MR_OK);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("'%s' does not say '%s'", err.text, cases[i].text);
        server_config_release(&c);
    }
}

/* The parts of --memory; what is given stays. */
static void test_memory_is_divided(void **state)
{
    MR_UNUSED(state);
    struct server_config c;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(LOAD(&c, &err, "--data", "d", "--memory", "4G", "--block-cache", "100M"), &err);
    assert_int_equal(c.block_cache, 100 << 20);
    assert_int_equal(c.log_queue, 32 << 20);
    assert_int_equal(c.max_bodies, 64 << 20);
    assert_in_range(c.memory_limit, INT64_C(1) << 30, INT64_C(2) << 30);
    assert_in_range(c.query_memory, INT64_C(400) << 20, INT64_C(1) << 30);
    assert_true(c.memory_limit + 2 * c.query_memory + c.block_cache + c.log_queue + c.max_bodies < c.memory);
    server_config_release(&c);
    check_ok(LOAD(&c, &err, "--data", "d", "--memory", "512M"), &err);
    assert_true(c.memory_limit + 2 * c.query_memory + c.block_cache + c.log_queue + c.max_bodies < c.memory);
    server_config_release(&c);
    assert_int_equal(LOAD(&c, &err, "--data", "d", "--memory", "1G", "--query-memory", "1G"), MR_EINVAL);
    assert_non_null(strstr(err.text, "--memory 1073741824 is too little"));
    server_config_release(&c);
}

static void test_file_gives_way_to_flags(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, "conf",
                              MR_STR("# a comment\r\n\n max-body = 1M \nidle-seconds=5\nlog-level = warn"),
                              0600, &err),
             &err);
    char path[600];
    snprintf(path, sizeof path, "%s/conf", dir);
    struct server_config c;
    check_ok(LOAD(&c, &err, "--data", "d", "--config", path, "--idle-seconds", "7"), &err);
    assert_int_equal(c.max_body, 1 << 20);
    assert_int_equal(c.idle_seconds, 7);
    assert_int_equal(c.level, MR_LOG_WARN);
    server_config_release(&c);

    check_ok(mr_io_write_file(&mr_io_posix, dir, "conf", MR_STR("max-body = 1M\nnonsense\n"), 0600, &err),
             &err);
    assert_int_equal(LOAD(&c, &err, "--data", "d", "--config", path), MR_EINVAL);
    assert_non_null(strstr(err.text, "line 2"));
    server_config_release(&c);
    dir_remove(dir);
}

static void test_help_lists_every_flag(void **state)
{
    MR_UNUSED(state);
    struct server_config c;
    struct mr_error err = MR_ERROR_INIT;
    bool help = false;
    char *argv[] = {(char *)(uintptr_t) "--help"};
    check_ok(server_config_load(&c, 1, argv, &help, &err), &err);
    assert_true(help);
    server_config_release(&c);
    struct mr_buf text = MR_BUF_INIT;
    server_config_help(&text);
    mr_buf_char(&text, '\0');
    static const char *const some[] = {"--data DIR", "--listen HOST:PORT", "--tls-cert", "--query-seconds",
                                       "(default 4M)"};
    for (size_t i = 0; i < MR_ARRAY_LEN(some); i++)
        assert_non_null(strstr(text.ptr, some[i]));
    mr_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_flags),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_mistakes_are_named),      cmocka_unit_test(test_memory_is_divided),
        cmocka_unit_test(test_file_gives_way_to_flags), cmocka_unit_test(test_help_lists_every_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
