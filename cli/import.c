/* `millrace import`: files into a table, with checkpoints, and rows counted against what was promised. */
#include "cli/import.h"

#include <inttypes.h>

#define CHECK_NS MR_NS_PER_S
#define CHECK_ROWS 50000

/* ---- rows and checkpoints ---- */

bool import_begins(struct import *im)
{
    im->in_piece++;
    return im->in_piece > im->skip;
}

static int save(struct import *im)
{
    uint64_t written = 0;
    int rc = cli_load_flush(&im->load, &written, &im->at.rejects_bytes);
    if (rc == CLI_OK && cli_load_stopped(&im->load)) {
        if (im->file.path != NULL)
            fputs("millrace: the same command goes on from the last checkpoint\n", stderr);
        return CLI_FAILED;
    }
    im->at.written = (int64_t)written;
    pthread_mutex_lock(&im->load.lock);
    im->at.refused = (int64_t)im->load.refused;
    pthread_mutex_unlock(&im->load.lock);
    im->saved_ns = mr_clock_mono(&mr_clock_system);
    im->saved_rows = im->at.rows;
    return rc == CLI_OK ? cli_state_save(&im->file) : rc;
}

int import_ended(struct import *im, int64_t bytes)
{
    if (im->in_piece <= im->skip)
        return CLI_OK;
    im->at.row = im->in_piece;
    im->at.rows++;
    cli_progress(&im->progress, (uint64_t)im->at.rows,
                 im->pieces[0].rows >= 0 ? im->at.rows : im->at.bytes + bytes);
    if (im->at.rows % 64 != 0)
        return CLI_OK;
    if (cli_load_stopped(&im->load))
        return CLI_FAILED;
    if (im->file.path == NULL)
        return CLI_OK;
    bool due = im->at.rows - im->saved_rows >= CHECK_ROWS ||
               mr_clock_mono(&mr_clock_system) - im->saved_ns >= CHECK_NS;
    return due ? save(im) : CLI_OK;
}

/* ---- counts ---- */

static int count_table(struct import *im, int64_t *rows)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *result = NULL;
    struct cli *cli = im->cli;
    mr_buf_str(&sql, MR_STR("SELECT count(*) FROM "));
    cli_table_name(&sql, cli);
    struct mr_query_request request = {.query_string = {sql.ptr, sql.len}};
    int rc = mr_buf_ok(&sql) ? mr_rows_open(cli->client, &request, &result, &cli->fault) : MR_ERR_MEMORY;
    if (rc == 0)
        rc = mr_rows_next(result, &cli->fault) == 1 ? 0 : MR_ERR_ANSWER;
    if (rc == 0)
        *rows = mr_rows_cell(result, 0)->v.integer;
    mr_rows_close(result);
    mr_buf_release(&sql);
    return rc == 0 ? CLI_OK : cli_fault(cli);
}

/* The rows of a file are as many as the manifest says. */
static void check_piece(struct import *im, const struct piece *piece)
{
    if (piece->rows < 0 || piece->rows == im->in_piece)
        return;
    im->at.mismatches++;
    fprintf(stderr, "millrace: %s: %" PRId64 " rows, the manifest says %" PRId64 "\n", piece->path,
            im->in_piece, piece->rows);
}

static int check_total(const struct import *im)
{
    int64_t total = 0;
    for (size_t i = 0; i < im->nunloads; i++)
        total += im->unloads[i].total;
    if (im->nunloads == 0)
        return CLI_OK;
    fprintf(stderr, "%zu files, %" PRId64 " rows read, %" PRId64 " in the manifest\n", im->npieces,
            im->at.rows, total);
    return total == im->at.rows && im->at.mismatches == 0 ? CLI_OK : CLI_FAILED;
}

static int check_table(struct import *im)
{
    int64_t now = 0;
    if (!im->cli->verify)
        return CLI_OK;
    if (count_table(im, &now) != CLI_OK)
        return CLI_FAILED;
    int64_t more = now - im->at.before;
    fprintf(stderr, "verified: the table has %" PRId64 " rows, %" PRId64 " more than before\n", now, more);
    if (more >= im->at.written)
        return CLI_OK;
    fprintf(stderr,
            "millrace: that is %" PRId64
            " fewer than were written: they were there before, are alike in time, "
            "dimensions and measure name, or are past the retention\n",
            im->at.written - more);
    return CLI_FAILED;
}

/* ---- the table ---- */

/* Old rows only fit into a table whose magnetic store takes writes. */
static int create(struct cli *cli)
{
    struct mr_text database = mr_text(cli->database), table = mr_text(cli->table);
    struct mr_retention_properties retention = {mr_int(cli->memory_hours), mr_int(cli->magnetic_days)};
    struct mr_magnetic_store_write_properties magnetic = {.enable_magnetic_store_writes = mr_bool(true)};
    struct mr_create_table_request request = {
        .database_name = database, .table_name = table, .magnetic_store_write_properties = &magnetic};
    if ((cli->memory_hours != 0) != (cli->magnetic_days != 0))
        return cli_misuse(cli, "--memory-hours and --magnetic-days go together.");
    if (cli->memory_hours != 0)
        request.retention_properties = &retention;
    int rc = mr_create_database(cli->client, &(struct mr_create_database_request){.database_name = database},
                                NULL, &cli->fault);
    if (rc == 0 || strcmp(cli->fault.code, "ConflictException") == 0)
        rc = mr_create_table(cli->client, &request, NULL, &cli->fault);
    return rc == 0 || strcmp(cli->fault.code, "ConflictException") == 0 ? CLI_OK : cli_fault(cli);
}

/* ---- all of it ---- */

static void start_progress(struct import *im)
{
    int64_t bytes = 0, rows = 0;
    for (size_t i = 0; i < im->npieces; i++) {
        bytes += im->pieces[i].size;
        rows += im->pieces[i].rows;
    }
    bool promised = im->pieces[0].rows >= 0;
    cli_progress_start(&im->progress, promised ? rows : bytes);
    im->progress.done_before = promised ? im->at.rows : im->at.bytes;
    im->progress.count_before = (uint64_t)im->at.rows;
}

static int run(struct import *im)
{
    int rc = CLI_OK;
    for (size_t i = (size_t)im->at.piece; rc == CLI_OK && i < im->npieces; i++) {
        im->skip = im->at.row;
        im->in_piece = 0;
        rc = import_read(im, &im->pieces[i]);
        if (rc != CLI_OK)
            break;
        check_piece(im, &im->pieces[i]);
        im->at.piece = (int64_t)i + 1;
        im->at.row = 0;
        im->at.bytes += im->pieces[i].size;
        if (im->file.path != NULL)
            rc = save(im);
    }
    return rc;
}

static int go_on(struct import *im)
{
    im->load.stops = true;
    int rc = cli_load_open(&im->load, im->cli, im->at.rejects_bytes);
    im->load.refused = (uint64_t)im->at.refused;
    im->load.written_before = (uint64_t)im->at.written;
    if (rc == CLI_OK && im->cli->verify && im->at.before < 0)
        rc = count_table(im, &im->at.before);
    if (rc == CLI_OK && im->file.path != NULL)
        rc = save(im);
    if (rc == CLI_OK && im->npieces > 0) {
        start_progress(im);
        rc = run(im);
        cli_progress_end(&im->progress);
    }
    if (rc == CLI_OK) {
        im->at.done = 1;
        rc = save(im);
    }
    int all = rc == CLI_OK ? check_total(im) : rc;
    if (rc == CLI_OK && check_table(im) != CLI_OK)
        all = CLI_FAILED;
    return cli_load_close(&im->load, all);
}

static void release(struct import *im)
{
    for (size_t i = 0; i < im->nunloads; i++)
        cli_unload_release(&im->unloads[i]);
    cli_columns_release(&im->columns);
    mr_free(im->unloads);
    mr_free(im->pieces);
    mr_arena_release(&im->arena);
}

int cli_import(struct cli *cli)
{
    struct import im = {.cli = cli, .at = {.before = -1}};
    const struct cli_state_field fields[] = {{"piece", &im.at.piece},
                                             {"row", &im.at.row},
                                             {"rows", &im.at.rows},
                                             {"bytes", &im.at.bytes},
                                             {"written", &im.at.written},
                                             {"refused", &im.at.refused},
                                             {"rejects_bytes", &im.at.rejects_bytes},
                                             {"before", &im.at.before},
                                             {"mismatches", &im.at.mismatches},
                                             {"done", &im.at.done}};
    bool found = false;
    if (cli->database == NULL || cli->table == NULL || cli->nwords == 0)
        return cli_misuse(cli, "A database, a table and what to import are needed.");
    int rc = import_pieces(&im);
    if (rc == CLI_OK) {
        im.file = (struct cli_state){cli->resume, import_fingerprint(&im), fields, MR_ARRAY_LEN(fields)};
        rc = cli_state_load(&im.file, &found);
    }
    if (rc == CLI_OK && found && im.at.done != 0) {
        fprintf(stderr, "all of it was imported before: %" PRId64 " records written, %" PRId64 " refused\n",
                im.at.written, im.at.refused);
        rc = im.at.refused > 0 || im.at.mismatches > 0 ? CLI_FAILED : CLI_OK;
    } else if (rc == CLI_OK) {
        rc = cli->create ? create(cli) : CLI_OK;
        if (rc == CLI_OK)
            rc = go_on(&im);
    }
    release(&im);
    return rc;
}
