/* Settings of the embedded database, and the proof that they hold. The order matters: each line shuts a door
 * that a later one would otherwise leave usable, and lock_configuration comes last. */
#include "engine/duck.h"

#include <inttypes.h>
#include <stdio.h>

struct setting {
    const char *name;
    const char *value;    /* as SQL */
    const char *reads_as; /* NULL: is not compared */
};

static int set_one(duckdb_connection con, const char *name, const char *value, struct mr_error *err)
{
    char sql[160];
    snprintf(sql, sizeof(sql), "SET GLOBAL %s=%s", name, value);
    if (duckdb_query(con, sql, NULL) != DuckDBSuccess)
        return mr_error_set(err, MR_EINTERNAL, "embedded database refused the setting %s", name);
    return MR_OK;
}

static int read_back(duckdb_connection con, const char *name, const char *want, struct mr_error *err)
{
    char sql[160];
    duckdb_result result;
    int status = MR_EINTERNAL;

    snprintf(sql, sizeof(sql), "SELECT value FROM duckdb_settings() WHERE name='%s'", name);
    if (duckdb_query(con, sql, &result) == DuckDBSuccess) {
        char *got = duckdb_value_varchar(&result, 0, 0);
        if (got != NULL && strcmp(got, want) == 0)
            status = MR_OK;
        duckdb_free(got);
    }
    duckdb_destroy_result(&result);
    if (status != MR_OK)
        mr_error_set(err, MR_EINTERNAL, "embedded database does not keep the setting %s", name);
    return status;
}

static int try_forbidden(duckdb_connection con, struct mr_error *err)
{
    /* One of each way out: reading and writing files, extensions, other databases' files, secrets,
     * configuration. */
    static const char *const forbidden[] = {
        "SELECT count(*) FROM read_csv('/etc/hostname')",
        "SELECT content FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/dev/null'",
        "ATTACH '/tmp/millrace-forbidden.db' AS forbidden",
        "EXPORT DATABASE '/tmp/millrace-forbidden'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access=true",
        "SET lock_configuration=false",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(forbidden); i++) {
        if (duckdb_query(con, forbidden[i], NULL) == DuckDBSuccess)
            return mr_error_set(err, MR_EINTERNAL, "embedded database is not locked down: \"%s\" works",
                                forbidden[i]);
    }
    return MR_OK;
}

int lockdown_apply(duckdb_connection con, const struct engine_options *options, struct mr_error *err)
{
    char memory[32], threads[16];
    const struct setting settings[] = {
        {"temp_directory", "''", ""}, /* spill files would be plaintext */
        {"memory_limit", memory, NULL},
        {"threads", threads, threads},
        {"autoinstall_known_extensions", "false", "false"},
        {"autoload_known_extensions", "false", "false"},
        {"allow_community_extensions", "false", "false"},
        {"allow_unsigned_extensions", "false", "false"},
        {"allow_persistent_secrets", "false", "false"},
        {"max_expression_depth", "250", "250"},
        /* SQL promises no order without ORDER BY, and keeping one costs parallel scans. */
        {"preserve_insertion_order", "false", "false"},
        {"enable_external_access", "false", "false"},
        {"lock_configuration", "true", "true"},
    };
    int status = MR_OK;

    snprintf(memory, sizeof(memory), "'%zuB'", options->memory_limit);
    snprintf(threads, sizeof(threads), "%u", options->threads);
    for (size_t i = 0; i < MR_ARRAY_LEN(settings) && status == MR_OK; i++)
        status = set_one(con, settings[i].name, settings[i].value, err);
    for (size_t i = 0; i < MR_ARRAY_LEN(settings) && status == MR_OK; i++)
        if (settings[i].reads_as != NULL)
            status = read_back(con, settings[i].name, settings[i].reads_as, err);
    return status == MR_OK ? try_forbidden(con, err) : status;
}
