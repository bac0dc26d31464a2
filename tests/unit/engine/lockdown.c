/* What the embedded database must not do, tried on the engine itself as if sql/ had let it through.
 *
 * A directory holds a file with a known text. Whatever a statement answers, that text must not come out,
 * nothing in the directory may change, and the settings stay. Statements marked MUST_FAIL must fail besides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>

#include "engine/harness.h"
#include "lib/dir.h"

#define SECRET "canary-text-1f9c"

enum outcome { MUST_FAIL, ANY };

static const struct {
    enum outcome outcome;
    const char *sql; /* @ stands for the directory */
} statements[] = {
    /* reading files */
    {MUST_FAIL, "SELECT * FROM read_csv('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM read_csv_auto('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM sniff_csv('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM '@/canary.csv'"},
    {MUST_FAIL, "SELECT * FROM \"@/canary.csv\""},
    {MUST_FAIL, "FROM '@/canary.csv'"},
    {MUST_FAIL, "SELECT content FROM read_text('@/canary.csv')"},
    {MUST_FAIL, "SELECT content FROM read_text(['@/canary.csv'])"},
    {MUST_FAIL, "SELECT content FROM read_blob('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM read_json('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM read_ndjson_objects('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM read_json_auto('@/*')"},
    {MUST_FAIL, "SELECT * FROM read_parquet('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM parquet_scan('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM parquet_metadata('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM parquet_schema('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM parquet_kv_metadata('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM glob('@/*')"},
    {MUST_FAIL, "SELECT * FROM read_text('/proc/self/environ')"},
    {MUST_FAIL, "SELECT * FROM read_text('/proc/self/maps')"},
    {MUST_FAIL, "SELECT * FROM read_text('/dev/stdin')"},
    {MUST_FAIL, "SELECT * FROM read_csv('file://@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM read_csv('https://127.0.0.1:1/x.csv')"},
    {MUST_FAIL, "SELECT * FROM read_parquet('s3://bucket/x.parquet')"},
    {MUST_FAIL, "SELECT * FROM read_csv('hf://datasets/a/b.csv')"},
    {MUST_FAIL, "SELECT * FROM read_xlsx('@/canary.xlsx')"},
    {MUST_FAIL, "SELECT * FROM sqlite_scan('@/x.db', 't')"},
    {MUST_FAIL, "SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 't')"},
    {MUST_FAIL, "SELECT * FROM iceberg_scan('@')"},
    {MUST_FAIL, "SELECT * FROM delta_scan('@')"},
    {MUST_FAIL, "SELECT * FROM st_read('@/canary.csv')"},
    {MUST_FAIL, "SELECT * FROM arrow_scan(1, 2, 3)"},
    {MUST_FAIL, "SELECT * FROM read_duckdb('@/x.duckdb')"},
    {MUST_FAIL, "SELECT * FROM query('SELECT content FROM read_text(''@/canary.csv'')')"},
    {MUST_FAIL, "SELECT * FROM query_table('@/canary.csv')"},
    {MUST_FAIL, "FROM query('FROM ''@/canary.csv''')"},
    {MUST_FAIL, "SELECT file_exists('@/canary.csv')"},
    {MUST_FAIL, "SELECT getenv('PATH')"},
    {MUST_FAIL, "SELECT write_log('x', log_type := 'FileSystem') , content FROM read_text('@/canary.csv')"},
    /* writing files */
    {MUST_FAIL, "COPY (SELECT 1) TO '@/out.csv'"},
    {MUST_FAIL, "COPY (SELECT 1) TO '@/out.parquet' (FORMAT parquet)"},
    {MUST_FAIL, "COPY (SELECT 1) TO '@/out.json' (FORMAT json)"},
    {MUST_FAIL, "COPY (SELECT 1 AS a) TO '@' (FORMAT csv, PARTITION_BY a)"},
    {MUST_FAIL, "COPY (SELECT 1) TO '/dev/stdout'"},
    {MUST_FAIL, "COPY (SELECT 1) TO '/dev/null'"},
    {MUST_FAIL, "COPY (SELECT 1) TO 'https://127.0.0.1:1/x'"},
    {MUST_FAIL, "EXPORT DATABASE '@/export'"},
    {MUST_FAIL, "IMPORT DATABASE '@'"},
    {MUST_FAIL, "COPY FROM DATABASE memory TO '@/x.db'"},
    {MUST_FAIL, "ATTACH '@/x.db'"},
    {MUST_FAIL, "ATTACH '@/x.db' AS x (READ_ONLY)"},
    {MUST_FAIL, "ATTACH 'x.db' AS y (TYPE sqlite)"},
    {MUST_FAIL, "ATTACH 'host=127.0.0.1' AS p (TYPE postgres)"},
    {MUST_FAIL, "ATTACH 'https://127.0.0.1:1/x.db' AS w"},
    {MUST_FAIL, "ATTACH IF NOT EXISTS '@/x.db' AS x2"},
    {MUST_FAIL, "CHECKPOINT nosuch"},
    {MUST_FAIL, "USE nosuch"},
    /* extensions, secrets */
    {MUST_FAIL, "INSTALL httpfs"},
    {MUST_FAIL, "FORCE INSTALL httpfs"},
    {MUST_FAIL, "INSTALL httpfs FROM community"},
    {MUST_FAIL, "INSTALL httpfs FROM 'https://127.0.0.1:1'"},
    {MUST_FAIL, "INSTALL '@/x.duckdb_extension'"},
    {MUST_FAIL, "LOAD httpfs"},
    {MUST_FAIL, "LOAD '@/x.duckdb_extension'"},
    {MUST_FAIL, "UPDATE EXTENSIONS"},
    {MUST_FAIL, "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')"},
    {MUST_FAIL, "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')"},
    {MUST_FAIL, "CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')"},
    {ANY, "SELECT * FROM duckdb_secrets()"},
    {ANY, "FROM which_secret('s3://x', 's3')"},
    /* configuration */
    {MUST_FAIL, "SET enable_external_access=true"},
    {MUST_FAIL, "SET GLOBAL enable_external_access=true"},
    {MUST_FAIL, "SET lock_configuration=false"},
    {MUST_FAIL, "RESET lock_configuration"},
    {MUST_FAIL, "RESET enable_external_access"},
    {MUST_FAIL, "PRAGMA enable_external_access=true"},
    {MUST_FAIL, "PRAGMA memory_limit='100GB'"},
    {MUST_FAIL, "SET memory_limit='100GB'"},
    {MUST_FAIL, "SET max_memory='100GB'"},
    {MUST_FAIL, "SET threads=64"},
    {MUST_FAIL, "SET worker_threads=64"},
    {MUST_FAIL, "SET external_threads=1"},
    {MUST_FAIL, "SET temp_directory='@'"},
    {MUST_FAIL, "SET max_temp_directory_size='100GB'"},
    {MUST_FAIL, "SET home_directory='@'"},
    {MUST_FAIL, "SET extension_directory='@'"},
    {MUST_FAIL, "SET secret_directory='@'"},
    {MUST_FAIL, "SET file_search_path='@'"},
    {MUST_FAIL, "SET custom_extension_repository='https://127.0.0.1:1'"},
    {MUST_FAIL, "SET allow_community_extensions=true"},
    {MUST_FAIL, "SET allow_unsigned_extensions=true"},
    {MUST_FAIL, "SET autoload_known_extensions=true"},
    {MUST_FAIL, "SET autoinstall_known_extensions=true"},
    {MUST_FAIL, "SET allow_persistent_secrets=true"},
    {MUST_FAIL, "SET allowed_directories=['@']"},
    {MUST_FAIL, "SET allowed_paths=['@/canary.csv']"},
    {MUST_FAIL, "SET disabled_filesystems=''"},
    {MUST_FAIL, "SET max_expression_depth=100000"},
    {MUST_FAIL, "SET log_query_path='@/log'"},
    {MUST_FAIL, "SET profiling_output='@/profile'"},
    {MUST_FAIL, "PRAGMA profiling_output='@/profile'"},
    {MUST_FAIL, "PRAGMA enable_profiling='json'"},
    {MUST_FAIL, "SET enable_profiling='json'"},
    {MUST_FAIL, "SET enable_logging=true"},
    {MUST_FAIL, "SET logging_storage='file'"},
    {MUST_FAIL, "SET http_proxy='127.0.0.1:1'"},
    {MUST_FAIL, "SET schema='information_schema'"},
    {MUST_FAIL, "SET search_path='pg_catalog'"},
    {MUST_FAIL, "SET TimeZone='America/New_York'"},
    {MUST_FAIL, "SET default_null_order='nulls_first'"},
    {MUST_FAIL, "SET default_order='DESC'"},
    {MUST_FAIL, "PRAGMA add_parquet_key('k', 'x')"},
    {MUST_FAIL, "PRAGMA import_database('@')"},
    {MUST_FAIL, "CALL enable_logging()"},
    {MUST_FAIL, "CALL enable_logging(storage := 'file', storage_path := '@/log')"},
    {MUST_FAIL, "CALL enable_profiling()"},
    {MUST_FAIL, "CALL disable_logging()"},
    {MUST_FAIL, "PRAGMA force_checkpoint"},
    {ANY, "PRAGMA database_list"},
    {ANY, "PRAGMA platform"},
    {ANY, "PRAGMA user_agent"},
    {ANY, "SELECT current_setting('temp_directory')"},
    {ANY, "SELECT * FROM duckdb_temporary_files()"},
    {ANY, "SELECT * FROM duckdb_logs"},
    {ANY, "SELECT * FROM duckdb_extensions()"},
    /* more than one statement, and statements that are no query */
    {MUST_FAIL, "SELECT 1; COPY (SELECT 1) TO '@/out.csv'"},
    {MUST_FAIL, "SELECT 1; SELECT 2"},
    {MUST_FAIL, "PREPARE p AS SELECT 1"},
    {MUST_FAIL, "EXECUTE nosuch"},
    {MUST_FAIL, "SET VARIABLE x = 1"},
    {MUST_FAIL, "CREATE TABLE left_behind AS SELECT 1"},
    {MUST_FAIL, "CREATE MACRO mr_scan(a) AS TABLE SELECT 1"},
    {MUST_FAIL, "CREATE OR REPLACE FUNCTION mr_bin(a, b) AS 42"},
    {MUST_FAIL, "DROP FUNCTION mr_bin"},
    {MUST_FAIL, "CREATE TEMP TABLE t AS SELECT 1"},
    {MUST_FAIL, "BEGIN TRANSACTION"},
    {MUST_FAIL, "ROLLBACK"},
    {MUST_FAIL, "CHECKPOINT"},
    {MUST_FAIL, "VACUUM"},
    {MUST_FAIL, "EXPLAIN ANALYZE SELECT 1"},
    {MUST_FAIL, "DETACH memory"},
    {MUST_FAIL, "DETACH temp"},
    {MUST_FAIL, "SELECT * FROM mr_scan(0)"},
    {MUST_FAIL, "SELECT * FROM mr_scan(NULL)"},
    {MUST_FAIL, "SELECT"},
    {MUST_FAIL, ""},
};

static char *dir;

static void with_dir(const char *sql, struct mr_buf *out)
{
    for (const char *p = sql; *p != '\0'; p++) {
        if (*p == '@')
            mr_buf_str(out, mr_str_of(dir));
        else
            mr_buf_char(out, *p);
    }
    mr_buf_char(out, '\0');
}

static unsigned files_in_dir(void)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Runs the statement and fetches everything it answers; true when it failed. */
static bool fails(const char *sql, struct mr_buf *out)
{
    struct harness_case c;
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;

    harness_case_init(&c, sql, "s");
    int status = engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err);
    while (status == MR_OK)
        status = engine_run_row(run, out, &err);
    engine_run_close(run);
    mr_buf_str(out, mr_str_of(err.text));
    mr_buf_char(out, '\0');
    harness_case_release(&c);
    /* A result of other columns than one VARCHAR was computed all the same: that is no refusal. */
    return status != MR_ENOENT &&
           !(status == MR_EINTERNAL && strstr(err.text, "does not match its plan") != NULL);
}

static void nothing_gets_out(void **state)
{
    MR_UNUSED(state);
    unsigned before = files_in_dir(), bad = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(statements); i++) {
        struct mr_buf sql = MR_BUF_INIT, out = MR_BUF_INIT;
        with_dir(statements[i].sql, &sql);
        bool failed = fails(sql.ptr, &out);
        bool leaked = strstr(out.ptr, SECRET) != NULL;
        if ((!failed && statements[i].outcome == MUST_FAIL) || leaked || files_in_dir() != before) {
            print_error("%s\n%s\n", sql.ptr, out.ptr);
            bad++;
        }
        mr_buf_release(&sql);
        mr_buf_release(&out);
    }
    assert_int_equal(bad, 0);
}

/* After all that the engine computes as before. */
static void works_afterwards(void **state)
{
    MR_UNUSED(state);
    check_value("t", "mr_bin(90000000000, 60000000000)", "1970-01-01 00:01:00.000000000");
    check_value("s",
                "current_setting('enable_external_access')::VARCHAR || "
                "current_setting('lock_configuration')::VARCHAR",
                "falsetrue");
    check_value("s", "current_setting('memory_limit') || current_setting('temp_directory')", "256.0 MiB");
    check_value("l", "current_setting('threads')", "2");
}

static int open_all(void **state)
{
    dir = dir_make();
    char path[4096];
    snprintf(path, sizeof(path), "%s/canary.csv", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("a,b\n1," SECRET "\n", f);
    fclose(f);
    return harness_open(state);
}

static int close_all(void **state)
{
    dir_remove(dir);
    return harness_close(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_gets_out),
                                       cmocka_unit_test(works_afterwards)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
