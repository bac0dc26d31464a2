#include "cli/load.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/input.h"
#include "json/write.h"
#include "model/model.h"

#define NAMED_MOST 5

/* One JSON line: what was wrong, and what it was wrong with, either as a record in JSON or as the line it
 * was. */
static void note(struct cli_load *load, const char *code, const char *reason, struct mr_str record,
                 struct mr_str text)
{
    struct mr_buf line = MR_BUF_INIT;
    pthread_mutex_lock(&load->lock);
    load->refused++;
    if (load->named++ < NAMED_MOST)
        fprintf(stderr, "millrace: not written: %s: %s\n", code, reason);
    mr_buf_str(&line, MR_STR("{\"Code\":"));
    json_write_string(&line, mr_str_of(code));
    mr_buf_str(&line, MR_STR(",\"Reason\":"));
    json_write_string(&line, mr_str_of(reason));
    if (record.ptr != NULL) {
        mr_buf_str(&line, MR_STR(",\"Record\":"));
        mr_buf_str(&line, record);
    } else {
        mr_buf_str(&line, MR_STR(",\"Line\":"));
        json_write_string(&line, mr_utf8_valid(text) ? text : MR_STR("(not UTF-8)"));
    }
    mr_buf_str(&line, MR_STR("}\n"));
    if (load->rejects != NULL &&
        (!mr_buf_ok(&line) || fwrite(line.ptr, 1, line.len, load->rejects) != line.len)) {
        if (!load->rejects_failed)
            fputs("millrace: the file of rejects did not take a line\n", stderr);
        load->rejects_failed = true;
    }
    mr_buf_release(&line);
    pthread_mutex_unlock(&load->lock);
}

void cli_load_bad(struct cli_load *load, const char *why, struct mr_str text)
{
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    note(load, "BadLine", why, MR_STR_NULL, text);
}

/* Anything but a word about the records: no connection, throttling, a key that is no longer good, no table.
 */
static bool is_outage(const struct mr_rejection *why)
{
    return strcmp(why->code, "RejectedRecordsException") != 0 &&
           strcmp(why->code, "ValidationException") != 0 &&
           strcmp(why->code, "RequestEntityTooLargeException") != 0;
}

bool cli_load_stopped(struct cli_load *load)
{
    pthread_mutex_lock(&load->lock);
    bool stopped = load->unsent > 0;
    pthread_mutex_unlock(&load->lock);
    return stopped;
}

static void stop(struct cli_load *load, const struct mr_rejection *why)
{
    pthread_mutex_lock(&load->lock);
    if (load->unsent++ == 0)
        fprintf(stderr, "millrace: stopped: %s: %s\n", why->code, why->reason);
    pthread_mutex_unlock(&load->lock);
}

static void on_reject(void *arg, const struct mr_record *record, const struct mr_rejection *why)
{
    struct cli_load *load = arg;
    if (load->stops && is_outage(why)) {
        stop(load, why);
        return;
    }
    struct mr_buf text = MR_BUF_INIT;
    model_encode(&model_shape_record, record, &text);
    note(arg, why->code, why->reason, mr_buf_view(&text), MR_STR_NULL);
    mr_buf_release(&text);
}

int cli_load_record(struct cli_load *load, const struct mr_record *record, struct mr_str text)
{
    int error = mr_writer_append(load->writer, record, &load->cli->fault);
    if (error == MR_ERR_ARGUMENT)
        note(load, "BadRecord", load->cli->fault.message, MR_STR_NULL, text);
    else if (error != 0)
        return cli_fault(load->cli);
    return CLI_OK;
}

/* ---- lines ---- */

static bool read_json(struct mr_str line, struct mr_arena *arena, struct mr_record *record, const char **why)
{
    struct model_fault fault = {0};
    void *value;
    if (mr_str_trim(line).len == 0) {
        memset(record, 0, sizeof *record);
        return true;
    }
    if (model_decode_response(&model_shape_record, line, arena, &value, &fault) != MR_OK) {
        *why = fault.message.ptr != NULL ? fault.message.ptr : "the line is no JSON object";
        return false;
    }
    memcpy(record, value, sizeof *record);
    return true;
}

int cli_load_line(struct cli_load *load, struct mr_str line, bool influx)
{
    struct mr_arena arena = {.limit = 64 << 20};
    struct mr_record record;
    const char *why = "";
    int rc = CLI_OK;
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    bool good = influx ? cli_line(line, mr_clock_wall(&mr_clock_system), &arena, &record, &why)
                       : read_json(line, &arena, &record, &why);
    if (!good)
        cli_load_bad(load, why, line);
    else if (record.measure_name.ptr != NULL || record.dimensions.set || record.time.ptr != NULL)
        rc = cli_load_record(load, &record, line);
    mr_arena_release(&arena);
    return rc;
}

/* ---- opening and closing ---- */

/* A policy may allow writing and nothing else, and a spool is there for servers that are away. */
static int look_first(struct cli *cli)
{
    struct mr_describe_table_request request = {mr_text(cli->database), mr_text(cli->table)};
    int error = mr_describe_table(cli->client, &request, NULL, &cli->fault);
    if (error == 0 || strcmp(cli->fault.code, "AccessDeniedException") == 0 ||
        (cli->spool != NULL && error != MR_ERR_SERVICE))
        return CLI_OK;
    return cli_fault(cli);
}

static int open_rejects(struct cli_load *load, int64_t keep)
{
    const char *path = load->cli->rejects;
    if (path == NULL)
        return CLI_OK;
    load->rejects = fopen(path, keep > 0 ? "r+" : "w");
    if (load->rejects != NULL && keep > 0 &&
        (ftruncate(fileno(load->rejects), keep) != 0 || fseeko(load->rejects, 0, SEEK_END) != 0)) {
        fclose(load->rejects);
        load->rejects = NULL;
    }
    if (load->rejects == NULL)
        fprintf(stderr, "millrace: %s: %s\n", path, strerror(errno));
    return load->rejects != NULL ? CLI_OK : CLI_FAILED;
}

int cli_load_open(struct cli_load *load, struct cli *cli, int64_t keep)
{
    struct mr_writer_options options = MR_WRITER_OPTIONS_INIT;
    load->cli = cli;
    if (pthread_mutex_init(&load->lock, NULL) != 0)
        return CLI_FAILED;
    options.database = cli->database;
    options.table = cli->table;
    options.on_reject = on_reject;
    options.arg = load;
    options.senders = 4;
    options.give_up_ms = cli->spool != NULL ? 0 : (int)(cli->give_up_s > 0 ? cli->give_up_s : 60) * 1000;
    options.spool_dir = cli->spool;
    if (look_first(cli) != CLI_OK || open_rejects(load, keep) != CLI_OK)
        return CLI_FAILED;
    return mr_writer_open(cli->client, &options, &load->writer, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

/* What lies in the spool goes out as long as something moves. */
static void empty_spool(struct mr_writer *writer)
{
    const struct timespec pause = {0, 20000000};
    struct mr_writer_stats stats;
    uint64_t before = 0;
    int still = 0;
    for (mr_writer_stats(writer, &stats); stats.spool_bytes > 0 && still < 250;
         mr_writer_stats(writer, &stats)) {
        still = stats.written + stats.rejected == before ? still + 1 : 0;
        before = stats.written + stats.rejected;
        nanosleep(&pause, NULL);
    }
}

int cli_load_flush(struct cli_load *load, uint64_t *written, int64_t *rejects)
{
    struct mr_writer_stats stats;
    if (mr_writer_flush(load->writer, -1, &load->cli->fault) != 0)
        return cli_fault(load->cli);
    mr_writer_stats(load->writer, &stats);
    *written = load->written_before + stats.written;
    *rejects = 0;
    if (load->rejects == NULL)
        return CLI_OK;
    if (fflush(load->rejects) != 0 || fsync(fileno(load->rejects)) != 0 ||
        (*rejects = ftello(load->rejects)) < 0) {
        fprintf(stderr, "millrace: %s: %s\n", load->cli->rejects, strerror(errno));
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int close_writer(struct cli_load *load, int rc)
{
    struct cli *cli = load->cli;
    struct mr_writer_stats stats;
    bool stopped = cli_load_stopped(load); /* then what is left has waited long enough */
    if (!stopped && mr_writer_flush(load->writer, -1, &cli->fault) != 0)
        rc = cli_fault(cli);
    if (cli->spool != NULL)
        empty_spool(load->writer);
    mr_writer_stats(load->writer, &stats);
    if (mr_writer_close(load->writer, 0, &cli->fault) != 0 && !stopped)
        rc = cli_fault(cli);
    fprintf(stderr, "%" PRIu64 " records written, %" PRIu64 " refused", load->written_before + stats.written,
            load->refused);
    if (load->unsent > 0)
        fprintf(stderr, ", %" PRIu64 " not sent", load->unsent);
    if (stats.spooled + stats.recovered > 0)
        fprintf(stderr, ", %" PRIu64 " bytes kept in %s", stats.spool_bytes, cli->spool);
    fputc('\n', stderr);
    return rc == CLI_OK && load->refused + load->unsent > 0 ? CLI_FAILED : rc;
}

int cli_load_close(struct cli_load *load, int rc)
{
    if (load->writer != NULL)
        rc = close_writer(load, rc);
    if (load->rejects != NULL && fclose(load->rejects) != 0) {
        fprintf(stderr, "millrace: %s: %s\n", load->cli->rejects, strerror(errno));
        rc = CLI_FAILED;
    }
    pthread_mutex_destroy(&load->lock);
    return rc == CLI_OK && load->rejects_failed ? CLI_FAILED : rc;
}
