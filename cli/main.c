/* The commands, and what all of them understand. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

static const char common_usage[] =
    "\nFor every command:\n"
    "  --endpoint URL    the server (else AWS_ENDPOINT_URL, the profile's endpoint_url, or AWS)\n"
    "  --region NAME     the region to sign for (else AWS_REGION, or the profile's)\n"
    "  --profile NAME    of the AWS config and credentials files (else AWS_PROFILE)\n"
    "  --ca-file FILE    certificates to trust beside none other\n"
    "  --format FORMAT   table, csv or json (one object a line); table on a terminal, else csv\n"
    "  --help            this text\n"
    "Credentials come from the environment, the profile, or the container or instance (docs/client.md).\n";

static const struct command {
    const char *name, *summary, *usage;
    int (*run)(struct cli *cli);
} commands[] = {
    {"query", "run SQL and print its rows",
     "usage: millrace query [options] SQL\n"
     "       millrace query [options] -        SQL from standard input\n"
     "       millrace query [options]          a shell, on a terminal\n",
     cli_query},
    {"write", "write records from JSON lines or Influx line protocol",
     "usage: millrace write -d DATABASE -t TABLE [options] [FILE]\n\n"
     "  --input-format F  json (a Record of the API on each line) or line (Influx line protocol); json\n"
     "  --rejects FILE    what could not be written, as JSON lines with the reasons\n"
     "  --spool DIR       keep what cannot be sent on disk, and send what an earlier run kept\n",
     cli_write},
    {"export", "print the records of a table, for write to read",
     "usage: millrace export -d DATABASE -t TABLE [options]\n\n"
     "  --from TIME       records from this time on, as 2026-01-02T03:04:05Z\n"
     "  --to TIME         records before this time\n",
     cli_export},
    {"databases", "list, show, create and delete databases",
     "usage: millrace databases [options]\n"
     "       millrace databases describe|create|delete [options] NAME\n",
     cli_databases},
    {"tables", "list, show, create and delete tables",
     "usage: millrace tables [options] [DATABASE]\n"
     "       millrace tables describe|create|delete [options] DATABASE TABLE\n\n"
     "  --memory-hours N  retention of the memory store, for create\n"
     "  --magnetic-days N retention of the magnetic store, for create\n",
     cli_tables},
    {"tags", "list tags of a database or table", "usage: millrace tags [options] ARN\n", cli_tags},
};

void cli_list(FILE *out)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++)
        fprintf(out, "  %-10s %s (millrace %s --help)\n", commands[i].name, commands[i].summary,
                commands[i].name);
}

int cli_fault(struct cli *cli)
{
    const struct mr_fault *f = &cli->fault;
    fprintf(stderr, "millrace: %s%s%s\n", f->code, f->code[0] != '\0' ? ": " : "",
            f->message[0] != '\0' ? f->message : mr_err_name(f->error));
    return CLI_FAILED;
}

int cli_misuse(struct cli *cli, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("millrace: ", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n%s", cli->usage);
    return CLI_USAGE;
}

enum option_code {
    OPT_ENDPOINT = 256,
    OPT_REGION,
    OPT_PROFILE,
    OPT_CA_FILE,
    OPT_FORMAT,
    OPT_INPUT,
    OPT_REJECTS,
    OPT_SPOOL,
    OPT_MEMORY,
    OPT_MAGNETIC,
    OPT_FROM,
    OPT_TO,
};

bool cli_take_format(struct cli *cli, const char *word)
{
    static const char *const words[] = {[CLI_TABLE] = "table", [CLI_CSV] = "csv", [CLI_JSON] = "json"};
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            cli->format = (enum cli_format)i;
            return true;
        }
    return false;
}

static int take_option(struct cli *cli, int code)
{
    switch (code) {
    case OPT_ENDPOINT:
        cli->options.endpoint = optarg;
        return CLI_OK;
    case OPT_REGION:
        cli->options.region = optarg;
        return CLI_OK;
    case OPT_PROFILE:
        cli->options.profile = optarg;
        return CLI_OK;
    case OPT_CA_FILE:
        cli->options.ca_file = optarg;
        return CLI_OK;
    case OPT_FORMAT:
        return cli_take_format(cli, optarg) ? CLI_OK : cli_misuse(cli, "\"%s\" is no format.", optarg);
    case OPT_INPUT:
        cli->input = optarg;
        return CLI_OK;
    case OPT_REJECTS:
        cli->rejects = optarg;
        return CLI_OK;
    case OPT_SPOOL:
        cli->spool = optarg;
        return CLI_OK;
    case OPT_MEMORY:
    case OPT_MAGNETIC:
        return mr_str_to_i64(mr_str_of(optarg), code == OPT_MEMORY ? &cli->memory_hours : &cli->magnetic_days)
                   ? CLI_OK
                   : cli_misuse(cli, "\"%s\" is no number.", optarg);
    case OPT_FROM:
        cli->from = optarg;
        return CLI_OK;
    case OPT_TO:
        cli->to = optarg;
        return CLI_OK;
    case 'd':
        cli->database = optarg;
        return CLI_OK;
    case 't':
        cli->table = optarg;
        return CLI_OK;
    default:
        fputs(cli->usage, stderr);
        return CLI_USAGE;
    }
}

static int parse(struct cli *cli, int argc, char **argv, bool *help)
{
    static const struct option options[] = {{"endpoint", required_argument, NULL, OPT_ENDPOINT},
                                            {"endpoint-url", required_argument, NULL, OPT_ENDPOINT},
                                            {"region", required_argument, NULL, OPT_REGION},
                                            {"profile", required_argument, NULL, OPT_PROFILE},
                                            {"ca-file", required_argument, NULL, OPT_CA_FILE},
                                            {"format", required_argument, NULL, OPT_FORMAT},
                                            {"input-format", required_argument, NULL, OPT_INPUT},
                                            {"rejects", required_argument, NULL, OPT_REJECTS},
                                            {"spool", required_argument, NULL, OPT_SPOOL},
                                            {"memory-hours", required_argument, NULL, OPT_MEMORY},
                                            {"magnetic-days", required_argument, NULL, OPT_MAGNETIC},
                                            {"from", required_argument, NULL, OPT_FROM},
                                            {"to", required_argument, NULL, OPT_TO},
                                            {"database", required_argument, NULL, 'd'},
                                            {"table", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int code;
    optind = 1;
    while ((code = getopt_long(argc, argv, "d:t:h", options, NULL)) != -1) {
        *help = *help || code == 'h';
        int rc = code == 'h' ? CLI_OK : take_option(cli, code);
        if (rc != CLI_OK)
            return rc;
    }
    cli->words = argv + optind;
    cli->nwords = argc - optind;
    return CLI_OK;
}

int cli_run(int argc, char **argv, bool *known)
{
    const struct command *command = NULL;
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            command = &commands[i];
    *known = command != NULL;
    if (command == NULL)
        return CLI_USAGE;
    bool help = false;
    struct cli cli = {.command = command->name,
                      .usage = command->usage,
                      .options = MR_OPTIONS_INIT,
                      .format = isatty(STDOUT_FILENO) ? CLI_TABLE : CLI_CSV,
                      .fault = MR_FAULT_INIT};
    cli.options.user_agent = "millrace-cli";
    int rc = parse(&cli, argc, argv, &help);
    if (rc == CLI_OK && help) {
        printf("%s%s", command->usage, common_usage);
        return CLI_OK;
    }
    if (rc == CLI_OK && mr_client_open(&cli.options, &cli.client, &cli.fault) != 0)
        rc = cli_fault(&cli);
    if (rc == CLI_OK)
        rc = command->run(&cli);
    mr_client_close(cli.client);
    mr_fault_clear(&cli.fault);
    return rc;
}
