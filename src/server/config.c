#include "server/config.h"

#include "base/io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { TEXT, NUMBER, SIZE, CHOICE };

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *fallback; /* default as text, or NULL */
    int64_t least, most;  /* NUMBER and SIZE */
    const char *argument; /* CHOICE: the words, "a|b"; the field becomes the number of the word */
    const char *help;
};

#define AT(field) offsetof(struct server_config, field)
#define GIB (INT64_C(1) << 30)

static const struct setting settings[] = {
    {"data", TEXT, AT(data), NULL, 0, 0, "DIR", "data directory, made when it is missing (required)"},
    {"listen", TEXT, AT(listen), "127.0.0.1:8650", 0, 0, "HOST:PORT",
     "address to serve on; port 0 picks a free one"},
    {"tls-cert", TEXT, AT(tls_cert), NULL, 0, 0, "FILE",
     "PEM certificate chain; serves HTTPS, with --tls-key"},
    {"tls-key", TEXT, AT(tls_key), NULL, 0, 0, "FILE",
     "PEM private key of the certificate; both are read again at SIGHUP"},
    {"tls-client-ca", TEXT, AT(tls_client_ca), NULL, 0, 0, "FILE",
     "PEM certificates of authorities: only clients that have a certificate of theirs are served"},
    {"config", TEXT, AT(config), NULL, 0, 0, "FILE", "settings as `key = value` lines; flags override it"},
    {"credentials", TEXT, AT(credentials), NULL, 0, 0, "FILE",
     "more access keys, in the form of an AWS credentials file: one [user] section a key"},
    {"users", TEXT, AT(users), NULL, 0, 0, "FILE",
     "users with their keys and policies, JSON, mode 0600; read again at SIGHUP (docs/security.md)"},
    {"s3-endpoint", TEXT, AT(s3_endpoint), NULL, 0, 0, "URL",
     "S3 API that reports of rejected magnetic-store records go to (with --magnetic-conflicts later)"},
    {"s3-region", TEXT, AT(s3_region), "us-east-1", 0, 0, "REGION", "region of calls to it"},
    {"s3-credentials", TEXT, AT(s3_credentials), NULL, 0, 0, "FILE",
     "AWS credentials file, mode 0600, for calls to it; without it AWS_ACCESS_KEY_ID and its kin"},
    {"s3-ca", TEXT, AT(s3_ca), NULL, 0, 0, "FILE",
     "PEM certificates to trust it by, instead of the system's"},
    {"kms-endpoint", TEXT, AT(kms_endpoint), NULL, 0, 0, "URL",
     "key service (KMS API) that keys named in CreateDatabase and UpdateDatabase are of; without it they are "
     "local ones"},
    {"kms-region", TEXT, AT(kms_region), "us-east-1", 0, 0, "REGION", "region of calls to it"},
    {"kms-credentials", TEXT, AT(kms_credentials), NULL, 0, 0, "FILE",
     "AWS credentials file, mode 0600, for calls to it; without it AWS_ACCESS_KEY_ID and its kin"},
    {"kms-ca", TEXT, AT(kms_ca), NULL, 0, 0, "FILE",
     "PEM certificates to trust it by, instead of the system's"},
    {"key-cache-seconds", NUMBER, AT(key_cache_seconds), "300", 1, 300, "N",
     "how long a database's data key is used without asking for it again; a disabled key works no longer"},
    {"audit-log", TEXT, AT(audit_log), NULL, 0, 0, "FILE",
     "a JSON line for each control-plane call, in CloudTrail's form; opened again at SIGHUP"},
    {"audit-data", CHOICE, AT(audit_data), "off", 0, 0, "off|on",
     "also for Query, WriteRecords and the other calls about data"},
    {"audit-required", CHOICE, AT(audit_required), "off", 0, 0, "off|on",
     "refuse calls whose record cannot be written"},
    {"key-rate", NUMBER, AT(key_rate), "0", 0, 1000000, "N",
     "calls a second of one access key, beyond it ThrottlingException; 0: any number"},
    {"change-rate", NUMBER, AT(change_rate), "0", 0, 1000000, "N",
     "of them creating, changing, deleting, tagging (AWS: 1); 0: any number"},
    {"list-rate", NUMBER, AT(list_rate), "0", 0, 1000000, "N",
     "of them listing, describing, preparing (AWS: 5); 0: any number"},
    {"max-databases", NUMBER, AT(max_databases), "500", 1, 1000000, "N", "databases of the account"},
    {"max-tables", NUMBER, AT(max_tables), "50000", 1, 10000000, "N", "tables of the account"},
    {"chaos", TEXT, AT(chaos), NULL, 0, 0, "TEXT",
     "for tests of clients: faults on purpose, OPERATION:KIND=PROBABILITY,... (docs/chaos.md)"},
    {"account", TEXT, AT(account), "123456789012", 0, 0, "ID", "the 12-digit account id shown in ARNs"},
    {"partition", TEXT, AT(partition), "aws", 0, 0, "NAME", "the partition shown in ARNs"},
    {"public-host", TEXT, AT(public_host), NULL, 0, 0, "HOST[:PORT]",
     "what DescribeEndpoints answers instead of the request's Host header"},
    {"log-level", TEXT, AT(log_level), "info", 0, 0, "LEVEL", "debug, info, warn or error"},
    {"io-threads", NUMBER, AT(io_threads), "0", 0, 256, "N",
     "threads that read and write connections; 0: one a core"},
    {"worker-threads", NUMBER, AT(worker_threads), "16", 1, 1024, "N",
     "threads for calls that may wait for a disk or a query"},
    {"query-threads", NUMBER, AT(query_threads), "0", 0, 256, "N",
     "threads of the query engine; 0: one a core"},
    {"query-concurrency", NUMBER, AT(query_concurrency), "8", 1, 256, "N",
     "queries that run at one time; others wait"},
    {"query-calls", NUMBER, AT(query_calls), "64", 1, 1024, "N",
     "Query calls that wait for their page at one time; others queue behind them"},
    {"max-connections", NUMBER, AT(max_connections), "1000", 1, 100000, "N", "connections open at one time"},
    {"idle-seconds", NUMBER, AT(idle_seconds), "60", 1, 86400, "N",
     "an idle connection is closed after this time"},
    {"max-body", SIZE, AT(max_body), "4M", 1024, INT64_C(64) << 20, "BYTES", "largest request body"},
    {"max-bodies", SIZE, AT(max_bodies), "64M", 1 << 20, 64 * GIB, "BYTES",
     "request bodies received and not answered, together, but for the first 64K of each; beyond it requests "
     "answer "
     "ThrottlingException"},
    {"max-head", SIZE, AT(max_head), "32K", 4096, 1 << 20, "BYTES",
     "largest request line and headers together"},
    {"memory", SIZE, AT(memory), "0", 0, 4096 * GIB, "BYTES",
     "memory of the whole process, divided among memory-limit, query-memory, block-cache, max-bodies and "
     "log-queue where "
     "they are not given; 0: they alone count"},
    {"memory-limit", SIZE, AT(memory_limit), "4G", 1 << 20, 4096 * GIB, "BYTES",
     "largest memory store; writes beyond it answer ThrottlingException"},
    {"block-cache", SIZE, AT(block_cache), "256M", 0, 4096 * GIB, "BYTES",
     "decoded blocks of the magnetic store's files kept in memory for queries; 0: none"},
    {"log-queue", SIZE, AT(log_queue), "32M", 1 << 20, GIB, "BYTES",
     "writes waiting for the log; beyond it writes are throttled"},
    {"log-segment", SIZE, AT(log_segment), "64M", 1 << 20, GIB, "BYTES", "size of a log segment file"},
    {"flush-bytes", SIZE, AT(flush_bytes), "0", 0, 4096 * GIB, "BYTES",
     "rows in memory at which they are moved to files of the magnetic store; 0: a quarter of memory-limit"},
    {"flush-log-bytes", SIZE, AT(flush_log_bytes), "128M", 1 << 20, 4096 * GIB, "BYTES",
     "log at which the same happens; a start reads no more than about this"},
    {"file-window-days", NUMBER, AT(file_window_days), "7", 1, 3650, "DAYS",
     "span of time that a file of the magnetic store covers"},
    {"file-bytes", SIZE, AT(file_bytes), "1G", 1 << 20, 1024 * GIB, "BYTES",
     "files of the magnetic store are not merged beyond this size"},
    {"magnetic-conflicts", CHOICE, AT(magnetic_conflicts), "now", 0, 0, "now|later",
     "late records whose version loses: rejected in the answer, or acknowledged as on AWS"},
    {"scrub-hours", NUMBER, AT(scrub_hours), "168", 0, 87600, "HOURS",
     "every byte of the stored files is checked this often; 0: only when asked (millrace check --online)"},
    {"scrub-rate", SIZE, AT(scrub_rate), "8M", 0, 64 * GIB, "BYTES",
     "a second that such a check reads at most; 0: no limit"},
    {"query-memory", SIZE, AT(query_memory), "1G", 64 << 20, 4096 * GIB, "BYTES",
     "memory of all running queries together"},
    {"query-seconds", NUMBER, AT(query_seconds), "3600", 1, 86400, "N", "a query is ended after this time"},
    {"clock-skew-minutes", NUMBER, AT(clock_skew_minutes), "15", 1, 1440, "N",
     "how far a signature's date may be from this machine's clock"},
    {"drain-seconds", NUMBER, AT(drain_seconds), "30", 0, 3600, "N",
     "how long SIGTERM waits for requests in flight"},
    {"test-clock", CHOICE, AT(test_clock), "off", 0, 0, "off|on|still",
     "for tests: a clock that requests can set forward, running on or standing still in between"},
};

static const struct setting *find(struct mr_str name)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(settings); i++)
        if (mr_str_eq(name, mr_str_of(settings[i].name)))
            return &settings[i];
    return NULL;
}

/* Digits with an optional K, M, G or T (powers of 1024) for sizes. */
static bool parse_number(const struct setting *s, struct mr_str text, int64_t *out)
{
    int64_t unit = 1;
    if (s->kind == SIZE && text.len > 1) {
        static const char units[] = "KMGT";
        const char *u = strchr(units, text.ptr[text.len - 1]);
        if (u != NULL && *u != '\0') {
            unit = INT64_C(1) << (10 * (u - units + 1));
            text.len--;
        }
    }
    return mr_str_to_i64(text, out) && !__builtin_mul_overflow(*out, unit, out) && *out >= s->least &&
           *out <= s->most;
}

/* The number of the word among "a|b|c", or -1. */
static int64_t find_choice(struct mr_str words, struct mr_str text)
{
    for (int64_t i = 0; words.len > 0; i++) {
        size_t end = mr_str_find(words, '|', 0);
        if (mr_str_eq(mr_str_slice(words, 0, end), text))
            return i;
        words = mr_str_slice(words, end + 1, words.len);
    }
    return -1;
}

/* `origin` says where the value stands, for the error text. */
static int assign(struct server_config *config, const struct setting *s, struct mr_str text,
                  const char *origin, struct mr_error *err)
{
    void *field = (char *)config + s->offset;
    if (s->kind == TEXT) {
        char *copy = mr_strndup(text.ptr, text.len);
        if (copy == NULL)
            return mr_error_set(err, MR_ENOMEM, "out of memory reading settings");
        mr_free(*(char **)field);
        *(char **)field = copy;
        return MR_OK;
    }
    int64_t value;
    if (s->kind == CHOICE) {
        value = find_choice(mr_str_of(s->argument), text);
        if (value < 0)
            return mr_error_set(err, MR_EINVAL, "%s: %s must be one of %s, not '" MR_STR_FMT "'", origin,
                                s->name, s->argument, MR_STR_ARG(text));
    } else if (!parse_number(s, text, &value)) {
        return mr_error_set(err, MR_EINVAL,
                            "%s: %s must be a number from %" PRId64 " to %" PRId64 ", not '" MR_STR_FMT "'",
                            origin, s->name, s->least, s->most, MR_STR_ARG(text));
    }
    *(int64_t *)field = value;
    return MR_OK;
}

static int load_defaults(struct server_config *config, struct mr_error *err)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(settings); i++) {
        if (settings[i].fallback == NULL)
            continue;
        int status = assign(config, &settings[i], mr_str_of(settings[i].fallback), "default", err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

/* --name VALUE or --name=VALUE; *given marks what the file may not override. */
static int load_flags(struct server_config *config, int argc, char **argv, bool *given, bool *help,
                      struct mr_error *err)
{
    for (int i = 0; i < argc; i++) {
        struct mr_str arg = mr_str_of(argv[i]);
        if (mr_str_eq(arg, MR_STR("--help")) || mr_str_eq(arg, MR_STR("-h"))) {
            *help = true;
            return MR_OK;
        }
        if (!mr_str_starts(arg, MR_STR("--")))
            return mr_error_set(err, MR_EINVAL, "unexpected argument '%s'; see millrace serve --help",
                                argv[i]);
        size_t eq = mr_str_find(arg, '=', 2);
        const struct setting *s = find(mr_str_slice(arg, 2, eq));
        if (s == NULL)
            return mr_error_set(err, MR_EINVAL, "unknown flag '" MR_STR_FMT "'; see millrace serve --help",
                                MR_STR_ARG(mr_str_slice(arg, 0, eq)));
        struct mr_str value = mr_str_slice(arg, eq + 1, arg.len);
        if (eq == arg.len) {
            if (++i == argc)
                return mr_error_set(err, MR_EINVAL, "--%s needs a value (%s)", s->name, s->argument);
            value = mr_str_of(argv[i]);
        }
        char origin[64];
        snprintf(origin, sizeof origin, "--%s", s->name);
        int status = assign(config, s, value, origin, err);
        if (status != MR_OK)
            return status;
        given[s - settings] = true;
    }
    return MR_OK;
}

static int load_line(struct server_config *config, struct mr_str line, const bool *given, bool *told,
                     const char *origin, struct mr_error *err)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    line = mr_str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return MR_OK;
    size_t eq = mr_str_find(line, '=', 0);
    if (eq == line.len)
        return mr_error_set(err, MR_EINVAL, "%s: expected key = value", origin);
    struct mr_str key = mr_str_trim(mr_str_slice(line, 0, eq));
    const struct setting *s = find(key);
    if (s == NULL || s->offset == AT(config))
        return mr_error_set(err, MR_EINVAL, "%s: unknown key '" MR_STR_FMT "'", origin, MR_STR_ARG(key));
    if (given[s - settings])
        return MR_OK;
    told[s - settings] = true;
    return assign(config, s, mr_str_trim(mr_str_slice(line, eq + 1, line.len)), origin, err);
}

/* told: like given, for the file. */
static int load_file(struct server_config *config, const bool *given, bool *told, struct mr_error *err)
{
    struct mr_buf text = MR_BUF_INIT;
    int status = mr_io_read_file(&mr_io_posix, config->config, 1 << 20, &text, err);
    struct mr_str rest = mr_buf_view(&text);
    for (unsigned number = 1; status == MR_OK && rest.len > 0; number++) {
        size_t end = mr_str_find(rest, '\n', 0);
        char origin[300];
        snprintf(origin, sizeof origin, "%s line %u", config->config, number);
        status = load_line(config, mr_str_slice(rest, 0, end), given, told, origin, err);
        rest = mr_str_slice(rest, end + 1, rest.len);
    }
    mr_buf_release(&text);
    return status;
}

/* "host:port", "[v6]:port" */
static int split_listen(struct server_config *config, struct mr_error *err)
{
    struct mr_str text = mr_str_of(config->listen);
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon < 2 || !mr_str_to_u64(mr_str_slice(text, colon, text.len), &port) || port > 65535)
        return mr_error_set(err, MR_EINVAL, "--listen must be HOST:PORT, not '%s'", config->listen);
    struct mr_str host = mr_str_slice(text, 0, colon - 1);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = mr_str_slice(host, 1, host.len - 1);
    config->host = mr_strndup(host.ptr, host.len);
    config->port = (uint16_t)port;
    return config->host != NULL ? MR_OK : mr_error_set(err, MR_ENOMEM, "out of memory reading settings");
}

static int check(struct server_config *config, struct mr_error *err)
{
    if (config->data == NULL || config->data[0] == '\0')
        return mr_error_set(err, MR_EINVAL, "--data DIR is required");
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        return mr_error_set(err, MR_EINVAL, "--tls-cert and --tls-key go together");
    if (config->tls_client_ca != NULL && config->tls_cert == NULL)
        return mr_error_set(err, MR_EINVAL, "--tls-client-ca needs --tls-cert and --tls-key");
    if (config->audit_log == NULL && (config->audit_data != 0 || config->audit_required != 0))
        return mr_error_set(err, MR_EINVAL, "--audit-data and --audit-required need --audit-log FILE");
    if (strspn(config->account, "0123456789") != 12 || strlen(config->account) != 12)
        return mr_error_set(err, MR_EINVAL, "--account must be 12 digits, not '%s'", config->account);
    if (!mr_log_parse_level(mr_str_of(config->log_level), &config->level))
        return mr_error_set(err, MR_EINVAL, "--log-level must be debug, info, warn or error, not '%s'",
                            config->log_level);
    return split_listen(config, err);
}

/* ---- memory */

/* What a process without data and requests takes, threads and the embedded database included. */
#define MEMORY_FIXED (INT64_C(112) << 20)
#define MEMORY_LEAST (INT64_C(512) << 20)

static const struct share {
    size_t offset;
    int64_t parts, most; /* of 100 of what is not fixed; 0: no most */
    int64_t times; /* its value counts: queries have it once for the embedded database, once beside it */
} shares[] = {
    {AT(query_memory), 14, 0, 2},     {AT(memory_limit), 35, 0, 1},    {AT(block_cache), 10, 0, 1},
    {AT(max_bodies), 6, 64 << 20, 1}, {AT(log_queue), 6, 32 << 20, 1},
}; /* the rest is for what is under way: files being written and merged, answers, what malloc keeps */

/* memory, divided among the parts that nobody has set. */
static int divide_memory(struct server_config *config, const bool *given, const bool *told,
                         struct mr_error *err)
{
    int64_t left = config->memory - MEMORY_FIXED, taken = 0;
    if (config->memory == 0)
        return MR_OK;
    if (config->memory < MEMORY_LEAST)
        return mr_error_set(err, MR_EINVAL, "--memory must be 0 or at least %" PRId64, MEMORY_LEAST);
    for (size_t i = 0; i < MR_ARRAY_LEN(settings); i++) {
        const struct share *share = NULL;
        for (size_t k = 0; k < MR_ARRAY_LEN(shares); k++)
            share = shares[k].offset == settings[i].offset ? &shares[k] : share;
        if (share == NULL)
            continue;
        int64_t *value = (int64_t *)((char *)config + share->offset), part = left / 100 * share->parts;
        if (!given[i] && !told[i])
            *value = share->most != 0 && part > share->most ? share->most : part;
        if (*value < settings[i].least)
            *value = settings[i].least;
        taken += *value * share->times;
    }
    if (taken > left / 100 * 90)
        return mr_error_set(
            err, MR_EINVAL,
            "--memory %" PRId64 " is too little for memory-limit, query-memory, block-cache, max-bodies and "
            "log-queue as they are given: with %" PRId64 " for the rest they come to %" PRId64,
            config->memory, config->memory - left / 100 * 90, taken);
    return MR_OK;
}

int server_config_load(struct server_config *config, int argc, char **argv, bool *help, struct mr_error *err)
{
    bool given[MR_ARRAY_LEN(settings)] = {false}, told[MR_ARRAY_LEN(settings)] = {false};
    *config = (struct server_config){0};
    *help = false;
    int status = load_defaults(config, err);
    if (status == MR_OK)
        status = load_flags(config, argc, argv, given, help, err);
    if (status != MR_OK || *help)
        return status;
    if (config->config != NULL)
        status = load_file(config, given, told, err);
    if (status == MR_OK)
        status = divide_memory(config, given, told, err);
    return status == MR_OK ? check(config, err) : status;
}

void server_config_release(struct server_config *config)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(settings); i++)
        if (settings[i].kind == TEXT)
            mr_free(*(char **)((char *)config + settings[i].offset));
    mr_free(config->host);
    *config = (struct server_config){0};
}

void server_config_help(struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("usage: millrace serve --data DIR [--listen HOST:PORT] [flags]\n\n"
                           "Serves the Timestream Write and Query APIs from the data directory.\n\n"));
    for (size_t i = 0; i < MR_ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        char flag[64];
        snprintf(flag, sizeof flag, "--%s %s", s->name, s->argument);
        mr_buf_printf(out, "  %-28s %s", flag, s->help);
        if (s->fallback != NULL)
            mr_buf_printf(out, " (default %s)", s->fallback);
        mr_buf_char(out, '\n');
    }
    mr_buf_str(out, MR_STR("\nenvironment:\n"
                           "  MILLRACE_ROOT_ACCESS_KEY_ID, MILLRACE_ROOT_SECRET_ACCESS_KEY\n"
                           "      the root credentials; otherwise a pair is made on first start and kept in\n"
                           "      DIR/root-credentials, readable by its owner only\n"
                           "  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN\n"
                           "      for calls to other services where no credentials file is given\n"));
}
