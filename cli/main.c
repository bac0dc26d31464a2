/* The commands, and what all of them understand. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
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

static const char import_usage[] =
    "usage: millrace import -d DATABASE -t TABLE [options] FILE...\n"
    "       millrace import -d DATABASE -t TABLE [options] FOLDER   that UNLOAD wrote, or its manifest\n\n"
    "  --input-format F  csv, json (a Record of the API on each line), line (Influx line protocol), "
    "parquet;\n"
    "                    else by the name of the file. csv, json and line may be compressed by gzip\n"
    "  --rejects FILE    what could not be written, as JSON lines with the reasons\n"
    "  --resume FILE     keeps how far it is; the same command again goes on from there\n"
    "  --give-up SECONDS how long an outage is waited out before the import stops; 60\n"
    "  --create          make the database and the table where they are missing, with late writes enabled\n"
    "  --memory-hours N, --magnetic-days N   retention of that table\n"
    "  --verify          count the rows of the table before and afterwards\n\n"
    "Columns of csv and parquet; those of `export --output-format csv` need no word:\n"
    "  --time COLUMN               the time; else the column \"time\"\n"
    "  --time-unit UNIT            of times that are numbers: s, ms, us, ns; ms\n"
    "  --dimensions A,B            the dimensions\n"
    "  --measures C:TYPE,D:TYPE    the measures: double (also without a word), bigint, boolean, varchar, "
    "timestamp\n"
    "  --measure-name NAME         of every record, or\n"
    "  --measure-name-column C     the column that holds it; else \"measure_name\"\n"
    "  --delimiter CHARACTER       of csv; a comma, for UNLOAD too. The word tab is one\n"
    "  --escape CHARACTER          of csv; none, for UNLOAD a backslash\n"
    "Of UNLOAD, text columns are dimensions and the others measures, unless these options say otherwise.\n";

static const char user_usage[] =
    "usage: millrace user list|add|remove [options] [NAME]\n"
    "       millrace user key create NAME\n"
    "       millrace user key rotate NAME [ID]      a new key; the one named, or all others, become "
    "inactive\n"
    "       millrace user key disable|enable|delete NAME ID\n"
    "       millrace user attach|detach NAME POLICY\n\n"
    "  --users FILE      the users file of the server (else MILLRACE_USERS); add makes it\n"
    "  --data DIR        the server's data directory: tells the server that runs there (SIGHUP)\n"
    "  --policy NAME     attached by add; may come several times\n"
    "  --no-key          add makes no access key\n"
    "  --expires TIME    of the new key, as 2030-01-31T12:00:00Z\n"
    "  --help            this text\n"
    "A secret is printed once, when it is made. Needs neither an endpoint nor credentials.\n";

static const char policy_usage[] =
    "usage: millrace policy check FILE             a document or a users file; - is standard input\n"
    "       millrace policy simulate --user NAME --action ACTION --resource ARN\n"
    "       millrace policy list\n"
    "       millrace policy show|remove NAME\n"
    "       millrace policy put NAME FILE\n\n"
    "  --users FILE      the users file of the server (else MILLRACE_USERS); put makes it\n"
    "  --data DIR        the server's data directory: tells the server that runs there (SIGHUP)\n"
    "  --context KEY=VALUE   the value of a condition key, for simulate; may come several times\n"
    "  --help            this text\n"
    "simulate says what decides, and exits with 0 when it is allowed, else 1.\n";

static const struct command {
    const char *name, *summary, *usage;
    int (*run)(struct cli *cli);
    int (*local)(const char *usage, int argc, char **argv); /* in place of run: works on files only */
} commands[] = {
    {"query", "run SQL and print its rows",
     "usage: millrace query [options] SQL\n"
     "       millrace query [options] -        SQL from standard input\n"
     "       millrace query [options]          a shell, on a terminal\n",
     cli_query, NULL},
    {"write", "write records from JSON lines or Influx line protocol",
     "usage: millrace write -d DATABASE -t TABLE [options] [FILE]\n\n"
     "  --input-format F  json (a Record of the API on each line) or line (Influx line protocol); json\n"
     "  --rejects FILE    what could not be written, as JSON lines with the reasons\n"
     "  --give-up SECONDS how long an outage is waited out before records count as refused; 60\n"
     "  --spool DIR       keep what cannot be sent on disk, and send what an earlier run kept\n",
     cli_write, NULL},
    {"import", "load files, or what UNLOAD left, into a table", import_usage, cli_import, NULL},
    {"export", "print the records of a table, for import to read",
     "usage: millrace export -d DATABASE -t TABLE [options]\n\n"
     "  --output-format F json (Records of the API), csv, or line (Influx line protocol); json\n"
     "  --output FILE     instead of standard output\n"
     "  --resume FILE     keeps how far it is; the same command again goes on from there\n"
     "  --from TIME       records from this time on, as 2026-01-02T03:04:05Z\n"
     "  --to TIME         records before this time\n",
     cli_export, NULL},
    {"databases", "list, show, create and delete databases",
     "usage: millrace databases [options]\n"
     "       millrace databases describe|create|delete [options] NAME\n",
     cli_databases, NULL},
    {"tables", "list, show, create and delete tables",
     "usage: millrace tables [options] [DATABASE]\n"
     "       millrace tables describe|create|update|delete [options] DATABASE TABLE\n\n"
     "  --memory-hours N  retention of the memory store, for create and update\n"
     "  --magnetic-days N retention of the magnetic store, for create and update\n",
     cli_tables, NULL},
    {"tags", "list, add and remove tags of a database or table",
     "usage: millrace tags [options] ARN\n"
     "       millrace tags add [options] ARN KEY=VALUE...\n"
     "       millrace tags remove [options] ARN KEY...\n",
     cli_tags, NULL},
    {"user", "users and access keys, in the users file of a server", user_usage, NULL, cli_user},
    {"policy", "check policies, ask them, keep them in the users file", policy_usage, NULL, cli_policy},
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

#define OF(member) offsetof(struct cli, member)

/* Options with a text, and the commands that take them; NULL for all. */
static const struct text_option {
    const char *name;
    size_t at;
    const char *commands;
} text_options[] = {{"endpoint", OF(options.endpoint), NULL},
                    {"endpoint-url", OF(options.endpoint), NULL},
                    {"region", OF(options.region), NULL},
                    {"profile", OF(options.profile), NULL},
                    {"ca-file", OF(options.ca_file), NULL},
                    {"database", OF(database), "write import export"},
                    {"table", OF(table), "write import export"},
                    {"input-format", OF(input), "write import"},
                    {"rejects", OF(rejects), "write import"},
                    {"spool", OF(spool), "write"},
                    {"give-up", OF(give_up), "write import"},
                    {"resume", OF(resume), "import export"},
                    {"time", OF(time_column), "import"},
                    {"time-unit", OF(time_unit), "import"},
                    {"dimensions", OF(dimensions), "import"},
                    {"measures", OF(measures), "import"},
                    {"measure-name", OF(measure_name), "import"},
                    {"measure-name-column", OF(measure_name_column), "import"},
                    {"delimiter", OF(delimiter), "import"},
                    {"escape", OF(escape), "import"},
                    {"memory-hours", OF(memory), "tables import"},
                    {"magnetic-days", OF(magnetic), "tables import"},
                    {"output", OF(output), "export"},
                    {"output-format", OF(output_format), "export"},
                    {"from", OF(from), "export"},
                    {"to", OF(to), "export"}};

enum { OPT_TEXT = 256, OPT_FORMAT = 512, OPT_CREATE, OPT_VERIFY };

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

static int take_text(struct cli *cli, const struct text_option *option)
{
    if (option->commands != NULL && strstr(option->commands, cli->command) == NULL)
        return cli_misuse(cli, "--%s is no option of %s.", option->name, cli->command);
    *(const char **)((char *)cli + option->at) = optarg;
    return CLI_OK;
}

static int take_option(struct cli *cli, int code)
{
    if (code >= OPT_TEXT && code < OPT_TEXT + (int)MR_ARRAY_LEN(text_options))
        return take_text(cli, &text_options[code - OPT_TEXT]);
    if (code == OPT_FORMAT)
        return cli_take_format(cli, optarg) ? CLI_OK : cli_misuse(cli, "\"%s\" is no format.", optarg);
    if (code == '?' || code == ':') { /* getopt has named it */
        fputs(cli->usage, stderr);
        return CLI_USAGE;
    }
    if (strcmp(cli->command, "import") != 0)
        return cli_misuse(cli, "--%s is an option of import.", code == OPT_CREATE ? "create" : "verify");
    *(code == OPT_CREATE ? &cli->create : &cli->verify) = true;
    return CLI_OK;
}

static int take_number(struct cli *cli, const char *text, int64_t *out)
{
    if (text == NULL || (mr_str_to_i64(mr_str_of(text), out) && *out > 0 && *out < 1000000))
        return CLI_OK;
    return cli_misuse(cli, "\"%s\" is no number of hours, days or seconds.", text);
}

static int parse(struct cli *cli, int argc, char **argv, bool *help)
{
    enum { TEXTS = MR_ARRAY_LEN(text_options) };
    struct option options[TEXTS + 5] = {
        [TEXTS] = {"format", required_argument, NULL, OPT_FORMAT},
        [TEXTS + 1] = {"create", no_argument, NULL, OPT_CREATE},
        [TEXTS + 2] = {"verify", no_argument, NULL, OPT_VERIFY},
        [TEXTS + 3] = {"help", no_argument, NULL, 'h'},
    };
    int code, rc = CLI_OK;
    for (int i = 0; i < TEXTS; i++) {
        const char *name = text_options[i].name;
        int value = strcmp(name, "database") == 0 ? 'd' : strcmp(name, "table") == 0 ? 't' : OPT_TEXT + i;
        options[i] = (struct option){name, required_argument, NULL, value};
    }
    optind = 1;
    while (rc == CLI_OK && (code = getopt_long(argc, argv, "d:t:h", options, NULL)) != -1) {
        for (int i = 0; (code == 'd' || code == 't') && i < TEXTS; i++)
            if (options[i].val == code)
                code = OPT_TEXT + i;
        *help = *help || code == 'h';
        rc = code == 'h' ? CLI_OK : take_option(cli, code);
    }
    cli->words = argv + optind;
    cli->nwords = argc - optind;
    if (rc == CLI_OK)
        rc = take_number(cli, cli->memory, &cli->memory_hours);
    if (rc == CLI_OK)
        rc = take_number(cli, cli->magnetic, &cli->magnetic_days);
    return rc == CLI_OK ? take_number(cli, cli->give_up, &cli->give_up_s) : rc;
}

static const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

bool cli_help(const char *name, FILE *out)
{
    const struct command *command = command_named(name);
    if (command != NULL)
        fprintf(out, "%s%s", command->usage, command->local == NULL ? common_usage : "");
    return command != NULL;
}

int cli_run(int argc, char **argv, bool *known)
{
    const struct command *command = command_named(argv[0]);
    *known = command != NULL;
    if (command == NULL)
        return CLI_USAGE;
    if (command->local != NULL)
        return command->local(command->usage, argc, argv);
    bool help = false;
    struct cli cli = {.command = command->name,
                      .usage = command->usage,
                      .options = MR_OPTIONS_INIT,
                      .format = isatty(STDOUT_FILENO) ? CLI_TABLE : CLI_CSV,
                      .fault = MR_FAULT_INIT};
    cli.options.user_agent = "millrace-cli";
    int rc = parse(&cli, argc, argv, &help);
    if (rc == CLI_OK && help) {
        cli_help(command->name, stdout);
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
