#include "server/care_commands.h"

#include "base/clock.h"
#include "care/care.h"
#include "server/care_call.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { DONE = 0, DAMAGED = 1, FAILED = 2 };

struct command {
    const char *name, *summary, *usage;
    int (*run)(const struct command *command, int argc, char **argv);
};

static int misuse(const struct command *command)
{
    fputs(command->usage, stderr);
    return FAILED;
}

static int failed(const struct mr_error *err)
{
    fprintf(stderr, "millrace: %s\n", err->text);
    return FAILED;
}

/* ---- progress: a line that is written over on a terminal, now and then one elsewhere ------------------ */

struct shown {
    bool terminal, any;
    int64_t last;
};

static bool on_step(void *ctx, const struct care_progress *p)
{
    struct shown *s = ctx;
    int64_t now = mr_clock_mono(&mr_clock_system);
    if (now - s->last < (s->terminal ? MR_NS_PER_S / 10 : 10 * MR_NS_PER_S))
        return true;
    s->last = now;
    fprintf(stderr, "%s%s: %" PRIu64 " of %" PRIu64 " MB%s", s->terminal ? "\r" : "", p->doing, p->done >> 20,
            p->total >> 20, s->terminal ? "\033[K" : "\n");
    fflush(stderr);
    s->any = s->terminal;
    return true;
}

static void wipe(struct shown *s)
{
    if (s->any)
        fputs("\r\033[K", stderr);
    s->any = false;
}

/* ---- check ------------------------------------------------------------------------------------------- */

static void on_found(void *ctx, const struct care_finding *f)
{
    static const char *const kinds[] = {
        [CARE_DAMAGE] = "damage", [CARE_UNCHECKED] = "unchecked", [CARE_LEFTOVER] = "leftover"};
    wipe(ctx);
    printf("%s %s%s%s: %s\n", kinds[f->kind], f->file, f->table[0] != '\0' ? " table " : "", f->table,
           f->text);
    fflush(stdout);
}

static void print_counts(const struct care_counts *c)
{
    printf("%" PRIu64 " databases, %" PRIu64 " tables, %" PRIu64 " keys\n", c->databases, c->tables, c->keys);
    printf("%" PRIu64 " segments: %" PRIu64 " blocks, %" PRIu64 " rows; %" PRIu64 " files of names: %" PRIu64
           " series\n",
           c->files, c->blocks, c->rows, c->names_files, c->series);
    printf("%" PRIu64 " log segments: %" PRIu64 " entries, %" PRIu64 " rows that are in no file\n",
           c->log_segments, c->log_entries, c->log_rows);
    if (c->damaged == 0 && c->unchecked == 0)
        puts("everything is whole");
    else
        printf("%" PRIu64 " damaged, %" PRIu64 " could not be checked\n", c->damaged, c->unchecked);
}

/* Of a running server: a pass of its scrub. */
static int print_pass(struct json_value root)
{
    struct json_value list, item;
    uint64_t damaged = care_call_number(root, MR_STR("Damaged"));
    if (json_get(root, MR_STR("Findings"), &list) && json_type(list) == JSON_ARRAY)
        for (struct json_iter it = json_items(list); json_next(&it, &item);) {
            struct mr_str table = care_call_text(item, MR_STR("Table"));
            printf("damage " MR_STR_FMT "%s" MR_STR_FMT ": " MR_STR_FMT "\n",
                   MR_STR_ARG(care_call_text(item, MR_STR("File"))), table.len != 0 ? " table number " : "",
                   MR_STR_ARG(table), MR_STR_ARG(care_call_text(item, MR_STR("Text"))));
        }
    printf("%" PRIu64 " bytes of files, ", care_call_number(root, MR_STR("Done")));
    if (damaged == 0)
        puts("everything is whole");
    else
        printf("%" PRIu64 " damaged\n", damaged);
    return damaged != 0 ? DAMAGED : DONE;
}

static int check_online(const char *url, const char *credentials)
{
    struct shown shown = {.terminal = isatty(STDERR_FILENO), .last = mr_clock_mono(&mr_clock_system)};
    struct remote *remote = NULL;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct json_doc doc;
    int status = care_call_open(url, credentials, &remote, &err), exit_code = FAILED;
    if (status == MR_OK)
        status = care_call(remote, "POST", "/-/check", MR_STR("{}"), &arena, &doc, &err);
    uint64_t pass = status == MR_OK ? care_call_number(json_root(&doc), MR_STR("Pass")) : 0;
    while (status == MR_OK) {
        mr_arena_reset(&arena);
        status = care_call(remote, "GET", "/-/check", MR_STR(""), &arena, &doc, &err);
        if (status != MR_OK)
            break;
        struct json_value root = json_root(&doc);
        const struct care_progress progress = {"checking", care_call_number(root, MR_STR("Done")),
                                               care_call_number(root, MR_STR("Total"))};
        if (care_call_number(root, MR_STR("Pass")) >= pass && !care_call_flag(root, MR_STR("Running"))) {
            wipe(&shown);
            exit_code = print_pass(root);
            break;
        }
        on_step(&shown, &progress);
        usleep(100000);
    }
    wipe(&shown);
    mr_arena_release(&arena);
    remote_close(remote);
    return status == MR_OK ? exit_code : failed(&err);
}

static int check_offline(const char *dir)
{
    struct shown shown = {.terminal = isatty(STDERR_FILENO), .last = mr_clock_mono(&mr_clock_system)};
    const struct care_watch watch = {&shown, on_found, on_step};
    struct care_counts counts;
    struct mr_error err = MR_ERROR_INIT;
    int lock = -1;
    int status = care_lock(dir, &lock, &err);
    if (status == MR_OK)
        status = care_check(dir, &watch, &counts, &err);
    wipe(&shown);
    care_unlock(lock);
    if (status != MR_OK)
        return failed(&err);
    print_counts(&counts);
    return counts.damaged != 0 ? DAMAGED : DONE;
}

static int run_check(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {{"online", no_argument, NULL, 'o'},
                                            {"credentials", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    const char *credentials = NULL;
    bool online = false;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'o')
            online = true;
        else if (c == 'c')
            credentials = optarg;
        else
            return misuse(command);
    }
    if (optind + 1 != argc || (credentials != NULL && !online))
        return misuse(command);
    return online ? check_online(argv[optind], credentials) : check_offline(argv[optind]);
}

/* ---- dump -------------------------------------------------------------------------------------------- */

static int run_dump(const struct command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"keys", required_argument, NULL, 'k'}, {"contents", no_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    struct care_dump how = {NULL, false};
    struct mr_error err = MR_ERROR_INIT;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'k')
            how.keys = optarg;
        else if (c == 'c')
            how.contents = true;
        else
            return misuse(command);
    }
    if (optind + 1 != argc)
        return misuse(command);
    int status = care_dump(argv[optind], &how, stdout, &err);
    if (status == MR_OK && (fflush(stdout) != 0 || ferror(stdout)))
        return FAILED;
    if (status == MR_OK)
        return DONE;
    failed(&err);
    return status == MR_ECORRUPT ? DAMAGED : FAILED;
}

/* ---- which ------------------------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"check", "look at every byte of a data directory",
     "usage: millrace check DIR\n"
     "       millrace check --online [--credentials FILE] URL\n\n"
     "Every checksum, seal and cross-reference of catalog, keyring, manifests, segments, names and log. "
     "Changes\n"
     "nothing, and refuses while a server uses the directory. Findings go to standard output, one a line:\n"
     "damage, unchecked (a key is not at hand), leftover (of a killed process; harmless).\n"
     "  --online            of a running server: its own check of the files, now and at full speed, with the "
     "root\n"
     "                      key of the environment\n"
     "  --credentials FILE  or of this file: root-credentials in the data directory\n"
     "Exit status: 0 everything is whole, 1 damage, 2 it could not be checked.\n",
     run_check},
    {"dump", "print stored files as text",
     "usage: millrace dump [--contents] [--keys DIR] FILE|DIR\n\n"
     "A log segment, manifest, segment, file of names or keyring (without its secrets), or a directory of "
     "them.\n"
     "  --contents  entries, series and rows too\n"
     "  --keys DIR  where the keyring is; else where it lies in a data directory\n"
     "Exit status: 0 printed, 1 damaged, 2 it could not be read.\n",
     run_dump},
};

bool care_command_help(const char *name, FILE *out)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return fputs(commands[i].usage, out) >= 0;
    return false;
}

void care_command_list(FILE *out)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++)
        fprintf(out, "  %-10s %s (millrace %s --help)\n", commands[i].name, commands[i].summary,
                commands[i].name);
}

int care_command(int argc, char **argv, bool *known)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(commands); i++) {
        const struct command *command = &commands[i];
        if (strcmp(command->name, argv[0]) != 0)
            continue;
        *known = true;
        if (argc == 2 && strcmp(argv[1], "--help") == 0)
            return fputs(command->usage, stdout) >= 0 ? DONE : FAILED;
        return command->run(command, argc, argv);
    }
    *known = false;
    return FAILED;
}
