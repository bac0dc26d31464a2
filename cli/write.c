/* Records from a file or standard input, through the batching writer. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/progress.h"
#include "json/write.h"
#include "model/model.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)

struct job {
    struct cli *cli;
    struct mr_writer *writer;
    pthread_mutex_t lock; /* guards what note() touches: the writer's threads report, too */
    FILE *rejects;        /* NULL: only counted, and the first few named */
    uint64_t lines, refused;
    struct cli_progress progress;
    int64_t read; /* bytes */
};

/* One JSON line: what was wrong, and what it was wrong with, either as a record in JSON or as the line it
 * was. */
static void note(struct job *job, const char *code, const char *reason, struct mr_str record,
                 struct mr_str text)
{
    struct mr_buf line = MR_BUF_INIT;
    pthread_mutex_lock(&job->lock);
    if (job->refused++ < 5)
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
    if (job->rejects != NULL &&
        (!mr_buf_ok(&line) || fwrite(line.ptr, 1, line.len, job->rejects) != line.len))
        fputs("millrace: the file of rejects did not take a line\n", stderr);
    mr_buf_release(&line);
    pthread_mutex_unlock(&job->lock);
}

static void on_reject(void *arg, const struct mr_record *record, const struct mr_rejection *why)
{
    struct mr_buf text = MR_BUF_INIT;
    model_encode(&model_shape_record, record, &text);
    note(arg, why->code, why->reason, mr_buf_view(&text), MR_STR_NULL);
    mr_buf_release(&text);
}

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

/* CLI_OK also for a line that is refused: the others go on. */
static int take_line(struct job *job, struct mr_str line, bool influx)
{
    struct mr_arena arena = {.limit = 64 << 20};
    struct mr_record record;
    const char *why = "";
    int rc = CLI_OK;
    bool good = influx ? cli_line(line, mr_clock_wall(&mr_clock_system), &arena, &record, &why)
                       : read_json(line, &arena, &record, &why);
    job->lines++;
    if (!good) {
        note(job, "BadLine", why, MR_STR_NULL, line);
    } else if (record.measure_name.ptr != NULL || record.dimensions.set || record.time.ptr != NULL) {
        int error = mr_writer_append(job->writer, &record, &job->cli->fault);
        if (error == MR_ERR_ARGUMENT)
            note(job, "BadRecord", job->cli->fault.message, MR_STR_NULL, line);
        else if (error != 0)
            rc = cli_fault(job->cli);
    }
    mr_arena_release(&arena);
    return rc;
}

static int take_lines(struct job *job, FILE *in, bool influx)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int rc = CLI_OK;
    while (rc == CLI_OK && (len = getline(&line, &room, in)) >= 0) {
        struct mr_str text = {line, (size_t)len};
        job->read += len;
        cli_progress(&job->progress, job->lines, job->read);
        while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
            text.len--;
        if (text.len > LINE_MAX_BYTES)
            note(job, "BadLine", "the line is longer than 1 MiB", MR_STR_NULL, MR_STR(""));
        else
            rc = take_line(job, text, influx);
    }
    if (ferror(in)) {
        fputs("millrace: the input cannot be read\n", stderr);
        rc = CLI_FAILED;
    }
    free(line);
    return rc;
}

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file == NULL)
        fprintf(stderr, "millrace: %s: %s\n", path, strerror(errno));
    return file;
}

/* A wrong key or table is better said now than for each record. A policy may allow writing and nothing else,
 * and a spool is there for servers that are away. */
static int look_first(struct cli *cli)
{
    struct mr_describe_table_request request = {mr_text(cli->database), mr_text(cli->table)};
    int error = mr_describe_table(cli->client, &request, NULL, &cli->fault);
    if (error == 0 || strcmp(cli->fault.code, "AccessDeniedException") == 0 ||
        (cli->spool != NULL && error != MR_ERR_SERVICE))
        return CLI_OK;
    return cli_fault(cli);
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

static int run(struct job *job, FILE *in, bool influx)
{
    struct cli *cli = job->cli;
    struct mr_writer_options options = MR_WRITER_OPTIONS_INIT;
    struct mr_writer_stats stats;
    options.database = cli->database;
    options.table = cli->table;
    options.on_reject = on_reject;
    options.arg = job;
    options.senders = 4;
    options.give_up_ms = cli->spool != NULL ? 0 : 60000;
    options.spool_dir = cli->spool;
    if (look_first(cli) != CLI_OK)
        return CLI_FAILED;
    if (mr_writer_open(cli->client, &options, &job->writer, &cli->fault) != 0)
        return cli_fault(cli);
    struct stat size;
    cli_progress_start(&job->progress,
                       fstat(fileno(in), &size) == 0 && S_ISREG(size.st_mode) ? size.st_size : 0);
    int rc = take_lines(job, in, influx);
    if (mr_writer_flush(job->writer, -1, &cli->fault) != 0)
        rc = cli_fault(cli);
    if (cli->spool != NULL)
        empty_spool(job->writer);
    cli_progress_end(&job->progress);
    mr_writer_stats(job->writer, &stats);
    if (mr_writer_close(job->writer, 0, &cli->fault) != 0)
        rc = cli_fault(cli);
    fprintf(stderr, "%" PRIu64 " records written, %" PRIu64 " refused", stats.written, job->refused);
    if (stats.spooled + stats.recovered > 0)
        fprintf(stderr, ", %" PRIu64 " bytes kept in %s", stats.spool_bytes, cli->spool);
    fputc('\n', stderr);
    return rc == CLI_OK && job->refused > 0 ? CLI_FAILED : rc;
}

int cli_write(struct cli *cli)
{
    bool influx = cli->input != NULL && strcmp(cli->input, "line") == 0;
    if (cli->database == NULL || cli->table == NULL || cli->nwords > 1)
        return cli_misuse(cli, "A database, a table and at most one file are needed.");
    if (cli->input != NULL && !influx && strcmp(cli->input, "json") != 0)
        return cli_misuse(cli, "\"%s\" is no input format.", cli->input);
    struct job job = {.cli = cli, .lock = PTHREAD_MUTEX_INITIALIZER};
    FILE *in = cli->nwords == 1 && strcmp(cli->words[0], "-") != 0 ? open_file(cli->words[0], "r") : stdin;
    int rc = in != NULL ? CLI_OK : CLI_FAILED;
    if (rc == CLI_OK && cli->rejects != NULL && (job.rejects = open_file(cli->rejects, "w")) == NULL)
        rc = CLI_FAILED;
    if (rc == CLI_OK)
        rc = run(&job, in, influx);
    if (job.rejects != NULL && fclose(job.rejects) != 0) {
        fprintf(stderr, "millrace: %s: %s\n", cli->rejects, strerror(errno));
        rc = CLI_FAILED;
    }
    if (in != NULL && in != stdin)
        fclose(in);
    return rc;
}
