/* `millrace query` on a terminal: statements up to a semicolon, with history and completion (libedit). */
#include "cli/cli.h"

#include <stdlib.h>

#include <editline/readline.h>

#define HISTORY_LINES 2000

static const char help_text[] =
    "A statement ends with a semicolon and may take several lines.\n"
    "  \\d            databases          \\d DATABASE      its tables\n"
    "  \\d DB TABLE   columns            \\f FORMAT        table, csv or json\n"
    "  \\h            this text          \\q               quit (as does the end of input)\n";

/* Words that completion offers; names of databases and tables join them when the shell opens. */
static const char *const keywords[] = {"SELECT",
                                       "FROM",
                                       "WHERE",
                                       "GROUP BY",
                                       "ORDER BY",
                                       "LIMIT",
                                       "WITH",
                                       "JOIN",
                                       "UNNEST",
                                       "SHOW DATABASES",
                                       "SHOW TABLES FROM",
                                       "SHOW MEASURES FROM",
                                       "DESCRIBE",
                                       "BETWEEN",
                                       "INTERVAL",
                                       "measure_name",
                                       "measure_value::double",
                                       "measure_value::bigint",
                                       "time",
                                       "ago(",
                                       "bin(",
                                       "now()",
                                       "avg(",
                                       "count(*)",
                                       "max(",
                                       "min(",
                                       "sum(",
                                       "max_by(",
                                       "approx_percentile(",
                                       "interpolate_linear(",
                                       "create_time_series(",
                                       "sequence("};

/* libedit asks through globals, so what it asks for is one too. */
static struct {
    char **at;
    size_t len, cap;
} names;

static void add_name(const char *a, const char *between, const char *b)
{
    size_t room = strlen(a) + strlen(between) + strlen(b) + 1;
    char *name = mr_malloc(room);
    void *items = names.at;
    if (name == NULL || mr_grow(&items, &names.cap, names.len + 1, sizeof *names.at) != MR_OK) {
        mr_free(name);
        return;
    }
    snprintf(name, room, "%s%s%s", a, between, b);
    names.at = items;
    names.at[names.len++] = name;
}

/* Completion is a courtesy: without names, keywords are all there is. */
static void load_names(struct cli *cli)
{
    struct mr_list_tables_request request = {.max_results = {false, 0}};
    struct mr_paginator *pages;
    const struct mr_list_tables_response *page;
    for (size_t i = 0; i < MR_ARRAY_LEN(keywords); i++)
        add_name(keywords[i], "", "");
    if (mr_paginator_open(cli->client, MR_OP_LIST_TABLES, &request, &pages, NULL) != 0)
        return;
    while ((page = mr_paginator_next(pages, NULL)) != NULL)
        for (size_t i = 0; i < page->tables.len; i++)
            if (page->tables.at[i].database_name.ptr != NULL && page->tables.at[i].table_name.ptr != NULL)
                add_name(page->tables.at[i].database_name.ptr, ".", page->tables.at[i].table_name.ptr);
    mr_paginator_close(pages);
}

static char *next_match(const char *text, int state)
{
    static size_t at;
    size_t len = strlen(text);
    if (state == 0)
        at = 0;
    while (at < names.len) {
        const char *name = names.at[at++];
        if (mr_str_ieq((struct mr_str){name, strnlen(name, len)}, (struct mr_str){text, len}))
            return strdup(name); /* libedit frees it */
    }
    return NULL;
}

static char **complete(const char *text, int start, int end)
{
    (void)start;
    (void)end;
    rl_attempted_completion_over = 1; /* no file names */
    return rl_completion_matches(text, next_match);
}

/* ---- history ---- */

/* ~/.millrace_history; NULL without a home. */
static char *history_path(void)
{
    const char *home = getenv("HOME");
    size_t room = home != NULL ? strlen(home) + 32 : 0;
    char *path = home != NULL ? mr_malloc(room) : NULL;
    if (path != NULL)
        snprintf(path, room, "%s/.millrace_history", home);
    return path;
}

/* ---- statements and commands ---- */

static void run_sql(struct cli *cli, struct mr_str sql)
{
    struct mr_buf copy = MR_BUF_INIT;
    mr_buf_str(&copy, sql);
    mr_buf_char(&copy, '\0');
    if (mr_buf_ok(&copy) && mr_str_trim(sql).len > 0)
        (void)cli_query_text(cli, copy.ptr);
    mr_buf_release(&copy);
}

static void list_of(struct cli *cli, char *words)
{
    char *a = strtok(words, " \t."), *b = a != NULL ? strtok(NULL, " \t") : NULL;
    char sql[700];
    if (a == NULL)
        snprintf(sql, sizeof sql, "SHOW DATABASES");
    else if (b == NULL)
        snprintf(sql, sizeof sql, "SHOW TABLES FROM \"%.256s\"", a);
    else
        snprintf(sql, sizeof sql, "DESCRIBE \"%.256s\".\"%.256s\"", a, b);
    (void)cli_query_text(cli, sql);
}

/* A line that begins with a backslash. false to quit. */
static bool run_command(struct cli *cli, char *line)
{
    char *rest = line + strcspn(line, " \t");
    while (*rest == ' ' || *rest == '\t')
        *rest++ = '\0';
    if (strcmp(line, "\\q") == 0)
        return false;
    if (strcmp(line, "\\d") == 0)
        list_of(cli, rest);
    else if (strcmp(line, "\\f") == 0 && !cli_take_format(cli, rest))
        fputs("table, csv or json\n", stderr);
    else if (strcmp(line, "\\f") != 0)
        fputs(help_text, stdout);
    return true;
}

/* Takes whole statements off the front of what was typed. A semicolon in quotes is part of the statement. */
static void run_statements(struct cli *cli, struct mr_buf *typed)
{
    size_t from = 0;
    char quote = '\0';
    for (size_t i = 0; i < typed->len; i++) {
        char c = typed->ptr[i];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == ';') {
            run_sql(cli, (struct mr_str){typed->ptr + from, i - from});
            from = i + 1;
        }
    }
    memmove(typed->ptr, typed->ptr + from, typed->len - from);
    typed->len -= from;
    if (mr_str_trim(mr_buf_view(typed)).len == 0 || mr_str_eq(mr_str_trim(mr_buf_view(typed)), MR_STR("\n")))
        typed->len = 0;
}

int cli_shell(struct cli *cli)
{
    struct mr_buf typed = MR_BUF_INIT;
    char *path = history_path(), *line;
    bool go_on = true;
    using_history();
    stifle_history(HISTORY_LINES);
    if (path != NULL)
        read_history(path);
    rl_readline_name = "millrace";
    rl_attempted_completion_function = complete;
    load_names(cli);
    printf("millrace %s, region %s. \\h for help.\n", mr_version(), mr_client_region(cli->client));
    while (go_on && (line = readline(typed.len > 0 ? "    ...> " : "millrace> ")) != NULL) {
        if (line[0] != '\0')
            add_history(line);
        if (typed.len == 0 && line[0] == '\\') {
            go_on = run_command(cli, line);
        } else {
            mr_buf_str(&typed, mr_str_of(line));
            mr_buf_char(&typed, '\n');
            if (mr_buf_ok(&typed))
                run_statements(cli, &typed);
        }
        free(line);
        go_on = go_on && mr_buf_ok(&typed);
    }
    putchar('\n');
    if (path != NULL)
        write_history(path);
    mr_free(path);
    mr_buf_release(&typed);
    while (names.len > 0)
        mr_free(names.at[--names.len]);
    mr_free(names.at);
    names.at = NULL;
    names.cap = 0;
    return CLI_OK;
}
