#include "cli/parquet.h"

#include <duckdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* What a column is read as. */
enum form { FORM_NONE, FORM_INT, FORM_DOUBLE, FORM_BOOLEAN, FORM_TEXT };

struct column {
    struct mr_str name;
    enum mr_scalar_type type;
    enum form form;
    bool coarse;
    struct mr_str cell;
    char number[MR_NUMBER_TEXT];
};

struct cli_parquet {
    struct mr_arena arena;
    int fd;
    char path[32]; /* of the descriptor: a name of the file's own may look like a pattern */
    duckdb_database db;
    duckdb_connection con;
    duckdb_result result;
    bool has_result;
    duckdb_data_chunk chunk;
    idx_t rows, row; /* of the chunk; the next one */
    struct column *at;
    size_t len;
};

static int failed(struct mr_error *err, const char *why)
{
    struct mr_str text = mr_str_of(why != NULL ? why : "the file cannot be read");
    return mr_error_set(err, MR_EINVAL, MR_STR_FMT,
                        MR_STR_ARG(mr_str_slice(text, 0, mr_str_find(text, '\n', 0))));
}

/* Runs the statement with the path of the file as its one parameter; the result streams. */
static int run(struct cli_parquet *p, const char *sql, duckdb_result *result, struct mr_error *err)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    int rc = MR_OK;
    if (duckdb_prepare(p->con, sql, &statement) != DuckDBSuccess)
        rc = failed(err, duckdb_prepare_error(statement));
    else if (duckdb_bind_varchar(statement, 1, p->path) != DuckDBSuccess)
        rc = failed(err, NULL);
    else if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess)
        rc = failed(err, duckdb_pending_error(pending));
    else if (duckdb_execute_pending(pending, result) != DuckDBSuccess) {
        rc = failed(err, duckdb_result_error(result));
        duckdb_destroy_result(result);
    }
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return rc;
}

static void classify(duckdb_type type, struct column *c)
{
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
        c->type = MR_SCALAR_TYPE_BOOLEAN;
        c->form = FORM_BOOLEAN;
        break;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
        c->type = MR_SCALAR_TYPE_BIGINT;
        c->form = FORM_INT;
        break;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
        c->type = MR_SCALAR_TYPE_DOUBLE;
        c->form = FORM_DOUBLE;
        break;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        c->type = MR_SCALAR_TYPE_TIMESTAMP;
        c->form = FORM_INT;
        break;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB: /* text whose writer left out the annotation */
        c->type = MR_SCALAR_TYPE_VARCHAR;
        c->form = FORM_TEXT;
        break;
    default:
        c->type = MR_SCALAR_TYPE_UNKNOWN;
        c->form = FORM_NONE;
        break;
    }
}

static int look_at_columns(struct cli_parquet *p, struct mr_error *err)
{
    duckdb_result result;
    int rc = run(p, "SELECT * FROM read_parquet(?, hive_partitioning=false) LIMIT 0", &result, err);
    if (rc != MR_OK)
        return rc;
    p->len = duckdb_column_count(&result);
    p->at = MR_ARENA_ARRAY(&p->arena, p->len + 1, struct column);
    for (size_t i = 0; p->at != NULL && i < p->len; i++) {
        p->at[i].name = mr_arena_dup(&p->arena, mr_str_of(duckdb_column_name(&result, i)));
        classify(duckdb_column_type(&result, i), &p->at[i]);
    }
    duckdb_destroy_result(&result);
    return p->arena.failed ? MR_ENOMEM : MR_OK;
}

static int look_for_int96(struct cli_parquet *p, struct mr_error *err)
{
    duckdb_result result;
    int rc = run(p, "SELECT CAST(name AS VARCHAR) FROM parquet_schema(?) WHERE type = 'INT96'", &result, err);
    if (rc != MR_OK)
        return rc;
    for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)) != NULL;
         duckdb_destroy_data_chunk(&chunk)) {
        duckdb_string_t *names = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); row++) {
            struct mr_str name = {duckdb_string_t_data(&names[row]), duckdb_string_t_length(names[row])};
            for (size_t i = 0; i < p->len; i++)
                p->at[i].coarse = p->at[i].coarse || mr_str_eq(p->at[i].name, name);
        }
    }
    duckdb_destroy_result(&result);
    return MR_OK;
}

/* Positions, not names: a file may call two columns alike. */
static void print_select(const struct cli_parquet *p, struct mr_buf *sql)
{
    mr_buf_str(sql, MR_STR("SELECT "));
    for (size_t i = 0; i < p->len; i++) {
        const char *call = p->at[i].type == MR_SCALAR_TYPE_TIMESTAMP ? "epoch_ns(c%zu)"
                           : p->at[i].form == FORM_INT               ? "CAST(c%zu AS BIGINT)"
                           : p->at[i].form == FORM_DOUBLE            ? "CAST(c%zu AS DOUBLE)"
                           : p->at[i].form == FORM_TEXT              ? "CAST(c%zu AS VARCHAR)"
                           : p->at[i].form == FORM_BOOLEAN           ? "c%zu"
                                                                     : "NULL";
        mr_buf_str(sql, i > 0 ? MR_STR(", ") : MR_STR(""));
        for (const char *at = call; *at != '\0'; at++)
            if (at[0] == '%') {
                mr_buf_printf(sql, "%zu", i);
                at += 2;
            } else {
                mr_buf_char(sql, *at);
            }
    }
    mr_buf_str(sql, MR_STR(" FROM read_parquet(?, hive_partitioning=false) AS f("));
    for (size_t i = 0; i < p->len; i++)
        mr_buf_printf(sql, "%sc%zu", i > 0 ? ", " : "", i);
    mr_buf_str(sql, MR_STR(")"));
    mr_buf_char(sql, '\0');
}

static int open_database(struct cli_parquet *p, struct mr_error *err)
{
    static const char *const settings[][2] = {{"threads", "1"},
                                              {"max_memory", "1GB"},
                                              {"autoinstall_known_extensions", "false"},
                                              {"autoload_known_extensions", "false"}};
    duckdb_config config;
    if (duckdb_create_config(&config) != DuckDBSuccess)
        return MR_ENOMEM;
    duckdb_state state = DuckDBSuccess;
    for (size_t i = 0; i < MR_ARRAY_LEN(settings) && state == DuckDBSuccess; i++)
        state = duckdb_set_config(config, settings[i][0], settings[i][1]);
    char *why = NULL;
    if (state == DuckDBSuccess)
        state = duckdb_open_ext(NULL, &p->db, config, &why);
    if (state == DuckDBSuccess)
        state = duckdb_connect(p->db, &p->con);
    int rc = state == DuckDBSuccess ? MR_OK : failed(err, why != NULL ? why : "the reader cannot be opened");
    duckdb_free(why);
    duckdb_destroy_config(&config);
    return rc;
}

int cli_parquet_open(struct cli_parquet **out, const char *path, struct mr_error *err)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct cli_parquet *p = mr_calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return MR_ENOMEM;
    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(p->path, sizeof p->path, "/proc/self/fd/%d", p->fd);
    int rc = p->fd >= 0 ? open_database(p, err) : mr_error_set(err, MR_EINVAL, "%s", strerror(errno));
    if (rc == MR_OK)
        rc = look_at_columns(p, err);
    if (rc == MR_OK)
        rc = look_for_int96(p, err);
    if (rc == MR_OK)
        print_select(p, &sql);
    if (rc == MR_OK)
        rc = mr_buf_ok(&sql) ? run(p, sql.ptr, &p->result, err) : MR_ENOMEM;
    p->has_result = rc == MR_OK;
    mr_buf_release(&sql);
    if (rc == MR_OK)
        *out = p;
    else
        cli_parquet_close(p);
    return rc;
}

size_t cli_parquet_width(const struct cli_parquet *p)
{
    return p->len;
}

struct mr_str cli_parquet_name(const struct cli_parquet *p, size_t column)
{
    return p->at[column].name;
}

enum mr_scalar_type cli_parquet_type(const struct cli_parquet *p, size_t column)
{
    return p->at[column].type;
}

bool cli_parquet_coarse(const struct cli_parquet *p, size_t column)
{
    return p->at[column].coarse;
}

/* Points into the chunk, or into the column's own digits. */
static void read_cell(struct cli_parquet *p, struct column *c, idx_t i)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(p->chunk, i);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    void *data = duckdb_vector_get_data(vector);
    struct mr_text text = {NULL, 0};
    if (c->form == FORM_NONE || (validity != NULL && !duckdb_validity_row_is_valid(validity, p->row)))
        ;
    else if (c->form == FORM_INT)
        text = mr_text_of_int(((const int64_t *)data)[p->row], c->number);
    else if (c->form == FORM_DOUBLE)
        text = mr_text_of_double(((const double *)data)[p->row], c->number);
    else if (c->form == FORM_BOOLEAN)
        text = mr_text(((const bool *)data)[p->row] ? "true" : "false");
    else {
        duckdb_string_t *string = &((duckdb_string_t *)data)[p->row];
        text = (struct mr_text){duckdb_string_t_data(string), duckdb_string_t_length(*string)};
    }
    c->cell = (struct mr_str){text.ptr, text.len};
}

int cli_parquet_next(struct cli_parquet *p, struct mr_error *err)
{
    while (p->chunk == NULL || p->row == p->rows) {
        duckdb_destroy_data_chunk(&p->chunk);
        p->chunk = duckdb_fetch_chunk(p->result);
        p->row = 0;
        p->rows = p->chunk != NULL ? duckdb_data_chunk_get_size(p->chunk) : 0;
        if (p->chunk == NULL) {
            const char *why = duckdb_result_error(&p->result);
            if (why == NULL || why[0] == '\0')
                return 0;
            failed(err, why);
            return -1;
        }
    }
    for (size_t i = 0; i < p->len; i++)
        read_cell(p, &p->at[i], i);
    p->row++;
    return 1;
}

struct mr_str cli_parquet_cell(const struct cli_parquet *p, size_t column)
{
    return p->at[column].cell;
}

void cli_parquet_close(struct cli_parquet *p)
{
    if (p == NULL)
        return;
    duckdb_destroy_data_chunk(&p->chunk);
    if (p->has_result)
        duckdb_destroy_result(&p->result);
    duckdb_disconnect(&p->con);
    duckdb_close(&p->db);
    if (p->fd >= 0)
        close(p->fd);
    mr_arena_release(&p->arena);
    mr_free(p);
}
